// The fold of what customers hold: the newest report says what a row is, whenever it comes; older ones only widen whose past it may be.
import type { holdingEvents } from '../../domain/holding/events.ts';
import { chinaBankCalendar } from '../../domain/kernel/calendars/china-bank.ts';
import type { RecordedOf } from '../../domain/kernel/event.ts';
import { dateOf, startOf } from '../../domain/kernel/source.ts';
import type { Projection } from '../engine/projection.ts';
import { type HoldingRow, holdingsTable } from './row.ts';

type HoldingEvent = RecordedOf<typeof holdingEvents>;
type Report = Exclude<HoldingEvent, { type: 'TransactionPosted' | 'TransactionVoided' }>;

export const holdings: Projection<HoldingRow> = {
  name: 'holdings',
  version: 1,
  categories: ['account', 'ownership', 'loan', 'card', 'order'],
  table: holdingsTable,
  // Every report may be the first of its thing or a later one.
  creates: new Set(),
  keys: ({ stream }) => [stream.slice(stream.indexOf('-') + 1)],
  apply: (row, event) => {
    const next = reportedBy(event as Report);
    if (row === undefined) return next;
    const newer = next.reported_at >= row.reported_at ? next : row;
    const first = next.first_at < row.first_at ? next : row;
    return {
      ...newer,
      since: newer.dated_on ?? first.first_on,
      first_on: first.first_on,
      first_at: first.first_at,
      accounts: union(row.accounts, next.accounts),
      parties: union(row.parties, next.parties),
      position: next.position,
    };
  },
};

/** The row as if this report were the only one. */
function reportedBy(event: Report): HoldingRow {
  const reportedOn = dateOf(event.occurredAt, chinaBankCalendar.zone);
  const reportedAt = startOf(event.occurredAt);
  const { accountId, source } = event.data;
  const told = { ...blank, ...columnsOf(event, reportedOn) };
  return {
    ...told,
    account_id: accountId,
    since: told.dated_on ?? reportedOn,
    reported_on: reportedOn,
    reported_at: reportedAt,
    first_on: reportedOn,
    first_at: reportedAt,
    source_system: source.system,
    source_id: source.id,
    accounts: [accountId],
    parties: told.customer_ref === null ? [] : [told.customer_ref],
    position: event.position,
  };
}

function columnsOf(event: Report, reportedOn: string): Pick<HoldingRow, 'id' | 'kind'> & Partial<HoldingRow> {
  switch (event.type) {
    case 'AccountReported': {
      const { data } = event;
      return {
        id: data.accountId,
        kind: 'account',
        status: data.status,
        product: data.product ?? null,
        branch: data.branch ?? null,
        currency: data.currency,
        amount: data.openingBalance ?? null,
        number: data.number ?? null,
        dated_on: data.openedOn ?? null,
        until: data.closedOn ?? null,
      };
    }
    case 'OwnershipReported': {
      const { data } = event;
      return {
        id: data.ownershipId,
        kind: 'ownership',
        customer_ref: data.customer,
        role: data.role,
        status: data.ended ? 'ended' : 'current',
        until: data.ended ? reportedOn : null,
      };
    }
    case 'LoanReported': {
      const { data } = event;
      return {
        id: data.loanId,
        kind: 'loan',
        status: data.status ?? null,
        source_status: data.sourceStatus ?? null,
        currency: data.currency,
        amount: data.amount,
        payment: data.payment ?? null,
        months: data.months ?? null,
        outstanding: data.outstanding ?? null,
        dated_on: data.grantedOn ?? null,
      };
    }
    case 'CardReported': {
      const { data } = event;
      return {
        id: data.cardId,
        kind: 'card',
        customer_ref: data.customer ?? null,
        status: data.status,
        product: data.product ?? null,
        number: data.number ?? null,
        dated_on: data.issuedOn ?? null,
        until: data.expiresOn ?? null,
      };
    }
    case 'StandingOrderReported': {
      const { data } = event;
      return {
        id: data.orderId,
        kind: 'order',
        status: data.status,
        currency: data.currency,
        amount: data.amount,
        category: data.category ?? null,
        counterparty_name: data.counterparty?.name ?? null,
        counterparty_account: data.counterparty?.account ?? null,
        counterparty_bank: data.counterparty?.bank ?? null,
      };
    }
  }
}

const blank = {
  customer_ref: null,
  role: null,
  status: null,
  source_status: null,
  product: null,
  branch: null,
  currency: null,
  amount: null,
  payment: null,
  months: null,
  outstanding: null,
  category: null,
  number: null,
  counterparty_name: null,
  counterparty_account: null,
  counterparty_bank: null,
  dated_on: null,
  until: null,
} as const;

/** Sorted, each once. */
function union(some: readonly string[], more: readonly string[]): readonly string[] {
  return more.every((item) => some.includes(item)) ? some : [...new Set([...some, ...more])].sort();
}
