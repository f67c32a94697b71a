// The age of the oldest transaction that is open in our database, whoever has it: it holds back vacuum, and its locks hold up others.
import type { Pool, QueryResult } from 'pg';

// As the login itself: the role that our pools work as sees no other session's times.
const ASK = `begin; set local role none;
  select coalesce(max(extract(epoch from clock_timestamp() - xact_start)), 0)::float8 as seconds from pg_stat_activity
   where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid();
  commit`;

export async function oldestTransactionSeconds(pool: Pool): Promise<number> {
  const results = (await pool.query(ASK)) as unknown as QueryResult<{ seconds: number }>[];
  return results.flatMap(({ rows }) => rows)[0]?.seconds ?? 0;
}
