// Looking up before entry, being warned at entry, and the queue of pairs: masked, recorded, and blind to whom one may not see.
import { randomInt } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Role } from '../../src/domain/kernel/roles.ts';
import { createTestApi, type TestApi } from '../support/api-server.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let api: TestApi;
let owner: pg.Client;
beforeAll(async () => {
  database = await createTestDatabase();
  api = await createTestApi(database, { contexts: true });
  owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
});
afterAll(async () => {
  await owner.end();
  await api.close();
  await database.drop();
});

interface Hit {
  readonly id: string;
  readonly name: string;
  readonly phones: readonly string[];
  readonly score: number;
  readonly reasons: readonly { readonly speaks: string; readonly words: string }[];
}
const phoneNumber = () => `138${randomInt(10_000_000, 99_999_999)}`;
const passport = () => `E${randomInt(1e8, 1e9)}`;
const phone = (value: string) => [{ kind: 'phone', value }];
const post = (role: Role, subject: string, url: string, payload: object = {}, headers = {}) =>
  api.app.inject({ method: 'POST', url: `/v1/${url}`, headers: { ...api.as(role, subject), ...headers }, payload });
/** Waits until the read models are where the journal is. */
const settle = async (): Promise<void> => {
  const { position } = await api.journal.head();
  await expect
    .poll(
      async () => {
        const { rows } = await owner.query<{ least: number }>('select min(position)::int as least from engine.checkpoints');
        return rows[0]?.least;
      },
      { timeout: 10_000 },
    )
    .toBeGreaterThanOrEqual(position);
};
const register = (subject: string, body: object, role: Role = 'rm', headers = {}) =>
  post(role, subject, 'customers', { kind: 'person', ...body }, headers);
const registered = async (subject: string, body: object, role: Role = 'rm'): Promise<string> => {
  const answer = await register(subject, body, role);
  expect(answer.statusCode, answer.body).toBe(201);
  await settle();
  return answer.json<{ id: string }>().id;
};
const lookUp = async (role: Role, subject: string, body: object, headers = {}) => {
  const answer = await post(role, subject, 'customers/lookup', body, headers);
  expect(answer.statusCode, answer.body).toBe(200);
  return answer.json<{ hits: Hit[]; knownToBank?: true }>();
};
const queue = async (role: Role = 'operations', query = '') => {
  await settle();
  const answer = await api.app.inject({ url: `/v1/customers/pairs${query}`, headers: api.as(role) });
  expect(answer.statusCode, answer.body).toBe(200);
  return answer.json<{
    items: { id: string; status: string; because: string; score: number; denied: unknown; decided: unknown; customers: Hit[] }[];
  }>().items;
};
const pairOf = (one: string, other: string): string => [one, other].sort().join('.');

describe('a look-up before entry', () => {
  it('finds by pinyin, by a slip and by what agrees, masked, with reasons in words, and is recorded', async () => {
    const number = phoneNumber();
    const id = await registered('chen', { name: '单雄信', contacts: phone(number) });
    for (const name of ['单雄信', 'Shan Xiongxin', '单雄新']) {
      const { hits } = await lookUp('rm', 'chen', { name, contacts: phone(number) });
      expect(hits[0], name).toMatchObject({ id, name: '单*', phones: [`+86${number.slice(0, 3)}****${number.slice(-4)}`] });
      expect(hits[0]?.score, name).toBeGreaterThan(0.5);
    }
    const { hits } = await lookUp('rm', 'chen', { name: '单雄信', contacts: phone(number) });
    expect(hits[0]?.reasons.map(({ words }) => words)).toStrictEqual(['the same name', 'the same phone']);
    const { rows } = await owner.query('select method, route, ids, filter from access.reads where subject = $1 order by id desc limit 1', ['chen']);
    expect(rows).toStrictEqual([{ method: 'POST', route: '/v1/customers/lookup', ids: [id], filter: ['kind', 'name', 'contacts'] }]);
  });

  it('shows a relationship manager own customers alone, who is at the counter anyone', async () => {
    const number = phoneNumber();
    const id = await registered('bo', { name: '赵云飞', contacts: phone(number) });
    const asked = { name: '赵云飞', contacts: phone(number) };
    expect((await lookUp('rm', 'chen', asked)).hits).toStrictEqual([]);
    for (const role of ['teller', 'agent', 'operations'] as const)
      expect((await lookUp(role, role, asked)).hits[0], role).toMatchObject({ id, name: '赵*' });
  });

  it('tells of another’s exact document only that the bank knows it, and only where a purpose is given', async () => {
    const number = passport();
    await registered('bo', { name: '赵云龙', documents: [{ type: 'passport', number }] });
    const asked = { document: { type: 'passport', number } };
    expect(await lookUp('rm', 'chen', asked)).toStrictEqual({ hits: [] });
    expect(await lookUp('rm', 'chen', asked, { 'shiji-purpose': 'opens an account' })).toStrictEqual({ hits: [], knownToBank: true });
    const { rows } = await owner.query('select fields, ids from access.reads where subject = $1 order by id desc limit 1', ['chen']);
    expect(rows).toStrictEqual([{ fields: ['document-known-to-bank'], ids: [] }]);
  });

  it('says what it needs', async () => {
    const answer = await post('rm', 'chen', 'customers/lookup', { kind: 'person' });
    expect([answer.statusCode, answer.json().errors[0].detail]).toStrictEqual([400, expect.stringContaining('must say something of them')]);
  });
});

