import { createTestDatabase } from '../support/database.ts';
import { MemoryJournal } from '../support/memory-journal.ts';
import { commandContract } from './commands.ts';

commandContract('memory', async ({ now }) => {
  const database = await createTestDatabase();
  const journal = new MemoryJournal({ now });
  return {
    journal,
    another: async () => journal.another(),
    restart: async () => {
      journal.stop();
      journal.start();
    },
    keysUrl: database.url,
    close: () => database.drop(),
  };
});
