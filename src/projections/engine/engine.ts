// The projection engine of one process: two runners for each read model over one shared reader, leases, controls, the auditor.
// Any number of processes may run it on one database; each read model is written by one of them.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { JournalReader } from '../../journal/journal.ts';
import { codeOf, LOCK_NOT_AVAILABLE } from '../../postgres/sqlstate.ts';
import { readCheckpoints } from './books.ts';
import { BuildPace } from './build-pace.ts';
import { BuildRoom } from './build-room.ts';
import { CONTROL_CATEGORY, Controls } from './controls.ts';
import { Convoy } from './convoy.ts';
import { IdleCheckpoints } from './idle-checkpoints.ts';
import { assertSameJournal, JournalMismatch } from './journal-identity.ts';
import { Leases } from './leases.ts';
import { Turns } from './next-version.ts';
import { type EngineLog, type EngineMetrics, noMetrics } from './observe.ts';
import { livePlace, standbyPlace } from './place.ts';
import { Progress } from './progress.ts';
import type { Projection } from './projection.ts';
import { ReceiptAuditor } from './receipts.ts';
import { ProjectionRunner } from './runner.ts';
import { type EventDecoder, SharedReader } from './shared-reader.ts';
import type { Personals } from './table-writer.ts';
import { LIVE_SCHEMA, widenLive } from './versions.ts';

export { LIVE_SCHEMA };

export interface EngineOptions {
  readonly journal: JournalReader;
  readonly codec: EventDecoder;
  /** A connection or two a projection, and three more. */
  readonly pool: Pool;
  readonly projections: readonly Projection[];
  readonly personals: Personals;
  /** Epoch milliseconds by the one clock. */
  readonly now: () => number;
  readonly log: EngineLog;
  readonly metrics?: EngineMetrics;
  /** Shared with the API of the same process, so that its waits are woken; made where absent. */
  readonly progress?: Progress;
  /** Whether commands of the same process should come first just now; never where absent. */
  readonly isBusy?: () => boolean;
  readonly tuning?: EngineTuning;
}

export interface EngineTuning {
  /** A dead process's projections are taken over after that and a retry; default 6 s. */
  readonly leaseMs?: number;
  /** Default 1 s. */
  readonly retryMs?: number;
  /** Longest wait for new events without being woken; default 250 ms. */
  readonly pollMs?: number;
  /** Events a read; default 1,000. */
  readonly readEvents?: number;
  /** A fresh read model with more events than that before it is built by COPY; default 2,000. */
  readonly buildFrom?: number;
  /** Rows in memory while building, over all projections; default 120,000. */
  readonly buildRows?: number;
  /** Between two chunks of the background audit; default 500 ms. */
  readonly auditPauseMs?: number;
}

const WIDEN_TRIES = 10;
const WIDEN_PAUSE_MS = 500;

export class ProjectionEngine {
  readonly progress: Progress;
  readonly auditor: ReceiptAuditor;
  readonly #options: EngineOptions;
  readonly #leases: Leases;
  /** Two a projection: of the live table, and of the one that stands by. */
  readonly #runners = new Map<string, readonly ProjectionRunner[]>();
  #reader: SharedReader | undefined;
  #controls: Controls | undefined;
  #ordersTimer: NodeJS.Timeout | undefined;

