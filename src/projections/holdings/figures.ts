// Sums over what customers hold, for reports: no identity in them. Whose accounts are counted is part of each question. The tables stand
// in one schema, live or a replay's; whose customers a relationship manager's are is asked of the live list, as rights are today's.
import { type ExpressionBuilder, type Kysely, type SqlBool, sql } from 'kysely';
import type { Actor } from '../../domain/kernel/event.ts';
import { LIVE_SCHEMA } from '../engine/engine.ts';
import type { HoldingRow } from './row.ts';

type HoldingColumns = 'id' | 'kind' | 'account_id' | 'customer_ref' | 'role' | 'status' | 'source_status' | 'product' | 'branch' | 'currency';
type AccountDates = 'amount' | 'since' | 'until' | 'reported_on';

export interface FigureTables {
  holdings: Pick<HoldingRow, HoldingColumns | AccountDates>;
  transactions: {
    readonly account_id: string;
    readonly kind: string;
    readonly booked_on: string;
    readonly currency: string;
    readonly balance: number | null;
    readonly void_position: number | null;
  };
}

/** Whether rows of an account count for an actor: those that own customers own, those of the branch that the scope names, or all. */
function countsFor<Table extends 'holdings' | 'transactions'>(is: ExpressionBuilder<FigureTables, Table>, { role, subject, scope = 'bank' }: Actor) {
  // Both tables have the column; a union of builders can't be called.
  const on = is as unknown as ExpressionBuilder<FigureTables, 'holdings'>;
  if (role === 'rm') {
    const refs = sql<string>`(select unnest(refs) from ${sql.table(`${LIVE_SCHEMA}.customers`)} where manager = ${subject})`;
    const owned = on
      .selectFrom('holdings as owned')
      .select('owned.account_id')
      .where('owned.kind', '=', 'ownership')
      .where('owned.status', '=', 'current')
      .where('owned.role', 'in', ['owner', 'joint-owner'])
      .where(sql<SqlBool>`owned.customer_ref in ${refs}`);
    return on('account_id', 'in', owned);
  }
  if (scope === 'bank') return sql<SqlBool>`true`;
  const within = on.selectFrom('holdings as within').select('within.id').where('within.kind', '=', 'account');
  return on('account_id', 'in', within.where('within.branch', '=', scope.slice('branch:'.length)));
}

export interface SummaryRow {
  readonly kind: string;
  /** Of ownerships. */
  readonly role: string | null;
  readonly status: string | null;
  readonly source_status: string | null;
  /** Of cards. */
  readonly card_product: string | null;
  readonly currency: string | null;
  readonly count: number;
  /** Of loans what was lent, of orders what is paid each time; minor units, however many. */
  readonly amount: string | null;
}

/** How many there are of each kind as last reported, and transactions by currency; ended ownerships and void transactions are left out. */
export async function holdingsSummary(db: Kysely<FigureTables>, actor: Actor): Promise<SummaryRow[]> {
  const [held, posted] = await Promise.all([holdingCounts(db, actor), transactionCounts(db, actor)]);
  const none = { kind: 'transaction', role: null, status: null, source_status: null, card_product: null, amount: null };
  return [...held, ...posted.map((row) => ({ ...none, ...row }))];
}

function transactionCounts(db: Kysely<FigureTables>, actor: Actor): Promise<{ readonly currency: string; readonly count: number }[]> {
  return db
    .selectFrom('transactions')
    .select(['currency', sql<number>`count(*)`.as('count')])
    .where((is) => countsFor(is, actor))
    .where('kind', '=', 'posted')
    .where('void_position', 'is', null)
    .groupBy('currency')
    .orderBy('currency')
    .execute();
}

function holdingCounts(db: Kysely<FigureTables>, actor: Actor): Promise<SummaryRow[]> {
  const groups = ['kind', 'role', 'status', 'source_status', 'card_product', 'currency'] as const;
  return db
    .selectFrom('holdings')
    .select(['kind', 'role', 'status', 'source_status', 'currency', sql<number>`count(*)`.as('count')])
    .select([
      sql<string | null>`case when kind = 'card' then product end`.as('card_product'),
      sql<string | null>`(sum(amount) filter (where kind in ('loan', 'order')))::text`.as('amount'),
    ])
    .where((is) => countsFor(is, actor))
    .where(sql<SqlBool>`(kind <> 'ownership' or status = 'current')`)
    .groupBy(groups.map((group) => sql.ref(group)))
    .orderBy(sql`kind, role, status, source_status, card_product, currency`)
    .execute();
}

export interface BalanceRow {
  /** `2019-03` */
  readonly month: string;
  readonly currency: string;
  /** Minor units, however many; null where no balance is known. */
  readonly balance: string | null;
  readonly accounts: number;
  readonly known: number;
  readonly older: number;
}

