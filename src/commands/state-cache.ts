// Folded streams by revision, bounded, so that a hot stream costs one round trip. A stale entry costs a retry, never a wrong decision:
// an append says so, and a refusal is not given from the cache alone (handler.ts).
import { LRUCache } from 'lru-cache';
import type { StoredEvent } from '../journal/journal.ts';

export interface CachedStream {
  readonly state: unknown;
  /** -1 for a stream that is not there. */
  readonly revision: number;
  /** Position of the last event; 0 for a stream that is not there. */
  readonly position: number;
  /** Where each command's events end, so that a retry is recognised; insertion order is the stream's. */
  readonly commands: Map<string, CommandTrace>;
}

export interface CommandTrace {
  readonly firstRevision: number;
  readonly lastRevision: number;
  readonly position: number;
  /** Its first event, where the stream was just read for this very command; dropped when looked at. */
  first?: StoredEvent | undefined;
}

export class StateCache {
  // A trace is three small numbers and an id; entries weigh by how many commands they remember.
  readonly #streams = new LRUCache<string, CachedStream>({
    maxSize: 20_000,
    sizeCalculation: (entry) => 1 + entry.commands.size,
    maxEntrySize: 10_000,
  });

  get(stream: string): CachedStream | undefined {
    return this.#streams.get(stream);
  }

  put(stream: string, entry: CachedStream): void {
    // A slower reader never puts an older fold over a newer one.
    const known = this.#streams.peek(stream);
    if (!known || known.revision <= entry.revision) this.#streams.set(stream, entry);
  }
}
