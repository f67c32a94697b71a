// npm run import -- complaints FILE [--strict] [--rejects FILE]: brings a file to the running server over its feed, streaming. Sent again it
// changes nothing, so after any interruption it is simply run again. It ends when the read models show what it brought.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { createGunzip, gzipSync } from 'node:zlib';
import { SingleBar } from 'cli-progress';
import { parse } from 'csv-parse';
import { loadConfig } from '../config.ts';
import { codeOf } from '../postgres/sqlstate.ts';
import { StartError } from '../start-error.ts';
import { type Client, connect } from './client.ts';
import { type ComplaintRow, complaintColumns, complaintLine } from './complaints.ts';
import { Rejects } from './rejects.ts';

const LINES_A_REQUEST = 2_000;
const usage = 'npm run import -- complaints FILE [--strict] [--rejects FILE]';

interface Totals {
  rows: number;
  created: number;
  repeated: number;
  rejected: number;
  /** Token of the furthest position brought. */
  position: string | undefined;
}

await main();

async function main(): Promise<void> {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { strict: { type: 'boolean', default: false }, rejects: { type: 'string' } },
    });
    const [kind, file, ...rest] = positionals;
    if (kind !== 'complaints' || file === undefined || rest.length > 0) throw new StartError(`Usage: ${usage}`);
    const client = await connect(loadConfig(), 'integration', 'complaints-import');
    const totals = await importComplaints(client, file, { strict: values.strict, rejects: values.rejects ?? `${basename(file)}.rejects.ndjson` });
    process.stdout.write(
      `${totals.rows} rows: ${totals.created} new, ${totals.repeated} known already, ${totals.rejected} rejected${totals.rejected > 0 ? `, see ${values.rejects ?? `${basename(file)}.rejects.ndjson`}` : ''}.\n`,
    );
    if (totals.rejected > 0 && values.strict) process.exitCode = 1;
  } catch (error) {
    const sentence =
      error instanceof StartError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS') ? (error as Error).message : undefined;
    process.stderr.write(`${sentence ?? `The import failed: ${error instanceof Error ? error.message : String(error)}`}\n`);
    process.exitCode = 1;
  }
}

async function importComplaints(client: Client, file: string, options: { strict: boolean; rejects: string }): Promise<Totals> {
  const size = (
    await stat(file).catch((cause: unknown) => {
      throw new StartError(codeOf(cause) === 'ENOENT' ? `There is no file ${file}.` : `${file} can't be read.`, { cause });
    })
  ).size;
  const totals: Totals = { rows: 0, created: 0, repeated: 0, rejected: 0, position: undefined };
  const rejects = new Rejects(options.rejects, options.strict);
  const source = createReadStream(file);
  const bar = progressBar();
  bar.start(size, 0, { rows: 0, rate: '0' });
  const started = performance.now();
  let batch: { line: number; json: string }[] = [];
  const flush = async (): Promise<void> => {
    const lines = batch;
    batch = [];
    if (lines.length > 0) await bring(client, lines, totals, rejects);
    bar.update(Math.min(size, source.bytesRead), {
      rows: totals.rows,
      rate: Math.round((totals.rows / (performance.now() - started)) * 1_000).toString(),
    });
  };
  try {
    const text = file.endsWith('.gz') ? source.pipe(createGunzip()) : source;
    for await (const { record, info } of rowsOf(text, source)) {
      totals.rows += 1;
      try {
        batch.push({ line: info.lines, json: JSON.stringify(complaintLine(record)) });
      } catch (error) {
        totals.rejected += 1;
        if (options.strict) await flush();
        rejects.add(info.lines, [error instanceof Error ? error.message : String(error)]);
      }
      if (batch.length >= LINES_A_REQUEST) await flush();
    }
    await flush();
  } finally {
    bar.stop();
    await rejects.close();
  }
  if (totals.position !== undefined) await untilShown(client, totals.position);
  return totals;
}

interface CsvRow {
  readonly record: ComplaintRow;
  readonly info: { readonly lines: number };
}

async function* rowsOf(text: NodeJS.ReadableStream, source: NodeJS.ReadableStream): AsyncGenerator<CsvRow> {
  const parser = parse({ columns: checkedHeader, info: true, bom: true, relax_column_count: true, skip_empty_lines: true });
  for (const stream of new Set([source, text])) stream.on('error', (error: Error) => parser.destroy(error));
  yield* text.pipe(parser) as AsyncIterable<CsvRow>;
}

function checkedHeader(header: string[]): string[] {
  const missing = complaintColumns.filter((column) => !header.includes(column));
  if (missing.length > 0)
    throw new StartError(`The file lacks the column${missing.length > 1 ? 's' : ''} ${missing.join(', ')}: it must be the Bureau's CSV export.`);
  return header;
}

/** One request of the feed; what it rejects goes to the rejects file under the file's own line numbers. */
async function bring(client: Client, lines: readonly { line: number; json: string }[], totals: Totals, rejects: Rejects): Promise<void> {
  const body = gzipSync(lines.map(({ json }) => json).join('\n'), { level: 1 });
  const response = await client.send('/v1/feeds/tickets', {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/x-ndjson', 'content-encoding': 'gzip' },
  });
  const answer = (await response.json()) as { id: string; created: number; repeated: number; rejected: number; title?: string; detail?: string };
  if (!response.ok) throw new Error(`the server answered ${response.status}: ${answer.detail ?? answer.title ?? 'no reason given'}`);
  totals.created += answer.created;
  totals.repeated += answer.repeated;
  totals.rejected += answer.rejected;
  totals.position = response.headers.get('shiji-position') ?? totals.position;
  if (answer.rejected === 0) return;
  const results = await client.send(`/v1/feeds/${answer.id}/results?outcome=rejected`);
  for (const text of (await results.text()).split('\n')) {
    if (text === '') continue;
    const result = JSON.parse(text) as { line: number; errors?: { pointer: string; detail: string }[] };
    rejects.add(
      lines[result.line - 1]?.line ?? 0,
      (result.errors ?? []).map(({ pointer, detail }) => (pointer === '' ? detail : `${pointer}: ${detail}`)),
    );
  }
}

/** Waits until the read models have got to a position. */
async function untilShown(client: Client, position: string): Promise<void> {
  const response = await client.send('/v1/feeds', { headers: { 'shiji-after': position } });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`the read models did not catch up: the server answered ${response.status}`);
}

function progressBar(): SingleBar {
  return new SingleBar({
    format: '{bar} {percentage}% | {rows} rows, {rate} a second | {eta_formatted} left',
    etaBuffer: 30,
    noTTYOutput: true,
    notTTYSchedule: 5_000,
    stream: process.stderr,
  });
}