/** `2019-03`, inclusive both. */
export interface MonthRange {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

export const MOST_MONTHS = 1_200;

/**
 * What stood on accounts at each month's end, by currency: of each the last balance told by then, and what moved since where that tells
 * none; what it came with, from its day on, where no transaction tells one; carried on until it closed. The same as an account's own
 * balance in a 360 view.
 * Months are from the first transaction to the last where not given.
 */
export async function balancesByMonth(db: Kysely<FigureTables>, actor: Actor, { from, to }: MonthRange): Promise<BalanceRow[]> {
  const month = (text: string | undefined) => sql<string | null>`${text === undefined ? null : `${text}-01`}::timestamp`;
  const { rows } = await sql<BalanceRow>`
    with seen as (${seenAccounts(db, actor)}),
    told as (
      select account_id, currency, month, max(balance) filter (where told = 1) as balance, coalesce(sum(moved) filter (where told = 0), 0) as moved
        from (${entries(db, actor)}) entry group by 1, 2, 3),
    stretches as (
      select *, count(balance) over (partition by account_id, currency order by month) as stretch from told),
    spans as (
      select account_id, currency, month as from_month, lead(month) over (partition by account_id, currency order by month) as to_month,
             sum(coalesce(balance, 0) + moved) over (partition by account_id, currency, stretch order by month) as balance
        from stretches where stretch > 0),
    dates as (${dates(db, actor)}),
    accounts as (
      select account_id, coalesce(seen.currency, dates.currency) as currency, least(seen.opened_on, dates.first_on) as opened_on, seen.closed_on
        from seen full join dates using (account_id)),
    asked as (
      select coalesce(${month(from)}, least(date_trunc('month', min(first_on)::timestamp), ${month(to)})) as first,
             coalesce(${month(to)}, greatest(date_trunc('month', max(last_on)::timestamp), ${month(from)})) as last
        from dates where posted),
    bounds as (select greatest(first, last - ${MOST_MONTHS - 1} * interval '1 month') as first, last from asked),
    open as (
      select month, currency, count(*) as accounts
        from bounds cross join generate_series(first, last, interval '1 month') month
        join accounts on opened_on < month + interval '1 month' and (closed_on is null or closed_on >= month + interval '1 month')
       group by 1, 2),
    known as (
      select month, s.currency, sum(balance)::text as balance, count(*) as known, count(*) filter (where from_month < month) as older
        from spans s join accounts a using (account_id) cross join bounds
        -- Each span by its own months: joined by comparing, every span would meet every month.
        cross join generate_series(greatest(from_month, first), least(to_month - interval '1 month', last), interval '1 month') month
       where a.closed_on is null or a.closed_on >= month + interval '1 month' group by 1, 2)
    select to_char(month, 'YYYY-MM') as month, currency, balance, coalesce(accounts, 0) as accounts, coalesce(known, 0) as known,
           coalesce(older, 0) as older
      from open full join known using (month, currency) order by 1, 2`.execute(db);
  return rows;
}

function seenAccounts(db: Kysely<FigureTables>, actor: Actor) {
  return db
    .selectFrom('holdings')
    .select(['id as account_id', 'currency', 'since as opened_on'])
    .select(sql<string | null>`coalesce(until, case when status = 'closed' then reported_on end)`.as('closed_on'))
    .where('kind', '=', 'account')
    .where((is) => countsFor(is, actor));
}

/** When each account's transactions were; one that came with a balance and nothing else is not `posted`. */
function dates(db: Kysely<FigureTables>, actor: Actor) {
  return db
    .selectFrom('transactions')
    .select(['account_id', sql`min(currency)`.as('currency'), sql`min(booked_on)`.as('first_on'), sql`max(booked_on)`.as('last_on')])
    .select(sql`bool_or(kind = 'posted')`.as('posted'))
    .where('void_position', 'is', null)
    .where((is) => countsFor(is, actor))
    .groupBy('account_id');
}

/** What moved before the day of the balance that an account came with is in that balance, where no transaction tells one by then. */
function isInOpening({ exists, not, selectFrom }: ExpressionBuilder<FigureTables, 'transactions'>) {
  const told = selectFrom('transactions as told')
    .select(sql`1`.as('one'))
    .where(sql<SqlBool>`told.account_id = transactions.account_id and told.kind = 'posted' and told.balance is not null
                        and told.void_position is null and told.booked_on <= opening.booked_on and told.currency = opening.currency`);
  return exists(
    selectFrom('transactions as opening')
      .select(sql`1`.as('one'))
      .where(sql<SqlBool>`opening.id = 'opening-' || transactions.account_id and opening.currency = transactions.currency
                          and opening.booked_on > transactions.booked_on`)
      .where(not(exists(told))),
  );
}

/** What moves on an account in another currency than its own is in no balance. */
function inAnotherCurrency({ selectFrom }: ExpressionBuilder<FigureTables, 'transactions'>) {
  return selectFrom('holdings as account')
    .select(sql`1`.as('one'))
    .where(sql<SqlBool>`account.id = transactions.account_id and account.kind = 'account' and account.currency <> transactions.currency`);
}

/**
 * Each transaction with its month, what it moved, and how many from it to the month's end tell a balance: 1 where it is the last that does,
 * 0 after that one. What an account came with counts only until a transaction tells one.
 */
function entries(db: Kysely<FigureTables>, actor: Actor) {
  const told = ({ exists, selectFrom }: ExpressionBuilder<FigureTables, 'transactions'>) =>
    exists(
      selectFrom('transactions as earlier')
        .select(sql`1`.as('one'))
        .where(sql<SqlBool>`earlier.account_id = transactions.account_id and earlier.currency = transactions.currency and earlier.kind = 'posted' and earlier.balance is not null
                            and earlier.void_position is null and earlier.booked_on <= transactions.booked_on`),
    );
  const month = sql`date_trunc('month', booked_on::timestamp)::date`;
  return db
    .selectFrom('transactions')
    .select(['account_id', 'currency', month.as('month'), 'balance'])
    .select((is) => [
      sql`case when balance is not null or ${isInOpening(is)} then 0 when direction = 'credit' then amount when direction = 'debit' then -amount
               else 0 end`.as('moved'),
      sql`count(balance) over (partition by account_id, currency, ${month} order by kind = 'posted' desc, starts_at desc, position desc)`.as('told'),
    ])
    .where('void_position', 'is', null)
    .where((is) => is.or([is('kind', '=', 'posted'), is.not(told(is))]))
    .where((is) => is.not(is.exists(inAnotherCurrency(is))))
    .where((is) => countsFor(is, actor));
}
