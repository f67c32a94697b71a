// One import, measured: a fresh server as npm start runs it, a bank brought over its feed route by a process of its own, from the first
// request until every read model shows it all; and how much memory the server had at most.
import { startChild } from './child.ts';
import { CpuUse } from './cpu.ts';
import { withClient } from './database.ts';
import { writeFeedFiles } from './feed-files.ts';
import type { FeedLoad, FeedLoadResult } from './feed-load.ts';
import { importRecords } from './import-records.ts';
import { shown } from './measurement.ts';
import { watchPeakMemory } from './memory.ts';
import { databaseOf, type Product, startProduct, tokenOf } from './product.ts';
import { projected } from './projected.ts';
import type { Bench } from './row.ts';

const TRANSACTIONS = 1_000_000;
const LINES_A_REQUEST = 50_000;

export interface ImportFigures {
  readonly about: string;
  readonly transactions: number;
  readonly lines: number;
  readonly events: number;
  /** Until all is appended and shown. */
  readonly seconds: number;
  /** Of these, until the last answer. */
  readonly appendSeconds: number;
  readonly requests: number;
  /** Of the server's own process. */
  readonly peakBytes: number;
  readonly processors: string;
}

export interface ImportRun extends ImportFigures {
  readonly product: Product;
  /** The owner's address of its Postgres. */
  readonly databaseUrl: string;
}

/** The last one's figures, for the row that asks for another side of the same import. */
const last = new Map<boolean, ImportFigures>();

export function lastImport(quick: boolean): ImportFigures | undefined {
  return last.get(quick);
}

export async function runImport({ scope, quick, say }: Bench): Promise<ImportRun> {
  const transactions = quick ? TRANSACTIONS / 40 : TRANSACTIONS;
  const { about, records } = await importRecords(transactions);
  const { paths, lines } = await writeFeedFiles(scope.folder(), 'import', records, quick ? LINES_A_REQUEST / 5 : LINES_A_REQUEST);
  say(`${lines.toLocaleString('en-US')} lines of ${about} written`);

  const dataDir = scope.folder();
  const product = await startProduct(scope, { dataDir });
  const own = databaseOf(dataDir);
  const load = startChild<FeedLoad, FeedLoadResult>(scope, 'feed-load.ts');
  const before = await headOf(own.url);
  const cpu = new CpuUse({ server: { pid: product.pid }, Postgres: own, load });
  const memory = watchPeakMemory(product.pid);
  cpu.start();
  const startedMs = performance.now();
  const { created, seconds: appendSeconds } = await load.ask({ url: `${product.url}/v1/feeds/core-banking`, token: tokenOf('integration'), paths });
  say(`appended in ${shown(appendSeconds)} s`);
  await projected(product);
  const seconds = (performance.now() - startedMs) / 1_000;
  cpu.stop();
  const peakBytes = memory.stop();
  await load.end();
  if (created !== lines) throw new Error(`of ${lines} lines ${created} were taken`);
  const events = (await headOf(own.url)) - before;
  say(`shown after ${shown(seconds)} s, ${shown(events / seconds)} events/s`);
  const figures = { about, transactions, lines, events, seconds, appendSeconds, requests: paths.length, peakBytes, processors: cpu.toString() };
  last.set(quick, figures);
  return { ...figures, product, databaseUrl: own.url };
}

async function headOf(url: string): Promise<number> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ position: string }>('select position from journal.head');
    return Number(rows[0]?.position);
  });
}
