// The engine's own tables in SQL: checkpoints, parked events, skips. What is written with a live batch is in table-sql.ts.
import type { Pool, PoolClient } from 'pg';
import type { StoredEvent } from '../../journal/journal.ts';
import { textArrayLiteral } from './columns.ts';
import type { ParkedEvent } from './unit.ts';

export type Queryable = Pick<PoolClient, 'query'> | Pick<Pool, 'query'>;

export type StoredStatus = 'building' | 'live' | 'unknown-event';

export interface Checkpoint {
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
}

/** Checkpoints by projection; those asked for, or all. */
export async function readCheckpoints(db: Queryable, projections?: readonly string[]): Promise<ReadonlyMap<string, Checkpoint>> {
  const { rows } = await db.query<CheckpointRow>({
    name: 'engine/checkpoints',
    text: `select projection, schema_name, version, shape, journal_id, position, last_event_id, last_event_position, last_event_stream,
                  last_event_revision, status, paused, fence, detail
             from engine.checkpoints where $1::text[] is null or projection = any($1) order by projection`,
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
  };
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

/** A read model is rebuildable and commits with its checkpoint, so no commit of the engine waits for the disk. */
export const BEGIN = 'begin; set local synchronous_commit = off';
/** The same for what takes as long as its rows are many. */
export const BEGIN_LONG = `${BEGIN}; set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0; set local maintenance_work_mem = '256MB'`;
