// The look after a fault finds what it is there for: each flaw, made by hand behind the journal's back, is counted under its name.
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Journal } from '../../src/journal/journal.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { openPostgresJournal } from '../support/postgres-journal.ts';
import { flawsOf } from '../support/whole.ts';

let database: TestDatabase;
let journal: Journal;
let client: pg.Client;

beforeAll(async () => {
  database = await createTestDatabase();
  journal = await openPostgresJournal({ url: database.url, now: () => Date.now() });
  const told = { clock: 'resolution', dueAt: '2026-01-02T00:00:00.000Z' };
  for (const stream of ['ticket-1', 'ticket-2'])
    for (let revision = -1; revision < 2; revision += 1) {
      const metadata = JSON.stringify({ command: { id: randomUUID() } });
      const event = { id: randomUUID(), type: revision === 1 ? 'SlaWarned' : 'TicketStarted', data: JSON.stringify(told), metadata };
      await journal.append(stream, revision === -1 ? 'no-stream' : revision, [event]);
    }
  client = new pg.Client({ connectionString: database.ownerUrl });
  await client.connect();
}, 60_000);
afterAll(async () => {
  await client?.end();
  await journal?.close();
  await database?.drop();
}, 60_000);

const flaws: readonly (readonly [string, string])[] = [
  ['holes', 'delete from journal.events where position = 3'],
  ['beyondHead', 'update journal.events set position = 9 where position = 6'],
  ['falling', 'update journal.events set recorded_at_ms = 1 where position = 4'],
  ['brokenStreams', 'update journal.events set revision = 7 where position = 2'],
  ['wrongGuards', "update journal.streams set revision = 1 where stream = 'ticket-1'"],
  ['wrongGuards', "delete from journal.streams where stream = 'ticket-2'"],
  ['repeatedIds', 'update journal.events set id = (select id from journal.events where position = 1) where position = 2'],
  ['tornCommands', 'update journal.events set metadata = (select metadata from journal.events where position = 1) where position = 3'],
  ['toldTwice', "update journal.events set type = 'SlaWarned' where position = 2"],
];

describe('the look at the journal', () => {
  it('finds nothing in a whole one', async () => {
    expect(new Set(Object.values(await flawsOf(client)))).toStrictEqual(new Set([0]));
  });

  it.each(flaws)('finds %s after %s', async (name, statement) => {
    await client.query('begin');
    try {
      // Past the triggers that keep the journal append-only, as only a superuser can.
      await client.query('set local session_replication_role = replica');
      await client.query(statement);
      expect((await flawsOf(client))[name as 'holes']).toBeGreaterThan(0);
    } finally {
      await client.query('rollback');
    }
  });
});
