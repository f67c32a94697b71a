// The real server as a process: starting, refusing to start, and ending. In order, on one data folder, as an operator would live it.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fastify from 'fastify';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { runningServer } from '../../src/data-folder.ts';
import { drain } from '../../src/listening.ts';
import { freePort } from '../../src/postgres/embedded.ts';
import { createTestDatabase } from '../support/database.ts';
import { type ServerOptions, type ServerProcess, spawnServer } from '../support/server.ts';

let root: string;
let dataDir: string;
const servers = new Set<ServerProcess>();

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'shiji-lifecycle-'));
  dataDir = join(root, 'data');
});

afterEach(async () => {
  // What a failed test left, also where it hangs.
  for (const server of servers) server.kill('SIGTERM');
  const hung = setTimeout(() => {
    for (const server of servers) server.kill('SIGKILL');
  }, 20_000);
  await Promise.all([...servers].map(({ ended }) => ended));
  clearTimeout(hung);
});

afterAll(() => {
  for (const pid of postgresPids(root)) process.kill(pid, 'SIGKILL');
  rmSync(root, { recursive: true, force: true });
});

function start(options: Partial<ServerOptions> = {}): ServerProcess {
  const server = spawnServer({ dataDir, ...options });
  servers.add(server);
  void server.ended.then(() => servers.delete(server));
  return server;
}

/** Refused: exit code 1, one sentence that matches, nothing on stdout, no stack. */
async function refused(options: Partial<ServerOptions>, sentence: RegExp): Promise<void> {
  const server = start(options);
  expect(await server.ended).toBe(1);
  expect(server.stdout()).toBe('');
  const lines = server.stderr().trim().split('\n');
  expect(lines).toStrictEqual([expect.stringMatching(sentence)]);
}

/** Postmasters whose data folder is below a path. */
function postgresPids(below: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const args = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0');
        return args[0]?.endsWith('postgres') && args[1] === '-D' && args[2]?.startsWith(below);
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** A request whose last byte is still owed, so that it is in flight until `finish`. */
async function openRequest(url: string): Promise<{ socket: Socket; answered(): string; finish(): Promise<string> }> {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port) });
  let answer = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    answer += text;
  });
  socket.on('error', () => {});
  const closed = new Promise<string>((resolve) => socket.once('close', () => resolve(answer)));
  socket.write('POST /nothing-here HTTP/1.1\r\nHost: shiji\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{');
  await new Promise((resolve) => setTimeout(resolve, 200));
  return {
    socket,
    answered: () => answer,
    finish: () => {
      socket.write('}');
      return closed;
    },
  };
}

const waitFor = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
};

