// What is told of another's customer: that a document is known, by search or by a refused registration, each answer recorded and few a day.
// And what is not told: a pair with whom one may not see, another's ticket.
import { randomInt } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Role } from '../../src/domain/kernel/roles.ts';
import { createTestApi, type TestApi } from '../support/api-server.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const HOUR_MS = 3_600_000;
let nowMs = Date.parse('2026-03-02T01:00:00.000Z');
let database: TestDatabase;
let api: TestApi;
let owner: pg.Client;
beforeAll(async () => {
  database = await createTestDatabase();
  api = await createTestApi(database, { contexts: true, clockMs: () => nowMs });
  owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
});
afterAll(async () => {
  await owner.end();
  await api.close();
  await database.drop();
});

const number = () => `E${randomInt(1e9, 1e10)}`;
const post = (role: Role, subject: string, url: string, payload: object) =>
  api.app.inject({ method: 'POST', url: `/v1/${url}`, headers: api.as(role, subject), payload });
const register = (subject: string, documents: readonly string[], role: Role = 'rm') =>
  post(role, subject, 'customers', { kind: 'person', name: '王小明', documents: documents.map((each) => ({ type: 'passport', number: each })) });
const ask = (subject: string, document: string) =>
  api.app.inject({ url: `/v1/customers?document=${document}`, headers: { ...api.as('rm', subject), 'shiji-purpose': 'opens an account' } });
const settled = async (): Promise<void> => {
  const { position } = await api.journal.head();
  const answer = await api.app.inject({ url: '/v1/tickets?limit=1', headers: { ...api.as('auditor'), 'shiji-after': `p${position}` } });
  expect(answer.statusCode, answer.body).toBe(200);
};
const get = async (role: Role, subject: string, url: string, headers = {}) => {
  await settled();
  return api.app.inject({ url: `/v1/${url}`, headers: { ...api.as(role, subject), ...headers } });
};
const recordsOf = async (subject: string) =>
  (
    await owner.query<{ method: string; fields: string[]; purpose: string }>(
      'select method, fields, purpose from access.reads where subject = $1 order by id',
      [subject],
    )
  ).rows;

describe('that the bank knows a document', () => {
  it('is told twenty times a day, also to who asks all at once', async () => {
    const document = number();
    await register('chen', [document]);
    await settled();
    const answers = await Promise.all(Array.from({ length: 64 }, () => ask('racer', document)));
    expect(answers.filter(({ statusCode }) => statusCode === 200).length).toBe(20);
    expect(answers.filter(({ statusCode }) => statusCode === 429).length).toBe(44);
    expect(await recordsOf('racer')).toHaveLength(20);
  });

  it('is also told where it is not: a list of numbers can’t be tried', async () => {
    for (let tried = 0; tried < 20; tried += 1) expect((await ask('prober', number())).statusCode).toBe(200);
    expect((await ask('prober', number())).statusCode).toBe(429);
    expect((await recordsOf('prober')).at(-1)?.fields).toStrictEqual(['document-not-known-to-bank']);
    nowMs += 24 * HOUR_MS;
    expect((await ask('prober', number())).statusCode).toBe(200);
  });

  it('is told by a refused registration as well: recorded before it leaves, and counted', async () => {
    const document = number();
    await register('chen', [document]);
    expect((await register('writer', [document])).statusCode).toBe(409);
    expect(await recordsOf('writer')).toStrictEqual([{ method: 'POST', fields: ['document-known-to-bank'], purpose: 'registers a customer' }]);
    const answers = await Promise.all(Array.from({ length: 40 }, () => register('writer', [document])));
    expect(new Set(answers.map(({ statusCode }) => statusCode))).toStrictEqual(new Set([409, 429]));
    expect(await recordsOf('writer')).toHaveLength(20);
    // Nor does the limit tell which are known.
    const [taken, free] = [await register('writer', [document]), await register('writer', [number()])];
    expect([taken.statusCode, free.statusCode]).toStrictEqual([429, 429]);
    expect(free.headers['retry-after']).toBe(String(24 * 3_600));
    expect((await register('writer', [])).statusCode).toBe(201);
    expect((await ask('writer', document)).statusCode).toBe(429);
    // Operations see every customer.
    for (let more = 0; more < 25; more += 1) expect((await register('ops', [document], 'operations')).statusCode).toBe(409);
    expect(await recordsOf('ops')).toHaveLength(25);
  });
});

