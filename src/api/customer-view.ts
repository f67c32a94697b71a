// How a customer is shown: the list's row, one customer, and the parts of the 360 view. Masked by the reader's role.
import { z } from 'zod';
import { TicketItem } from './ticket-view.ts';

/** A personal value: null where there is none or the role sees nothing of it, `{"erased": true}` where its key was destroyed. */
export const PersonalValue = z.union([z.string(), z.strictObject({ erased: z.literal(true) }), z.null()]);

const Masked = z.array(z.string()).meta({ description: 'Personal fields that this role sees masked, or not at all' });
/** Amounts are minor units of their currency. */
const Minor = z.union([z.int(), z.string()]).meta({ description: 'Minor units; a string past 2^53' });
const Nullable = z.string().nullable();

export const CustomerItem = z.strictObject({
  id: z.string(),
  revision: z.int(),
  kind: z.string(),
  standing: z.string(),
  name: PersonalValue,
  tags: z.array(z.string()),
  manager: Nullable,
  branch: Nullable,
  since: z.string().meta({ description: 'The day on which they came to be known, on the clock of who told' }),
  incomplete: z.boolean().meta({ description: 'Nobody gave a name yet' }),
  masked: Masked,
  sight: z.string().optional().meta({ description: 'For `Shiji-Sight`: lets see this customer for a quarter of an hour' }),
});
export type CustomerItem = z.output<typeof CustomerItem>;

const Document = z.strictObject({
  documentId: Nullable.meta({ description: 'Null for what a source says: only own documents are maintained one by one' }),
  type: z.string(),
  number: PersonalValue,
  country: Nullable,
  expiresOn: Nullable,
  from: z.string().meta({ description: '`own`, or the source’s name' }),
  counts: z.boolean().meta({ description: 'False where a core system says one of the same type: its counts' }),
});
const Contact = z.strictObject({
  contactId: Nullable.meta({ description: 'Null for what a source says: only own contacts are maintained one by one' }),
  kind: z.string(),
  value: PersonalValue,
  verified: z.boolean(),
  from: z.string().meta({ description: '`own`, or the source’s name' }),
});
const Person = {
  name: PersonalValue,
  nameFrom: Nullable.meta({ description: 'Who says the name that counts: `own`, or the source’s name' }),
  birthDate: PersonalValue,
  sex: PersonalValue,
  documents: z.array(Document),
  contacts: z.array(Contact),
  preferences: z.strictObject({ channel: Nullable, language: Nullable }).nullable(),
  sources: z.array(z.strictObject({ system: z.string(), id: z.string() })),
} as const;

export const CustomerAnswer = z.strictObject({
  ...CustomerItem.omit({ name: true }).shape,
  ...Person,
  conflicts: z
    .array(z.strictObject({ field: z.string(), shown: PersonalValue, other: PersonalValue, from: z.string() }))
    .meta({ description: 'Where two say different things: `shown` counts, `other` lost' }),
  pairs: z.array(z.string()).meta({ description: 'Customers who may be the same, as far as you may see them' }),
  pending: z
    .array(z.strictObject({ approval: z.string(), command: z.string(), fields: z.array(z.string()), by: z.string(), expiresAt: z.string() }))
    .meta({ description: 'Changes that wait for approval, the oldest first: what stands here is as it is without them' }),
});

const Counterparty = z.strictObject({ name: PersonalValue, account: PersonalValue, bank: Nullable });

export const TransactionItem = z.strictObject({
  id: z.string(),
  account: z.string(),
  bookedOn: z.string(),
  direction: Nullable,
  currency: z.string(),
  amount: z.int(),
  balance: z.int().nullable(),
  category: Nullable,
  operation: Nullable,
  counterparty: Counterparty,
  description: PersonalValue,
  reverses: Nullable,
});

