// Customers as clients read them: found, seen by whom they may, shown whole at one position, as of any moment, and with their history.
import { randomUUID } from 'node:crypto';
import type { LightMyRequestResponse } from 'fastify';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sourceIdOf } from '../../src/commands/command-id.ts';
import { eventDefinitions } from '../../src/domain/events.ts';
import type { Role } from '../../src/domain/kernel/roles.ts';
import { EventCodec } from '../../src/journal/codec.ts';
import { Keyring } from '../../src/journal/keyring.ts';
import { Opener } from '../../src/journal/sealing.ts';
import { projections } from '../../src/projections/all.ts';
import { recordReplay, replay } from '../../src/projections/engine/replay.ts';
import { createSearchTokens } from '../../src/projections/engine/search-tokens.ts';
import { createTestApi, type TestApi } from '../support/api-server.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const WANG_ID = '11010519491231002X';
const at = (date: string) => `${date}[Asia/Shanghai]`;
const source = (id: string) => ({ system: 'core', id });

let database: TestDatabase;
let api: TestApi;
let owner: pg.Client;
/** The last word of the auditor's own `Shiji-Position`. */
let latest = 0;
const wang = sourceIdOf('customer', 'core', 'C1');
const zhao = sourceIdOf('customer', 'core', 'C2');
const firm = sourceIdOf('customer', 'core', 'C3');
const account = sourceIdOf('account', 'core', 'A1');
const joint = sourceIdOf('account', 'core', 'A2');

beforeAll(async () => {
  database = await createTestDatabase();
  api = await createTestApi(database, { contexts: true });
  owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
  await feed([
    {
      ...{ kind: 'customer', source: source('C1'), at: at('2024-01-02'), type: 'person', name: '王小明', birthDate: '1949-12-31', branch: '3100' },
      documents: [{ type: 'identity-card', number: WANG_ID }],
      contacts: [{ kind: 'phone', value: '13812345678' }],
    },
    { ...{ kind: 'customer', source: source('C2'), at: at('2024-01-02'), type: 'person', name: 'Zhao Min', branch: '3200' } },
    { ...{ kind: 'customer', source: source('C3'), at: at('2024-01-02'), type: 'organisation', name: '东方贸易有限公司', branch: '3100' } },
    { ...{ kind: 'account', source: source('A1'), at: at('2024-01-02'), currency: 'CNY', number: '6222020200112233445', product: 'current' } },
    { ...{ kind: 'account', source: source('A2'), at: at('2024-01-02'), currency: 'CNY', openingBalance: 5_000, openingOn: '2024-01-02' } },
    { ...{ kind: 'account', source: source('A3'), at: at('2024-01-02'), currency: 'EUR' } },
    { ...{ kind: 'ownership', source: source('O1'), at: at('2024-01-02'), account: 'A1', customer: 'C1', role: 'owner' } },
    { ...{ kind: 'ownership', source: source('O2'), at: at('2024-01-02'), account: 'A2', customer: 'C1', role: 'joint-owner' } },
    { ...{ kind: 'ownership', source: source('O3'), at: at('2024-01-02'), account: 'A2', customer: 'C2', role: 'joint-owner' } },
    { ...{ kind: 'ownership', source: source('O4'), at: at('2024-01-02'), account: 'A3', customer: 'C1', role: 'mandate' } },
    { ...{ kind: 'ownership', source: source('O5'), at: at('2024-01-02'), account: 'A3', customer: 'C3', role: 'owner' } },
    { ...{ kind: 'card', source: source('K1'), at: at('2024-02-01'), account: 'A1', customer: 'C1', number: '6222020000001234' } },
    { ...{ kind: 'loan', source: source('L1'), at: at('2024-02-01'), account: 'A1', currency: 'CNY', amount: 100_000, status: 'running' } },
    transaction('T1', 'A1', '2024-01-05', 'credit', 10_000, { balance: 10_000, category: 'salary', counterparty: { name: 'Employer' } }),
    transaction('T2', 'A1', '2024-02-05', 'debit', 3_000, { balance: 7_000, category: 'rent', description: 'February' }),
    transaction('T3', 'A2', '2024-02-06', 'credit', 500),
    transaction('T4', 'A1', '2024-02-07', 'debit', 99, { balance: 6_901 }),
    transaction('T5', 'A3', '2024-02-07', 'credit', 1, { balance: 1 }),
    // Told late: it is older than what stands.
    { ...{ kind: 'account', source: source('A1'), at: at('2023-12-01'), currency: 'CNY', status: 'dormant', product: 'old' } },
  ]);
  await feed([{ ...{ kind: 'void', source: source('T4'), at: at('2024-02-08') } }]);
  await send('operations', 'ops', `/v1/customers/${wang}/assign`, { manager: 'chen', reason: 'Moved to Pudong' });
  await send('rm', 'chen', `/v1/customers/${wang}/tags`, { tag: 'VIP' });
}, 30_000);
afterAll(async () => {
  await owner.end();
  await api.close();
  await database.drop();
});

