// What customers had on average over each day of a month (月日均): of the accounts that they own now, in one currency, from the balances
// that transactions tell and what moved since. An overdraft is no asset and counts as 0; a joint account counts whole for each owner, as
// in the 360 view; days before the first known balance of an account count as 0, and a month in which none is known is unknown.
import { textArrayLiteral } from '../engine/columns.ts';
import { LIVE_SCHEMA } from '../engine/engine.ts';

export interface AverageRow {
  readonly customer_id: string;
  /** `2026-01` */
  readonly month: string;
  /** Whole minor units as decimal text, rounded down. */
  readonly average: string;
}

export interface OtherCurrencyRow {
  readonly customer_id: string;
  readonly currency: string;
  readonly accounts: number;
}

/** `YYYY-MM-DD`: the first day of the first month, and the first day after the last. */
export interface AverageWindow {
  readonly from: string;
  readonly to: string;
}

const R = `${LIVE_SCHEMA}.`;
const owned = `owned as materialized (
    select distinct c.id as customer_id, a.id as account_id, a.currency, coalesce(a.until, case when a.status = 'closed' then a.reported_on end) as closed_on
      from ${R}customers c
      join ${R}holdings o on o.customer_ref = any(c.refs) and o.kind = 'ownership' and o.status = 'current' and o.role in ('owner', 'joint-owner')
      join ${R}holdings a on a.id = o.account_id and a.kind = 'account'
     where c.id = any($1::text[]))`;

/** The averages of the window's months in which anything is known; unordered. */
export function averagesQuery(customers: readonly string[], currency: string, { from, to }: AverageWindow) {
  return {
    name: 'holdings/monthly-averages',
    text: `with ${owned},
    -- From the last balance told before the window on: nothing older has a part in it.
    account as materialized (
      select o.account_id, o.closed_on, known.starts_at, known.position
        from (select distinct account_id, closed_on from owned where currency = $2) o
        left join lateral (
          select t.starts_at, t.position from ${R}transactions t
           where t.account_id = o.account_id and t.kind = 'posted' and t.balance is not null and t.currency = $2 and t.void_position is null
             and t.booked_on < $3::date
           order by t.starts_at desc, t.position desc limit 1) known on true),
    entry as (
      select a.account_id, a.closed_on, t.kind, t.booked_on, t.starts_at, t.position, t.balance,
             case t.direction when 'credit' then t.amount when 'debit' then -t.amount else 0 end as moved
        from account a
        join ${R}transactions t on t.account_id = a.account_id and t.currency = $2 and t.void_position is null and t.booked_on < $4::date
         and (t.starts_at, t.position) >= (coalesce(a.starts_at, '-infinity'), coalesce(a.position, 0))
       -- What an account came with counts until a transaction tells a balance.
       where t.kind = 'posted' or not exists (
         select from ${R}transactions told
          where told.account_id = t.account_id and told.kind = 'posted' and told.balance is not null and told.currency = $2
            and told.void_position is null and told.booked_on <= t.booked_on)),
    stretched as (
      select *, count(balance) over (partition by account_id order by booked_on, kind = 'posted', starts_at, position) as stretch from entry),
    stood as (
      select account_id, closed_on, booked_on,
             sum(coalesce(balance, moved)) over (partition by account_id, stretch order by booked_on, kind = 'posted', starts_at, position) as balance,
             row_number() over (partition by account_id, booked_on order by kind = 'posted' desc, starts_at desc, position desc) as from_end
        from stretched where stretch > 0),
    span as (
      select account_id, greatest(balance, 0) as balance, booked_on as from_on,
             least(coalesce(lead(booked_on) over (partition by account_id order by booked_on), $4::date), coalesce(closed_on, $4::date)) as to_on
        from stood where from_end = 1),
    month as (
      select m::date as from_on, (m + interval '1 month')::date as to_on
        from generate_series($3::date::timestamp, $4::date::timestamp - interval '1 day', interval '1 month') m)
    select owned.customer_id, to_char(month.from_on, 'YYYY-MM') as month,
           floor(sum(span.balance * (least(span.to_on, month.to_on) - greatest(span.from_on, month.from_on))) / (month.to_on - month.from_on))::text
             as average
      from month
      join span on span.from_on < month.to_on and span.to_on > month.from_on
      join owned on owned.account_id = span.account_id
     group by owned.customer_id, month.from_on, month.to_on`,
    values: [textArrayLiteral(customers), currency, from, to],
  };
}

/** Their open accounts in other currencies, which no average in this one has anything of. */
export function otherCurrenciesQuery(customers: readonly string[], currency: string, { to }: Pick<AverageWindow, 'to'>) {
  return {
    name: 'holdings/other-currencies',
    text: `with ${owned}
      select customer_id, currency, count(*)::int as accounts from owned
       where currency <> $2 and (closed_on is null or closed_on >= $3::date) group by 1, 2`,
    values: [textArrayLiteral(customers), currency, to],
  };
}
