// The journal in EventStoreDB. Only numbered revisions and NO_STREAM are sent, because only those make a retry idempotent for ever
// (docs/adr/0003); what a node answered in each case is held by tests/contract/.
import { randomUUID } from 'node:crypto';
import { GroupCommit } from '../group-commit.ts';
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
} from '../journal.ts';
import { type AppendOutcome, EventStoreDbConnection, NodeLimitExceeded, NotConfirmed } from './connection.ts';
import type { RecordedEvent } from './read-response.ts';
import { recordedAtOf, storedEvent, withRecordedAt } from './recorded-event.ts';
import { RecordingTimes } from './recording-times.ts';
import { WakeUps } from './wake-ups.ts';

export interface EventStoreDbOptions {
  /** A connection string: `esdb://host:2113?tls=false`. */
  readonly url: string;
  /** The one clock, in epoch milliseconds. */
  readonly now: () => number;
  /** How long a call may take, in milliseconds; default 10 s. */
  readonly deadlineMs?: number;
  readonly log?: { warn(fields: object, message: string): void };
}

/** Connects, and draws the journal's identity where it has none yet. */
export async function openEventStoreDbJournal(options: EventStoreDbOptions): Promise<EventStoreDbJournal> {
  const journal = new EventStoreDbJournal(options);
  try {
    await journal.identity();
    await journal.head();
  } catch (error) {
    await journal.close();
    throw error;
  }
  return journal;
}

const IDENTITY_STREAM = 'shiji_identity';

/** Neither the node's own events nor the journal's identity are part of the journal. */
const isHidden = ({ stream, type }: RecordedEvent): boolean => stream.startsWith('$') || type.startsWith('$') || stream === IDENTITY_STREAM;

interface Append {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly events: readonly EventToAppend[];
}

export class EventStoreDbJournal implements Journal {
  /** Positions are byte offsets, and the node's files are 256 MiB: some 20,000 to 50,000 events of ours a chunk. */
  readonly chunkWidth = 2 ** 24;
  readonly #connection: EventStoreDbConnection;
  readonly #now: () => number;
  readonly #appends: GroupCommit<Append, PromiseSettledResult<AppendResult>>;
  readonly #wakeUps: WakeUps;
  readonly #times: RecordingTimes;
  /** Highest position and time this process has met: what is recorded next is after both. */
  #knownPosition = 0;
  #knownTimeMs = 0;
  /** First ids of appends whose outcome is not known, oldest first: if they succeed now, they may have been written before. */
  readonly #uncertain = new Set<string>();
  #identity: string | undefined;