function transaction(id: string, accountId: string, date: string, direction: string, amount: number, rest: object = {}) {
  return { kind: 'transaction', source: source(id), at: at(date), account: accountId, currency: 'CNY', direction, amount, ...rest };
}

async function feed(lines: readonly object[]): Promise<void> {
  const answer = await api.app.inject({
    ...{ method: 'POST', url: '/v1/feeds/core-banking', payload: lines.map((line) => JSON.stringify(line)).join('\n') },
    headers: { ...api.as('integration'), 'content-type': 'application/x-ndjson' },
  });
  expect(answer.json()).toMatchObject({ rejected: 0, created: lines.length });
  latest = (await api.journal.head()).position;
}

async function send(role: Role, subject: string, url: string, body: object, headers = {}): Promise<LightMyRequestResponse> {
  const answer = await api.app.inject({ method: 'POST', url, payload: body, headers: { ...api.as(role, subject), ...headers } });
  expect([200, 201]).toContain(answer.statusCode);
  latest = (await api.journal.head()).position;
  return answer;
}

/** Reads what everything written so far has led to. */
async function get(role: Role, subject: string, url: string, headers: Record<string, string> = {}): Promise<LightMyRequestResponse> {
  const settled = await api.app.inject({ url: '/v1/tickets?limit=1', headers: { ...api.as('auditor'), 'shiji-after': `p${latest}` } });
  expect(settled.statusCode).toBe(200);
  return api.app.inject({ url, headers: { ...api.as(role, subject), ...headers } });
}

const asChen = (url: string, headers = {}) => get('rm', 'chen', url, headers);
const names = (answer: LightMyRequestResponse): unknown[] => answer.json().items.map(({ name }: { name: unknown }) => name);

describe('the list of customers', () => {
  it('finds by Chinese characters, pinyin and initials, among those that one may see', async () => {
    for (const q of ['小明', 'xiaoming', 'wxm']) expect(names(await asChen(`/v1/customers?q=${encodeURIComponent(q)}`))).toStrictEqual(['王小明']);
    expect(names(await get('rm', 'eve', '/v1/customers'))).toStrictEqual([]);
    expect(names(await get('risk', 'r', '/v1/customers?sort=id')).length).toBe(3);
  });

  it('filters by tag, branch and manager', async () => {
    for (const tag of ['vip', '%20VIP', '%EF%BC%B6IP']) expect(names(await asChen(`/v1/customers?tag=${tag}`))).toStrictEqual(['王小明']);
    expect(names(await get('risk', 'r', '/v1/customers?branch=3200'))).toStrictEqual(['Zhao Min']);
    expect(names(await get('risk', 'r', '/v1/customers?manager=none&kind=organisation'))).toStrictEqual(['东方贸易有限公司']);
  });

  it('reaches no further than the scope of a token', async () => {
    const authorization = `Bearer ${api.token('risk', { scope: 'branch:3200' })}`;
    const answer = await api.app.inject({ url: '/v1/customers', headers: { authorization } });
    expect(names(answer)).toStrictEqual(['Zhao Min']);
    expect((await api.app.inject({ url: `/v1/customers/${wang}`, headers: { authorization } })).statusCode).toBe(404);
  });

  it('masks for operations', async () => {
    const [item] = (await get('operations', 'ops', '/v1/customers?tag=vip')).json().items;
    expect(item).toMatchObject({ id: wang, name: '王*', masked: ['name'] });
  });

  it('tells of another’s customer by exact document only that the bank knows it, to whom says why, so often a day', async () => {
    const url = `/v1/customers?document=${WANG_ID}`;
    expect((await get('rm', 'eve', url)).json()).toStrictEqual({ items: [], next: null });
    const known = await get('rm', 'eve', url, { 'shiji-purpose': 'opens an account' });
    expect(known.json()).toStrictEqual({ items: [], next: null, knownToBank: true });
    const { rows } = await owner.query(`select purpose, ids, fields from access.reads where 'document-known-to-bank' = any(fields)`);
    expect(rows).toStrictEqual([{ purpose: 'opens an account', ids: [], fields: ['document-known-to-bank'] }]);
    expect((await get('rm', 'eve', '/v1/customers?document=999', { 'shiji-purpose': 'x' })).json()).toStrictEqual({ items: [], next: null });
    for (let more = 1; more < 20; more += 1) await api.app.inject({ url, headers: { ...api.as('rm', 'eve'), 'shiji-purpose': 'x' } });
    expect((await get('rm', 'eve', url, { 'shiji-purpose': 'x' })).statusCode).toBe(429);
    // Nor does the refusal tell which documents are known.
    expect((await get('rm', 'eve', '/v1/customers?document=999', { 'shiji-purpose': 'x' })).statusCode).toBe(429);
  });
});

