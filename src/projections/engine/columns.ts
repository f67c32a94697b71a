// How a cell is written and read: as a field of COPY, as an element of an array parameter, and back from text. What a column type means
// to a fold is projection.ts. Everything goes as text both ways, so that no session setting or parser changes a value on the way.
import { Erased, Sealed } from '../../domain/kernel/personal.ts';
import { codeOf } from '../../postgres/sqlstate.ts';
import type { Cell, Column, ColumnType, Row, Table } from './projection.ts';

export interface NamedColumn extends Column {
  readonly name: string;
}

/** A fold made a row that its table can't hold. The key's fault is then looked for event by event. */
export class RowRefused extends Error {
  override readonly name = 'RowRefused';
  /** Events of which a sealed value does not open, where that is why. */
  readonly brokenSeals: ReadonlySet<string>;
  constructor(message: string, brokenSeals: Iterable<string> = []) {
    super(message);
    this.brokenSeals = new Set(brokenSeals);
  }
}

/** A row's values are to blame, not the database: a data exception (class 22) or an integrity violation (class 23). */
export function isRefused(error: unknown): boolean {
  return error instanceof RowRefused || /^2[23]/.test(codeOf(error) ?? '');
}

/** A table's columns in the order in which every statement of the engine names them. */
export function columnsOf(table: Table): readonly NamedColumn[] {
  return Object.entries(table.columns).map(([name, column]) => ({ name, ...column }));
}

export function sqlType(type: ColumnType): string {
  if (type === 'sealed') return 'text';
  return type === 'tokens' ? 'bigint[]' : type;
}

export function quoted(identifier: string): string {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(identifier)) throw new Error(`${identifier} is no name for a table or a column`);
  return `"${identifier}"`;
}

/** The column as a text that `decode` understands and that says a value whole: equal texts are equal values. */
export function asText({ name, type }: NamedColumn): string {
  const column = quoted(name);
  switch (type) {
    case 'timestamptz':
      return `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
    case 'date':
      return `to_char(${column}, 'YYYY-MM-DD')`;
    case 'text[]':
      return `array_to_json(${column})::text`;
    case 'tokens':
      return `array_to_json(${column}::text[])::text`;
    default:
      return `${column}::text`;
  }
}

/** From what `asText` selected to what a fold keeps. */
export function decode(type: ColumnType, text: string | null): Cell {
  if (text === null) return null;
  switch (type) {
    case 'integer':
    case 'bigint': {
      const value = Number(text);
      if (!Number.isSafeInteger(value)) throw new RangeError('an integer past 2^53 stands in a read model: its column should be numeric');
      return value;
    }
    case 'boolean':
      return text === 'true';
    case 'text[]':
    case 'tokens':
      return JSON.parse(text) as readonly string[];
    case 'sealed':
      return Sealed.parse(text);
    default:
      return text;
  }
}

export function decodeRow(columns: readonly NamedColumn[], texts: readonly (string | null)[]): Row {
  const row: Record<string, Cell> = {};
  for (let index = 0; index < columns.length; index += 1) {
    const column = columns[index] as NamedColumn;
    row[column.name] = decode(column.type, texts[index] ?? null);
  }
  return row;
}

/** One line of COPY's text format. */
export function copyLine(columns: readonly NamedColumn[], row: Row): string {
  let line = '';
  for (let index = 0; index < columns.length; index += 1) {
    const { name, type } = columns[index] as NamedColumn;
    if (index > 0) line += '\t';
    const cell = row[name];
    if (cell === null || cell === undefined) line += '\\N';
    else if (typeof cell === 'string' && type !== 'sealed') line += COPY_SPECIAL.test(cell) ? copyEscaped(cell) : cell;
    else if (typeof cell === 'number' || typeof cell === 'boolean') line += cell;
    else {
      const text = structured(type, cell);
      line += text === null ? '\\N' : copyEscaped(text);
    }
  }
  return `${line}\n`;
}

const COPY_SPECIAL = /[\\\t\n\r]/;
const COPY_SPECIALS = /[\\\t\n\r]/g;

function copyEscaped(text: string): string {
  return text.replace(COPY_SPECIALS, (character) => (character === '\\' ? '\\\\' : character === '\t' ? '\\t' : character === '\n' ? '\\n' : '\\r'));
}

/** One column of many rows as an array literal for `unnest`; arrays inside go as text, because unnest would flatten them. */
export function arrayLiteral({ name, type }: NamedColumn, rows: readonly Row[]): string {
  let literal = '{';
  for (let index = 0; index < rows.length; index += 1) {
    if (index > 0) literal += ',';
    const cell = (rows[index] as Row)[name];
    if (cell === null || cell === undefined) literal += 'NULL';
    else if (typeof cell === 'string' && type !== 'sealed') literal += element(cell);
    else if (typeof cell === 'number' || typeof cell === 'boolean') literal += cell;
    else {
      const text = structured(type, cell);
      literal += text === null ? 'NULL' : element(text);
    }
  }
  return `${literal}}`;
}

export function textArrayLiteral(texts: readonly string[]): string {
  let literal = '{';
  for (let index = 0; index < texts.length; index += 1)
    literal += index > 0 ? `,${element(texts[index] as string)}` : element(texts[index] as string);
  return `${literal}}`;
}

const ELEMENT_SPECIAL = /["\\]/;

function element(text: string): string {
  return ELEMENT_SPECIAL.test(text) ? `"${text.replace(/["\\]/g, '\\$&')}"` : `"${text}"`;
}

