// The 360 view: rows of several read models as one answer, the same whether they are now's, a past's or a replay's. Each account counts
// once a currency; a mandate or a closed account is told and counts for nothing; what nobody says is null, never 0.
import type { Actor } from '../domain/kernel/event.ts';
import type { Opener } from '../journal/sealing.ts';
import { type CustomerRows, isOwned, type StoredHolding, type StoredParty, type StoredTransaction } from './customer-rows.ts';
import { personShown, sealedOfProfile } from './customer-shown.ts';
import { OpenedValues, Showing, type ShownText } from './shown.ts';

/** Whole minor units: a number, or decimal text past 2^53. */
export type MinorUnits = number | string;

/** Every sealed line of the rows, to be opened at once. */
export function* sealedIn({ customer, holdings, parties, transactions }: CustomerRows): Generator<string | null> {
  yield* sealedOfProfile(customer.profile);
  for (const { name } of parties) yield name;
  for (const { number, counterparty_name, counterparty_account } of holdings) {
    yield number;
    yield counterparty_name;
    yield counterparty_account;
  }
  yield* sealedInTransactions(transactions);
}

export function* sealedInTransactions(transactions: readonly StoredTransaction[]): Generator<string | null> {
  for (const { counterparty_name, counterparty_account, description } of transactions) {
    yield counterparty_name;
    yield counterparty_account;
    yield description;
  }
}

/** @param sees which other customers the reader may see, now */
export async function view360(rows: CustomerRows, opener: Pick<Opener, 'openMany'>, actor: Actor, sees: ReadonlySet<string>) {
  const showing = new Showing(await OpenedValues.of(opener, sealedIn(rows)), actor.role);
  const { customer, holdings } = rows;
  const isTheirs = ({ customer_ref }: StoredHolding): boolean => customer_ref !== null && customer.refs.includes(customer_ref);
  const ownerships = holdings.filter(({ kind }) => kind === 'ownership');
  const own = ownerships.filter(isTheirs).sort(byStanding);
  const owned = new Set(own.filter(isOwned).map(({ account_id }) => account_id));
  const of = (kind: string): StoredHolding[] => holdings.filter((thing) => thing.kind === kind).sort(bySince);
  const accountRows = new Map(of('account').map((account) => [account.id, account]));
  const owners = Map.groupBy(ownerships.filter(isOwned), ({ account_id }) => account_id);
  const isJoint = (accountId: string): boolean => new Set(owners.get(accountId)?.map(({ customer_ref }) => customer_ref)).size > 1;
  const balances = new Map(rows.balances.map((balance) => [balance.account_id, balance]));

  // One line an account, by the strongest of what they are to it now; what is over comes only where nothing else is.
  const byAccount = new Map<string, StoredHolding>();
  for (const ownership of own) if (!byAccount.has(ownership.account_id)) byAccount.set(ownership.account_id, ownership);
  const accounts = [...byAccount.values()].sort(bySince).map((ownership) => {
    const account = accountRows.get(ownership.account_id);
    const balance = balances.get(ownership.account_id);
    return {
      id: ownership.account_id,
      number: showing.text('number', 'number', account?.number ?? null),
      product: account?.product ?? null,
      branch: account?.branch ?? null,
      currency: account?.currency ?? null,
      status: account?.status ?? null,
      role: ownership.role ?? '',
      joint: isJoint(ownership.account_id),
      since: ownership.since,
      until: ownership.status === 'ended' ? ownership.until : (account?.until ?? null),
      balance: balance ? { amount: minorUnits(balance.amount), currency: balance.currency, asOf: balance.as_of } : null,
    };
  });

  const answer = {
    customer: {
      id: customer.id,
      manager: customer.manager,
      branch: customer.branch,
      ...personShown(customer.profile, showing),
      revision: customer.revision,
    },
    accounts,
    loans: of('loan')
      .filter(({ account_id }) => owned.has(account_id))
      .map((loan) => ({
        id: loan.id,
        account: loan.account_id,
        currency: loan.currency ?? '',
        amount: loan.amount ?? 0,
        payment: loan.payment,
        months: loan.months,
        outstanding: loan.outstanding,
        status: loan.status,
        sourceStatus: loan.source_status,
        since: loan.since,
      })),
    cards: of('card')
      .filter((card) => isTheirs(card) || owned.has(card.account_id))
      .map((card) => ({
        id: card.id,
        account: card.account_id,
        number: showing.text('number', 'number', card.number),
        product: card.product,
        status: card.status,
        holder: card.customer_ref === null ? null : isTheirs(card) ? ('this' as const) : ('another' as const),
        since: card.since,
        until: card.until,
      })),
    orders: of('order')
      .filter(({ account_id }) => owned.has(account_id))
      .map((order) => ({
        id: order.id,
        account: order.account_id,
        currency: order.currency ?? '',
        amount: order.amount ?? 0,
        category: order.category,
        counterparty: counterpartyShown(order, showing),
        status: order.status,
        since: order.since,
      })),
    balances: totals(
      [...owned]
        .filter((id) => accountRows.get(id)?.status !== 'closed')
        .map((id) => ({ balance: balances.get(id), currency: accountRows.get(id)?.currency ?? null, joint: isJoint(id) })),
    ),
    flows: rows.flows
      .map(({ month, currency, category, inflow, outflow }) => ({
        month,
        currency,
        category,
        inflow: minorUnits(inflow),
        outflow: minorUnits(outflow),
      }))
      .sort(
        (one, other) => compare(other.month, one.month) || compare(one.currency, other.currency) || compare(one.category ?? '', other.category ?? ''),
      ),
    transactions: rows.transactions.map((transaction) => transactionShown(transaction, showing)),
    relations: relationsOf(rows, ownerships, byAccount, isTheirs, showing, sees),
    tags: customer.tags,
    classification: { kind: customer.kind, standing: customer.standing, since: customer.since_on, incomplete: customer.incomplete },
    campaigns: [...rows.enrolments]
      .sort((one, other) => compare(other.enrolled_at, one.enrolled_at) || compare(one.id, other.id))
      .map((enrolment) => ({
        id: enrolment.id,
        campaign: enrolment.campaign_id,
        name: enrolment.campaign,
        status: enrolment.campaign_status,
        enrolledAt: enrolment.enrolled_at,
        response: enrolment.response,
        respondedAt: enrolment.responded_at,
      })),
  };
  return { answer: { ...answer, masked: showing.masked }, plain: showing.plain };
}

