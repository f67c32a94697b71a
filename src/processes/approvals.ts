// Ends approvals that nobody decided in time, and carries out what was granted where the request that granted it could not: each by commands
// with ids of their own making, so that nothing takes effect twice. A row is held only by its transaction.
import { LRUCache } from 'lru-cache';
import type { Pool } from 'pg';
import { expireApproval } from '../commands/approval.ts';
import type { FourEyes } from '../commands/four-eyes.ts';
import type { CommandHandler } from '../commands/handler.ts';
import { KeyDestroyed } from '../journal/keyring.ts';
import type { Logger } from '../logging.ts';
import { Rounds } from './rounds.ts';

interface DueApproval {
  readonly id: string;
  readonly state: string;
}

const due = {
  name: 'approvals/due',
  text: `select id, state from read.approvals
          where (state = 'granted' or state = 'waiting' and expires_at <= $1) and id || '/' || state <> all ($2::text[])
          order by expires_at, id limit 64 for update skip locked`,
};

const system = { subject: 'shiji', role: 'system' };
/** What was just granted is in the hands of the request that granted it. */
const GRACE_MS = 1_000;
/** Nothing can be recorded about an erased customer: looked at again an hour later. */
const ERASED_MS = 3_600_000;

export interface ApprovalWorkerParts {
  readonly pool: Pool;
  readonly handler: Pick<CommandHandler, 'execute'>;
  readonly fourEyes: Pick<FourEyes, 'carryOut'>;
  /** Epoch milliseconds by the one clock. */
  readonly now: () => number;
  readonly log: Logger;
  /** How long a grant is left to its request; 1 s where absent. */
  readonly graceMs?: number;
}

export class ApprovalWorker {
  readonly #parts: ApprovalWorkerParts;
  // What was done and waits for its row to move on; forgotten soon, as a try more does no harm.
  readonly #aside = new LRUCache<string, true>({ max: 20_000, ttl: 30_000 });
  /** When a grant was first seen, by the process's own clock: the bank's may stand still. */
  readonly #seenAtMs = new LRUCache<string, number>({ max: 20_000 });
  readonly #rounds: Rounds;

  constructor(parts: ApprovalWorkerParts) {
    this.#parts = parts;
    this.#rounds = new Rounds({
      work: async () => (await this.workOnDue()) > 0,
      onError: (error) => parts.log.warn({ err: error }, 'approvals could not be worked on and will be tried again'),
    });
  }

  start(): void {
    this.#rounds.start();
  }

  /** Ends after what is in hand. */
  stop(): Promise<void> {
    return this.#rounds.stop();
  }

  /** Works on one batch of what is due; says on how many. */
  async workOnDue(): Promise<number> {
    const { pool, now } = this.#parts;
    const client = await pool.connect();
    try {
      await client.query('begin');
      const { rows } = await client.query<DueApproval>({ ...due, values: [new Date(now()).toISOString(), [...this.#aside.keys()]] });
      const worked = await Promise.all(rows.map((row) => this.#workOn(row)));
      await client.query('commit');
      client.release();
      return worked.filter((done) => done).length;
    } catch (error) {
      client.release(true);
      throw error;
    }
  }

  async #workOn({ id, state }: DueApproval): Promise<boolean> {
    const place = `${id}/${state}`;
    try {
      if (state === 'waiting') await this.#expire(id);
      else if (this.#isFresh(id)) return false;
      else await this.#parts.fourEyes.carryOut(id);
      this.#aside.set(place, true);
    } catch (error) {
      if (!(error instanceof KeyDestroyed)) throw error;
      this.#aside.set(place, true, { ttl: ERASED_MS });
    }
    return true;
  }

  #isFresh(id: string): boolean {
    const seenAtMs = this.#seenAtMs.get(id) ?? performance.now();
    this.#seenAtMs.set(id, seenAtMs);
    return performance.now() - seenAtMs < (this.#parts.graceMs ?? GRACE_MS);
  }

  async #expire(approvalId: string): Promise<void> {
    const outcome = await this.#parts.handler.execute(expireApproval, {
      params: { approvalId },
      body: {},
      actor: system,
      channel: 'timer',
      correlationId: `approval-${approvalId}`,
      key: 'once',
    });
    if (outcome.kind !== 'accepted') throw new Error(`approval ${approvalId} did not expire: ${outcome.kind}`);
  }
}
