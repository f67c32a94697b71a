// What an EventStoreDB node keeps and decides: one log, streams in it, what an append's expectation and ids mean, deletion. After
// CheckCommit of EventStoreDB 23.10, and after what a real node was seen to answer. No gRPC here.
import { randomUUID } from 'node:crypto';
import { LogFile } from './log-file.ts';

/** The revision a tombstone stands at, as the node shows it. */
export const TOMBSTONE_REVISION = '9223372036854775807';
/** Bound of the memory of recent ids, by which ANY and STREAM_EXISTS recognise a retry until the next restart. */
const RECENT_IDS = 50_000;
const SOFT_DELETED = 2 ** 63;

export type Expected = number | 'any' | 'no-stream' | 'stream-exists';

export interface ProposedEvent {
  readonly id: string;
  readonly type: string;
  readonly isJson: boolean;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
}

export interface LogRecord extends ProposedEvent {
  readonly stream: string;
  /** -1 for a tombstone. */
  readonly revision: number;
  /** Commit and prepare position alike. */
  readonly position: number;
  /** 100 ns ticks since 1970. */
  readonly createdTicks: string;
}

export type Decision =
  /** `position` is absent where the event asked for again can't be read any more. */
  | { readonly kind: 'success'; readonly revision: number; readonly position?: number }
  /** -1 where there is no stream. */
  | { readonly kind: 'wrong-expected-version'; readonly current: number }
  | { readonly kind: 'stream-deleted' }
  /** A repetition that came before the first was written: the node lets it run into its write timeout. */
  | { readonly kind: 'dropped' };

interface Stream {
  readonly records: LogRecord[];
  isTombstoned: boolean;
}

export class EventLog {
  readonly #file: LogFile;
  readonly #streams = new Map<string, Stream>();
  readonly #recent = new Map<string, { readonly stream: string; readonly revision: number }>();
  readonly #onGrown = new Set<() => void>();
  /** All that was decided; what is durable, and so shown, is the first `length` of them. */
  readonly #records: LogRecord[] = [];
  #length = 0;
  #nextPosition = 546;

  private constructor(file: LogFile) {
    this.#file = file;
  }

  /** With a folder, the events of the last run are there again. */
  static async open(folder?: string): Promise<EventLog> {
    const file = await LogFile.open(folder);
    const log = new EventLog(file);
    for (const record of file.stored) log.#take(record);
    log.#length = log.#records.length;
    if (log.#length === 0) {
      const settings = { $maxAge: 2_592_000, $acl: { $r: '$ops', $w: [], $d: [], $mr: [], $mw: [] } };
      await log.append('$$$scavenges', 'any', [metadataEvent(settings)]);
    }
    return log;
  }

  get length(): number {
    return this.#length;
  }

  at(index: number): LogRecord | undefined {
    return index < this.#length ? this.#records[index] : undefined;
  }

  /** Index of the record at a position, or -1 where no record starts there. */
  indexOf(position: number): number {
    const index = this.indexAfter(position) - 1;
    return this.at(index)?.position === position ? index : -1;
  }

