// Publishes every event to NATS JetStream, in the journal's order, sealed as it is kept (docs/nats.md). A loop of its own that only reads
// the journal: a slow or absent server holds up nobody. One process at a time, by lease; whoever takes over looks at the stream itself
// for where it ends, so that nothing is missed and nothing is there twice, also after kill -9 between acknowledgement and checkpoint.
//
//   away ─connected─► standing by ─lease─► publishing
//    ▲                     └───────┬────────────┘
//    └── any failure: the lease is given up, the connection closed, everything looked at again after a pause that grows to 5 s
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Pool } from 'pg';
import { categoryOf } from '../domain/kernel/event.ts';
import type { JournalReader, StoredEvent } from '../journal/journal.ts';
import type { Logger } from '../logging.ts';
import { Leases } from '../projections/engine/leases.ts';
import { StartError } from '../start-error.ts';
import { assertPublishedFrom, type Checkpoint, OtherJournal, readCheckpoint, Superseded, saveCheckpoint } from './nats-checkpoint.ts';
import { connectNats } from './nats-connection.ts';
import { NatsStream, StreamUnfit, streamName } from './nats-stream.ts';
import { windowsOf } from './nats-window.ts';

/** First word of all subjects, and in capitals the stream's name. */
export const PREFIX = 'shiji';

/** Categories whose events are nobody's to read elsewhere, not even that there are any. */
const UNPUBLISHED: ReadonlySet<string> = new Set(['aml']);

export interface NatsPublisherParts {
  /** As NATS_URL has it. */
  readonly url: string;
  readonly journal: JournalReader;
  readonly pool: Pool;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** In place of PREFIX. */
  readonly prefix?: string;
  readonly tuning?: PublisherTuning;
}

export interface PublisherTuning {
  /** A dead process's lease is taken over after that and a retry; default 6 s. */
  readonly leaseMs?: number;
  /** Between two tries for a lease that another holds; default 1 s. */
  readonly retryMs?: number;
  /** Between two checkpoints, and the longest wait without being woken; default 500 ms. */
  readonly saveMs?: number;
}

/** Events a read. */
const READ_EVENTS = 500;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
const CLOSE_MS = 1_000;

export class NatsPublisher {
  readonly #parts: NatsPublisherParts;
  readonly #prefix: string;
  /** The stream's name, and so the checkpoint's. */
  readonly #name: string;
  readonly #lease: string;
  readonly #leases: Leases;
  readonly #saveMs: number;
  readonly #stopping = new AbortController();
  #session = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #state = '';
  #failures = 0;

