// A small bank in the form of the PKDD'99 data set: accounts with owners and mandates, loans, cards, orders and five years of
// transactions with balances, drawn by a seed. Its sums come with it.
import { writeBerka } from './berka.ts';

export interface BerkaBank {
  readonly folder: string;
  readonly sums: {
    readonly accounts: number;
    readonly clients: number;
    readonly transactions: number;
    readonly loans: number;
    readonly loanSum: number;
    readonly cards: number;
    readonly orders: number;
    /** Accounts without a transaction: their balance is unknown. */
    readonly silent: number;
  };
  /** Clients that own an account with transactions both sides of the middle of 1997. */
  readonly movers: readonly string[];
}

const DAY_MS = 86_400_000;
const transactionHeader = '"trans_id";"account_id";"date";"type";"operation";"amount";"balance";"k_symbol";"bank";"account"';

export function berkaBank(accounts: number, seed = 7): BerkaBank {
  const random = randomOf(seed);
  const upTo = (most: number): number => Math.floor(random() * most);
  const pick = <Item>(items: readonly Item[]): Item => items[upTo(items.length)] as Item;
  const account: string[] = [];
  const client: string[] = [];
  const disp: string[] = [];
  const loan: string[] = [];
  const card: string[] = [];
  const order: string[] = [];
  const early: string[] = [];
  const late: string[] = [];
  const movers: string[] = [];
  let clients = 0;
  let dispositions = 0;
  let transactions = 0;
  let loanSum = 0;
  let silent = 0;
  for (let id = 1; id <= accounts; id += 1) {
    const opened = Date.UTC(1993, 0, 1) + upTo(800) * DAY_MS;
    account.push(`${id};${1 + upTo(3)};"${pick(['POPLATEK MESICNE', 'POPLATEK TYDNE', 'POPLATEK PO OBRATU'])}";${day(opened)}`);
    const holders = random() < 0.2 ? ['OWNER', 'DISPONENT'] : ['OWNER'];
    for (const role of holders) {
      clients += 1;
      dispositions += 1;
      client.push(`${clients};"${pick(['706213', '450204', '405114', '560703'])}";${1 + upTo(3)}`);
      disp.push(`${dispositions};${clients};${id};"${role}"`);
    }
    const owner = clients - holders.length + 1;
    if (random() < 0.2)
      card.push(
        `${card.length + 1};${dispositions - holders.length + 1};"${pick(['classic', 'junior', 'gold'])}";${day(opened + 300 * DAY_MS)} 00:00:00`,
      );
    for (let count = upTo(3); count > 0; count -= 1)
      order.push(
        `${order.length + 1};${id};"YZ";"${10_000 + upTo(9_000)}";${pick(['2452.00', '3372.70', '100.10'])};"${pick(['SIPO', 'UVER', ' '])}"`,
      );
    if (random() < 0.3) {
      silent += 1;
      continue;
    }
    const withLoan = random() < 0.4;
    let balance = 0;
    let lastDay = 0;
    for (let at = opened; at < Date.UTC(1998, 11, 1); at += (20 + upTo(40)) * DAY_MS) {
      const cents = 100 * (1 + upTo(90_000));
      const credit = balance < 50_000 || random() < 0.5;
      balance += credit ? cents : -cents;
      transactions += 1;
      const row = [
        transactions,
        id,
        day(at),
        credit ? 'PRIJEM' : 'VYDAJ',
        credit ? 'VKLAD' : 'VYBER',
        money(cents),
        money(balance),
        pick(['', ' ', 'UROK', 'SLUZBY']),
      ];
      if (at <= Date.UTC(1994, 2, 30)) early.push(`${row[0]};${row[1]};${row[2]};"${row[3]}";"${row[4]}";${row[5]};${row[6]};"${row[7]}";;`);
      if (withLoan) late.push(`${row.join(',')},,,exact`);
      else if (at > Date.UTC(1994, 2, 30)) transactions -= 1;
      else lastDay = at;
      if (withLoan) lastDay = at;
      if (!withLoan && at > Date.UTC(1994, 2, 30)) break;
    }
    if (withLoan) {
      const amount = 1_000 * (50 + upTo(300));
      loanSum += amount * 100;
      loan.push(`${loan.length + 1};${id};${day(opened + 500 * DAY_MS)};${amount};12;${(amount / 12).toFixed(2)};"${pick(['A', 'B', 'C', 'D'])}"`);
      if (lastDay > Date.UTC(1997, 6, 1)) movers.push(`${owner}`);
    }
    if (lastDay === 0) silent += 1;
  }
  const folder = writeBerka(
    {
      'account.asc': ['"account_id";"district_id";"frequency";"date"', ...account],
      'client.asc': ['"client_id";"birth_number";"district_id"', ...client],
      'disp.asc': ['"disp_id";"client_id";"account_id";"type"', ...disp],
      'loan.asc': ['"loan_id";"account_id";"date";"amount";"duration";"payments";"status"', ...loan],
      'card.asc': ['"card_id";"disp_id";"type";"issued"', ...card],
      'order.asc': ['"order_id";"account_id";"bank_to";"account_to";"amount";"k_symbol"', ...order],
      'trans_19930101_19940330.asc': [transactionHeader, ...early],
      'trans_loan_accounts.csv': [`${transactionHeader.replaceAll('"', '').replaceAll(';', ',')},precision`, ...late],
    },
    { gzip: true },
  );
  const distinct = new Set([...early.map((row) => row.split(';')[0]), ...late.map((row) => row.split(',')[0])]).size;
  return {
    folder,
    sums: { accounts, clients, transactions: distinct, loans: loan.length, loanSum, cards: card.length, orders: order.length, silent },
    movers,
  };
}

function day(atMs: number): string {
  return new Date(atMs).toISOString().slice(2, 10).replaceAll('-', '');
}

function money(cents: number): string {
  return (cents / 100).toFixed(2);
}

/** mulberry32 */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
