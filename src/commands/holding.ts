// Commands on what customers hold: each body is a record of core banking as its feed tells it (feeds/core-banking.ts, fields in
// docs/feeds.md). Ids are made from the source's own, so that a record may name a thing that has not come yet.
import { z } from 'zod';
import { BranchCode } from '../domain/customer/vocabulary.ts';
import { isMaskedCardNumber, maskedCardNumber } from '../domain/holding/card-number.ts';
import { type Report, reportedThing } from '../domain/holding/reported.ts';
import { type TransactionCommand, transaction } from '../domain/holding/transaction.ts';
import { AccountStatus, CardStatus, Direction, LoanStatus, OrderStatus, OwnershipRole } from '../domain/holding/vocabulary.ts';
import { dateOf, SourceReference, SourceTime } from '../domain/kernel/source.ts';
import { type AnyCommand, defineCommand } from './command.ts';
import { sourceIdOf } from './command-id.ts';

const currencies = new Set(Intl.supportedValuesOf('currency'));
const Currency = z.string().refine((code) => currencies.has(code), 'a currency of ISO 4217 in capital letters, such as CNY');
const MINOR_UNITS = 'a whole number of minor units (fen, haléř), below 2^53';
const Amount = z.int({ error: MINOR_UNITS });
const PositiveAmount = z.int({ error: MINOR_UNITS }).nonnegative(`${MINOR_UNITS}, not negative`);
// Up to 9999-12-31, by which many systems mean that there is no end; a year 0 no store keeps.
const BusinessDate = z.iso.date({ error: 'a date such as 2017-05-01' }).refine((date) => date >= '0001', 'a date such as 2017-05-01');
const SourceId = z.string().min(1).max(128);
const Words = (max: number) => z.string().trim().min(1).max(max);
/** What every record says: which thing of which system, and from when on (or when) it is so. */
const common = { source: SourceReference, at: SourceTime };

const Counterparty = z.strictObject({ name: Words(200).optional(), account: Words(64).optional(), bank: Words(100).optional() });

// A schema of its own before any body is made from it: neither event nor body ever sees the whole number.
const CardNumber = z
  .string()
  .max(40)
  .overwrite(maskedCardNumber)
  .refine(isMaskedCardNumber, 'a card number of 12 to 19 digits, or its first six and last four with * between');

export const AccountRecord = z.strictObject({
  ...common,
  number: Words(64).optional(),
  product: Words(200).optional(),
  branch: BranchCode.optional(),
  currency: Currency,
  status: AccountStatus.default('open'),
  openedOn: BusinessDate.optional(),
  closedOn: BusinessDate.optional(),
  openingBalance: Amount.optional(),
  openingOn: BusinessDate.optional(),
});

export const OwnershipRecord = z.strictObject({
  ...common,
  account: SourceId,
  customer: SourceId,
  role: OwnershipRole,
  ended: z.boolean().default(false),
});

export const LoanRecord = z.strictObject({
  ...common,
  account: SourceId,
  currency: Currency,
  amount: PositiveAmount,
  payment: PositiveAmount.optional(),
  months: z.int().min(1).max(1_200).optional(),
  grantedOn: BusinessDate.optional(),
  status: LoanStatus.optional(),
  sourceStatus: Words(100).optional(),
  outstanding: PositiveAmount.optional(),
});

export const CardRecord = z.strictObject({
  ...common,
  account: SourceId,
  customer: SourceId.optional(),
  product: Words(200).optional(),
  number: CardNumber.optional(),
  issuedOn: BusinessDate.optional(),
  expiresOn: BusinessDate.optional(),
  status: CardStatus.default('active'),
});

export const StandingOrderRecord = z.strictObject({
  ...common,
  account: SourceId,
  currency: Currency,
  amount: PositiveAmount,
  counterparty: Counterparty.optional(),
  category: Words(100).optional(),
  status: OrderStatus.default('active'),
});

export const TransactionRecord = z.strictObject({
  ...common,
  account: SourceId,
  currency: Currency,
  direction: Direction,
  amount: PositiveAmount,
  balance: Amount.optional(),
  category: Words(100).optional(),
  operation: Words(100).optional(),
  counterparty: Counterparty.optional(),
  description: Words(2_000).optional(),
  /** The source's id of the transaction that this one takes back. */
  reverses: SourceId.optional(),
});

/** `source` names the transaction; `at` is when it was said to be void. */
export const VoidRecord = z.strictObject({ ...common, reason: Words(2_000).optional() });

