// The engine's own tables in SQL: checkpoints, parked events, skips. What is written with a live batch is in table-sql.ts.
import type { Pool, PoolClient } from 'pg';
import type { StoredEvent } from '../../journal/journal.ts';
import { textArrayLiteral } from './columns.ts';
import type { ParkedEvent } from './unit.ts';

export type Queryable = Pick<PoolClient, 'query'> | Pick<Pool, 'query'>;

/** `live` is: following the journal, whatever its standing. */
export type StoredStatus = 'building' | 'live' | 'unknown-event';

/** See versions.ts. */
export type Standing = 'live' | 'next' | 'kept' | 'withdrawn';
export type SwapBy = 'auto' | 'manual' | 'rollback';

export interface Checkpoint {
  /** The projection's name, or `standbyOf` it. */
  readonly projection: string;
  readonly schemaName: string;
  readonly version: number;
  readonly shape: string;
  readonly journalId: string | undefined;
  readonly position: number;
  readonly last: LastEvent | undefined;
  readonly status: StoredStatus;
  readonly paused: boolean;
  readonly fence: number;
  readonly detail: string | undefined;
  readonly standing: Standing;
  readonly swap: SwapBy;
  readonly rebuild: 'auto' | 'manual' | undefined;
  /** Columns of newer versions that stand empty in this table. */
  readonly added: readonly string[];
  readonly diff: VersionDiff | undefined;
  /** From when it was begun to its last commit. */
  readonly seconds: number;
}

/** What the rows of two versions differed in at one position. */
export interface VersionDiff {
  readonly position: number;
  readonly rows: number;
  readonly differing: number;
  readonly onlyLive: number;
  readonly onlyNext: number;
  /** Rows that differ, by column; columns that only one version has are not compared. */
  readonly columns: Readonly<Record<string, number>>;
}

/** Names an event so that it is found again in any store. */
export interface LastEvent {
  readonly id: string;
  readonly position: number;
  readonly stream: string;
  readonly revision: number;
}

interface CheckpointRow {
  projection: string;
  schema_name: string;
  version: number;
  shape: string;
  journal_id: string | null;
  position: string | number;
  last_event_id: string | null;
  last_event_position: string | number | null;
  last_event_stream: string | null;
  last_event_revision: number | null;
  status: StoredStatus;
  paused: boolean;
  fence: string | number;
  detail: string | null;
  standing: Standing;
  swap: SwapBy;
  rebuild: 'auto' | 'manual' | null;
  added: string[];
  diff: VersionDiff | null;
  seconds: string | number;
}

/** Checkpoints by name; those asked for, or all that are live. */
export async function readCheckpoints(db: Queryable, projections?: readonly string[]): Promise<ReadonlyMap<string, Checkpoint>> {
  const { rows } = await db.query<CheckpointRow>({
    name: 'engine/checkpoints',
    text: `select projection, schema_name, version, shape, journal_id, position, last_event_id, last_event_position, last_event_stream,
                  last_event_revision, status, paused, fence, detail, standing, swap, rebuild, added, diff,
                  extract(epoch from updated_at - began_at) as seconds
             from engine.checkpoints where case when $1::text[] is null then standing = 'live' else projection = any($1) end order by projection`,
    values: [projections ? textArrayLiteral(projections) : null],
  });
  return new Map(rows.map((row) => [row.projection, toCheckpoint(row)]));
}

function toCheckpoint(row: CheckpointRow): Checkpoint {
  return {
    projection: row.projection,
    schemaName: row.schema_name,
    version: row.version,
    shape: row.shape,
    journalId: row.journal_id ?? undefined,
    position: Number(row.position),
    last:
      row.last_event_id === null || row.last_event_stream === null
        ? undefined
        : {
            id: row.last_event_id,
            position: Number(row.last_event_position),
            stream: row.last_event_stream,
            revision: Number(row.last_event_revision),
          },
    status: row.status,
    paused: row.paused,
    fence: Number(row.fence),
    detail: row.detail ?? undefined,
    standing: row.standing,
    swap: row.swap,
    rebuild: row.rebuild ?? undefined,
    added: row.added,
    diff: row.diff ?? undefined,
    seconds: Number(row.seconds),
  };
}

/** The checkpoints that stand by, by their projection's name. */
export async function readStandbys(db: Queryable): Promise<ReadonlyMap<string, Checkpoint>> {
  const { rows } = await db.query<{ projection: string }>(`select projection from engine.checkpoints where standing <> 'live'`);
  if (rows.length === 0) return new Map();
  const found = await readCheckpoints(
    db,
    rows.map(({ projection }) => projection),
  );
  return new Map([...found].map(([book, checkpoint]) => [projectionOfStandby(book), checkpoint]));
}

const STANDBY = '+standby';

/** The name of the checkpoint, receipts, parked events and lease of the version that stands by. */
export function standbyOf(projection: string): string {
  return `${projection}${STANDBY}`;
}

function projectionOfStandby(book: string): string {
  return book.slice(0, -STANDBY.length);
}

export async function readParkedKeys(db: Queryable, projection: string): Promise<readonly string[]> {
  const { rows } = await db.query<{ key: string }>('select key from engine.parked where projection = $1 and first order by key', [projection]);
  return rows.map(({ key }) => key);
}

export interface Skip {
  readonly key: string;
  readonly position: number;
}

export async function readSkips(db: Queryable, projection: string): Promise<readonly Skip[]> {
  const { rows } = await db.query<{ key: string; position: string | number }>(
    'select key, position from engine.skips where projection = $1 order by position, key',
    [projection],
  );
  return rows.map(({ key, position }) => ({ key, position: Number(position) }));
}

export async function insertParked(db: Queryable, projection: string, parked: readonly ParkedEvent[]): Promise<void> {
  if (parked.length === 0) return;
  const of = (value: (item: ParkedEvent) => string): string => textArrayLiteral(parked.map(value));
  const ofEvent = (value: (event: StoredEvent) => string): string => textArrayLiteral(parked.map(({ event }) => value(event)));
  await db.query(
    `insert into engine.parked (projection, key, position, event_id, stream, revision, error, first)
       select $1, p.key, p.position, p.event_id, p.stream, p.revision, nullif(p.error, ''), p.error <> ''
         from unnest($2::text[], $3::bigint[], $4::uuid[], $5::text[], $6::integer[], $7::text[]) as p(key, position, event_id, stream, revision, error)
     on conflict (projection, key, position) do nothing`,
    [
      projection,
      of(({ key }) => key),
      ofEvent(({ position }) => String(position)),
      ofEvent(({ id }) => id),
      ofEvent(({ stream }) => stream),
      ofEvent(({ revision }) => String(revision)),
      of(({ error }) => error ?? ''),
    ],
  );
}

/** Runs in a transaction of its own connection. What was begun is rolled back where it throws. */
export async function inTransaction<Result>(pool: Pool, begin: string, run: (client: PoolClient) => Promise<Result>): Promise<Result> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query(begin);
    const result = await run(client);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch((failure: Error) => {
      broken = failure;
    });
    throw error;
  } finally {
    // A connection that could not even roll back is closed, not handed on.
    client.release(broken);
  }
}

/**
 * A read model is rebuildable and commits with its checkpoint, so no commit of the engine waits for the disk. A process that stands still
 * within does not keep its locks: who takes over waits for them.
 */
export const BEGIN = "begin; set local synchronous_commit = off; set local idle_in_transaction_session_timeout = '5s'";
/** The same for what takes as long as its rows are many. */
export const BEGIN_LONG = `${BEGIN}; set local statement_timeout = 0; set local maintenance_work_mem = '256MB'`;
