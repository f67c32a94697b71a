// The PKDD'99 financial data set ("Berka", a Czech bank from 1993 to 1998) as rows of an import: docs/feeds.md says what is taken from it.
import { type BerkaTable, openTables, readLookups } from './berka-files.ts';
import { accountLine, cardLine, customerLine, loanLines, ownershipLine, type Row, standingOrderLine, transactionLine } from './berka-lines.ts';
import { transactionRows } from './berka-transactions.ts';
import type { ImportRow, ImportSource } from './upload.ts';

/** @throws StartError naming a file that is not there */
export async function berkaFolder(folder: string): Promise<ImportSource> {
  const tables = await openTables(folder);
  const all = Object.values(tables);
  return {
    bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
    bytesRead: () => all.reduce((sum, { file }) => sum + file.bytesRead, 0),
    rows: async function* () {
      const lookups = await readLookups(tables);
      yield* linesOf('customers', tables.client, (row) => [customerLine(row, lookups)]);
      yield* linesOf('accounts', tables.account, (row) => [accountLine(row)]);
      yield* linesOf('ownerships', tables.disposition, (row) => [ownershipLine(row, lookups)]);
      yield* linesOf('loans', tables.loan, loanLines);
      yield* linesOf('cards', tables.card, (row) => [cardLine(row, lookups)]);
      yield* linesOf('standing orders', tables.order, (row) => [standingOrderLine(row)]);
      for await (const { file, line, record } of transactionRows(tables)) yield rowOf('transactions', file, line, () => [transactionLine(record)]);
    },
  };
}

async function* linesOf(kind: string, { name, file }: BerkaTable, make: (row: Row) => readonly object[]): AsyncGenerator<ImportRow> {
  for await (const { record, line } of file.rows()) yield rowOf(kind, name, line, () => make(record));
}

function rowOf(kind: string, file: string, line: number, make: () => readonly object[]): ImportRow {
  try {
    return { kind, file, line, entries: make() };
  } catch (error) {
    return { kind, file, line, entries: [], problem: error instanceof Error ? error.message : String(error) };
  }
}