export function transactionShown(transaction: StoredTransaction, showing: Showing) {
  return {
    id: transaction.id,
    account: transaction.account_id,
    bookedOn: transaction.booked_on,
    direction: transaction.direction,
    currency: transaction.currency,
    amount: transaction.amount,
    balance: transaction.balance,
    category: transaction.category,
    operation: transaction.operation,
    counterparty: counterpartyShown(transaction, showing),
    description: showing.text('description', 'hidden', transaction.description),
    reverses: transaction.reverses,
  };
}

type Counterparty = Pick<StoredTransaction, 'counterparty_name' | 'counterparty_account' | 'counterparty_bank'>;

function counterpartyShown({ counterparty_name, counterparty_account, counterparty_bank }: Counterparty, showing: Showing) {
  return {
    name: showing.text('counterparty', 'hidden', counterparty_name),
    account: showing.text('counterparty', 'hidden', counterparty_account),
    bank: counterparty_bank,
  };
}

interface OwnedAccount {
  readonly balance: { readonly currency: string; readonly amount: string } | undefined;
  readonly currency: string | null;
  readonly joint: boolean;
}

/** Of owned accounts, by currency; an account whose balance nobody says counts as unknown, not as 0. */
function totals(accounts: readonly OwnedAccount[]) {
  const sums = new Map<string, { amount: bigint; accounts: number; unknown: number; joint: number }>();
  for (const { balance, currency: itsOwn, joint } of accounts) {
    const currency = balance?.currency ?? itsOwn;
    if (currency === null) continue;
    const sum = sums.get(currency) ?? { amount: 0n, accounts: 0, unknown: 0, joint: 0 };
    sum.accounts += 1;
    if (joint) sum.joint += 1;
    if (balance) sum.amount += BigInt(balance.amount);
    else sum.unknown += 1;
    sums.set(currency, sum);
  }
  return [...sums]
    .sort(([one], [other]) => compare(one, other))
    .map(([currency, { amount, accounts: count, unknown, joint }]) => ({
      currency,
      amount: count === unknown ? null : minorUnits(String(amount)),
      accounts: count,
      unknown,
      joint,
    }));
}

interface Relation {
  readonly account: string | null;
  readonly role: string;
  readonly customer: string | null;
  readonly name: ShownText;
}

/** Others on the accounts that are theirs now, and possible pairs. Who may not be seen has no id and no name, a pair not even a line. */
function relationsOf(
  { customer, parties }: CustomerRows,
  ownerships: readonly StoredHolding[],
  byAccount: ReadonlyMap<string, StoredHolding>,
  isTheirs: (holding: StoredHolding) => boolean,
  showing: Showing,
  sees: ReadonlySet<string>,
): Relation[] {
  // Where two have a reference it is the one's whose own id it is: the same whatever order the rows came in.
  const byRef = new Map<string, StoredParty>();
  for (const party of parties.toSorted((one, other) => compare(one.id, other.id)))
    for (const ref of party.refs) if (!byRef.has(ref) || party.id === ref) byRef.set(ref, party);
  const seen = (party: StoredParty | undefined) =>
    party && sees.has(party.id) ? { customer: party.id, name: showing.text('relations', 'name', party.name) } : { customer: null, name: null };
  const onAccounts = ownerships
    .filter((ownership) => !isTheirs(ownership) && ownership.status === 'current' && byAccount.get(ownership.account_id)?.status === 'current')
    .sort((one, other) => compare(one.account_id, other.account_id) || bySince(one, other))
    .map(({ account_id, role, customer_ref }) => ({ account: account_id, role: role ?? '', ...seen(byRef.get(customer_ref ?? '')) }));
  const pairs = parties
    .filter(({ id }) => customer.pairs.includes(id) && sees.has(id))
    .sort((one, other) => compare(one.id, other.id))
    .map((party) => ({ account: null, role: 'possible-pair', ...seen(party) }));
  return [...onAccounts, ...pairs];
}

const strength: Readonly<Record<string, number>> = { owner: 0, 'joint-owner': 1, mandate: 2 };

/** What is current first, and of that what is strongest. */
function byStanding(one: StoredHolding, other: StoredHolding): number {
  const rank = ({ status, role }: StoredHolding): number => (status === 'current' ? 0 : 10) + (strength[role ?? ''] ?? 3);
  return rank(one) - rank(other) || compare(one.id, other.id);
}

function bySince(one: StoredHolding, other: StoredHolding): number {
  return compare(one.since, other.since) || compare(one.id, other.id);
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** Decimal text as a number where that is exact. */
export function minorUnits(text: string): MinorUnits {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : text;
}
