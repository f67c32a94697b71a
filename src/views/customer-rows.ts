// What several read models say of one customer, as rows: read from their tables at one moment (live.ts), or folded from the customer's
// own events as of a chosen one (past.ts). Either gives the same rows, so that one view shows both. Personal values are sealed lines.
import { Sealed } from '../domain/kernel/personal.ts';
import type { CustomerRow } from '../projections/customers/row.ts';
import type { EnrolmentRow } from '../projections/enrolments/enrolments.ts';
import type { HoldingRow } from '../projections/holdings/row.ts';
import { type StoredTicket, ticketColumns } from '../projections/tickets/queries.ts';
import type { TransactionRow } from '../projections/transactions/row.ts';

/** A row as its table gives it: sealed values as lines of text. */
type Stored<Row, Columns extends keyof Row> = {
  readonly [Column in Columns]: Row[Column] extends string | number | boolean | null | readonly string[] ? Row[Column] : string | null;
};

const customerColumns = [
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
  'since_on',
  'profile',
  'position',
  'revision',
] as const satisfies readonly (keyof CustomerRow)[];
const partyColumns = ['id', 'name', 'manager', 'branch', 'refs', 'position'] as const satisfies readonly (keyof CustomerRow)[];
const holdingColumns = [
  'id',
  'kind',
  'account_id',
  'customer_ref',
  'role',
  'status',
  'source_status',
  'product',
  'branch',
  'currency',
  'amount',
  'payment',
  'months',
  'outstanding',
  'category',
  'number',
  'counterparty_name',
  'counterparty_account',
  'counterparty_bank',
  'since',
  'until',
  'position',
] as const satisfies readonly (keyof HoldingRow)[];
const transactionColumns = [
  'id',
  'account_id',
  'booked_on',
  'direction',
  'currency',
  'amount',
  'balance',
  'category',
  'operation',
  'counterparty_name',
  'counterparty_account',
  'counterparty_bank',
  'description',
  'reverses',
  'position',
] as const satisfies readonly (keyof TransactionRow)[];
/** The columns that the views look at, by table: nothing wider is read. */
export const viewColumns = {
  customers: customerColumns,
  parties: partyColumns,
  holdings: holdingColumns,
  transactions: transactionColumns,
  tickets: [...ticketColumns, 'position'] as const,
} as const;

export type StoredCustomer = Stored<CustomerRow, (typeof customerColumns)[number]>;
export type StoredParty = Stored<CustomerRow, (typeof partyColumns)[number]>;
export type StoredHolding = Stored<HoldingRow, (typeof holdingColumns)[number]>;
export type StoredTransaction = Stored<TransactionRow, (typeof transactionColumns)[number]>;
export type StoredEnrolment = Omit<EnrolmentRow, 'customer_id' | 'enrolled_by'> & {
  readonly campaign: string | null;
  readonly campaign_status: string | null;
  /** Of the campaign's row. */
  readonly campaign_position: number | null;
};

/** Of one owned account; amounts are decimal text, as sums may pass 2^53. */
export interface BalanceRow {
  readonly account_id: string;
  readonly currency: string;
  readonly amount: string;
  /** `YYYY-MM-DD`: the day of the last transaction in it. */
  readonly as_of: string;
}

/** Of all owned accounts in a month, by currency and category. */
export interface FlowRow {
  /** `YYYY-MM` */
  readonly month: string;
  readonly currency: string;
  readonly category: string | null;
  readonly inflow: string;
  readonly outflow: string;
}

export interface Money {
  readonly balances: readonly BalanceRow[];
  readonly flows: readonly FlowRow[];
  /** The last 20, newest first. */
  readonly transactions: readonly StoredTransaction[];
}

export interface CustomerRows extends Money {
  /** All events up to here are in it, and none after. */
  readonly position: number;
  readonly customer: StoredCustomer;
  /** Theirs by ownership or card, and everything on their accounts. */
  readonly holdings: readonly StoredHolding[];
  /** The others on these accounts, and possible pairs. */
  readonly parties: readonly StoredParty[];
  /** Open ones first, then the newest: at most 20. */
  readonly tickets: readonly StoredTicket[];
  readonly enrolments: readonly StoredEnrolment[];
}

/** A folded row as its table would give it. */
export function storedRow<Row extends object, Column extends keyof Row>(row: Row, columns: readonly Column[]): Stored<Row, Column> {
  const stored = {} as Record<Column, unknown>;
  for (const column of columns) {
    const value: unknown = row[column];
    stored[column] = value instanceof Sealed ? value.toString() : value;
  }
  return stored as Stored<Row, Column>;
}

/** Statuses of tickets that wait for someone. */
export const isOpen = ({ status }: { readonly status: string }): boolean => status === 'open' || status === 'assigned' || status === 'in-progress';

export const LAST_TRANSACTIONS = 20;
export const LAST_TICKETS = 20;

/** Whether an ownership lets its party call the account their own, now. */
export function isOwned({ kind, status, role }: Pick<HoldingRow, 'kind' | 'status' | 'role'>): boolean {
  return kind === 'ownership' && status === 'current' && (role === 'owner' || role === 'joint-owner');
}