describe.runIf(process.platform === 'linux')('the server process', () => {
  it('starts on nothing, says so once, refuses a second beside it, and drains on SIGTERM', async () => {
    const startedMs = performance.now();
    const server = start();
    const url = await server.ready;
    process.stdout.write(`first start: ${Math.round(performance.now() - startedMs)} ms\n`);
    expect(await (await fetch(`${url}/health/live`)).status).toBe(200);
    for (const told of [url, String(server.pid), dataDir, `${url}/docs`, 'npm run -s token', 'npm run import'])
      expect(server.stdout()).toContain(told);
    expect(readFileSync(join(dataDir, 'server.pid'), 'utf8')).toBe(`${server.pid}\n`);
    expect(runningServer(dataDir)).toStrictEqual({ pid: server.pid, url });
    for (const secret of ['jwt.secret', 'master.key', 'postgres.json']) expect(statSync(join(dataDir, secret)).mode & 0o777).toBe(0o600);

    await refused({}, new RegExp(`^Another server \\(pid ${server.pid}\\) runs on .*: stop it with kill ${server.pid}, or set SHIJI_DATA`));
    expect(postgresPids(dataDir)).toHaveLength(1);

    const request = await openRequest(url);
    expect(request.answered()).toBe('');
    server.kill('SIGTERM');
    server.kill('SIGTERM');
    await waitFor(() => server.stderr().includes('draining'));
    await expect(fetch(`${url}/health/live`)).rejects.toThrow();
    expect(await request.finish()).toMatch(/^HTTP\/1\.1 404 /);
    expect(await server.ended).toBe(0);
    expect(postgresPids(dataDir)).toStrictEqual([]);
    expect(readdirSync(dataDir).filter((name) => /^(server|shiji\.json\.)/.test(name))).toStrictEqual([]);
  });

  it('starts again on its data within 5 s, and takes them up after kill -9, adopting the Postgres that runs', async () => {
    const key = readFileSync(join(dataDir, 'master.key'), 'utf8');
    let startedMs = performance.now();
    const killed = start();
    await killed.ready;
    const tookMs = performance.now() - startedMs;
    process.stdout.write(`second start: ${Math.round(tookMs)} ms\n`);
    expect(tookMs).toBeLessThan(5_000);
    const [postgres] = postgresPids(dataDir);
    killed.kill('SIGKILL');
    await killed.ended;
    // A backend just forked still shows its parent's command line.
    await expect.poll(() => postgresPids(dataDir)).toStrictEqual([postgres]);

    startedMs = performance.now();
    const heir = start();
    await heir.ready;
    process.stdout.write(`start after kill -9: ${Math.round(performance.now() - startedMs)} ms\n`);
    expect(heir.stderr()).toContain('"adopted":true');
    // A backend just forked still shows its parent's command line.
    await expect.poll(() => postgresPids(dataDir)).toStrictEqual([postgres]);
    expect(readFileSync(join(dataDir, 'master.key'), 'utf8')).toBe(key);
    heir.kill('SIGINT');
    expect(await heir.ended).toBe(0);
    expect(postgresPids(dataDir)).toStrictEqual([]);
  });

  it('starts over where it was killed while making its Postgres', async () => {
    const folder = join(root, 'killed');
    const killed = start({ dataDir: folder });
    await waitFor(() => readdirSync(root).includes('killed') && readdirSync(folder).some((name) => name.startsWith('postgres.new-')));
    killed.kill('SIGKILL');
    await killed.ended;
    const server = start({ dataDir: folder });
    await server.ready;
    server.kill('SIGTERM');
    expect(await server.ended).toBe(0);
    expect(readdirSync(folder).filter((name) => name.startsWith('postgres'))).toStrictEqual(['postgres', 'postgres.json', 'postgres.log']);
  });

  it('is not fooled by the locks of the dead whose pids others have now', async () => {
    // This test's own process is alive, and neither a server of ours nor a Postgres.
    writeFileSync(join(dataDir, 'server.lock'), JSON.stringify({ pid: process.pid, started: 'another boot 1' }));
    writeFileSync(join(dataDir, 'server.pid'), `${process.pid}\n`);
    writeFileSync(join(dataDir, 'postgres/postmaster.pid'), `${process.pid}\n${dataDir}/postgres\n1\n1\n\n127.0.0.1\n\nready\n`);
    // And its Postgres' port is taken meanwhile.
    const taker = createServer().listen({ host: '127.0.0.1', port: JSON.parse(readFileSync(join(dataDir, 'postgres.json'), 'utf8')).port });
    const server = start();
    await server.ready;
    server.kill('SIGTERM');
    expect(await server.ended).toBe(0);
    await new Promise((resolve) => taker.close(resolve));
  });

  it('stops at once on a second Ctrl-C, but not on one that npm passed on', async () => {
    const server = start();
    const request = await openRequest(await server.ready);
    server.kill('SIGINT');
    server.kill('SIGINT');
    await waitFor(() => server.stderr().includes('Ctrl-C again stops at once'));
    await new Promise((resolve) => setTimeout(resolve, 1_300));
    expect(runningServer(dataDir)?.pid).toBe(server.pid);
    server.kill('SIGINT');
    expect(await server.ended).toBe(130);
    request.socket.destroy();
    await waitFor(() => postgresPids(dataDir).length === 0);
  });

  it('refuses an occupied port before it touches Postgres', async () => {
    const port = await freePort();
    const taker = createServer().listen({ host: '127.0.0.1', port });
    const folder = join(root, 'port');
    await refused(
      { dataDir: folder, env: { PORT: String(port) } },
      new RegExp(`^Port ${port} on 127.0.0.1 is taken .*: stop that one, or choose another port`),
    );
    expect(readdirSync(folder)).toStrictEqual(['shiji.json']);
    await new Promise((resolve) => taker.close(resolve));
  });

  it('refuses data of another version, of another Postgres, of another program, and without their key', async () => {
    const folder = join(root, 'other');
    mkdirSync(join(folder, 'postgres'), { recursive: true });
    await refused({ dataDir: folder }, /other is not empty and not a data folder of Shiji: set SHIJI_DATA to another folder\.$/);
    writeFileSync(join(folder, 'shiji.json'), '{"version":2}');
    await refused({ dataDir: folder }, /holds data of version 2 and this Shiji reads version 1: start the Shiji that wrote it/);
    writeFileSync(join(folder, 'shiji.json'), '{"version":1}');
    await refused({ dataDir: folder }, /master\.key is missing and the data beside it are sealed with it: restore the file/);
    writeFileSync(join(folder, 'master.key'), readFileSync(join(dataDir, 'master.key')));
    writeFileSync(join(folder, 'postgres/PG_VERSION'), '17\n');
    await refused({ dataDir: folder }, /was written by Postgres 17 and this Shiji brings Postgres 18: start the Shiji that wrote it/);
  });

  it('refuses a folder that cannot be written', async () => {
    const file = join(root, 'file');
    writeFileSync(file, '');
    await refused({ dataDir: join(file, 'data') }, /can't be written \(a part of the path is a file\): set SHIJI_DATA/);
    await refused({ dataDir: '/proc/shiji' }, /can't be written/);
  });

  it('refuses what it is told wrongly', async () => {
    await refused({ env: { PORT: 'http' } }, /^PORT=http is not accepted: give a whole number/);
    await refused({ args: ['--role', 'api'] }, /^--role api shares its database .*: set DATABASE_URL/);
    await refused({ args: ['--role', 'king'] }, /^--role king is not accepted: give --role all, api, projector or worker\.$/);
  });

  it('runs beside others on a database of yours, once an owner has migrated it', async () => {
    const database = await createTestDatabase({ migrated: false });
    const env = {
      DATABASE_URL: database.url,
      JWT_SECRET: 'x'.repeat(32),
      SHIJI_MASTER_KEY: Buffer.alloc(32).toString('base64'),
      LOG_LEVEL: 'silent',
    };
    const { host } = new URL(database.url);
    await refused({ env }, new RegExp(`^The login at ${host} may not bring the database up to date: set DATABASE_OWNER_URL`));
    await refused(
      { env: { ...env, DATABASE_URL: database.url.replace(database.name, 'nowhere') } },
      new RegExp(`^Postgres at ${host} has no database nowhere: create it`),
    );
    await refused(
      { env: { ...env, DATABASE_URL: database.url.replace(/:[^:@]+@/, ':wrong@') } },
      new RegExp(`^Postgres at ${host} refuses the user or password`),
    );
    const port = await freePort();
    await refused(
      { env: { ...env, DATABASE_URL: `postgres://u:secret@127.0.0.1:${port}/x` } },
      new RegExp(`^Postgres at 127.0.0.1:${port} can't be reached \\(ECONNREFUSED\\): start it`),
    );

    const owner = start({ env: { ...env, DATABASE_OWNER_URL: database.ownerUrl } });
    await owner.ready;
    const second = start({ env, args: ['--role', 'api'] });
    expect((await fetch(`${await second.ready}/health/live`)).status).toBe(200);
    for (const server of [owner, second]) {
      server.kill('SIGTERM');
      expect(await server.ended).toBe(0);
    }
    await database.drop();
  });
});

describe('draining', () => {
  const log = pino({ level: 'silent' });

  it('answers what is in flight and then waits for nobody', async () => {
    const app = fastify();
    app.get('/slow', () => new Promise((resolve) => setTimeout(() => resolve({ slow: true }), 300)));
    const url = await app.listen({ port: 0 });
    const answer = fetch(`${url}/slow`);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const startedMs = performance.now();
    await drain(app, { log });
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    expect((await answer).status).toBe(200);
  });

  it('cuts off what takes longer than its limit', async () => {
    const app = fastify();
    app.get('/never', () => new Promise(() => {}));
    const url = await app.listen({ port: 0 });
    const answer = expect(fetch(`${url}/never`)).rejects.toThrow();
    await new Promise((resolve) => setTimeout(resolve, 100));
    await drain(app, { log, limitMs: 200 });
    await answer;
  });
});
