// The data folder of an embedded server (SHIJI_DATA): what lies where, who runs on it, and the secrets drawn into it.
//   shiji.json     {version}: which layout this is
//   server.pid     the running server's process, so that `kill $(cat .shiji/server.pid)` stops it; gone when it stopped
//   server.lock    the same process told so that a reused pid can't pass for it, and the address it serves
//   jwt.secret, master.key   32 random bytes in base64, drawn once
//   postgres/, postgres.json, postgres.log   the embedded server, see postgres/embedded.ts
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { StartError } from './start-error.ts';

/** Raised when the layout changes so that an older program must not touch it. */
export const DATA_VERSION = 1;

export interface DataFolder {
  /** Absolute, links resolved. */
  readonly path: string;
  /**
   * Takes the folder for this process.
   * @throws StartError where another server has it
   */
  claim(): void;
  /** Writes server.pid, and the address for command-line clients. After claim. */
  announce(url: string): void;
  /** Removes server.pid and the claim, where they are this process's. */
  release(): void;
  /** The secret that signs tokens, drawn at the first start. */
  jwtSecret(): string;
  /**
   * The key that wraps all others, drawn at the first start.
   * @throws StartError where data are there already and the key is not: another key would open nothing
   */
  masterKey(): string;
}

/**
 * Opens a data folder, made where there is none.
 * @throws StartError where it can't be written, is another program's or another version's
 */
export function openDataFolder(folder: string): DataFolder {
  const wanted = resolve(folder);
  const path = explained(wanted, () => {
    makeFolder(wanted);
    const real = realpathSync(wanted);
    checkVersion(real);
    // Also tells whether it can be written, before anything is started on it.
    writeDurably(join(real, 'shiji.json'), `${JSON.stringify({ version: DATA_VERSION })}\n`);
    // Postgres refuses to run as root, so root's server runs as the user postgres, who must be able to pass through.
    if (process.getuid?.() === 0) chmodSync(real, 0o711);
    return real;
  });
  const lockFile = join(path, 'server.lock');
  const pidFile = join(path, 'server.pid');
  const own = (): boolean => readLock(path)?.pid === process.pid;
  return {
    path,
    claim: () => explained(path, () => claim(path)),
    announce: (url) =>
      explained(path, () => {
        if (own()) writeDurably(lockFile, lockText(url));
        writeDurably(pidFile, `${process.pid}\n`, 0o644);
      }),
    release: () => {
      if (readText(pidFile)?.trim() === String(process.pid)) rmSync(pidFile, { force: true });
      if (own()) rmSync(lockFile, { force: true });
    },
    jwtSecret: () => explained(path, () => drawOnce(join(path, 'jwt.secret'))),
    masterKey: () =>
      explained(path, () => {
        const file = join(path, 'master.key');
        if (!existsSync(file) && existsSync(join(path, 'postgres'))) {
          throw new StartError(
            `${file} is missing and the data beside it are sealed with it: restore the file from its backup, or set SHIJI_MASTER_KEY to what it held.`,
          );
        }
        return drawOnce(file);
      }),
  };
}

/** The server that runs on a data folder, for command-line clients; undefined where none does. */
export function runningServer(folder: string): { readonly pid: number; readonly url: string | undefined } | undefined {
  const holder = readLock(resolve(folder));
  return holder !== undefined && isAlive(holder) ? { pid: holder.pid, url: holder.url } : undefined;
}

/**
 * The secret that a server on this folder signs tokens with, for command-line clients.
 * @throws StartError where no server ever started there
 */
export function readJwtSecret(folder: string): string {
  const secret = readText(join(resolve(folder), 'jwt.secret'))?.trim();
  if (secret) return secret;
  throw new StartError(`No server has been started on ${resolve(folder)} yet: run npm start, or set SHIJI_DATA or JWT_SECRET to the server's.`);
}

// Not by `recursive`, which goes round for ever where a file system answers ENOENT, as /proc does.
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  if (dirname(path) !== path) makeFolder(dirname(path));
  mkdirSync(path, { mode: 0o700 });
}

function checkVersion(path: string): void {
  const text = readText(join(path, 'shiji.json'));
  if (text === undefined) {
    // A start that was killed right after mkdir leaves an empty folder; anything else is someone's.
    if (readdirSync(path).every((name) => name.startsWith('shiji.json.'))) return;
    throw new StartError(`${path} is not empty and not a data folder of Shiji: set SHIJI_DATA to another folder.`);
  }
  let version: unknown;
  try {
    ({ version } = JSON.parse(text) as { version?: unknown });
  } catch {
    version = 'unknown';
  }
  if (version === DATA_VERSION) return;
  throw new StartError(
    `${path} holds data of version ${String(version)} and this Shiji reads version ${DATA_VERSION}: start the Shiji that wrote it, or set SHIJI_DATA to another folder.`,
  );
}

