// The journal in memory, for tests that need no store: gapless positions, one list for everything, nothing outlives the process.
import { randomUUID } from 'node:crypto';
import {
  APPEND_LIMIT_BYTES,
  type AppendResult,
  AppendTooLarge,
  type Batch,
  type EventToAppend,
  type ExpectedRevision,
  type Journal,
  JournalUnavailable,
  type ReadAll,
  type ReadStream,
  type StoredEvent,
} from '../../src/journal/journal.ts';

/** What a server would hold: shared by all connections to it. */
interface Store {
  readonly identity: string;
  /** An event's position is its index and one. */
  readonly events: StoredEvent[];
  streams: Map<string, StoredEvent[]>;
  readonly watchers: Set<() => void>;
  running: boolean;
}

export class MemoryJournal implements Journal {
  readonly chunkWidth = 10_000;
  readonly #now: () => number;
  readonly #store: Store;

  constructor({ now, sharing }: { now: () => number; sharing?: MemoryJournal }) {
    this.#now = now;
    this.#store = sharing ? sharing.#store : { identity: randomUUID(), events: [], streams: new Map(), watchers: new Set(), running: true };
  }

  /** A second connection to the same events. */
  another(): MemoryJournal {
    return new MemoryJournal({ now: this.#now, sharing: this });
  }

  /** From here on every call is refused and no watcher is called, as when a server has gone. */
  stop(): void {
    this.#store.running = false;
  }

  /** Back with the events alone: what was derived from them is derived anew. */
  start(): void {
    this.#store.streams = Map.groupBy(this.#store.events, ({ stream }) => stream);
    this.#store.running = true;
  }

  async identity(): Promise<string> {
    return this.#running().identity;
  }

  async append(stream: string, expected: ExpectedRevision, events: readonly EventToAppend[]): Promise<AppendResult> {
    const store = this.#running();
    if (events.length === 0) throw new RangeError('an append holds at least one event');
    const bytes = events.reduce((sum, { data }) => sum + Buffer.byteLength(data), 0);
    if (bytes > APPEND_LIMIT_BYTES) throw new AppendTooLarge(bytes);

    const there = store.streams.get(stream) ?? [];
    const first = expected === 'no-stream' ? 0 : expected + 1;
    if (first !== there.length) {
      const stored = there.slice(first, first + events.length);
      const last = stored.at(-1);
      const isRetry = stored.length === events.length && stored.every(({ id }, index) => id === events[index]?.id);
      if (!isRetry || !last) return { appended: false, revision: there.length - 1 };
      return { appended: true, revision: last.revision, position: last.position, recordedAtMs: last.recordedAtMs, repeated: true };
    }

    const recordedAtMs = Math.max(this.#now(), store.events.at(-1)?.recordedAtMs ?? 0);
    store.streams.set(stream, there);
    for (const { id, type, data, metadata } of events) {
      const event = { id, type, data, metadata, stream, revision: there.length, position: store.events.length + 1, recordedAtMs };
      there.push(event);
      store.events.push(event);
    }
    for (const onChange of store.watchers) onChange();
    return { appended: true, revision: there.length - 1, position: store.events.length, recordedAtMs, repeated: false };
  }

  async readStream(stream: string, { from, direction = 'forwards', limit }: ReadStream = {}): Promise<readonly StoredEvent[]> {
    const there = this.#running().streams.get(stream) ?? [];
    const events = direction === 'forwards' ? there.slice(from ?? 0) : there.slice(0, (from ?? there.length) + 1).reverse();
    return events.slice(0, limit);
  }

  async readAll({ after, limit, categories, types }: ReadAll): Promise<Batch> {
    const { events } = this.#running();
    const seen = events.slice(after, after + limit);
    return {
      events: seen.filter((event) => (categories?.includes(event.stream.split('-', 1)[0] ?? '') ?? true) && (types?.includes(event.type) ?? true)),
      checkpoint: after + seen.length,
      atEnd: after + seen.length >= events.length,
    };
  }

  async head(): Promise<{ position: number; recordedAtMs: number }> {
    const { events } = this.#running();
    return { position: events.length, recordedAtMs: events.at(-1)?.recordedAtMs ?? 0 };
  }

  async positionAt(recordedAtMs: number): Promise<number> {
    return this.#running().events.findLast((event) => event.recordedAtMs <= recordedAtMs)?.position ?? 0;
  }

  watch(onChange: () => void): () => void {
    // Wrapped, so that the same function may watch twice.
    const watcher = (): void => {
      if (this.#store.running) onChange();
    };
    this.#store.watchers.add(watcher);
    return () => this.#store.watchers.delete(watcher);
  }

  async close(): Promise<void> {}

  #running(): Store {
    if (!this.#store.running) throw new JournalUnavailable('the journal in memory was stopped');
    return this.#store;
  }
}
