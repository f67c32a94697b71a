// The ticket list: one row a ticket with its status and both deadlines. Reads are in queries.ts; the same fold gives one ticket as of
// any instant from its own events.
import { calendarAt } from '../../domain/kernel/calendars/china-bank.ts';
import type { RecordedOf } from '../../domain/kernel/event.ts';
import type { Personal } from '../../domain/kernel/personal.ts';
import { startOf } from '../../domain/kernel/source.ts';
import type { ClockName, ticketEvents } from '../../domain/ticket/events.ts';
import type { SlaClocks } from '../../domain/ticket/sla.ts';
import type { Projection } from '../engine/projection.ts';

type TicketEvent = RecordedOf<typeof ticketEvents>;

/**
 * How a deadline stands: `running`, `met`, `breached`, `unknown` where the ticket was over before it came here and nobody says when.
 * Instants are RFC 3339 UTC with milliseconds.
 */
export type TicketRow = {
  readonly id: string;
  readonly customer_id: string | null;
  readonly type: string;
  readonly priority: string;
  readonly channel: string;
  readonly product: string | null;
  readonly status: string;
  readonly assignee: string | null;
  readonly opened_by: string | null;
  readonly source_system: string | null;
  readonly source_id: string | null;
  readonly opened_at: string;
  /** `2019-03`, of the day in the source's own zone. */
  readonly opened_month: string;
  readonly closed_at: string | null;
  readonly first_response_due_at: string | null;
  readonly first_response_at: string | null;
  readonly first_response: string;
  readonly resolution_due_at: string | null;
  readonly resolution_at: string | null;
  readonly resolution: string;
  /** The nearest deadline that runs. */
  readonly due_at: string | null;
  readonly sla_policy: string | null;
  readonly calendar: string | null;
  readonly provisional: boolean;
  readonly verdict: string | null;
  readonly summary: Personal;
  readonly search: readonly Personal[] | readonly string[];
  /** Of the last event that touched the row. */
  readonly position: number;
  readonly revision: number;
};

export const tickets: Projection<TicketRow> = {
  name: 'tickets',
  version: 2,
  categories: ['ticket'],
  table: {
    name: 'tickets',
    key: 'id',
    columns: {
      id: { type: 'text' },
      customer_id: { type: 'text', nullable: true },
      type: { type: 'text' },
      priority: { type: 'text' },
      channel: { type: 'text' },
      product: { type: 'text', nullable: true },
      status: { type: 'text' },
      assignee: { type: 'text', nullable: true },
      opened_by: { type: 'text', nullable: true },
      source_system: { type: 'text', nullable: true },
      source_id: { type: 'text', nullable: true },
      opened_at: { type: 'timestamptz' },
      opened_month: { type: 'text' },
      closed_at: { type: 'timestamptz', nullable: true },
      first_response_due_at: { type: 'timestamptz', nullable: true },
      first_response_at: { type: 'timestamptz', nullable: true },
      first_response: { type: 'text' },
      resolution_due_at: { type: 'timestamptz', nullable: true },
      resolution_at: { type: 'timestamptz', nullable: true },
      resolution: { type: 'text' },
      due_at: { type: 'timestamptz', nullable: true },
      sla_policy: { type: 'text', nullable: true },
      calendar: { type: 'text', nullable: true },
      provisional: { type: 'boolean' },
      verdict: { type: 'text', nullable: true },
      summary: { type: 'sealed' },
      search: { type: 'tokens' },
      position: { type: 'bigint' },
      revision: { type: 'integer' },
    },
    indexes: [
      '(opened_at, id)',
      '(customer_id) where customer_id is not null',
      // The queues: what nobody has resolved yet, by whom it waits for.
      "(assignee, due_at, id) where status in ('open', 'assigned', 'in-progress')",
      '(source_system, source_id) where source_id is not null',
      'using gin (search)',
    ],
  },
  creates: new Set(['TicketOpened', 'TicketImported']),
  keys: (event) => [event.stream.slice('ticket-'.length)],
  apply: (row, event) => {
    const next = fold(row, event as TicketEvent);
    return { ...next, due_at: nearest(next), position: event.position, revision: event.revision };
  },
};

