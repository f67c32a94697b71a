// What an import is measured against: the very rows that it left, events, streams, keys and read models, copied into fresh tables with
// the same indexes. The text lies ready in files; all tables at once, each with its primary key first and its other indexes after.
import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { projections } from '../../src/projections/all.ts';
import { tableSql } from '../../src/projections/engine/table-sql.ts';
import { withClient } from './database.ts';

const SCHEMA = 'baseline';
const PIECE_BYTES = 256 * 1_024;

interface BaselineTable {
  readonly name: string;
  /** Gives the rows, their columns in the table's order. */
  readonly rows: string;
  readonly create: string;
  readonly copy: string;
  readonly indexes: readonly string[];
}

/** As migrations 0001 and 0002 make them, but for the partitions: one table is the faster. */
const journalTables: readonly BaselineTable[] = [
  {
    ...copied('events', 'journal.events'),
    // As journal.add_partition has it: whole in its page up to a page.
    create: `create table ${SCHEMA}.events (like journal.events including defaults including storage, primary key (position)) with (toast_tuple_target = 8160)`,
    indexes: [`create index on ${SCHEMA}.events (stream, revision)`],
  },
  {
    ...copied('streams', 'journal.streams'),
    create: `create table ${SCHEMA}.streams (like journal.streams including defaults, primary key (stream)) with (fillfactor = 80)`,
    indexes: [],
  },
  {
    ...copied('data_keys', 'keys.data_keys'),
    create: `create table ${SCHEMA}.data_keys (like keys.data_keys including defaults, primary key (id))`,
    indexes: [`create unique index on ${SCHEMA}.data_keys (subject, retention, version)`],
  },
];

const readTables: readonly BaselineTable[] = projections.map((projection) => {
  const live = tableSql('read', projection);
  const { create, copy, indexes } = tableSql(SCHEMA, projection);
  return {
    name: projection.table.name,
    rows: `select ${live.columns.map(({ name }) => `"${name}"`).join(', ')} from ${live.qualified}`,
    create,
    copy,
    indexes,
  };
});

const tables = [...journalTables, ...readTables];

export interface KeptRows {
  readonly folder: string;
  readonly counts: Readonly<Record<string, number>>;
}

/** Writes each table's rows to a file of its own. */
export async function keepRows(url: string, folder: string): Promise<KeptRows> {
  const counts: Record<string, number> = {};
  for (const { name, rows } of tables) {
    await withClient(url, async (client) => {
      const source = client.query(copyTo(`copy (${rows}) to stdout`));
      await pipeline(source, createWriteStream(fileOf(folder, name)));
      counts[name] = source.rowCount;
    });
  }
  return { folder, counts };
}

/** Seconds from the first table's making to the last one's statistics. */
export async function copyRows(url: string, { folder }: KeptRows): Promise<number> {
  await withClient(url, async (client) => {
    await client.query(`drop schema if exists ${SCHEMA} cascade`);
    await client.query(`create schema ${SCHEMA}`);
    await client.query('checkpoint');
  });
  const startedMs = performance.now();
  await Promise.all(
    tables.map(({ name, create, copy, indexes }) =>
      withClient(url, async (client) => {
        await client.query('begin');
        await client.query(create);
        await pipeline(createReadStream(fileOf(folder, name), { highWaterMark: PIECE_BYTES }), client.query(copyFrom(copy)));
        for (const index of indexes) await client.query(index);
        await client.query(`analyze ${SCHEMA}."${name}"`);
        await client.query('commit');
      }),
    ),
  );
  const seconds = (performance.now() - startedMs) / 1_000;
  await withClient(url, (client) => client.query(`drop schema ${SCHEMA} cascade`));
  return seconds;
}

export interface StoredBytes {
  /** Of events, guard rows and keys with their indexes. */
  readonly journal: number;
  /** Of the read models with theirs. */
  readonly readModels: number;
}

export async function storedBytes(url: string): Promise<StoredBytes> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ journal: string; read_models: string }>(
      `select sum(pg_total_relation_size(c.oid)) filter (where n.nspname in ('journal', 'keys')) as journal,
              coalesce(sum(pg_total_relation_size(c.oid)) filter (where n.nspname = 'read'), 0) as read_models
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind = 'r' and n.nspname in ('journal', 'keys', 'read')`,
    );
    return { journal: Number(rows[0]?.journal), readModels: Number(rows[0]?.read_models) };
  });
}

function copied(name: string, table: string): Pick<BaselineTable, 'name' | 'rows' | 'copy'> {
  return { name, rows: `select * from ${table}`, copy: `copy ${SCHEMA}.${name} from stdin` };
}

function fileOf(folder: string, table: string): string {
  return join(folder, `${table}.copy`);
}