  constructor(parts: NatsPublisherParts) {
    this.#parts = parts;
    this.#prefix = parts.prefix ?? PREFIX;
    this.#name = streamName(this.#prefix);
    this.#lease = `publisher ${this.#name}`;
    this.#saveMs = parts.tuning?.saveMs ?? 500;
    this.#leases = new Leases({
      pool: parts.pool,
      holder: randomUUID(),
      ...(parts.tuning?.leaseMs === undefined ? {} : { ttlMs: parts.tuning.leaseMs }),
      onLost: () => this.#session.abort(new Superseded('the lease was lost to another process')),
      onError: () => {},
    });
  }

  /** @throws StartError where another journal was published */
  async start(): Promise<void> {
    const { pool } = this.#parts;
    try {
      await this.#assertCheckpoint(await readCheckpoint(pool, this.#name));
    } catch (error) {
      if (error instanceof OtherJournal) throw new StartError(error.message, { cause: error });
      throw error;
    }
    this.#running = this.#run();
  }

  /** Ends after what is under way, with the checkpoint saved and the lease free. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await this.#leases.close().catch(() => undefined);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.#connected();
      } catch (error) {
        if (signal.aborted) return;
        this.#tell(error);
        const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(this.#failures, 6));
        this.#failures += 1;
        await pause(pauseMs, signal);
      }
    }
  }

  /** From a connection to its end, or ours. */
  async #connected(): Promise<void> {
    const connection = await connectNats(this.#parts.url);
    const session = new AbortController();
    this.#session = session;
    void connection.closed().then((error) => session.abort(error ?? new Error('the connection was closed')));
    const signal = AbortSignal.any([this.#stopping.signal, session.signal]);
    try {
      const fence = await this.#takeLease(signal);
      if (fence !== undefined) await this.#publish(connection, fence, signal);
      if (!this.#stopping.signal.aborted) session.signal.throwIfAborted();
    } finally {
      // Another may reach the server where we do not.
      await this.#leases.release(this.#lease).catch(() => undefined);
      await closed(connection);
    }
  }

  async #takeLease(signal: AbortSignal): Promise<number | undefined> {
    const { tuning } = this.#parts;
    while (!signal.aborted) {
      const fence = await this.#leases.take(this.#lease);
      if (fence !== undefined) return fence;
      this.#say('standing by', () => this.#parts.log.info({ stream: this.#name }, 'another process publishes to NATS; standing by'));
      await pause(tuning?.retryMs ?? 1_000, signal);
    }
    return undefined;
  }

  async #publish(connection: NatsConnection, fence: number, signal: AbortSignal): Promise<void> {
    const { journal, pool, log } = this.#parts;
    const stream = await NatsStream.open(connection, this.#prefix);
    let at = await this.#whereToGoOn(stream);
    let saved = at;
    let savedMs = performance.now();
    const save = async (): Promise<void> => {
      if (saved !== at) await saveCheckpoint(pool, this.#name, fence, at);
      saved = at;
      savedMs = performance.now();
    };
    const wakes = new Wakes(journal, signal);
    try {
      while (!signal.aborted) {
        const batch = await journal.readAll({ after: at.position, limit: READ_EVENTS });
        for (const window of windowsOf(batch.events.filter(isPublished))) {
          if (signal.aborted) break;
          const { acknowledged, sequence, failure } = await stream.send(window, at.journalId, at.sequence);
          if (acknowledged > 0) at = after(at, window[acknowledged - 1] as StoredEvent, sequence);
          if (failure !== undefined) throw failure;
        }
        if (signal.aborted) break;
        if (batch.checkpoint > at.position) at = { ...at, position: batch.checkpoint };
        this.#failures = 0;
        this.#say('publishing', () => log.info({ stream: this.#name, position: at.position }, 'publishing to NATS'));
        if (performance.now() - savedMs >= this.#saveMs) await save();
        if (batch.atEnd) await wakes.wait(this.#saveMs);
      }
    } finally {
      wakes.close();
      await save();
    }
  }

  /** The stream itself says what it has; the checkpoint, where its last message is not kept any more. */
  async #whereToGoOn(stream: NatsStream): Promise<Checkpoint> {
    const { journal, pool } = this.#parts;
    const known = await readCheckpoint(pool, this.#name);
    await this.#assertCheckpoint(known);
    const { created, sequence, last } = await stream.end();
    const from = { journalId: await journal.identity(), sequence, streamCreated: created };
    if (last) {
      const remedy = 'connect the journal it was published from, or delete that stream';
      await assertPublishedFrom(journal, `The last message of the NATS stream ${this.#name}`, remedy, { ...last, last });
      // What the stream lost is sent again; what was looked at after its last message need not be.
      const position = known?.last?.id === last.id ? known.position : last.position;
      return { ...from, position, last };
    }
    const isSame = known !== undefined && known.streamCreated === created && known.sequence <= sequence;
    return isSame ? { ...known, sequence } : { ...from, position: 0, last: undefined };
  }

  async #assertCheckpoint(checkpoint: Checkpoint | undefined): Promise<void> {
    if (!checkpoint) return;
    const remedy = `connect the journal it was published from, or delete that stream and the row ${this.#name} of publisher.checkpoints`;
    await assertPublishedFrom(this.#parts.journal, `What was published to the NATS stream ${this.#name}`, remedy, checkpoint);
  }

  /** Once for each state, however often it is tried. */
  #tell(error: unknown): void {
    const { log } = this.#parts;
    const fields = { stream: this.#name, err: error };
    if (error instanceof Superseded) this.#say('superseded', () => log.warn(fields, 'another process publishes to NATS now'));
    else if (error instanceof OtherJournal || error instanceof StreamUnfit) this.#say(error.message, () => log.error(fields, error.message));
    else this.#say('away', () => log.warn(fields, 'events cannot be published to NATS just now; trying again, and all that waits will follow'));
  }

  #say(state: string, say: () => void): void {
    if (this.#state !== state) say();
    this.#state = state;
  }
}

const isPublished = (event: StoredEvent): boolean => !UNPUBLISHED.has(categoryOf(event.stream));

function after(checkpoint: Checkpoint, { id, stream, revision, position }: StoredEvent, sequence: number): Checkpoint {
  return { ...checkpoint, position, sequence, last: { journalId: checkpoint.journalId, id, stream, revision, position } };
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}

/** A server that does not answer is left at once. */
async function closed(connection: NatsConnection): Promise<void> {
  await Promise.race([connection.close().catch(() => undefined), sleep(CLOSE_MS, undefined, { ref: false })]);
}

/** Waits for the journal to have more. */
class Wakes {
  readonly #signal: AbortSignal;
  readonly #unwatch: () => void;
  #woken = false;
  #wake = (): void => {};

  constructor(journal: JournalReader, signal: AbortSignal) {
    this.#signal = signal;
    this.#unwatch = journal.watch(() => {
      this.#woken = true;
      this.#wake();
    });
    signal.addEventListener('abort', () => this.#wake(), { once: true });
  }

  async wait(ms: number): Promise<void> {
    // What came while the journal was read is not slept over.
    if (!(this.#woken || this.#signal.aborted))
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    this.#woken = false;
  }

  close(): void {
    this.#unwatch();
  }
}