describe('at entry', () => {
  it('a mere same name is taken, a name and a phone are warned of with who it is, and taken with a reason', async () => {
    const number = phoneNumber();
    const first = await registered('chen', { name: '欧阳小山', contacts: phone(number) });
    await registered('chen', { name: '欧阳小山', contacts: phone(phoneNumber()) });
    const again = { name: '欧阳小山', contacts: phone(number) };
    const warned = await register('chen', again);
    expect(warned.statusCode).toBe(409);
    expect(warned.json()).toMatchObject({ type: '/problems/SimilarCustomers', errors: [{ pointer: '/confirmNotDuplicate' }] });
    expect(warned.json().similar).toMatchObject([{ id: first, name: '欧*' }]);
    expect(warned.headers['cache-control']).toBe('no-store');
    const { rows } = await owner.query('select ids, route from access.reads where subject = $1 order by id desc limit 1', ['chen']);
    expect(rows).toStrictEqual([{ ids: [first], route: '/v1/customers' }]);
    const key = { 'idempotency-key': `father-${number}` };
    const confirmed = { ...again, confirmNotDuplicate: { reason: '父子' } };
    const taken = await register('chen', confirmed, 'rm', key);
    expect(taken.statusCode, taken.body).toBe(201);
    await settle();
    // The same again, though by now they are like themselves.
    expect((await register('chen', confirmed, 'rm', key)).json()).toStrictEqual(taken.json());
    const pair = pairOf(first, taken.json().id);
    await expect
      .poll(async () => (await queue()).find(({ id }) => id === pair)?.denied, { timeout: 5_000 })
      .toStrictEqual({ by: 'chen', reason: null });
    expect((await queue('risk')).find(({ id }) => id === pair)).toMatchObject({
      status: 'open',
      because: 'similar',
      denied: { by: 'chen', reason: '父子' },
    });
  });

  it('a customer whose name was corrected is warned of by the former one too', async () => {
    const number = phoneNumber();
    const id = await registered('chen', { name: '东方小雪', contacts: phone(number) });
    const asked = await post('rm', 'chen', `customers/${id}/name`, { name: '白小雪', reason: 'married' });
    expect((await post('operations', 'ops', `approvals/${asked.json().approval}/approve`)).json()).toMatchObject({ state: 'carried-out' });
    await settle();
    for (const name of ['东方小雪', '白小雪']) {
      const warned = await register('chen', { name, contacts: phone(number) });
      expect(warned.json(), name).toMatchObject({ type: '/problems/SimilarCustomers', similar: [{ id, name: '白*' }] });
    }
  });

  it('is repeated under its key without a warning of itself', async () => {
    const body = { name: '诸葛小川', contacts: phone(phoneNumber()) };
    const key = { 'idempotency-key': `self-${randomInt(1e9)}` };
    const first = await register('chen', body, 'rm', key);
    await settle();
    expect((await register('chen', body, 'rm', key)).json()).toStrictEqual(first.json());
    expect((await register('chen', body)).statusCode).toBe(409);
  });

  it('the same document is refused as ever', async () => {
    const documents = [{ type: 'passport', number: passport() }];
    const body = { name: '司马小河', documents, contacts: phone(phoneNumber()) };
    await registered('chen', body);
    for (const subject of ['chen', 'bo']) expect((await register(subject, body)).json().type, subject).toBe('/problems/ClaimTaken');
  });

  it('a hidden customer alike counts not at all, and goes to the queue of operations', async () => {
    const body = { name: '上官小溪', contacts: phone(phoneNumber()) };
    const hidden = await registered('bo', body);
    const own = await registered('chen', body);
    await expect.poll(async () => (await queue()).map(({ id }) => id), { timeout: 5_000 }).toContain(pairOf(hidden, own));
    expect((await queue('operations', '?limit=500')).find(({ id }) => id === pairOf(hidden, own))?.customers.map(({ name }) => name)).toStrictEqual([
      '上*',
      '上*',
    ]);
    for (const [subject, id] of [
      ['chen', own],
      ['bo', hidden],
    ] as const) {
      const seen = await api.app.inject({ url: `/v1/customers/${id}`, headers: api.as('rm', subject) });
      expect(seen.json()).toMatchObject({ pairs: [], revision: 0 });
    }
  });

  it('the feed of core banking is not warned', async () => {
    const number = phoneNumber();
    const line = (id: string) => ({
      ...{ kind: 'customer', source: { system: 'core', id }, at: '2026-01-05[Asia/Shanghai]', type: 'person', name: '王小明' },
      contacts: phone(number),
    });
    const answer = await api.app.inject({
      ...{ method: 'POST', url: '/v1/feeds/core-banking', payload: [line('S1'), line('S2')].map((each) => JSON.stringify(each)).join('\n') },
      headers: { ...api.as('integration'), 'content-type': 'application/x-ndjson' },
    });
    expect(answer.json()).toMatchObject({ rejected: 0 });
    await settle();
    expect((await lookUp('operations', 'ops', { name: 'Wang Xiaoming', contacts: phone(number) })).hits).toHaveLength(2);
  });
});

