import { createTestDatabase } from '../support/database.ts';
import { openPostgresJournal } from '../support/postgres-journal.ts';
import { claimsContract } from './claims.ts';

claimsContract('Postgres', async ({ now }) => {
  const database = await createTestDatabase();
  const { url } = database;
  return { journal: await openPostgresJournal({ url, now }), keysUrl: url, close: () => database.drop() };
});
