// One customer from the read models' own tables, live or of a replay: one statement, so one snapshot, shared by those asked for at the
// same time. Each read model has its own pace: what the answer says holds up to the least of their checkpoints, and where a row is ahead
// of it already the others are waited for.
import { createHash } from 'node:crypto';
import type { Pool } from 'pg';
import { GroupCommit } from '../journal/group-commit.ts';
import { quoted, textArrayLiteral } from '../projections/engine/columns.ts';
import { LIVE_SCHEMA } from '../projections/engine/engine.ts';
import type { Progress } from '../projections/engine/progress.ts';
import {
  type CustomerRows,
  isOwned,
  LAST_TICKETS,
  type StoredCustomer,
  type StoredEnrolment,
  type StoredHolding,
  type StoredParty,
  viewColumns,
} from './customer-rows.ts';
import { MONEY_COLUMNS, type MoneyByAccount, moneyOf, moneyTables } from './money-sql.ts';
import type { FlowWindow } from './window.ts';

/** The read models that the views of a customer look at. */
export const viewedProjections = ['customers', 'holdings', 'transactions', 'tickets', 'enrolments', 'campaigns'] as const;

/** They did not catch up with one another in time. */
export class ViewNotSettled extends Error {
  override readonly name = 'ViewNotSettled';
}

export interface LiveParts {
  readonly pool: Pool;
  readonly progress: Pick<Progress, 'waitUntil'>;
}

/** How long the slowest read model is waited for. */
export const SETTLE_MS = 5_000;
const ATTEMPTS = 20;

interface Found extends CustomerRows {
  /** Of the balances that their accounts came with. */
  readonly openingPosition: number;
}

/** Undefined where there is no such customer. @throws ViewNotSettled */
export async function liveRows({ pool, progress }: LiveParts, customerId: string, window: FlowWindow): Promise<CustomerRows | undefined> {
  const until = performance.now() + SETTLE_MS;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const found = await gatheredOn(pool).run({ customerId, window });
    if (found === undefined) return undefined;
    const furthest = furthestOf(found);
    if (furthest <= found.position) return found;
    if (!(await progress.waitUntil(viewedProjections, furthest, until - performance.now()))) break;
  }
  throw new ViewNotSettled('the read models of a customer are not at one position');
}

/** The same from a replay's schema, which stands still at its position. */
export async function replayRows(
  pool: Pool,
  replay: { readonly schema: string; readonly position: number },
  customerId: string,
  { from, to }: FlowWindow,
): Promise<CustomerRows | undefined> {
  const { name, text } = statementOf(replay.schema, '$4::bigint');
  const { rows } = await pool.query<ManyRows>({ name, text, values: [textArrayLiteral([customerId]), from, to, replay.position] });
  return rowsOf(rows[0] as ManyRows, customerId);
}

interface Ask {
  readonly customerId: string;
  readonly window: FlowWindow;
}

const MAX_BATCH = 16;
// Most of the statement's cost does not depend on how many customers it is about, so those asked for at once share one.
const gathered = new WeakMap<Pool, GroupCommit<Ask, Found | undefined>>();

function gatheredOn(pool: Pool): GroupCommit<Ask, Found | undefined> {
  let group = gathered.get(pool);
  if (!group) {
    group = new GroupCommit({ maxBatch: MAX_BATCH, send: (asks) => readMany(pool, asks) });
    gathered.set(pool, group);
  }
  return group;
}

async function readMany(pool: Pool, asks: readonly Ask[]): Promise<(Found | undefined)[]> {
  // All of one window, but at the turn of a month.
  const found = new Map(
    await Promise.all(
      [...Map.groupBy(asks, ({ window }) => window.to)].map(async ([to, some]) => {
        const ids = textArrayLiteral([...new Set(some.map(({ customerId }) => customerId))]);
        const { rows } = await pool.query<ManyRows>({ ...liveStatement, values: [ids, some[0]?.window.from, to] });
        return [to, rows[0] as ManyRows] as const;
      }),
    ),
  );
  return asks.map(({ customerId, window }) => rowsOf(found.get(window.to) as ManyRows, customerId));
}

/** The rows of several customers, not yet told apart. */
interface ManyRows extends MoneyByAccount {
  readonly position: number;
  readonly openings: readonly { readonly account_id: string; readonly position: number }[];
  readonly customers: readonly StoredCustomer[];
  readonly holdings: readonly StoredHolding[];
  readonly parties: readonly StoredParty[];
  readonly tickets: CustomerRows['tickets'];
  readonly enrolments: readonly (StoredEnrolment & { readonly customer_id: string })[];
}

