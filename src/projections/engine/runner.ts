import type { UnknownEvent } from '../../journal/codec.ts';
import type { JournalReader } from '../../journal/journal.ts';
import { codeOf, isConnectionLoss } from '../../postgres/sqlstate.ts';
import { Book, LEFT_ELSEWHERE, NotOurs } from './book.ts';
import { BEGIN_LONG, type Checkpoint, insertParked, inTransaction, readCheckpoints, readParkedKeys, readSkips } from './books.ts';
import type { BuildPace } from './build-pace.ts';
import type { BuildRoom } from './build-room.ts';
import { isRefused, RowRefused } from './columns.ts';
import type { Convoy } from './convoy.ts';
import { type CarefulFolding, explain, Folder, skipName } from './fold.ts';
import { carryOut, readOrders } from './heal.ts';
import type { IdleCheckpoints } from './idle-checkpoints.ts';
import { assertSameJournal, JournalMismatch } from './journal-identity.ts';
import type { EngineMetrics } from './observe.ts';
import type { Place } from './place.ts';
import type { Progress } from './progress.ts';
import type { Projection } from './projection.ts';
import { type Party, Rendezvous, type RendezvousOptions } from './rendezvous.ts';
import type { DecodedBatch, EventDecoder } from './shared-reader.ts';
import { type Personals, TableWriter } from './table-writer.ts';
import { type Entry, Unit } from './unit.ts';
import { isOf, LIVE_SCHEMA } from './versions.ts';

export interface RunnerOptions extends RendezvousOptions {
  readonly journal: JournalReader;
  readonly journalId: string;
  readonly codec: EventDecoder;
  readonly progress: Progress;
  readonly personals: Personals;
  readonly metrics: EngineMetrics;
  /** A fresh read model further than this behind is built by COPY, its indexes last. */
  readonly buildFrom: number;
  /** For rows held in memory before they are written, while building. */
  readonly room: BuildRoom;
  readonly pace: BuildPace;
  /** Whether this process has more than a few commands in hand. */
  readonly isBusy: () => boolean;
  readonly convoy: Convoy;
  readonly idle: IdleCheckpoints;
}

/** Between tries at what fails time and again. */
const MOST_REST_MS = 30_000;
/** Smaller batches are no burst. */
const BURST_FROM_EVENTS = 32;

export class ProjectionRunner {
  readonly projection: Projection;
  readonly #options: RunnerOptions;
  readonly #place: Place;
  #writer: TableWriter;
  #stopping = false;
  #done: Promise<void> | undefined;
  #book: Book;
  /** Where this is not the live table. */
  readonly #rendezvous: Rendezvous | undefined;
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
  #asked: { readonly after: number; readonly orEnd: boolean; readonly batch: Promise<DecodedBatch | undefined> } | undefined;
  #poked: () => void = () => {};

  constructor(projection: Projection, options: RunnerOptions, place: Place) {
    this.projection = projection;
    this.#options = options;
    this.#place = place;
    this.#writer = new TableWriter({ ...options, projection, schema: LIVE_SCHEMA });
    this.#book = new Book(options.pool, place.book, 0);
    this.#rendezvous = place.isLive ? undefined : new Rendezvous(projection, options);
  }

  /** The name of the checkpoint and the lease. */
  get book(): string {
    return this.#place.book;
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
    this.#options.convoy.wake(this.#place.book);
  }

  async #run(): Promise<void> {
    const { leases, log, retryMs, pool } = this.#options;
    const { book, isLive } = this.#place;
    while (!this.#stopping) {
      try {
        // biome-ignore lint/performance/noAwaitInLoops: the loop of a process's life
        const fence = await this.#claim();
        if (fence === undefined) {
          this.#left();
          // Mostly there is nothing to do beside the live one; whoever orders something pokes.
          await this.#rest(isLive ? retryMs : 5 * retryMs);
          continue;
        }
        if (this.#book.fence !== fence) this.#book = new Book(pool, book, fence);
        await this.#work();
      } catch (error) {
        await this.#recover(error);
      } finally {
        this.#options.convoy.leave(book);
      }
    }
    this.#left();
    await leases.release(book).catch((error: unknown) => log.warn({ projection: book, err: error }, 'a lease was not given back'));
  }

