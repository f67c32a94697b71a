// What may be asked of how customers are classed: the list, and counts without identity. Whose customers count is part of each question.
import { type Kysely, type SelectQueryBuilder, type SqlBool, sql } from 'kysely';
import type { Actor } from '../../domain/kernel/event.ts';
import { LIVE_SCHEMA } from '../engine/engine.ts';
import type { ClassificationRow } from './classifications.ts';

/** Of the customer list only what says whose they are. */
export interface ClassificationTables {
  classifications: ClassificationRow;
  customers: { readonly id: string; readonly manager: string | null; readonly branch: string | null; readonly standing: string };
}

export interface ClassificationFilter {
  readonly dimension: string;
  readonly value?: string | undefined;
  /** With a review due on this day or before. */
  readonly dueBy?: string | undefined;
}

type ClassificationQuery = SelectQueryBuilder<ClassificationTables, 'classifications', ClassificationRow>;

/**
 * The values that hold today; unordered.
 * @param within a query of the ids of the customers that the reader may see
 */
export function classificationsOf(
  db: Kysely<ClassificationTables>,
  within: SelectQueryBuilder<never, never, { id: string }>,
  { dimension, value, dueBy }: ClassificationFilter,
  today: string,
): ClassificationQuery {
  let query = db.selectFrom('classifications').selectAll().where('dimension', '=', dimension).where(holds(today));
  query = value === undefined ? query.where('value', 'is not', null) : query.where('value', '=', value);
  if (dueBy !== undefined) query = query.where('review_due_on', '<=', dueBy);
  return query.where(sql<SqlBool>`customer_id in (${within})`);
}

export interface ClassCount {
  /** Null for customers without one. */
  readonly value: string | null;
  readonly customers: number;
}

/** How many customers have each value of a dimension today, and how many none; prospects aside. No identity in it. */
export function classCounts(
  db: Kysely<ClassificationTables>,
  { role, subject, scope = 'bank' }: Actor,
  dimension: string,
  today: string,
): Promise<ClassCount[]> {
  let query = db
    .selectFrom('customers')
    .leftJoin('classifications as held', (join) =>
      join
        .on(sql<SqlBool>`held.id = customers.id || '/' || ${dimension}`)
        .on(sql<SqlBool>`(held.valid_until is null or held.valid_until >= ${today}::date)`),
    )
    .select(['held.value', sql<number>`count(*)`.as('customers')])
    .where('customers.standing', '=', 'customer');
  if (role === 'rm')
    query = query.where(sql<SqlBool>`customers.id in (select id from ${sql.table(`${LIVE_SCHEMA}.customers`)} where manager = ${subject})`);
  else if (scope !== 'bank') query = query.where('customers.branch', '=', scope.slice('branch:'.length));
  return query
    .groupBy('held.value')
    .orderBy('held.value', (order) => order.asc().nullsLast())
    .execute();
}

function holds(today: string) {
  return sql<SqlBool>`(valid_until is null or valid_until >= ${today}::date)`;
}
