// Several processes of ours on one database, each with a link of its own to Postgres, and what breaks them: signals and a broken link.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { Role as Part } from '../../src/compose.ts';
import type { Role } from '../../src/domain/kernel/roles.ts';
import { type Caller, callerOf } from './client.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { type ServerProcess, spawnServer } from './server.ts';
import { TcpProxy } from './tcp-proxy.ts';

export interface Member {
  readonly part: Part;
  readonly server: ServerProcess;
  readonly url: string;
  /** Between it and Postgres. */
  readonly link: TcpProxy;
  as(role: Role, subject: string): Caller;
}

/** The sizes as stated (`full`), or small ones. */
export const isFull = process.env.SHIJI_TEST_SIZE === 'full';

export class Cluster {
  readonly database: TestDatabase;
  /** For looking behind the scenes. */
  readonly pool: pg.Pool;
  readonly folder = mkdtempSync(join(tmpdir(), 'shiji-cluster-'));
  readonly #secret = randomBytes(32).toString('base64');
  readonly #masterKey = randomBytes(32).toString('base64');
  readonly #members: Member[] = [];
  readonly #started: { server: ServerProcess; link: TcpProxy }[] = [];
  // A run that dies leaves nobody behind, frozen ones least of all.
  readonly #killAll = (): void => {
    for (const { server } of this.#started) server.kill('SIGKILL');
  };

  private constructor(database: TestDatabase) {
    this.database = database;
    this.pool = new pg.Pool({ connectionString: database.ownerUrl, max: 2 });
    process.once('exit', this.#killAll);
  }

  static async open(): Promise<Cluster> {
    return new Cluster(await createTestDatabase());
  }

  /** What a process beside the members needs, such as the replay. */
  get settings(): Readonly<Record<string, string>> {
    // Two clusters share the 100 connections of one Postgres.
    return { DATABASE_URL: this.database.ownerUrl, JWT_SECRET: this.#secret, SHIJI_MASTER_KEY: this.#masterKey, DATABASE_POOL: '4' };
  }

  async start(part: Part, env: Readonly<Record<string, string>> = {}): Promise<Member> {
    const target = new URL(this.database.ownerUrl);
    const link = await TcpProxy.open({ host: target.hostname, port: Number(target.port) });
    target.host = `127.0.0.1:${link.port}`;
    const server = spawnServer({
      dataDir: this.folder,
      env: { ...this.settings, DATABASE_URL: target.href, RATE_LIMIT_PER_MINUTE: '0', ...env },
      args: ['--role', part],
    });
    this.#started.push({ server, link });
    const url = await server.ready;
    const member: Member = { part, server, url, link, as: (role, subject) => callerOf(url, { secret: this.#secret }, role, subject) };
    this.#members.push(member);
    return member;
  }

  /** kill -9, and gone. */
  async kill({ server }: Member): Promise<void> {
    server.kill('SIGKILL');
    await server.ended;
  }

  /** By SIGTERM; gives the exit code. */
  async stop({ server }: Member): Promise<number | NodeJS.Signals> {
    server.kill('SIGTERM');
    return server.ended;
  }

  /** What a member logged, by its message. */
  messagesOf({ server }: Member): readonly string[] {
    return server
      .stderr()
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => (JSON.parse(line) as { msg: string }).msg);
  }

  async close(): Promise<void> {
    for (const { link } of this.#members) link.heal();
    for (const { server } of this.#started) server.kill('SIGCONT');
    for (const { server } of this.#started) server.kill('SIGTERM');
    const patience = setTimeout(this.#killAll, 20_000);
    await Promise.all(this.#started.map(({ server }) => server.ended));
    clearTimeout(patience);
    process.off('exit', this.#killAll);
    await Promise.all(this.#started.map(({ link }) => link.close()));
    await this.pool.end();
    await this.database.drop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
