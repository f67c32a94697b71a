// npm run replay -- --until 2020-06-30 [--known-at 2020-07-31] [--projection NAME]… [--name NAME] [--compare] [--drop]
// Builds read models as of a day in a schema of their own, beside a running server or without one; with --compare as of now, and compares
// them row by row with live: exit code 1 where a row differs. Nothing is removed but by --drop, and a comparison's own schema at its end.
import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';
import { SingleBar } from 'cli-progress';
import type { Pool } from 'pg';
import { derivedKey } from '../api/derived-key.ts';
import { type Config, loadConfig } from '../config.ts';
import { openDataFolder, runningServer } from '../data-folder.ts';
import { eventDefinitions } from '../domain/events.ts';
import { EventCodec } from '../journal/codec.ts';
import { openEventStoreDbJournal } from '../journal/eventstoredb/eventstoredb-journal.ts';
import type { Journal } from '../journal/journal.ts';
import { Keyring } from '../journal/keyring.ts';
import { PostgresJournal } from '../journal/postgres/postgres-journal.ts';
import { Opener } from '../journal/sealing.ts';
import { createLogger, type Logger } from '../logging.ts';
import { startEmbeddedPostgres } from '../postgres/embedded.ts';
import { migrate } from '../postgres/migrate.ts';
import { APP_ROLE, createPool } from '../postgres/pool.ts';
import { projections as allProjections } from '../projections/all.ts';
import { compareWithLive, keysOf, type RowDifference } from '../projections/engine/compare.ts';
import type { Projection } from '../projections/engine/projection.ts';
import {
  dropReplay,
  Replay,
  type ReplayedTable,
  type ReplayOptions,
  ReplayRefused,
  recordReplay,
  replaySchema,
} from '../projections/engine/replay.ts';
import { createSearchTokens } from '../projections/engine/search-tokens.ts';
import { StartError } from '../start-error.ts';

interface Arguments {
  readonly until: string | undefined;
  readonly knownAt: string | undefined;
  readonly projections: readonly Projection[];
  readonly name: string;
  readonly compare: boolean;
  readonly drop: boolean;
}

