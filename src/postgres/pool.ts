// Connections to Postgres: who they run as, and how values come back. The only place where types are decoded.
import pg from 'pg';
import type { Logger } from '../logging.ts';
import { StartError } from '../start-error.ts';
import { BoundedPool } from './bounded-pool.ts';

/** The role the server works as: it may not change what is written. Made by migrate.ts, its rights are granted by the SQL files. */
export const APP_ROLE = 'shiji_app';

export interface PoolOptions {
  readonly url: string;
  /** Most connections at once. */
  readonly max: number;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  /** The role statements run as; null leaves the login's own, for migrations and for making schemas. */
  readonly role: typeof APP_ROLE | null;
  /** 0 for none, where a statement or a transaction may take as long as it likes (a build, a replay); default 30 s. */
  readonly statementTimeoutMs?: number;
  /** Idle connections that break are told here; they are replaced by themselves. */
  readonly log?: Logger;
}

/** A process that stands still in a transaction is not to hold its locks: others go on with what it had in hand. */
const IDLE_IN_TRANSACTION_MS = 5_000;
/** The server ends a statement by itself; one that is still unanswered so long after is on a link that went silent, and its outcome unknown. */
const SILENCE_MS = 2_000;

/** A pool whose connections run as the role, in UTC, with the decoding of this file. */
export function createPool({ url, max, applicationName, role, statementTimeoutMs = 30_000, log }: PoolOptions): pg.Pool {
  const settings = ['-c TimeZone=UTC', '-c DateStyle=ISO', `-c statement_timeout=${statementTimeoutMs}`];
  if (statementTimeoutMs > 0) settings.push(`-c idle_in_transaction_session_timeout=${IDLE_IN_TRANSACTION_MS}`);
  if (role !== null) settings.push(`-c role=${role}`);
  const pool = new BoundedPool({
    // What the URL says of options wins over the field in node-postgres, so ours are put there, last.
    connectionString: withOptions(url, settings.join(' ')),
    max,
    application_name: applicationName,
    types: { getTypeParser },
    keepAlive: true,
    // The system would ask after a silent server only after two hours.
    keepAliveInitialDelayMillis: 10_000,
    ...(statementTimeoutMs > 0 ? { query_timeout: statementTimeoutMs + SILENCE_MS } : {}),
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 60_000,
  });
  // One that breaks in use tells whoever has it by their query; unheard, the event would end the process.
  pool.on('connect', (client) => client.on('error', () => {}));
  pool.on('error', (error) => log?.warn({ err: error }, 'an idle database connection was lost'));
  return pool;
}

/**
 * Refuses a server that may lose what it acknowledged. Ask it on the pool that the journal appends by.
 * @throws StartError
 */
export async function assertDurable(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ name: string; setting: string }>(
    `select name, setting from pg_settings where name = any ('{fsync,full_page_writes,synchronous_commit}') and setting = 'off' order by name`,
  );
  if (rows.length === 0) return;
  const off = rows.map(({ name }) => `${name}=off`).join(', ');
  throw new StartError(
    `Postgres runs with ${off} and may lose what it acknowledged: turn it on, or give the journal another server by DATABASE_URL.`,
  );
}

function withOptions(url: string, options: string): string {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new StartError('DATABASE_URL is no URL: write it as postgres://user:password@host:5432/database.');
  }
  const given = parsed.searchParams.get('options');
  parsed.searchParams.set('options', given ? `${given} ${options}` : options);
  // URLSearchParams writes a space as +, which the parser of node-postgres keeps as a plus.
  parsed.search = parsed.search.replaceAll('+', '%20');
  return parsed.href;
}

const { builtins } = pg.types;
const INT8_ARRAY = 1016;
const TIMESTAMPTZ_ARRAY = 1185;
const DATE_ARRAY = 1182;
const NUMERIC_ARRAY = 1231;

const asIs = (text: string): string => text;

const textParsers = new Map<number, (text: string) => unknown>([
  [builtins.INT8, parseInt8],
  [builtins.TIMESTAMPTZ, parseInstant],
  [builtins.DATE, asIs],
  [builtins.NUMERIC, asIs],
  [builtins.TIMESTAMP, asIs],
  [builtins.INTERVAL, asIs],
  [INT8_ARRAY, arrayOf(parseInt8)],
  [TIMESTAMPTZ_ARRAY, arrayOf(parseInstant)],
  [DATE_ARRAY, arrayOf(asIs)],
  [NUMERIC_ARRAY, arrayOf(asIs)],
]);

function getTypeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
  if (format !== 'binary') {
    const parser = textParsers.get(oid);
    if (parser !== undefined) return parser;
  }
  return pg.types.getTypeParser(oid, format as 'text');
}

// The typings of pg-types 2.2 say that arrayParser is a function; it is this.
interface ArrayParser {
  create<Item>(text: string, parse: (text: string) => Item): { parse(): Item[] };
}

function arrayOf<Item>(parse: (text: string) => Item): (text: string) => Item[] {
  const parser = pg.types.arrayParser as unknown as ArrayParser;
  return (text) => parser.create(text, parse).parse();
}

/** Sums past 2^53 are asked for as numeric, never as int8. */
export function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError('an int8 past 2^53 was read: select it as numeric');
  return value;
}

/** `2026-03-03 01:00:00.12+00` → `2026-03-03T01:00:00.120Z`. String work, as a Date a row is what made lists slow; finer than milliseconds is cut off. */
export function parseInstant(text: string): string {
  // Years of four digits in a session in UTC; the rest (infinity, BC, another zone) is a mistake of ours.
  if (!text.endsWith('+00') || text.charCodeAt(10) !== 0x20) throw new RangeError('a timestamptz outside of years 0001 to 9999 UTC was read');
  const end = text.length - 3;
  const milliseconds = end === 19 ? '.000' : end >= 23 ? text.slice(19, 23) : text.slice(19, end).padEnd(4, '0');
  return `${text.slice(0, 10)}T${text.slice(11, 19)}${milliseconds}Z`;
}
