// What may be asked of enrolments: the list and the funnel. Whose customers count is part of each question, so that a hidden customer
// can't touch any list or figure.
import { type ExpressionBuilder, type Kysely, type SelectQueryBuilder, sql } from 'kysely';
import type { Actor } from '../../domain/kernel/event.ts';
import type { EnrolmentRow } from './enrolments.ts';

/** Of the customer list only what says whose they are. */
export interface EnrolmentTables {
  enrolments: EnrolmentRow;
  customers: { readonly id: string; readonly manager: string | null; readonly branch: string | null };
}

type CustomerIds = SelectQueryBuilder<EnrolmentTables, 'customers', { id: string }>;

/**
 * Ids of the customers whose enrolments an actor's lists and figures are made of; undefined for every customer's. By the rule of
 * domain/customer/visibility.ts (a test holds the two together), and for product and management, who see figures but nobody's identity,
 * all within their scope.
 *
 * @param live the rights of now, whichever past is asked for
 */
export function customersWithin(live: Kysely<EnrolmentTables>, { role, subject, sight, scope = 'bank' }: Actor): CustomerIds | undefined {
  const ids = live.selectFrom('customers').select('id');
  switch (role) {
    case 'rm':
      return ids.where('manager', '=', subject);
    case 'teller':
    case 'agent':
      return sight === undefined ? ids.where(sql<boolean>`false`) : ids.where('id', '=', sight);
    case 'risk':
    case 'auditor':
    case 'operations':
    case 'product':
    case 'management':
      return scope === 'bank' ? undefined : ids.where('branch', '=', scope.slice('branch:'.length));
    default:
      return ids.where(sql<boolean>`false`);
  }
}

/** The enrolments in a campaign; unordered. */
export function enrolmentsIn(
  db: Kysely<EnrolmentTables>,
  within: CustomerIds | undefined,
  { campaignId, response }: { readonly campaignId: string; readonly response?: string | undefined },
): SelectQueryBuilder<EnrolmentTables, 'enrolments', EnrolmentRow> {
  let query = db.selectFrom('enrolments').selectAll().where('campaign_id', '=', campaignId);
  if (response !== undefined) query = query.where('response', '=', response);
  return within === undefined ? query : query.where(isOf(within));
}

export interface Funnel {
  readonly enrolled: number;
  /** With any response. */
  readonly responded: number;
  /** How many have each as their last response, by its label. */
  readonly byResponse: Readonly<Record<string, number>>;
}

export const emptyFunnel: Funnel = { enrolled: 0, responded: 0, byResponse: {} };

/** Funnels by campaign, of all or of one; a campaign that nobody counted is enrolled in has none. */
export async function funnelsOf(
  db: Kysely<EnrolmentTables>,
  within: CustomerIds | undefined,
  campaignId?: string | undefined,
): Promise<ReadonlyMap<string, Funnel>> {
  let query = db
    .selectFrom('enrolments')
    .select(['campaign_id', 'response', sql<string>`count(*)::text`.as('n')])
    .groupBy(['campaign_id', 'response'])
    .orderBy('response');
  if (campaignId !== undefined) query = query.where('campaign_id', '=', campaignId);
  if (within !== undefined) query = query.where(isOf(within));
  const rows = await query.execute();
  return new Map([...Map.groupBy(rows, (row) => row.campaign_id)].map(([id, counts]) => [id, funnelOf(counts)]));
}

function isOf(within: CustomerIds) {
  return (eb: ExpressionBuilder<EnrolmentTables, 'enrolments'>) => eb('customer_id', 'in', within);
}

function funnelOf(counts: readonly { readonly response: string | null; readonly n: string }[]): Funnel {
  const responses = counts.filter((row): row is { response: string; n: string } => row.response !== null);
  const sum = (rows: readonly { readonly n: string }[]): number => rows.reduce((total, { n }) => total + Number(n), 0);
  return {
    enrolled: sum(counts),
    responded: sum(responses),
    byResponse: Object.fromEntries(responses.map(({ response, n }) => [response, Number(n)])),
  };
}
