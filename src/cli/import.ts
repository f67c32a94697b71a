// npm run import -- complaints FILE | berka DIR [--strict] [--rejects FILE]: brings files to the running server over its feeds, streaming.
import { basename, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { loadConfig } from '../config.ts';
import { StartError } from '../start-error.ts';
import { berkaFolder } from './berka.ts';
import { connect } from './client.ts';
import { complaintsFile } from './complaints-file.ts';
import { type Counts, type ImportSource, upload } from './upload.ts';

const usage = 'npm run import -- complaints FILE | berka DIR [--strict] [--rejects FILE]';

interface ImportKind {
  readonly feed: string;
  readonly open: (path: string) => Promise<ImportSource>;
}
const kinds: ReadonlyMap<string, ImportKind> = new Map([
  ['complaints', { feed: 'tickets', open: complaintsFile }],
  ['berka', { feed: 'core-banking', open: berkaFolder }],
]);

await main();

async function main(): Promise<void> {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { strict: { type: 'boolean', default: false }, rejects: { type: 'string' } },
    });
    const [name = '', path, ...rest] = positionals;
    const kind = kinds.get(name);
    if (!kind || path === undefined || rest.length > 0) throw new StartError(`Usage: ${usage}`);
    const rejects = values.rejects ?? `${basename(resolve(path))}.rejects.ndjson`;
    const client = await connect(loadConfig(), 'integration', `${name}-import`);
    const counts = await upload(await kind.open(path), { client, feed: kind.feed, strict: values.strict, rejects });
    const total = sumOf(counts);
    // Of an import of one kind the sum says it all.
    if (counts.size > 1) for (const [of, own] of counts) process.stdout.write(`${of}: ${sentence(own)}.\n`);
    process.stdout.write(`${sentence(total)}${total.rejected > 0 ? `, see ${rejects}` : ''}.\n`);
    if (total.rejected > 0 && values.strict) process.exitCode = 1;
  } catch (error) {
    const known = error instanceof StartError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS');
    process.stderr.write(`${known ? '' : 'The import failed: '}${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}

function sentence({ rows, created, repeated, rejected }: Counts): string {
  return `${rows} rows: ${created} new, ${repeated} known already, ${rejected} rejected`;
}

function sumOf(counts: ReadonlyMap<string, Counts>): Counts {
  const total: Counts = { rows: 0, created: 0, repeated: 0, rejected: 0 };
  for (const { rows, created, repeated, rejected } of counts.values()) {
    total.rows += rows;
    total.created += created;
    total.repeated += repeated;
    total.rejected += rejected;
  }
  return total;
}
