// Fires what is due among rows of a read model: each by a command with an id of its own making, so that it takes effect once however
// often it is tried. A row is held only by its transaction, so a dead worker's come free at once; the command's event moves the row on.
import { LRUCache } from 'lru-cache';
import type { Pool } from 'pg';
import { KeyDestroyed } from '../journal/keyring.ts';
import type { Logger } from '../logging.ts';
import { allDone } from './all-done.ts';
import { Rounds } from './rounds.ts';

export interface DueRowsParts<Row extends { readonly name: string }> {
  readonly pool: Pool;
  /** Epoch milliseconds by the one clock. */
  readonly now: () => number;
  readonly log: Logger;
  /**
   * Selects what is due at the instant `$1` and not among the names `$2::text[]`, some of it, for update skip locked. A row's `name` tells
   * it from every other and from itself once it has moved on.
   */
  readonly due: { readonly name: string; readonly text: string };
  readonly fire: (row: Row) => Promise<unknown>;
}

export class DueRows<Row extends { readonly name: string }> {
  readonly #parts: DueRowsParts<Row>;
  // What was fired and waits for its row to move on, so that it is not tried again at every turn; forgotten soon, as a try more does no harm.
  readonly #fired = new LRUCache<string, true>({ max: 20_000, ttl: 30_000 });
  readonly #rounds: Rounds;

  constructor(parts: DueRowsParts<Row>) {
    this.#parts = parts;
    this.#rounds = new Rounds({
      work: async () => (await this.fireDue()) > 0,
      onError: (error) => parts.log.warn({ err: error }, 'timers could not be fired and will be tried again'),
    });
  }

  start(): void {
    this.#rounds.start();
  }

  /** Ends after what is in hand. */
  stop(): Promise<void> {
    return this.#rounds.stop();
  }

  /** Fires one batch; says how many. */
  async fireDue(): Promise<number> {
    const { pool, now, due } = this.#parts;
    const client = await pool.connect();
    try {
      await client.query('begin');
      const { rows } = await client.query<Row>({ ...due, values: [new Date(now()).toISOString(), [...this.#fired.keys()]] });
      // Side by side: they share the journal's commits.
      await allDone(rows.map((row) => this.#fire(row)));
      await client.query('commit');
      client.release();
      for (const { name } of rows) this.#fired.set(name, true);
      return rows.length;
    } catch (error) {
      client.release(true);
      throw error;
    }
  }

  async #fire(row: Row): Promise<void> {
    try {
      await this.#parts.fire(row);
    } catch (error) {
      // Of whom was erased nothing more is recorded, and nobody else waits for it.
      if (!(error instanceof KeyDestroyed)) throw error;
    }
  }
}
