// Armed timers: one row for each warning and each breach that may still come. The engine arms them with the checkpoint; a worker
// (processes/timers.ts) issues the command when one is due, and its event takes the row away here.
import type { RecordedOf } from '../../domain/kernel/event.ts';
import type { ClockName, ticketEvents } from '../../domain/ticket/events.ts';
import type { SlaClock, SlaClocks } from '../../domain/ticket/sla.ts';
import type { Projection } from '../engine/projection.ts';

type TicketEvent = RecordedOf<typeof ticketEvents>;

export type TimerRow = {
  /** `<ticket>/<clock>/<kind>`: the same timer set anew replaces the old one. */
  readonly id: string;
  /** When it is to fire, RFC 3339 UTC. */
  readonly fires_at: string;
  /** What is issued then. */
  readonly command: 'WarnOfDeadline' | 'RecordBreach';
  readonly ticket_id: string;
  readonly clock: ClockName;
  /** The deadline that it was set for, RFC 3339 UTC. */
  readonly due_at: string;
};

const clockNames = ['first-response', 'resolution'] as const;
const kinds = ['warning', 'breach'] as const;

export const timers: Projection<TimerRow> = {
  name: 'timers',
  version: 1,
  categories: ['ticket'],
  table: {
    name: 'timers',
    key: 'id',
    columns: {
      id: { type: 'text' },
      fires_at: { type: 'timestamptz' },
      command: { type: 'text' },
      ticket_id: { type: 'text' },
      clock: { type: 'text' },
      due_at: { type: 'timestamptz' },
    },
    indexes: ['(fires_at, id)'],
  },
  creates: new Set(['TicketOpened', 'TicketImported']),
  keys: (recorded) => {
    const event = recorded as TicketEvent;
    const ticket = event.stream.slice('ticket-'.length);
    switch (event.type) {
      case 'TicketImported':
        return event.data.sla ? timersOf(ticket, clockNames) : [];
      case 'TicketOpened':
      case 'TicketResolved':
        return timersOf(ticket, clockNames);
      case 'TicketStarted':
        return timersOf(ticket, ['first-response']);
      case 'TicketReopened':
        return timersOf(ticket, ['resolution']);
      case 'SlaWarned':
        return [`${ticket}/${event.data.clock}/warning`];
      case 'SlaBreached':
        return timersOf(ticket, [event.data.clock]);
      default:
        return [];
    }
  },
  apply: (_, recorded, key) => {
    const event = recorded as TicketEvent;
    if (event.type !== 'TicketOpened' && event.type !== 'TicketImported' && event.type !== 'TicketReopened') return undefined;
    const [ticketId, clock, kind] = key.split('/') as [string, ClockName, (typeof kinds)[number]];
    const set = clockOf(event.data.sla as SlaClocks, clock);
    return {
      id: key,
      fires_at: kind === 'warning' ? set.warnAt : set.dueAt,
      command: kind === 'warning' ? 'WarnOfDeadline' : 'RecordBreach',
      ticket_id: ticketId,
      clock,
      due_at: set.dueAt,
    };
  },
};

function timersOf(ticket: string, clocks: readonly ClockName[]): string[] {
  return clocks.flatMap((clock) => kinds.map((kind) => `${ticket}/${clock}/${kind}`));
}

function clockOf(sla: SlaClocks, clock: ClockName): SlaClock {
  return clock === 'first-response' ? sla.firstResponse : sla.resolution;
}
