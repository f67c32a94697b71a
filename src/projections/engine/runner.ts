// One read model's loop: takes the lease, folds what the shared reader gives, commits rows, checkpoint and receipts together, and never
// half a batch. While one unit is written the next is folded.
//
//   standing by ─lease─► building ─at the end─► live        paused: by a control event, until resumed
//        ▲                  └──────┬──────────────┘          unknown-event: the lease is free for a newer program
//        └── lease lost, or failed └─ refused rows: the same stretch again, row by row (careful)
import type { Pool, PoolClient } from 'pg';
import type { UnknownEvent } from '../../journal/codec.ts';
import type { JournalReader } from '../../journal/journal.ts';
import { codeOf } from '../../postgres/sqlstate.ts';
import { BEGIN_LONG, type Checkpoint, insertParked, inTransaction, readCheckpoints, readParkedKeys, readSkips } from './books.ts';
import { isRefused, RowRefused, textArrayLiteral } from './columns.ts';
import type { Convoy } from './convoy.ts';
import { type CarefulFolding, explain, Folder, skipName } from './fold.ts';
import { carryOut, readOrders } from './heal.ts';
import type { IdleCheckpoints } from './idle-checkpoints.ts';
import { assertSameJournal, JournalMismatch } from './journal-identity.ts';
import type { Leases } from './leases.ts';
import type { EngineLog, EngineMetrics } from './observe.ts';
import type { Progress } from './progress.ts';
import type { Projection } from './projection.ts';
import type { DecodedBatch, EventDecoder, SharedReader } from './shared-reader.ts';
import { shapeOf } from './table-sql.ts';
import { type Changes, type Personals, TableWriter } from './table-writer.ts';
import { type Entry, Unit } from './unit.ts';

export interface RunnerOptions {
  readonly journal: JournalReader;
  readonly journalId: string;
  readonly codec: EventDecoder;
  readonly pool: Pool;
  readonly reader: SharedReader;
  readonly leases: Leases;
  readonly progress: Progress;
  readonly personals: Personals;
  readonly schema: string;
  readonly log: EngineLog;
  readonly metrics: EngineMetrics;
  /** A fresh read model further than this behind is built by COPY, its indexes last. */
  readonly buildFrom: number;
  /** Rows held in memory before they are written, while building. */
  readonly buildRows: number;
  /** Between two tries for a lease that another holds, and two looks for orders. */
  readonly retryMs: number;
  /** Whether this process has more than a few commands in hand. */
  readonly isBusy: () => boolean;
  readonly convoy: Convoy;
  readonly idle: IdleCheckpoints;
}

/** Smaller batches are no burst. */
const BURST_FROM_EVENTS = 32;
const LEFT_ELSEWHERE = 'the checkpoint was not where this runner left it';

/** The checkpoint was not ours to move: another holds the lease, or the projection was paused. */
class NotOurs extends Error {
  override readonly name = 'NotOurs';
}

export class ProjectionRunner {
  readonly projection: Projection;
  readonly #options: RunnerOptions;
  readonly #writer: TableWriter;
  #stopping = false;
  #done: Promise<void> | undefined;
  #fence = 0;
  #position = 0;
  #building = false;
  /** How long the last unit took to write. */
  #tookMs = 0;
  #careful: (CarefulFolding & { readonly until: number }) | undefined;
  /** The event that made this program give up its lease. */
  #unknown: UnknownEvent | undefined;
  #failures = 0;
  #pokes = 0;
  /** What was asked of the reader, kept over a poke so that asking again leaves nothing behind. */
  #asked: { readonly after: number; readonly isBuilding: boolean; readonly batch: Promise<DecodedBatch | undefined> } | undefined;
  #poked: () => void = () => {};

  constructor(projection: Projection, options: RunnerOptions) {
    this.projection = projection;
    this.#options = options;
    this.#writer = new TableWriter({ ...options, projection });
  }

