import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RESTRICT_VIOLATION } from '../../src/postgres/sqlstate.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { openPostgresJournal } from '../support/postgres-journal.ts';
import { journalContract } from './journal.ts';

// Other test files share the server, so a restart is what a client sees of one: its connections cut, again and again for a while.
journalContract('Postgres', async ({ now }) => {
  const database = await createTestDatabase();
  const { url } = database;
  return {
    journal: await openPostgresJournal({ url, now }),
    another: () => openPostgresJournal({ url, now }),
    address: { module: new URL('../support/postgres-journal.ts', import.meta.url).pathname, open: 'openPostgresJournal', options: { url } },
    restart: async () => {
      await withOwner(database, 'postgres', async (client) => {
        for (let turn = 0; turn < 6; turn += 1) {
          await client.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()', [
            database.name,
          ]);
          await sleep(50);
        }
      });
    },
    holdOpen: async () => {
      const client = new pg.Client({ connectionString: database.ownerUrl });
      await client.connect();
      await client.query('create table if not exists held (n integer)');
      await client.query('begin');
      await client.query('insert into held values (1)');
      return async () => {
        await client.query('rollback');
        await client.end();
      };
    },
    close: () => database.drop(),
  };
});

describe('the events in Postgres', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
    const journal = await openPostgresJournal({ url: database.url, now: () => 1 });
    await journal.append('kept-1', 'no-stream', [{ id: crypto.randomUUID(), type: 'Kept', data: '{}', metadata: '{}' }]);
    await journal.close();
  });
  afterAll(() => database.drop());

  const changes = [
    'update journal.events set data = $$x$$',
    'delete from journal.events',
    'truncate journal.events',
    'update journal.events_000000 set data = $$x$$',
    'delete from journal.events_000000',
    'truncate journal.events_000000',
  ];
  it.each(changes)('refuse even their owner: %s', async (statement) => {
    await withOwner(database, undefined, async (client) => {
      await expect(client.query(statement)).rejects.toMatchObject({ code: RESTRICT_VIOLATION });
      expect((await client.query('select data from journal.events')).rows).toEqual([{ data: '{}' }]);
    });
  });
  it.each([
    ...changes,
    'insert into journal.events values (9, $$s$$, 0, gen_random_uuid(), $$t$$, 0, $$$$, $$$$)',
    'update journal.head set position = 0',
    'delete from journal.streams',
    'drop table journal.events',
  ])('give the server no right to: %s', async (statement) => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await expect(client.query(statement)).rejects.toMatchObject({ code: '42501' });
    await client.end();
  });
  it('take a created stream’s key in the same commit; one that is there already refuses that append and nobody else’s', async () => {
    const journal = await openPostgresJournal({ url: database.url, now: () => 1 });
    const key = (id: number) => ({ id, retention: 'service', masterVersion: 1, wrapped: Buffer.alloc(60, id) });
    const one = () => [{ id: crypto.randomUUID(), type: 'Keyed', data: '{}', metadata: '{}' }];
    await withOwner(database, undefined, (client) =>
      client.query(
        "insert into keys.data_keys (id, subject, retention, master_version, wrapped) values (900001, 'keyed-old', 'service', 1, '\\x00')",
      ),
    );
    const results = await Promise.all([
      journal.append('keyed-new', 'no-stream', one(), key(900_002)),
      journal.append('keyed-old', 'no-stream', one(), key(900_003)),
      journal.append('keyed-last', 'no-stream', one(), key(900_004)),
    ]);
    expect(results).toMatchObject([
      { appended: true, revision: 0 },
      { appended: false, revision: -1 },
      { appended: true, revision: 0 },
    ]);
    expect(await journal.append('keyed-old', 'no-stream', one())).toMatchObject({ appended: true, revision: 0 });
    expect(await journal.append('keyed-new', 'no-stream', one(), key(900_005))).toEqual({ appended: false, revision: 0 });
    await withOwner(database, undefined, async (client) => {
      const { rows } = await client.query("select id::int from keys.data_keys where subject like 'keyed-%' order by id");
      expect(rows.map(({ id }) => id)).toEqual([900_001, 900_002, 900_004]);
    });
    await journal.close();
  });
  it('go on in a partition made ahead, and the one after that is made by itself', async () => {
    const journal = await openPostgresJournal({ url: database.url, now: () => 1 });
    await withOwner(database, undefined, (client) => client.query('update journal.head set position = 4999998'));
    const results = [];
    for (let n = 0; n < 4; n += 1)
      results.push(await journal.append(`crossing-${n}`, 'no-stream', [{ id: crypto.randomUUID(), type: 'Crossed', data: `${n}`, metadata: '{}' }]));
    expect(results.map((result) => 'position' in result && result.position)).toEqual([4_999_999, 5_000_000, 5_000_001, 5_000_002]);
    expect((await journal.readAll({ after: 4_999_998, limit: 10 })).events.map((event) => event.data)).toEqual(['0', '1', '2', '3']);
    await withOwner(database, undefined, async (client) => {
      const { rows } = await client.query("select count(*)::int as count from pg_inherits where inhparent = 'journal.events'::regclass");
      expect(rows).toEqual([{ count: 3 }]);
    });
    await journal.close();
  });
});

async function withOwner(database: TestDatabase, databaseName: string | undefined, run: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const url = new URL(database.ownerUrl);
  if (databaseName) url.pathname = `/${databaseName}`;
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  try {
    await run(client);
  } finally {
    await client.end();
  }
}
