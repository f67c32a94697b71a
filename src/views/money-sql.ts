// Balances, flows and the last transactions of some accounts in SQL, under a cut of both times: a past is a condition on rows here.
import { quoted } from '../projections/engine/columns.ts';
import { type BalanceRow, type FlowRow, LAST_TRANSACTIONS, type Money, type StoredTransaction, viewColumns } from './customer-rows.ts';

export interface MoneySql {
  /** The schema of the read models. */
  readonly schema: string;
  /** SQL of a `text[]`: the accounts. */
  readonly accounts: string;
  /** SQL of a bigint: nothing recorded after it counts. */
  readonly position: string;
  /** SQL of two dates: the first day of the flows, and the first day after them, on which nothing counts yet. */
  readonly from: string;
  readonly to: string;
  /** SQL of the rows (account_id, balance, currency, booked_on) that these accounts came with. */
  readonly openings: string;
  /** SQL of the rows (account_id, currency) that these accounts are reported with; those of the schema where left out. */
  readonly currencies?: string;
  /** A condition on rows `t` beside that, for the world's time. */
  readonly counts?: string;
}

/**
 * Common table expressions `balances`, `flows` and `last_transactions`, each by account (`moneyOf` puts them together). A balance is what the
 * last transaction that says one says, and what came since; where none does, what the account came with, from its day on, and what came since.
 * What moves on an account in another currency than its own is in its flows, and in no balance.
 */
export function moneyTables({ schema, accounts, position, openings, from, to, currencies, counts = 'true' }: MoneySql): string {
  const reported = currencies ?? `select id as account_id, currency from ${quoted(schema)}.holdings where id = any(${accounts}) and kind = 'account'`;
  const table = `${quoted(schema)}.transactions t`;
  const stands = `t.position <= ${position} and (t.void_position is null or t.void_position > ${position}) and ${counts}`;
  const signed = `case t.direction when 'credit' then t.amount when 'debit' then -t.amount else 0 end`;
  return `opening as materialized (${openings}),
  reported as materialized (${reported}),
  balances as materialized (
    select a.id as account_id, coalesce(known.currency, o.currency) as currency,
           (coalesce(known.balance, o.balance) + coalesce(later.amount, 0))::text as amount,
           to_char(greatest(coalesce(known.booked_on, o.booked_on), later.booked_on), 'YYYY-MM-DD') as as_of
      from unnest(${accounts}) as a(id)
      left join reported r on r.account_id = a.id
      left join opening o on o.account_id = a.id and o.booked_on < ${to} and o.currency = coalesce(r.currency, o.currency)
      left join lateral (
        select t.balance, t.currency, t.booked_on, t.starts_at, t.position from ${table}
         where t.account_id = a.id and t.kind = 'posted' and t.balance is not null and t.currency = coalesce(r.currency, t.currency) and ${stands}
         order by t.starts_at desc, t.position desc limit 1) known on true
      left join lateral (
        select sum(${signed}) as amount, max(t.booked_on) as booked_on from ${table}
         where t.account_id = a.id and t.kind = 'posted' and t.currency = coalesce(known.currency, o.currency) and ${stands}
           and (t.starts_at, t.position) > (coalesce(known.starts_at, '-infinity'), coalesce(known.position, 0))
           and (known.balance is not null or t.booked_on >= o.booked_on)) later on true
     where known.balance is not null or o.balance is not null),
  flows as materialized (
    select t.account_id, to_char(t.booked_on, 'YYYY-MM') as month, t.currency, t.category,
           coalesce(sum(t.amount) filter (where t.direction = 'credit'), 0)::text as inflow,
           coalesce(sum(t.amount) filter (where t.direction = 'debit'), 0)::text as outflow
      from ${table}
     where t.account_id = any(${accounts}) and t.kind = 'posted' and ${stands}
       and t.booked_on >= ${from} and t.booked_on < ${to}
       -- A day starts within a day of UTC's everywhere: this lets the index find the window.
       and t.starts_at >= ${from} - interval '2 days' and t.starts_at < ${to} + interval '2 days'
     group by 1, 2, 3, 4),
  last_transactions as materialized (
    select l.* from unnest(${accounts}) as a(id)
      cross join lateral (
        select ${viewColumns.transactions.map((column) => `t.${column}`).join(', ')}, t.starts_at from ${table}
         where t.account_id = a.id and t.kind = 'posted' and ${stands}
         order by t.starts_at desc, t.position desc limit ${LAST_TRANSACTIONS}) l)`;
}

/** The columns of the three as JSON. */
export const MONEY_COLUMNS = `
  (select coalesce(json_agg(b), '[]') from balances b) as balances,
  (select coalesce(json_agg(f), '[]') from flows f) as flows,
  (select coalesce(json_agg(l), '[]') from last_transactions l) as transactions`;

/** What the three are before they are put together. */
export interface MoneyByAccount {
  readonly balances: readonly BalanceRow[];
  readonly flows: readonly (FlowRow & { readonly account_id: string })[];
  readonly transactions: readonly (StoredTransaction & { readonly starts_at: string })[];
}

/** The money of one customer's accounts. */
export function moneyOf({ balances, flows, transactions }: MoneyByAccount, owned: ReadonlySet<string>): Money {
  const sums = new Map<string, FlowRow>();
  for (const { account_id, month, currency, category, inflow, outflow } of flows) {
    if (!owned.has(account_id)) continue;
    const key = JSON.stringify([month, currency, category]);
    const sum = sums.get(key);
    sums.set(key, { month, currency, category, inflow: added(sum?.inflow, inflow), outflow: added(sum?.outflow, outflow) });
  }
  return {
    balances: balances.filter(({ account_id }) => owned.has(account_id)),
    flows: [...sums.values()],
    transactions: transactions
      .filter(({ account_id }) => owned.has(account_id))
      .sort((one, other) => (one.starts_at === other.starts_at ? other.position - one.position : one.starts_at < other.starts_at ? 1 : -1))
      .slice(0, LAST_TRANSACTIONS),
  };
}

function added(sum: string | undefined, more: string): string {
  return sum === undefined ? more : String(BigInt(sum) + BigInt(more));
}
