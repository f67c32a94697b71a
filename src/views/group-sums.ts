// What the members of a group hold together: each account, loan and card once, whoever of them holds it. A sum is of those members alone
// whom it was made for; what nobody says counts as unknown, never as 0.
import { minorUnits } from './customer-360.ts';
import { type CustomerRows, isOpen, isOwned, LAST_TICKETS } from './customer-rows.ts';

export interface MoneySum {
  readonly currency: string;
  /** Minor units; null where of none it is known. */
  readonly amount: number | string | null;
  readonly count: number;
  readonly unknown: number;
}

export interface GroupSums {
  readonly members: number;
  /** Balances of owned accounts that are not closed. */
  readonly assets: readonly MoneySum[];
  /** What is outstanding of loans that are not over. */
  readonly liabilities: readonly MoneySum[];
  /** Accounts that more than one of the members own. */
  readonly joint: number;
  readonly products: readonly string[];
  readonly loans: number;
  readonly cards: number;
  /** Null where a member has more than are looked at. */
  readonly openTickets: number | null;
}

interface Item {
  readonly currency: string | null;
  readonly amount: string | number | null;
}

export function groupSums(members: readonly CustomerRows[]): GroupSums {
  const owners = new Map<string, number>();
  const accounts = new Map<string, Item & { readonly product: string | null }>();
  const loans = new Map<string, Item>();
  const cards = new Set<string>();
  const tickets = new Set<string>();
  let isCut = false;
  for (const { customer, holdings, balances, tickets: some } of members) {
    const refs = new Set<string | null>(customer.refs);
    const owned = new Set(holdings.filter((one) => isOwned(one) && refs.has(one.customer_ref)).map(({ account_id }) => account_id));
    const balanceOf = new Map(balances.map((balance) => [balance.account_id, balance]));
    for (const account of owned) owners.set(account, (owners.get(account) ?? 0) + 1);
    for (const { id, kind, account_id, customer_ref, currency, outstanding, product, status } of holdings) {
      if (kind === 'account' && owned.has(id) && status !== 'closed') {
        const balance = balanceOf.get(id);
        accounts.set(id, { currency: balance?.currency ?? currency, amount: balance?.amount ?? null, product });
      }
      if (kind === 'loan' && owned.has(account_id) && status !== 'finished') loans.set(id, { currency, amount: outstanding });
      if (kind === 'card' && status !== 'cancelled' && status !== 'expired' && (refs.has(customer_ref) || owned.has(account_id))) cards.add(id);
    }
    const open = some.filter(isOpen);
    if (open.length >= LAST_TICKETS) isCut = true;
    for (const { id } of open) tickets.add(id);
  }
  return {
    members: members.length,
    assets: sumsOf([...accounts.values()]),
    liabilities: sumsOf([...loans.values()]),
    joint: [...accounts.keys()].filter((id) => (owners.get(id) ?? 0) > 1).length,
    products: [...new Set([...accounts.values()].flatMap(({ product }) => product ?? []))].sort(),
    loans: loans.size,
    cards: cards.size,
    openTickets: isCut ? null : tickets.size,
  };
}

function sumsOf(items: readonly Item[]): MoneySum[] {
  return [...Map.groupBy(items, ({ currency }) => currency ?? '')]
    .filter(([currency]) => currency !== '')
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([currency, some]) => {
      const known = some.flatMap(({ amount }) => (amount === null ? [] : BigInt(amount)));
      const total = known.reduce((sum, amount) => sum + amount, 0n);
      const amount = known.length === 0 ? null : minorUnits(String(total));
      return { currency, amount, count: some.length, unknown: some.length - known.length };
    });
}
