// Reading and writing the rows of one read model in one schema: load by `= any`, insert by `unnest`, COPY for rows that can't be there yet.
import { once } from 'node:events';
import { setImmediate as othersFirst } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { Erased, Sealed } from '../../domain/kernel/personal.ts';
import { SealBroken } from '../../journal/sealing.ts';
import { takeRows } from '../../postgres/rows.ts';
import { arrayLiteral, copyLine, decodeRow, RowRefused, sameRow, textArrayLiteral } from './columns.ts';
import type { Cell, Projection, Row, TokenKind } from './projection.ts';
import { type TableSql, tableSql } from './table-sql.ts';
import type { Entry, Unit } from './unit.ts';

/** Opens personal values to make search tokens of them; nothing plain is kept. */
export interface Personals {
  /** In order; `Erased` where the key was destroyed. */
  readonly openMany: (values: readonly Sealed[]) => Promise<readonly unknown[]>;
  readonly tokens: (text: string, kind?: TokenKind) => readonly string[];
}

export interface Changes {
  /** Rows that the table can't have yet. */
  readonly fresh: readonly Row[];
  readonly changed: readonly Row[];
  readonly deleted: readonly string[];
}

/** The statement's own values arrive as text, whatever the pool decodes. */
export const rawTexts = { getTypeParser: () => (text: string) => text };

// Around the size of a socket's buffer: larger pieces only hold up the other requests of this process while they are made.
const COPY_PIECE_CHARACTERS = 128 * 1024;

/** Personal values opened, or rows given their tokens, without a pause: some 10 ms. */
const TOKENS_PIECE = 512;

export class TableWriter {
  readonly schema: string;
  readonly sql: TableSql;
  readonly #projection: Projection;
  readonly #pool: Pool;
  readonly #personals: Personals;
  readonly #tokenColumns: readonly string[];
  readonly #tokensMade = new WeakMap<readonly Cell[], readonly string[]>();

  constructor(options: { pool: Pool; schema: string; projection: Projection; personals: Personals }) {
    this.#pool = options.pool;
    this.#projection = options.projection;
    this.#personals = options.personals;
    this.schema = options.schema;
    this.sql = tableSql(options.schema, options.projection);
    this.#tokenColumns = this.sql.columns.filter(({ type }) => type === 'tokens').map(({ name }) => name);
  }

