// The transactions' fold: one row each, never changed but by a void, and one for the balance that an account came with.
import type { holdingEvents } from '../../domain/holding/events.ts';
import { chinaBankCalendar } from '../../domain/kernel/calendars/china-bank.ts';
import type { RecordedOf } from '../../domain/kernel/event.ts';
import { dateOf, startOf } from '../../domain/kernel/source.ts';
import type { Projection } from '../engine/projection.ts';
import { type TransactionRow, transactionsTable } from './row.ts';

type HoldingEvent = RecordedOf<typeof holdingEvents>;
type Posted = Extract<HoldingEvent, { type: 'TransactionPosted' }>;
type AccountReport = Extract<HoldingEvent, { type: 'AccountReported' }>;

export const transactions: Projection<TransactionRow> = {
  name: 'transactions',
  version: 1,
  categories: ['transaction', 'account'],
  table: transactionsTable,
  creates: new Set(['TransactionPosted']),
  keys: (event) => {
    const { type, data } = event as HoldingEvent;
    switch (type) {
      case 'TransactionPosted':
      case 'TransactionVoided':
        return [data.transactionId];
      case 'AccountReported':
        return data.openingBalance === undefined ? [] : [openingIdOf(data.accountId)];
      default:
        return [];
    }
  },
  apply: (row, recorded) => {
    const event = recorded as HoldingEvent;
    switch (event.type) {
      case 'TransactionPosted':
        return posted(event);
      case 'TransactionVoided':
        return row && { ...row, void_position: row.void_position ?? event.position };
      case 'AccountReported': {
        const next = opening(event);
        return row !== undefined && row.starts_at > next.starts_at ? row : next;
      }
      default:
        return row;
    }
  },
};

/** The row of the balance that an account came with. */
export function openingIdOf(accountId: string): string {
  return `opening-${accountId}`;
}

function posted({ data, occurredAt, position }: Posted): TransactionRow {
  return {
    id: data.transactionId,
    account_id: data.accountId,
    kind: 'posted',
    booked_on: data.bookedOn,
    starts_at: startOf(occurredAt),
    position,
    void_position: data.voided === true ? position : null,
    direction: data.direction,
    currency: data.currency,
    amount: data.amount,
    balance: data.balance ?? null,
    category: data.category ?? null,
    operation: data.operation ?? null,
    counterparty_name: data.counterparty?.name ?? null,
    counterparty_account: data.counterparty?.account ?? null,
    counterparty_bank: data.counterparty?.bank ?? null,
    description: data.description ?? null,
    reverses: data.reverses ?? null,
    source_system: data.source.system,
    source_id: data.source.id,
  };
}

function opening({ data, occurredAt, position }: AccountReport): TransactionRow {
  return {
    id: openingIdOf(data.accountId),
    account_id: data.accountId,
    kind: 'opening',
    booked_on: data.openingOn ?? dateOf(occurredAt, chinaBankCalendar.zone),
    starts_at: startOf(occurredAt),
    position,
    void_position: null,
    direction: null,
    currency: data.currency,
    amount: 0,
    balance: data.openingBalance ?? null,
    category: null,
    operation: null,
    counterparty_name: null,
    counterparty_account: null,
    counterparty_bank: null,
    description: null,
    reverses: null,
    source_system: data.source.system,
    source_id: data.source.id,
  };
}
