// Timers of tickets: deadlines that are near, and those that passed.
import type { Pool } from 'pg';
import type { AnyCommand } from '../commands/command.ts';
import type { CommandHandler } from '../commands/handler.ts';
import { recordBreach, warnOfDeadline } from '../commands/ticket.ts';
import type { Logger } from '../logging.ts';
import { DueRows } from './due-rows.ts';

interface DueTimer {
  /** Ticket, clock and command together. */
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

export interface TicketTimersParts {
  readonly pool: Pool;
  readonly handler: Pick<CommandHandler, 'execute'>;
  /** Epoch milliseconds by the one clock. */
  readonly now: () => number;
  readonly log: Logger;
}

export function ticketTimers({ handler, ...parts }: TicketTimersParts): DueRows<DueTimer> {
  return new DueRows({
    ...parts,
    due,
    fire: (timer) => {
      const command = timerCommands.get(timer.command);
      if (!command) throw new Error(`timer ${timer.name} asks for ${timer.command}, which is no command of this program`);
      const key = `${timer.name}@${timer.fires_at}`;
      return handler.execute(command, {
        params: { ticketId: timer.ticket_id },
        body: { clock: timer.clock, dueAt: timer.due_at },
        actor: system,
        channel: 'timer',
        correlationId: key,
        key,
      });
    },
  });
}
