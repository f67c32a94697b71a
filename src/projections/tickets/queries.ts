// What may be asked of the ticket list. Whose rows one sees is part of each question, so that a hidden ticket can't touch any answer.
import { type Kysely, type SelectQueryBuilder, sql } from 'kysely';
import type { Actor } from '../../domain/kernel/event.ts';
import type { TicketRow } from './tickets.ts';

/** Rows as the table gives them: sealed values as text, tokens left aside. */
export type StoredTicket = Omit<TicketRow, 'summary' | 'search'> & { readonly summary: string };

export interface TicketTables {
  tickets: StoredTicket & { readonly search: readonly string[] };
}

type TicketQuery = SelectQueryBuilder<TicketTables, 'tickets', StoredTicket>;

export interface TicketFilter {
  readonly status?: readonly string[] | undefined;
  readonly type?: string | undefined;
  readonly priority?: string | undefined;
  readonly channel?: string | undefined;
  readonly product?: string | undefined;
  /** A subject, or `none` for what nobody has taken yet. */
  readonly assignee?: string | undefined;
  readonly source?: string | undefined;
  readonly verdict?: string | undefined;
  /** How either deadline stands: `running`, `met`, `breached`, `unknown`. */
  readonly clock?: string | undefined;
  /** A customer by id. */
  readonly customer?: string | undefined;
  /** Whether a relationship manager also reads what others do for own customers, as they stand now. */
  readonly withCustomersInReach?: boolean | undefined;
  /** RFC 3339; from inclusive, to exclusive. */
  readonly openedFrom?: string | undefined;
  readonly openedTo?: string | undefined;
  readonly dueBefore?: string | undefined;
  /** Keyed tokens of the words looked for: each must be there. */
  readonly tokens?: readonly string[] | undefined;
}

/** What a ticket's item shows. */
export const ticketColumns = [
  'id',
  'customer_id',
  'type',
  'priority',
  'channel',
  'product',
  'status',
  'assignee',
  'opened_by',
  'source_system',
  'source_id',
  'opened_at',
  'opened_month',
  'closed_at',
  'first_response_due_at',
  'first_response_at',
  'first_response',
  'resolution_due_at',
  'resolution_at',
  'resolution',
  'due_at',
  'sla_policy',
  'calendar',
  'provisional',
  'verdict',
  'summary',
  'revision',
] as const satisfies readonly (keyof StoredTicket)[];

/** Statuses of tickets that wait for someone. */
export const unresolved = ['open', 'assigned', 'in-progress'] as const;

/** The tickets that an actor may see and that match; unordered. */
export function ticketsSeenBy(db: Kysely<TicketTables>, actor: Actor, filter: TicketFilter): TicketQuery {
  const all = db.selectFrom('tickets').select(ticketColumns) as TicketQuery;
  let query = filter.withCustomersInReach ? withCustomersInReach(all, actor) : rowsOf(all, actor);
  if (filter.customer !== undefined) query = query.where('customer_id', '=', filter.customer);
  const { status, assignee, tokens, clock } = filter;
  if (status) query = query.where('status', 'in', [...status]);
  for (const column of ['type', 'priority', 'channel', 'product', 'verdict'] as const) {
    const wanted = filter[column];
    if (wanted !== undefined) query = query.where(column, '=', wanted);
  }
  if (assignee === 'none') query = query.where('assignee', 'is', null);
  else if (assignee !== undefined) query = query.where('assignee', '=', assignee);
  if (filter.source !== undefined) query = query.where('source_system', '=', filter.source);
  if (clock !== undefined) query = query.where((is) => is.or([is('first_response', '=', clock), is('resolution', '=', clock)]));
  if (filter.openedFrom !== undefined) query = query.where('opened_at', '>=', filter.openedFrom);
  if (filter.openedTo !== undefined) query = query.where('opened_at', '<', filter.openedTo);
  if (filter.dueBefore !== undefined) query = query.where('due_at', '<', filter.dueBefore);
  if (tokens && tokens.length > 0) query = query.where(sql<boolean>`search @> ${tokens}::bigint[]`);
  return query;
}

/**
 * Reading, not working on them: beside the tickets that one works on those of own customers, or of the customers of the branch that the
 * scope names. The customers are always the live ones.
 */
function withCustomersInReach(query: TicketQuery, actor: Actor): TicketQuery {
  const { role, subject } = actor;
  const branch = branchOf(actor);
  if (role !== 'rm' && (branch === undefined || !seesAll(role))) return rowsOf(query, actor);
  const customers =
    role === 'rm'
      ? sql<string>`(select id from read.customers where manager = ${subject})`
      : sql<string>`(select id from read.customers where branch = ${branch})`;
  return query.where((is) => is.or([is('assignee', '=', subject), is('opened_by', '=', subject), sql<boolean>`customer_id in ${customers}`]));
}

