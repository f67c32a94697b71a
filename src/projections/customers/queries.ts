// What may be asked of the customer list. Whose rows one sees is part of each question, so that a hidden customer can't touch any answer.
import { type ExpressionBuilder, type Kysely, type SelectQueryBuilder, type SqlBool, sql } from 'kysely';
import type { Actor } from '../../domain/kernel/event.ts';
import { LIVE_SCHEMA } from '../engine/engine.ts';
import type { CustomerRow } from './row.ts';

/** Rows as the table gives them: sealed values as text, tokens left aside. */
export type StoredCustomer = Omit<CustomerRow, 'name' | 'names' | 'documents' | 'phones'> & { readonly name: string | null };

export interface CustomerTables {
  customers: StoredCustomer & { readonly names: readonly string[]; readonly documents: readonly string[]; readonly phones: readonly string[] };
}

type CustomerQuery = SelectQueryBuilder<CustomerTables, 'customers', StoredCustomer>;

export interface CustomerFilter {
  /** Keyed tokens of the name looked for: each must be there. */
  readonly nameTokens?: readonly string[] | undefined;
  /** The keyed token of a whole document number, or phone number. */
  readonly documentToken?: string | undefined;
  readonly phoneToken?: string | undefined;
  readonly tag?: string | undefined;
  /** A subject, or `none` for those whom nobody is responsible for. */
  readonly manager?: string | undefined;
  readonly branch?: string | undefined;
  readonly kind?: string | undefined;
  readonly standing?: string | undefined;
  readonly incomplete?: boolean | undefined;
  readonly ids?: readonly string[] | undefined;
}

export const customerColumns = [
  'id',
  'kind',
  'standing',
  'name',
  'tags',
  'manager',
  'branch',
  'refs',
  'pairs',
  'incomplete',
  'since',
  'since_on',
  'profile',
  'position',
  'revision',
] as const satisfies readonly (keyof StoredCustomer)[];

/** The customers that an actor may see and that match; unordered. */
export function customersSeenBy(db: Kysely<CustomerTables>, actor: Actor, filter: CustomerFilter): CustomerQuery {
  let query = (db.selectFrom('customers').select(customerColumns) as CustomerQuery).where((is) => seenBy(is, actor));
  const { nameTokens, manager } = filter;
  for (const column of ['branch', 'kind', 'standing', 'incomplete'] as const) {
    const wanted = filter[column];
    if (wanted !== undefined) query = query.where(column, '=', wanted);
  }
  if (manager === 'none') query = query.where('manager', 'is', null);
  else if (manager !== undefined) query = query.where('manager', '=', manager);
  if (filter.ids !== undefined) query = query.where(sql<boolean>`id = any(${filter.ids}::text[])`);
  // Contained in, not equal to any: that is what the indexes answer.
  if (nameTokens && nameTokens.length > 0) query = query.where(sql<boolean>`names @> ${nameTokens}::bigint[]`);
  if (filter.documentToken !== undefined) query = query.where(sql<boolean>`documents @> ${[filter.documentToken]}::bigint[]`);
  if (filter.phoneToken !== undefined) query = query.where(sql<boolean>`phones @> ${[filter.phoneToken]}::bigint[]`);
  if (filter.tag !== undefined) query = query.where(sql<boolean>`tags @> ${[filter.tag]}::text[]`);
  return query;
}

/** The rule of domain/customer/visibility.ts, `customerVisibleTo`, as a condition on rows: a test holds the two together. */
export function seenBy(is: ExpressionBuilder<CustomerTables, 'customers'>, { role, subject, scope = 'bank', sight }: Actor) {
  const nobody = sql<SqlBool>`false`;
  switch (role) {
    case 'system':
      return sql<SqlBool>`true`;
    case 'rm':
      return is('manager', '=', subject);
    case 'teller':
    case 'agent':
      return sight === undefined ? nobody : is('id', '=', sight);
    case 'risk':
    case 'auditor':
    case 'operations':
      return scope === 'bank' ? sql<SqlBool>`true` : is('branch', '=', scope.slice('branch:'.length));
    default:
      return nobody;
  }
}

export interface BranchRow {
  readonly branch: string | null;
  readonly customers: number;
  readonly prospects: number;
  readonly persons: number;
  readonly organisations: number;
  readonly incomplete: number;
}

/**
 * How many parties each branch has; no identity in it. A relationship manager's are own customers, by the live list as rights are today's;
 * of the others each sees what their scope reaches.
 */
export function customersByBranch(db: Kysely<CustomerTables>, { role, subject, scope = 'bank' }: Actor): Promise<BranchRow[]> {
  const countOf = (condition: ReturnType<typeof sql<boolean>>) => sql<number>`count(*) filter (where ${condition})`;
  let query = db
    .selectFrom('customers')
    .select([
      'branch',
      countOf(sql`standing = 'customer'`).as('customers'),
      countOf(sql`standing = 'prospect'`).as('prospects'),
      countOf(sql`kind = 'person'`).as('persons'),
      countOf(sql`kind = 'organisation'`).as('organisations'),
      countOf(sql`incomplete`).as('incomplete'),
    ]);
  if (role === 'rm') query = query.where(sql<SqlBool>`id in (select id from ${sql.table(`${LIVE_SCHEMA}.customers`)} where manager = ${subject})`);
  else if (scope !== 'bank') query = query.where('branch', '=', scope.slice('branch:'.length));
  return query
    .groupBy('branch')
    .orderBy('branch', (order) => order.asc().nullsLast())
    .execute();
}
