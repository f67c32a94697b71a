// The live table and the one that stands by are brought to one position, compared there, and exchanged in one transaction.
//
// Live's writer is held up by a lock on its table, then on its checkpoint: its one statement takes them in that order. Readers go on
// until the very exchange, for which no statement may be in the table: that lock is waited for so briefly that whoever queues behind it
// does not notice, and tried again later. A reader that waited finds the new table, because Postgres looks a name up again after a wait
// and takes its snapshot after its locks.
import type { Pool, PoolClient } from 'pg';
import { BEGIN_LONG, type Checkpoint, inTransaction, readCheckpoints, standbyOf, type VersionDiff } from './books.ts';
import { columnsOf, quoted } from './columns.ts';
import { compareTables } from './compare.ts';
import type { Leases } from './leases.ts';
import { MEETING_EVENTS } from './next-version.ts';
import type { Projection } from './projection.ts';
import { scanOf } from './table-sql.ts';
import { LIVE_SCHEMA, lockBoth } from './versions.ts';

export interface Meeting {
  readonly pool: Pool;
  /** The one that stands by is of its version. */
  readonly projection: Projection;
  /** Of the lease on what stands by. */
  readonly fence: number;
  /** Folds what stands by on to just this position. */
  readonly catchUp: (position: number) => Promise<void>;
}

const WRITER_LOCK_MS = 2_000;
const READERS_LOCK_MS = 200;
const FROZEN_MS = 5_000;

/** Nothing was exchanged: live went ahead or was paused, another has the lease, an operator said otherwise. */
export class NotSwapped extends Error {
  override readonly name = 'NotSwapped';
}

/** Compares the rows of both at one position. Live goes on after the moment in which that is found. */
export async function compareWithNext(meeting: Meeting, onDifference: (key: string, columns: readonly string[]) => void): Promise<VersionDiff> {
  const { pool, projection } = meeting;
  const snapshot = await pool.connect();
  try {
    const { live, next } = await inTransaction(pool, BEGIN_LONG, async (client) => {
      await meet(client, meeting);
      await snapshot.query(
        'begin isolation level repeatable read read only; set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0',
      );
      return bothOf(await readCheckpoints(snapshot, [projection.name, standbyOf(projection.name)]), projection);
    });
    if (live.position !== next.position) throw new NotSwapped('the two were not at one position');
    const columns = await commonColumns(snapshot, projection, live, next);
    return await compareRows(snapshot, { projection, live, next, columns, onDifference });
  } finally {
    await snapshot.query('rollback').catch(() => {});
    snapshot.release();
  }
}

export interface Swapped {
  readonly position: number;
  readonly fromVersion: number;
  /** Of the lease on live, which is the caller's from now on. */
  readonly fence: number;
}

/** @throws NotSwapped, or Postgres' lock timeout */
export async function swap(meeting: Meeting, leases: Leases): Promise<Swapped> {
  const { pool, projection, fence } = meeting;
  const { name, table } = projection;
  const swapped = await inTransaction(pool, `${BEGIN_LONG}; set local synchronous_commit = on`, async (client): Promise<Swapped> => {
    await meet(client, meeting);
    const both = await lockBoth(client, name);
    const { live, next } = bothOf(new Map([both.live, both.standby].flatMap((one) => (one ? [[one.projection, one]] : []))), projection);
    if (next.fence !== fence) throw new NotSwapped('another program builds it');
    if (live.paused || next.standing !== 'next' || next.swap === 'manual' || live.rebuild !== undefined) throw new NotSwapped('it has to wait');
    if (next.position < live.position) throw new NotSwapped('live is further');
    const kept = keptSchema(name, live.version, next.schemaName);
    await client.query(`drop schema if exists ${quoted(kept)} cascade`);
    await client.query('select engine.create_schema($1)', [kept]);
    await exchangeBooks(client, name);
    const liveFence = await leases.seize(client, name);
    const { rowCount } = await client.query(
      `update engine.checkpoints set fence = $2, standing = 'live', swap = 'auto', schema_name = $3 where projection = $1 and fence <= $2`,
      [name, liveFence, live.schemaName],
    );
    if (rowCount === 0) throw new NotSwapped('a newer fence stands on live');
    await client.query(`update engine.checkpoints set standing = $2, swap = 'auto', schema_name = $3 where projection = $1`, [
      standbyOf(name),
      next.swap === 'rollback' ? 'withdrawn' : 'kept',
      kept,
    ]);
    await client.query(`set local lock_timeout = ${READERS_LOCK_MS}`);
    await client.query(`lock table ${qualified(live.schemaName, table.name)} in access exclusive mode`);
    await client.query(`alter table ${qualified(live.schemaName, table.name)} set schema ${quoted(kept)}`);
    await client.query(`alter table ${qualified(next.schemaName, table.name)} set schema ${quoted(live.schemaName)}`);
    await client.query(`drop schema ${quoted(next.schemaName)}`);
    return { position: next.position, fromVersion: live.version, fence: liveFence };
  });
  leases.seized(name, swapped.fence);
  return swapped;
}

