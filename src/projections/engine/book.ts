// One checkpoint as the holder of its lease writes it: every statement names the fence, so that a holder who lost it writes nothing.
import type { Pool, PoolClient } from 'pg';
import { BEGIN_LONG, type Checkpoint, inTransaction, type Queryable, readCheckpoints, type StoredStatus, type VersionDiff } from './books.ts';
import { textArrayLiteral } from './columns.ts';
import type { Projection } from './projection.ts';
import { shapeOf } from './table-sql.ts';
import type { Changes, TableWriter } from './table-writer.ts';
import type { Unit } from './unit.ts';

/** The checkpoint was not ours to move: another holds the lease, or the projection was paused. */
export class NotOurs extends Error {
  override readonly name = 'NotOurs';
}

export const LEFT_ELSEWHERE = 'the checkpoint was not where this runner left it';

export class Book {
  readonly name: string;
  readonly fence: number;
  readonly #pool: Pool;

  constructor(pool: Pool, name: string, fence: number) {
    this.#pool = pool;
    this.name = name;
    this.fence = fence;
  }

  /** Puts our fence on the checkpoint, so that whoever held it before can't move it. */
  async open(journalId: string): Promise<Checkpoint> {
    const { rowCount } = await this.#pool.query(
      `insert into engine.checkpoints as c (projection, fence, journal_id) values ($1, $2, $3)
       on conflict (projection) do update set fence = excluded.fence, journal_id = coalesce(c.journal_id, excluded.journal_id)
         where c.fence <= excluded.fence`,
      [this.name, this.fence, journalId],
    );
    if (rowCount === 0) throw new NotOurs('a newer fence stands on the checkpoint');
    return this.read();
  }

  async read(): Promise<Checkpoint> {
    const checkpoint = (await readCheckpoints(this.#pool, [this.name])).get(this.name);
    if (!checkpoint) throw new NotOurs('the checkpoint is gone');
    if (checkpoint.fence !== this.fence) throw new NotOurs('another fence stands on the checkpoint');
    return checkpoint;
  }

  /** Makes the table for the first time. */
  async begin(projection: Projection, { sql }: TableWriter, schema: string, build: boolean): Promise<Checkpoint> {
    await inTransaction(this.#pool, BEGIN_LONG, async (client) => {
      const { rowCount } = await client.query(
        `update engine.checkpoints
            set schema_name = $3, version = $4, shape = $5, position = 0, status = $6, detail = null, updated_at = clock_timestamp(),
                began_at = clock_timestamp(), last_event_id = null, last_event_position = null, last_event_stream = null, last_event_revision = null
          where projection = $1 and fence = $2`,
        [this.name, this.fence, schema, projection.version, shapeOf(projection.table), build ? 'building' : 'live'],
      );
      if (rowCount === 0) throw new NotOurs('another fence stands on the checkpoint');
      // An operator who dropped a checkpoint wants all of it made anew; skips are decisions and stay.
      await client.query(
        `with r as (delete from engine.receipts where projection = $1), a as (delete from engine.audits where projection = $1)
         delete from engine.parked where projection = $1`,
        [this.name],
      );
      await client.query(sql.drop);
      await client.query(sql.create);
      if (!build) await client.query(sql.indexes.join('; '));
    });
    return this.read();
  }

  /** Checkpoint, receipts and rows in one statement: one round trip, and its own transaction where it is sent alone. */
  async commit(db: Pool | PoolClient, writer: TableWriter, unit: Unit, { fresh, changed, deleted }: Changes): Promise<void> {
    const rows = fresh.length === 0 ? changed : changed.length === 0 ? fresh : [...fresh, ...changed];
    const chunks = [...unit.receipts.keys()];
    const receipts = [...unit.receipts.values()];
    const { rows: answer } = await db.query<{ claimed: number }>({
      ...writer.sql.commit,
      values: [
        this.name,
        unit.from,
        this.fence,
        unit.to,
        unit.last?.id ?? null,
        unit.last?.position ?? null,
        unit.last?.stream ?? null,
        unit.last?.revision ?? null,
        `{${chunks.join(',')}}`,
        `{${receipts.map(({ offered }) => offered).join(',')}}`,
        `{${receipts.map(({ handled }) => handled).join(',')}}`,
        `{${receipts.map(({ idSum }) => idSum).join(',')}}`,
        textArrayLiteral(deleted),
        ...writer.arrays(rows),
      ],
    });
    if (answer[0]?.claimed !== 1) throw new NotOurs(LEFT_ELSEWHERE);
  }

  /** The indexes of a table that was built by COPY; it follows from here on. */
  async finishBuild({ sql }: TableWriter): Promise<void> {
    await inTransaction(this.#pool, BEGIN_LONG, async (client) => {
      await client.query(sql.indexes.join('; '));
      await client.query(`analyze ${sql.qualified}`);
      await this.setStatus('live', undefined, client);
    });
  }

  async setStatus(status: StoredStatus, detail?: string, db: Queryable = this.#pool): Promise<void> {
    const { rowCount } = await (db as Pool).query(
      `update engine.checkpoints set status = $3, detail = $4, updated_at = clock_timestamp() where projection = $1 and fence = $2`,
      [this.name, this.fence, status, detail ?? null],
    );
    if (rowCount === 0) throw new NotOurs('another fence stands on the checkpoint');
  }

  async setDetail(detail: string | undefined): Promise<void> {
    await this.#pool.query('update engine.checkpoints set detail = $3 where projection = $1 and fence = $2', [this.name, this.fence, detail ?? null]);
  }

  async setDiff(diff: VersionDiff): Promise<void> {
    await this.#pool.query('update engine.checkpoints set diff = $3 where projection = $1 and fence = $2', [
      this.name,
      this.fence,
      JSON.stringify(diff),
    ]);
  }
}
