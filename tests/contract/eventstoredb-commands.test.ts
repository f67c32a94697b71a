import { openEventStoreDbJournal } from '../../src/journal/eventstoredb/eventstoredb-journal.ts';
import { createTestDatabase } from '../support/database.ts';
import { startEventStoreDb } from '../support/eventstoredb.ts';
import { commandContract } from './commands.ts';

commandContract('EventStoreDB', async ({ now }) => {
  const [node, database] = [await startEventStoreDb(), await createTestDatabase()];
  const open = () => openEventStoreDbJournal({ url: node.url, now });
  return {
    journal: await open(),
    another: open,
    ...(node.restart ? { restart: node.restart } : {}),
    keysUrl: database.url,
    close: async () => {
      await node.stop();
      await database.drop();
    },
  };
});