  async load(keys: readonly string[]): Promise<ReadonlyMap<string, Row>> {
    const result = await this.#pool.query<(string | null)[]>({
      ...this.sql.load,
      values: [textArrayLiteral(keys)],
      rowMode: 'array',
      types: rawTexts,
    });
    return new Map(takeRows(result).map(([key, ...cells]) => [key as string, decodeRow(this.sql.columns, cells)]));
  }

  /** What differs from the table, with the search tokens made. */
  async changes(unit: Unit): Promise<Changes> {
    if (this.#tokenColumns.length > 0) await this.#makeTokens(unit);
    const keyColumn = this.#projection.table.key;
    const fresh: Row[] = [];
    const changed: Row[] = [];
    const deleted: string[] = [];
    for (const { key, before, row } of unit.entries.values()) {
      if (before === row) continue;
      if (row === undefined) deleted.push(key);
      else if (row[keyColumn] !== key && String(row[keyColumn]) !== key) throw new RowRefused('a row has another key');
      else if (before === undefined) fresh.push(row);
      else if (!sameRow(this.sql.columns, before, row)) changed.push(row);
    }
    return { fresh, changed, deleted };
  }

  arrays(rows: readonly Row[]): string[] {
    return this.sql.columns.map((column) => arrayLiteral(column, rows));
  }

  /** Writes what is not fresh, for a build: without a checkpoint of its own. */
  async upsert(client: PoolClient, { changed, deleted }: Changes): Promise<void> {
    if (changed.length > 0) await client.query(this.sql.upsert, this.arrays(changed));
    if (deleted.length > 0) await client.query(this.sql.remove, [textArrayLiteral(deleted)]);
  }

  async copy(client: PoolClient, rows: readonly Row[]): Promise<void> {
    if (rows.length === 0) return;
    const stream = client.query(copyFrom(this.sql.copy));
    // Where it fails, `finished` says so; the pieces still to come must not wait for ever.
    const finished = once(stream, 'finish');
    finished.catch(() => {});
    let piece = '';
    for (const row of rows) {
      piece += copyLine(this.sql.columns, row);
      if (piece.length < COPY_PIECE_CHARACTERS) continue;
      if (stream.destroyed) break;
      // biome-ignore lint/performance/noAwaitInLoops: the socket's own pace
      await written(stream, piece, finished);
      piece = '';
    }
    if (piece !== '' && !stream.destroyed) await written(stream, piece, finished);
    stream.end();
    await finished;
  }

  /** A fold states personal values; what is kept are the keyed tokens of their words. Tokens loaded from the table pass as they are. */
  async #makeTokens(unit: Unit): Promise<void> {
    const sealed: Sealed[] = [];
    const wanted: { readonly entry: Entry; readonly column: string; readonly from: number; readonly to: number }[] = [];
    for (const entry of unit.entries.values()) {
      const { before, row } = entry;
      if (row === undefined || row === before) continue;
      for (const column of this.#tokenColumns) {
        const cell = row[column];
        if (!Array.isArray(cell) || cell.every((item) => typeof item === 'string')) continue;
        // The unit before may still be being written: its rows were folded on with the values that its tokens are made of.
        const made = this.#tokensMade.get(cell);
        if (made) {
          entry.row = { ...(entry.row as Row), [column]: made };
          continue;
        }
        const from = sealed.length;
        for (const item of cell as readonly Cell[]) if (item instanceof Sealed) sealed.push(item);
        wanted.push({ entry, column, from, to: sealed.length });
      }
    }
    if (wanted.length === 0) return;
    const opened: unknown[] = [];
    for (let from = 0; from < sealed.length; from += TOKENS_PIECE) {
      // biome-ignore lint/performance/noAwaitInLoops: in pieces, so that the requests of this process have their turns
      opened.push(...(await this.#open(sealed.slice(from, from + TOKENS_PIECE))));
      if (from > 0) await othersFirst();
    }
    for (const [index, { entry, column, from, to }] of wanted.entries()) {
      // biome-ignore lint/performance/noAwaitInLoops: for the same reason
      if (index % TOKENS_PIECE === TOKENS_PIECE - 1) await othersFirst();
      const kind = this.#projection.table.columns[column]?.tokens;
      const row = entry.row as Row;
      const found = new Set((row[column] as readonly Cell[]).filter((item) => typeof item === 'string'));
      for (let at = from; at < to; at += 1) {
        const text = opened[at];
        if (typeof text === 'string') for (const token of this.#personals.tokens(text, kind)) found.add(token);
        else if (!(text instanceof Erased)) throw new RowRefused(`${column} is made of personal texts only`);
      }
      const tokens = [...found].sort();
      this.#tokensMade.set(row[column] as readonly Cell[], tokens);
      entry.row = { ...row, [column]: tokens };
    }
  }

  async #open(sealed: readonly Sealed[]): Promise<readonly unknown[]> {
    try {
      return await this.#personals.openMany(sealed);
    } catch (error) {
      if (!(error instanceof SealBroken)) throw error;
      // One by one, to tell whose it is.
      const tried = await Promise.allSettled(sealed.map((value) => this.#personals.openMany([value])));
      const broken = sealed.filter((_, index) => tried[index]?.status === 'rejected');
      throw new RowRefused(
        'a sealed value does not open',
        broken.map(({ eventId }) => eventId),
      );
    }
  }
}

async function written(stream: ReturnType<typeof copyFrom>, piece: string, finished: Promise<unknown>): Promise<void> {
  if (stream.write(piece)) return;
  await Promise.race([once(stream, 'drain'), finished]);
}
