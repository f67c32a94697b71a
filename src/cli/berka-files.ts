// The PKDD'99 folder: its files, plain or gzip, and what their rows say about those of other files.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { StartError } from '../start-error.ts';
import { type BerkaAccount, type BerkaDisposition, type Lookups, type Row, readAccount, readDisposition } from './berka-lines.ts';
import { CsvFile } from './csv-file.ts';

const transactionColumns = ['trans_id', 'account_id', 'date', 'type', 'operation', 'amount', 'balance', 'k_symbol', 'bank', 'account'];
const tables = {
  account: { name: 'account.asc', delimiter: ';', columns: ['account_id', 'district_id', 'frequency', 'date'] },
  client: { name: 'client.asc', delimiter: ';', columns: ['client_id', 'birth_number', 'district_id'] },
  disposition: { name: 'disp.asc', delimiter: ';', columns: ['disp_id', 'client_id', 'account_id', 'type'] },
  district: { name: 'district.asc', delimiter: ';', columns: ['A1', 'A2', 'A3'] },
  loan: { name: 'loan.asc', delimiter: ';', columns: ['loan_id', 'account_id', 'date', 'amount', 'duration', 'payments', 'status'] },
  card: { name: 'card.asc', delimiter: ';', columns: ['card_id', 'disp_id', 'type', 'issued'] },
  order: { name: 'order.asc', delimiter: ';', columns: ['order_id', 'account_id', 'bank_to', 'account_to', 'amount', 'k_symbol'] },
  transactions: { name: 'trans_19930101_19940330.asc', delimiter: ';', columns: transactionColumns },
  loanAccountTransactions: { name: 'trans_loan_accounts.csv', delimiter: ',', columns: [...transactionColumns, 'precision'] },
} as const;
export type TableName = keyof typeof tables;

export interface BerkaTable {
  /** As it lies in the folder. */
  readonly name: string;
  readonly bytes: number;
  readonly file: CsvFile<string>;
}
export type BerkaTables = Readonly<Record<TableName, BerkaTable>>;

/** @throws StartError naming the first file that is not there */
export async function openTables(folder: string): Promise<BerkaTables> {
  const opened: Partial<Record<TableName, BerkaTable>> = {};
  for (const [table, { name, delimiter, columns }] of Object.entries(tables)) {
    const there = (await inFolder(folder, name)) ?? (await inFolder(folder, `${name}.gz`));
    if (!there) throw new StartError(`There is no ${name} or ${name}.gz in ${folder}.`);
    const description = { columns, delimiter, called: there.name, mustBe: "that of the PKDD'99 financial data set" };
    opened[table as TableName] = { ...there, file: new CsvFile<string>(join(folder, there.name), description) };
  }
  return opened as BerkaTables;
}

async function inFolder(folder: string, name: string): Promise<{ readonly name: string; readonly bytes: number } | undefined> {
  const found = await stat(join(folder, name)).catch(() => undefined);
  return found?.isFile() ? { name, bytes: found.size } : undefined;
}

/** Rows that can't be read are left out here, and told of where their own lines are made. */
export async function readLookups({ account, disposition, district }: Pick<BerkaTables, 'account' | 'disposition' | 'district'>): Promise<Lookups> {
  const accounts = new Map<string, BerkaAccount>();
  for await (const row of readable(account, readAccount)) accounts.set(row.id, row);
  const dispositions = new Map<string, BerkaDisposition>();
  const firstAccounts = new Map<string, BerkaAccount>();
  for await (const row of readable(disposition, readDisposition)) {
    dispositions.set(row.id, row);
    const own = accounts.get(row.account);
    const first = firstAccounts.get(row.client);
    if (own && (!first || own.openedOn < first.openedOn)) firstAccounts.set(row.client, own);
  }
  const districts = new Map<string, string>();
  for await (const { record } of district.file.rows()) {
    const [id, ...names] = [record.A1, record.A2, record.A3].map((text) => (text ?? '').trim());
    if (id && names.every((name) => name !== '')) districts.set(id, names.join(', '));
  }
  return {
    account: (id) => accounts.get(id),
    disposition: (id) => dispositions.get(id),
    firstAccountOf: (client) => firstAccounts.get(client),
    district: (id) => districts.get(id),
  };
}

async function* readable<Thing>({ file }: BerkaTable, read: (row: Row) => Thing): AsyncGenerator<Thing> {
  for await (const { record } of file.rows()) {
    try {
      yield read(record);
    } catch {
      // A look-up leaves it out; the import's own pass over the file tells it as a reject, with its line.
    }
  }
}
