// How far the read models are: for a GET that must see what was just written, for metrics, for operators.
// Commits of this process wake who waits; for a projection that another process runs, one poll serves all who wait.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { JournalReader } from '../../journal/journal.ts';
import { type Checkpoint, readCheckpoints, readStandbys, type Standing, type SwapBy, standbyOf, type VersionDiff } from './books.ts';
import { textArrayLiteral } from './columns.ts';

export interface ProgressOptions {
  readonly pool: Pool;
  readonly journal: Pick<JournalReader, 'head' | 'readAll'>;
  /** Epoch milliseconds by the one clock, as in the journal's `recordedAtMs`. */
  readonly now: () => number;
  /** Between two looks at the checkpoints while someone waits for another process; default 10 ms. */
  readonly pollMs?: number;
}

export interface Lag {
  readonly projection: string;
  readonly position: number;
  /** Positions between the checkpoint and the journal's head: events, where the store counts by one. */
  readonly events: number;
  /** Since the oldest event that is not handled yet was recorded; 0 where there is none. */
  readonly seconds: number;
}

export type ProjectionStatus = 'building' | 'live' | 'paused' | 'unknown-event';

export interface ProjectionDescription {
  readonly name: string;
  readonly version: number;
  readonly schema: string;
  readonly status: ProjectionStatus;
  readonly detail: string | undefined;
  readonly position: number;
  readonly lagEvents: number;
  readonly lagSeconds: number;
  readonly parkedKeys: number;
  readonly receipts: { readonly chunks: number; readonly verified: number; readonly mismatched: number };
  /** Only while this process builds it. */
  readonly eventsPerSecond: number | undefined;
  /** The version beside the live one. */
  readonly standby: StandbyDescription | undefined;
}

export interface StandbyDescription {
  readonly version: number;
  readonly schema: string;
  readonly standing: Exclude<Standing, 'live'>;
  readonly swap: SwapBy;
  /** `unattended`: no program of its version runs. */
  readonly status: 'building' | 'following' | 'paused' | 'unknown-event' | 'unattended';
  readonly detail: string | undefined;
  readonly position: number;
  /** Positions between it and the journal's head. */
  readonly lagEvents: number;
  /** From 0 to 1. */
  readonly progress: number;
  /** While it is next: how long it has until the journal's end at the pace since it was begun. */
  readonly etaSeconds: number | undefined;
  readonly parkedKeys: number;
  readonly diff: VersionDiff | undefined;
}

interface Counts {
  readonly parked: number;
  readonly chunks: number;
  readonly verified: number;
  readonly mismatched: number;
  /** Some process has its lease. */
  readonly held: boolean;
}

interface Waiter {
  readonly position: number;
  readonly pending: Set<string>;
  readonly settle: (arrived: boolean) => void;
}

export class Progress {
  readonly #options: ProgressOptions;
  /** Positions of the projections that this process runs. */
  readonly #here = new Map<string, number>();
  readonly #rates = new Map<string, number>();
  readonly #waiting = new Map<string, Set<Waiter>>();
  #polling: Promise<void> | undefined;

  constructor(options: ProgressOptions) {
    this.#options = options;
  }

  /** The runner's: a commit of this process is visible to everyone now. */
  committed(projection: string, position: number): void {
    this.#here.set(projection, position);
    this.#arrived(projection, position);
  }

