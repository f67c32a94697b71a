// A journal in Postgres with a pool of its own, as another process opens it.
import type { Journal } from '../../src/journal/journal.ts';
import { PostgresJournal } from '../../src/journal/postgres/postgres-journal.ts';
import { createPool } from '../../src/postgres/pool.ts';

export async function openPostgresJournal({ url, now }: { readonly url: string; readonly now: () => number }): Promise<Journal> {
  const pool = createPool({ url, max: 8, applicationName: 'shiji-test', role: 'shiji_app' });
  const journal = new PostgresJournal({ pool, now });
  const close = journal.close.bind(journal);
  journal.close = async () => {
    await close();
    await pool.end();
  };
  return journal;
}
