// Reading tickets: the list, one ticket now and as of any instant, and the queues. Commands on tickets are commands/ticket.ts.
import type { FastifyInstance } from 'fastify';
import type { Kysely } from 'kysely';
import { z } from 'zod';
import { asOf, knownAtMs } from '../domain/kernel/as-of.ts';
import { isComparable } from '../domain/kernel/calendar-date.ts';
import type { Actor, RecordedEvent, RecordedOf } from '../domain/kernel/event.ts';
import { Sealed } from '../domain/kernel/personal.ts';
import { TicketId, type ticketEvents } from '../domain/ticket/events.ts';
import { ticketVisibleTo } from '../domain/ticket/ticket.ts';
import { TicketChannel, TicketPriority, TicketStatus, TicketType } from '../domain/ticket/vocabulary.ts';
import type { EventCodec } from '../journal/codec.ts';
import type { JournalReader } from '../journal/journal.ts';
import type { Opener } from '../journal/sealing.ts';
import { type CustomerTables, customersSeenBy } from '../projections/customers/queries.ts';
import type { SearchTokens } from '../projections/engine/search-tokens.ts';
import { queuesSeenBy, type StoredTicket, type TicketFilter, type TicketTables, ticketsSeenBy, unresolved } from '../projections/tickets/queries.ts';
import { type TicketRow, tickets } from '../projections/tickets/tickets.ts';
import { pageParameters, type SortColumn } from './page.ts';
import { Problem } from './problems.ts';
import type { ReadModels } from './read-models.ts';
import { pageAnswer, type ReadRouteParts, readRoute } from './read-route.ts';
import { masksOf, PersonalText, shown, TicketChange, TicketItem, textOf, ticketItem, ticketItems, wordsOf } from './ticket-view.ts';

export interface TicketRouteParts extends ReadRouteParts {
  readonly journal: JournalReader;
  readonly codec: EventCodec;
  readonly opener: Opener;
  readonly searchTokens: SearchTokens;
  readonly readModels: ReadModels;
  /** Epoch milliseconds by the one clock. */
  readonly now: () => number;
  readonly zone: string;
}

const readers = ['agent', 'rm', 'teller', 'operations', 'risk', 'auditor'] as const;

export const timeParameter = (what: string) =>
  z
    .string()
    .refine((text) => readsAsTime(text), 'a date such as 2020-06-30, or an instant such as 2020-06-30T09:00:00Z, from 1900 to 9998')
    .optional()
    .meta({ description: what });

export const replayParameter = z
  .string()
  .regex(/^[a-z0-9_-]{1,40}$/i, 'the name of a replay, as npm run replay gave it')
  .optional()
  .meta({ description: 'The name of a replay: the answer is as of its instant' });

const sorts: Readonly<Record<string, readonly [SortColumn, ...SortColumn[]]>> = {
  openedAt: [
    { column: 'opened_at', direction: 'asc' },
    { column: 'id', direction: 'asc' },
  ],
  '-openedAt': [
    { column: 'opened_at', direction: 'desc' },
    { column: 'id', direction: 'desc' },
  ],
  dueAt: [
    { column: 'due_at', direction: 'asc', nullable: true },
    { column: 'id', direction: 'asc' },
  ],
  '-dueAt': [
    { column: 'due_at', direction: 'desc', nullable: true },
    { column: 'id', direction: 'desc' },
  ],
  id: [{ column: 'id', direction: 'asc' }],
};
const byDue: readonly [SortColumn, ...SortColumn[]] = [
  { column: 'due_at', direction: 'asc' },
  { column: 'id', direction: 'asc' },
];

const text = z.string().min(1).max(200);
const everyone: Actor = { subject: 'search', role: 'auditor' };

