// Ours as npm start runs it, with its Postgres in a data folder of a test's own, for kill -9 of either.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Role } from '../../src/domain/kernel/roles.ts';
import { freePort } from '../../src/postgres/embedded.ts';
import { type Caller, callerOf } from './client.ts';
import { type ServerProcess, spawnServer } from './server.ts';
import type { Looked } from './whole.ts';

export class EmbeddedServer implements Looked {
  /** For files of the test. */
  readonly base = mkdtempSync(join(tmpdir(), 'shiji-chaos-'));
  readonly folder = join(this.base, 'data');
  readonly settings = {};
  readonly #port: number;
  #server: ServerProcess | undefined;
  #url = '';
  #pool: { readonly port: number; readonly pool: pg.Pool } | undefined;
  // A run that dies leaves nobody behind.
  readonly #killAll = (): void => {
    this.#server?.kill('SIGKILL');
    kill(this.postmaster);
  };

  private constructor(port: number) {
    this.#port = port;
    process.once('exit', this.#killAll);
  }

  static async open(): Promise<EmbeddedServer> {
    const opened = new EmbeddedServer(await freePort());
    await opened.start();
    return opened;
  }

  /** On the port that it had. */
  async start(): Promise<void> {
    this.#server = spawnServer({ dataDir: this.folder, env: { PORT: String(this.#port), RATE_LIMIT_PER_MINUTE: '0' } });
    this.#url = await this.#server.ready;
  }

  get url(): string {
    return this.#url;
  }

  /** kill -9 of ours, and gone; its Postgres is left behind. */
  async kill(): Promise<void> {
    this.#server?.kill('SIGKILL');
    await this.#server?.ended;
  }

  /** The pid of the postmaster; undefined where no file tells of one. */
  get postmaster(): number | undefined {
    try {
      return Number(readFileSync(join(this.folder, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0]) || undefined;
    } catch {
      return undefined;
    }
  }

  /** Sessions of ours and Postgres' own processes. */
  get backends(): readonly number[] {
    const { postmaster } = this;
    if (postmaster === undefined) return [];
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && parentOf(name) === postmaster)
      .map(Number);
  }

  /** The owner's; a new one where Postgres has moved to another port. */
  get pool(): pg.Pool {
    const { user, database, password, port } = JSON.parse(readFileSync(join(this.folder, 'postgres.json'), 'utf8'));
    if (this.#pool?.port !== port) {
      void this.#pool?.pool.end();
      const pool = new pg.Pool({ host: '127.0.0.1', user, database, password, port, max: 2 });
      pool.on('error', () => {});
      this.#pool = { port, pool };
    }
    return (this.#pool as { pool: pg.Pool }).pool;
  }

  as(role: Role, subject: string): Caller {
    return callerOf(this.url, { dataDir: this.folder }, role, subject);
  }

  async close(): Promise<void> {
    process.off('exit', this.#killAll);
    await this.#pool?.pool.end();
    this.#server?.kill('SIGTERM');
    const patience = setTimeout(() => this.#server?.kill('SIGKILL'), 40_000);
    await this.#server?.ended;
    clearTimeout(patience);
    await gone(this.postmaster);
    rmSync(this.base, { recursive: true, force: true });
  }
}

/** kill -9; true where there was somebody. */
export function kill(pid: number | undefined): boolean {
  try {
    return pid !== undefined && process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

/** Where ours was killed last, its Postgres is ended with it. */
async function gone(postmaster: number | undefined): Promise<void> {
  if (postmaster === undefined) return;
  try {
    process.kill(postmaster, 'SIGQUIT');
    for (let tries = 0; tries < 100; tries += 1) await sleep(50).then(() => process.kill(postmaster, 0));
  } catch {
    // Gone.
  }
}

function parentOf(pid: string): number | undefined {
  try {
    // The second field is a name in brackets and may hold anything.
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1]);
  } catch {
    return undefined;
  }
}
