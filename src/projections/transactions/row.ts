// Transactions, one row each, with both times: a past is a condition on rows (`booked_on` or `starts_at`, and `position`), not a replay.
import type { Personal } from '../../domain/kernel/personal.ts';
import type { Table } from '../engine/projection.ts';

export type TransactionRow = {
  readonly id: string;
  readonly account_id: string;
  /** `posted`, or `opening` for the balance that an account came with. */
  readonly kind: string;
  /** `YYYY-MM-DD`: what an `asOf` date is compared with. */
  readonly booked_on: string;
  /** Where `occurredAt` starts, RFC 3339 UTC with milliseconds: what an `asOf` instant is compared with. */
  readonly starts_at: string;
  /** When it was recorded: what `knownAt` is compared with. */
  readonly position: number;
  /** From this position on it never was; null for what stands. */
  readonly void_position: number | null;
  /** `credit`, `debit`; null for an opening balance. */
  readonly direction: string | null;
  readonly currency: string;
  /** Minor units; 0 for an opening balance. */
  readonly amount: number;
  /** Of the account after it, minor units; null where the source does not say. */
  readonly balance: number | null;
  readonly category: string | null;
  readonly operation: string | null;
  readonly counterparty_name: Personal | null;
  readonly counterparty_account: Personal | null;
  readonly counterparty_bank: string | null;
  readonly description: Personal | null;
  readonly reverses: string | null;
  readonly source_system: string;
  readonly source_id: string;
};

export const transactionsTable: Table = {
  name: 'transactions',
  key: 'id',
  columns: {
    id: { type: 'text' },
    account_id: { type: 'text' },
    kind: { type: 'text' },
    booked_on: { type: 'date' },
    starts_at: { type: 'timestamptz' },
    position: { type: 'bigint' },
    void_position: { type: 'bigint', nullable: true },
    direction: { type: 'text', nullable: true },
    currency: { type: 'text' },
    amount: { type: 'bigint' },
    balance: { type: 'bigint', nullable: true },
    category: { type: 'text', nullable: true },
    operation: { type: 'text', nullable: true },
    counterparty_name: { type: 'sealed', nullable: true },
    counterparty_account: { type: 'sealed', nullable: true },
    counterparty_bank: { type: 'text', nullable: true },
    description: { type: 'sealed', nullable: true },
    reverses: { type: 'text', nullable: true },
    source_system: { type: 'text' },
    source_id: { type: 'text' },
  },
  indexes: ['(account_id, starts_at desc, position desc)'],
};
