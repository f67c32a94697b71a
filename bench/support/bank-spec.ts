// A generated bank's measure and days, and what every line of it says: which thing of which system, from when on.
import type { Draw } from './draw.ts';

export interface BankSpec {
  readonly seed: number;
  /** The source's name. */
  readonly system: string;
  readonly accounts: number;
  readonly transactions: number;
  /** The last day that has transactions. `YYYY-MM-DD` */
  readonly until: string;
  /** With names, documents and phones; else, as the PKDD'99 bank's, with a birth date and an address alone. */
  readonly named: boolean;
}

/** One line of the feed, before it is text. */
export type FeedRecord = { readonly kind: string } & Readonly<Record<string, unknown>>;

/** From the first transaction to the last. */
export const DAYS = 6 * 365;
/** Accounts are opened up to here. */
const OPENING_DAYS = 2 * 365;
const ZONE = 'Asia/Shanghai';
export const CURRENCY = 'CNY';
const COUNTERPARTY_BANKS = ['ICBK', 'PCBC', 'ABOC', 'BKCH', 'COMM', 'CMBC', 'PSBC', 'CIBK'];

export function told(
  { system }: BankSpec,
  id: string,
  day: string,
): { readonly source: { readonly system: string; readonly id: string }; readonly at: string } {
  return { source: { system, id }, at: `${day}[${ZONE}]` };
}

export function counterparty(draw: Draw): object {
  return { bank: draw.of(COUNTERPARTY_BANKS), account: String(draw.below(90_000_000) + 10_000_000) };
}

/** The first day that all accounts are open on: from then on every customer is known. `YYYY-MM-DD` */
export function allOpenOn({ until }: Pick<BankSpec, 'until'>): string {
  return dayBefore(until, DAYS - OPENING_DAYS);
}

/** Accounts are opened evenly over the first years, the first on the first day. */
export function openedOn({ accounts, until }: BankSpec, account: number): string {
  return dayBefore(until, DAYS - 1 - Math.floor(((account - 1) * OPENING_DAYS) / accounts));
}

/** How many are open on a day from the first, 0. */
export function openBy(day: number, accounts: number): number {
  return Math.min(accounts, Math.floor((day * accounts) / OPENING_DAYS) + 1);
}

const days = new Map<string, string>();

export function dayBefore(until: string, count: number): string {
  const key = `${until}-${count}`;
  let day = days.get(key);
  if (day === undefined) {
    day = Temporal.PlainDate.from(until).subtract({ days: count }).toString();
    days.set(key, day);
  }
  return day;
}