  constructor({ url, now, deadlineMs = 10_000, log }: EventStoreDbOptions) {
    this.#now = now;
    this.#connection = new EventStoreDbConnection({ url, deadlineMs });
    this.#appends = new GroupCommit({ maxBatch: 256, send: (round) => this.#appendRound(round) });
    this.#wakeUps = new WakeUps({
      listen: (onMessage, signal) => this.#connection.listen(onMessage, signal),
      onBroken: (error) => log?.warn({ err: error }, 'no wake-ups from EventStoreDB for now, polling carries'),
    });
    this.#times = new RecordingTimes((after, limit) => this.#readTimes(after, limit));
  }

  async identity(): Promise<string> {
    if (this.#identity) return this.#identity;
    const read = async (): Promise<RecordedEvent | undefined> =>
      (await this.#connection.readStream(IDENTITY_STREAM, { direction: 'forwards', limit: 1 }))[0];
    let first = await read();
    if (!first) {
      const id = randomUUID();
      const metadata = withRecordedAt('{}', this.#stamp());
      await this.#connection.append(IDENTITY_STREAM, 'no-stream', [{ id, type: 'JournalMade', data: JSON.stringify({ identity: id }), metadata }]);
      // Whoever was first, the first event counts.
      first = await read();
      if (!first) throw new JournalUnavailable(`${IDENTITY_STREAM} is empty after it was written`);
    }
    const { identity } = JSON.parse(storedEvent(first).data) as { identity: string };
    this.#identity = identity;
    return identity;
  }

  async append(stream: string, expected: ExpectedRevision, events: readonly EventToAppend[]): Promise<AppendResult> {
    if (events.length === 0) throw new RangeError('an append holds at least one event');
    const bytes = events.reduce((sum, { data }) => sum + Buffer.byteLength(data), 0);
    if (bytes > APPEND_LIMIT_BYTES) throw new AppendTooLarge(bytes);
    const outcome = await this.#appends.run({ stream, expected, events });
    if (outcome.status === 'fulfilled') return outcome.value;
    throw outcome.reason instanceof NodeLimitExceeded ? new AppendTooLarge(bytes) : outcome.reason;
  }

  /**
   * The node does not say whether an append was there before. A position that this process had met before it sent says so for certain,
   * and after an answer that was lost the event is read back. What is left is another process that appended the same ids after this one
   * last looked at the stream: then the answer carries this process's time, milliseconds beside the one recorded, and no `repeated`.
   *
   * A round of appends goes out together under one time of recording, and the next waits for its answers: so the time never falls with
   * position, whatever order the node takes them in.
   */
  async #appendRound(round: readonly Append[]): Promise<PromiseSettledResult<AppendResult>[]> {
    const recordedAtMs = this.#stamp();
    const positionBefore = this.#knownPosition;
    const appendAfter = async (append: Append, earlier: Promise<unknown> | undefined): Promise<AppendResult> => {
      await earlier?.catch(() => {});
      return await this.#appendOne(append, recordedAtMs, positionBefore);
    };
    // The node drops a repetition that comes before the first is indexed, and says so after two seconds: it waits for the first here.
    const latest = new Map<string, Promise<unknown>>();
    const results = await Promise.allSettled(
      round.map((append) => {
        const key = `${append.events[0]?.id} ${append.stream}`;
        const result = appendAfter(append, latest.get(key));
        latest.set(key, result);
        return result;
      }),
    );
    this.#wakeUps.wake();
    return results;
  }

  async #appendOne({ stream, expected, events }: Append, recordedAtMs: number, positionBefore: number): Promise<AppendResult> {
    const firstId = events[0]?.id ?? '';
    const stamped = events.map((event) => ({ ...event, metadata: withRecordedAt(event.metadata, recordedAtMs) }));
    const outcome = await this.#send(stream, expected, stamped).catch((error: unknown) => {
      if (error instanceof JournalUnavailable) this.#doubt(firstId);
      throw error;
    });
    if (!outcome.appended) return outcome;
    const { position = 0 } = outcome;
    const wasUncertain = this.#uncertain.delete(firstId);
    const repeated = position <= positionBefore;
    if (!repeated && !wasUncertain) {
      this.#meet(position, recordedAtMs);
      return { appended: true, revision: outcome.revision, position, recordedAtMs };
    }
    // Written before: the first answer again.
    const first = await this.#eventAt(stream, outcome.revision);
    const answer = { appended: true, revision: first.revision, position: first.position, recordedAtMs: first.recordedAtMs } as const;
    return repeated ? { ...answer, repeated } : answer;
  }

  /** Once more where the node did not confirm: another process may have sent the same at the same moment. */
  async #send(stream: string, expected: ExpectedRevision, events: readonly EventToAppend[]): Promise<AppendOutcome> {
    try {
      return await this.#connection.append(stream, expected, events);
    } catch (error) {
      if (!(error instanceof NotConfirmed)) throw error;
      this.#doubt(events[0]?.id ?? '');
      return await this.#connection.append(stream, expected, events);
    }
  }

  async #eventAt(stream: string, revision: number): Promise<StoredEvent> {
    const [event] = await this.readStream(stream, { from: revision, limit: 1 });
    if (event?.revision !== revision) throw new Error(`${stream} has no event at revision ${revision}, where one was written`);
    return event;
  }

  #doubt(firstId: string): void {
    this.#uncertain.add(firstId);
    if (this.#uncertain.size <= 100_000) return;
    for (const oldest of this.#uncertain) {
      this.#uncertain.delete(oldest);
      break;
    }
  }

  #stamp(): number {
    this.#knownTimeMs = Math.max(this.#knownTimeMs, this.#now());
    return this.#knownTimeMs;
  }

  #meet(position: number, recordedAtMs: number): void {
    this.#knownPosition = Math.max(this.#knownPosition, position);
    this.#knownTimeMs = Math.max(this.#knownTimeMs, recordedAtMs);
  }

  async readStream(stream: string, { from, direction = 'forwards', limit }: ReadStream = {}): Promise<readonly StoredEvent[]> {
    if (limit === 0) return [];
    const records = await this.#connection.readStream(stream, {
      direction,
      ...(from === undefined ? {} : { from }),
      ...(limit === undefined ? {} : { limit }),
    });
    const events = records.map(storedEvent);
    for (const { position, recordedAtMs } of events) this.#meet(position, recordedAtMs);
    return events;
  }

  async readAll({ after, limit, categories, types }: ReadAll): Promise<Batch> {
    const { records, checkpoint, atEnd } = await this.#readAfter(after, limit);
    const events: StoredEvent[] = [];
    for (const record of records) {
      if (isHidden(record)) continue;
      if (categories && !categories.includes(record.stream.split('-', 1)[0] ?? '')) continue;
      if (types && !types.includes(record.type)) continue;
      const event = storedEvent(record);
      this.#meet(event.position, event.recordedAtMs);
      events.push(event);
    }
    return { events, checkpoint, atEnd };
  }

  /** A read starts with the event at its position, which was seen before: one more is asked for and that one dropped. */
  async #readAfter(after: number, limit: number): Promise<{ records: readonly RecordedEvent[]; checkpoint: number; atEnd: boolean }> {
    // The node never answers a read of no events.
    if (limit < 1) return { records: [], checkpoint: after, atEnd: false };
    const asked = after === 0 ? limit : limit + 1;
    const read = await this.#connection.readAll({ direction: 'forwards', limit: asked, ...(after === 0 ? {} : { from: after }) });
    const records = read[0]?.position === after ? read.slice(1) : read;
    return { records, checkpoint: records.at(-1)?.position ?? after, atEnd: read.length < asked };
  }

  async #readTimes(after: number, limit: number) {
    const { records, checkpoint, atEnd } = await this.#readAfter(after, limit);
    const events = records.filter((record) => !isHidden(record)).map((record) => ({ position: record.position, recordedAtMs: recordedAtOf(record) }));
    return { events, checkpoint, atEnd };
  }

  async head(): Promise<{ readonly position: number; readonly recordedAtMs: number }> {
    let from: number | undefined;
    // The last event is ours but for the node's own, which are few: mostly one read of one event.
    for (let limit = 1; ; limit = Math.min(1_000, limit * 10)) {
      // biome-ignore lint/performance/noAwaitInLoops: each read starts where the last ended
      const records = await this.#connection.readAll({ direction: 'backwards', limit, ...(from === undefined ? {} : { from }) });
      const last = records.find((record) => !isHidden(record));
      if (last) {
        const head = { position: last.position, recordedAtMs: recordedAtOf(last) };
        this.#meet(head.position, head.recordedAtMs);
        return head;
      }
      const earliest = records.at(-1);
      if (!earliest || records.length < limit) return { position: 0, recordedAtMs: 0 };
      from = earliest.position;
    }
  }

  positionAt(recordedAtMs: number): Promise<number> {
    return this.#times.positionAt(recordedAtMs);
  }

  watch(onChange: () => void): () => void {
    return this.#wakeUps.watch(onChange);
  }

  async close(): Promise<void> {
    await this.#appends.rest();
    this.#wakeUps.close();
    await this.#connection.close();
  }
}
