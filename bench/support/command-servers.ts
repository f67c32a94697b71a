// The servers of the rows about commands: the product as npm start runs it on a Postgres of its own, and beside it a Postgres of the
// bench's for the baselines, with an API that has no projector in its process.
import { startChild } from './child.ts';
import { type BenchDatabase, createDatabase, startDatabase, withClient } from './database.ts';
import type { HttpLoad, LoadResult } from './http-load.ts';
import { caughtUp, databaseOf, type Product, startProduct, ticketBody, tokenOf } from './product.ts';
import type { GroupBench } from './row.ts';
import { timesOf } from './turns.ts';

export const CONNECTIONS = 64;

export interface CommandServers {
  readonly product: Product;
  /** The product's own Postgres. */
  readonly own: BenchDatabase;
  /** The bench's. */
  readonly database: BenchDatabase;
  readonly api: Product;
  /** The texts of one event that the command gave. */
  readonly event: { readonly data: string; readonly metadata: string };
}

/** Warmed up. */
export function commandServers({ shared, say, quick }: GroupBench): Promise<CommandServers> {
  return shared.once('servers', async (scope) => {
    const dataDir = scope.folder();
    const [product, database] = await Promise.all([startProduct(scope, { dataDir }), benchDatabase({ shared })]);
    const own = databaseOf(dataDir);
    const api = await startProduct(scope, { dataDir: scope.folder(), databaseUrl: await createDatabase(database, 'api_only'), role: 'api' });
    say('warming up');
    const load = startChild<HttpLoad, LoadResult>(scope, 'http-load.ts');
    const { warmUpSeconds } = timesOf(quick);
    for (const { url } of [product, api]) await load.ask(ticketsTo(url, warmUpSeconds));
    await load.end();
    await caughtUp(product);
    return { product, own, database, api, event: await lastEvent(own.url) };
  });
}

/** The Postgres that the rows of a group have their databases in. */
export function benchDatabase({ shared }: Pick<GroupBench, 'shared'>): Promise<BenchDatabase> {
  return shared.once('database', startDatabase);
}

/** Tickets opened at one server or, evenly, at several. */
export function ticketsTo(url: string | readonly string[], seconds: number): HttpLoad {
  const routes = typeof url === 'string' ? `${url}/v1/tickets` : url.map((each) => `${each}/v1/tickets`);
  return { url: routes, token: tokenOf('agent'), body: ticketBody, connections: CONNECTIONS, seconds };
}

async function lastEvent(url: string): Promise<{ data: string; metadata: string }> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ data: string; metadata: string }>(
      'select data, metadata from journal.events order by position desc limit 1',
    );
    const [row] = rows;
    if (!row) throw new Error('the product wrote no event');
    return row;
  });
}
