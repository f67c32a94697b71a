// A full disk under the data folder and under the WAL of the embedded Postgres: nothing is acknowledged that is not kept, nothing
// personal is shown that is not recorded, and once there is room again all goes on unaided. Needs root, for a small tmpfs.

import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Answer, type Caller, callerOf, until } from '../../support/client.ts';
import { Cluster, isFull } from '../../support/cluster.ts';
import { canRun } from '../../support/not-run.ts';
import { type ServerProcess, spawnServer } from '../../support/server.ts';
import { SmallDisk, withoutTmpfs } from '../../support/tmpfs.ts';
import { expectWhole } from '../../support/whole.ts';

const LOOPS = 6;
const FULL_FOR_MS = isFull ? 60_000 : 2_000;
const RECOVERED_WITHIN_MS = 30_000;

interface Asked {
  readonly key: string;
  readonly answer: Answer<{ id: string; revision: number }> | undefined;
}

const reason = withoutTmpfs();
let folder: string;
let disks: SmallDisk[];
let server: ServerProcess | undefined;
let pool: pg.Pool | undefined;
let url: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shiji-disk-'));
  disks = [];
});
afterEach(async () => {
  await pool?.end();
  server?.kill('SIGTERM');
  await server?.ended;
  for (const disk of disks) disk.close();
  rmSync(folder, { recursive: true, force: true });
  server = undefined;
  pool = undefined;
}, 60_000);

function disk(name: string, megabytes: number): SmallDisk {
  const made = new SmallDisk(join(folder, name), megabytes);
  disks.push(made);
  return made;
}

const data = (): string => join(folder, 'data');

/** Ours, with its Postgres, whose WAL lies in a folder of the test's choice. */
async function start(walFolder: string): Promise<void> {
  const first = spawnServer({ dataDir: data() });
  await first.ready;
  first.kill('SIGTERM');
  await first.ended;
  const wal = join(data(), 'postgres', 'pg_wal');
  // With its owner, as whom Postgres runs.
  execFileSync('cp', ['-a', wal, walFolder]);
  rmSync(wal, { recursive: true });
  symlinkSync(join(walFolder, 'pg_wal'), wal);
  server = spawnServer({ dataDir: data(), env: { RATE_LIMIT_PER_MINUTE: '0' } });
  url = await server.ready;
  const { user, database, password, port } = JSON.parse(readFileSync(join(data(), 'postgres.json'), 'utf8'));
  pool = new pg.Pool({ user, database, password, port, host: '127.0.0.1', max: 2 });
  pool.on('error', () => {});
}

/** Tickets opened and read by several at once, each answer kept. */
class Load {
  readonly opened: Asked[] = [];
  readonly readStatuses: number[] = [];
  /** Reads that showed a ticket. */
  shown = 0;
  readonly problems = new Set<string>();
  readonly #agent: Caller;
  readonly #reader: Caller;
  readonly #running: Promise<unknown>;
  #stopping = false;

  constructor() {
    this.#agent = callerOf(url, { dataDir: data() }, 'agent', 'alice');
    this.#reader = callerOf(url, { dataDir: data() }, 'operations', 'olga');
    this.#running = Promise.all(Array.from({ length: LOOPS }, () => this.#loop()));
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
  }

  async open(key: string): Promise<Asked['answer']> {
    const body = { type: 'inquiry', priority: 'normal', channel: 'wechat', summary: 'Where is my card', description: '卡'.repeat(3_000) };
    return this.#agent.post<{ id: string; revision: number }>('/v1/tickets', body, { 'idempotency-key': key }).catch(() => undefined);
  }

  async #loop(): Promise<void> {
    while (!this.#stopping) {
      const key = randomUUID();
      const answer = await this.open(key);
      this.opened.push({ key, answer });
      const known = this.opened.find(({ answer: earlier }) => earlier?.status === 201)?.answer?.body.id ?? randomUUID();
      const read = await this.#reader.get(`/v1/tickets/${known}`).catch(() => undefined);
      if (read?.status === 200) this.shown += 1;
      for (const one of [answer, read]) {
        if (one === undefined || one.status < 300) continue;
        this.problems.add(`${one.status} ${one.headers.has('retry-after') ? 'later' : 'never'}`);
      }
      // As a client does that was told to come again.
      await sleep(answer?.status === 201 ? 5 : 100);
    }
  }
}

const refusalsOf = ({ opened }: Load): number => opened.filter(({ answer }) => answer?.status !== 201).length;
const successesOf = ({ opened }: Load): number => opened.filter(({ answer }) => answer?.status === 201).length;