interface Holder {
  readonly pid: number;
  /** When the process started, as its system tells it; a reused pid has another. */
  readonly started: string;
  readonly url?: string;
}

// A link is made whole or not at all, so of two that start at once one finds the other's claim.
function claim(path: string): void {
  const lockFile = join(path, 'server.lock');
  const mine = join(path, `server.lock.${process.pid}`);
  writeDurably(mine, lockText());
  try {
    for (let tries = 0; tries < 5; tries++) {
      if (linked(mine, lockFile)) return;
      const holder = readLock(path);
      if (holder !== undefined && isAlive(holder)) {
        throw new StartError(
          `Another server (pid ${holder.pid}) runs on ${path}: stop it with kill ${holder.pid}, or set SHIJI_DATA to another folder.`,
        );
      }
      takeAway(path, holder);
    }
  } finally {
    rmSync(mine, { force: true });
  }
  throw new StartError(`Several servers start on ${path} at once: start one, or set SHIJI_DATA to another folder.`);
}

/** Removes the claim of a dead server, unless another start was faster and it is a living one by now. */
function takeAway(path: string, dead: Holder | undefined): void {
  const lockFile = join(path, 'server.lock');
  const aside = join(path, `server.lock.stale.${process.pid}`);
  try {
    renameSync(lockFile, aside);
  } catch {
    return;
  }
  const moved = parseLock(readText(aside));
  if (moved?.pid !== dead?.pid || moved?.started !== dead?.started) linked(aside, lockFile);
  rmSync(aside, { force: true });
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

function lockText(url?: string): string {
  return `${JSON.stringify({ pid: process.pid, started: processStart(process.pid) ?? '', ...(url !== undefined && { url }) })}\n`;
}

function readLock(path: string): Holder | undefined {
  return parseLock(readText(join(path, 'server.lock')));
}

function parseLock(text: string | undefined): Holder | undefined {
  if (text === undefined) return undefined;
  try {
    const { pid, started, url } = JSON.parse(text) as Record<string, unknown>;
    if (typeof pid !== 'number' || typeof started !== 'string') return undefined;
    return { pid, started, ...(typeof url === 'string' && { url }) };
  } catch {
    return undefined;
  }
}

function isAlive({ pid, started }: Holder): boolean {
  return processStart(pid) === started;
}

/** When a process started, in its system's own words; undefined where it does not run (a zombie does not). */
function processStart(pid: number): string | undefined {
  if (process.platform === 'linux') {
    const stat = readText(`/proc/${pid}/stat`);
    // The second field is the program's name in brackets and may hold anything; state is the third field, start the 22nd.
    const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields === undefined || fields[0] === 'Z' || fields[0] === 'X') return undefined;
    // Ticks since boot: the same after a reboot only by chance, so the boot is told too.
    return `${readText('/proc/sys/kernel/random/boot_id')?.trim() ?? ''} ${fields[19] ?? ''}`;
  }
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (systemCode(error) !== 'EPERM') return undefined;
  }
  if (process.platform === 'win32') return 'running';
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}

/** Random bytes in a file that only its owner reads; the ones already there where there are some. */
function drawOnce(file: string): string {
  const drawn = `${file}.${process.pid}`;
  if (!existsSync(file)) {
    writeDurably(drawn, `${randomBytes(32).toString('base64')}\n`);
    linked(drawn, file);
    rmSync(drawn, { force: true });
  }
  const secret = readFileSync(file, 'utf8').trim();
  if (Buffer.from(secret, 'base64').length >= 32) return secret;
  throw new StartError(`${file} is cut short: restore it from its backup.`);
}

/** Whole or not at all, and still there after a power cut. */
export function writeDurably(file: string, text: string, mode = 0o600): void {
  const next = `${file}.${process.pid}.new`;
  const handle = openSync(next, 'w', mode);
  try {
    writeFileSync(handle, text);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(next, file);
}

/** A small file's text; undefined where it can't be read. */
export function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'its file system is read-only',
  ENOSPC: 'its disk is full',
  ENOTDIR: 'a part of the path is a file',
  EEXIST: 'it is a file',
  ENOENT: 'it can not be made there',
};

function explained<Result>(path: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    const code = systemCode(error);
    if (error instanceof StartError || code === undefined) throw error;
    throw new StartError(`The data folder ${path} can't be written (${reasons[code] ?? code}): set SHIJI_DATA to a folder that can.`, {
      cause: error,
    });
  }
}
