// Tickets that are about a customer: told in every item, found by the customer, and read, not worked on, by the customer's own manager.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Role } from '../../src/domain/kernel/roles.ts';
import { createTestApi, type TestApi } from '../support/api-server.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let api: TestApi;
let customer: string;
let ticket: string;

beforeAll(async () => {
  database = await createTestDatabase();
  api = await createTestApi(database, { contexts: true });
  customer = await post('rm', 'chen', '/v1/customers', { kind: 'person', name: '李雷', branch: '7200' });
  const about = { type: 'complaint', priority: 'normal', channel: 'counter', summary: 'A fee nobody told of' };
  ticket = await post('operations', 'ops', '/v1/tickets', { ...about, customer });
  await post('operations', 'ops', '/v1/tickets', about);
}, 30_000);
afterAll(async () => {
  await api.close();
  await database.drop();
});

async function post(role: Role, subject: string, url: string, body: object): Promise<string> {
  const answer = await api.app.inject({ method: 'POST', url, payload: body, headers: api.as(role, subject) });
  expect(answer.statusCode).toBe(201);
  return answer.json().id as string;
}
async function get(role: Role, subject: string, url: string) {
  const { position } = await api.journal.head();
  await api.app.inject({ url: '/v1/tickets?limit=1', headers: { ...api.as('auditor'), 'shiji-after': `p${position}` } });
  return api.app.inject({ url, headers: api.as(role, subject) });
}
const ids = (answer: { json(): { items: { id: string }[] } }): string[] => answer.json().items.map(({ id }) => id);

it('are told with their customer and found by it', async () => {
  const answer = await get('risk', 'r', `/v1/tickets?customer=${customer}`);
  expect(answer.json().items).toMatchObject([{ id: ticket, customer }]);
  expect(ids(await get('risk', 'r', `/v1/tickets?customer=${randomUUID()}`))).toStrictEqual([]);
  expect((await get('risk', 'r', '/v1/tickets')).json().items.map((item: { customer: unknown }) => item.customer)).toContain(null);
});

it('are read by the customer’s own manager, whoever works on them', async () => {
  expect(ids(await get('rm', 'chen', '/v1/tickets'))).toStrictEqual([ticket]);
  expect((await get('rm', 'chen', `/v1/tickets/${ticket}`)).json()).toMatchObject({ customer, summary: 'A fee nobody told of' });
  expect(ids(await get('rm', 'eve', '/v1/tickets'))).toStrictEqual([]);
  expect((await get('rm', 'eve', `/v1/tickets/${ticket}`)).statusCode).toBe(404);
});

it('are not worked on by that manager for it', async () => {
  const answer = await api.app.inject({ method: 'POST', url: `/v1/tickets/${ticket}/start`, payload: {}, headers: api.as('rm', 'chen') });
  expect(answer.statusCode).toBe(404);
});

it('are read in the scope of the customer’s branch alone, and worked on in the whole bank’s', async () => {
  await get('risk', 'r', '/v1/customers?limit=1');
  const scoped = (branch: string) => ({ authorization: `Bearer ${api.token('risk', { subject: 'r', scope: `branch:${branch}` })}` });
  const asked = async (branch: string, url: string) => api.app.inject({ url, headers: scoped(branch) });
  expect(ids(await asked('7200', '/v1/tickets'))).toStrictEqual([ticket]);
  expect((await asked('7200', `/v1/tickets/${ticket}`)).statusCode).toBe(200);
  expect(ids(await asked('7100', '/v1/tickets'))).toStrictEqual([]);
  expect((await asked('7100', `/v1/tickets/${ticket}`)).statusCode).toBe(404);
  const tickets = async (branch: string) => (await asked(branch, '/v1/reports/sla-attainment')).json().totals.tickets;
  expect([await tickets('7200'), await tickets('7100')]).toStrictEqual([1, 0]);
  const operator = { authorization: `Bearer ${api.token('operations', { subject: 'o', scope: 'branch:7200' })}` };
  const answer = await api.app.inject({ method: 'POST', url: `/v1/tickets/${ticket}/start`, payload: {}, headers: operator });
  expect(answer.statusCode).toBe(404);
});
