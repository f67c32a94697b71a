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

/** How gladly an `Accept` header takes a type (RFC 9110, 12.5.1): the most exact range counts, and 0 is never. */
function acceptance(accept: string, type: string): number {
  const ranges = [type, `${type.slice(0, type.indexOf('/'))}/*`, '*/*'];
  let best = { place: ranges.length, quality: 0 };
  for (const range of accept.toLowerCase().split(',')) {
    const [name = '', ...parameters] = range.split(';').map((part) => part.trim());
    const place = ranges.indexOf(name);
    if (place === -1 || place > best.place) continue;
    const weight = parameters.map((parameter) => /^q\s*=\s*(.*)$/.exec(parameter)?.[1]).find((value) => value !== undefined);
    const quality = weight === undefined ? 1 : /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(weight) ? Number(weight) : 0;
    best = { place, quality: place === best.place ? Math.max(best.quality, quality) : quality };
  }
  return best.quality;
}

/** What to answer with, of the forms that there are; undefined where a table alone is asked for and there is none. */
export function formFor(accept: string | undefined, hasTable: boolean): 'json' | 'table' | undefined {
  if (accept === undefined) return 'json';
  const json = acceptance(accept, 'application/json');
  const table = acceptance(accept, 'text/csv');
  // As welcome as JSON, it is meant where it is named: many clients add `*/*` by themselves.
  const isNamed = /(^|,)\s*text\/csv\s*(;|,|$)/i.test(accept);
  const isPreferred = table > json || (table > 0 && table === json && isNamed);
  if (hasTable) return isPreferred ? 'table' : 'json';
  return isNamed && table > 0 && json === 0 ? undefined : 'json';
}