try {
  process.exitCode = await main(parsed(process.argv.slice(2)), loadConfig());
} catch (error) {
  if (!(error instanceof StartError || error instanceof ReplayRefused)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

async function main(args: Arguments, config: Config): Promise<number> {
  const log = createLogger({ level: 'warn' });
  const ground = await openGround(config, log);
  const pool = createPool({ url: ground.url, max: config.databasePool, applicationName: 'shiji-replay', role: APP_ROLE, statementTimeoutMs: 0, log });
  let journal: Journal | undefined;
  try {
    if (args.drop) {
      if (!(await dropReplay(pool, args.name))) throw new StartError(`There is no replay ${args.name}.`);
      say(`The replay ${args.name} was removed.`);
      return 0;
    }
    journal = await openJournal(config, pool, log);
    const journalId = await journal.identity();
    const opener = new Opener(journalId, new Keyring(pool, [{ version: config.masterKey.version, key: ground.masterKey }]));
    const options: ReplayOptions = {
      journal,
      pool,
      codec: new EventCodec(journalId, eventDefinitions),
      projections: args.projections,
      personals: { openMany: (values) => opener.openMany(values), tokens: createSearchTokens(derivedKey(ground.masterKey, 'search tokens')).tokens },
      schema: replaySchema(args.name),
      bankZone: config.zone,
      until: args.until,
      knownAt: args.knownAt,
    };
    return args.compare ? await compare(options) : await build(args, options);
  } finally {
    await journal?.close();
    await pool.end();
    await ground.close();
  }
}

async function build(args: Arguments, options: ReplayOptions): Promise<number> {
  const { pool, schema, projections, until, knownAt } = options;
  const bar = progressBar();
  const built = await Replay.open({ ...options, onProgress: bar.update });
  const release = dropOnSignal(built);
  try {
    say(
      `Replaying ${number(built.to)} positions${until === undefined ? '' : ` as of ${until}`}${knownAt === undefined ? '' : ` as known at ${knownAt}`} into the schema ${schema}.`,
    );
    const startedMs = performance.now();
    bar.start(built.to);
    await built.advance();
    bar.stop();
    const tables = await built.finish();
    printTables(tables);
    await recordReplay(pool, { name: args.name, schema, projections: projections.map(({ name }) => name), until, knownAt, position: built.to });
    say(
      `Built in ${seconds(startedMs)}. GETs are served from it with ?replay=${args.name}; npm run replay -- --name ${args.name} --drop removes it.`,
    );
    return 0;
  } catch (error) {
    bar.stop();
    await built.drop();
    throw error;
  } finally {
    release();
    built.close();
  }
}

async function compare(options: ReplayOptions): Promise<number> {
  const { pool, schema, projections } = options;
  const bar = progressBar();
  const built = await Replay.open({ ...options, onProgress: bar.update });
  const release = dropOnSignal(built);
  try {
    say(`Replaying ${number(built.to)} positions to compare with live, in the schema ${schema}.`);
    const startedMs = performance.now();
    bar.start(built.to);
    const comparisons = await compareWithLive({
      pool,
      projections,
      replay: built,
      schema,
      onDifference: (difference) => {
        bar.stop();
        say(lineOf(difference));
      },
    });
    bar.stop();
    for (const { projection, rows, differences, position, parkedKeys } of comparisons) {
      say(
        `${projection}: ${number(rows)} rows at position ${number(position)}, ${differences === 0 ? 'none differs' : `${number(differences)} differ`}.`,
      );
      if (parkedKeys.length > 0) say(`${projection}: parked, and compared as they stand: ${parkedKeys.join(', ')}.`);
    }
    say(`Compared in ${seconds(startedMs)}; the schema ${schema} was removed.`);
    return comparisons.some(({ differences }) => differences > 0) ? 1 : 0;
  } finally {
    bar.stop();
    release();
    await built.drop();
    built.close();
  }
}

function lineOf({ projection, key, kind, cells }: RowDifference): string {
  if (kind === 'only-live') return `${projection} ${key}: only in live`;
  if (kind === 'only-replayed') return `${projection} ${key}: only in the replay`;
  const shown = (text: string | null): string => (text === null ? 'null' : JSON.stringify(text));
  return `${projection} ${key}: ${cells.map(({ column, live, replayed }) => `${column} is ${shown(live)} live and ${shown(replayed)} replayed`).join('; ')}`;
}

function printTables(tables: readonly ReplayedTable[]): void {
  const width = Math.max(5, ...tables.map(({ table }) => table.length));
  say(`${'table'.padEnd(width)}  ${'rows'.padStart(12)}  parked`);
  for (const { table, rows, parked } of tables) {
    const keys = keysOf(parked);
    say(
      `${table.padEnd(width)}  ${number(rows).padStart(12)}  ${keys.length === 0 ? '0' : `${keys.length}: ${keys.slice(0, 10).join(', ')}${keys.length > 10 ? ', …' : ''}`}`,
    );
  }
}

interface Bar {
  start(total: number): void;
  update(progress: { readonly position: number; readonly to: number }): void;
  stop(): void;
}

/** A bar on a terminal, a line every tenth elsewhere. On stderr, so that what was found stands alone on stdout. */
function progressBar(): Bar {
  if (!process.stderr.isTTY) {
    let told = -1;
    return {
      start: () => {},
      update: ({ position, to }) => {
        const tenth = to === 0 ? 10 : Math.floor((position * 10) / to);
        if (tenth <= told) return;
        told = tenth;
        process.stderr.write(`${tenth * 10} % (${number(position)} of ${number(to)})\n`);
      },
      stop: () => {},
    };
  }
  const bar = new SingleBar({ format: '{bar} {percentage} % {value}/{total} ETA {eta_formatted}', hideCursor: true, stream: process.stderr });
  let isOn = false;
  return {
    start: (total) => {
      bar.start(total, 0);
      isOn = true;
    },
    update: ({ position, to }) => {
      if (!isOn) return;
      bar.setTotal(to);
      bar.update(position);
    },
    stop: () => {
      if (isOn) bar.stop();
      isOn = false;
    },
  };
}

/** Ctrl-C leaves no half schema: the replay ends at its next batch and is dropped. */
function dropOnSignal(built: Replay): () => void {
  const abort = (): void => built.abort();
  process.once('SIGINT', abort);
  process.once('SIGTERM', abort);
  return () => {
    process.off('SIGINT', abort);
    process.off('SIGTERM', abort);
  };
}

interface ReplayGround {
  readonly url: string;
  readonly masterKey: Buffer;
  close(): Promise<void>;
}

/** The database of the server that runs on the data folder, or one started for this; DATABASE_URL where set. */
async function openGround(config: Config, log: Logger): Promise<ReplayGround> {
  if (config.database !== undefined)
    return { url: config.database.url, masterKey: Buffer.from(config.masterKey.key ?? '', 'base64'), close: async () => {} };
  const server = runningServer(config.dataDir);
  const folder = openDataFolder(config.dataDir);
  // So that no server is started on a Postgres that ends with us.
  if (!server) folder.claim();
  try {
    const masterKey = Buffer.from(config.masterKey.key ?? folder.masterKey(), 'base64');
    const postgres = await startEmbeddedPostgres({ dataDir: folder.path, log });
    if (!server) await migrate({ url: postgres.url, log });
    return {
      url: postgres.url,
      masterKey,
      close: async () => {
        if (server) return;
        await postgres.stop();
        folder.release();
      },
    };
  } catch (error) {
    if (!server) folder.release();
    throw error;
  }
}

async function openJournal(config: Config, pool: Pool, log: Logger): Promise<Journal> {
  const now = (): number => Date.now();
  if (config.journal.store === 'eventstoredb') return openEventStoreDbJournal({ url: config.journal.url, now, log });
  return new PostgresJournal({ pool, now });
}

function parsed(args: string[]): Arguments {
  let values: { until?: string; 'known-at'?: string; projection?: string[]; name?: string; compare?: boolean; drop?: boolean };
  try {
    ({ values } = parseArgs({
      args,
      options: {
        until: { type: 'string' },
        'known-at': { type: 'string' },
        projection: { type: 'string', multiple: true },
        name: { type: 'string' },
        compare: { type: 'boolean' },
        drop: { type: 'boolean' },
      },
    }));
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('.')[0] : 'The arguments are not accepted';
    throw new StartError(`${reason}: give --until DATE, --known-at DATE, --projection NAME, --name NAME, --compare or --drop.`, { cause: error });
  }
  const { until, 'known-at': knownAt, projection: names = [], compare = false, drop = false } = values;
  if (compare && (until !== undefined || knownAt !== undefined))
    throw new StartError('--compare compares with live, which is as of now: leave --until and --known-at out.');
  if (drop && (compare || (until === undefined && values.name === undefined)))
    throw new StartError('--drop removes one replay: say which by --name, or by the --until it was built with.');
  const chosen = names.map((name) => {
    const found = allProjections.find((projection) => projection.name === name);
    if (!found)
      throw new StartError(`--projection ${name} is no read model: give ${allProjections.map((projection) => projection.name).join(', ')}.`);
    return found;
  });
  return {
    until,
    knownAt,
    projections: chosen.length > 0 ? chosen : allProjections,
    name: values.name ?? nameOf(until, knownAt, compare),
    compare,
    drop,
  };
}

/** Short, and another for another question. */
function nameOf(until: string | undefined, knownAt: string | undefined, compare: boolean): string {
  if (compare) return `compare-${process.pid}-${Date.now().toString(36)}`;
  const name = [until ?? 'now', ...(knownAt === undefined ? [] : ['known', knownAt])]
    .join('-')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-');
  return name.length <= 40 ? name : `${name.slice(0, 32)}-${createHash('sha256').update(name).digest('hex').slice(0, 7)}`;
}

function number(value: number): string {
  return value.toLocaleString('en');
}

function seconds(sinceMs: number): string {
  return `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
