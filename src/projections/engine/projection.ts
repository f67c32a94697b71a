// What a read model is to the engine: one table, which events touch which rows, and a pure fold. The engine owns reading, batches,
// transactions, checkpoints and receipts (runner.ts); the same fold runs live, in a rebuild, in a replay and over one customer's past.
import type { RecordedEvent } from '../../domain/kernel/event.ts';
import type { Personal } from '../../domain/kernel/personal.ts';

/**
 * `sealed` keeps a personal value as sealed in the journal (text). `tokens` keeps the keyed search tokens of personal values
 * (bigint[], made by the engine when it writes, so that a fold never sees plain text). The rest are Postgres' own.
 */
export type ColumnType = 'text' | 'integer' | 'bigint' | 'boolean' | 'timestamptz' | 'date' | 'numeric' | 'text[]' | 'sealed' | 'tokens';

/**
 * What a `tokens` column is searched by: `words` (the default); `names`, with pinyin, initials and single characters of Chinese names;
 * `exact`, the whole value alone; `like-names`, `births` and `places`, by what records of one party share though they differ
 * (domain/matching/keys.ts).
 */
export type TokenKind = 'words' | 'names' | 'exact' | 'like-names' | 'births' | 'places';

export interface Column {
  readonly type: ColumnType;
  readonly nullable?: true;
  readonly tokens?: TokenKind;
}

/** What a fold keeps in a row, by column type: instants are RFC 3339 UTC with milliseconds, `numeric` and `date` are strings. */
export type Cell = string | number | boolean | null | readonly string[] | Personal | readonly Personal[];

/** A fold's row. Values must survive a round trip through the table unchanged. */
export type Row = { readonly [column: string]: Cell };

export interface Table {
  readonly name: string;
  readonly columns: Readonly<Record<string, Column>>;
  /** The one column that names a row. */
  readonly key: string;
  /** What follows `create index on <table>`: `(assignee, due_at, id)`, `using gin (search)`. Built after a rebuild's COPY. */
  readonly indexes: readonly string[];
}

export interface Projection<R extends Row = Row> {
  readonly name: string;
  /** Raise it when the fold or the table changes meaning. */
  readonly version: number;
  /** Stream categories it is offered. A type in them that this program does not know pauses the projection. */
  readonly categories: readonly string[];
  readonly table: Table;
  /** Types before which none of the rows they touch can exist: the engine does not look for them. */
  readonly creates: ReadonlySet<string>;
  /** The rows an event touches; none where it does not matter here. */
  keys(event: RecordedEvent): readonly string[];
  /** The row after the event; undefined where there is none (any more). Pure; a throw parks that row's key. */
  apply(row: R | undefined, event: RecordedEvent, key: string): R | undefined;
}