  async #claim(): Promise<number | undefined> {
    const { book } = this.#place;
    if (this.#unknown && !this.#options.leases.holds(book)) {
      // Only a newer program gets past it; after that this one can follow again until the next.
      const position = (await readCheckpoints(this.#options.pool, [book])).get(book)?.position ?? 0;
      if (position < this.#unknown.position) return undefined;
      this.#unknown = undefined;
    }
    return this.#place.claim();
  }

  #left(): void {
    if (this.#place.isLive) this.#options.progress.left(this.projection.name);
    else this.#options.progress.building(this.#place.book, undefined);
  }

  /** From a lease or a failure until the next, or the end. */
  async #work(): Promise<void> {
    const checkpoint = await this.#open();
    if (checkpoint.paused) {
      await this.#rest(this.#options.retryMs);
      return;
    }
    const folder = await this.#newFolder();
    if (this.#place.isLive && !this.#building) this.#options.convoy.join(this.#place.book);
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
      while (!this.#stopping && this.#options.leases.holds(this.#place.book)) {
        const pokes = this.#pokes;
        if (looked !== pokes) {
          // biome-ignore lint/performance/noAwaitInLoops: batches come one after the other
          await writeNow();
          looked = pokes;
          // Orders change rows under the folder's feet: begin again from the table.
          if (await this.#followOrders(checkpoint)) return;
        }
        if (this.#rendezvous?.meetsAt(unit.to)) {
          this.#options.pace.leave(this);
          await writeNow();
          const { waitMs } = this.#rendezvous;
          if (waitMs <= 0) return await this.#rendezvous.meet(this.#party(folder));
          await this.#rest(waitMs);
          continue;
        }
        if (this.#building) await this.#options.pace.next(this, unit.to);
        const batch = await this.#nextBatch(unit.to, pokes);
        if (!batch) continue;
        const eventsBefore = unit.events;
        const unknown = await folder.fold(batch, unit, earlier, this.#rendezvous?.until);
        rate.add(unit.events - eventsBefore);
        if (unknown) {
          await writeNow();
          if (this.#building) await this.#finishBuild();
          await this.#giveUpBefore(unknown);
          return;
        }
        const isAtEnd = batch.atEnd || batch.checkpoint === batch.after;
        if (this.#building && !isAtEnd && !this.#rendezvous?.meetsAt(unit.to) && this.#options.room.holds(this, unit.entries.size)) continue;
        await settled();
        const filled = unit;
        if (filled.to > filled.from)
          writing = this.#write(filled).catch((error: unknown) => {
            failure = error;
            this.poke();
          });
        earlier = filled.entries;
        unit = new Unit(filled.to);
        if (this.#place.isLive && !this.#building && batch.stored.length >= BURST_FROM_EVENTS && this.#options.isBusy()) {
          await settled();
          if (pokes === this.#pokes) await this.#options.convoy.arrive(this.#place.book, filled.events > 0 ? this.#tookMs : 0);
        }
        if (this.#building) {
          this.#options.progress.building(this.#place.book, rate.perSecond());
          if (isAtEnd) {
            await settled();
            await this.#finishBuild();
          }
        }
        if (isAtEnd && this.#rendezvous?.swapsNow) {
          await settled();
          return await this.#rendezvous.swap(this.#party(folder));
        }
        if (this.#careful && filled.to >= this.#careful.until) {
          await settled();
          this.#careful = undefined;
          return;
        }
      }
      // Stopping: what is folded is kept.
      if (this.#options.leases.holds(this.#place.book)) await writeNow();
    } finally {
      this.#options.room.holds(this, 0);
      this.#options.pace.leave(this);
      await writing;
    }
  }

  /** The next batch, or undefined when something else wants a look first. */
  #nextBatch(after: number, pokes: number): Promise<DecodedBatch | undefined> {
    if (pokes !== this.#pokes) return Promise.resolve(undefined);
    // A build that has come to the end has rows to write, or is swapped in; later there is nothing to do but wait.
    const orEnd = this.#building || this.#rendezvous?.swapsNow === true;
    if (this.#asked?.after !== after || this.#asked.orEnd !== orEnd) this.#asked = { after, orEnd, batch: this.#options.reader.batch(after, orEnd) };
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

  /** Puts our fence on the checkpoint and sees that the table is there. */
  async #open(): Promise<Checkpoint> {
    const { journal, journalId, progress, buildFrom } = this.#options;
    let checkpoint = await this.#book.open(journalId);
    await assertSameJournal(journal, journalId, checkpoint);
    if (checkpoint.schemaName === '')
      checkpoint = await this.#book.begin(this.projection, this.#writer, LIVE_SCHEMA, (await journal.head()).position > buildFrom);
    else if (!isOf(this.projection, checkpoint)) throw new NotOurs('another version stands there');
    else if (checkpoint.status === 'unknown-event') await this.#book.setStatus('live');
    if (this.#writer.schema !== checkpoint.schemaName)
      this.#writer = new TableWriter({ ...this.#options, projection: this.projection, schema: checkpoint.schemaName });
    this.#position = checkpoint.position;
    this.#building = checkpoint.status === 'building';
    if (this.#place.isLive) progress.committed(this.projection.name, checkpoint.position);
    await this.#rendezvous?.plan(checkpoint);
    return checkpoint;
  }

  async #newFolder(): Promise<Folder> {
    const { pool, reader, journal } = this.#options;
    const { name } = this.projection;
    const [parked, skips] = await Promise.all([readParkedKeys(pool, this.#place.book), readSkips(pool, name)]);
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
    // Not what stands by: it would wait behind live, which a swap holds up until it has caught up.
    if (unit.events === 0 && !this.#building && this.#place.isLive) {
      const { from, to, last } = unit;
      if (!(await this.#options.idle.advance({ projection: name, fence: this.#book.fence, from, to, last }))) throw new NotOurs(LEFT_ELSEWHERE);
      this.#position = to;
      await this.#succeeded();
      progress.committed(name, to);
      return;
    }
    const changes = await this.#writer.changes(unit);
    try {
      if (this.#building || unit.parked.length > 0) {
        await inTransaction(pool, BEGIN_LONG, async (client) => {
          const inserted = this.#building && this.#careful === undefined ? changes.fresh : [];
          await this.#book.commit(client, this.#writer, unit, inserted.length > 0 ? { ...changes, fresh: [] } : changes);
          await this.#writer.copy(client, inserted);
          await insertParked(client, this.#place.book, unit.parked);
        });
      } else await this.#book.commit(pool, this.#writer, unit, changes);
    } catch (error) {
      if (!isRefused(error)) throw error;
      // Remembered so that the same stretch is folded again with every row checked.
      this.#careful ??= { until: unit.to, brokenSeals: new Set() };
      throw error;
    }
    this.#position = unit.to;
    this.#tookMs = performance.now() - startedMs;
    await this.#succeeded();
    if (!this.#place.isLive) return;
    progress.committed(name, unit.to);
    metrics.committed(name, {
      events: unit.events,
      rows: changes.fresh.length + changes.changed.length + changes.deleted.length,
      parked: unit.parked.length,
      seconds: (performance.now() - startedMs) / 1000,
    });
  }

  /** What failed before is over. */
  async #succeeded(): Promise<void> {
    if (this.#failures > 0) await this.#book.setDetail(undefined);
    this.#failures = 0;
  }

  async #finishBuild(): Promise<void> {
    const { progress, log } = this.#options;
    this.#options.pace.leave(this);
    await this.#book.finishBuild(this.#writer);
    this.#building = false;
    progress.building(this.#place.book, undefined);
    log.info({ projection: this.projection.name, position: this.#position }, 'a read model was built');
  }

  #party(folder: Folder): Party {
    return {
      book: this.#book,
      folder,
      position: () => this.#position,
      write: (unit) => this.#write(unit),
      finishBuild: () => (this.#building ? this.#finishBuild() : Promise.resolve()),
    };
  }

  async #giveUpBefore(event: UnknownEvent): Promise<void> {
    const { leases, log } = this.#options;
    const detail = `${event.type}, schema ${event.schema}, at position ${event.position} is unknown to this program: a newer one goes on by itself.`;
    await this.#book.setStatus('unknown-event', detail);
    this.#unknown = event;
    log.warn(
      { projection: this.#place.book, type: event.type, schema: event.schema, position: event.position },
      'a projection stands before an event that this program does not know',
    );
    this.#left();
    await leases.release(this.#place.book);
  }

  /** True when the table or the checkpoint may be another than what was folded from. */
  async #followOrders(opened: Checkpoint): Promise<boolean> {
    const { pool, journal, codec, log } = this.#options;
    const { book } = this.#place;
    const orders = await readOrders(pool, book);
    if (orders.length === 0) return this.#place.isOver(opened);
    for (const order of orders) {
      // biome-ignore lint/performance/noAwaitInLoops: one order after the other, in the order of their events
      const outcome = await carryOut({
        order,
        pool,
        journal,
        codec,
        projection: this.projection,
        book,
        writer: this.#writer,
        position: this.#position,
        commit: (client, unit, changes) => this.#book.commit(client, this.#writer, unit, changes),
      });
      log.info({ projection: book, order: order.kind, position: order.position, ...outcome }, 'an order on parked events was carried out');
    }
    return true;
  }

  async #recover(error: unknown): Promise<void> {
    const { leases, log, pool, retryMs } = this.#options;
    const { book } = this.#place;
    const checkpoint = await readCheckpoints(pool, [book]).catch(() => undefined);
    const isOurs = checkpoint?.get(book)?.fence === this.#book.fence;
    // Paused is still ours. Another's may be another table already, so that what failed is no failure.
    if (error instanceof NotOurs && isOurs) return;
    if (error instanceof NotOurs || (checkpoint && !isOurs && this.#book.fence > 0)) {
      leases.lose(book, this.#book.fence);
      this.#left();
      return;
    }
    if (isRefused(error) && this.#careful) {
      const broken = error instanceof RowRefused ? error.brokenSeals : [];
      const again = [...broken].some((id) => !this.#careful?.brokenSeals.has(id));
      this.#careful = { ...this.#careful, brokenSeals: new Set([...this.#careful.brokenSeals, ...broken]) };
      this.#failures += 1;
      if (this.#failures === 1 || again) {
        log.warn({ projection: book, code: codeOf(error) }, 'rows were refused: their events are folded again one by one');
        return;
      }
    } else this.#failures += 1;
    log.error({ projection: book, err: error, failures: this.#failures }, 'a projection failed and tries again from its checkpoint');
    if (error instanceof JournalMismatch) await leases.release(book).catch(() => {});
    const detail = codeOf(error) ?? explain(error);
    await this.#book.setDetail(`It fails and tries again: ${detail}`).catch(() => {});
    // A database that is away comes back for all at once: whoever waits long by then is late for nothing.
    const mostMs = isConnectionLoss(error) ? 2 * retryMs : MOST_REST_MS;
    await this.#rest(Math.min(mostMs, retryMs * 2 ** Math.min(this.#failures, 6)));
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
