// Fires due timers: each as a command with an id of its own making, so that it takes effect once however often it is tried. A row is
// held only by its transaction, so a dead worker's come free at once; the command's event takes the row away (projections/timers/).
import { LRUCache } from 'lru-cache';
import type { Pool } from 'pg';
import type { AnyCommand } from '../commands/command.ts';
import type { CommandHandler, Outcome } from '../commands/handler.ts';
import { recordBreach, warnOfDeadline } from '../commands/ticket.ts';
import type { Logger } from '../logging.ts';
import { Rounds } from './rounds.ts';

interface DueTimer {
  /** Ticket, clock and command together: what was fired and waits for its row to move on is known by it. */
  readonly name: string;
  readonly ticket_id: string;
  readonly fires_at: string;
  readonly command: string;
  readonly clock: string;
  readonly due_at: string;
}

const due = {
  name: 'timers/due',
  text: `select ticket_id || '/' || clock || '/' || command as name, ticket_id, fires_at, command, clock, due_at from read.timers
          where fires_at <= $1 and ticket_id || '/' || clock || '/' || command <> all ($2::text[])
          order by fires_at, ticket_id limit 256 for update skip locked`,
};

const timerCommands: ReadonlyMap<string, AnyCommand> = new Map(
  [warnOfDeadline, recordBreach].map((command) => [command.name, command as AnyCommand]),
);
const system = { subject: 'shiji', role: 'system' };

export interface TimerWorkerParts {
  readonly pool: Pool;
  readonly handler: Pick<CommandHandler, 'execute'>;
  /** Epoch milliseconds by the one clock. */
  readonly now: () => number;
  readonly log: Logger;
}

export class TimerWorker {
  readonly #parts: TimerWorkerParts;
  // What was fired and waits for its row to go, so that it is not tried again at every turn; forgotten soon, as a try more does no harm.
  readonly #fired = new LRUCache<string, string>({ max: 20_000, ttl: 30_000 });
  readonly #rounds: Rounds;

  constructor(parts: TimerWorkerParts) {
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

  /** Fires one batch of what is due, in order of its time; says how many. */
  async fireDue(): Promise<number> {
    const { pool, now } = this.#parts;
    const client = await pool.connect();
    try {
      await client.query('begin');
      const at = new Date(now()).toISOString();
      const { rows } = await client.query<DueTimer>({ ...due, values: [at, [...this.#fired.keys()]] });
      // Side by side: they share the journal's commits; those of one ticket keep their order, as its commands take turns.
      await Promise.all(rows.map((timer) => this.#fire(timer)));
      await client.query('commit');
      client.release();
      for (const timer of rows) this.#fired.set(timer.name, timer.fires_at);
      return rows.length;
    } catch (error) {
      client.release(true);
      throw error;
    }
  }

  async #fire(timer: DueTimer): Promise<Outcome> {
    const command = timerCommands.get(timer.command);
    if (!command) throw new Error(`timer ${timer.name} asks for ${timer.command}, which is no command of this program`);
    const key = `${timer.name}@${timer.fires_at}`;
    return this.#parts.handler.execute(command, {
      params: { ticketId: timer.ticket_id },
      body: { clock: timer.clock, dueAt: timer.due_at },
      actor: system,
      channel: 'timer',
      correlationId: key,
      key,
    });
  }
}