  /** The runner's: this process does not run it any more. */
  left(projection: string): void {
    this.#here.delete(projection);
    this.#rates.delete(projection);
    if (this.#waiting.get(projection)?.size) this.#poll();
  }

  /** The runner's: how fast a build goes; undefined when it is done. */
  building(projection: string, eventsPerSecond: number | undefined): void {
    if (eventsPerSecond === undefined) this.#rates.delete(projection);
    else this.#rates.set(projection, eventsPerSecond);
  }

  /** Whether all of them had got to the position within the time. */
  waitUntil(projections: readonly string[], position: number, timeoutMs: number): Promise<boolean> {
    const pending = new Set(projections.filter((name) => !((this.#here.get(name) ?? -1) >= position)));
    if (pending.size === 0) return Promise.resolve(true);
    return new Promise((resolve) => {
      const waiter: Waiter = {
        position,
        pending,
        settle: (arrived) => {
          clearTimeout(timer);
          for (const name of waiter.pending) this.#waiting.get(name)?.delete(waiter);
          resolve(arrived);
        },
      };
      const timer = setTimeout(() => waiter.settle(false), timeoutMs);
      for (const name of pending) {
        let waiters = this.#waiting.get(name);
        if (!waiters) {
          waiters = new Set();
          this.#waiting.set(name, waiters);
        }
        waiters.add(waiter);
      }
      this.#poll();
    });
  }

  async lag(): Promise<readonly Lag[]> {
    // The head after the checkpoints: a lag is never below zero.
    const checkpoints = await readCheckpoints(this.#options.pool);
    const head = await this.#options.journal.head();
    const positions = new Set([...checkpoints.values()].map(({ position }) => position).filter((position) => position < head.position));
    const oldest = new Map(
      await Promise.all(
        [...positions].map(async (position): Promise<[number, number]> => {
          const { events } = await this.#options.journal.readAll({ after: position, limit: 1 });
          return [position, events[0]?.recordedAtMs ?? head.recordedAtMs];
        }),
      ),
    );
    const now = this.#options.now();
    return [...checkpoints.values()].map(({ projection, position }) => {
      const since = oldest.get(position);
      return {
        projection,
        position,
        events: Math.max(0, head.position - position),
        seconds: since === undefined ? 0 : Math.max(0, (now - since) / 1000),
      };
    });
  }

  async describeProjections(): Promise<readonly ProjectionDescription[]> {
    const { pool } = this.#options;
    const [checkpoints, standbys, counts] = await Promise.all([readCheckpoints(pool), readStandbys(pool), this.#counts()]);
    const lags = new Map((await this.lag()).map((lag) => [lag.projection, lag]));
    return [...checkpoints.values()].map((checkpoint) => {
      const { projection: name, version, schemaName: schema, status, paused, detail } = checkpoint;
      const lag = lags.get(name);
      const count = counts.get(name);
      const standby = standbys.get(name);
      const head = (lag?.position ?? 0) + (lag?.events ?? 0);
      return {
        name,
        version,
        schema,
        status: paused ? 'paused' : status,
        detail,
        position: lag?.position ?? checkpoint.position,
        lagEvents: lag?.events ?? 0,
        lagSeconds: lag?.seconds ?? 0,
        parkedKeys: count?.parked ?? 0,
        receipts: { chunks: count?.chunks ?? 0, verified: count?.verified ?? 0, mismatched: count?.mismatched ?? 0 },
        eventsPerSecond: this.#rates.get(name),
        standby: standby && describeStandby(standby, head, counts.get(standbyOf(name))),
      };
    });
  }

  async #counts(): Promise<ReadonlyMap<string, Counts>> {
    const { rows } = await this.#options.pool.query<Counts & { projection: string }>(
      `select c.projection,
              exists (select from engine.leases l where l.name = c.projection and l.until > clock_timestamp()) as held,
              (select count(*)::int from engine.parked p where p.projection = c.projection and p.first) as parked,
              (select count(*)::int from engine.receipts r where r.projection = c.projection) as chunks,
              (select count(*)::int from engine.audits a where a.projection = c.projection and a.equal) as verified,
              (select count(*)::int from engine.audits a where a.projection = c.projection and not a.equal) as mismatched
         from engine.checkpoints c`,
    );
    return new Map(rows.map(({ projection, ...count }) => [projection, count]));
  }

  #arrived(projection: string, position: number): void {
    const waiters = this.#waiting.get(projection);
    if (!waiters || waiters.size === 0) return;
    for (const waiter of waiters) {
      if (position < waiter.position) continue;
      waiters.delete(waiter);
      waiter.pending.delete(projection);
      if (waiter.pending.size === 0) waiter.settle(true);
    }
  }

  #awaitedElsewhere(): string[] {
    return [...this.#waiting].filter(([name, waiters]) => waiters.size > 0 && !this.#here.has(name)).map(([name]) => name);
  }

  #poll(): void {
    this.#polling ??= this.#pollWhileAwaited().finally(() => {
      this.#polling = undefined;
      if (this.#awaitedElsewhere().length > 0) this.#poll();
    });
  }

  async #pollWhileAwaited(): Promise<void> {
    const pollMs = this.#options.pollMs ?? 10;
    for (let failures = 0; ; ) {
      const names = this.#awaitedElsewhere();
      if (names.length === 0) return;
      try {
        // biome-ignore lint/performance/noAwaitInLoops: a poll
        const { rows } = await this.#options.pool.query<{ projection: string; position: string | number }>({
          name: 'engine/positions',
          text: 'select projection, position from engine.checkpoints where projection = any($1::text[])',
          values: [textArrayLiteral(names)],
        });
        for (const { projection, position } of rows) this.#arrived(projection, Number(position));
        failures = 0;
      } catch {
        // Whoever waits is told when the time is over; the next look may succeed.
        failures += 1;
      }
      await sleep(failures > 0 ? Math.min(1_000, pollMs * 2 ** failures) : pollMs);
    }
  }
}

function describeStandby(standby: Checkpoint, head: number, counts: Counts | undefined): StandbyDescription {
  const { version, schemaName: schema, standing, swap, detail, position, seconds, diff } = standby;
  const lagEvents = Math.max(0, head - position);
  // Of the positions a second since it was begun, whichever process builds it.
  const pace = seconds > 0 ? position / seconds : 0;
  return {
    version,
    schema,
    standing: standing as StandbyDescription['standing'],
    swap,
    status: statusOfStandby(standby, counts?.held === true),
    detail,
    position,
    lagEvents,
    progress: head === 0 ? 1 : Math.min(1, position / head),
    etaSeconds: standing === 'next' && pace > 0 ? lagEvents / pace : undefined,
    parkedKeys: counts?.parked ?? 0,
    diff,
  };
}

function statusOfStandby({ paused, status }: Checkpoint, isHeld: boolean): StandbyDescription['status'] {
  if (paused) return 'paused';
  if (status === 'unknown-event') return status;
  if (!isHeld) return 'unattended';
  return status === 'live' ? 'following' : status;
}