/** The rule of domain/ticket/ticket.ts, `ticketVisibleTo`, as a condition on rows: a test holds the two together. */
function rowsOf(query: TicketQuery, actor: Actor): TicketQuery {
  const { role, subject } = actor;
  const own = (): TicketQuery => query.where((is) => is.or([is('assignee', '=', subject), is('opened_by', '=', subject)]));
  switch (role) {
    case 'system':
    case 'risk':
    case 'auditor':
    case 'operations':
      return branchOf(actor) === undefined ? query : own();
    case 'agent':
      return query.where((is) => is.or([is('assignee', 'is', null), is('assignee', '=', subject), is('opened_by', '=', subject)]));
    case 'rm':
    case 'teller':
      return own();
    default:
      return query.where(sql<boolean>`false`);
  }
}

function seesAll(role: string): boolean {
  return role === 'risk' || role === 'auditor' || role === 'operations';
}

/** The one branch that the actor's scope names; undefined for the whole bank. */
function branchOf({ scope = 'bank' }: Actor): string | undefined {
  return scope === 'bank' ? undefined : scope.slice('branch:'.length);
}

export interface QueueRow {
  readonly assignee: string | null;
  readonly waiting: number;
  readonly in_progress: number;
  readonly due_within_hour: number;
  readonly breached: number;
  readonly oldest: string | null;
}

/** How full each queue is at an instant, for what an actor may see. */
export function queuesSeenBy(db: Kysely<TicketTables>, actor: Actor, now: string): Promise<QueueRow[]> {
  const soon = new Date(Date.parse(now) + 3_600_000).toISOString();
  const query = rowsOf(db.selectFrom('tickets') as unknown as TicketQuery, actor)
    .clearSelect()
    .select(['assignee', sql<number>`count(*)`.as('waiting'), sql<number>`count(*) filter (where status = 'in-progress')`.as('in_progress')])
    .select([
      sql<number>`count(*) filter (where due_at >= ${now} and due_at < ${soon})`.as('due_within_hour'),
      sql<number>`count(*) filter (where due_at < ${now})`.as('breached'),
      sql<string | null>`min(opened_at)`.as('oldest'),
    ])
    .where('status', 'in', [...unresolved])
    .groupBy('assignee')
    .orderBy('assignee', (order) => order.asc().nullsFirst());
  return query.execute() as unknown as Promise<QueueRow[]>;
}

export interface AttainmentRow {
  readonly product: string | null;
  readonly channel: string;
  readonly month: string;
  readonly tickets: number;
  readonly open: number;
  readonly first_response_met: number;
  readonly first_response_breached: number;
  readonly first_response_running: number;
  readonly first_response_unknown: number;
  readonly resolution_met: number;
  readonly resolution_breached: number;
  readonly resolution_running: number;
  readonly resolution_unknown: number;
  readonly verdict_timely: number;
  readonly verdict_untimely: number;
  readonly verdict_none: number;
}

export interface AttainmentFilter {
  readonly product?: string | undefined;
  readonly channel?: string | undefined;
  /** `2019-03`, inclusive both. */
  readonly fromMonth?: string | undefined;
  readonly toMonth?: string | undefined;
}

/** How deadlines were kept, by product, channel and month of receipt; the sources' own verdicts stand apart. No identity in it. */
export async function slaAttainment(db: Kysely<TicketTables>, actor: Actor, filter: AttainmentFilter): Promise<AttainmentRow[]> {
  const countOf = (condition: ReturnType<typeof sql<boolean>>) => sql<number>`count(*) filter (where ${condition})`;
  const stands = (column: 'first_response' | 'resolution', state: string) => countOf(sql<boolean>`${sql.ref(column)} = ${state}`);
  let query = db
    .selectFrom('tickets')
    .select(['product', 'channel', 'opened_month as month', sql<number>`count(*)`.as('tickets')])
    .select([
      countOf(sql<boolean>`status not in ('resolved', 'closed')`).as('open'),
      stands('first_response', 'met').as('first_response_met'),
      stands('first_response', 'breached').as('first_response_breached'),
      stands('first_response', 'running').as('first_response_running'),
      stands('first_response', 'unknown').as('first_response_unknown'),
      stands('resolution', 'met').as('resolution_met'),
      stands('resolution', 'breached').as('resolution_breached'),
      stands('resolution', 'running').as('resolution_running'),
      stands('resolution', 'unknown').as('resolution_unknown'),
      countOf(sql<boolean>`verdict = 'timely'`).as('verdict_timely'),
      countOf(sql<boolean>`verdict = 'untimely'`).as('verdict_untimely'),
      countOf(sql<boolean>`verdict is null`).as('verdict_none'),
    ])
    .groupBy(['product', 'channel', 'opened_month'])
    .orderBy('opened_month')
    .orderBy('product')
    .orderBy('channel');
  const branch = branchOf(actor);
  if (branch !== undefined) query = query.where(sql<boolean>`customer_id in (select id from read.customers where branch = ${branch})`);
  if (filter.product !== undefined) query = query.where('product', '=', filter.product);
  if (filter.channel !== undefined) query = query.where('channel', '=', filter.channel);
  if (filter.fromMonth !== undefined) query = query.where('opened_month', '>=', filter.fromMonth);
  if (filter.toMonth !== undefined) query = query.where('opened_month', '<=', filter.toMonth);
  return query.execute();
}
