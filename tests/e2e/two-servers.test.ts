// Two API processes on one database: keys, ETags and positions are the data's, not a process's.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Caller, callerOf } from '../support/client.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { type ServerProcess, spawnServer } from '../support/server.ts';

const body = { type: 'inquiry', priority: 'normal', channel: 'wechat', summary: 'Where is my card' };

describe('two servers on one database', () => {
  const folder = mkdtempSync(join(tmpdir(), 'shiji-two-'));
  const secret = randomBytes(32).toString('base64');
  let database: TestDatabase;
  let servers: ServerProcess[];
  let here: Caller;
  let there: Caller;

  beforeAll(async () => {
    database = await createTestDatabase({ migrated: false });
    const env = {
      DATABASE_URL: database.ownerUrl,
      JWT_SECRET: secret,
      SHIJI_MASTER_KEY: randomBytes(32).toString('base64'),
      DATABASE_POOL: '8',
      LOG_LEVEL: 'warn',
    };
    servers = [spawnServer({ dataDir: folder, env }), spawnServer({ dataDir: folder, env })];
    const [one, other] = await Promise.all(servers.map((server) => server.ready));
    here = callerOf(one ?? '', { secret }, 'agent', 'alice');
    there = callerOf(other ?? '', { secret }, 'agent', 'alice');
  }, 60_000);
  afterAll(async () => {
    for (const server of servers) server.kill('SIGTERM');
    expect(await Promise.all(servers.map((server) => server.ended))).toEqual([0, 0]);
    await database.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('give one answer to 50 concurrent posts of one key, and write once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => (n % 2 ? here : there).post('/v1/tickets', body, { 'idempotency-key': 'one-for-both' })),
    );
    expect(new Set(answers.map(({ status, headers, body: answer }) => `${status} ${headers.get('etag')} ${JSON.stringify(answer)}`)).size).toBe(1);
    expect(answers[0]?.status).toBe(201);
    const other = await there.post('/v1/tickets', { ...body, priority: 'high' }, { 'idempotency-key': 'one-for-both' });
    expect(other.status).toBe(422);
    const after = answers[0]?.headers.get('shiji-position') ?? '';
    const { body: list } = await there.get<{ total: number }>('/v1/tickets?count=true', { 'shiji-after': after });
    expect(list.total).toBe(1);
  });

  it('see each other’s commands at once with Shiji-After, whichever runs the projector', async () => {
    for (const [writer, reader] of [
      [here, there],
      [there, here],
    ] as const) {
      const opened = await writer.post<{ id: string }>('/v1/tickets', body);
      const { body: list } = await reader.get<{ items: { id: string }[] }>('/v1/tickets?limit=1', {
        'shiji-after': opened.headers.get('shiji-position') ?? '',
      });
      expect(list.items[0]?.id).toBe(opened.body.id);
    }
  });

  it('hold each other to If-Match, and never decide on a past that the other has changed', async () => {
    const { body: opened } = await here.post<{ id: string }>('/v1/tickets', body);
    const path = `/v1/tickets/${opened.id}`;
    expect((await here.post(`${path}/assign`, { to: 'alice' })).body).toMatchObject({ revision: 1 });
    expect((await there.post(`${path}/start`, {}, { 'if-match': '"1"' })).body).toMatchObject({ revision: 2 });
    expect((await here.post(`${path}/assign`, { to: 'bob' }, { 'if-match': '"1"' })).status).toBe(412);
    // Legal only by what the other server did.
    expect((await here.post(`${path}/resolve`, { resolution: 'Sent' })).body).toMatchObject({ revision: 3 });
    expect((await there.post(`${path}/start`, {})).status).toBe(409);
  });

  it('refuse a position that was given to someone else', async () => {
    const opened = await here.post('/v1/tickets', body);
    const bob = await here.get('/v1/tickets', { 'shiji-after': `${opened.headers.get('shiji-position')}` });
    expect(bob.status).toBe(200);
    const mallory = callerOf(await (servers[0] as ServerProcess).ready, { secret }, 'agent', 'mallory');
    expect((await mallory.get('/v1/tickets', { 'shiji-after': `${opened.headers.get('shiji-position')}` })).status).toBe(400);
  });
});