  constructor(options: EngineOptions) {
    const { pool, journal, projections, log, now, metrics = noMetrics, tuning = {} } = options;
    this.#options = options;
    this.progress = options.progress ?? new Progress({ pool, journal, now });
    this.#leases = new Leases({
      pool,
      holder: randomUUID(),
      ...(tuning.leaseMs === undefined ? {} : { ttlMs: tuning.leaseMs }),
      onLost: (name) => {
        log.warn({ lease: name }, 'a lease was lost to another process');
        for (const runner of this.#all()) if (runner.book === name) runner.poke();
      },
      onError: (error) => log.warn({ err: error }, 'leases could not be renewed'),
    });
    this.auditor = new ReceiptAuditor({
      journal,
      pool,
      projections,
      log,
      metrics,
      leases: this.#leases,
      ...(tuning.auditPauseMs === undefined ? {} : { pauseMs: tuning.auditPauseMs }),
    });
  }

  /** @throws JournalMismatch where the read models were made from another journal */
  async start(): Promise<void> {
    const { journal, codec, pool, projections, personals, log, metrics = noMetrics, tuning = {} } = this.#options;
    const { retryMs = 1_000, pollMs = 250, buildRows = 120_000, buildFrom = 2_000 } = tuning;
    const journalId = await journal.identity();
    await this.#assertJournal(journalId);
    this.#reader = new SharedReader({
      journal,
      codec,
      categories: [...new Set(projections.flatMap(({ categories }) => categories))],
      pollMs,
      ...(tuning.readEvents === undefined ? {} : { limit: tuning.readEvents }),
      onUnavailable: (error) => log.warn({ err: error }, 'the journal does not answer; trying again'),
    });
    await this.#widen();
    const shared = {
      journal,
      journalId,
      codec,
      pool,
      personals,
      log,
      metrics,
      buildFrom,
      retryMs,
      reader: this.#reader,
      leases: this.#leases,
      progress: this.progress,
      turns: new Turns(),
      onSwapped: (name: string) => this.#poke(name),
      isBusy: this.#options.isBusy ?? (() => false),
      convoy: new Convoy(),
      idle: new IdleCheckpoints(pool),
      room: new BuildRoom(buildRows),
      pace: new BuildPace(),
    };
    for (const projection of projections)
      this.#runners.set(
        projection.name,
        [livePlace, standbyPlace].map((place) => new ProjectionRunner(projection, shared, place({ ...shared, projection }))),
      );
    this.#controls = new Controls({
      journal,
      journalId,
      codec,
      pool,
      log,
      retryMs,
      pollMs,
      leases: this.#leases,
      onControl: (name) => this.#poke(name),
    });
    for (const runner of this.#all()) runner.start();
    this.#controls.start();
    this.auditor.start();
    this.#ordersTimer = setInterval(() => void this.#lookForOrders(), retryMs).unref();
  }

  /** Every projection ends with what it has folded written; their leases are free then. */
  async stop(): Promise<void> {
    clearInterval(this.#ordersTimer);
    await Promise.all(
      this.#all()
        .map((runner) => runner.stop())
        .concat(this.auditor.stop(), this.#controls?.stop() ?? []),
    );
    this.#reader?.close();
    await this.#leases.close();
  }

  #all(): ProjectionRunner[] {
    return [...this.#runners.values()].flat();
  }

  #poke(name: string): void {
    for (const runner of this.#runners.get(name) ?? []) runner.poke();
  }

  /** Before anyone asks: queries of this program may name columns that the live tables of an older one lack. */
  async #widen(): Promise<void> {
    const { pool, projections, log } = this.#options;
    for (const projection of projections)
      for (let tries = 0; tries < WIDEN_TRIES; tries += 1) {
        try {
          // biome-ignore lint/performance/noAwaitInLoops: each waits for a lock of its own
          await widenLive(pool, projection, log);
          break;
        } catch (error) {
          if (codeOf(error) !== LOCK_NOT_AVAILABLE) throw error;
          log.warn({ projection: projection.name }, 'a live read model is in use: its new columns are not there yet');
          await sleep(WIDEN_PAUSE_MS);
        }
      }
  }

  async #assertJournal(journalId: string): Promise<void> {
    const { journal, pool, projections } = this.#options;
    const checkpoints = await readCheckpoints(
      pool,
      projections.map(({ name }) => name),
    );
    await Promise.all([...checkpoints.values()].map((checkpoint) => assertSameJournal(journal, journalId, checkpoint)));
    const { rows } = await pool.query<{ journal_id: string | null; position: string | number }>('select journal_id, position from engine.controls');
    const [controls] = rows;
    if (controls?.journal_id && controls.journal_id !== journalId)
      throw new JournalMismatch(
        `The events of the category ${CONTROL_CATEGORY} were followed in the journal ${controls.journal_id}, and this is ${journalId}: connect that one, or empty engine.controls.`,
      );
  }

  /** Another process may have followed the control events. */
  async #lookForOrders(): Promise<void> {
    try {
      const { rows } = await this.#options.pool.query<{ projection: string }>({
        name: 'engine/ordered',
        text: `select split_part(projection, '+', 1) as projection from engine.orders
               union select split_part(projection, '+', 1) from engine.checkpoints
                where rebuild is not null or (standing = 'next' and status = 'live' and swap <> 'manual')`,
      });
      for (const { projection } of rows) this.#poke(projection);
    } catch {
      // The runners say it when the database is away.
    }
  }
}
