import { fileURLToPath } from 'node:url';
import { openEventStoreDbJournal } from '../../src/journal/eventstoredb/eventstoredb-journal.ts';
import { startEventStoreDb } from '../support/eventstoredb.ts';
import { journalContract } from './journal.ts';

// Nothing in EventStoreDB can be held open over an append, so a reader stands still instead. At an address in EVENTSTOREDB_URL the node
// is not ours to restart: there, time alone passes.
journalContract('EventStoreDB', async ({ now }) => {
  const node = await startEventStoreDb();
  const options = { url: node.url };
  const open = () => openEventStoreDbJournal({ ...options, now });
  return {
    journal: await open(),
    another: open,
    ...(node.restart ? { restart: node.restart } : {}),
    address: {
      module: fileURLToPath(new URL('../../src/journal/eventstoredb/eventstoredb-journal.ts', import.meta.url)),
      open: 'openEventStoreDbJournal',
      options,
    },
    close: () => node.stop(),
  };
});
