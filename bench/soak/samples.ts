// One look at the server and its database: memory, descriptors, connections, lag, the event loop, and what each table holds.
import { readdirSync } from 'node:fs';
import { withClient } from '../support/database.ts';
import { databaseOf } from '../support/product.ts';
import type { SoakClient } from './client.ts';
import type { SoakServer } from './server.ts';

export interface TableSample {
  readonly table: string;
  readonly live: number;
  readonly dead: number;
  /** With its indexes. */
  readonly bytes: number;
  readonly autovacuums: number;
}

export interface Sample {
  readonly atMs: number;
  /** 0 for the first server process, 1 after the first restart. */
  readonly segment: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
  /** Descriptors but those of our own connections; undefined where the system does not tell. */
  readonly handles: number | undefined;
  /** By the name that they say: `shiji`, `shiji-projector`. */
  readonly connections: Readonly<Record<string, number>>;
  readonly lagEvents: number;
  readonly lagMs: number;
  readonly loopP99Ms: number;
  readonly tables: readonly TableSample[];
}

const SCHEMAS = ['journal', 'keys', 'engine', 'access', 'read', 'claims', 'feeds'];

export async function takeSample(server: SoakServer, client: SoakClient): Promise<Sample> {
  const { outages, pid, dataDir } = server;
  const metrics = await readMetrics(client);
  const of = (name: string): number => Math.max(0, ...(metrics.get(name) ?? []));
  const { connections, tables } = await lookInside(databaseOf(dataDir).url);
  const descriptors = descriptorsOf(pid);
  return {
    atMs: performance.now(),
    segment: outages.length,
    rssBytes: of('process_resident_memory_bytes'),
    heapBytes: of('nodejs_heap_size_used_bytes'),
    handles: descriptors === undefined ? undefined : descriptors - client.sockets,
    connections,
    lagEvents: of('shiji_projection_lag_events'),
    lagMs: of('shiji_projection_lag_seconds') * 1_000,
    loopP99Ms: of('nodejs_eventloop_lag_p99_seconds') * 1_000,
    tables,
  };
}

/** Every value of each name, whatever its labels. */
async function readMetrics(client: SoakClient): Promise<ReadonlyMap<string, readonly number[]>> {
  const { status, text } = await client.send({ method: 'GET', path: '/metrics', role: 'administrator' });
  if (status !== 200) throw new Error(`GET /metrics: ${status} ${text}`);
  const found = new Map<string, number[]>();
  for (const line of text.split('\n')) {
    const [, name, value] = /^([a-z_][a-z0-9_]*)(?:\{.*\})? (\S+)/.exec(line) ?? [];
    if (name !== undefined) found.set(name, [...(found.get(name) ?? []), Number(value)]);
  }
  return found;
}

function descriptorsOf(pid: number): number | undefined {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return undefined;
  }
}

async function lookInside(url: string): Promise<Pick<Sample, 'connections' | 'tables'>> {
  return withClient(url, async (client) => {
    const connections = await client.query<{ name: string; count: number }>(
      `select application_name as name, count(*)::int as count from pg_stat_activity
        where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid() group by 1`,
    );
    const tables = await client.query<TableSample>(
      `select schemaname || '.' || relname as table, n_live_tup::float8 as live, n_dead_tup::float8 as dead,
              pg_total_relation_size(relid)::float8 as bytes, autovacuum_count::int as autovacuums
         from pg_stat_user_tables where schemaname = any($1) order by 1`,
      [SCHEMAS],
    );
    return { connections: Object.fromEntries(connections.rows.map(({ name, count }) => [name, count])), tables: tables.rows };
  });
}
