// What core banking says of accounts and what hangs on them: the stored format, for decades. Each report tells a thing whole from its
// `occurredAt` on; a later one replaces an earlier one, whenever it comes. Personal fields are sealed with the account's key, so that
// erasing one owner does not blind the other. Ids are `sourceIdOf(kind, system, id)`, so that facts may come in any order.
import { z } from 'zod';
import { defineEvent, type FactOf } from '../kernel/event.ts';
import { personal } from '../kernel/personal.ts';
import { SourceReference } from '../kernel/source.ts';
import { AccountStatus, Amount, CardStatus, Currency, Direction, LoanStatus, OrderStatus, OwnershipRole, PositiveAmount } from './vocabulary.ts';

export const AccountId = z.uuid();
const Id = z.uuid();
const BusinessDate = z.iso.date();
const Words = z.string();
const holding = { retention: 'transaction' } as const;

const Counterparty = z.strictObject({
  name: personal(z.string()).optional(),
  account: personal(z.string()).optional(),
  bank: z.string().optional(),
});

/** Stream `account-<id>`. */
export const AccountReported = defineEvent(
  'AccountReported',
  z.strictObject({
    accountId: AccountId,
    source: SourceReference,
    number: personal(z.string()).optional(),
    product: Words.optional(),
    branch: Words.optional(),
    currency: Currency,
    status: AccountStatus,
    openedOn: BusinessDate.optional(),
    closedOn: BusinessDate.optional(),
    /** The balance before the first transaction that is told, minor units, from `openingOn` on. */
    openingBalance: Amount.optional(),
    openingOn: BusinessDate.optional(),
  }),
  holding,
);

/** Stream `ownership-<id>`: who stands to an account how. `customer` is the source's customer (`reference` in the customer's events). */
export const OwnershipReported = defineEvent(
  'OwnershipReported',
  z.strictObject({
    ownershipId: Id,
    source: SourceReference,
    accountId: AccountId,
    customer: Id,
    role: OwnershipRole,
    /** Over from `occurredAt` on. */
    ended: z.boolean(),
  }),
  holding,
);

/** Stream `loan-<id>`. */
export const LoanReported = defineEvent(
  'LoanReported',
  z.strictObject({
    loanId: Id,
    source: SourceReference,
    accountId: AccountId,
    currency: Currency,
    amount: PositiveAmount,
    /** Minor units a month. */
    payment: PositiveAmount.optional(),
    months: z.int().positive().optional(),
    grantedOn: BusinessDate.optional(),
    /** Absent where the source does not say how it stands. */
    status: LoanStatus.optional(),
    /** The source's own code for it. */
    sourceStatus: Words.optional(),
    outstanding: PositiveAmount.optional(),
  }),
  holding,
);

/** Stream `card-<id>`. */
export const CardReported = defineEvent(
  'CardReported',
  z.strictObject({
    cardId: Id,
    source: SourceReference,
    accountId: AccountId,
    /** The holder, where the source says. */
    customer: Id.optional(),
    product: Words.optional(),
    /** As much of it as may be kept: 6+4. */
    number: personal(z.string()).optional(),
    issuedOn: BusinessDate.optional(),
    expiresOn: BusinessDate.optional(),
    status: CardStatus,
  }),
  holding,
);

/** Stream `order-<id>`: a standing order. */
export const StandingOrderReported = defineEvent(
  'StandingOrderReported',
  z.strictObject({
    orderId: Id,
    source: SourceReference,
    accountId: AccountId,
    currency: Currency,
    amount: PositiveAmount,
    counterparty: Counterparty.optional(),
    category: Words.optional(),
    status: OrderStatus,
  }),
  holding,
);

/** Stream `transaction-<id>`, category `transaction`. */
export const TransactionPosted = defineEvent(
  'TransactionPosted',
  z.strictObject({
    transactionId: Id,
    source: SourceReference,
    accountId: AccountId,
    /** The day it counts for, on the source's own clock. */
    bookedOn: BusinessDate,
    direction: Direction,
    currency: Currency,
    amount: PositiveAmount,
    /** The account's balance after it, where the source says. */
    balance: Amount.optional(),
    /** What for: `interest`, `fee`, `loan-payment`, the source's word in lower case. */
    category: Words.optional(),
    /** By what means: `cash`, `card`, `transfer`. */
    operation: Words.optional(),
    counterparty: Counterparty.optional(),
    description: personal(z.string()).optional(),
    /** The transaction that this one takes back: a posted reversal, both stand, each on its own day. */
    reverses: Id.optional(),
    /** It was void before it came here: it never was. */
    voided: z.literal(true).optional(),
  }),
  holding,
);

/** It never was, once recorded: whichever day is asked about, from this position on. Its `occurredAt` is the transaction's own. */
export const TransactionVoided = defineEvent(
  'TransactionVoided',
  z.strictObject({ transactionId: Id, source: SourceReference, accountId: AccountId.optional(), reason: personal(z.string()).optional() }),
  holding,
);

export const holdingEvents = [
  AccountReported,
  OwnershipReported,
  LoanReported,
  CardReported,
  StandingOrderReported,
  TransactionPosted,
  TransactionVoided,
] as const;

export type HoldingFact = FactOf<typeof holdingEvents>;
