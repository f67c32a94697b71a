// The composition root: brings up the ground (settings, data folder, Postgres, migrations), has compose.ts build the parts,
// listens, says so in one banner on stdout, and drains on a signal. Whatever keeps it from starting is one sentence on stderr and exit code 1.
import { writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { compose, type Ground, type Role, roles } from './compose.ts';
import { type Config, loadConfig } from './config.ts';
import { openDataFolder } from './data-folder.ts';
import { createLifecycle, drainOnSignals, type Lifecycle } from './lifecycle.ts';
import { assertPortIsFree, DRAIN_MS, drain, listen } from './listening.ts';
import { child, createLogger, flush, type Logger } from './logging.ts';
import { startEmbeddedPostgres } from './postgres/embedded.ts';
import { migrate } from './postgres/migrate.ts';
import { codeOf, INSUFFICIENT_PRIVILEGE, INVALID_PASSWORD, isConnectionLoss, UNDEFINED_DATABASE } from './postgres/sqlstate.ts';
import { StartError } from './start-error.ts';

await main();

async function main(): Promise<void> {
  // A reader of the banner that goes away (`npm start | head`) must not end the server.
  process.stdout.on('error', () => {});
  let log: Logger | undefined;
  let lifecycle: Lifecycle | undefined;
  let code = 0;
  try {
    const role = parseRole(process.argv.slice(2));
    const config = loadConfig();
    log = createLogger({ level: config.logLevel });
    lifecycle = createLifecycle(child(log, 'lifecycle'));
    drainOnSignals(lifecycle, say);
    endOnBugs(log, lifecycle);
    await start(role, config, log, lifecycle);
    await lifecycle.stopAsked;
  } catch (error) {
    // Asked to stop while starting: no failure.
    if (!lifecycle?.draining.aborted) {
      say(sentenceOf(error));
      if (!(error instanceof StartError)) log?.fatal({ err: error }, 'the start failed');
      code = 1;
    }
  }
  code = Math.max(code, (await lifecycle?.stop()) ?? 0);
  if (log !== undefined) await flush(log);
  process.exit(code);
}

async function start(role: Role, config: Config, log: Logger, lifecycle: Lifecycle): Promise<void> {
  const startedMs = performance.now();
  if (role !== 'all' && config.database === undefined) {
    throw new StartError(`--role ${role} shares its database with other processes: set DATABASE_URL, or leave --role out.`);
  }
  const { announce, ...ground } = config.database === undefined ? await embedded(config, log, lifecycle) : connected(config, config.database);
  lifecycle.draining.throwIfAborted();
  await migrated(config, ground, log);
  lifecycle.draining.throwIfAborted();
  const http = await compose({ ...ground, role, config, log, lifecycle });
  lifecycle.draining.throwIfAborted();
  const url = await listen(http, config);
  lifecycle.onStop('http', () => drain(http, { log: child(log, 'http') }), DRAIN_MS + 10_000);
  announce(url);
  log.info({ url, role, tookMs: Math.round(performance.now() - startedMs) }, 'ready');
  process.stdout.write(banner(url, role, ground.dataFolder));
}

type Base = Pick<Ground, 'databaseUrl' | 'databaseOwnerUrl' | 'jwtSecret' | 'masterKey' | 'dataFolder'> & { announce(url: string): void };

async function embedded(config: Config, log: Logger, lifecycle: Lifecycle): Promise<Base> {
  const folder = openDataFolder(config.dataDir);
  folder.claim();
  lifecycle.onStop('data folder', folder.release);
  // Before Postgres is started, since it is the likeliest thing to be wrong.
  await assertPortIsFree(config);
  const jwtSecret = config.jwt.jwksUrl === undefined ? (config.jwt.secret ?? folder.jwtSecret()) : undefined;
  const masterKey = Buffer.from(config.masterKey.key ?? folder.masterKey(), 'base64');
  const postgres = await startEmbeddedPostgres({ dataDir: folder.path, log: child(log, 'postgres') });
  lifecycle.onStop('embedded Postgres', postgres.stop, 130_000);
  lifecycle.onAbandon(postgres.requestStop);
  postgres.keepUp();
  return { databaseUrl: postgres.url, databaseOwnerUrl: postgres.url, jwtSecret, masterKey, dataFolder: folder.path, announce: folder.announce };
}

// Several processes may run beside each other on one database, and in a container nothing may be writable, so there is no data folder.
function connected(config: Config, database: { url: string; ownerUrl: string }): Base {
  return {
    databaseUrl: database.url,
    databaseOwnerUrl: database.ownerUrl,
    jwtSecret: config.jwt.secret,
    masterKey: Buffer.from(config.masterKey.key ?? '', 'base64'),
    dataFolder: undefined,
    announce: () => {},
  };
}

async function migrated(
  config: Config,
  { databaseUrl, databaseOwnerUrl }: Pick<Base, 'databaseUrl' | 'databaseOwnerUrl'>,
  log: Logger,
): Promise<void> {
  const login = decodeURIComponent(new URL(databaseUrl).username);
  try {
    await migrate({ url: databaseOwnerUrl, grantTo: login === '' ? [] : [login], log: child(log, 'migrate') });
  } catch (error) {
    if (config.database === undefined) throw error;
    const { host, pathname } = new URL(databaseOwnerUrl);
    const code = codeOf(error) ?? codeOf(error instanceof Error ? error.cause : undefined);
    if (isConnectionLoss(error))
      throw new StartError(`Postgres at ${host} can't be reached (${code ?? 'no answer'}): start it or correct DATABASE_URL.`, { cause: error });
    if (code === INVALID_PASSWORD)
      throw new StartError(`Postgres at ${host} refuses the user or password: correct DATABASE_URL or DATABASE_OWNER_URL.`, { cause: error });
    if (code === UNDEFINED_DATABASE)
      throw new StartError(`Postgres at ${host} has no database ${pathname.slice(1)}: create it or correct DATABASE_URL.`, { cause: error });
    if (code === INSUFFICIENT_PRIVILEGE) {
      throw new StartError(
        `The login at ${host} may not bring the database up to date: set DATABASE_OWNER_URL to one that owns it and may create roles.`,
        { cause: error },
      );
    }
    throw error;
  }
}

function parseRole(args: readonly string[]): Role {
  const accepted = `--role ${roles.join(', ').replace(/, ([^,]*)$/, ' or $1')}`;
  let given: string;
  try {
    given = parseArgs({ args: [...args], options: { role: { type: 'string', default: 'all' } } }).values.role;
  } catch (error) {
    throw new StartError(
      `${error instanceof Error ? error.message.split('.')[0] : 'The arguments are not accepted'}: give ${accepted}, or nothing.`,
      { cause: error },
    );
  }
  const role = roles.find((candidate) => candidate === given);
  if (role === undefined) throw new StartError(`--role ${given} is not accepted: give ${accepted}.`);
  return role;
}

// After a bug nothing is known of our state: what was acknowledged is in the journal, and the next start goes on from there.
function endOnBugs(log: Logger, lifecycle: Lifecycle): void {
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'a bug ends the process');
    lifecycle.abandon();
    void flush(log).finally(() => process.exit(1));
  });
}

function say(sentence: string): void {
  try {
    writeSync(2, `${sentence}\n`);
  } catch {
    // A closed terminal reads nothing.
  }
}

function sentenceOf(error: unknown): string {
  if (error instanceof StartError) return error.message;
  const messages: string[] = [];
  for (let inner = error; inner instanceof Error; inner = inner.cause) messages.push(inner.message);
  return `Shiji could not start: ${messages.join(': ') || String(error)}.`;
}

function banner(url: string, role: Role, dataFolder: string | undefined): string {
  return `
Shiji 史记 is ready${role === 'all' ? '' : ` (${role})`}.

  Address        ${url}
  Process        ${process.pid}    stop it with Ctrl-C or: kill ${process.pid}
${dataFolder === undefined ? '' : `  Data           ${dataFolder}\n`}\
  API reference  ${url}/docs
  A token        npm run -s token -- --role agent --subject alice
  Import data    npm run import -- complaints FILE | berka DIR

`;
}