  /** Index of the first record beyond a position. */
  indexAfter(position: number): number {
    let [low, high] = [0, this.#length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#records[middle]?.position ?? Number.POSITIVE_INFINITY) > position) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Beyond every record. */
  get end(): number {
    return this.#nextPosition;
  }

  onGrown(callback: () => void): () => void {
    this.#onGrown.add(callback);
    return () => this.#onGrown.delete(callback);
  }

  async append(name: string, expected: Expected, events: readonly ProposedEvent[]): Promise<Decision> {
    const current = this.#last(name);
    const wasSoftDeleted = this.#isSoftDeleted(name);
    const decision = this.#check(
      name,
      expected,
      events.map(({ id }) => id),
    );
    if (decision) return decision;
    if (events.length === 0) return { kind: 'success', revision: current };
    const records = events.map((event, index) => this.#write(name, current + 1 + index, event));
    for (const { id, revision } of records) this.#remember(id, name, revision);
    if (wasSoftDeleted) this.#write(`$$${name}`, this.#last(`$$${name}`) + 1, metadataEvent({ ...this.#settings(name), $tb: current + 1 }));
    await this.#durable();
    const last = records.at(-1);
    return { kind: 'success', revision: last?.revision ?? current, ...(last ? { position: last.position } : {}) };
  }

  /** By a truncation mark in the stream's metadata: its events stay in the log, and its revisions go on. */
  async delete(name: string, expected: Expected): Promise<Decision> {
    const refused = this.#check(name, expected, [randomUUID()]);
    if (refused) return refused;
    const metastream = `$$${name}`;
    if (this.#last(name) < 0 && this.#last(metastream) < 0) return { kind: 'wrong-expected-version', current: -1 };
    const data = Buffer.from(`{"$tb":${TOMBSTONE_REVISION}}`);
    const { revision, position } = this.#write(metastream, this.#last(metastream) + 1, { ...metadataEvent({}), data });
    await this.#durable();
    return { kind: 'success', revision, position };
  }

  /** For ever. */
  async tombstone(name: string, expected: Expected): Promise<Decision> {
    const refused = this.#check(name, expected, [randomUUID()]);
    if (refused) return refused;
    const { revision, position } = this.#write(name, -1, { ...metadataEvent({}), type: '$streamDeleted', data: new Uint8Array() });
    await this.#durable();
    return { kind: 'success', revision, position };
  }

  /** What a reader finds of a stream: its first and last revision, or why it finds none. */
  stream(name: string): 'not-found' | 'deleted' | { readonly first: number; readonly last: number; at(revision: number): LogRecord | undefined } {
    if (this.#isTombstoned(name)) return 'deleted';
    const records = this.#streams.get(name)?.records ?? [];
    let last = records.length - 1;
    while (last >= 0 && !this.#isDurable(records[last])) last -= 1;
    const settings = this.#settings(name);
    if (last < 0 || Number(settings.$tb ?? 0) >= SOFT_DELETED) return 'not-found';
    const first = Math.max(Number(settings.$tb ?? 0), settings.$maxCount === undefined ? 0 : last + 1 - Number(settings.$maxCount));
    return { first, last, at: (revision) => (revision <= last ? records[revision] : undefined) };
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  /** Undefined where the write is to be done. */
  #check(name: string, expected: Expected, ids: readonly string[]): Decision | undefined {
    if (this.#isTombstoned(name)) return { kind: 'stream-deleted' };
    const records = this.#streams.get(name)?.records ?? [];
    const current = records.length - 1;
    const wrong: Decision = { kind: 'wrong-expected-version', current };
    if (expected === 'stream-exists') {
      if (this.#isSoftDeleted(name)) return { kind: 'stream-deleted' };
      if (current < 0 && this.#last(`$$${name}`) < 0) return wrong;
    }
    if (expected === 'any' || expected === 'stream-exists') {
      const known = ids.map((id) => this.#recent.get(id)).map((one) => (one?.stream === name ? one.revision : undefined));
      const unknown = known.indexOf(undefined);
      if (ids.length === 0 || unknown === 0) return undefined;
      return unknown > 0 ? wrong : this.#again(name, known.at(-1) ?? -1);
    }
    const before = expected === 'no-stream' ? -1 : expected;
    if (before > current) return wrong;
    if (before === current) return undefined;
    for (const [index, id] of ids.entries()) {
      if (records[before + 1 + index]?.id === id) continue;
      return index === 0 && before === -1 && this.#isSoftDeleted(name) ? undefined : wrong;
    }
    return ids.length === 0 ? wrong : this.#again(name, before + ids.length);
  }

  #again(name: string, revision: number): Decision {
    const record = this.#streams.get(name)?.records[revision];
    if (!this.#isDurable(record)) return { kind: 'dropped' };
    const found = this.stream(name);
    const isReadable = typeof found === 'object' && revision >= found.first;
    return { kind: 'success', revision, ...(record && isReadable ? { position: record.position } : {}) };
  }

  #isDurable(record: LogRecord | undefined): boolean {
    return record !== undefined && record.position <= (this.#records[this.#length - 1]?.position ?? -1);
  }

  #last(name: string): number {
    return (this.#streams.get(name)?.records.length ?? 0) - 1;
  }

  /** A stream's metadata goes with it. */
  #isTombstoned(name: string): boolean {
    return this.#streams.get(name.startsWith('$$') ? name.slice(2) : name)?.isTombstoned ?? false;
  }

  #isSoftDeleted(name: string): boolean {
    return Number(this.#settings(name).$tb ?? 0) >= SOFT_DELETED;
  }

  #settings(name: string): Readonly<Record<string, unknown>> {
    const last = this.#streams.get(`$$${name}`)?.records.at(-1);
    return last ? (JSON.parse(Buffer.from(last.data).toString('utf8')) as Record<string, unknown>) : {};
  }

  #remember(id: string, stream: string, revision: number): void {
    this.#recent.delete(id);
    this.#recent.set(id, { stream, revision });
    if (this.#recent.size <= RECENT_IDS) return;
    for (const oldest of this.#recent.keys()) {
      this.#recent.delete(oldest);
      break;
    }
  }

  #write(stream: string, revision: number, event: ProposedEvent): LogRecord {
    const record = { ...event, stream, revision, position: this.#nextPosition, createdTicks: `${Date.now()}0000` };
    this.#take(record);
    this.#file.write(record);
    return record;
  }

  #take(record: LogRecord): void {
    const stream = this.#streams.get(record.stream) ?? { records: [], isTombstoned: false };
    this.#streams.set(record.stream, stream);
    if (record.revision < 0) stream.isTombstoned = true;
    else stream.records.push(record);
    this.#records.push(record);
    this.#nextPosition = record.position + 72 + 2 * (record.stream.length + record.type.length) + record.data.length + record.metadata.length;
  }

  async #durable(): Promise<void> {
    const written = this.#records.length;
    await this.#file.flush();
    if (written <= this.#length) return;
    this.#length = written;
    for (const callback of this.#onGrown) callback();
  }
}

const metadataEvent = (settings: object): ProposedEvent => ({
  id: randomUUID(),
  type: '$metadata',
  isJson: true,
  data: Buffer.from(JSON.stringify(settings)),
  metadata: new Uint8Array(),
});
