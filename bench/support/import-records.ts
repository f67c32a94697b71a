// What the import rows bring: the PKDD'99 bank where its folder is given by SHIJI_BERKA, its transactions told again over later years
// until there are enough; else a generated bank of its shape.
import { berkaFolder } from '../../src/cli/berka.ts';
import { bankRecords } from './bank.ts';
import { yesterday } from './bench-bank.ts';

export interface ImportRecords {
  /** What it is, for the notes. */
  readonly about: string;
  readonly records: AsyncIterable<object> | Iterable<object>;
}

const SEED = 20260405;
/** As many as the PKDD'99 bank has. */
const ACCOUNTS = 4_500;
const TRANSACTIONS = 'transactions';
/** Between a transaction and its next repetition: eleven times the original's five years end in 2023. */
const DAYS_BETWEEN = 913;

/** A bank of the usual number of customers and holdings with so many transactions. */
export async function importRecords(transactions: number): Promise<ImportRecords> {
  const folder = process.env.SHIJI_BERKA;
  if (folder === undefined || folder === '') {
    const records = bankRecords({ seed: SEED, system: 'core', accounts: ACCOUNTS, transactions, until: yesterday(), named: false });
    return { about: "a generated bank of the PKDD'99 bank's shape", records };
  }
  return { about: "the PKDD'99 bank, its transactions repeated over time", records: realRecords(folder, transactions) };
}

async function* realRecords(folder: string, transactions: number): AsyncGenerator<object> {
  const source = await berkaFolder(folder);
  let count = 0;
  for (let repetition = 0; count < transactions; repetition += 1) {
    const before = count;
    for await (const { kind, entries, problem, line } of source.rows()) {
      if (problem !== undefined) throw new Error(`line ${line} of the ${kind}: ${problem}`);
      if (kind !== TRANSACTIONS) {
        if (repetition === 0) yield* entries;
        continue;
      }
      for (const entry of entries) {
        if (count === transactions) return;
        count += 1;
        yield repeated(entry as TransactionRecord, repetition);
      }
    }
    if (count === before) throw new Error(`${folder} has no transactions`);
  }
}

export interface TransactionRecord {
  readonly source: { readonly system: string; readonly id: string };
  /** A date with its zone. */
  readonly at: string;
}

/** The same transaction years later, under an id of its own. The original is the repetition 0. */
export function repeated<Transaction extends TransactionRecord>(transaction: Transaction, repetition: number): Transaction {
  if (repetition === 0) return transaction;
  const { source, at } = transaction;
  const date = Temporal.PlainDate.from(at.slice(0, 10)).add({ days: repetition * DAYS_BETWEEN });
  return { ...transaction, source: { ...source, id: `${source.id}-${repetition}` }, at: date.toString() + at.slice(10) };
}