describe('a sight', () => {
  it('is given for one exact document or phone, and opens that customer to that person alone', async () => {
    expect((await get('teller', 'tang', '/v1/customers')).statusCode).toBe(400);
    expect((await get('teller', 'tang', `/v1/customers?document=${WANG_ID}&phone=13812345678`)).statusCode).toBe(400);
    expect((await get('teller', 'tang', `/v1/customers/${wang}`)).statusCode).toBe(404);
    const [item] = (await get('teller', 'tang', `/v1/customers?document=${WANG_ID.toLowerCase()}`)).json().items;
    expect(item).toMatchObject({ id: wang, name: '王小明' });
    const sight = { 'shiji-sight': item.sight as string };
    expect((await get('teller', 'tang', `/v1/customers/${wang}`, sight)).statusCode).toBe(200);
    expect((await get('teller', 'tang', `/v1/customers/${zhao}`, sight)).statusCode).toBe(404);
    const stolen = await get('teller', 'mallory', `/v1/customers/${wang}`, sight);
    expect(stolen.statusCode).toBe(403);
    expect(stolen.json().type).toBe('/problems/SightInvalid');
    expect((await get('agent', 'tang', `/v1/customers/${wang}`, sight)).statusCode).toBe(403);
  });

  it('shows the call centre masked values', async () => {
    const [item] = (await get('agent', 'an', '/v1/customers?phone=13812345678')).json().items;
    const shown = (await get('agent', 'an', `/v1/customers/${wang}`, { 'shiji-sight': item.sight as string })).json();
    expect(shown).toMatchObject({ name: '王*', birthDate: '1949-**-**', masked: ['birthDate', 'contacts', 'documents', 'name'] });
    expect(shown.documents[0].number).toBe('110***********002X');
    expect(shown.contacts[0].value).toBe('+86138****5678');
  });

  it('is not needed where an own ticket of the customer waits', async () => {
    expect((await get('agent', 'an', `/v1/customers/${wang}`)).statusCode).toBe(404);
    const body = { type: 'complaint', priority: 'normal', channel: 'call-centre', summary: 'The card does not work', customer: wang };
    const { id } = (await send('rm', 'chen', '/v1/tickets', body)).json();
    await send('rm', 'chen', `/v1/tickets/${id}/assign`, { to: 'an' });
    const seen = await get('agent', 'an', `/v1/customers/${wang}`);
    expect(seen.statusCode).toBe(200);
    const { sight } = seen.json();
    await send('agent', 'an', `/v1/customers/${wang}/tags`, { tag: 'vip' }, { 'shiji-sight': sight });
    // A sight is not made to last by itself.
    expect((await get('agent', 'an', `/v1/customers/${wang}`, { 'shiji-sight': sight })).json().sight).toBeUndefined();
    expect((await get('agent', 'bo', `/v1/customers/${wang}`)).statusCode).toBe(404);
  });
});

