// Brings a database to the schema that this program knows. What the schema is stands in migrations/NNNN-name.sql, numbered, never edited once
// released, each run in a transaction of its own (so a file has no begin or commit).
// Grants and settings of the database itself (`grant … on database`, `alter database`) do not follow into copies and dumps: keep them out of the files.
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from '../logging.ts';
import { StartError } from '../start-error.ts';
import { APP_ROLE } from './pool.ts';
import { codeOf, DUPLICATE_OBJECT, INTERNAL_ERROR, UNIQUE_VIOLATION } from './sqlstate.ts';

export interface MigrateOptions {
  /** The owner's URL: makes tables, roles, grants. */
  readonly url: string;
  /** More logins that may act as the app role, beside the owner. */
  readonly grantTo?: readonly string[];
  /** Where the files are; the program's own where absent. */
  readonly folder?: string;
  readonly log?: Logger;
}

export interface Migrated {
  /** Numbers that this call applied; another server may have applied others at the same time. */
  readonly applied: readonly number[];
  /** The highest number that the database has now; 0 where there is none. */
  readonly version: number;
}

/** Two servers that start at once take turns by this advisory lock ("shiji" in ASCII). It is per database. */
const LOCK = 0x7368696a69;
const OLDEST_POSTGRES = 16;

/** @throws StartError where a released file was changed, the database is newer than the program, or the server is too old. */
export async function migrate({ url, grantTo = [], folder = join(import.meta.dirname, 'migrations'), log }: MigrateOptions): Promise<Migrated> {
  const files = await readMigrations(folder);
  const client = new pg.Client({
    connectionString: url,
    application_name: 'shiji migrate',
    // A server's own limits are for requests; an index on a large table takes its time.
    statement_timeout: 0,
    lock_timeout: 0,
  });
  // A lost connection fails the query that waits; without a listener it would end the process as well.
  client.on('error', () => {});
  await client.connect();
  try {
    await assertVersion(client);
    await lock(client, log);
    await ensureAppRole(client, grantTo);
    return await applyMissing(client, files, log);
  } finally {
    await client.end();
  }
}

interface Migration {
  readonly number: number;
  readonly file: string;
  readonly sql: string;
  readonly sha256: string;
}

async function readMigrations(folder: string): Promise<readonly Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  const migrations = await Promise.all(
    names.map(async (file): Promise<Migration> => {
      const number = Number(/^(\d{4})-[a-z0-9-]+\.sql$/.exec(file)?.[1]);
      if (!(number > 0)) throw new StartError(`The migration ${join(folder, file)} must be named like 0007-what-it-does.sql.`);
      // Line ends as git on Windows makes them are no change.
      const sql = (await readFile(join(folder, file), 'utf8')).replaceAll('\r\n', '\n');
      return { number, file, sql, sha256: createHash('sha256').update(sql).digest('hex') };
    }),
  );
  for (const [index, migration] of migrations.entries()) {
    const before = migrations[index - 1];
    if (before?.number === migration.number)
      throw new StartError(`Two migrations have one number, ${before.file} and ${migration.file}: give the newer one the next number.`);
  }
  return migrations;
}

async function assertVersion(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ major: number; version: string }>(
    `select current_setting('server_version_num')::int / 10000 as major, current_setting('server_version') as version`,
  );
  const server = rows[0];
  if (server === undefined || server.major >= OLDEST_POSTGRES) return;
  throw new StartError(
    `DATABASE_URL names a Postgres ${server.version}, and Shiji needs ${OLDEST_POSTGRES} or newer: upgrade it or name another server.`,
  );
}

// Tried, not waited for: a blocked statement would hold back `create index concurrently` of whoever migrates.
async function lock(client: pg.Client, log: Logger | undefined): Promise<void> {
  for (let tries = 0; ; tries++) {
    const { rows } = await client.query<{ taken: boolean }>('select pg_try_advisory_lock($1) as taken', [LOCK]);
    if (rows[0]?.taken) return;
    if (tries === 10) log?.info('waiting for another server that migrates this database');
    await sleep(100);
  }
}

/** Roles belong to the cluster, the lock to one database: another database's migration may make or grant the role at the same moment. */
async function ensureAppRole(client: pg.Client, grantTo: readonly string[]): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      const { rowCount } = await client.query('select from pg_roles where rolname = $1', [APP_ROLE]);
      if (rowCount === 0) await client.query(`create role ${APP_ROLE} nologin`);
      const { rows } = await client.query<{ name: string }>(
        `select rolname as name from pg_roles where (rolname = current_user or rolname = any ($1)) and rolname <> $2 and not pg_has_role(oid, $2, 'SET')`,
        [grantTo, APP_ROLE],
      );
      for (const { name } of rows) await client.query(`grant ${APP_ROLE} to ${pg.escapeIdentifier(name)}`);
      return;
    } catch (error) {
      const code = codeOf(error);
      const raced = code === UNIQUE_VIOLATION || code === DUPLICATE_OBJECT || code === INTERNAL_ERROR;
      if (!raced || tries === 20) throw new Error(`the role ${APP_ROLE} could not be made and granted`, { cause: error });
      await sleep(20 * tries);
    }
  }
}

async function applyMissing(client: pg.Client, files: readonly Migration[], log: Logger | undefined): Promise<Migrated> {
  // Asked first, so that a start that has nothing to do needs no right to create.
  const { rows: found } = await client.query<{ known: boolean }>(`select to_regclass('public.migrations') is not null as known`);
  if (!found[0]?.known) {
    await client.query(`create table public.migrations (
      number int primary key, name text not null, sha256 text not null, applied_at timestamptz not null default clock_timestamp())`);
    // So that a server without an owner's login can tell that there is nothing to do.
    await client.query(`grant select on public.migrations to ${APP_ROLE}`);
  }
  const { rows: done } = await client.query<{ number: number; name: string; sha256: string }>(
    'select number, name, sha256 from public.migrations order by number',
  );
  const known = new Map(files.map((file) => [file.number, file]));
  for (const { number, name, sha256 } of done) {
    const file = known.get(number);
    if (file === undefined)
      throw new StartError(
        `The database was migrated by a newer Shiji (${name}): start that version or a newer one, or restore a backup from before.`,
      );
    if (file.sha256 !== sha256)
      throw new StartError(
        `The migration ${file.file} is not as this database applied it: restore the released file and write the change as a new migration.`,
      );
  }
  const version = done.at(-1)?.number ?? 0;
  const applied: number[] = [];
  const doneNumbers = new Set(done.map(({ number }) => number));
  for (const file of files.filter(({ number }) => !doneNumbers.has(number))) {
    if (file.number < version)
      throw new StartError(`The migration ${file.file} is older than what this database has already: give it the next free number.`);
    await apply(client, file);
    applied.push(file.number);
    log?.info({ migration: file.file }, 'migrated');
  }
  return { applied, version: applied.at(-1) ?? version };
}

async function apply(client: pg.Client, { number, file, sql, sha256 }: Migration): Promise<void> {
  await client.query('begin');
  try {
    await client.query(sql);
    await client.query('insert into public.migrations (number, name, sha256) values ($1, $2, $3)', [number, file, sha256]);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw new Error(`the migration ${file} failed`, { cause: error });
  }
}
