// Publishing by real servers: commands go on without NATS, nothing is opened, and a worker that is killed or frozen is followed by another.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JetStreamApiCodes, JetStreamApiError } from '@nats-io/jetstream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Journal } from '../../src/journal/journal.ts';
import { PREFIX } from '../../src/processes/nats-publisher.ts';
import { streamName } from '../../src/processes/nats-stream.ts';
import { callerOf, until } from '../support/client.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { administer, consume, type NatsServer, startNats } from '../support/nats.ts';
import { openPostgresJournal } from '../support/postgres-journal.ts';
import { Parcels } from '../support/sample-projection.ts';
import { type ServerProcess, spawnServer } from '../support/server.ts';

const STREAM = streamName(PREFIX);
const SECRET = randomBytes(32).toString('base64');
const TAKEN_OVER_MS = 10_000;

let nats: NatsServer;
let folder: string;
let database: TestDatabase;
let journal: Journal;
const servers: ServerProcess[] = [];

beforeAll(async () => {
  nats = await startNats();
  folder = mkdtempSync(join(tmpdir(), 'shiji-nats-servers-'));
  database = await createTestDatabase();
  journal = await openPostgresJournal({ url: database.url, now: Date.now });
}, 60_000);
afterAll(async () => {
  for (const server of servers) server.kill('SIGCONT');
  for (const server of servers) server.kill('SIGTERM');
  await Promise.all(servers.map(({ ended }) => ended));
  await journal?.close();
  await database?.drop();
  await nats?.stop();
  if (folder) rmSync(folder, { recursive: true, force: true });
}, 60_000);

function start(...args: readonly string[]): ServerProcess {
  const env = {
    DATABASE_URL: database.ownerUrl,
    NATS_URL: nats.url,
    JWT_SECRET: SECRET,
    SHIJI_MASTER_KEY: Buffer.alloc(32, 7).toString('base64'),
    DATABASE_POOL: '8',
  };
  const server = spawnServer({ dataDir: folder, env, args });
  servers.push(server);
  return server;
}

const messagesOf = (server: ServerProcess): string[] =>
  server
    .stderr()
    .split('\n')
    .filter((line) => line.includes('"subsystem":"publisher"'))
    .map((line) => (JSON.parse(line) as { msg: string }).msg);

async function expectAll(durable: string): Promise<void> {
  const { events } = await journal.readAll({ after: 0, limit: 10_000 });
  const messages = await consume(nats.url, STREAM, durable);
  expect(messages.map(({ header }) => header('Nats-Msg-Id'))).toStrictEqual(events.map(({ id }) => id));
}

/** The stream has as many messages as the journal has events. */
async function arrived(withinMs: number): Promise<void> {
  const { position } = await journal.head();
  await until(
    () =>
      administer(nats.url, async (manager) => (await manager.streams.info(STREAM)).state.messages === position).catch((error: unknown) => {
        if (error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound) return false;
        throw error;
      }),
    withinMs,
  );
}

describe('a server with NATS_URL', () => {
  it('answers commands and is ready while NATS is away, and publishes them when it is back, opening nothing', async ({ skip }) => {
    const { halt, resume } = nats;
    if (!halt || !resume) return skip('not run: the server that NATS_URL names is not ours to stop');
    await halt();
    const server = start();
    const url = await server.ready;
    const alice = callerOf(url, { secret: SECRET }, 'agent', 'alice');
    const ticket = (n: number) => ({ type: 'inquiry', priority: 'normal', channel: 'wechat', summary: `Plain words 明文 ${n}` });
    const answers = await Promise.all(Array.from({ length: 40 }, (_, n) => alice.post('/v1/tickets', ticket(n))));
    expect(new Set(answers.map(({ status }) => status))).toStrictEqual(new Set([201]));
    expect((await alice.get('/health/ready')).status).toBe(200);
    expect(`${(await alice.get('/metrics')).body}`).toMatch(/^shiji_published_lag_events [1-9]/m);
    await resume();
    await arrived(20_000);
    await expectAll('one');
    for (const { text } of await consume(nats.url, STREAM, 'two')) expect(text).not.toMatch(/Plain words|明文/);
    await until(async () => /^shiji_published_lag_events 0$/m.test(`${(await alice.get('/metrics')).body}`));
    expect(messagesOf(server)).toStrictEqual([
      'events cannot be published to NATS just now; trying again, and all that waits will follow',
      'publishing to NATS',
    ]);
    server.kill('SIGTERM');
    expect(await server.ended).toBe(0);
  }, 60_000);

  it('is followed by another within 10 s of kill -9, or of being frozen; the thawed one publishes nothing', async ({ skip }) => {
    if (nats.kind === 'address') return skip('not run: the stream of a server that others may use is left alone');
    const post = new Parcels(journal);
    let count = 0;
    const write = async (events: number): Promise<void> => {
      for (let n = 0; n < events; n += 1) {
        count += 1;
        await post.send(`${count}`);
      }
    };
    const workers = [start('--role', 'worker'), start('--role', 'worker'), start('--role', 'worker')];
    await Promise.all(workers.map(({ ready }) => ready));
    const left = [...workers];
    const publishing = (): Promise<ServerProcess> =>
      until(async () => left.find((worker) => messagesOf(worker).at(-1) === 'publishing to NATS'), TAKEN_OVER_MS);
    await write(20);
    await arrived(TAKEN_OVER_MS);

    const frozen = await publishing();
    for (const signal of ['SIGSTOP', 'SIGKILL'] as const) {
      const holder = await publishing();
      const writing = write(200);
      const sinceMs = performance.now();
      holder.kill(signal);
      left.splice(left.indexOf(holder), 1);
      await writing;
      await arrived(TAKEN_OVER_MS);
      const tookMs = performance.now() - sinceMs;
      expect(tookMs).toBeLessThan(TAKEN_OVER_MS);
      process.stdout.write(`all was published ${Math.round(tookMs)} ms after ${signal}\n`);
    }
    frozen.kill('SIGCONT');
    await write(200);
    await arrived(TAKEN_OVER_MS);
    await until(async () => messagesOf(frozen).at(-1) !== 'publishing to NATS');
    await expectAll('three');
  }, 90_000);
});
