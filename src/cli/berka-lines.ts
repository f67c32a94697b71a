// Rows of the PKDD'99 files as lines of the core-banking feed: what may be concluded from them, and no more. Clients have no names and no
// documents; loan status and standing orders are known as of the end of 1998 only; a balance is what a transaction says it is.
import type { z } from 'zod';
import type { CoreBankingLine } from '../feeds/core-banking-lines.ts';
import {
  birthOf,
  type Cell,
  categories,
  DATA_TAKEN_ON,
  dateOf,
  directions,
  loanStatuses,
  minorUnitsOf,
  operations,
  optionalWordOf,
  products,
  roles,
  systemName,
  timeOf,
  wordOf,
} from './berka-words.ts';

type Line = z.input<typeof CoreBankingLine>;
export type LineOf<Kind extends Line['kind']> = Extract<Line, { kind: Kind }>;
export type Row = Readonly<Record<string, string | undefined>>;

export interface BerkaAccount {
  readonly id: string;
  readonly district: string;
  readonly openedOn: string;
}
export interface BerkaDisposition {
  readonly id: string;
  readonly client: string;
  readonly account: string;
}

/** What rows of one file say about those of another. Undefined where there is none that could be read. */
export interface Lookups {
  account(id: string): BerkaAccount | undefined;
  disposition(id: string): BerkaDisposition | undefined;
  /** The first that was opened of those a client has. */
  firstAccountOf(client: string): BerkaAccount | undefined;
  /** `Beroun, central Bohemia` */
  district(id: string): string | undefined;
}

export function readAccount(row: Row): BerkaAccount {
  return { id: idOf(row, 'account_id'), district: idOf(row, 'district_id'), openedOn: dateOf(cell(row, 'date')) };
}

export function readDisposition(row: Row): BerkaDisposition {
  return { id: idOf(row, 'disp_id'), client: idOf(row, 'client_id'), account: idOf(row, 'account_id') };
}

/** Counts from the opening of their first account; the branch is that account's district, the address their own. */
export function customerLine(row: Row, lookups: Lookups): LineOf<'customer'> {
  const id = idOf(row, 'client_id');
  const account = found(lookups.firstAccountOf(id), `client ${id} has no account`);
  const district = idOf(row, 'district_id');
  const address = found(lookups.district(district), `there is no district ${district}`);
  return {
    kind: 'customer',
    ...common(id, account.openedOn),
    type: 'person',
    ...birthOf(cell(row, 'birth_number')),
    contacts: [{ kind: 'address', value: address }],
    branch: account.district,
  };
}

export function accountLine(row: Row): LineOf<'account'> {
  const { id, district, openedOn } = readAccount(row);
  const product = wordOf(products, cell(row, 'frequency'));
  return { kind: 'account', ...common(id, openedOn), product, branch: district, currency: 'CZK', openedOn };
}

/** A disposition: DISPONENT may act on the account, which says nothing of how they are related. */
export function ownershipLine(row: Row, lookups: Lookups): LineOf<'ownership'> {
  const { id, client, account } = readDisposition(row);
  const { openedOn } = found(lookups.account(account), `there is no account ${account}`);
  return { kind: 'ownership', ...common(id, openedOn), account, customer: client, role: wordOf(roles, cell(row, 'type')) };
}

/** As it was granted, and how it stood when the data was taken: a view of 1993 must not say how it ended. */
export function loanLines(row: Row): readonly LineOf<'loan'>[] {
  const id = idOf(row, 'loan_id');
  const grantedOn = dateOf(cell(row, 'date'));
  const terms = {
    account: idOf(row, 'account_id'),
    currency: 'CZK',
    amount: minorUnitsOf(cell(row, 'amount')),
    payment: minorUnitsOf(cell(row, 'payments')),
    months: wholeOf(cell(row, 'duration')),
    grantedOn,
  };
  const letter = cell(row, 'status');
  const status = wordOf(loanStatuses, letter);
  const atTheEnd: LineOf<'loan'> = { kind: 'loan', ...common(id, DATA_TAKEN_ON), ...terms, status, sourceStatus: letter.text };
  return grantedOn < DATA_TAKEN_ON ? [{ kind: 'loan', ...common(id, grantedOn), ...terms }, atTheEnd] : [atTheEnd];
}

export function cardLine(row: Row, lookups: Lookups): LineOf<'card'> {
  const disposition = idOf(row, 'disp_id');
  const { account, client } = found(lookups.disposition(disposition), `there is no disposition ${disposition}`);
  const issuedOn = dateOf(cell(row, 'issued'));
  const product = textOf(row, 'type');
  return { kind: 'card', ...common(idOf(row, 'card_id'), issuedOn), account, customer: client, product, issuedOn };
}

export function standingOrderLine(row: Row): LineOf<'standing-order'> {
  const category = optionalWordOf(categories, cell(row, 'k_symbol'));
  return {
    kind: 'standing-order',
    ...common(idOf(row, 'order_id'), DATA_TAKEN_ON),
    account: idOf(row, 'account_id'),
    currency: 'CZK',
    amount: minorUnitsOf(cell(row, 'amount')),
    ...counterpartyOf(cell(row, 'bank_to').text, cell(row, 'account_to').text),
    ...(category === undefined ? {} : { category }),
  };
}

export function transactionLine(row: Row): LineOf<'transaction'> {
  const category = optionalWordOf(categories, cell(row, 'k_symbol'));
  const operation = optionalWordOf(operations, cell(row, 'operation'));
  return {
    kind: 'transaction',
    ...common(idOf(row, 'trans_id'), dateOf(cell(row, 'date'))),
    account: idOf(row, 'account_id'),
    currency: 'CZK',
    direction: wordOf(directions, cell(row, 'type')),
    amount: minorUnitsOf(cell(row, 'amount')),
    balance: minorUnitsOf(cell(row, 'balance')),
    ...(category === undefined ? {} : { category }),
    ...(operation === undefined ? {} : { operation }),
    ...counterpartyOf(cell(row, 'bank').text, cell(row, 'account').text),
  };
}

function common(id: string, date: string): { readonly source: { readonly system: string; readonly id: string }; readonly at: string } {
  return { source: { system: systemName, id }, at: timeOf(date) };
}

/** Account 0 is how the files write that there is none. */
function counterpartyOf(bank: string, account: string): { readonly counterparty?: { readonly bank?: string; readonly account?: string } } {
  const counterparty = { ...(bank === '' ? {} : { bank }), ...(account === '' || account === '0' ? {} : { account }) };
  return Object.keys(counterparty).length === 0 ? {} : { counterparty };
}

/** Blank is empty. */
function cell(row: Row, column: string): Cell {
  return { column, text: (row[column] ?? '').trim() };
}

function idOf(row: Row, column: string): string {
  const { text } = cell(row, column);
  if (!/^\d{1,12}$/.test(text)) throw new Error(`${column} is "${text}", expected a number`);
  return text;
}

function textOf(row: Row, column: string): string {
  const { text } = cell(row, column);
  if (text === '') throw new Error(`${column} is empty`);
  return text;
}

function wholeOf({ column, text }: Cell): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new Error(`${column} is "${text}", expected a number of months`);
  return Number(text);
}

function found<Thing>(thing: Thing | undefined, otherwise: string): Thing {
  if (thing === undefined) throw new Error(otherwise);
  return thing;
}