/** The type of the parameter that `arrayLiteral` fills, and the cast from its elements to the column. */
export function parameterType(type: ColumnType): { readonly array: string; readonly cast: string } {
  if (type === 'text[]') return { array: 'text[]', cast: '::text[]' };
  if (type === 'tokens') return { array: 'text[]', cast: '::bigint[]' };
  return { array: `${sqlType(type)}[]`, cast: '' };
}

function structured(type: ColumnType, cell: Cell): string | null {
  if (cell instanceof Sealed && type === 'sealed') return cell.toString();
  // The key is gone, so there is nothing left to keep.
  if (cell instanceof Erased && type === 'sealed') return null;
  if (Array.isArray(cell) && type === 'text[]') return textArrayLiteral(cell as readonly string[]);
  if (Array.isArray(cell) && type === 'tokens') return `{${(cell as readonly string[]).join(',')}}`;
  throw new RowRefused(`a cell of a ${type} column is no ${type}`);
}

/**
 * Refuses what Postgres would refuse or change. Too slow for every row: asked when a whole batch was refused, to find the row.
 * @throws RowRefused
 */
export function checkRow(table: Table, columns: readonly NamedColumn[], key: string, row: Row, brokenSeals: ReadonlySet<string>): void {
  if (String(row[table.key]) !== key) throw new RowRefused('the row has another key');
  for (const column of columns) {
    const cell = row[column.name] ?? null;
    if (cell === null && column.nullable !== true) throw new RowRefused(`column ${column.name} is empty`);
    if (cell !== null && !fits(column.type, cell)) throw new RowRefused(`column ${column.name} holds no ${column.type}`);
    if (column.type === 'tokens' && Array.isArray(cell) && cell.some((item) => item instanceof Sealed && brokenSeals.has(item.eventId)))
      throw new RowRefused(`column ${column.name} has a seal that does not open`);
  }
  for (const name of Object.keys(row)) if (!(name in table.columns)) throw new RowRefused(`there is no column ${name}`);
}

function fits(type: ColumnType, cell: Cell): boolean {
  switch (type) {
    case 'text':
      return isText(cell);
    case 'integer':
      return Number.isInteger(cell) && Math.abs(cell as number) < 2 ** 31;
    case 'bigint':
      return Number.isSafeInteger(cell);
    case 'boolean':
      return typeof cell === 'boolean';
    case 'timestamptz':
      return typeof cell === 'string' && /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/.test(cell) && isTime(cell, cell);
    case 'date':
      return typeof cell === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(cell) && isTime(cell, `${cell}T00:00:00.000Z`);
    case 'numeric':
      return typeof cell === 'string' && /^-?\d+(\.\d+)?$/.test(cell);
    case 'text[]':
      return Array.isArray(cell) && cell.every(isText);
    case 'sealed':
      return cell instanceof Sealed || cell instanceof Erased;
    case 'tokens':
      return (
        Array.isArray(cell) &&
        cell.every((item) => item instanceof Sealed || item instanceof Erased || (typeof item === 'string' && /^\d{1,19}$/.test(item)))
      );
  }
}

/** That it is on the calendar, which Date.parse does not see to; Postgres has no year 0. */
function isTime(cell: string, instant: string): boolean {
  const time = Date.parse(instant);
  return !Number.isNaN(time) && new Date(time).toISOString() === instant && !cell.startsWith('0000');
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && !value.includes('\0') && value.isWellFormed();
}

/** Whether two rows hold the same values: what a fold left as it was is not written. */
export function sameRow(columns: readonly NamedColumn[], a: Row, b: Row): boolean {
  if (a === b) return true;
  for (let index = 0; index < columns.length; index += 1) {
    const { name } = columns[index] as NamedColumn;
    const left = a[name] ?? null;
    const right = b[name] ?? null;
    if (left !== right && !sameCell(left, right)) return false;
  }
  return true;
}

function sameCell(a: Cell, b: Cell): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, index) => item === b[index]);
  if (a instanceof Sealed && b instanceof Sealed)
    return a.envelope === b.envelope && a.eventId === b.eventId && a.field === b.field && a.stream === b.stream;
  return a instanceof Erased && b === null;
}