  start(): void {
    this.#done ??= this.#run();
  }

  /** Ends at the end of a batch, with what was folded written and the lease free. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.poke();
    await this.#done;
  }

  /** There may be an order, a pause, a lost lease: look before the next batch. */
  poke(): void {
    this.#pokes += 1;
    this.#poked();
    this.#options.convoy.wake(this.projection.name);
  }

  async #run(): Promise<void> {
    const { leases, progress, log, retryMs } = this.#options;
    const { name } = this.projection;
    while (!this.#stopping) {
      try {
        // biome-ignore lint/performance/noAwaitInLoops: the loop of a process's life
        const fence = await this.#takeLease();
        if (fence === undefined) {
          progress.left(name);
          await this.#rest(retryMs);
          continue;
        }
        this.#fence = fence;
        await this.#work();
      } catch (error) {
        await this.#recover(error);
      } finally {
        this.#options.convoy.leave(name);
      }
    }
    progress.left(name);
    await leases.release(name).catch((error: unknown) => log.warn({ projection: name, err: error }, 'a lease was not given back'));
  }

  async #takeLease(): Promise<number | undefined> {
    const { leases, pool } = this.#options;
    const { name } = this.projection;
    if (leases.holds(name)) return this.#fence;
    if (this.#unknown) {
      // Only a newer program gets past it; after that this one can follow again until the next.
      const position = (await readCheckpoints(pool, [name])).get(name)?.position ?? 0;
      if (position < this.#unknown.position) return undefined;
      this.#unknown = undefined;
    }
    return leases.take(name);
  }

  /** From a lease or a failure until the next, or the end. */
  async #work(): Promise<void> {
    const checkpoint = await this.#open();
    if (checkpoint.paused) {
      await this.#rest(this.#options.retryMs);
      return;
    }
    const folder = await this.#newFolder();
    if (!this.#building) this.#options.convoy.join(this.projection.name);
    let unit = new Unit(this.#position);
    let earlier: ReadonlyMap<string, Entry> | undefined;
    let writing: Promise<void> = Promise.resolve();
    let failure: unknown;
    let looked = -1;
    const rate = new Rate();
    const settled = async (): Promise<void> => {
      await writing;
      if (failure !== undefined) throw failure;
    };
    const writeNow = async (): Promise<void> => {
      await settled();
      if (unit.to > unit.from) await this.#write(unit);
      earlier = unit.entries;
      unit = new Unit(unit.to);
    };
    try {
      while (!this.#stopping && this.#options.leases.holds(this.projection.name)) {
        const pokes = this.#pokes;
        if (looked !== pokes) {
          // biome-ignore lint/performance/noAwaitInLoops: batches come one after the other
          await writeNow();
          looked = pokes;
          // Orders change rows under the folder's feet: begin again from the table.
          if (await this.#followOrders()) return;
        }
        const batch = await this.#next(unit.to, pokes);
        if (!batch) continue;
        const eventsBefore = unit.events;
        const unknown = await folder.fold(batch, unit, earlier);
        rate.add(unit.events - eventsBefore);
        if (unknown) {
          await writeNow();
          if (this.#building) await this.#finishBuild();
          await this.#giveUpBefore(unknown);
          return;
        }
        if (this.#building && !batch.atEnd && batch.checkpoint > batch.after && unit.entries.size < this.#options.buildRows) continue;
        await settled();
        const filled = unit;
        if (filled.to > filled.from)
          writing = this.#write(filled).catch((error: unknown) => {
            failure = error;
            this.poke();
          });
        earlier = filled.entries;
        unit = new Unit(filled.to);
        if (!this.#building && batch.stored.length >= BURST_FROM_EVENTS && this.#options.isBusy()) {
          await settled();
          if (pokes === this.#pokes) await this.#options.convoy.arrive(this.projection.name, filled.events > 0 ? this.#tookMs : 0);
        }
        if (this.#building) {
          this.#options.progress.building(this.projection.name, rate.perSecond());
          if (batch.atEnd || batch.checkpoint === batch.after) {
            await settled();
            await this.#finishBuild();
          }
        }
        if (this.#careful && filled.to >= this.#careful.until) {
          await settled();
          this.#careful = undefined;
          return;
        }
      }
      // Stopping: what is folded is kept.
      if (this.#options.leases.holds(this.projection.name)) await writeNow();
    } finally {
      await writing;
    }
  }

  /** The next batch, or undefined when something else wants a look first. */
  #next(after: number, pokes: number): Promise<DecodedBatch | undefined> {
    if (pokes !== this.#pokes) return Promise.resolve(undefined);
    // A build that has come to the end has rows to write; later there is nothing to do but wait.
    const isBuilding = this.#building;
    if (this.#asked?.after !== after || this.#asked.isBuilding !== isBuilding)
      this.#asked = { after, isBuilding, batch: this.#options.reader.batch(after, isBuilding) };
    const { batch } = this.#asked;
    return new Promise((resolve, reject) => {
      this.#poked = () => resolve(undefined);
      batch.then(resolve, (error: unknown) => {
        this.#asked = undefined;
        reject(error);
      });
    });
  }

  #rest(ms: number): Promise<void> {
    if (this.#stopping) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#poked = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Puts our fence on the checkpoint, so that whoever held it before can't move it, and sees that the table is ours. */
  async #open(): Promise<Checkpoint> {
    const { pool, schema, journal, journalId, progress, log, buildFrom } = this.#options;
    const { name, version, table } = this.projection;
    const { rowCount } = await pool.query(
      `insert into engine.checkpoints as c (projection, fence, journal_id) values ($1, $2, $3)
       on conflict (projection) do update set fence = excluded.fence, journal_id = coalesce(c.journal_id, excluded.journal_id)
         where c.fence <= excluded.fence`,
      [name, this.#fence, journalId],
    );
    if (rowCount === 0) throw new NotOurs('a newer fence stands on the checkpoint');
    let checkpoint = await this.#checkpoint();
    await assertSameJournal(journal, journalId, checkpoint);
    if (checkpoint.version !== version || checkpoint.shape !== shapeOf(table) || checkpoint.schemaName !== schema) {
      if (checkpoint.schemaName !== '')
        log.info(
          { projection: name, fromVersion: checkpoint.version, toVersion: version },
          'a read model is dropped and built anew: its version or shape is another',
        );
      await this.#startOver((await journal.head()).position > buildFrom);
      checkpoint = await this.#checkpoint();
    } else if (checkpoint.status === 'unknown-event') {
      await this.#setStatus(pool, 'live');
    }
    this.#position = checkpoint.position;
    this.#building = checkpoint.status === 'building';
    progress.committed(name, checkpoint.position);
    return checkpoint;
  }

  async #checkpoint(): Promise<Checkpoint> {
    const { name } = this.projection;
    const checkpoint = (await readCheckpoints(this.#options.pool, [name])).get(name);
    if (!checkpoint) throw new NotOurs('the checkpoint is gone');
    if (checkpoint.fence !== this.#fence) throw new NotOurs('another fence stands on the checkpoint');
    return checkpoint;
  }

  async #startOver(build: boolean): Promise<void> {
    const { pool, schema } = this.#options;
    const { name, version, table } = this.projection;
    const { sql } = this.#writer;
    await inTransaction(pool, BEGIN_LONG, async (client) => {
      const { rowCount } = await client.query(
        `update engine.checkpoints
            set schema_name = $3, version = $4, shape = $5, position = 0, status = $6, detail = null, updated_at = clock_timestamp(),
                last_event_id = null, last_event_position = null, last_event_stream = null, last_event_revision = null
          where projection = $1 and fence = $2`,
        [name, this.#fence, schema, version, shapeOf(table), build ? 'building' : 'live'],
      );
      if (rowCount === 0) throw new NotOurs('another fence stands on the checkpoint');
      // Faults belong to the version that had them; skips are an operator's decision and stay.
      await client.query(
        'with r as (delete from engine.receipts where projection = $1), a as (delete from engine.audits where projection = $1) delete from engine.parked where projection = $1',
        [name],
      );
      await client.query(sql.drop);
      await client.query(sql.create);
      if (!build) await client.query(sql.indexes.join('; '));
    });
  }

  async #newFolder(): Promise<Folder> {
    const { pool, reader, journal } = this.#options;
    const { name } = this.projection;
    const [parked, skips] = await Promise.all([readParkedKeys(pool, name), readSkips(pool, name)]);
    return new Folder({
      projection: this.projection,
      categories: reader.categories,
      chunkWidth: journal.chunkWidth,
      load: (keys) => this.#writer.load(keys),
      parked,
      skips: new Set(skips.map(({ position, key }) => skipName(position, key))),
      careful: this.#careful,
    });
  }

  async #write(unit: Unit): Promise<void> {
    const { pool, progress, metrics } = this.#options;
    const { name } = this.projection;
    const startedMs = performance.now();
    if (unit.events === 0 && !this.#building) {
      const { from, to, last } = unit;
      if (!(await this.#options.idle.advance({ projection: name, fence: this.#fence, from, to, last }))) throw new NotOurs(LEFT_ELSEWHERE);
      this.#position = to;
      progress.committed(name, to);
      return;
    }
    const changes = await this.#writer.changes(unit);
    try {
      if (this.#building || unit.parked.length > 0) {
        await inTransaction(pool, BEGIN_LONG, async (client) => {
          const inserted = this.#building && this.#careful === undefined ? changes.fresh : [];
          await this.#commit(client, unit, inserted.length > 0 ? { ...changes, fresh: [] } : changes);
          await this.#writer.copy(client, inserted);
          await insertParked(client, name, unit.parked);
        });
      } else await this.#commit(pool, unit, changes);
    } catch (error) {
      if (!isRefused(error)) throw error;
      // Remembered so that the same stretch is folded again with every row checked.
      this.#careful ??= { until: unit.to, brokenSeals: new Set() };
      throw error;
    }
    this.#position = unit.to;
    this.#tookMs = performance.now() - startedMs;
    if (this.#failures > 0) await this.#setDetail(undefined);
    this.#failures = 0;
    progress.committed(name, unit.to);
    metrics.committed(name, {
      events: unit.events,
      rows: changes.fresh.length + changes.changed.length + changes.deleted.length,
      parked: unit.parked.length,
      seconds: (performance.now() - startedMs) / 1000,
    });
  }

  /** Checkpoint, receipts and rows in one statement: one round trip, and its own transaction where it is sent alone. */
  async #commit(db: Pool | PoolClient, unit: Unit, { fresh, changed, deleted }: Changes): Promise<void> {
    const rows = fresh.length === 0 ? changed : changed.length === 0 ? fresh : [...fresh, ...changed];
    const chunks = [...unit.receipts.keys()];
    const receipts = [...unit.receipts.values()];
    const { rows: answer } = await db.query<{ claimed: number }>({
      ...this.#writer.sql.commit,
      values: [
        this.projection.name,
        unit.from,
        this.#fence,
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
        ...this.#writer.arrays(rows),
      ],
    });
    if (answer[0]?.claimed !== 1) throw new NotOurs(LEFT_ELSEWHERE);
  }

  async #finishBuild(): Promise<void> {
    const { pool, progress, log } = this.#options;
    const { name } = this.projection;
    const { sql } = this.#writer;
    await inTransaction(pool, BEGIN_LONG, async (client) => {
      await client.query(sql.indexes.join('; '));
      await client.query(`analyze ${sql.qualified}`);
      await this.#setStatus(client, 'live');
    });
    this.#building = false;
    this.#options.convoy.join(name);
    progress.building(name, undefined);
    log.info({ projection: name, position: this.#position }, 'a read model was built');
  }

  async #giveUpBefore(event: UnknownEvent): Promise<void> {
    const { pool, leases, progress, log } = this.#options;
    const { name } = this.projection;
    const detail = `${event.type}, schema ${event.schema}, at position ${event.position} is unknown to this program: a newer one goes on by itself.`;
    await this.#setStatus(pool, 'unknown-event', detail);
    this.#unknown = event;
    log.warn(
      { projection: name, type: event.type, schema: event.schema, position: event.position },
      'a projection stands before an event that this program does not know',
    );
    progress.left(name);
    await leases.release(name);
  }

  async #setStatus(db: Pool | PoolClient, status: Checkpoint['status'], detail?: string): Promise<void> {
    const { rowCount } = await db.query(
      `update engine.checkpoints set status = $3, detail = $4, updated_at = clock_timestamp() where projection = $1 and fence = $2`,
      [this.projection.name, this.#fence, status, detail ?? null],
    );
    if (rowCount === 0) throw new NotOurs('another fence stands on the checkpoint');
  }

  /** True when the table or the checkpoint may be another than what was folded from. */
  async #followOrders(): Promise<boolean> {
    const { pool, journal, codec, log } = this.#options;
    const { name } = this.projection;
    const orders = await readOrders(pool, name);
    if (orders.length === 0) return (await this.#checkpoint()).paused;
    for (const order of orders) {
      // biome-ignore lint/performance/noAwaitInLoops: one order after the other, in the order of their events
      const outcome = await carryOut({
        order,
        pool,
        journal,
        codec,
        projection: this.projection,
        writer: this.#writer,
        position: this.#position,
        commit: (client, unit, changes) => this.#commit(client, unit, changes),
      });
      log.info({ projection: name, order: order.kind, position: order.position, ...outcome }, 'an order on parked events was carried out');
    }
    return true;
  }

  async #recover(error: unknown): Promise<void> {
    const { leases, progress, log, pool, retryMs } = this.#options;
    const { name } = this.projection;
    if (error instanceof NotOurs) {
      const checkpoint = await readCheckpoints(pool, [name]).then(
        (all) => all.get(name),
        () => undefined,
      );
      // Paused is still ours.
      if (checkpoint?.fence === this.#fence) return;
      leases.lose(name);
      progress.left(name);
      return;
    }
    if (isRefused(error) && this.#careful) {
      const broken = error instanceof RowRefused ? error.brokenSeals : [];
      const again = [...broken].some((id) => !this.#careful?.brokenSeals.has(id));
      this.#careful = { ...this.#careful, brokenSeals: new Set([...this.#careful.brokenSeals, ...broken]) };
      this.#failures += 1;
      if (this.#failures === 1 || again) {
        log.warn({ projection: name, code: codeOf(error) }, 'rows were refused: their events are folded again one by one');
        return;
      }
    } else this.#failures += 1;
    log.error({ projection: name, err: error, failures: this.#failures }, 'a projection failed and tries again from its checkpoint');
    if (error instanceof JournalMismatch) await leases.release(name).catch(() => {});
    const detail = codeOf(error) ?? explain(error);
    await this.#setDetail(`It fails and tries again: ${detail}`).catch(() => {});
    await this.#rest(Math.min(30_000, retryMs * 2 ** Math.min(this.#failures, 6)));
  }

  async #setDetail(detail: string | undefined): Promise<void> {
    await this.#options.pool.query('update engine.checkpoints set detail = $3 where projection = $1 and fence = $2', [
      this.projection.name,
      this.#fence,
      detail ?? null,
    ]);
  }
}

/** Events a second since it was made. */
class Rate {
  readonly #startedMs = performance.now();
  #events = 0;

  add(events: number): void {
    this.#events += events;
  }

  perSecond(): number {
    return (this.#events / Math.max(1, performance.now() - this.#startedMs)) * 1000;
  }
}
