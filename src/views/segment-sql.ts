// A segment's condition as SQL over the read models, every value a parameter: a condition on rows of `customers`, node by node, so that
// the same text says who is in it, how many each node leaves, and which nodes one customer meets.
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Node } from '../domain/segment/condition.ts';
import { textArrayLiteral } from '../projections/engine/columns.ts';
import { LIVE_SCHEMA } from '../projections/engine/engine.ts';

type Holds = RawBuilder<SqlBool>;
const table = (name: string) => sql.table(`${LIVE_SCHEMA}.${name}`);
const anyOf = (items: readonly string[]) => sql`any(${textArrayLiteral(items)}::text[])`;

/** @param today the day on which values of dimensions hold, `YYYY-MM-DD` */
export function conditionSql(node: Node, today: string): Holds {
  switch (node.is) {
    case 'all':
      return sql<SqlBool>`(${joined(node.of, today, sql` and `)})`;
    case 'any':
      return sql<SqlBool>`(${joined(node.of, today, sql` or `)})`;
    case 'not':
      return sql<SqlBool>`(not ${conditionSql(node.of, today)})`;
    case 'kind':
      return sql<SqlBool>`(customers.kind = ${node.value})`;
    case 'standing':
      return sql<SqlBool>`(customers.standing = ${node.value})`;
    // Null is in no list, and stays so under `not`.
    case 'branch':
      return sql<SqlBool>`(coalesce(customers.branch, '') = ${anyOf(node.in)})`;
    case 'manager':
      return sql<SqlBool>`(coalesce(customers.manager, '') = ${anyOf(node.in)})`;
    case 'tag':
      return sql<SqlBool>`(customers.tags @> ${textArrayLiteral([node.tag])}::text[])`;
    case 'classification':
      return sql<SqlBool>`exists (select from ${table('classifications')} k where k.customer_id = customers.id and k.dimension = ${node.dimension}
        and k.value = ${anyOf(node.in)} and (k.valid_until is null or k.valid_until >= ${today}::date))`;
    case 'balance':
      return balance(node);
    case 'holds':
      return holding(node);
    case 'ticket':
      return sql<SqlBool>`exists (select from ${table('tickets')} t where t.customer_id = customers.id
        ${node.type === undefined ? sql`` : sql`and t.type = ${node.type}`}
        ${waiting(node.waiting)})`;
    case 'enrolled':
      return sql<SqlBool>`exists (select from ${table('enrolments')} e where e.customer_id = customers.id and e.campaign_id = ${node.campaign})`;
  }
}

function joined(nodes: readonly Node[], today: string, by: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql.join(
    nodes.map((node) => conditionSql(node, today)),
    by,
  );
}

function waiting(waits: boolean | undefined): RawBuilder<unknown> {
  if (waits === undefined) return sql``;
  return waits ? sql`and t.status in ('open', 'assigned', 'in-progress')` : sql`and t.status not in ('open', 'assigned', 'in-progress')`;
}

const owned = sql`o.customer_ref = any(customers.refs) and o.kind = 'ownership' and o.status = 'current' and o.role in ('owner', 'joint-owner')`;

/** Accounts that they own, what is on them, and cards that are theirs. */
function holding({ thing, product }: Extract<Node, { is: 'holds' }>): Holds {
  const named = product === undefined ? sql`` : sql`and h.product = ${product}`;
  if (thing === 'card')
    return sql<SqlBool>`exists (select from ${table('holdings')} h where h.customer_ref = any(customers.refs) and h.kind = 'card' ${named})`;
  const isOpen = thing === 'account' ? sql`and h.status <> 'closed'` : sql``;
  return sql<SqlBool>`exists (select from ${table('holdings')} o join ${table('holdings')} h on h.account_id = o.account_id and h.kind = ${thing}
    where ${owned} ${isOpen} ${named})`;
}

/** The last balance that is told of each account and what moved since, or what it came with and moved since: as in the 360 view. */
function balance({ currency, atLeast, below }: Extract<Node, { is: 'balance' }>): Holds {
  const signed = sql`case t.direction when 'credit' then t.amount when 'debit' then -t.amount else 0 end`;
  const sum = sql`(select sum(coalesce(known.balance, opening.balance) + coalesce(later.amount, 0))
    from (select distinct h.id from ${table('holdings')} o join ${table('holdings')} h on h.id = o.account_id and h.kind = 'account'
           where ${owned} and h.status <> 'closed' and h.currency = ${currency}) a
    left join lateral (select t.balance, t.starts_at, t.position from ${table('transactions')} t
      where t.account_id = a.id and t.kind = 'posted' and t.balance is not null and t.currency = ${currency} and t.void_position is null
      order by t.starts_at desc, t.position desc limit 1) known on true
    left join ${table('transactions')} opening on opening.id = 'opening-' || a.id and opening.currency = ${currency} and opening.void_position is null
    left join lateral (select sum(${signed}) as amount from ${table('transactions')} t
      where t.account_id = a.id and t.kind = 'posted' and t.currency = ${currency} and t.void_position is null
        and (t.starts_at, t.position) > (coalesce(known.starts_at, '-infinity'), coalesce(known.position, 0))
        and (known.balance is not null or t.booked_on >= opening.booked_on)) later on true)`;
  const bounds = [
    ...(atLeast === undefined ? [] : [sql`coalesce(${sum}, 0) >= ${atLeast}`]),
    ...(below === undefined ? [] : [sql`coalesce(${sum}, 0) < ${below}`]),
  ];
  return bounds.length === 0 ? sql<SqlBool>`(${sum} is not null)` : sql<SqlBool>`(${sql.join(bounds, sql` and `)})`;
}
