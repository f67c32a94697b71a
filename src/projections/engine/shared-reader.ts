// One read of the journal for all projections: those that stand at the same position share one query, one JSON.parse and one decode.
// One that lags reads for itself. While a batch is folded the next is on its way.
import { categoryOf, type RecordedEvent } from '../../domain/kernel/event.ts';
import type { UnknownEvent } from '../../journal/codec.ts';
import { type Batch, type JournalReader, JournalUnavailable, type StoredEvent } from '../../journal/journal.ts';

/** What the engine needs of journal/codec.ts. */
export interface EventDecoder {
  decode(stored: StoredEvent): RecordedEvent | UnknownEvent;
}

/** An event whose bytes made no sense to the decoder. */
export interface Undecodable {
  readonly undecodable: true;
  readonly error: unknown;
}

export type Decoded = RecordedEvent | UnknownEvent | Undecodable;

/** Events side by side in columns, so that a projection that passes one over touches no object. */
export interface DecodedBatch {
  readonly after: number;
  readonly checkpoint: number;
  readonly atEnd: boolean;
  readonly stored: readonly StoredEvent[];
  readonly decoded: readonly Decoded[];
  /** Index into `SharedReader.categories`; -1 where no projection reads it. */
  readonly category: Int16Array;
  /** The last 12 hex digits of each id, for the receipts. */
  readonly idTail: Float64Array;
}

interface Read {
  readonly after: number;
  readonly raw: Promise<Batch>;
  decoded: Promise<DecodedBatch> | undefined;
}

export interface SharedReaderOptions {
  readonly journal: JournalReader;
  readonly codec: EventDecoder;
  /** All categories that any projection reads; nothing else is decoded. */
  readonly categories: readonly string[];
  /** Events a read; default 1,000: more of them outlive a young collection or two before they are folded. */
  readonly limit?: number;
  /** Longest wait without being woken; default 250 ms. */
  readonly pollMs?: number;
  readonly onUnavailable?: (error: JournalUnavailable) => void;
}

// The one being folded, the next, and one for those a step behind; more only keeps garbage alive.
const KEPT = 3;
/** Below this share of events that anyone wants, the store filters; above it, its filter costs more than it saves (1.2 s of 3 s a million events). */
const FILTER_BELOW = 0.3;
/** Reads before it is looked again whether filtering still pays. */
const FILTERED_READS = 50;

export class SharedReader {
  readonly categories: readonly string[];
  readonly #options: SharedReaderOptions;
  readonly #index: ReadonlyMap<string, number>;
  readonly #limit: number;
  readonly #reads = new Map<number, Read>();
  readonly #unwatch: () => void;
  readonly #wakes = new Set<() => void>();
  #changes = 0;
  #filteredReads = 0;
  #closed = false;

  constructor(options: SharedReaderOptions) {
    this.#options = options;
    this.#limit = options.limit ?? 1_000;
    this.categories = options.categories;
    this.#index = new Map(options.categories.map((category, index) => [category, index]));
    this.#unwatch = options.journal.watch(() => {
      this.#changes += 1;
      this.#wakeAll();
    });
  }

  /**
   * The events after a position, as soon as there are any; undefined once the reader is closed.
   * @param orEnd do not wait at the journal's end: an empty batch says that it is there
   */
  async batch(after: number, orEnd = false): Promise<DecodedBatch | undefined> {
    let failures = 0;
    while (!this.#closed) {
      const changes = this.#changes;
      const read = this.#read(after);
      try {
        read.decoded ??= this.#decoded(read);
        // biome-ignore lint/performance/noAwaitInLoops: waits until there is something
        const batch = await read.decoded;
        if (batch.checkpoint > after) return batch;
        failures = 0;
        if (orEnd) {
          this.#forget(read);
          return batch;
        }
      } catch (error) {
        this.#forget(read);
        if (!(error instanceof JournalUnavailable)) throw error;
        this.#options.onUnavailable?.(error);
        failures += 1;
      }
      // The first who waits at this position reads again for all who wait there.
      this.#forget(read);
      if (failures > 0) await this.#wait(Math.min(5_000, 100 * 2 ** Math.min(failures, 6)));
      else if (changes === this.#changes) await this.#wait(this.#options.pollMs ?? 250);
    }
    return undefined;
  }

  close(): void {
    this.#closed = true;
    this.#unwatch();
    this.#wakeAll();
  }

  #read(after: number): Read {
    const known = this.#reads.get(after);
    if (known) return known;
    this.#filteredReads = Math.max(0, this.#filteredReads - 1);
    const read: Read = {
      after,
      raw: this.#options.journal.readAll({ after, limit: this.#limit, ...(this.#filteredReads > 0 ? { categories: this.categories } : {}) }),
      decoded: undefined,
    };
    // Whoever asks for it hears of its failure.
    read.raw.catch(() => {});
    this.#reads.set(after, read);
    if (this.#reads.size > KEPT) this.#reads.delete(this.#reads.keys().next().value as number);
    return read;
  }

  #forget(read: Read): void {
    if (this.#reads.get(read.after) === read) this.#reads.delete(read.after);
  }

  async #decoded(read: Read): Promise<DecodedBatch> {
    const batch = await read.raw;
    // Asked for before decoding, so that the store works while we do.
    if (!batch.atEnd && batch.checkpoint > read.after) this.#read(batch.checkpoint);
    return this.#decode(read.after, batch);
  }

  #decode(after: number, { events, checkpoint, atEnd }: Batch): DecodedBatch {
    const decoded: Decoded[] = new Array(events.length);
    const category = new Int16Array(events.length);
    const idTail = new Float64Array(events.length);
    let wanted = 0;
    for (let index = 0; index < events.length; index += 1) {
      const stored = events[index] as StoredEvent;
      category[index] = this.#index.get(categoryOf(stored.stream)) ?? -1;
      if (category[index] === -1) continue;
      wanted += 1;
      idTail[index] = Number.parseInt(stored.id.slice(24), 16);
      try {
        decoded[index] = this.#options.codec.decode(stored);
      } catch (error) {
        decoded[index] = { undecodable: true, error };
      }
    }
    if (events.length >= this.#limit && wanted < events.length * FILTER_BELOW) this.#filteredReads = FILTERED_READS;
    return { after, checkpoint, atEnd, stored: events, decoded, category, idTail };
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#wakes.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#wakes.add(wake);
    });
  }

  #wakeAll(): void {
    for (const wake of [...this.#wakes]) wake();
  }
}
