// A retail bank from a seed, as lines of the core-banking feed: for so many accounts as many owners, mandates, loans, cards and standing
// orders as the PKDD'99 bank has, and transactions in order of their days, balances with them. Nothing but balances is kept of it.
import { allOpenOn, type BankSpec, CURRENCY, counterparty, type FeedRecord, openedOn, told } from './bank-spec.ts';
import { transactionRecords } from './bank-transactions.ts';
import { Draw } from './draw.ts';
import { drawPerson } from './identity.ts';

/** Of 4,500 accounts. */
const OF_4500 = { mandates: 869, loans: 682, cards: 892, orders: 6_471 };
const BRANCHES = 77;

/** How many customers a bank of so many accounts has: each account's owner, and those who may act on another's. */
export function customersOf({ accounts }: Pick<BankSpec, 'accounts'>): number {
  return accounts + shareOf(accounts, OF_4500.mandates);
}

/** Customers first, transactions last; what a customer holds may as well come before them. */
export function* bankRecords(spec: BankSpec): Generator<FeedRecord> {
  const draw = new Draw(spec.seed);
  yield* partyRecords(spec, draw);
  yield* holdingRecords(spec, draw);
  yield* transactionRecords(spec, draw);
}

/** The source's id of each customer, account and so on is its number from 1. */
function* partyRecords(spec: BankSpec, draw: Draw): Generator<FeedRecord> {
  const { accounts } = spec;
  const customers = customersOf(spec);
  for (let number = 1; number <= customers; number += 1)
    yield {
      kind: 'customer',
      ...told(spec, String(number), openedOn(spec, accountOf(number, accounts))),
      type: 'person',
      ...partyOf(spec, draw, number),
      branch: branchOf(accountOf(number, accounts)),
    };
}

function partyOf({ named }: BankSpec, draw: Draw, number: number): object {
  const { name, birthDate, sex, identityCard, phone } = drawPerson(draw, number);
  if (!named) return { birthDate, sex, contacts: [{ kind: 'address', value: `${draw.below(BRANCHES) + 1}区, ${draw.below(8) + 1}省` }] };
  return {
    name: name.surname + name.given,
    birthDate,
    sex,
    documents: [{ type: 'identity-card', number: identityCard }],
    contacts: [{ kind: 'phone', value: phone }],
  };
}

function* holdingRecords(spec: BankSpec, draw: Draw): Generator<FeedRecord> {
  const { accounts, until } = spec;
  for (let number = 1; number <= accounts; number += 1) {
    const opened = openedOn(spec, number);
    yield {
      kind: 'account',
      ...told(spec, String(number), opened),
      product: 'current',
      branch: branchOf(number),
      currency: CURRENCY,
      openedOn: opened,
    };
  }
  for (let number = 1; number <= customersOf(spec); number += 1) {
    const account = accountOf(number, accounts);
    const role = number <= accounts ? 'owner' : 'mandate';
    yield { kind: 'ownership', ...told(spec, String(number), openedOn(spec, account)), account: String(account), customer: String(number), role };
  }
  const on = (): { readonly account: string; readonly currency: string } => ({ account: String(draw.below(accounts) + 1), currency: CURRENCY });
  for (let number = 1; number <= shareOf(accounts, OF_4500.loans); number += 1) {
    const months = 12 * (draw.below(5) + 1);
    const payment = (draw.below(9_000) + 500) * 100;
    yield { kind: 'loan', ...told(spec, String(number), allOpenOn(spec)), ...on(), amount: payment * months, payment, months, status: 'running' };
  }
  for (let number = 1; number <= shareOf(accounts, OF_4500.cards); number += 1) {
    const account = draw.below(accounts) + 1;
    yield {
      kind: 'card',
      ...told(spec, String(number), allOpenOn(spec)),
      account: String(account),
      customer: String(account),
      product: draw.of(['classic', 'gold', 'junior']),
      number: `622202******${String(draw.below(10_000)).padStart(4, '0')}`,
    };
  }
  for (let number = 1; number <= shareOf(accounts, OF_4500.orders); number += 1)
    yield {
      kind: 'standing-order',
      ...told(spec, String(number), until),
      ...on(),
      amount: (draw.below(8_000) + 100) * 100,
      counterparty: counterparty(draw),
      category: draw.of(['household', 'loan-payment', 'insurance']),
    };
}

/** Of how many accounts a share was, here. */
function shareOf(accounts: number, of4500: number): number {
  return Math.round((accounts * of4500) / 4_500);
}

/** Owners have the account of their number, mandates one after the other. */
function accountOf(customer: number, accounts: number): number {
  return ((customer - 1) % accounts) + 1;
}

function branchOf(account: number): string {
  return String((account % BRANCHES) + 1);
}