const ListQuery = z.strictObject({
  ...pageParameters,
  status: z
    .string()
    .optional()
    .refine(
      (list) => list === undefined || list.split(',').every((one) => TicketStatus.safeParse(one).success),
      `one or more of ${TicketStatus.options.join(', ')}, with commas between`,
    )
    .meta({ description: 'One or more, with commas between' }),
  type: TicketType.optional(),
  priority: TicketPriority.optional(),
  channel: TicketChannel.optional(),
  product: text.optional(),
  assignee: text.optional().meta({ description: 'A subject, or `none` for what nobody has taken yet' }),
  customer: z.uuid().optional().meta({ description: 'A customer’s id' }),
  source: text.optional().meta({ description: 'The system that it was imported from' }),
  verdict: z.enum(['timely', 'untimely']).optional(),
  clock: z.enum(['running', 'met', 'breached', 'unknown']).optional().meta({ description: 'How either deadline stands' }),
  openedFrom: timeParameter('From this date or instant on'),
  openedTo: timeParameter('Before this instant, or up to the end of this date'),
  dueBefore: timeParameter('With a deadline before this instant'),
  q: text.optional().meta({ description: 'Words of summary or description, each of which must be there; Chinese by pairs of characters' }),
  sort: z.enum(['openedAt', '-openedAt', 'dueAt', '-dueAt', 'id']).default('-openedAt'),
  replay: replayParameter,
});

const QueueItem = z.strictObject({
  assignee: z.string().nullable().meta({ description: 'Null for what nobody has taken yet' }),
  waiting: z.int(),
  inProgress: z.int(),
  dueWithinHour: z.int(),
  breached: z.int(),
  oldest: z.string().nullable(),
});

const TicketAnswer = z.strictObject({
  ...TicketItem.shape,
  description: PersonalText,
  details: z.union([z.record(z.string(), z.string()), z.strictObject({ erased: z.literal(true) }), z.null()]),
  history: z.array(TicketChange),
  asOf: z.string().nullable(),
  knownAt: z.string().nullable(),
  position: z.string().meta({ description: 'Where the journal stood for this answer, as `Shiji-Position`' }),
});

