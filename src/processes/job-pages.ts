// What every long job shares: its next page is worked on by whoever gets its row, which is held only by the page's transaction, so that
// a dead worker's come free at once. Whoever is done with a page says so by a command; the row moves on with its event.
import { LRUCache } from 'lru-cache';
import type { Pool, PoolClient } from 'pg';
import type { Actor, Scope } from '../domain/kernel/event.ts';
import type { Logger } from '../logging.ts';
import { Rounds } from './rounds.ts';

/** Customers of a page. */
export const PAGE = 200;
/** A page that failed waits, so that other jobs go on. */
const RETRY_MS = 2_000;

/** Who records what a job does; its effects are its requester's. */
export const system: Actor = { subject: 'shiji', role: 'system' };

export interface JobPagesParts<Job> {
  readonly pool: Pool;
  readonly log: Logger;
  /** For the log: `an enrolment job`. */
  readonly what: string;
  /** Selects the job that has waited longest and does not stand at one of the places `$1::text[]`, for update skip locked. */
  readonly unfinished: { readonly name: string; readonly text: string };
  /** Where a job stands, as `unfinished` spells it. */
  readonly placeOf: (job: Job) => string;
  /**
   * On the connection that holds the row: one connection a worker, so that a pool of them can't run dry on itself. Gives the job as its row
   * will stand for a moment, where all is done there as well.
   */
  readonly work: (client: PoolClient, job: Job) => Promise<Job | undefined>;
}

export class JobPages<Job extends object> {
  readonly #parts: JobPagesParts<Job>;
  // Places where all is done and whose row has yet to move on, and those that failed a moment ago; forgotten soon, as a try more does no harm.
  readonly #aside = new LRUCache<string, true>({ max: 10_000, ttl: 30_000 });
  readonly #rounds: Rounds;

  constructor(parts: JobPagesParts<Job>) {
    this.#parts = parts;
    this.#rounds = new Rounds({
      work: () => this.workOnPage(),
      onError: (error) => parts.log.warn({ err: error }, `${parts.what} could not go on and will be tried again`),
    });
  }

  start(): void {
    this.#rounds.start();
  }

  /** Ends after what is in hand. */
  stop(): Promise<void> {
    return this.#rounds.stop();
  }

  /** Works on the next page of the job that has waited longest; says whether there was one. */
  async workOnPage(): Promise<boolean> {
    const { pool, unfinished } = this.#parts;
    const client = await pool.connect();
    try {
      await client.query('begin');
      const { rows } = await client.query<Job>({ ...unfinished, values: [[...this.#aside.keys()]] });
      const [job] = rows;
      if (job) await this.#work(client, job);
      await client.query('commit');
      client.release();
      return job !== undefined;
    } catch (error) {
      client.release(true);
      throw error;
    }
  }

  async #work(client: PoolClient, job: Job): Promise<void> {
    const { placeOf, work } = this.#parts;
    const place = placeOf(job);
    try {
      const further = await work(client, job);
      this.#aside.set(place, true);
      if (further) this.#aside.set(placeOf(further), true);
    } catch (error) {
      this.#aside.set(place, true, { ttl: RETRY_MS });
      throw error;
    }
  }
}

interface Requested {
  readonly requested_by: string;
  readonly role: string;
  readonly scope: string | null;
}

/** Whose right to see decides whom a job may touch. */
export function requesterOf({ requested_by: subject, role, scope }: Requested): Actor {
  return scope === null ? { subject, role } : { subject, role, scope: scope as Scope };
}
