// The record of reads in partitions: a database that has one already keeps it, the next partition is there before it is needed, and who
// viewed what is told across their edges.
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PostgresReadRecords, type Read } from '../../src/api/read-record.ts';
import { migrate } from '../../src/postgres/migrate.ts';
import { APP_ROLE, createPool } from '../../src/postgres/pool.ts';
import { createTestApi } from '../support/api-server.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const WIDTH = 5_000_000;
const released = join(import.meta.dirname, '../../src/postgres/migrations');

let database: TestDatabase;
let owner: pg.Client;
let pools: pg.Pool[];

async function open(migrated: boolean): Promise<void> {
  database = await createTestDatabase({ migrated });
  owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
  pools = [];
}

async function close(): Promise<void> {
  await Promise.all(pools.map((pool) => pool.end()));
  await owner.end();
  await database.drop();
}

function records(): PostgresReadRecords {
  const pool = createPool({ url: database.url, max: 4, applicationName: 'test', role: APP_ROLE });
  pools.push(pool);
  return new PostgresReadRecords(pool);
}

const read = (id: string, subject = 'alice'): Read => ({
  atMs: 1_700_000_000_000,
  subject,
  role: 'agent',
  onBehalfOf: null,
  method: 'GET',
  route: '/v1/customers/{customerId}',
  ids: [id],
  fields: ['name'],
  purpose: null,
  outcome: 'shown',
  requestId: 'r',
  correlationId: 'c',
  filter: [],
  filterHash: null,
});

const nextId = (id: number) => owner.query("select setval('access.read_ids', $1, false)", [id]);
const idsOf = async () => (await owner.query<{ id: string }>('select id from access.reads order by id')).rows.map(({ id }) => Number(id));

async function partitions(): Promise<readonly string[]> {
  const { rows } = await owner.query<{ name: string }>(
    "select inhrelid::regclass::text as name from pg_inherits where inhparent = 'access.reads'::regclass order by 1",
  );
  return rows.map(({ name }) => name);
}

/** As `analyze access.reads` holds it. */
async function whileAnalysed<Result>(run: () => Promise<Result>): Promise<Result> {
  const other = new pg.Client({ connectionString: database.ownerUrl });
  await other.connect();
  try {
    await other.query('begin; lock table only access.reads in share update exclusive mode');
    return await run();
  } finally {
    await other.end();
  }
}

