// One customer as of any moment of both times, from their own past: which streams may belong to it is asked of the read models (they
// remember every party and account that a report ever named), those are read from the journal, and what counts is folded by the read
// models' own folds. Transactions are rows with both times, so their past is a condition on rows.
import type { Pool } from 'pg';
import { asOf, knownAtMs } from '../domain/kernel/as-of.ts';
import type { RecordedEvent } from '../domain/kernel/event.ts';
import type { EventCodec } from '../journal/codec.ts';
import type { JournalReader } from '../journal/journal.ts';
import { campaigns } from '../projections/campaigns/campaigns.ts';
import { customers } from '../projections/customers/customers.ts';
import type { CustomerRow } from '../projections/customers/row.ts';
import { textArrayLiteral } from '../projections/engine/columns.ts';
import { LIVE_SCHEMA } from '../projections/engine/engine.ts';
import type { Progress } from '../projections/engine/progress.ts';
import { enrolments } from '../projections/enrolments/enrolments.ts';
import { holdings } from '../projections/holdings/holdings.ts';
import type { HoldingRow } from '../projections/holdings/row.ts';
import { tickets } from '../projections/tickets/tickets.ts';
import { transactions } from '../projections/transactions/transactions.ts';
import { type CustomerRows, isOpen, isOwned, LAST_TICKETS, type Money, storedRow, viewColumns } from './customer-rows.ts';
import { foldRows } from './fold-rows.ts';
import { SETTLE_MS, ViewNotSettled, viewedProjections } from './live.ts';
import { MONEY_COLUMNS, type MoneyByAccount, moneyOf, moneyTables } from './money-sql.ts';
import { windowOf } from './window.ts';

export interface PastParts {
  readonly pool: Pool;
  readonly progress: Pick<Progress, 'waitUntil'>;
  readonly journal: JournalReader;
  readonly codec: Pick<EventCodec, 'decode'>;
  /** The bank's IANA zone. */
  readonly zone: string;
  /** Epoch milliseconds by the one clock. */
  readonly now: () => number;
}

/** Missing, each is now. */
export interface TwoTimes {
  readonly asOf?: string | undefined;
  readonly knownAt?: string | undefined;
}

/** A stream of a newer program's events: what it says can't be told here. */
export class UnknownPast extends Error {
  override readonly name = 'UnknownPast';
}

export interface Candidates {
  readonly position: number;
  readonly refs: readonly string[];
  readonly streams: readonly string[];
}

const STREAMS_AT_ONCE = 8;

const R = `${LIVE_SCHEMA}.`;
const candidatesQuery = {
  name: 'views/past/candidates',
  text: `with at as materialized (
      select coalesce(min(position), 0) as position from engine.checkpoints where projection = any('{${viewedProjections.join(',')}}')),
    customer as materialized (select refs, pairs from ${R}customers where id = $1),
    own as materialized (select accounts, kind from ${R}holdings where parties && (select refs from customer)::text[]),
    account as materialized (select coalesce(array_agg(distinct a), '{}') as ids from own, unnest(own.accounts) a where kind = 'ownership'),
    held as materialized (
      select id, kind, parties from ${R}holdings
       where accounts && (select ids from account) or parties && (select refs from customer)::text[]),
    party as materialized (
      select id from ${R}customers
       where id <> $1 and (refs && (select coalesce(array_agg(distinct p), '{}') from held, unnest(held.parties) p)
                           or id = any((select pairs from customer)::text[])))
    select (select position from at) as position,
           coalesce((select refs from customer), '{}') as refs,
           array(select kind || '-' || id from held) || array(select 'customer-' || id from party)
             || array(select 'ticket-' || id from ${R}tickets where customer_id = $1)
             || array(select unnest(array['enrolment-' || id, 'campaign-' || campaign_id]) from ${R}enrolments where customer_id = $1) as streams`,
};

