// Which versions of a read model stand beside each other, and when one is begun. A projection has a live table and at most one that stands
// by, each with a checkpoint of its own; only a program of a table's version and shape folds into it.
//
//   (begun) ─► next ──swap──► live ──swap of another──► kept ──rollback──► next ──swap──► live
//               └──rollback──► withdrawn (what live becomes by a rollback, too) ──swap──► next
//
// Readers know one name, read.<table>. What it means changes in one transaction, to a table at least as far as the one before (swap.ts).
import type { Pool, PoolClient } from 'pg';
import { BEGIN, BEGIN_LONG, type Checkpoint, inTransaction, readCheckpoints, standbyOf } from './books.ts';
import { columnsOf, quoted, sqlType, textArrayLiteral } from './columns.ts';
import type { Leases } from './leases.ts';
import type { EngineLog } from './observe.ts';
import type { Column, Projection } from './projection.ts';
import { shapeOf, tableSql } from './table-sql.ts';

/** Where the live read models are. */
export const LIVE_SCHEMA = 'read';

/** Whether this program's fold and columns are those of the table. */
export function isOf({ version, table }: Projection, checkpoint: Checkpoint): boolean {
  return checkpoint.schemaName !== '' && checkpoint.version === version && checkpoint.shape === shapeOf(table);
}

/**
 * Whether this program should begin a table of its version beside the live one. Two programs with one version and two shapes can't be
 * told apart by age: `if-unattended`, while no program runs the live one.
 */
export function wantsNext(projection: Projection, live: Checkpoint, standby: Checkpoint | undefined): 'no' | 'yes' | 'if-unattended' {
  const { version } = projection;
  if (live.schemaName === '') return 'no';
  if (live.rebuild !== undefined && version >= live.version) return 'yes';
  if (version < live.version || isOf(projection, live)) return 'no';
  if (standby?.standing === 'next' && (standby.swap === 'rollback' || standby.version > version || isOf(projection, standby))) return 'no';
  if (standby?.standing === 'withdrawn' && standby.version >= version) return 'no';
  return version > live.version ? 'yes' : 'if-unattended';
}

export interface Beginning {
  readonly pool: Pool;
  readonly projection: Projection;
  readonly leases: Leases;
  readonly journalId: string;
  /** By COPY, its indexes last. */
  readonly build: boolean;
}

export interface Begun {
  readonly fromVersion: number;
  /** Of the lease on what stands by: taken from an older program that kept warm what is dropped. */
  readonly fence: number;
}

/** Begins a table at position 0 in place of what stood by; undefined where that is no longer wanted. */
export async function beginNext({ pool, projection, leases, journalId, build }: Beginning): Promise<Begun | undefined> {
  const { name, version, table } = projection;
  const book = standbyOf(name);
  const schema = `build_${name}_v${version}`;
  const sql = tableSql(schema, projection);
  const begun = await inTransaction(pool, BEGIN_LONG, async (client): Promise<Begun | undefined> => {
    // Its writer takes the table's lock before the checkpoint's, and so must whoever drops it.
    const dropped = (await readCheckpoints(client, [book])).get(book)?.schemaName ?? '';
    if (dropped !== '') await client.query(`lock table ${quoted(dropped)}.${quoted(table.name)} in access exclusive mode`);
    const { live, standby } = await lockBoth(client, name);
    if ((standby?.schemaName ?? '') !== dropped) return undefined;
    if (!live || wantsNext(projection, live, standby) === 'no') return undefined;
    const fence = await leases.seize(client, book);
    if (dropped !== '') await client.query(`drop schema if exists ${quoted(dropped)} cascade`);
    await client.query(`drop schema if exists ${quoted(schema)} cascade`);
    await client.query(
      `with r as (delete from engine.receipts where projection = $1), a as (delete from engine.audits where projection = $1),
            p as (delete from engine.parked where projection = $1), o as (delete from engine.orders where projection = $1)
       delete from engine.checkpoints where projection = $1`,
      [book],
    );
    const swap = live.rebuild ?? (standby?.standing === 'next' && standby.swap === 'manual' ? 'manual' : 'auto');
    await client.query(
      `insert into engine.checkpoints (projection, schema_name, version, shape, journal_id, status, paused, fence, standing, swap)
         values ($1, $2, $3, $4, $5, $6, $7, $8, 'next', $9)`,
      [book, schema, version, shapeOf(table), journalId, build ? 'building' : 'live', live.paused, fence, swap],
    );
    await client.query('update engine.checkpoints set rebuild = null where projection = $1', [name]);
    await client.query('select engine.create_schema($1)', [schema]);
    await client.query(sql.create);
    if (!build) await client.query(sql.indexes.join('; '));
    return { fromVersion: live.version, fence };
  });
  if (begun) leases.seized(book, begun.fence);
  return begun;
}

