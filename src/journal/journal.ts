// The journal's port: where events live. Three stores keep it alike (postgres/, eventstoredb/, and memory in tests/support),
// held to that by tests/contract/journal.ts. What an event means is domain/kernel/event.ts; how it becomes bytes is codec.ts.

/** What a stream must look like for an append: not there, or at exactly this revision. A loose expectation is no idempotency (docs/adr/0003). */
export type ExpectedRevision = 'no-stream' | number;

/** An event as bytes: both texts are kept as written and never re-serialised, because their digest is what is proved. */
export interface EventToAppend {
  /** UUID. A retry carries the same ids. */
  readonly id: string;
  readonly type: string;
  /** JSON, sealed. */
  readonly data: string;
  /** JSON object. */
  readonly metadata: string;
}

export interface StoredEvent extends EventToAppend {
  readonly stream: string;
  readonly revision: number;
  readonly position: number;
  /** Epoch milliseconds by the one clock; never falls with position. */
  readonly recordedAtMs: number;
}

export type AppendResult =
  /** `revision` and `position` are those of the append's last event: the first answer again where the same ids stand there already. */
  | {
      readonly appended: true;
      readonly revision: number;
      readonly position: number;
      readonly recordedAtMs: number;
      /** Whether they stood there before this call; absent where the store can't tell. */
      readonly repeated?: boolean;
    }
  /** Nothing was written; `revision` is the stream's last, -1 where there is none. */
  | { readonly appended: false; readonly revision: number };

export interface ReadAll {
  /** Exclusive; 0 reads from the start. Only 0 or a position that this journal gave (an event's or a checkpoint). */
  readonly after: number;
  /** How many events to look at, filtered ones included. */
  readonly limit: number;
  readonly categories?: readonly string[];
  readonly types?: readonly string[];
}

export interface Batch {
  readonly events: readonly StoredEvent[];
  /** How far was looked: where to go on, also when the filter let nothing through. */
  readonly checkpoint: number;
  /** True where the journal ended there at that moment. */
  readonly atEnd: boolean;
}

export interface ReadStream {
  /** First revision wanted, inclusive; the stream's start forwards, its end backwards, where absent. */
  readonly from?: number;
  readonly direction?: 'forwards' | 'backwards';
  readonly limit?: number;
}

export interface JournalReader {
  /** A UUID drawn when the journal was made: read models remember it and refuse another. */
  identity(): Promise<string>;
  /** Empty where there is no such stream. */
  readStream(stream: string, options?: ReadStream): Promise<readonly StoredEvent[]>;
  /** Strictly by position, without a hole that could be filled in later. */
  readAll(options: ReadAll): Promise<Batch>;
  /** The last event's position and time; position 0 in an empty journal. */
  head(): Promise<{ readonly position: number; readonly recordedAtMs: number }>;
  /** The last position recorded at or before an instant (epoch milliseconds); 0 where there is none. */
  positionAt(recordedAtMs: number): Promise<number>;
  /** Calls back when there may be something new. A hint only: readers poll as well. Returns how to stop. */
  watch(onChange: () => void): () => void;
  /** Positions are grouped in chunks of this width for the receipts: 10,000 events where positions are dense. */
  readonly chunkWidth: number;
}

/** A data key that a created stream brings along: written in the same commit, and only where the append is. */
export interface KeyToKeep {
  readonly id: number;
  readonly retention: string;
  readonly masterVersion: number;
  readonly wrapped: Buffer;
}

export interface Journal extends JournalReader {
  /** An append may bring a key: only a store in the keys' own database can write both in one commit. */
  readonly keepsKeys?: true;

  /**
   * Appends to one stream, all or nothing, durably. Concurrent calls share a commit where the store can, each with its own outcome.
   * All events already there with these ids at this place: the first answer again. Some there and some not: a conflict.
   * @throws AppendTooLarge, JournalUnavailable (the outcome may then be unknown: retry with the same ids)
   */
  append(stream: string, expected: ExpectedRevision, events: readonly EventToAppend[], key?: KeyToKeep): Promise<AppendResult>;
  close(): Promise<void>;
}

/** Data bytes of one append together, on every store; EventStoreDB's own bound is 1 MiB a request. */
export const APPEND_LIMIT_BYTES = 1_000_000;

export class AppendTooLarge extends Error {
  override readonly name = 'AppendTooLarge';
  readonly bytes: number;
  constructor(bytes: number) {
    super(`an append of ${bytes} bytes is over the limit of ${APPEND_LIMIT_BYTES} bytes`);
    this.bytes = bytes;
  }
}

/** The store can't be reached or did not answer; what was asked may or may not have been done. */
export class JournalUnavailable extends Error {
  override readonly name = 'JournalUnavailable';
}
