// After every fault: the journal is dense and ordered, what was acknowledged is in it once, and the read models are what it gives.
import type pg from 'pg';
import { expect } from 'vitest';
import { projections } from '../../src/projections/all.ts';
import { runCli } from './cli.ts';
import { until } from './client.ts';
import type { Cluster } from './cluster.ts';

export async function expectWhole(cluster: Cluster, acknowledged: readonly { readonly stream: string; readonly revision: number }[]): Promise<void> {
  const { pool } = cluster;
  await caughtUp(pool);
  expect(await holesOf(pool)).toStrictEqual({ holes: 0, falling: 0, brokenStreams: 0 });
  await expectAcknowledged(pool, acknowledged);
  await expectReceipts(pool);
  const { code, out, err } = await runCli('replay', ['--compare'], { cwd: cluster.folder, dataDir: cluster.folder, env: cluster.settings }).done;
  expect({ code, differing: out.split('\n').filter((line) => /differ\.|only in|live and/.test(line)), err: code === 0 ? '' : err }).toStrictEqual({
    code: 0,
    differing: [],
    err: '',
  });
}

/** Every read model is at the journal's end. */
export async function caughtUp(pool: pg.Pool, withinMs = 20_000): Promise<void> {
  await until(async () => {
    const { rows } = await pool.query<{ there: number }>(
      'select count(*)::int as there from engine.checkpoints c, journal.head h where c.projection = any($1) and c.position >= h.position',
      [projections.map(({ name }) => name)],
    );
    return rows[0]?.there === projections.length;
  }, withinMs);
}

async function holesOf(pool: pg.Pool): Promise<object> {
  const { rows } = await pool.query(
    `with e as (select position, stream, revision, recorded_at_ms, lag(recorded_at_ms) over (order by position) as before from journal.events)
     select (select position from journal.head)::int - count(*)::int as holes,
            (count(*) filter (where recorded_at_ms < before))::int as falling,
            (select count(*)::int from (select from e group by stream having count(*) <> max(revision) + 1) broken) as "brokenStreams"
       from e`,
  );
  return rows[0] as object;
}

/** Each is there, and nothing beside them in their streams. */
async function expectAcknowledged(pool: pg.Pool, acknowledged: readonly { readonly stream: string; readonly revision: number }[]): Promise<void> {
  const last = new Map<string, number>();
  for (const { stream, revision } of acknowledged) last.set(stream, Math.max(revision, last.get(stream) ?? -1));
  const { rows } = await pool.query<{ stream: string; last: number }>(
    'select stream, max(revision)::int as last from journal.events where stream = any($1) group by stream',
    [[...last.keys()]],
  );
  expect(new Map(rows.map((row) => [row.stream, row.last]))).toStrictEqual(last);
}

/** Also of the chunk that is still open, which the auditor does not look at yet. */
async function expectReceipts(pool: pg.Pool): Promise<void> {
  for (const { name, categories } of projections) {
    const { rows } = await pool.query(
      `select (select coalesce(sum(offered), 0)::int from engine.receipts where projection = $1) as offered,
              (select coalesce(sum(id_sum), 0) % 281474976710656 from engine.receipts where projection = $1) as ids,
              count(*)::int as expected,
              coalesce(sum(('x' || right(id::text, 12))::bit(48)::bigint), 0) % 281474976710656 as expected_ids
         from journal.events where split_part(stream, '-', 1) = any($2)`,
      [name, categories],
    );
    const [{ offered, ids, expected, expected_ids: expectedIds }] = rows as [Record<string, unknown>];
    expect({ name, offered, ids }).toStrictEqual({ name, offered: expected, ids: expectedIds });
  }
}