describe('a pair', () => {
  it('is decided once, leaves the queue when it is different, and is not offered again', async () => {
    const body = { name: '皇甫小泉', contacts: phone(phoneNumber()) };
    const [one, other] = [await registered('bo', body), await registered('chen', body)];
    const pair = pairOf(one, other);
    await expect.poll(async () => (await queue()).map(({ id }) => id), { timeout: 5_000 }).toContain(pair);
    const decide = (decision: string, role: Role = 'operations') =>
      post(role, 'ops', `customers/pairs/${pair}/decide`, { decision, reason: '不同证件' });
    expect((await decide('different', 'rm')).statusCode).toBe(403);
    expect((await decide('later')).statusCode).toBe(200);
    expect((await queue()).find(({ id }) => id === pair)).toMatchObject({ status: 'later', decided: { by: 'ops', reason: null } });
    expect((await decide('different')).statusCode).toBe(200);
    expect((await queue()).find(({ id }) => id === pair)).toBeUndefined();
    expect((await queue('risk', '?status=different')).find(({ id }) => id === pair)).toMatchObject({ decided: { by: 'ops', reason: '不同证件' } });
  });

  it('that is none, or of a branch one does not see, is not there', async () => {
    const body = { name: '尉迟小石', contacts: phone(phoneNumber()) };
    const [one, other] = [await registered('bo', { ...body, branch: '3100' }), await registered('chen', { ...body, branch: '3200' })];
    const stranger = await registered('chen', { name: '令狐小峰' });
    await expect.poll(async () => (await queue()).map(({ id }) => id), { timeout: 5_000 }).toContain(pairOf(one, other));
    const decision = { decision: 'same', reason: 'one person' };
    expect((await post('operations', 'ops', `customers/pairs/${pairOf(one, stranger)}/decide`, decision)).statusCode).toBe(404);
    const branch = { authorization: `Bearer ${api.token('operations', { subject: 'local', scope: 'branch:3100' })}` };
    const list = await api.app.inject({ url: '/v1/customers/pairs?limit=500', headers: branch });
    expect(list.json().items.map(({ id }: { id: string }) => id)).not.toContain(pairOf(one, other));
    const refused = await api.app.inject({
      method: 'POST',
      url: `/v1/customers/pairs/${pairOf(one, other)}/decide`,
      headers: branch,
      payload: decision,
    });
    expect(refused.statusCode).toBe(404);
    expect((await post('operations', 'ops', `customers/pairs/${pairOf(one, other)}/decide`, decision)).statusCode).toBe(200);
  });

  it('by a document, as the feed finds it, stands in the same queue', async () => {
    const number = passport();
    const one = await registered('chen', { name: '宇文小江', documents: [{ type: 'passport', number }] });
    const line = {
      ...{ kind: 'customer', source: { system: 'core', id: 'D9' }, at: '2026-01-05[Asia/Shanghai]', type: 'person', name: '李小河' },
      documents: [{ type: 'passport', number }],
    };
    await api.app.inject({
      ...{ method: 'POST', url: '/v1/feeds/core-banking', payload: JSON.stringify(line) },
      headers: { ...api.as('integration'), 'content-type': 'application/x-ndjson' },
    });
    const found = (await queue('operations', '?limit=500')).find(({ customers }) => customers.some(({ id }) => id === one));
    expect(found).toMatchObject({ because: 'same-document-other-name', score: 1 });
    const offered = async (): Promise<unknown[]> => {
      await settle();
      const [whole, view] = await Promise.all(
        [`/v1/customers/${one}`, `/v1/customers/${one}/360`].map((url) => api.app.inject({ url, headers: api.as('risk') })),
      );
      return [whole?.json().pairs.length, view?.json().relations.filter(({ role }: { role: string }) => role === 'possible-pair').length];
    };
    expect(await offered()).toStrictEqual([1, 1]);
    const decided = await post('risk', 'zhao', `customers/pairs/${found?.id}/decide`, { decision: 'different', reason: 'a typing error in core' });
    expect(decided.statusCode, decided.body).toBe(200);
    expect(await offered()).toStrictEqual([0, 0]);
  });
});

