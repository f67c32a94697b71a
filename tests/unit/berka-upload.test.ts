// An import's rows in requests of one kind each, what the server rejects under the row's own file and line, and where --strict stops.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import type { Client } from '../../src/cli/client.ts';
import { type ImportRow, upload } from '../../src/cli/upload.ts';

const folder = mkdtempSync(join(tmpdir(), 'shiji-upload-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Entry = { readonly n: number; readonly bad?: true };

/** A server that rejects what is bad and has seen before what was sent before. */
function newServer(): { readonly client: Client; readonly requests: string[][] } {
  const requests: string[][] = [];
  const seen = new Set<string>();
  const results = new Map<string, string>();
  const client: Client = {
    url: 'http://test',
    send: async (path, init) => {
      if (init?.method !== 'POST') {
        const [, id] = /^\/v1\/feeds\/(\w+)\/results\?outcome=rejected$/.exec(path) ?? [];
        if (id === undefined) requests.push([`${path} after ${init?.headers?.['shiji-after']}`]);
        return new Response(results.get(id ?? '') ?? '{}');
      }
      const lines = gunzipSync(init.body as Uint8Array)
        .toString()
        .split('\n');
      requests.push([path, ...lines]);
      const id = `feed${requests.length}`;
      const bad = lines.flatMap((line, index) => ((JSON.parse(line) as Entry).bad ? [index + 1] : []));
      const errors = [{ pointer: '/n', detail: 'is bad' }];
      results.set(id, bad.map((line) => JSON.stringify({ line, outcome: 'rejected', errors })).join('\n'));
      const known = lines.filter((line) => seen.has(line)).length;
      for (const line of lines) seen.add(line);
      const answer = { id, created: lines.length - bad.length - known, repeated: known, rejected: bad.length };
      return new Response(JSON.stringify(answer), { headers: { 'shiji-position': `token${requests.length}` } });
    },
  };
  return { client, requests };
}

const row = (kind: string, line: number, ...entries: Entry[]): ImportRow => ({ kind, file: `${kind}.asc`, line, entries });
const source = (rows: readonly ImportRow[]) => ({
  bytes: 100,
  bytesRead: () => 50,
  rows: async function* () {
    yield* rows;
  },
});

describe('an upload', () => {
  it('sends each kind in requests of its own, counts it, and waits until what it brought is shown', async () => {
    const { client, requests } = newServer();
    const rows = [row('loans', 2, { n: 1 }, { n: 2 }), row('loans', 3, { n: 3 }), row('cards', 2, { n: 4 })];
    const options = { client, feed: 'core-banking', strict: false, rejects: join(folder, 'none') };
    const counts = await upload(source(rows), options);
    expect(requests).toStrictEqual([
      ['/v1/feeds/core-banking', '{"n":1}', '{"n":2}', '{"n":3}'],
      ['/v1/feeds/core-banking', '{"n":4}'],
      ['/v1/feeds after token2'],
    ]);
    expect([...counts]).toStrictEqual([
      ['loans', { rows: 2, created: 3, repeated: 0, rejected: 0 }],
      ['cards', { rows: 1, created: 1, repeated: 0, rejected: 0 }],
    ]);
    const again = await upload(source(rows), options);
    expect([...again.values()].map(({ created, repeated }) => [created, repeated])).toStrictEqual([
      [0, 3],
      [0, 1],
    ]);
  });

  it('of thousands of rows sends two thousand lines at a time', async () => {
    const { client, requests } = newServer();
    const rows = Array.from({ length: 4_500 }, (_, n) => row('cards', n + 2, { n }));
    const counts = await upload(source(rows), { client, feed: 'core-banking', strict: false, rejects: join(folder, 'none') });
    expect(requests.slice(0, -1).map((lines) => lines.length - 1)).toStrictEqual([2_000, 2_000, 500]);
    expect(counts.get('cards')).toStrictEqual({ rows: 4_500, created: 4_500, repeated: 0, rejected: 0 });
  });

  it('tells what was not taken by file, line and reason, whoever found it, and sends the rest', async () => {
    const { client } = newServer();
    const rejects = join(folder, 'rejects.ndjson');
    const rows: ImportRow[] = [
      row('loans', 2, { n: 1 }),
      { ...row('loans', 3), problem: 'status is "Z"' },
      row('loans', 4, { n: 2 }, { n: 3, bad: true }),
      row('loans', 5, { n: 4 }),
    ];
    const counts = await upload(source(rows), { client, feed: 'core-banking', strict: false, rejects });
    expect(counts.get('loans')).toStrictEqual({ rows: 4, created: 3, repeated: 0, rejected: 2 });
    const told = readFileSync(rejects, 'utf8').trim().split('\n');
    expect(told.map((line) => JSON.parse(line))).toStrictEqual([
      { file: 'loans.asc', line: 3, reasons: ['status is "Z"'] },
      { file: 'loans.asc', line: 4, reasons: ['/n: is bad'] },
    ]);
  });

  it('with --strict stops at the first, after what came before it', async () => {
    const { client, requests } = newServer();
    const rows: ImportRow[] = [row('loans', 2, { n: 1 }), { ...row('loans', 3), problem: 'status is "Z"' }, row('loans', 4, { n: 2 })];
    await expect(upload(source(rows), { client, feed: 'core-banking', strict: true, rejects: join(folder, 'none') })).rejects.toThrow(
      'loans.asc: Line 3: status is "Z". Nothing after it was sent (--strict).',
    );
    expect(requests).toStrictEqual([['/v1/feeds/core-banking', '{"n":1}']]);
  });

  it('that a server refuses ends with its reason', async () => {
    const client: Client = { url: 'http://test', send: async () => Response.json({ detail: 'Not yours.' }, { status: 403 }) };
    await expect(
      upload(source([row('loans', 2, { n: 1 })]), { client, feed: 'core-banking', strict: false, rejects: join(folder, 'none') }),
    ).rejects.toThrow('the server answered 403: Not yours.');
  });
});
