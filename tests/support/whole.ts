// The look after every fault: the journal is dense and ordered, what was acknowledged is in it once, timers were told once, receipts are
// the journal's, and the read models are what a replay gives.
import type pg from 'pg';
import { expect } from 'vitest';
import { projections } from '../../src/projections/all.ts';
import { runCli } from './cli.ts';
import { until } from './client.ts';

/** What the look needs: an owner's pool, and how the replay finds the database: by the data folder, or by `settings`. */
export interface Looked {
  readonly pool: pg.Pool;
  readonly folder: string;
  readonly settings: Readonly<Record<string, string>>;
}

/** A command that was answered with success and wrote something: its stream and the revision that it brought the stream to. */
export interface Acknowledged {
  readonly stream: string;
  readonly revision: number;
}

export async function expectWhole(looked: Looked, acknowledged: readonly Acknowledged[]): Promise<void> {
  const { pool } = looked;
  await caughtUp(pool);
  expect(await flawsOf(pool)).toStrictEqual(flawless);
  await expectAcknowledged(pool, acknowledged);
  await expectReceipts(pool);
  const { code, out, err } = await runCli('replay', ['--compare'], { cwd: looked.folder, dataDir: looked.folder, env: looked.settings }).done;
  expect({ code, differing: out.split('\n').filter((line) => /differ\.|only in|live and/.test(line)), err: code === 0 ? '' : err }).toStrictEqual({
    code: 0,
    differing: [],
    err: '',
  });
}

/** Every read model is at the journal's end. @throws Error naming those that are not */
export async function caughtUp(pool: pg.Pool, withinMs = 20_000): Promise<void> {
  let behind: string[] = [];
  const look = async (): Promise<boolean> => {
    const { rows } = await pool.query<{ name: string; position: number | null; head: number; lease: string | null }>(
      `select p.name, c.position::int as position, h.position::int as head, l.holder || ' until ' || l.until as lease
         from unnest($1::text[]) p(name) cross join journal.head h
         left join engine.checkpoints c on c.projection = p.name left join engine.leases l on l.name = p.name`,
      [projections.map(({ name }) => name)],
    );
    behind = rows
      .filter(({ position, head }) => position === null || position < head)
      .map(({ name, position, head, lease }) => `${name} is at ${position} of ${head}, held by ${lease ?? 'nobody'}`);
    return behind.length === 0;
  };
  await until(look, withinMs).catch((cause: unknown) => {
    throw new Error(`${(cause as Error).message}: ${behind.join('; ')}`, { cause });
  });
}

const flawless = { holes: 0, beyondHead: 0, falling: 0, brokenStreams: 0, wrongGuards: 0, repeatedIds: 0, tornCommands: 0, toldTwice: 0 };

/** What is not as it must be in the journal alone, counted. */
export async function flawsOf(pool: Pick<pg.Pool, 'query'>): Promise<typeof flawless> {
  const { rows } = await pool.query(
    `with e as materialized (
       select position, stream, revision, id, type, recorded_at_ms, lag(recorded_at_ms) over (order by position) as before,
              metadata::json #>> '{command,id}' as command,
              case when type in ('SlaWarned', 'SlaBreached') then data::json #>> '{clock}' || ' ' || (data::json #>> '{dueAt}') end as deadline
         from journal.events),
     s as (select stream, count(*) as n, max(revision) as revision, min(position) as first, max(position) as last from e group by stream)
     select (select position from journal.head)::int - count(*)::int as holes,
            (count(*) filter (where position > (select position from journal.head)))::int as "beyondHead",
            (count(*) filter (where recorded_at_ms < before))::int as falling,
            (select count(*)::int from s where n <> revision + 1) as "brokenStreams",
            (select count(*)::int from s full join journal.streams g using (stream)
              where (s.revision, s.first, s.last) is distinct from (g.revision, g.first_position, g.last_position)) as "wrongGuards",
            (count(*) - count(distinct id))::int as "repeatedIds",
            (select count(*)::int from (
               select from e group by command
               having count(distinct stream) > 1 or max(revision) - min(revision) + 1 <> count(*)) torn) as "tornCommands",
            (select count(*)::int from (
               select from e where deadline is not null group by stream, type, deadline having count(*) > 1) twice) as "toldTwice"
       from e`,
  );
  return rows[0] as typeof flawless;
}

/** Each is there, each at a revision of its own, and nothing beside them in their streams. */
async function expectAcknowledged(pool: pg.Pool, acknowledged: readonly Acknowledged[]): Promise<void> {
  const at = Map.groupBy(acknowledged, ({ stream, revision }) => `${stream} ${revision}`);
  expect([...at].filter(([, told]) => told.length > 1).map(([place]) => place)).toStrictEqual([]);
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
