// What may be asked of the list of approvals. Whose one sees is part of each question (domain/approval/approval.ts, approvalVisibleTo): a
// relationship manager's own of a customer who is theirs no more are not there either.
import { type Kysely, type SelectQueryBuilder, type SqlBool, sql } from 'kysely';
import { seesEveryApproval } from '../../domain/approval/approval.ts';
import type { Actor } from '../../domain/kernel/event.ts';
import { LIVE_SCHEMA } from '../engine/engine.ts';
import type { ApprovalRow } from './approvals.ts';

export interface ApprovalTables {
  approvals: ApprovalRow;
}

export interface ApprovalFilter {
  /** `me`: what this actor may decide; `mine`: what they asked for; `overdue`: of either what waits beyond its due time. */
  readonly for?: 'me' | 'mine' | 'overdue' | undefined;
  readonly state?: string | undefined;
  readonly customer?: string | undefined;
  /** RFC 3339 UTC, by the one clock. */
  readonly now: string;
}

/** The approvals that an actor may see and that match; unordered. */
export function approvalsSeenBy(
  db: Kysely<ApprovalTables>,
  actor: Actor,
  filter: ApprovalFilter,
): SelectQueryBuilder<ApprovalTables, 'approvals', ApprovalRow> {
  let query = db.selectFrom('approvals').selectAll().where(isSeen(actor));
  if (filter.state !== undefined) query = query.where('state', '=', filter.state);
  if (filter.customer !== undefined) query = query.where('customer_id', '=', filter.customer);
  if (filter.for === 'mine') query = query.where('maker', '=', actor.subject);
  if (filter.for === 'me') query = query.where(isToDecide(actor, filter.now));
  if (filter.for === 'overdue')
    query = query
      .where('due_at', '<', filter.now)
      .where((is) => is.or([isToDecide(actor, filter.now), is.and([is('maker', '=', actor.subject), waits(filter.now)])]));
  return query;
}

/** What waits for approval of one customer, the oldest first: for who may see the customer. */
export function pendingOf(db: Kysely<ApprovalTables>, customerId: string, now: string): Promise<ApprovalRow[]> {
  return db
    .selectFrom('approvals')
    .selectAll()
    .where('customer_id', '=', customerId)
    .where(waits(now))
    .orderBy('requested_at')
    .orderBy('id')
    .execute();
}

/** Those about a customer, as the names of their streams: for the history of who may see the customer. */
export async function approvalStreamsOf(db: Kysely<ApprovalTables>, customerId: string): Promise<readonly string[]> {
  const rows = await db.selectFrom('approvals').select('id').where('customer_id', '=', customerId).execute();
  return rows.map(({ id }) => `approval-${id}`);
}

function isSeen(actor: Actor) {
  if (seesEveryApproval(actor)) return sql<SqlBool>`true`;
  const own = sql<SqlBool>`maker = ${actor.subject}`;
  if (actor.role !== 'rm') return own;
  const customers = sql.table(`${LIVE_SCHEMA}.customers`);
  return sql<SqlBool>`(${own} and (customer_id is null or customer_id in (select id from ${customers} where manager = ${actor.subject})))`;
}

function waits(now: string) {
  return sql<SqlBool>`(state = 'waiting' and expires_at > ${now}::timestamptz)`;
}

function isToDecide(actor: Actor, now: string) {
  const { subject, role, onBehalfOf } = actor;
  if (!seesEveryApproval(actor)) return sql<SqlBool>`false`;
  const hands = [subject, ...(onBehalfOf === undefined ? [] : [onBehalfOf])];
  return sql<SqlBool>`(${waits(now)} and ${role} = any(approvers) and maker <> all(${hands}::text[]) and coalesce(maker_for, '') <> all(${hands}::text[]))`;
}