/** Live's writer waits from here to the transaction's end, and what stands by is at least where live is. */
async function meet(client: PoolClient, { projection, catchUp }: Meeting): Promise<void> {
  const { name, table } = projection;
  // A process that freezes here holds up live no longer than that.
  await client.query(`set local lock_timeout = ${WRITER_LOCK_MS}; set local idle_in_transaction_session_timeout = ${FROZEN_MS}`);
  await client.query(`lock table ${qualified(LIVE_SCHEMA, table.name)} in share row exclusive mode`);
  await client.query('select from engine.checkpoints where projection = $1 for update', [name]);
  const { live, next } = bothOf(await readCheckpoints(client, [name, standbyOf(name)]), projection);
  if (live.position - next.position > MEETING_EVENTS) throw new NotSwapped('live is far ahead');
  if (next.position < live.position) await catchUp(live.position);
}

function bothOf(found: ReadonlyMap<string, Checkpoint>, { name }: Projection): { live: Checkpoint; next: Checkpoint } {
  const live = found.get(name);
  const next = found.get(standbyOf(name));
  if (!live || !next || live.schemaName !== LIVE_SCHEMA) throw new NotSwapped('there are no two versions');
  return { live, next };
}

/** Another name than that of the schema the other comes from: both may be of one version. */
function keptSchema(name: string, version: number, taken: string): string {
  const schema = `kept_${name}_v${version}`;
  return schema === taken ? `${schema}_other` : schema;
}

/** What each checkpoint tells of its table goes to the other; fences, pauses and orders stay with the name. */
async function exchangeBooks(client: PoolClient, name: string): Promise<void> {
  const names = [name, standbyOf(name)];
  await client.query(
    `update engine.checkpoints c
        set version = o.version, shape = o.shape, position = o.position, status = o.status, detail = null, began_at = o.began_at,
            added = o.added, diff = o.diff, journal_id = o.journal_id, last_event_id = o.last_event_id,
            last_event_position = o.last_event_position, last_event_stream = o.last_event_stream, last_event_revision = o.last_event_revision
       from engine.checkpoints o
      where c.projection in ($1, $2) and o.projection in ($1, $2) and o.projection <> c.projection`,
    names,
  );
  const [live, standby] = names;
  const moves = ['receipts', 'audits', 'parked'].flatMap((table) => [
    { table, move: [live, '+moving'] },
    { table, move: [standby, live] },
    { table, move: ['+moving', standby] },
  ]);
  // biome-ignore lint/performance/noAwaitInLoops: one after the other, or their keys would meet
  for (const { table, move } of moves) await client.query(`update engine.${table} set projection = $2 where projection = $1`, move);
}

function qualified(schema: string, table: string): string {
  return `${quoted(schema)}.${quoted(table)}`;
}

async function commonColumns(client: PoolClient, { table }: Projection, live: Checkpoint, next: Checkpoint): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select a.attname as name from pg_attribute a join pg_attribute b using (attname)
      where a.attrelid = $1::regclass and b.attrelid = $2::regclass and a.attnum > 0 and not a.attisdropped and not b.attisdropped
        and a.atttypid = b.atttypid`,
    [qualified(live.schemaName, table.name), qualified(next.schemaName, table.name)],
  );
  const both = new Set(rows.map(({ name }) => name));
  return columnsOf(table).flatMap(({ name }) => (both.has(name) && !live.added.includes(name) && !next.added.includes(name) ? [name] : []));
}

interface Rows {
  readonly projection: Projection;
  readonly live: Checkpoint;
  readonly next: Checkpoint;
  readonly columns: readonly string[];
  readonly onDifference: (key: string, columns: readonly string[]) => void;
}

async function compareRows(snapshot: PoolClient, { projection, live, next, columns, onDifference }: Rows): Promise<VersionDiff> {
  const diff = { position: live.position, rows: 0, differing: 0, onlyLive: 0, onlyNext: 0, columns: {} as Record<string, number> };
  const only = new Set(columns);
  const named = columnsOf(projection.table).filter(({ name }) => only.has(name));
  const compared = compareTables({
    projection: projection.name,
    columns: named.map(({ name }) => name),
    live: { client: snapshot, scan: scanOf(live.schemaName, projection.table, named) },
    other: { client: snapshot, scan: scanOf(next.schemaName, projection.table, named) },
  });
  for await (const difference of compared) {
    diff.rows += 1;
    if (!difference) continue;
    const { kind, key, cells } = difference;
    if (kind === 'differs') diff.differing += 1;
    else if (kind === 'only-live') diff.onlyLive += 1;
    else diff.onlyNext += 1;
    for (const { column } of cells) diff.columns[column] = (diff.columns[column] ?? 0) + 1;
    onDifference(
      key,
      cells.map(({ column }) => column),
    );
  }
  return diff;
}
