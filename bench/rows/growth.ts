// `growth`: commands and views where the journal has a hundred times as many events: three banks, each with a Postgres and a server of
// its own, a part of the events tickets' lives copied in, the others a bank's holdings brought over its feed; they take turns.
import { setTimeout as sleep } from 'node:timers/promises';
import { migrate } from '../../src/postgres/migrate.ts';
import type { BankSpec } from '../support/bank-spec.ts';
import { yesterday } from '../support/bench-bank.ts';
import { startChild } from '../support/child.ts';
import { CONNECTIONS, ticketsTo } from '../support/command-servers.ts';
import { type BenchDatabase, startDatabase, withClient } from '../support/database.ts';
import type { HttpLoad, LoadResult } from '../support/http-load.ts';
import { bringBank } from '../support/imported-bank.ts';
import { fillJournal } from '../support/journal-fill.ts';
import { type Measurement, shown, shownLatency } from '../support/measurement.ts';
import { caughtUp, masterKey, type Product, startProduct, tokenOf } from '../support/product.ts';
import { settled } from '../support/projected.ts';
import type { Bench } from '../support/row.ts';
import { mediansOf } from '../support/turns.ts';

const SEED = 20260408;
/** Of the events, before the deadlines that passed in them are told too. */
const TICKETS_SHARE = 0.3;
const SLOWER_AT_MOST = 1.3;
const VIEW_CONNECTIONS = 32;
const TRANSACTIONS_A_CUSTOMER = 60;
/** Lines of a bank's feed an account, transactions included. */
const LINES_AN_ACCOUNT = 76.8;
const TIMERS_WITHIN_MS = 300_000;
const CUSTOMERS_AN_ACCOUNT = 1.193;

interface Grown {
  readonly size: number;
  readonly database: BenchDatabase;
  readonly product: Product;
  readonly paths: readonly string[];
  readonly events: number;
  readonly commands: LoadResult[];
  readonly views: LoadResult[];
}

export async function growth(bench: Bench): Promise<readonly Measurement[]> {
  const { scope, quick, say } = bench;
  const sizes = quick ? [10_000, 100_000] : [10_000, 100_000, 1_000_000];
  // Counted, not timed: they make the journal grow.
  const [rounds, requests, viewSeconds] = quick ? [2, 2_000, 1] : [5, 3_000, 5];
  const load = startChild<HttpLoad, LoadResult>(scope, 'http-load.ts');
  const grown = asMany(await Promise.all(sizes.map((size) => grow(bench, size))));
  const open = ({ product }: Grown): Promise<LoadResult> => {
    const { seconds: _, ...tickets } = ticketsTo(product.url, 0);
    return load.ask({ ...tickets, requests });
  };
  const view = ({ product, paths }: Grown): Promise<LoadResult> =>
    load.ask({ url: product.url, token: tokenOf('risk'), paths, connections: VIEW_CONNECTIONS, seconds: viewSeconds });

  say('warming up');
  for (const one of grown) {
    await open(one);
    await caughtUp(one.product);
    await view(one);
  }
  for (let round = 1; round <= rounds; round += 1)
    for (const one of grown) {
      await sleep(200);
      one.commands.push(await open(one));
      await caughtUp(one.product);
      one.views.push(await view(one));
      const [commands, views] = [one.commands.at(-1), one.views.at(-1)] as [LoadResult, LoadResult];
      say(`round ${round}: ${told(one.size)}: ${shown(commands.perSecond)} commands/s, ${shown(views.perSecond)} views/s`);
    }

  const [first, ...larger] = grown.map((one) => ({ ...one, commands: mediansOf(one.commands), views: mediansOf(one.views) }));
  const last = larger.at(-1);
  if (!first || !last) throw new Error('a size is missing');
  const lineOf = (what: 'commands' | 'views'): Omit<Measurement, 'notes'> => {
    const slowest = Math.max(...larger.map((one) => first[what].perSecond / one[what].perSecond));
    return {
      value: last[what].perSecond,
      unit: `${what}/s`,
      baseline: first[what].perSecond,
      ratio: last[what].perSecond / first[what].perSecond,
      target: `≥ 1/${SLOWER_AT_MOST} at each size`,
      pass: slowest <= SLOWER_AT_MOST,
      latency: last[what].latency,
      baselineLatency: first[what].latency,
    };
  };
  const ends = await Promise.all(
    grown.map(
      async ({ size, database, events }) => `${told(size)}: ${events.toLocaleString('en-US')} to ${(await headOf(database)).toLocaleString('en-US')}`,
    ),
  );
  return [
    {
      ...lineOf('commands'),
      notes: [
        `${told(last.size)} events against ${told(first.size)}${quick ? ', the millionth left out to be quick' : ''}; tickets, customers and what they hold; a Postgres and a server as npm start runs it each, read models caught up; ${rounds} rounds in turn, medians`,
        `a round: ${requests.toLocaleString('en-US')} tickets opened over ${CONNECTIONS} connections, then views over ${VIEW_CONNECTIONS} for ${viewSeconds} s of ${first.paths.length} customers at each size, spread over all; events from the first round to the last: ${ends.join(', ')}`,
        ...[first, ...larger].map(
          (one) =>
            `${told(one.size)}: ${shown(one.commands.perSecond)} commands/s (${shownLatency(one.commands.latency)}), ${shown(one.views.perSecond)} views/s (${shownLatency(one.views.latency)})`,
        ),
      ],
    },
    { ...lineOf('views'), about: 'the views', notes: [] },
  ];
}