describe('at entry that waits for approval', () => {
  it('the same proposal is answered again under its key, and who is alike is looked for once it is approved', async () => {
    const rules = [{ command: 'RegisterCustomer', approvers: ['operations'], expiresAfterHours: 1 }];
    const policy = await post('operations', 'ops', 'approval-policies', { rules, reason: 'a test' });
    expect((await post('risk', 'ria', `approvals/${policy.json().approval}/approve`)).json()).toMatchObject({ state: 'carried-out' });
    const body = { name: '南宫小路', contacts: phone(phoneNumber()) };
    const key = { 'idempotency-key': `waits-${randomInt(1e9)}` };
    const asked = await register('chen', body, 'rm', key);
    expect(asked.statusCode).toBe(202);
    const approved = async (id: string): Promise<string> => {
      const done = (await post('operations', 'ops', `approvals/${id}/approve`)).json();
      expect(done).toMatchObject({ state: 'carried-out' });
      await settle();
      return done.carriedOut.stream.slice('customer-'.length);
    };
    const own = await approved(asked.json().approval);
    expect((await register('chen', body, 'rm', key)).json()).toStrictEqual(asked.json());
    expect((await register('chen', body)).json()).toMatchObject({ type: '/problems/SimilarCustomers' });

    // Those found go to the queue once they are customers, of hidden ones too; what was said of whom one was warned of goes along.
    const hidden = await approved((await register('bo', body)).json().approval);
    const confirmed = await approved((await register('chen', { ...body, confirmNotDuplicate: { reason: '兄弟' } })).json().approval);
    const denied = async (one: string, other: string) => (await queue('risk', '?limit=500')).find(({ id }) => id === pairOf(one, other))?.denied;
    await expect.poll(() => denied(own, confirmed), { timeout: 5_000 }).toStrictEqual({ by: 'chen', reason: '兄弟' });
    await expect.poll(() => denied(hidden, confirmed), { timeout: 5_000 }).toBeNull();
    await expect.poll(() => denied(hidden, own), { timeout: 5_000 }).toBeNull();
  });
});
