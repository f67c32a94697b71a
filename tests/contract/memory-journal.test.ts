import { MemoryJournal } from '../support/memory-journal.ts';
import { journalContract } from './journal.ts';

// Nothing of it outlives the process: a restart refuses calls meanwhile, drops what was derived and keeps the events.
journalContract('memory', async ({ now }) => {
  const journal = new MemoryJournal({ now });
  return {
    journal,
    another: async () => journal.another(),
    restart: async () => {
      journal.stop();
      await new Promise((resolve) => setTimeout(resolve, 300));
      journal.start();
    },
  };
});