const Account = z.strictObject({
  id: z.string(),
  number: PersonalValue,
  product: Nullable,
  branch: Nullable,
  currency: Nullable,
  status: Nullable,
  role: z.string().meta({ description: '`owner`, `joint-owner`; a `mandate` lets act on it and counts for nothing here' }),
  joint: z.boolean(),
  since: z.string(),
  until: Nullable,
  balance: z
    .strictObject({ amount: Minor, currency: z.string(), asOf: z.string() })
    .nullable()
    .meta({ description: 'Null where nobody says, and of what is not theirs' }),
});
const Loan = z.strictObject({
  id: z.string(),
  account: z.string(),
  currency: z.string(),
  amount: z.int(),
  payment: z.int().nullable(),
  months: z.int().nullable(),
  outstanding: z.int().nullable(),
  status: Nullable,
  sourceStatus: Nullable,
  since: z.string(),
});
const Card = z.strictObject({
  id: z.string(),
  account: z.string(),
  number: PersonalValue,
  product: Nullable,
  status: Nullable,
  holder: z.enum(['this', 'another']).nullable().meta({ description: 'Null where the source does not say' }),
  since: z.string(),
  until: Nullable,
});
const Order = z.strictObject({
  id: z.string(),
  account: z.string(),
  currency: z.string(),
  amount: z.int(),
  category: Nullable,
  counterparty: Counterparty,
  status: Nullable,
  since: z.string(),
});
const Balance = z.strictObject({
  currency: z.string(),
  amount: Minor.nullable().meta({ description: 'Of the accounts whose balance is known; null where of none' }),
  accounts: z.int(),
  unknown: z.int(),
  joint: z.int(),
});
const Flow = z.strictObject({ month: z.string(), currency: z.string(), category: Nullable, inflow: Minor, outflow: Minor });
const Relation = z.strictObject({
  account: Nullable,
  role: z.string().meta({ description: 'On the account; or `possible-pair`' }),
  customer: Nullable.meta({ description: 'Null, with the name, of whom you may not see' }),
  name: PersonalValue,
});
const Campaign = z.strictObject({
  id: z.string(),
  campaign: z.string(),
  name: Nullable,
  status: Nullable,
  enrolledAt: z.string(),
  response: Nullable,
  respondedAt: Nullable,
});

export const Customer360 = z.strictObject({
  customer: z.strictObject({ id: z.string(), manager: Nullable, branch: Nullable, ...Person, revision: z.int(), masked: Masked }),
  accounts: z.array(Account),
  loans: z.array(Loan),
  cards: z.array(Card),
  orders: z.array(Order),
  balances: z.array(Balance).meta({ description: 'Of owned accounts that are not closed, each once, by currency' }),
  flows: z.array(Flow).meta({ description: 'Of owned accounts, twelve months that end with the month asked about' }),
  transactions: z.array(TransactionItem).meta({ description: 'The last 20 of owned accounts' }),
  relations: z.array(Relation),
  tags: z.array(z.string()),
  classification: z.strictObject({ kind: z.string(), standing: z.string(), since: z.string(), incomplete: z.boolean() }),
  tickets: z.array(TicketItem).meta({ description: 'Open ones first, then the newest: at most 20' }),
  campaigns: z.array(Campaign),
  asOf: Nullable,
  knownAt: Nullable,
  position: z.string().meta({ description: 'All of it as of this one place in the journal, as `Shiji-Position`' }),
});

export const HistoryItem = z.strictObject({
  when: z.string().meta({ description: 'When it was so in the world' }),
  recordedAt: z.string(),
  by: z.strictObject({ subject: z.string(), role: z.string(), onBehalfOf: z.string().optional() }),
  channel: z.string().meta({ description: 'By which way it came' }),
  purpose: Nullable.meta({ description: 'Why, where it was said' }),
  reason: PersonalValue.optional(),
  event: z.string(),
  what: z.string().meta({ description: 'The change in words' }),
  about: z.strictObject({ kind: z.string(), id: z.string() }),
  changes: z.array(z.strictObject({ field: z.string(), before: z.unknown(), after: z.unknown() })),
});
export type HistoryItem = z.output<typeof HistoryItem>;