describe('one customer', () => {
  it('is shown with what counts, what lost, and the revision to write against', async () => {
    const answer = await asChen(`/v1/customers/${wang}`);
    expect(answer.json()).toMatchObject({
      id: wang,
      name: '王小明',
      manager: 'chen',
      branch: '3100',
      tags: ['vip'],
      sources: [source('C1')],
      masked: [],
    });
    expect(answer.headers.etag).toBe(`"${answer.json().revision}"`);
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  it('is not there for whom may not see it, and that is recorded', async () => {
    const answer = await get('rm', 'eve', `/v1/customers/${wang}`);
    expect(answer.json()).toStrictEqual({ ...(await get('rm', 'eve', `/v1/customers/${randomUUID()}`)).json(), instance: answer.json().instance });
    const { rows } = await owner.query(`select outcome from access.reads where subject = 'eve' and ids = array[$1]`, [wang]);
    expect(rows).toStrictEqual([{ outcome: 'denied' }]);
  });
});

describe('the 360 view', () => {
  it('has each account once, mandates for nothing, and unknown balances as unknown', async () => {
    const answer = await asChen(`/v1/customers/${wang}/360`);
    expect(answer.statusCode).toBe(200);
    const view = answer.json();
    expect(Object.keys(view)).toStrictEqual([
      ...['customer', 'accounts', 'loans', 'cards', 'orders', 'balances', 'flows', 'transactions', 'relations', 'tags', 'classification'],
      ...['tickets', 'campaigns', 'asOf', 'knownAt', 'position'],
    ]);
    const accounts = Object.fromEntries(view.accounts.map((one: { id: string }) => [one.id, one]));
    // T4 is void: the balance is what T2 left.
    expect(accounts[account]).toMatchObject({ role: 'owner', joint: false, status: 'open', product: 'current', number: '6222020200112233445' });
    expect(accounts[account].balance).toStrictEqual({ amount: 7_000, currency: 'CNY', asOf: '2024-02-05' });
    expect(accounts[joint]).toMatchObject({ role: 'joint-owner', joint: true, balance: { amount: 5_500, currency: 'CNY', asOf: '2024-02-06' } });
    expect(accounts[sourceIdOf('account', 'core', 'A3')]).toMatchObject({ role: 'mandate', balance: null });
    expect(view.balances).toStrictEqual([{ currency: 'CNY', amount: 12_500, accounts: 2, unknown: 0, joint: 1 }]);
    expect(view.transactions.map(({ id }: { id: string }) => id)).toStrictEqual(
      ['T3', 'T2', 'T1'].map((id) => sourceIdOf('transaction', 'core', id)),
    );
    expect(view.cards).toMatchObject([{ number: '622202******1234', holder: 'this' }]);
    expect(view.loans).toMatchObject([{ amount: 100_000, status: 'running' }]);
    expect(view.classification).toMatchObject({ kind: 'person', standing: 'customer', incomplete: false });
    expect(view.tickets).toMatchObject([{ customer: wang, summary: 'The card does not work', firstResponse: { state: 'running' } }]);
  });

  it('names others on the accounts only to whom may see them', async () => {
    const relations = async (role: Role, subject: string) => (await get(role, subject, `/v1/customers/${wang}/360`)).json().relations;
    expect(await relations('rm', 'chen')).toContainEqual({ account: joint, role: 'joint-owner', customer: null, name: null });
    expect(await relations('risk', 'r')).toContainEqual({ account: joint, role: 'joint-owner', customer: zhao, name: 'Zhao Min' });
    expect(await relations('operations', 'o')).toContainEqual({ account: joint, role: 'joint-owner', customer: zhao, name: 'Z*' });
  });

  it('hides counterparties and free text from operations, and says so', async () => {
    const view = (await get('operations', 'o', `/v1/customers/${wang}/360`)).json();
    const [, second, first] = view.transactions;
    expect([second.description, first.counterparty.name]).toStrictEqual([null, null]);
    expect(view.customer).toMatchObject({ name: '王*', masked: expect.arrayContaining(['counterparty', 'description', 'name', 'number']) });
    expect(view.accounts.find(({ id }: { id: string }) => id === account).number).toBe('622202*********3445');
  });

  it('is of any day of the world and of the bank’s knowledge', async () => {
    const asOf = (await asChen(`/v1/customers/${wang}/360?asOf=2024-02-05`)).json();
    expect(asOf.balances).toStrictEqual([{ currency: 'CNY', amount: 12_000, accounts: 2, unknown: 0, joint: 1 }]);
    expect(asOf.transactions.map(({ bookedOn }: { bookedOn: string }) => bookedOn)).toStrictEqual(['2024-02-05', '2024-01-05']);
    expect(asOf.flows).toMatchObject([
      { month: '2024-02', category: 'rent', inflow: 0, outflow: 3_000 },
      { month: '2024-01', category: 'salary', inflow: 10_000, outflow: 0 },
    ]);
    expect(asOf).toMatchObject({ asOf: '2024-02-05', knownAt: null, tags: [] });
    // Nothing was known to the bank of the day itself; and the customer did not exist before.
    expect((await asChen(`/v1/customers/${wang}/360?asOf=2024-02-05&knownAt=2024-02-05`)).statusCode).toBe(404);
    expect((await asChen(`/v1/customers/${wang}/360?asOf=2023-12-31`)).statusCode).toBe(404);
    expect((await asChen(`/v1/customers/${wang}/360?replay=none`)).statusCode).toBe(400);
    const now = (await asChen(`/v1/customers/${wang}/360`)).json();
    const past = (await asChen(`/v1/customers/${wang}/360?knownAt=2999-01-01`)).json();
    expect({ ...past, knownAt: null, position: now.position }).toStrictEqual(now);
  });

  it('is at one position, which an auditor sees plain', async () => {
    const view = (await get('auditor', 'z', `/v1/customers/${wang}/360`)).json();
    expect(view.position).toBe(`p${latest}`);
  });

  it('is recorded with whom it showed, before it is sent', async () => {
    await asChen(`/v1/customers/${wang}/360`);
    const { rows } = await owner.query(
      `select ids, fields from access.reads where subject = 'chen' and route = '/v1/customers/{customerId}/360' order by id desc limit 1`,
    );
    expect(rows[0].ids).toContain(wang);
    expect(rows[0].fields).toContain('counterparty');
  });
});

describe('a replay', () => {
  it('serves list, 360 view and transactions as of its instant, to whom may see the customer now', async () => {
    const opener = new Opener('journal of the tests', new Keyring(api.pool, [{ version: 1, key: Buffer.alloc(32, 1) }]));
    const [first] = await replay({
      ...{ journal: api.journal, codec: new EventCodec('journal of the tests', eventDefinitions), pool: api.pool, projections },
      personals: { openMany: (values) => opener.openMany(values), tokens: createSearchTokens(Buffer.alloc(32, 4)).tokens },
      ...{ schema: 'replay_february', bankZone: 'Asia/Shanghai', until: '2024-02-05' },
    });
    const recorded = { name: 'february', schema: 'replay_february', until: '2024-02-05', position: first?.position ?? 0 };
    await recordReplay(api.pool, { ...recorded, projections: projections.map(({ name }) => name) });
    const { position: _, ...fromReplay } = (await asChen(`/v1/customers/${wang}/360?replay=february`)).json();
    const { position: __, ...fromPast } = (await asChen(`/v1/customers/${wang}/360?asOf=2024-02-05`)).json();
    expect({ ...fromReplay, asOf: '2024-02-05' }).toStrictEqual(fromPast);
    const days = (await asChen(`/v1/customers/${wang}/transactions?replay=february`))
      .json()
      .items.map(({ bookedOn }: { bookedOn: string }) => bookedOn);
    expect(days).toStrictEqual(['2024-02-05', '2024-01-05']);
    // Nobody was the manager then; the right to see is today's.
    expect((await asChen('/v1/customers?replay=february')).json().items).toMatchObject([{ id: wang, manager: null, tags: [] }]);
    expect(names(await get('rm', 'eve', '/v1/customers?replay=february'))).toStrictEqual([]);
    expect((await get('rm', 'eve', `/v1/customers/${wang}/360?replay=february`)).statusCode).toBe(404);
    expect((await asChen(`/v1/customers/${wang}/360?replay=february&asOf=2024-01-01`)).statusCode).toBe(400);
  });
});

describe('tickets of a replay', () => {
  it('are those that one may see now', async () => {
    const body = { type: 'complaint', priority: 'normal', channel: 'call-centre', summary: 'A word too much' };
    const { id } = (await send('operations', 'ops', '/v1/tickets', body)).json();
    await send('operations', 'ops', `/v1/tickets/${id}/assign`, { to: 'before' });
    const opener = new Opener('journal of the tests', new Keyring(api.pool, [{ version: 1, key: Buffer.alloc(32, 1) }]));
    const [first] = await replay({
      ...{ journal: api.journal, codec: new EventCodec('journal of the tests', eventDefinitions), pool: api.pool, projections },
      personals: { openMany: (values) => opener.openMany(values), tokens: createSearchTokens(Buffer.alloc(32, 4)).tokens },
      ...{ schema: 'replay_handover', bankZone: 'Asia/Shanghai' },
    });
    const recorded = { name: 'handover', schema: 'replay_handover', position: first?.position ?? 0 };
    await recordReplay(api.pool, { ...recorded, projections: projections.map(({ name }) => name) });
    await send('operations', 'ops', `/v1/tickets/${id}/assign`, { to: 'after' });
    const seen = async (role: Role, subject: string): Promise<unknown[]> =>
      (await get(role, subject, '/v1/tickets?replay=handover&assignee=before&count=true')).json().items;
    expect(await seen('agent', 'before')).toStrictEqual([]);
    expect(await seen('agent', 'after')).toMatchObject([{ id, assignee: 'before' }]);
    expect(await seen('risk', 'r')).toMatchObject([{ id }]);
  });
});

describe('transactions', () => {
  it('come newest first, page by page, of the accounts that are theirs to see', async () => {
    const ids: string[] = [];
    let next: string | null = '';
    while (next !== null) {
      const page: { items: { bookedOn: string; account: string }[]; next: string | null } = (
        await asChen(`/v1/customers/${wang}/transactions?limit=2${next === '' ? '' : `&cursor=${next}`}`)
      ).json();
      ids.push(...page.items.map(({ bookedOn }) => bookedOn));
      next = page.next;
    }
    // The mandate's as well; what is void never was.
    expect(ids).toStrictEqual(['2024-02-07', '2024-02-06', '2024-02-05', '2024-01-05']);
  });

  it('filter by account, days, direction and category, and by both times', async () => {
    const count = async (query: string) => (await asChen(`/v1/customers/${wang}/transactions?${query}`)).json().items.length;
    expect(await count(`account=${account}`)).toBe(2);
    expect(await count('from=2024-02-05&to=2024-02-06')).toBe(2);
    expect(await count('direction=debit')).toBe(1);
    expect(await count('category=salary')).toBe(1);
    expect(await count('asOf=2024-01-31')).toBe(1);
    expect(await count(`account=${randomUUID()}`)).toBe(0);
  });

  it('are nobody else’s', async () => {
    expect((await get('rm', 'eve', `/v1/customers/${wang}/transactions`)).statusCode).toBe(404);
    // A mandate is not ownership of what others own: the firm sees its own account alone.
    expect((await get('risk', 'r', `/v1/customers/${firm}/transactions`)).json().items.length).toBe(1);
  });
});

describe('history', () => {
  it('says who did what, when, why and by which way, before and after', async () => {
    const { items } = (await asChen(`/v1/customers/${wang}/history`, { 'shiji-purpose': 'a visit' })).json();
    const tagged = items.find(({ event }: { event: string }) => event === 'CustomerTagged');
    expect(tagged).toMatchObject({ by: { subject: 'chen', role: 'rm' }, channel: 'rest', what: 'Tagged vip' });
    expect(tagged.changes).toStrictEqual([{ field: 'tags', before: [], after: ['vip'] }]);
    const assigned = items.find(({ event }: { event: string }) => event === 'CustomerAssigned');
    expect(assigned).toMatchObject({ reason: 'Moved to Pudong', changes: [{ field: 'manager', before: null, after: 'chen' }] });
    // The older report that came late changed nothing that is shown.
    const accounts = items.filter(
      ({ event, about }: { event: string; about: { id: string } }) => event === 'AccountReported' && about.id === account,
    );
    expect(accounts.map(({ changes }: { changes: unknown[] }) => changes.length > 0)).toStrictEqual([false, true]);
    expect(items.map(({ event }: { event: string }) => event)).toContain('TicketOpened');
    expect(JSON.stringify(items)).not.toContain('TransactionPosted');
  });

  it('masks by role and hides nothing of a change', async () => {
    const { items } = (await get('operations', 'o', `/v1/customers/${wang}/history`)).json();
    const reported = items.find(({ event }: { event: string }) => event === 'CustomerReported');
    expect(reported.changes).toContainEqual({ field: 'name', before: null, after: '王*' });
    expect(items.find(({ event }: { event: string }) => event === 'CustomerAssigned').reason).toBeNull();
  });

  it('goes on by pages without a gap', async () => {
    const all = (await asChen(`/v1/customers/${wang}/history?limit=500`)).json().items;
    const first = (await asChen(`/v1/customers/${wang}/history?limit=3`)).json();
    const second = (await asChen(`/v1/customers/${wang}/history?limit=500&cursor=${first.next}`)).json();
    expect([...first.items, ...second.items]).toStrictEqual(all);
  });
});