async function grow(bench: Bench, size: number): Promise<Grown> {
  const { scope, say } = bench;
  const database = await startDatabase(scope);
  await migrate({ url: database.url });
  await fillJournal({
    url: database.url,
    masterKey: Buffer.from(masterKey, 'base64'),
    seed: SEED,
    events: size * TICKETS_SHARE,
    onProgress: () => {},
  });
  const product = await startProduct(scope, { dataDir: scope.folder(), databaseUrl: database.url });
  await settled(product);
  await timersFired(database);
  const ids = await bringBank(bench, product, bankOf(size - (await headOf(database))));
  await withClient(database.url, (client) => client.query('vacuum (analyze)'));
  const events = await headOf(database);
  say(`${told(size)}: ${events.toLocaleString('en-US')} events, ${ids.length.toLocaleString('en-US')} customers`);
  return { size, database, product, paths: ids.map((id) => `/v1/customers/${id}/360`), events, commands: [], views: [] };
}

/** As many customers of each as the smallest has, spread over all. */
function asMany(grown: readonly Grown[]): Grown[] {
  const count = Math.min(...grown.map(({ paths }) => paths.length));
  return grown.map((one) => ({
    ...one,
    paths: Array.from({ length: count }, (_, index) => one.paths[Math.floor((index * one.paths.length) / count)] ?? ''),
  }));
}

/** As many lines of the feed as events are wanted, or a few less. */
function bankOf(lines: number): BankSpec {
  const accounts = Math.floor(lines / LINES_AN_ACCOUNT);
  const transactions = Math.floor(accounts * CUSTOMERS_AN_ACCOUNT * TRANSACTIONS_A_CUSTOMER);
  return { seed: SEED, system: 'bank', accounts, transactions, until: yesterday(), named: true };
}

/** Deadlines of the generated tickets have passed: what tells of them is in the journal before anything is measured. */
async function timersFired({ url }: BenchDatabase): Promise<void> {
  await withClient(url, async (client) => {
    for (const startedMs = performance.now(); performance.now() - startedMs < TIMERS_WITHIN_MS; await sleep(100)) {
      const { rows } = await client.query<{ due: boolean }>('select exists (select from read.timers where fires_at <= now()) as due');
      if (rows[0]?.due === false) return;
    }
    throw new Error(`timers are due after ${TIMERS_WITHIN_MS / 1_000} s`);
  });
}

async function headOf({ url }: BenchDatabase): Promise<number> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ position: string }>('select position from journal.head');
    return Number(rows[0]?.position);
  });
}

function told(size: number): string {
  return size < 1_000_000 ? `${size / 1_000} k` : `${size / 1_000_000} M`;
}
