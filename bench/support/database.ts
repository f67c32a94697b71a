// A Postgres for a row: the embedded one of the product with the product's own settings, on a temporary folder.
import pg from 'pg';
import { openDataFolder } from '../../src/data-folder.ts';
import { createLogger } from '../../src/logging.ts';
import { startEmbeddedPostgres } from '../../src/postgres/embedded.ts';
import { postmasterOf, type Scope } from './scope.ts';

export interface BenchDatabase {
  /** The owner's, a superuser. */
  readonly url: string;
  /** Of the first process of its Postgres. */
  readonly postmaster: number;
}

export async function startDatabase(scope: Scope): Promise<BenchDatabase> {
  const folder = openDataFolder(scope.folder());
  const postgres = await startEmbeddedPostgres({ dataDir: folder.path, log: createLogger({ level: 'silent' }) });
  scope.onEnd(() => postgres.stop());
  return { url: postgres.url, postmaster: postmasterOf(folder.path) ?? postgres.pid };
}

/** The same server's database of another name, made anew. */
export async function createDatabase({ url }: BenchDatabase, name: string): Promise<string> {
  await withClient(url, (client) => client.query(`create database ${pg.escapeIdentifier(name)}`));
  const other = new URL(url);
  other.pathname = `/${name}`;
  return other.href;
}

export async function withClient<Result>(url: string, work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