describe('a record of reads from before it had partitions', () => {
  let folder: string;
  beforeEach(async () => {
    await open(false);
    folder = mkdtempSync(join(tmpdir(), 'shiji-migrations-'));
    for (const file of readdirSync(released).filter((name) => name < '0010')) cpSync(join(released, file), join(folder, file));
    const { username } = new URL(database.url);
    await migrate({ url: database.ownerUrl, folder, grantTo: [username] });
    await owner.query(
      `insert into access.reads (read_at, subject, role, method, route, ids, fields, outcome, request_id, correlation_id, filter)
       select now(), 'before-' || n, 'agent', 'GET', '/v1/customers', '{}', '{}', 'shown', 'r', 'c', '{}' from generate_series(1, 3) n`,
    );
  });
  afterEach(async () => {
    await close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('keeps its rows as the first partition with the indexes that it has, and goes on after them', async () => {
    const indexes = "select indexrelid::regclass::oid::int as oid from pg_index where indrelid = 'access.reads'::regclass order by 1";
    const before = (await owner.query(indexes)).rows;
    await migrate({ url: database.ownerUrl });
    await records().write(read('customer-1'));
    expect(await idsOf()).toEqual([1, 2, 3, 4]);
    expect(await partitions()).toEqual(['access.reads_000000', 'access.reads_000001']);
    // The very same: none was built anew while others waited.
    expect((await owner.query(indexes.replace('access.reads', 'access.reads_000000'))).rows).toEqual(before);
    const { rows } = await owner.query("select count(*)::int as count from pg_index where indrelid = 'access.reads_000001'::regclass");
    expect(rows).toEqual([{ count: before.length }]);
  });

  it('is not in the way of a program from before, which writes all the time', async () => {
    const pool = createPool({ url: database.url, max: 1, applicationName: 'test', role: APP_ROLE });
    pools.push(pool);
    const insert = {
      name: 'as-before',
      text: `insert into access.reads (read_at, subject, role, method, route, ids, fields, outcome, request_id, correlation_id, filter)
             values (now(), 'old program', 'agent', 'GET', '/v1/customers', '{}', '{}', 'shown', 'r', 'c', '{}')`,
    };
    let isMigrating = true;
    let written = 0;
    const writing = (async () => {
      for (; isMigrating; written += 1) await pool.query(insert);
    })();
    await expect.poll(() => written).toBeGreaterThan(5);
    await migrate({ url: database.ownerUrl });
    const during = written;
    await expect.poll(() => written).toBeGreaterThan(during + 5);
    isMigrating = false;
    await writing;
    expect(await idsOf()).toEqual(Array.from({ length: 3 + written }, (_, n) => n + 1));
  });

  it('that is long already begins its partitions well behind its end', async () => {
    await owner.query(
      `insert into access.reads (id, read_at, subject, role, method, route, ids, fields, outcome, request_id, correlation_id, filter)
       overriding system value values (13900000, now(), 's', 'agent', 'GET', '/v1/customers', '{}', '{}', 'shown', 'r', 'c', '{}');
       select setval(pg_get_serial_sequence('access.reads', 'id'), 13900000)`,
    );
    await migrate({ url: database.ownerUrl });
    await records().write(read('customer-1'));
    expect((await idsOf()).at(-1)).toBe(13_900_001);
    expect(await partitions()).toEqual(['access.reads_000003']);
    await nextId(4 * WIDTH - 10);
    await records().write(read('customer-2'));
    await expect.poll(partitions).toEqual(['access.reads_000003', 'access.reads_000004']);
  });
});

describe('the partitions of the record of reads', () => {
  beforeEach(() => open(true));
  afterEach(close);

  it('are there before they are needed, made once by whoever comes first', async () => {
    await nextId(WIDTH - 10);
    const writers = Array.from({ length: 4 }, records);
    await Promise.all(writers.flatMap((writer) => Array.from({ length: 10 }, (_, n) => writer.write(read(`customer-${n}`)))));
    expect(await idsOf()).toEqual(Array.from({ length: 40 }, (_, n) => WIDTH - 10 + n));
    await expect.poll(partitions).toEqual(['access.reads_000000', 'access.reads_000001', 'access.reads_000002']);
  });

  it('keep no read waiting while the record is analysed; the next look makes them', async () => {
    await nextId(WIDTH);
    const writer = records();
    await whileAnalysed(async () => {
      // The lock is held until it is written.
      await writer.write(read('customer-1'));
      expect(await partitions()).toEqual(['access.reads_000000', 'access.reads_000001']);
    });
    await nextId(WIDTH + 300_000);
    await writer.write(read('customer-2'));
    await expect.poll(partitions).toEqual(['access.reads_000000', 'access.reads_000001', 'access.reads_000002']);
  });

  it('are made at the last moment where every look was in vain, and the read is recorded', async () => {
    await nextId(2 * WIDTH);
    await records().write(read('customer-1'));
    expect((await idsOf()).length).toBe(1);
    expect(await partitions()).toContain('access.reads_000002');
  });

  it('refuse every change, also of their owner, and a row that does not come by the record', async () => {
    for (const table of ['access.reads', 'access.reads_000000', 'access.reads_000001'])
      for (const change of [`update ${table} set subject = 'x'`, `delete from ${table}`, `truncate ${table}`])
        await expect(owner.query(change)).rejects.toThrow('append-only');
    const pool = createPool({ url: database.url, max: 1, applicationName: 'test', role: APP_ROLE });
    pools.push(pool);
    for (const table of ['access.reads_000000', 'access.reads_000001'])
      await expect(pool.query(`insert into ${table} select * from access.reads`)).rejects.toThrow('permission denied');
  });

  it('tell who viewed what across an edge, page by page, the latest first', async () => {
    await nextId(WIDTH - 6);
    const writer = records();
    for (let n = 0; n < 12; n += 1) await writer.write(read(`customer-${n % 2}`, n % 3 === 0 ? 'bob' : 'alice'));
    const api = await createTestApi(database);
    try {
      const pagesOf = async (query: string): Promise<number[]> => {
        const seen: number[] = [];
        for (let cursor = ''; ; ) {
          const url = `/v1/accesses?limit=5&${query}${cursor}`;
          const answer = await api.app.inject({ method: 'GET', url, headers: api.as('auditor') });
          const { items, next } = answer.json<{ items: { id: string }[]; next: string | null }>();
          seen.push(...items.map(({ id }) => Number(id.slice('access-'.length))));
          if (next === null) return seen;
          cursor = `&cursor=${encodeURIComponent(next)}`;
        }
      };
      const all = Array.from({ length: 12 }, (_, n) => WIDTH + 5 - n);
      expect(await pagesOf('subject=alice')).toEqual(all.filter((id) => (id - WIDTH + 6) % 3 !== 0));
      expect(await pagesOf('id=customer-1')).toEqual(all.filter((id) => (id - WIDTH + 6) % 2 === 1));
      expect(await pagesOf('to=2023-11-14T22:13:21Z')).toEqual(all);
    } finally {
      await api.close();
    }
  });
});