/** All streams that may say something of a customer, from the read models at one position. */
export async function candidatesOf(pool: Pool, customerId: string): Promise<Candidates> {
  const { rows } = await pool.query<Candidates>({ ...candidatesQuery, values: [customerId] });
  const found = rows[0] as Candidates;
  // Streams of their own that every customer may have.
  const own = ['customer', 'pair', 'consent', 'classification'].map((category) => `${category}-${customerId}`);
  return { ...found, streams: [...new Set([...own, ...found.streams])] };
}

/** How far the bank's knowledge goes, once the read models that name the streams are there. @throws ViewNotSettled, RangeError */
export async function knownPosition(
  { pool, progress, journal, zone }: Pick<PastParts, 'pool' | 'progress' | 'journal' | 'zone'>,
  customerId: string,
  knownAt: string | undefined,
): Promise<{ readonly candidates: Candidates; readonly known: number }> {
  const [candidates, wanted] = await Promise.all([
    candidatesOf(pool, customerId),
    knownAt === undefined ? undefined : journal.positionAt(knownAtMs(knownAt, zone)),
  ]);
  const known = wanted ?? candidates.position;
  if (known <= candidates.position) return { candidates, known };
  if (!(await progress.waitUntil(viewedProjections, known, SETTLE_MS))) throw new ViewNotSettled('the read models are behind what is asked for');
  return { candidates: await candidatesOf(pool, customerId), known };
}

/** Every event of some streams up to a position, in the journal's order. @throws UnknownPast */
export async function eventsOf(
  { journal, codec }: Pick<PastParts, 'journal' | 'codec'>,
  streams: readonly string[],
  until: number,
): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  let next = 0;
  const readNext = async (): Promise<void> => {
    while (next < streams.length) {
      const stream = streams[next++] as string;
      for (const stored of await journal.readStream(stream)) {
        if (stored.position > until) break;
        const event = codec.decode(stored);
        if ('unknown' in event) throw new UnknownPast(`${stored.type} is of a newer program`);
        events.push(event);
      }
    }
  };
  await Promise.all(Array.from({ length: STREAMS_AT_ONCE }, readNext));
  return events.sort((one, other) => one.position - other.position);
}

/** A customer and all that hangs on them, folded as of a moment. */
export interface PastFold {
  readonly known: number;
  readonly events: readonly RecordedEvent[];
  readonly customer: CustomerRow;
  readonly parties: readonly CustomerRow[];
  /** Theirs by ownership or card. */
  readonly own: readonly HoldingRow[];
  readonly held: readonly HoldingRow[];
}

/** Undefined where they were not known yet. @throws ViewNotSettled, UnknownPast, RangeError where a time is none */
export async function pastFold(parts: PastParts, customerId: string, times: TwoTimes): Promise<PastFold | undefined> {
  const { candidates, known } = await knownPosition(parts, customerId, times.knownAt);
  const counts = times.asOf === undefined ? () => true : asOf(times.asOf, parts.zone);
  const events = (await eventsOf(parts, candidates.streams, known)).filter((event) => counts(event.occurredAt));
  const folded = foldRows(customers, events);
  const customer = folded.get(customerId);
  if (!customer) return undefined;
  const things = [...foldRows(holdings, events).values()];
  const own = things.filter(({ customer_ref }) => customer_ref !== null && customer.refs.includes(customer_ref));
  const accountIds = new Set(own.filter(({ kind }) => kind === 'ownership').map(({ account_id }) => account_id));
  const held = things.filter((thing) => accountIds.has(thing.account_id) || own.includes(thing));
  const others = new Set(held.map(({ customer_ref }) => customer_ref));
  const parties = [...folded.values()].filter(
    ({ id, refs }) => id !== customerId && (customer.pairs.includes(id) || refs.some((ref) => others.has(ref))),
  );
  return { known, events, customer, parties, own, held };
}