function rowsOf(all: ManyRows, customerId: string): Found | undefined {
  const customer = all.customers.find(({ id }) => id === customerId);
  if (!customer) return undefined;
  const refs = new Set<string | null>(customer.refs);
  const own = all.holdings.filter(({ customer_ref }) => customer_ref !== null && refs.has(customer_ref));
  const accounts = new Set(own.filter(({ kind }) => kind === 'ownership').map(({ account_id }) => account_id));
  const owned = new Set(own.filter(isOwned).map(({ account_id }) => account_id));
  const holdings = all.holdings.filter(
    ({ account_id, customer_ref }) => accounts.has(account_id) || (customer_ref !== null && refs.has(customer_ref)),
  );
  const others = new Set(holdings.map(({ customer_ref }) => customer_ref));
  return {
    position: all.position,
    openingPosition: Math.max(0, ...all.openings.filter(({ account_id }) => owned.has(account_id)).map(({ position }) => position)),
    customer,
    holdings,
    parties: all.parties.filter(
      (party) => party.id !== customerId && (customer.pairs.includes(party.id) || party.refs.some((ref) => others.has(ref))),
    ),
    tickets: all.tickets
      .filter(({ customer_id }) => customer_id === customerId)
      .map((ticket) => ({
        ...ticket,
        opened_at: instant(ticket.opened_at),
        closed_at: instantOrNull(ticket.closed_at),
        first_response_due_at: instantOrNull(ticket.first_response_due_at),
        first_response_at: instantOrNull(ticket.first_response_at),
        resolution_due_at: instantOrNull(ticket.resolution_due_at),
        resolution_at: instantOrNull(ticket.resolution_at),
        due_at: instantOrNull(ticket.due_at),
      })),
    enrolments: all.enrolments
      .filter(({ customer_id }) => customer_id === customerId)
      .map(({ customer_id: _, ...enrolment }) => ({
        ...enrolment,
        enrolled_at: instant(enrolment.enrolled_at),
        responded_at: instantOrNull(enrolment.responded_at),
      })),
    ...moneyOf(all, owned),
  };
}

interface Statement {
  readonly name: string;
  readonly text: string;
}

const liveStatement = statementOf(
  LIVE_SCHEMA,
  `(select coalesce(min(position), 0) from engine.checkpoints where projection = any('{${viewedProjections.join(',')}}'))`,
);

function statementOf(schema: string, position: string): Statement {
  const of = (table: string): string => `${quoted(schema)}.${table}`;
  const columns = (table: keyof typeof viewColumns): string => viewColumns[table].join(', ');
  // A sub-select cast to an array is worked out once and found by index; written as `any (select …)` it would be a join.
  const refs = `(select coalesce(array_agg(r), '{}') from customer, unnest(refs) r)::text[]`;
  const owned = '(select owned from accounts)::text[]';
  const text = `with at as materialized (select ${position} as position),
  customer as materialized (select ${columns('customers')} from ${of('customers')} where id = any($1::text[])),
  own as materialized (select kind, account_id, role, status from ${of('holdings')} where customer_ref = any(${refs})),
  accounts as materialized (
    select coalesce(array_agg(distinct account_id), '{}') as ids,
           coalesce(array_agg(distinct account_id) filter (where status = 'current' and role in ('owner', 'joint-owner')), '{}') as owned
      from own where kind = 'ownership'),
  held as materialized (
    select ${columns('holdings')} from ${of('holdings')} where account_id = any((select ids from accounts)::text[]) or customer_ref = any(${refs})),
  party as materialized (
    select ${columns('parties')} from ${of('customers')}
     where refs && (select coalesce(array_agg(distinct customer_ref) filter (where customer_ref is not null), '{}') from held)
        or id = any((select coalesce(array_agg(p), '{}') from customer, unnest(pairs) p)::text[])),
  ticket as materialized (
    select t.* from customer cross join lateral (
      select ${columns('tickets')} from ${of('tickets')} where customer_id = customer.id
       order by status in ('open', 'assigned', 'in-progress') desc, opened_at desc, id limit ${LAST_TICKETS}) t),
  enrolment as materialized (
    select e.id, e.customer_id, e.campaign_id, e.enrolled_at, e.response, e.responded_at, e.position, c.name as campaign,
           c.status as campaign_status, c.position as campaign_position
      from ${of('enrolments')} e left join ${of('campaigns')} c on c.id = e.campaign_id where e.customer_id = any($1::text[])),
  ${moneyTables({
    schema,
    accounts: owned,
    openings: `select account_id, balance, currency, booked_on, position from ${of('transactions')}
                where id in (select 'opening-' || id from unnest(${owned}) as a(id))`,
    position: '(select position from at)',
    from: '$2::date',
    to: '$3::date',
  })}
  select (select position from at) as position,
         (select coalesce(json_agg(o), '[]') from (select account_id, position from opening) o) as openings,
         (select coalesce(json_agg(c), '[]') from customer c) as customers,
         (select coalesce(json_agg(h), '[]') from held h) as holdings,
         (select coalesce(json_agg(p), '[]') from party p) as parties,
         (select coalesce(json_agg(t), '[]') from ticket t) as tickets,
         (select coalesce(json_agg(e), '[]') from enrolment e) as enrolments,
         ${MONEY_COLUMNS}`;
  return { name: `views/360/${createHash('sha256').update(text).digest('base64url').slice(0, 16)}`, text };
}

/** Transactions are cut at the position by their own condition; the rest may be ahead of it. */
function furthestOf({ customer, holdings, parties, tickets, enrolments, openingPosition }: Found): number {
  let furthest = Math.max(customer.position, openingPosition);
  for (const rows of [holdings, parties, tickets, enrolments]) for (const { position } of rows) if (position > furthest) furthest = position;
  for (const { campaign_position: position } of enrolments) if (position !== null && position > furthest) furthest = position;
  return furthest;
}

/** An instant as JSON of Postgres has it (`2026-03-03T01:00:00.12+00:00`) as a read model keeps it. */
function instant(text: string): string {
  const end = text.indexOf('+', 19);
  const fraction = text.slice(20, end === -1 ? undefined : end);
  return `${text.slice(0, 19)}.${fraction.slice(0, 3).padEnd(3, '0')}Z`;
}

function instantOrNull(text: string | null): string | null {
  return text === null ? null : instant(text);
}
