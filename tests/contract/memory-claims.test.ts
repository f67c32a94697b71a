import { createTestDatabase } from '../support/database.ts';
import { MemoryJournal } from '../support/memory-journal.ts';
import { claimsContract } from './claims.ts';

claimsContract('memory', async ({ now }) => {
  const database = await createTestDatabase();
  return { journal: new MemoryJournal({ now }), keysUrl: database.url, close: () => database.drop() };
});