export function ticketRoutes(app: FastifyInstance, parts: TicketRouteParts): void {
  const { journal, codec, opener, searchTokens, readModels, now, zone, positions } = parts;

  readRoute(app, parts, {
    name: 'ListTickets',
    summary: 'List tickets',
    route: 'GET /v1/tickets',
    roles: readers,
    query: ListQuery,
    answer: pageAnswer(TicketItem),
    // Customers as well: a relationship manager reads the tickets of own ones.
    projections: ['tickets', 'customers'],
    personal: true,
    csv: [
      ...(['id', 'status', 'type', 'priority', 'channel', 'product', 'assignee', 'openedAt', 'closedAt', 'dueAt', 'verdict'] as const).map(
        (header) => ({
          header,
          value: (item: TicketItem) => item[header],
        }),
      ),
      { header: 'firstResponse', value: (item) => item.firstResponse.state },
      { header: 'resolution', value: (item) => item.resolution.state },
      { header: 'summary', value: (item) => (typeof item.summary === 'string' ? item.summary : item.summary === null ? '' : '(erased)') },
    ],
    read: async ({ query, actor, page, record }) => {
      const db = await readModels.of<TicketTables>(query.replay);
      const tokens = query.q === undefined ? undefined : searchTokens.queryTokens(query.q);
      // Nothing but punctuation was asked for: nothing has it.
      if (tokens?.length === 0) {
        await record({ ids: [], fields: [] });
        return { items: [], next: null, ...(query.count ? { total: 0 } : {}) };
      }
      const filter: TicketFilter = {
        ...query,
        tokens,
        withCustomersInReach: true,
        status: query.status?.split(','),
        openedFrom: startOf(query.openedFrom, zone),
        openedTo: endOf(query.openedTo, zone),
        dueBefore: startOf(query.dueBefore, zone),
      };
      const found = await page({ query: await ticketsFor(db, actor, filter, query.replay), sort: sorts[query.sort] ?? byDue });
      return showItems(found, actor, record);
    },
  });

  readRoute(app, parts, {
    name: 'GetTicket',
    summary: 'One ticket with its deadlines and its history, now or as of a past day',
    route: 'GET /v1/tickets/{ticketId}',
    roles: readers,
    params: z.strictObject({ ticketId: TicketId }),
    query: z.strictObject({
      asOf: timeParameter("The world's time: a date counts whole, in the source's zone where an event has one"),
      knownAt: timeParameter("The bank's knowledge: what had been recorded by then"),
    }),
    answer: TicketAnswer,
    projections: ['customers'],
    personal: true,
    read: async ({ params: { ticketId }, query, actor, record, denied, etag }) => {
      const stream = `ticket-${ticketId}`;
      const events = await streamOf(stream);
      const current = foldOf(events);
      // The right is needed now, whichever past is asked for.
      if (!current || !(await isReadBy(current, actor))) throw await denied([ticketId]);
      const until = query.knownAt === undefined ? Number.POSITIVE_INFINITY : await journal.positionAt(knownAtMs(query.knownAt, zone));
      const counts = query.asOf === undefined ? () => true : asOf(query.asOf, zone);
      const past = events.filter((event) => event.position <= until && counts(event.occurredAt));
      const row = foldOf(past);
      if (!row) throw await denied([ticketId]);
      const masks = masksOf(actor);
      await record({ ids: idsOf(current), fields: ['summary', 'description', 'details', 'text'].filter((field) => !masks.includes(field)) });
      etag(current.revision);
      return {
        ...(await ticketAnswer(row, past, masks)),
        asOf: query.asOf ?? null,
        knownAt: query.knownAt ?? null,
        position: positions.seal(Number.isFinite(until) ? until : (events.at(-1)?.position ?? 0), actor),
      };
    },
  });

  readRoute(app, parts, {
    name: 'ListQueues',
    summary: 'How full each queue is',
    route: 'GET /v1/queues',
    roles: ['agent', 'operations', 'risk', 'auditor'],
    answer: pageAnswer(QueueItem),
    projections: ['tickets'],
    personal: false,
    csv: (['assignee', 'waiting', 'inProgress', 'dueWithinHour', 'breached', 'oldest'] as const).map((header) => ({
      header,
      value: (item: z.output<typeof QueueItem>) => item[header],
    })),
    read: async ({ actor }) => {
      const rows = await queuesSeenBy(await readModels.of<TicketTables>(undefined), actor, new Date(now()).toISOString());
      const items = rows.map(({ in_progress, due_within_hour, ...row }) => ({ ...row, inProgress: in_progress, dueWithinHour: due_within_hour }));
      return { items, next: null };
    },
  });

  readRoute(app, parts, {
    name: 'GetQueue',
    summary: 'What waits for someone, the nearest deadline first',
    route: 'GET /v1/queues/{assignee}',
    roles: ['agent', 'rm', 'teller', 'operations', 'risk', 'auditor'],
    params: z.strictObject({ assignee: text.meta({ description: 'A subject, or `none` for what nobody has taken yet' }) }),
    query: z.strictObject(pageParameters),
    answer: pageAnswer(TicketItem),
    projections: ['tickets'],
    personal: true,
    read: async ({ params, actor, page, record }) => {
      const db = await readModels.of<TicketTables>(undefined);
      return showItems(
        await page({ query: ticketsSeenBy(db, actor, { assignee: params.assignee, status: unresolved }), sort: byDue }),
        actor,
        record,
      );
    },
  });

  /** Of a replay: found as they were, seen by how they stand now. */
  async function ticketsFor(db: Kysely<TicketTables>, actor: Actor, filter: TicketFilter, replay: string | undefined) {
    if (replay === undefined) return ticketsSeenBy(db, actor, filter);
    const live = await readModels.of<TicketTables>(undefined);
    const seen = ticketsSeenBy(live, actor, { withCustomersInReach: true }).clearSelect().select('id');
    return ticketsSeenBy(db, everyone, filter).where('id', 'in', seen);
  }

  /** Beside who works on it, whoever sees its customer as relationship manager or in a branch's scope reads it. */
  async function isReadBy({ opened_by, assignee, customer_id }: TicketRow, actor: Actor): Promise<boolean> {
    if (ticketVisibleTo({ openedBy: opened_by, assignee }, actor)) return true;
    if (customer_id === null || actor.role === 'teller' || actor.role === 'agent') return false;
    const db = await readModels.of<CustomerTables>(undefined);
    return (await customersSeenBy(db, actor, { ids: [customer_id] }).executeTakeFirst()) !== undefined;
  }

  async function showItems(
    found: { items: StoredTicket[]; next: string | null; total?: number },
    actor: Parameters<typeof ticketItems>[1],
    record: (read: { ids: readonly string[]; fields: readonly string[] }) => Promise<void>,
  ) {
    // The record is written while the page is opened; nothing leaves before it stands.
    const [items] = await Promise.all([
      ticketItems(found.items, actor, opener),
      record({ ids: [...new Set(found.items.flatMap(idsOf))], fields: masksOf(actor).includes('summary') ? [] : ['summary'] }),
    ]);
    return { ...found, items };
  }

  async function streamOf(stream: string): Promise<readonly RecordedEvent[]> {
    return (await journal.readStream(stream)).map((stored) => {
      const event = codec.decode(stored);
      if ('unknown' in event) throw new Problem('NewerEvent');
      return event;
    });
  }

  async function ticketAnswer(row: TicketRow, past: readonly RecordedEvent[], masks: readonly string[]) {
    const events = past as readonly RecordedOf<typeof ticketEvents>[];
    const [first] = events;
    const told = first?.type === 'TicketOpened' || first?.type === 'TicketImported' ? first.data : undefined;
    const details = first?.type === 'TicketImported' ? first.data.details : undefined;
    const texts = events.map((event) => textOf(event));
    const sealed = [row.summary, told?.description, details, ...texts].map((value) => (value instanceof Sealed ? value : undefined));
    const opened = new Map(
      await opener
        .openMany(sealed.filter((value) => value !== undefined))
        .then((values) => sealed.filter((value) => value !== undefined).map((value, index) => [value, values[index]] as const)),
    );
    const open = (value: unknown): unknown => (value instanceof Sealed ? opened.get(value) : value);
    const hidden = (field: string): boolean => masks.includes(field);
    const detail = open(details);
    return {
      ...ticketItem(row, hidden('summary') ? null : shown(open(row.summary)), hidden('summary')),
      description: hidden('description') ? null : shown(open(told?.description)),
      details:
        hidden('details') || detail === undefined
          ? null
          : shown(detail) === null
            ? (detail as Record<string, string>)
            : (shown(detail) as { erased: true }),
      masked: [...masks],
      history: events.map((event, index) => ({
        revision: event.revision,
        event: event.type,
        what: wordsOf(event),
        ...(texts[index] === undefined ? {} : { text: hidden('text') ? null : shown(open(texts[index])) }),
        occurredAt: event.occurredAt,
        recordedAt: event.recordedAt,
        by: event.actor,
        channel: event.channel,
        purpose: event.purpose ?? null,
      })),
    };
  }
}