const params = z.strictObject({ id: z.uuid() });
const target = ({ id }: z.output<typeof params>): string => id;
const onRecord = { roles: ['integration'], params, target, rejections: {} } as const;
const told = { ...onRecord, keepsBody: false } as const;

export const reportAccount = defineCommand({
  ...told,
  name: 'ReportAccount',
  summary: 'Take over what core banking says of an account',
  category: 'account',
  body: AccountRecord,
  decider: reportedThing('AccountReported'),
  command: ({ body: { at, ...record } }, { id }): Report<'AccountReported'> => ({ at, data: { accountId: id, ...record } }),
});

export const reportOwnership = defineCommand({
  ...told,
  name: 'ReportOwnership',
  summary: 'Take over who stands to an account how',
  category: 'ownership',
  body: OwnershipRecord,
  decider: reportedThing('OwnershipReported'),
  command: ({ body: { at, account, customer, ...record } }, { id }): Report<'OwnershipReported'> => ({
    at,
    data: { ownershipId: id, ...record, accountId: accountIdOf(record, account), customer: customerIdOf(record, customer) },
  }),
});

export const reportLoan = defineCommand({
  ...told,
  name: 'ReportLoan',
  summary: 'Take over what core banking says of a loan',
  category: 'loan',
  body: LoanRecord,
  decider: reportedThing('LoanReported'),
  command: ({ body: { at, account, ...record } }, { id }): Report<'LoanReported'> => ({
    at,
    data: { loanId: id, ...record, accountId: accountIdOf(record, account) },
  }),
});

export const reportCard = defineCommand({
  ...told,
  name: 'ReportCard',
  summary: 'Take over what core banking says of a card',
  category: 'card',
  body: CardRecord,
  decider: reportedThing('CardReported'),
  command: ({ body: { at, account, customer, ...record } }, { id }): Report<'CardReported'> => ({
    at,
    data: {
      cardId: id,
      ...record,
      accountId: accountIdOf(record, account),
      ...(customer === undefined ? {} : { customer: customerIdOf(record, customer) }),
    },
  }),
});

export const reportStandingOrder = defineCommand({
  ...told,
  name: 'ReportStandingOrder',
  summary: 'Take over what core banking says of a standing order',
  category: 'order',
  body: StandingOrderRecord,
  decider: reportedThing('StandingOrderReported'),
  command: ({ body: { at, account, ...record } }, { id }): Report<'StandingOrderReported'> => ({
    at,
    data: { orderId: id, ...record, accountId: accountIdOf(record, account) },
  }),
});

export const postTransaction = defineCommand({
  ...told,
  name: 'PostTransaction',
  summary: 'Take over a transaction of core banking',
  category: 'transaction',
  assumesNew: true,
  body: TransactionRecord,
  decider: transaction,
  command: ({ body: { at, account, reverses, ...record } }, { id, zone }): TransactionCommand => ({
    do: 'post',
    at,
    data: {
      transactionId: id,
      ...record,
      accountId: accountIdOf(record, account),
      bookedOn: dateOf(at, zone),
      ...(reverses === undefined ? {} : { reverses: sourceIdOf('transaction', record.source.system, reverses) }),
    },
  }),
});

export const voidTransaction = defineCommand({
  ...onRecord,
  name: 'VoidTransaction',
  summary: 'Record that a transaction of core banking never was',
  category: 'transaction',
  body: VoidRecord,
  decider: transaction,
  command: ({ body: { at: _, ...record } }, { id }): TransactionCommand => ({ do: 'void', data: { transactionId: id, ...record } }),
});

export const holdingCommands: readonly AnyCommand[] = [
  reportAccount,
  reportOwnership,
  reportLoan,
  reportCard,
  reportStandingOrder,
  postTransaction,
  voidTransaction,
];

interface OfSource {
  readonly source: SourceReference;
}

function accountIdOf({ source }: OfSource, account: string): string {
  // An account's transactions come close together.
  const name = `${source.system} ${account}`;
  const known = accountIds.get(name);
  if (known !== undefined) return known;
  const id = sourceIdOf('account', source.system, account);
  if (accountIds.size >= REMEMBERED_ACCOUNTS) accountIds.clear();
  accountIds.set(name, id);
  return id;
}
const accountIds = new Map<string, string>();
const REMEMBERED_ACCOUNTS = 20_000;

function customerIdOf({ source }: OfSource, customer: string): string {
  return sourceIdOf('customer', source.system, customer);
}
