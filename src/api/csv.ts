// Tables for spreadsheets: RFC 4180, UTF-8, and no cell that a spreadsheet would run as a formula (evidence.md 101).
// Of our own, since a row is a join of strings; csv-stringify took twice as long for 2,000 rows.

export type Cell = string | number | boolean | null | undefined;

export interface CsvColumn<Item> {
  readonly header: string;
  readonly value: (item: Item) => Cell;
}

export const CSV_TYPE = 'text/csv; charset=utf-8; header=present';

/** A text that starts like a formula in any spreadsheet; numbers of ours are none. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;
const TO_QUOTE = /[",\r\n]/;

export function csvHeader(columns: readonly CsvColumn<never>[]): string {
  return line(columns.map(({ header }) => header));
}

export function csvRows<Item>(columns: readonly CsvColumn<Item>[], items: Iterable<Item>): string {
  let text = '';
  for (const item of items) text += line(columns.map(({ value }) => value(item)));
  return text;
}

function line(cells: readonly Cell[]): string {
  return `${cells.map(cellText).join(',')}\r\n`;
}

function cellText(cell: Cell): string {
  if (cell === null || cell === undefined) return '';
  if (typeof cell !== 'string') return String(cell);
  // NUL ends a text for some readers and is skipped by others, so that what follows it would be hidden or come first.
  const plain = cell.replaceAll('\0', '');
  const text = FORMULA.test(plain) ? `'${plain}` : plain;
  return TO_QUOTE.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Whether the caller asks for a table. */
export function wantsCsv(accept: string | undefined): boolean {
  return accept?.includes('text/csv') === true && !/text\/csv\s*;\s*q=0(\.0*)?\s*(,|$)/.test(accept);
}
