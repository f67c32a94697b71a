// The migration runner, on files of its own and once on the released ones.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrate } from '../../src/postgres/migrate.ts';
import { APP_ROLE, createPool } from '../../src/postgres/pool.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const released = join(import.meta.dirname, '../../src/postgres/migrations');

let database: TestDatabase;
let folder: string;

beforeEach(async () => {
  database = await createTestDatabase({ migrated: false });
  folder = mkdtempSync(join(tmpdir(), 'shiji-migrations-'));
  writeFileSync(join(folder, '0001-first.sql'), `create table first (id int primary key); grant select on first to ${APP_ROLE};`);
  writeFileSync(join(folder, '0002-second.sql'), 'create table second (id int primary key); insert into second values (1), (2);');
});

afterEach(async () => {
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

const run = () => migrate({ url: database.ownerUrl, folder });

async function query<Row extends pg.QueryResultRow>(text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: database.ownerUrl });
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

describe('migrating', () => {
  it('brings an empty database to the newest version, with the app role there before the first file', async () => {
    expect(await run()).toStrictEqual({ applied: [1, 2], version: 2 });
    expect(await query('select number, name from migrations order by number')).toStrictEqual([
      { number: 1, name: '0001-first.sql' },
      { number: 2, name: '0002-second.sql' },
    ]);
    const pool = createPool({ url: database.ownerUrl, max: 1, applicationName: 'test', role: APP_ROLE });
    await expect(pool.query('select from first')).resolves.toBeDefined();
    await expect(pool.query('select from second')).rejects.toThrow('permission denied');
    await pool.end();
  });

  it('does nothing the second time, and only what is new the third', async () => {
    await run();
    expect(await run()).toStrictEqual({ applied: [], version: 2 });
    writeFileSync(join(folder, '0003-third.sql'), 'create table third ()');
    expect(await run()).toStrictEqual({ applied: [3], version: 3 });
  });

  it('applies each file once when several servers start at once', async () => {
    const outcomes = await Promise.all([run(), run(), run()]);
    expect(outcomes.flatMap(({ applied }) => applied).sort()).toStrictEqual([1, 2]);
    expect(outcomes.map(({ version }) => version)).toStrictEqual([2, 2, 2]);
  });

  it('leaves nothing of a file that fails', async () => {
    writeFileSync(join(folder, '0003-third.sql'), 'create table third (); select 1 / 0;');
    await expect(run()).rejects.toThrow('the migration 0003-third.sql failed');
    expect(await query(`select to_regclass('third') as third, max(number) as version from migrations`)).toStrictEqual([{ third: null, version: 2 }]);
  });

  it('takes other line ends for the same file', async () => {
    writeFileSync(join(folder, '0003-third.sql'), 'create table third (\n);\n');
    await run();
    writeFileSync(join(folder, '0003-third.sql'), 'create table third (\r\n);\r\n');
    expect(await run()).toStrictEqual({ applied: [], version: 3 });
  });

  it.each([
    [
      'a released file that was changed',
      () => writeFileSync(join(folder, '0001-first.sql'), 'create table other ()'),
      /0001-first\.sql is not as this database applied it/,
    ],
    ['a database of a newer program', () => rmSync(join(folder, '0002-second.sql')), /by a newer Shiji \(0002-second\.sql\)/],
    [
      'two files of one number',
      () => cpSync(join(folder, '0002-second.sql'), join(folder, '0002-twice.sql')),
      /one number, 0002-second\.sql and 0002-twice\.sql/,
    ],
    ['a file without a number', () => writeFileSync(join(folder, 'third.sql'), ''), /must be named like/],
  ])('refuses %s in one sentence', async (_, change, sentence) => {
    await run();
    change();
    await expect(run()).rejects.toThrow(expect.objectContaining({ name: 'StartError', message: expect.stringMatching(sentence) }));
  });

  it('refuses a file that comes before what is applied', async () => {
    rmSync(join(folder, '0001-first.sql'));
    await run();
    writeFileSync(join(folder, '0001-late.sql'), '');
    await expect(run()).rejects.toThrow('0001-late.sql is older than what this database has');
  });

  it('lets a login without the owner’s rights find that there is nothing to do', async () => {
    await expect(migrate({ url: database.url, folder })).rejects.toThrow();
    await run();
    expect(await migrate({ url: database.url, folder })).toStrictEqual({ applied: [], version: 2 });
  });

  it('applies the released files', async () => {
    const { version } = await migrate({ url: database.ownerUrl, folder: released });
    expect(await migrate({ url: database.ownerUrl, folder: released })).toStrictEqual({ applied: [], version });
  });
});
