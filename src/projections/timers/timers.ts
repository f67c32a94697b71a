// Armed timers: one row a ticket with what may still come, by when the next fires. The engine arms them with the checkpoint; a worker
// (processes/timers.ts) issues the command when one is due, and its event moves the row on here, to the next or away.
import type { RecordedOf } from '../../domain/kernel/event.ts';
import type { ClockName, ticketEvents } from '../../domain/ticket/events.ts';
import type { Projection } from '../engine/projection.ts';

type TicketEvent = RecordedOf<typeof ticketEvents>;

/** Instants are RFC 3339 UTC; null where that timer has fired, or can't come. */
type Armed = {
  readonly first_response_warn_at: string | null;
  readonly first_response_due_at: string | null;
  readonly resolution_warn_at: string | null;
  readonly resolution_due_at: string | null;
};

export type TimerRow = Armed & {
  readonly ticket_id: string;
  /** When the next one fires. */
  readonly fires_at: string;
  /** What is issued then. */
  readonly command: 'WarnOfDeadline' | 'RecordBreach';
  readonly clock: ClockName;
  /** The deadline that it is about. */
  readonly due_at: string;
};

export const timers: Projection<TimerRow> = {
  name: 'timers',
  version: 1,
  categories: ['ticket'],
  table: {
    name: 'timers',
    key: 'ticket_id',
    columns: {
      ticket_id: { type: 'text' },
      fires_at: { type: 'timestamptz' },
      command: { type: 'text' },
      clock: { type: 'text' },
      due_at: { type: 'timestamptz' },
      first_response_warn_at: { type: 'timestamptz', nullable: true },
      first_response_due_at: { type: 'timestamptz', nullable: true },
      resolution_warn_at: { type: 'timestamptz', nullable: true },
      resolution_due_at: { type: 'timestamptz', nullable: true },
    },
    indexes: ['(fires_at, ticket_id)'],
  },
  creates: new Set(['TicketOpened', 'TicketImported']),
  keys: (recorded) => {
    const event = recorded as TicketEvent;
    switch (event.type) {
      case 'TicketAssigned':
      case 'TicketClosed':
        return [];
      case 'TicketImported':
        return event.data.sla ? [event.data.ticketId] : [];
      default:
        return [event.data.ticketId];
    }
  },
  apply: (row, recorded, key) => next(key, armed(row, recorded as TicketEvent)),
};

const nothing: Armed = { first_response_warn_at: null, first_response_due_at: null, resolution_warn_at: null, resolution_due_at: null };

function armed(row: TimerRow | undefined, event: TicketEvent): Armed {
  const before = row ?? nothing;
  switch (event.type) {
    case 'TicketOpened':
    case 'TicketImported': {
      const { sla } = event.data;
      if (!sla) return nothing;
      return {
        first_response_warn_at: sla.firstResponse.warnAt,
        first_response_due_at: sla.firstResponse.dueAt,
        resolution_warn_at: sla.resolution.warnAt,
        resolution_due_at: sla.resolution.dueAt,
      };
    }
    case 'TicketStarted':
      return { ...before, first_response_warn_at: null, first_response_due_at: null };
    case 'TicketResolved':
      return nothing;
    case 'TicketReopened':
      return { ...nothing, resolution_warn_at: event.data.sla.resolution.warnAt, resolution_due_at: event.data.sla.resolution.dueAt };
    case 'SlaWarned':
      return event.data.clock === 'resolution' ? { ...before, resolution_warn_at: null } : { ...before, first_response_warn_at: null };
    case 'SlaBreached':
      return event.data.clock === 'resolution'
        ? { ...before, resolution_warn_at: null, resolution_due_at: null }
        : { ...before, first_response_warn_at: null, first_response_due_at: null };
    default:
      return before;
  }
}

/** The row by its earliest timer, a warning before a breach at the same instant; none where nothing may come. */
function next(ticketId: string, left: Armed): TimerRow | undefined {
  const { first_response_warn_at, first_response_due_at, resolution_warn_at, resolution_due_at } = left;
  let earliest: Pick<TimerRow, 'fires_at' | 'command' | 'clock' | 'due_at'> | undefined;
  const consider = (at: string | null, command: TimerRow['command'], clock: ClockName, due: string | null): void => {
    if (at !== null && (!earliest || at < earliest.fires_at)) earliest = { fires_at: at, command, clock, due_at: due ?? at };
  };
  consider(first_response_warn_at, 'WarnOfDeadline', 'first-response', first_response_due_at);
  consider(resolution_warn_at, 'WarnOfDeadline', 'resolution', resolution_due_at);
  consider(first_response_due_at, 'RecordBreach', 'first-response', first_response_due_at);
  consider(resolution_due_at, 'RecordBreach', 'resolution', resolution_due_at);
  return (
    earliest && {
      ticket_id: ticketId,
      fires_at: earliest.fires_at,
      command: earliest.command,
      clock: earliest.clock,
      due_at: earliest.due_at,
      first_response_warn_at,
      first_response_due_at,
      resolution_warn_at,
      resolution_due_at,
    }
  );
}
