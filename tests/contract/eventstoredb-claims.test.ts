import { openEventStoreDbJournal } from '../../src/journal/eventstoredb/eventstoredb-journal.ts';
import { createTestDatabase } from '../support/database.ts';
import { startEventStoreDb } from '../support/eventstoredb.ts';
import { claimsContract } from './claims.ts';

claimsContract('EventStoreDB', async ({ now }) => {
  const [node, database] = [await startEventStoreDb(), await createTestDatabase()];
  return {
    journal: await openEventStoreDbJournal({ url: node.url, now }),
    keysUrl: database.url,
    close: async () => {
      await node.stop();
      await database.drop();
    },
  };
});