/** The rows of the views as of a moment. Undefined where the customer was not known yet. @throws as pastFold */
export async function pastRows(parts: PastParts, customerId: string, times: TwoTimes): Promise<CustomerRows | undefined> {
  const past = await pastFold(parts, customerId, times);
  if (!past) return undefined;
  const { pool, zone, now } = parts;
  const { known, events, customer, parties, own, held } = past;
  const ownedIds = [...new Set(own.filter(isOwned).map(({ account_id }) => account_id))];
  const openings = [...foldRows(transactions, events).values()].filter(({ kind, account_id }) => kind === 'opening' && ownedIds.includes(account_id));
  const currencies = held.filter(({ kind }) => kind === 'account').map(({ account_id, currency }) => ({ account_id, currency }));
  const money = await moneyAt(pool, { ids: ownedIds, openings, currencies }, known, windowOf(times.asOf ?? now(), zone), worldTime(times.asOf, zone));
  const campaign = foldRows(campaigns, events);
  return {
    position: known,
    customer: storedRow(customer, viewColumns.customers),
    holdings: held.map((row) => storedRow(row, viewColumns.holdings)),
    parties: parties.map((row) => storedRow(row, viewColumns.parties)),
    tickets: [...foldRows(tickets, events).values()]
      .filter(({ customer_id }) => customer_id === customerId)
      .sort(byUrgency)
      .slice(0, LAST_TICKETS)
      .map((row) => storedRow(row, viewColumns.tickets) as CustomerRows['tickets'][number]),
    enrolments: [...foldRows(enrolments, events).values()].map(({ id, campaign_id, enrolled_at, response, responded_at, position }) => {
      const of = campaign.get(campaign_id);
      return {
        ...{ id, campaign_id, enrolled_at, response, responded_at, position },
        campaign: of?.name ?? null,
        campaign_status: of?.status ?? null,
        campaign_position: of?.position ?? null,
      };
    }),
    ...money,
  };
}

function byUrgency(one: { status: string; opened_at: string; id: string }, other: { status: string; opened_at: string; id: string }): number {
  if (isOpen(one) !== isOpen(other)) return isOpen(one) ? -1 : 1;
  if (one.opened_at !== other.opened_at) return one.opened_at < other.opened_at ? 1 : -1;
  return one.id < other.id ? -1 : 1;
}

/** A condition on transactions for the world's time. `$1` is its value, null for now. */
export interface WorldTime {
  readonly counts: string;
  readonly value: string | null;
  readonly isDate: boolean;
}

/** A date compares the day that a transaction counts for, an instant where it starts. */
export function worldTime(time: string | undefined, zone: string): WorldTime {
  if (time === undefined) return { counts: '$1::text is null', value: null, isDate: false };
  if (/^\d{4}-\d{2}-\d{2}$/.test(time)) return { counts: 't.booked_on <= $1::date', value: time, isDate: true };
  // Rows keep milliseconds, and what started within the same one counts.
  return { counts: 't.starts_at <= $1::timestamptz', value: new Date(knownAtMs(time, zone)).toISOString(), isDate: false };
}

interface PastAccounts {
  readonly ids: readonly string[];
  readonly openings: readonly { account_id: string; balance: number | null; currency: string; booked_on: string }[];
  /** As they were reported. */
  readonly currencies: readonly { account_id: string; currency: string | null }[];
}

async function moneyAt(
  pool: Pool,
  { ids, openings, currencies }: PastAccounts,
  known: number,
  window: { readonly from: string; readonly to: string },
  { counts, value }: WorldTime,
): Promise<Money> {
  const tables = moneyTables({
    schema: LIVE_SCHEMA,
    accounts: '$2::text[]',
    position: '$3::bigint',
    openings: `select * from json_to_recordset($4::json) as o(account_id text, balance bigint, currency text, booked_on date)`,
    currencies: `select * from json_to_recordset($7::json) as r(account_id text, currency text)`,
    from: '$5::date',
    to: '$6::date',
    counts,
  });
  const { rows } = await pool.query<MoneyByAccount>({
    text: `with ${tables} select ${MONEY_COLUMNS}`,
    values: [
      value,
      textArrayLiteral(ids),
      known,
      JSON.stringify(openings.map(({ account_id, balance, currency, booked_on }) => ({ account_id, balance, currency, booked_on }))),
      window.from,
      window.to,
      JSON.stringify(currencies),
    ],
  });
  return moneyOf(rows[0] as MoneyByAccount, new Set(ids));
}
