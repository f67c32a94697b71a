// How a ticket is shown: the list's row and the single ticket with its past, masked by the reader's role.
import { z } from 'zod';
import type { Actor, RecordedOf } from '../domain/kernel/event.ts';
import { Erased, type Personal, Sealed } from '../domain/kernel/personal.ts';
import type { ticketEvents } from '../domain/ticket/events.ts';
import { ticketVisibleTo } from '../domain/ticket/ticket.ts';
import type { Opener } from '../journal/sealing.ts';
import type { StoredTicket } from '../projections/tickets/queries.ts';

/** A personal text: null where the reader's role sees it masked, `{"erased": true}` where its key was destroyed. */
export const PersonalText = z.union([z.string(), z.strictObject({ erased: z.literal(true) }), z.null()]);
type PersonalText = z.output<typeof PersonalText>;

const Instant = z.string().nullable();
const Deadline = z.strictObject({
  state: z.string().meta({ description: '`running`, `met`, `breached`, or `unknown` where nobody says when it was answered' }),
  dueAt: Instant,
  answeredAt: Instant,
});

export const TicketItem = z.strictObject({
  id: z.string(),
  revision: z.int(),
  customer: z.string().nullable().meta({ description: 'The customer that it is about, where it says' }),
  status: z.string(),
  type: z.string(),
  priority: z.string(),
  channel: z.string(),
  product: z.string().nullable(),
  assignee: z.string().nullable(),
  openedBy: z.string().nullable(),
  openedAt: z.string(),
  closedAt: Instant,
  dueAt: Instant.meta({ description: 'The nearest deadline that is not answered yet' }),
  firstResponse: Deadline,
  resolution: Deadline,
  slaPolicy: z.string().nullable(),
  calendar: z.string().nullable(),
  provisional: z.boolean().meta({ description: 'A year without published holidays had a part in the deadlines' }),
  source: z.strictObject({ system: z.string(), id: z.string() }).nullable(),
  verdict: z.string().nullable().meta({ description: "The source's own verdict, apart from our deadlines: `timely`, `untimely`, or null" }),
  summary: PersonalText,
  masked: z.array(z.string()).meta({ description: 'Personal fields that this role does not see' }),
});
export type TicketItem = z.output<typeof TicketItem>;

export const TicketChange = z.strictObject({
  revision: z.int(),
  event: z.string(),
  what: z.string().meta({ description: 'The change in words' }),
  text: PersonalText.optional().meta({ description: 'What was said with it' }),
  occurredAt: z.string(),
  recordedAt: z.string(),
  by: z.strictObject({ subject: z.string(), role: z.string(), onBehalfOf: z.string().optional() }),
  channel: z.string(),
  purpose: z.string().nullable(),
});
export type TicketChange = z.output<typeof TicketChange>;

/** Operations see the business, not the person: free text is masked for them. */
export function masksOf({ role }: Actor): readonly string[] {
  return role === 'operations' ? ['summary', 'description', 'details', 'text'] : [];
}

/** Whether a ticket's summary is shown among those of a customer, to whom sees the customer: to the relationship manager whoever has it. */
export function readsSummary({ opened_by, assignee }: Pick<StoredTicket, 'opened_by' | 'assignee'>, actor: Actor): boolean {
  return !masksOf(actor).includes('summary') && (actor.role === 'rm' || ticketVisibleTo({ openedBy: opened_by, assignee }, actor));
}

/** Rows as shown, with their summaries opened by one look-up of keys. */
export async function ticketItems(
  rows: readonly StoredTicket[],
  actor: Actor,
  opener: Opener,
  reads: (row: StoredTicket) => boolean = () => !masksOf(actor).includes('summary'),
): Promise<TicketItem[]> {
  const readable = rows.filter(reads);
  const opened = readable.length === 0 ? [] : await opener.openMany(readable.map((row) => Sealed.parse(row.summary)));
  const summaries = new Map(readable.map((row, index) => [row, opened[index]]));
  return rows.map((row) => ticketItem(row, shown(summaries.get(row)), !summaries.has(row)));
}

export function ticketItem(row: Omit<StoredTicket, 'summary'>, summary: PersonalText, masked: boolean): TicketItem {
  return {
    id: row.id,
    revision: row.revision,
    customer: row.customer_id,
    status: row.status,
    type: row.type,
    priority: row.priority,
    channel: row.channel,
    product: row.product,
    assignee: row.assignee,
    openedBy: row.opened_by,
    openedAt: row.opened_at,
    closedAt: row.closed_at,
    dueAt: row.due_at,
    firstResponse: { state: row.first_response, dueAt: row.first_response_due_at, answeredAt: row.first_response_at },
    resolution: { state: row.resolution, dueAt: row.resolution_due_at, answeredAt: row.resolution_at },
    slaPolicy: row.sla_policy,
    calendar: row.calendar,
    provisional: row.provisional,
    source: row.source_system === null || row.source_id === null ? null : { system: row.source_system, id: row.source_id },
    verdict: row.verdict,
    summary,
    masked: masked ? ['summary'] : [],
  };
}

/** An opened value as it leaves. */
export function shown(value: unknown): PersonalText {
  if (value instanceof Erased) return { erased: true };
  return typeof value === 'string' ? value : null;
}

type TicketEvent = RecordedOf<typeof ticketEvents>;

const clocks = { 'first-response': 'first response', resolution: 'resolution' } as const;

/** What an event changed, in words. Free text of it is told apart (`textOf`). */
export function wordsOf(event: TicketEvent): string {
  switch (event.type) {
    case 'TicketOpened':
      return `Opened: ${event.data.type}, ${event.data.priority}, by ${event.data.channel}; first response due ${event.data.sla.firstResponse.dueAt}, resolution due ${event.data.sla.resolution.dueAt}`;
    case 'TicketImported':
      return `Taken over from ${event.data.source.system} ${event.data.source.id}, ${event.data.closed ? 'closed there' : 'still open'}${event.data.verdict ? `, judged ${event.data.verdict} by it` : ''}`;
    case 'TicketAssigned':
      return `Assigned to ${event.data.assignee}`;
    case 'TicketStarted':
      return `Work started by ${event.data.assignee}, which is the first response`;
    case 'TicketResolved':
      return 'Resolved';
    case 'TicketReopened':
      return `Reopened; resolution due ${event.data.sla.resolution.dueAt}`;
    case 'TicketClosed':
      return 'Closed';
    case 'SlaWarned':
      return `Warning: ${clocks[event.data.clock]} is due ${event.data.dueAt}`;
    case 'SlaBreached':
      return `Deadline missed: ${clocks[event.data.clock]} was due ${event.data.dueAt}`;
  }
}

/** The free text that came with an event, sealed. */
export function textOf(event: TicketEvent): Personal | undefined {
  if (event.type === 'TicketResolved') return event.data.resolution;
  return event.type === 'TicketReopened' ? event.data.reason : undefined;
}