/** After the disk was full: what was told is so, what was not told can be asked again, what was shown is recorded. */
async function expectKept(load: Load, looked: pg.Pool): Promise<void> {
  const before = successesOf(load);
  await until(async () => successesOf(load) > before + 20, RECOVERED_WITHIN_MS);
  await load.stop();
  expect(load.problems).toStrictEqual(new Set(['503 later']));
  const answers: Asked['answer'][] = [];
  for (let from = 0; from < load.opened.length; from += 32) {
    const some = load.opened.slice(from, from + 32);
    answers.push(...(await Promise.all(some.map(async ({ key, answer }) => (answer?.status === 201 ? answer : load.open(key))))));
  }
  expect(new Set(answers.map((answer) => answer?.status))).toStrictEqual(new Set([201]));
  const { rows } = await looked.query<{ tickets: number; reads: number }>(
    `select (select count(*)::int from journal.streams where stream like 'ticket-%') as tickets,
            (select count(*)::int from access.reads where subject = 'olga' and outcome = 'shown') as reads`,
  );
  expect(rows[0]?.tickets).toBe(load.opened.length);
  expect(rows[0]?.reads).toBeGreaterThanOrEqual(load.shown);
  const acknowledged = answers.map((answer) => ({ stream: `ticket-${answer?.body.id}`, revision: answer?.body.revision ?? 0 }));
  await expectWhole({ pool: looked, folder: data(), settings: {} }, acknowledged);
}

it('F20 the data folder is full: 503 with Retry-After, nothing false, nothing shown unrecorded, and it goes on once there is room', async () => {
  if (!canRun('F20', reason)) return;
  const small = disk('data', 160);
  mkdirSync(join(folder, 'wal'), { mode: 0o711 });
  await start(join(folder, 'wal'));
  const load = new Load();
  await until(async () => successesOf(load) > 50);
  small.fill();
  await until(async () => refusalsOf(load) > 20);
  await sleep(FULL_FOR_MS);
  process.stdout.write(`F20 data: ${successesOf(load)} opened, ${refusalsOf(load)} refused, ${load.shown} shown\n`);
  small.free();
  await expectKept(load, pool as pg.Pool);
}, 240_000);

it('F20 the WAL is full: the same, also where Postgres goes down over it', async () => {
  if (!canRun('F20', reason)) return;
  const small = disk('wal', 64);
  await start(small.path);
  const load = new Load();
  await until(async () => successesOf(load) > 50);
  small.fill();
  // To the end of what it has laid out ahead.
  await until(async () => {
    await pool?.query('select pg_switch_wal()').catch(() => undefined);
    return refusalsOf(load) > 20;
  });
  await sleep(FULL_FOR_MS);
  process.stdout.write(`F20 WAL: ${successesOf(load)} opened, ${refusalsOf(load)} refused, ${load.shown} shown\n`);
  small.free();
  await expectKept(load, pool as pg.Pool);
}, 240_000);

it('F20 the folder of feeds is full: the feed ends with 503 and as failed, and sent again it brings each line once', async () => {
  if (!canRun('F20', reason)) return;
  const small = disk('tmp', 1);
  const cluster = await Cluster.open();
  try {
    const member = await cluster.start('all', { TMPDIR: small.path });
    small.fill();
    const line = { type: 'complaint', priority: 'high', channel: 'web', summary: 'Card lost', receivedAt: '2025-11-03T09:00:00Z', closed: true };
    const lines = Array.from({ length: 200 }, (_, n) => JSON.stringify({ source: { system: 'old', id: `${n}` }, ...line })).join('\n');
    const bring = () => member.as('integration', 'old').post('/v1/feeds/tickets', lines, { 'content-type': 'application/x-ndjson' });
    const refused = await bring();
    expect({ status: refused.status, later: refused.headers.has('retry-after') }).toStrictEqual({ status: 503, later: true });
    const { body: runs } = await member.as('integration', 'old').get<{ items: { status: string }[] }>('/v1/feeds');
    expect(runs.items.map(({ status }) => status)).toStrictEqual(['failed']);
    small.free();
    const again = await bring();
    expect(again.body).toMatchObject({ status: 'finished', lines: 200, rejected: 0 });
    const { rows } = await cluster.pool.query("select count(*)::int as n from journal.streams where stream like 'ticket-%'");
    expect(rows).toStrictEqual([{ n: 200 }]);
    await expectWhole(cluster, []);
  } finally {
    await cluster.close();
  }
}, 60_000);
