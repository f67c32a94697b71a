// Rows of an import to the running server, by one of its feeds, in requests of some thousand lines. Sent again it changes nothing, so after
// any interruption an import is simply run again. It ends when the read models show what it brought.
import { gzipSync } from 'node:zlib';
import { SingleBar } from 'cli-progress';
import type { Client } from './client.ts';
import { type Origin, Rejects } from './rejects.ts';

/** A row as it was read: lines for the feed, or why there are none. */
export interface ImportRow extends Origin {
  /** What it is counted as: `complaints`, `accounts`. */
  readonly kind: string;
  readonly entries: readonly object[];
  readonly problem?: string;
}

interface UploadLine {
  readonly row: ImportRow;
  readonly json: string;
}

export interface ImportSource {
  /** On disk. */
  readonly bytes: number;
  readonly bytesRead: () => number;
  readonly rows: () => AsyncIterable<ImportRow>;
}

export interface Counts {
  rows: number;
  created: number;
  repeated: number;
  rejected: number;
}

export interface UploadOptions {
  readonly client: Client;
  /** `tickets`, `core-banking` */
  readonly feed: string;
  /** Stops at the first row that is not taken. */
  readonly strict: boolean;
  /** Where rows that are not taken are told. */
  readonly rejects: string;
}

const LINES_A_REQUEST = 2_000;

/** Counts by kind, in the order of the rows. @throws StartError at a rejected row where that is wanted */
export async function upload(source: ImportSource, { client, feed, strict, rejects: rejectsFile }: UploadOptions): Promise<Map<string, Counts>> {
  const counts = new Map<string, Counts>();
  const rejects = new Rejects(rejectsFile, strict);
  const bar = progressBar();
  const started = performance.now();
  let rows = 0;
  let position: string | undefined;
  let batch: UploadLine[] = [];
  const countsOf = (kind: string): Counts => {
    const known = counts.get(kind) ?? { rows: 0, created: 0, repeated: 0, rejected: 0 };
    counts.set(kind, known);
    return known;
  };
  const flush = async (): Promise<void> => {
    const lines = batch;
    batch = [];
    if (lines[0]) position = (await bring(client, feed, lines, countsOf(lines[0].row.kind), rejects)) ?? position;
    bar.update(Math.min(source.bytes, source.bytesRead()), { rows, rate: Math.round((rows / (performance.now() - started)) * 1_000).toString() });
  };
  bar.start(source.bytes, 0, { rows: 0, rate: '0' });
  try {
    for await (const row of source.rows()) {
      // A request holds one kind, so that its answer counts that one.
      if (batch.length >= LINES_A_REQUEST || (batch[0] && batch[0].row.kind !== row.kind)) await flush();
      rows += 1;
      const own = countsOf(row.kind);
      own.rows += 1;
      for (const entry of row.entries) batch.push({ row, json: JSON.stringify(entry) });
      if (row.problem === undefined) continue;
      own.rejected += 1;
      if (strict) await flush();
      rejects.add(row, [row.problem]);
    }
    await flush();
  } finally {
    bar.stop();
    await rejects.close();
  }
  if (position !== undefined) await untilShown(client, position);
  return counts;
}

/** One request of the feed; what it rejects goes to the rejects file under its own file's line. The answer is its position's token. */
async function bring(client: Client, feed: string, lines: readonly UploadLine[], counts: Counts, rejects: Rejects): Promise<string | undefined> {
  const response = await client.send(`/v1/feeds/${feed}`, {
    method: 'POST',
    body: gzipSync(lines.map(({ json }) => json).join('\n'), { level: 1 }),
    headers: { 'content-type': 'application/x-ndjson', 'content-encoding': 'gzip' },
  });
  const answer = (await response.json()) as { id: string; created: number; repeated: number; rejected: number; title?: string; detail?: string };
  if (!response.ok) throw new Error(`the server answered ${response.status}: ${answer.detail ?? answer.title ?? 'no reason given'}`);
  counts.created += answer.created;
  counts.repeated += answer.repeated;
  counts.rejected += answer.rejected;
  if (answer.rejected > 0) await tellRejected(client, answer.id, lines, rejects);
  return response.headers.get('shiji-position') ?? undefined;
}

async function tellRejected(client: Client, feedId: string, lines: readonly UploadLine[], rejects: Rejects): Promise<void> {
  const results = await client.send(`/v1/feeds/${feedId}/results?outcome=rejected`);
  for (const text of (await results.text()).split('\n')) {
    if (text === '') continue;
    const result = JSON.parse(text) as { line: number; errors?: { pointer: string; detail: string }[] };
    rejects.add(
      lines[result.line - 1]?.row ?? { line: 0 },
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
