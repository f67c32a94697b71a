// What customers hold, in one table: accounts, who owns them, loans, cards, standing orders. Each row is a thing as last reported.
import type { Personal } from '../../domain/kernel/personal.ts';
import type { Table } from '../engine/projection.ts';

/** Dates are `YYYY-MM-DD`, instants RFC 3339 UTC with milliseconds, amounts minor units. Columns that a kind has no use for are null. */
export type HoldingRow = {
  readonly id: string;
  /** `account`, `ownership`, `loan`, `card`, `order` */
  readonly kind: string;
  readonly account_id: string;
  /** Of an ownership its party, of a card its holder: a `reference` of customers. */
  readonly customer_ref: string | null;
  /** Of an ownership. */
  readonly role: string | null;
  /** Null where nobody says; of an ownership `current` or `ended`. */
  readonly status: string | null;
  readonly source_status: string | null;
  readonly product: string | null;
  readonly branch: string | null;
  readonly currency: string | null;
  /** Of a loan what was lent, of an order what is paid each time, of an account its opening balance. */
  readonly amount: number | null;
  readonly payment: number | null;
  readonly months: number | null;
  readonly outstanding: number | null;
  readonly category: string | null;
  readonly number: Personal | null;
  readonly counterparty_name: Personal | null;
  readonly counterparty_account: Personal | null;
  readonly counterparty_bank: string | null;
  /** Opened, granted, issued, held since; where the source does not say, the day of its first report. */
  readonly since: string;
  /** `since` as the report says it that the row stands on. */
  readonly dated_on: string | null;
  /** Closed, expires, ended on. */
  readonly until: string | null;
  /** The day and the start of the report that the row stands on. */
  readonly reported_on: string;
  readonly reported_at: string;
  /** The day and the start of the earliest report. */
  readonly first_on: string;
  readonly first_at: string;
  readonly source_system: string;
  readonly source_id: string;
  /** Every account, and every party, that any report named: whose past it may belong to. */
  readonly accounts: readonly string[];
  readonly parties: readonly string[];
  /** Of the last event that touched the row. */
  readonly position: number;
};

export const holdingsTable: Table = {
  name: 'holdings',
  key: 'id',
  columns: {
    id: { type: 'text' },
    kind: { type: 'text' },
    account_id: { type: 'text' },
    customer_ref: { type: 'text', nullable: true },
    role: { type: 'text', nullable: true },
    status: { type: 'text', nullable: true },
    source_status: { type: 'text', nullable: true },
    product: { type: 'text', nullable: true },
    branch: { type: 'text', nullable: true },
    currency: { type: 'text', nullable: true },
    amount: { type: 'bigint', nullable: true },
    payment: { type: 'bigint', nullable: true },
    months: { type: 'integer', nullable: true },
    outstanding: { type: 'bigint', nullable: true },
    category: { type: 'text', nullable: true },
    number: { type: 'sealed', nullable: true },
    counterparty_name: { type: 'sealed', nullable: true },
    counterparty_account: { type: 'sealed', nullable: true },
    counterparty_bank: { type: 'text', nullable: true },
    since: { type: 'date' },
    dated_on: { type: 'date', nullable: true },
    until: { type: 'date', nullable: true },
    reported_on: { type: 'date' },
    reported_at: { type: 'timestamptz' },
    first_on: { type: 'date' },
    first_at: { type: 'timestamptz' },
    source_system: { type: 'text' },
    source_id: { type: 'text' },
    accounts: { type: 'text[]' },
    parties: { type: 'text[]' },
    position: { type: 'bigint' },
  },
  indexes: [
    '(account_id)',
    '(customer_ref) where customer_ref is not null',
    'using gin (accounts) with (fastupdate = off)',
    'using gin (parties) with (fastupdate = off)',
  ],
};
