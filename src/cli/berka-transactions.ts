// Transactions of both PKDD'99 files, each once and along their days, in constant memory but for the ids. Some stand in both files: one told
// to the haléř goes before one rounded to whole crowns.
import type { BerkaTables } from './berka-files.ts';
import type { Row } from './berka-lines.ts';

export interface TransactionRow {
  readonly file: string;
  readonly line: number;
  readonly record: Row;
}

/** By date and then id within each file. The files lie by date; a row out of its place only begins a day anew. */
export async function* transactionRows(tables: Pick<BerkaTables, 'transactions' | 'loanAccountTransactions'>): AsyncGenerator<TransactionRow> {
  const { transactions, loanAccountTransactions } = tables;
  const exact = new Set<string>();
  for await (const { record } of loanAccountTransactions.file.rows()) if (isExact(record) && idOf(record) !== '') exact.add(idOf(record));
  const sent = new Set<string>();
  for (const { name, file } of [transactions, loanAccountTransactions]) {
    let day: TransactionRow[] = [];
    for await (const { record, line } of file.rows()) {
      if (day[0] && day[0].record.date !== record.date) {
        yield* onceEach(day, sent);
        day = [];
      }
      // The original file has no rounded ones.
      const doubled = !isExact(record) && exact.has(idOf(record));
      if (!doubled) day.push({ file: name, line, record });
    }
    yield* onceEach(day, sent);
  }
}

function* onceEach(day: TransactionRow[], sent: Set<string>): Generator<TransactionRow> {
  day.sort((one, other) => Number(idOf(one.record)) - Number(idOf(other.record)));
  for (const row of day) {
    const id = idOf(row.record);
    // A row without an id is nobody's double: it is told of as it is.
    if (id !== '' && sent.has(id)) continue;
    sent.add(id);
    yield row;
  }
}

function isExact({ precision }: Row): boolean {
  return precision === undefined || precision === 'exact';
}

function idOf({ trans_id }: Row): string {
  return (trans_id ?? '').trim();
}
