// A Postgres of a test's own, for faults that take the whole server with them: where its files lie is the test's to choose. With the
// pool, the folder and the settings that support/whole.ts looks at after a fault, and members of ours beside it.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Role as Part } from '../../src/compose.ts';
import { openDataFolder } from '../../src/data-folder.ts';
import type { Role } from '../../src/domain/kernel/roles.ts';
import { createLogger } from '../../src/logging.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/postgres/embedded.ts';
import { type Caller, callerOf } from './client.ts';
import { type ServerProcess, spawnServer } from './server.ts';
import type { Looked } from './whole.ts';

export interface NodeMember {
  readonly server: ServerProcess;
  readonly url: string;
  as(role: Role, subject: string): Caller;
}

export class PgNode implements Looked {
  readonly folder: string;
  readonly #secret = randomBytes(32).toString('base64');
  readonly #masterKey = randomBytes(32).toString('base64');
  readonly #servers: ServerProcess[] = [];
  #postgres: EmbeddedPostgres;
  #pool: pg.Pool;
  // A run that dies leaves nobody behind.
  readonly #killAll = (): void => {
    for (const server of this.#servers) server.kill('SIGKILL');
    void stopAtOnce(this.#postgres.pid);
  };

  private constructor(folder: string, postgres: EmbeddedPostgres) {
    this.folder = folder;
    this.#postgres = postgres;
    this.#pool = poolOf(postgres);
    process.once('exit', this.#killAll);
  }

  static async open(): Promise<PgNode> {
    const folder = mkdtempSync(join(tmpdir(), 'shiji-node-'));
    return new PgNode(folder, await startIn(folder));
  }

  /** The owner's, for looking behind the scenes. */
  get pool(): pg.Pool {
    return this.#pool;
  }

  get settings(): Readonly<Record<string, string>> {
    return { DATABASE_URL: this.#postgres.url, JWT_SECRET: this.#secret, SHIJI_MASTER_KEY: this.#masterKey, DATABASE_POOL: '4' };
  }

  get dataFolder(): string {
    return join(this.folder, 'postgres');
  }

  /** The postmaster and all that it has started by now. */
  get processes(): readonly number[] {
    return [this.#postgres.pid, ...childrenOf(this.#postgres.pid)];
  }

  async start(part: Part = 'all', env: Readonly<Record<string, string>> = {}): Promise<NodeMember> {
    const server = spawnServer({ dataDir: this.folder, env: { ...this.settings, RATE_LIMIT_PER_MINUTE: '0', ...env }, args: ['--role', part] });
    this.#servers.push(server);
    const url = await server.ready;
    return { server, url, as: (role, subject) => callerOf(url, { secret: this.#secret }, role, subject) };
  }

  /** Writes all out and ends; `between` has the files to itself. */
  async restart(between: () => void = () => {}): Promise<void> {
    await this.#pool.end();
    await this.#postgres.stop();
    between();
    this.#postgres = await startIn(this.folder);
    this.#pool = poolOf(this.#postgres);
  }

  async close(): Promise<void> {
    process.off('exit', this.#killAll);
    for (const server of this.#servers) server.kill('SIGTERM');
    const patience = setTimeout(() => {
      for (const server of this.#servers) server.kill('SIGKILL');
    }, 20_000);
    await Promise.all(this.#servers.map(({ ended }) => ended));
    clearTimeout(patience);
    await this.#pool.end();
    // Its files go: nothing is to be written out.
    await stopAtOnce(this.#postgres.pid);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function startIn(folder: string): Promise<EmbeddedPostgres> {
  return startEmbeddedPostgres({ dataDir: openDataFolder(folder).path, log: createLogger({ level: 'warn' }) });
}

async function stopAtOnce(pid: number): Promise<void> {
  try {
    process.kill(pid, 'SIGQUIT');
    for (let tries = 0; tries < 200; tries += 1) await sleep(50).then(() => process.kill(pid, 0));
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone.
  }
}

function poolOf({ url }: EmbeddedPostgres): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  // Lost with the server that a fault takes down, and opened anew.
  pool.on('error', () => {});
  return pool;
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return Number(readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ')[1]) === pid;
      } catch {
        return false;
      }
    })
    .map(Number);
}