describe('of whom one may not see', () => {
  const feed = async (lines: readonly object[]) => {
    const answer = await api.app.inject({
      ...{ method: 'POST', url: '/v1/feeds/core-banking', payload: lines.map((line) => JSON.stringify(line)).join('\n') },
      headers: { ...api.as('integration'), 'content-type': 'application/x-ndjson' },
    });
    expect(answer.json()).toMatchObject({ rejected: 0 });
  };

  it('a possible pair stands in no history', async () => {
    const document = number();
    const { id } = (await register('chen', [document])).json();
    const etag = async (): Promise<unknown> => (await get('rm', 'chen', `customers/${id}`)).headers.etag;
    const before = await etag();
    const source = { system: 'core', id: 'pair-1' };
    await feed([
      {
        kind: 'customer',
        source,
        at: '2024-01-02[Asia/Shanghai]',
        type: 'person',
        name: 'Zhao',
        documents: [{ type: 'passport', number: document }],
      },
    ]);
    const events = async (role: Role, subject: string): Promise<string[]> =>
      (await get(role, subject, `customers/${id}/history`)).json().items.map(({ event }: { event: string }) => event);
    expect(await events('risk', 'r')).toStrictEqual(['PossiblePairFound', 'CustomerRegistered']);
    expect(await events('rm', 'chen')).toStrictEqual(['CustomerRegistered']);
    // Nor does the customer's own revision move for it.
    expect(await etag()).toBe(before);
  });

  it('a ticket’s text stays with who has it, though the customer is on the line', async () => {
    const document = number();
    const { id: customer } = (await register('chen', [document])).json();
    const told = { customer, type: 'inquiry', priority: 'low', channel: 'visit', summary: 'About the divorce' };
    const { id: ticket } = (await post('operations', 'ops', 'tickets', told)).json();
    await post('operations', 'ops', `tickets/${ticket}/assign`, { to: 'zed' });
    for (const [role, subject] of [
      ['teller', 'tang'],
      ['agent', 'an'],
    ] as const) {
      const { sight } = (await get(role, subject, `customers?document=${document}`)).json().items[0];
      const view = await get(role, subject, `customers/${customer}/360`, { 'shiji-sight': sight });
      expect(view.json().tickets).toMatchObject([{ id: ticket, summary: null, masked: ['summary'] }]);
    }
    expect((await get('rm', 'chen', `customers/${customer}/360`)).json().tickets).toMatchObject([{ summary: 'About the divorce' }]);
    expect((await get('agent', 'zed', `customers/${customer}/360`)).json().tickets).toMatchObject([{ summary: 'About the divorce' }]);
  });

  it('a ticket that is read is a read of its customer', async () => {
    const { id: customer } = (await register('chen', [])).json();
    const told = { customer, type: 'inquiry', priority: 'low', channel: 'visit', summary: 'x' };
    const { id: ticket } = (await post('rm', 'chen', 'tickets', told)).json();
    await get('risk', 'reader', `tickets/${ticket}`);
    await get('risk', 'reader', `tickets?customer=${customer}`);
    const reads = (await get('auditor', 'a', `accesses?id=${customer}&subject=reader`)).json().items;
    expect(reads.map(({ route, ids }: { route: string; ids: string[] }) => [route, ids])).toStrictEqual([
      ['/v1/tickets', [ticket, customer]],
      ['/v1/tickets/{ticketId}', [ticket, customer]],
    ]);
  });

  it('it is recorded that a phone of several was asked for', async () => {
    const contacts = [{ kind: 'phone', value: '13711112222' }];
    for (const name of ['王一', '王二']) await post('rm', 'chen', 'customers', { kind: 'person', name, contacts });
    expect((await get('teller', 'tang', 'customers?phone=13711112222')).json().errors).toMatchObject([{ pointer: 'phone' }]);
    const { items } = (await get('auditor', 'a', 'accesses?subject=tang&limit=1')).json();
    expect(items).toMatchObject([{ route: '/v1/customers', outcome: 'denied', ids: [expect.any(String), expect.any(String)] }]);
  });

  it('no name can be tried on whom the call centre has on the line', async () => {
    const document = number();
    await register('chen', [document]);
    for (const q of ['王小明', '李四']) {
      const answer = await get('agent', 'an', `customers?document=${document}&q=${encodeURIComponent(q)}`);
      expect([answer.statusCode, answer.json().errors[0].pointer]).toStrictEqual([400, 'q']);
    }
  });
});