/** Of the record of reads: the ticket, and whom it is about. */
function idsOf({ id, customer_id }: Pick<TicketRow, 'id' | 'customer_id'>): readonly string[] {
  return customer_id === null ? [id] : [id, customer_id];
}

function foldOf(events: readonly RecordedEvent[]): TicketRow | undefined {
  return events.reduce<TicketRow | undefined>((row, event) => tickets.apply(row, event, ''), undefined);
}

function readsAsTime(time: string): boolean {
  try {
    // An offset may carry what begins well off over the edge.
    return isComparable(time) && isComparable(new Date(knownAtMs(time, 'UTC')).toISOString());
  } catch {
    return false;
  }
}

const DATE = /^\d{4}-\d{2}-\d{2}$/;

/** The instant at which a date starts in the bank's zone, or the instant itself. */
function startOf(time: string | undefined, zone: string): string | undefined {
  if (time === undefined) return undefined;
  const instant = DATE.test(time) ? Temporal.PlainDate.from(time).toZonedDateTime(zone).toInstant() : undefined;
  return new Date(instant?.epochMilliseconds ?? knownAtMs(time, zone)).toISOString();
}

/** The first instant after a date in the bank's zone, or the instant itself. */
function endOf(time: string | undefined, zone: string): string | undefined {
  if (time === undefined || !DATE.test(time)) return startOf(time, zone);
  return startOf(Temporal.PlainDate.from(time).add({ days: 1 }).toString(), zone);
}