/** Both checkpoints, locked until the transaction's end. */
export async function lockBoth(client: PoolClient, name: string): Promise<{ live: Checkpoint | undefined; standby: Checkpoint | undefined }> {
  const names = [name, standbyOf(name)];
  await client.query('select from engine.checkpoints where projection = any($1::text[]) order by projection for update', [textArrayLiteral(names)]);
  const found = await readCheckpoints(client, names);
  return { live: found.get(name), standby: found.get(standbyOf(name)) };
}

/** Longest that a program's writers or readers are held up by a try to change the table's columns. */
const WIDEN_LOCK_MS = 1_000;

/**
 * Adds the columns that this program's queries name to a live table of an older version, empty, so that they can be asked until the
 * version that fills them is swapped in. The program that still folds into it does not see them.
 */
export async function widenLive(pool: Pool, projection: Projection, log: EngineLog): Promise<void> {
  const { name, version, table } = projection;
  const live = (await readCheckpoints(pool, [name])).get(name);
  if (!live || live.schemaName === '' || live.version > version || isOf(projection, live)) return;
  const { rows } = await pool.query<{ name: string; type: string }>(
    `select a.attname as name, format_type(a.atttypid, a.atttypmod) as type
       from pg_attribute a where a.attrelid = to_regclass($1) and a.attnum > 0 and not a.attisdropped`,
    [`${live.schemaName}.${table.name}`],
  );
  const there = new Map(rows.map((row) => [row.name, row.type]));
  if (there.size === 0) return;
  for (const { name: column, type } of columnsOf(table))
    if (there.has(column) && canonical(there.get(column) as string) !== canonical(sqlType(type)))
      log.error({ projection: name, column }, 'a column changes its type between versions: queries of one of them fail; give it a new name');
  const missing = columnsOf(table).filter((column) => !there.has(column.name));
  if (missing.length === 0) return;
  const additions = missing.map((column) => `add column if not exists ${quoted(column.name)} ${sqlType(column.type)}${emptiness(column)}`);
  await inTransaction(pool, BEGIN, async (client) => {
    await client.query(`set local lock_timeout = ${WIDEN_LOCK_MS}`);
    await client.query(`alter table ${quoted(live.schemaName)}.${quoted(table.name)} ${additions.join(', ')}`);
    await client.query('update engine.checkpoints set added = added || $2::text[] where projection = $1', [
      name,
      textArrayLiteral(missing.map((column) => column.name)),
    ]);
  });
  log.info({ projection: name, columns: missing.map((column) => column.name) }, 'columns of the newer version stand empty until it is swapped in');
}

function canonical(type: string): string {
  return type === 'timestamp with time zone' ? 'timestamptz' : type;
}

/** What a column says where nothing filled it. */
function emptiness({ type, nullable }: Column): string {
  if (nullable === true || type === 'sealed') return '';
  if (type === 'tokens' || type === 'text[]') return ` not null default '{}'`;
  if (type === 'timestamptz' || type === 'date') return ` not null default 'epoch'`;
  if (type === 'boolean') return ' not null default false';
  return type === 'text' ? ` not null default ''` : ' not null default 0';
}
