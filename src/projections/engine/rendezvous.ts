// Where a version that stands by meets live: tried when it is there, and again later where someone is in the way.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { codeOf, DEADLOCK_DETECTED, LOCK_NOT_AVAILABLE } from '../../postgres/sqlstate.ts';
import type { Book } from './book.ts';
import { type Checkpoint, readCheckpoints } from './books.ts';
import { explain, type Folder } from './fold.ts';
import type { Leases } from './leases.ts';
import { MEETING_EVENTS, NextVersion, type Turns } from './next-version.ts';
import type { EngineLog } from './observe.ts';
import type { Projection } from './projection.ts';
import type { SharedReader } from './shared-reader.ts';
import { compareWithNext, type Meeting, NotSwapped, swap } from './swap.ts';
import { Unit } from './unit.ts';

export interface RendezvousOptions {
  readonly pool: Pool;
  readonly reader: SharedReader;
  readonly leases: Leases;
  readonly log: EngineLog;
  readonly retryMs: number;
  /** One at a time in a process compares or swaps. */
  readonly turns: Turns;
  /** Both tables of a projection are others from now on. */
  readonly onSwapped: (projection: string) => void;
}

/** What the runner of the version that stands by lends. */
export interface Party {
  readonly book: Book;
  readonly folder: Folder;
  /** Written up to there. */
  readonly position: () => number;
  readonly write: (unit: Unit) => Promise<void>;
  /** Makes the indexes of a table that is built by COPY. */
  readonly finishBuild: () => Promise<void>;
}

/** Longest wait for the journal while live's writer is held up. */
const CATCH_UP_MS = 1_000;
const EXAMPLES = 10;

export class Rendezvous {
  readonly #projection: Projection;
  readonly #options: RendezvousOptions;
  #next: NextVersion | undefined;
  #tries = 0;
  #notBeforeMs = 0;

  constructor(projection: Projection, options: RendezvousOptions) {
    this.#projection = projection;
    this.#options = options;
  }

  /** To be asked whenever the checkpoint is opened. */
  async plan(standby: Checkpoint): Promise<void> {
    const { name } = this.#projection;
    this.#next = NextVersion.of(standby, (await readCheckpoints(this.#options.pool, [name])).get(name));
  }

  /** Nothing after this position is folded yet. */
  get until(): number | undefined {
    return this.#next?.until;
  }

  meetsAt(position: number): boolean {
    return this.#next?.meetsAt(position) === true;
  }

  /** Whether it is swapped in at the journal's end. */
  get swapsNow(): boolean {
    return this.#next?.swaps === true && this.waitMs <= 0;
  }

  /** Until it may be tried again. */
  get waitMs(): number {
    return this.#notBeforeMs - performance.now();
  }

  /** Compares this version's rows with live's, at the position where live is just now. */
  async meet(party: Party): Promise<void> {
    const { pool, turns, log } = this.#options;
    const { name, version } = this.#projection;
    const live = (await readCheckpoints(pool, [name])).get(name);
    // Live went on meanwhile: first to where it is now.
    if (!live || live.position - party.position() > MEETING_EVENTS) return;
    await party.finishBuild();
    const examples: { key: string; columns: readonly string[] }[] = [];
    const example = (key: string, columns: readonly string[]): void => {
      if (examples.length < EXAMPLES) examples.push({ key, columns });
    };
    await this.#orLater(async () => {
      const diff = await turns.take(() => compareWithNext(this.#meeting(party), example));
      await party.book.setDiff(diff);
      log.info({ projection: name, fromVersion: live.version, toVersion: version, ...diff, examples }, 'a version was compared with the live one');
    });
  }

  /** Becomes the live version. */
  async swap(party: Party): Promise<void> {
    const { turns, leases, log, onSwapped } = this.#options;
    const { name, version } = this.#projection;
    await this.#orLater(async () => {
      const { position, fromVersion } = await turns.take(() => swap(this.#meeting(party), leases));
      log.info({ projection: name, fromVersion, toVersion: version, position }, 'a version was swapped in: what was live before is kept');
      onSwapped(name);
      await leases.release(party.book.name);
    });
  }

  #meeting({ book, folder, position, write }: Party): Meeting {
    const { pool, reader } = this.#options;
    return {
      pool,
      projection: this.#projection,
      fence: book.fence,
      catchUp: async (to) => {
        while (position() < to) {
          const unit = new Unit(position());
          // biome-ignore lint/performance/noAwaitInLoops: batches come one after the other
          const batch = await Promise.race([reader.batch(unit.from), sleep(CATCH_UP_MS, undefined, { ref: false })]);
          if (!batch || (await folder.fold(batch, unit, undefined, to)) || unit.to === unit.from)
            throw new NotSwapped('it could not be folded up to where live is');
          await write(unit);
        }
      },
    };
  }

  async #orLater(run: () => Promise<void>): Promise<void> {
    try {
      await run();
      this.#tries = 0;
    } catch (error) {
      const code = codeOf(error);
      if (!(error instanceof NotSwapped) && code !== LOCK_NOT_AVAILABLE && code !== DEADLOCK_DETECTED) throw error;
      this.#tries += 1;
      this.#notBeforeMs = performance.now() + Math.min(30_000, this.#options.retryMs * 2 ** Math.min(this.#tries - 1, 5));
      const { name, version } = this.#projection;
      this.#options.log.info(
        { projection: name, toVersion: version, reason: explain(error), tries: this.#tries },
        'a version could not meet the live one yet',
      );
    }
  }
}
