// Partitions of the journal are there before they are needed, whoever comes to an edge and whatever else works on the table. The width of
// five million is what it is: the head of a fresh database is moved to just before where something happens.
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AppendResult, Journal } from '../../src/journal/journal.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { openPostgresJournal } from '../support/postgres-journal.ts';

const MILLION = 1_000_000;
const WIDTH = 5 * MILLION;

let database: TestDatabase;
let owner: pg.Client;
let journals: Journal[];

beforeEach(async () => {
  database = await createTestDatabase();
  owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
  journals = [];
});

afterEach(async () => {
  await Promise.all(journals.map((journal) => journal.close()));
  await owner.end();
  await database.drop();
});

async function open(): Promise<Journal> {
  const journal = await openPostgresJournal({ url: database.url, now: () => 1 });
  journals.push(journal);
  return journal;
}

const moveHead = (position: number) => owner.query('update journal.head set position = $1', [position]);
const append = (journal: Journal, stream: string): Promise<AppendResult> =>
  journal.append(stream, 'no-stream', [{ id: crypto.randomUUID(), type: 'Crossed', data: '{}', metadata: '{}' }]);

/** Where each partition begins. */
async function partitions(): Promise<number[]> {
  const { rows } = await owner.query<{ bound: string }>(
    `select pg_get_expr(c.relpartbound, c.oid) as bound from pg_inherits i join pg_class c on c.oid = i.inhrelid
      where i.inhparent = 'journal.events'::regclass`,
  );
  return rows.map(({ bound }) => Number(/FROM \('(\d+)'\)/.exec(bound)?.[1])).sort((one, other) => one - other);
}

/** What `analyze journal.events` and `vacuum analyze` hold for as long as they read samples of it. */
async function whileAnalysed<Result>(run: () => Promise<Result>): Promise<Result> {
  const other = new pg.Client({ connectionString: database.ownerUrl });
  await other.connect();
  try {
    await other.query('begin; lock table only journal.events in share update exclusive mode');
    return await run();
  } finally {
    await other.end();
  }
}

describe('the next partition of the journal', () => {
  it('is there a whole width before it is needed, from the first event on', async () => {
    const journal = await open();
    for (const edge of [MILLION, 3 * MILLION, WIDTH, WIDTH + MILLION, 2 * WIDTH]) {
      await moveHead(edge - 1);
      await append(journal, `edge-${edge}`);
      const last = (await partitions()).at(-1) ?? 0;
      expect({ edge, ahead: last + WIDTH > edge + WIDTH }).toEqual({ edge, ahead: true });
    }
    expect(await partitions()).toEqual([0, WIDTH, 2 * WIDTH, 3 * WIDTH]);
  });

  it('is made once where several writers come to the edge at the same time, and each of their events has its own position', async () => {
    const writers = await Promise.all(Array.from({ length: 6 }, open));
    await moveHead(WIDTH - 30);
    const results = await Promise.all(
      writers.flatMap((journal, writer) => Array.from({ length: 10 }, (_, n) => append(journal, `writer-${writer}-${n}`))),
    );
    const positions = results.map((result) => ('position' in result ? result.position : -1)).sort((one, other) => one - other);
    expect(positions).toEqual(Array.from({ length: 60 }, (_, n) => WIDTH - 29 + n));
    expect(await partitions()).toEqual([0, WIDTH, 2 * WIDTH]);
    const { rows } = await owner.query('select tableoid::regclass::text as partition, count(*)::int from journal.events group by 1 order by 1');
    expect(rows).toEqual([
      { partition: 'journal.events_000000', count: 29 },
      { partition: 'journal.events_000001', count: 31 },
    ]);
  });

  it('keeps nobody waiting while the journal is analysed: it is made a million later', async () => {
    const journal = await open();
    await moveHead(WIDTH - 1);
    await whileAnalysed(async () => {
      // The lock is held until it has answered.
      expect(await append(journal, 'not-waiting')).toMatchObject({ appended: true, position: WIDTH });
      expect(await partitions()).toEqual([0, WIDTH]);
    });
    await moveHead(WIDTH + MILLION - 1);
    await append(journal, 'later');
    expect(await partitions()).toEqual([0, WIDTH, 2 * WIDTH]);
  });

  it('is made at the last moment where every try before was in vain, and the event is not refused', async () => {
    const journal = await open();
    await moveHead(2 * WIDTH - 2);
    await append(journal, 'last-before');
    expect(await partitions()).toEqual([0, WIDTH]);
    expect(await append(journal, 'first-after')).toMatchObject({ appended: true, position: 2 * WIDTH });
    expect((await journal.readAll({ after: 2 * WIDTH - 2, limit: 10 })).events.map(({ stream }) => stream)).toEqual(['last-before', 'first-after']);
  });

  it('is append-only, readable by the server, and vacuumed as the others are', async () => {
    const journal = await open();
    await moveHead(WIDTH - 1);
    await append(journal, 'crossing');
    await expect(owner.query('truncate journal.events_000002')).rejects.toThrow('append-only');
    const { rows } = await owner.query(
      `select relname, array_to_string(reloptions, ' ') as options, has_table_privilege('shiji_app', oid, 'select') as readable,
              has_table_privilege('shiji_app', oid, 'insert') as writable
         from pg_class where relname like 'events\\_0%' and relkind = 'r' order by 1`,
    );
    expect(rows).toHaveLength(3);
    const settings = (options: string): string[] =>
      options
        .split(' ')
        .filter((one) => one.startsWith('autovacuum'))
        .sort();
    for (const { options, readable, writable } of rows) {
      expect(settings(options)).toEqual(settings(rows[0].options));
      expect(settings(options)).toContain('autovacuum_freeze_min_age=0');
      expect({ readable, writable }).toEqual({ readable: true, writable: false });
    }
  });
});