function fold(row: TicketRow | undefined, event: TicketEvent): TicketRow {
  switch (event.type) {
    case 'TicketOpened': {
      const { data } = event;
      const openedAt = event.occurredAt;
      return {
        ...blank,
        id: data.ticketId,
        customer_id: data.customer ?? null,
        type: data.type,
        priority: data.priority,
        channel: data.channel,
        product: data.product ?? null,
        status: 'open',
        opened_by: data.openedBy,
        opened_at: openedAt,
        opened_month: monthIn(calendarAt(data.sla.calendar.id, data.sla.calendar.version)?.zone ?? 'UTC', data.sla.firstResponse.startedAt),
        ...clocksOf(data.sla),
        summary: data.summary,
        search: data.description === undefined ? [data.summary] : [data.summary, data.description],
      };
    }
    case 'TicketImported': {
      const { data } = event;
      return {
        ...blank,
        id: data.ticketId,
        type: data.type,
        priority: data.priority,
        channel: data.channel,
        product: data.product ?? null,
        status: data.closed ? 'closed' : 'open',
        source_system: data.source.system,
        source_id: data.source.id,
        opened_at: startOf(data.receivedAt),
        opened_month: data.receivedAt.slice(0, 7),
        closed_at: data.closedAt === undefined ? null : startOf(data.closedAt),
        ...(data.sla ? clocksOf(data.sla) : { first_response: 'unknown', resolution: 'unknown' }),
        verdict: data.verdict ?? null,
        summary: data.summary,
        search: data.description === undefined ? [data.summary] : [data.summary, data.description],
      };
    }
    default:
      if (!row) throw new Error(`${event.type} of a ticket that is not there`);
      return change(row, event);
  }
}

function change(row: TicketRow, event: Exclude<TicketEvent, { type: 'TicketOpened' | 'TicketImported' }>): TicketRow {
  switch (event.type) {
    case 'TicketAssigned':
      return { ...row, status: 'assigned', assignee: event.data.assignee };
    case 'TicketStarted':
      return { ...row, status: 'in-progress', assignee: event.data.assignee, ...answered(row, 'first-response', event.occurredAt) };
    case 'TicketResolved':
      return { ...row, status: 'resolved', ...answered(row, 'first-response', event.occurredAt), ...answered(row, 'resolution', event.occurredAt) };
    case 'TicketReopened': {
      const { sla } = event.data;
      return {
        ...row,
        status: row.assignee === null ? 'open' : 'assigned',
        closed_at: null,
        resolution: 'running',
        resolution_at: null,
        resolution_due_at: sla.resolution.dueAt,
        ...basisOf(sla),
      };
    }
    case 'TicketClosed':
      return { ...row, status: 'closed', closed_at: event.occurredAt };
    case 'SlaWarned':
      return row;
    case 'SlaBreached':
      return event.data.clock === 'resolution' ? { ...row, resolution: 'breached' } : { ...row, first_response: 'breached' };
  }
}

const blank = {
  customer_id: null,
  assignee: null,
  opened_by: null,
  source_system: null,
  source_id: null,
  closed_at: null,
  first_response_due_at: null,
  first_response_at: null,
  resolution_due_at: null,
  resolution_at: null,
  due_at: null,
  sla_policy: null,
  calendar: null,
  provisional: false,
  verdict: null,
  position: 0,
  revision: 0,
} as const;

function clocksOf(
  sla: SlaClocks,
): Pick<TicketRow, 'first_response_due_at' | 'first_response' | 'resolution_due_at' | 'resolution' | 'sla_policy' | 'calendar' | 'provisional'> {
  return {
    first_response_due_at: sla.firstResponse.dueAt,
    first_response: 'running',
    resolution_due_at: sla.resolution.dueAt,
    resolution: 'running',
    ...basisOf(sla),
  };
}

function basisOf(sla: Pick<SlaClocks, 'policy' | 'calendar' | 'provisional'>): Pick<TicketRow, 'sla_policy' | 'calendar' | 'provisional'> {
  return {
    sla_policy: `${sla.policy.id} ${sla.policy.version}`,
    calendar: `${sla.calendar.id} ${sla.calendar.version}`,
    provisional: sla.provisional,
  };
}

/** A deadline answered: met by its due time, breached after it; one that does not run stays as it is. */
function answered(row: TicketRow, clock: ClockName, at: string): Partial<TicketRow> {
  if (clock === 'first-response') {
    if (row.first_response_at !== null || row.first_response_due_at === null) return {};
    return { first_response_at: at, first_response: at > row.first_response_due_at ? 'breached' : 'met' };
  }
  if (row.resolution_at !== null || row.resolution_due_at === null) return {};
  return { resolution_at: at, resolution: at > row.resolution_due_at ? 'breached' : 'met' };
}

function nearest(row: TicketRow): string | null {
  const first = row.first_response_at === null ? row.first_response_due_at : null;
  const resolution = row.resolution_at === null ? row.resolution_due_at : null;
  if (first === null || resolution === null) return first ?? resolution;
  if (first < resolution) return first;
  return resolution;
}

/** The month of an instant in a zone. */
function monthIn(zone: string, instant: string): string {
  // No zone changes its month within an hour of UTC more finely than by quarters: the quarter's month is remembered.
  const quarter = `${zone} ${instant.slice(0, 14)}${Math.floor(Number(instant.slice(14, 16)) / 15)}`;
  const known = months.get(quarter);
  if (known !== undefined) return known;
  const month = Temporal.Instant.from(instant).toZonedDateTimeISO(zone).toString().slice(0, 7);
  if (months.size > 10_000) months.clear();
  months.set(quarter, month);
  return month;
}
const months = new Map<string, string>();
