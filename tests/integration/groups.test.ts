// Groups over HTTP: proposed from the relations with reasons, formed by a person, split, merged and summed, at any moment, and of each
// reader's own members alone.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sourceIdOf } from '../../src/commands/command-id.ts';
import type { Role } from '../../src/domain/kernel/roles.ts';
import { createTestApi, type TestApi } from '../support/api-server.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let api: TestApi;
let nowMs = Date.parse('2026-03-02T01:00:00.000Z');
let last = '';
const ids = new Map<string, string>();
const id = (name: string): string => ids.get(name) ?? name;
const nameOf = (party: string): string => [...ids].find(([, known]) => known === party)?.[0] ?? party;
const reason = 'told so';

// biome-ignore lint/suspicious/noExplicitAny: the tests look into answers of every shape
type Answer = { readonly status: number; readonly body: any; readonly headers: Readonly<Record<string, unknown>> };

async function post(
  url: string,
  payload: object,
  { role = 'operations' as Role, subject = 'ops', key = randomUUID() as string } = {},
): Promise<Answer> {
  nowMs += 60_000;
  const type = typeof payload === 'string' ? 'application/x-ndjson' : 'application/json';
  const answer = await api.app.inject({
    method: 'POST',
    url,
    headers: { ...api.as(role, subject), 'idempotency-key': key, 'content-type': type },
    payload,
  });
  if (role === 'operations') last = String(answer.headers['shiji-position'] ?? last);
  return { status: answer.statusCode, body: answer.json(), headers: answer.headers };
}

async function get(url: string, role: Role = 'risk', subject = 'ren'): Promise<Answer> {
  // Whoever reads has what operations did last.
  const seen = await api.app.inject({
    method: 'GET',
    url: `/v1/customers/${id('wang')}/groups`,
    headers: { ...api.as('operations', 'ops'), 'shiji-after': last },
  });
  expect(seen.statusCode).toBe(200);
  const answer = await api.app.inject({ method: 'GET', url, headers: api.as(role, subject) });
  return { status: answer.statusCode, body: answer.json(), headers: answer.headers };
}
const an = (url: string) => get(url, 'rm', 'an');

async function tie(of: string, other: string, type: string, more: object = {}): Promise<void> {
  const { status, body } = await post(`/v1/customers/${id(of)}/relations`, { type, other: id(other), source: { kind: 'registry' }, ...more });
  expect(status, JSON.stringify(body)).toBe(201);
}
const holds = (holder: string, firm: string, percent: string) => tie(firm, holder, 'shareholder', { share: { percent } });

async function form(kind: string, members: readonly string[], more: object = {}): Promise<string> {
  const { status, body } = await post('/v1/groups', { kind, name: '一家', members: members.map(id), reason, ...more });
  expect(status, JSON.stringify(body)).toBe(201);
  return body.id as string;
}
const membersOf = ({ members }: { members: { customer: string }[] }): string[] => members.map(({ customer }) => nameOf(customer));

beforeAll(async () => {
  database = await createTestDatabase();
  api = await createTestApi(database, { contexts: true, clockMs: () => nowMs });
  const source = (name: string) => ({ system: 'core', id: name });
  const at = '2026-01-05[Asia/Shanghai]';
  const lines = [
    ...['wang', 'li', 'son', 'hidden'].map((name) => ({
      kind: 'customer',
      source: source(name),
      at,
      type: 'person',
      name: `${name} Name`,
      branch: '3100',
    })),
    ...['T', 'A', 'B', 'C'].map((name) => ({
      kind: 'customer',
      source: source(name),
      at,
      type: 'organisation',
      name: `${name} Ltd`,
      branch: '3100',
    })),
    ...['A1', 'A2', 'A3'].map((name) => ({
      kind: 'account',
      source: source(name),
      at,
      currency: 'CNY',
      product: name === 'A3' ? 'deposit' : 'current',
    })),
    { kind: 'ownership', source: source('O1'), at, account: 'A1', customer: 'wang', role: 'joint-owner' },
    { kind: 'ownership', source: source('O2'), at, account: 'A1', customer: 'li', role: 'joint-owner' },
    { kind: 'ownership', source: source('O3'), at, account: 'A2', customer: 'li', role: 'owner' },
    { kind: 'ownership', source: source('O4'), at, account: 'A3', customer: 'hidden', role: 'owner' },
    ...['A1', 'A2', 'A3'].map((account, index) => ({
      ...{ kind: 'transaction', source: source(`T-${account}`), at: '2026-02-01[Asia/Shanghai]', account, currency: 'CNY', direction: 'credit' },
      ...{ amount: 1_000 * (index + 1), balance: 1_000 * (index + 1) },
    })),
    { kind: 'loan', source: source('L1'), at, account: 'A1', currency: 'CNY', amount: 900, status: 'running', outstanding: 700 },
  ];
  const fed = await post('/v1/feeds/core-banking', lines.map((line) => JSON.stringify(line)).join('\n') as never, {
    role: 'integration',
    subject: 'core',
  });
  expect(fed.body.rejected).toBe(0);
  for (const name of ['wang', 'li', 'son', 'hidden', 'T', 'A', 'B', 'C']) {
    ids.set(name, sourceIdOf('customer', 'core', name));
    await post(`/v1/customers/${id(name)}/assign`, { manager: name === 'hidden' || name === 'C' ? 'bo' : 'an' });
  }
  await post('/v1/tickets', { customer: id('li'), type: 'inquiry', priority: 'normal', channel: 'counter', summary: 'a question' });
  await tie('wang', 'li', 'spouse');
  await tie('son', 'wang', 'parent');
  await tie('wang', 'hidden', 'sibling');
  await holds('wang', 'T', '60');
  await holds('T', 'A', '60');
  await holds('T', 'B', '30');
  await holds('A', 'B', '21');
  await holds('B', 'C', '50');
}, 60_000);
afterAll(async () => {
  await api.close();
  await database.drop();
});

describe('a proposal', () => {
  const reasons = (body: { members: { customer: string; reasons: { type: string }[] }[] }) =>
    Object.fromEntries(body.members.map(({ customer, reasons: some }) => [nameOf(customer), some.map(({ type }) => type).join()]));

  it('of a household or a family is by kinship, each with the relations that say so', async () => {
    expect(reasons((await get(`/v1/customers/${id('son')}/group-proposal`)).body)).toEqual({ son: '', wang: 'parent', li: 'parent,spouse' });
    const family = (await get(`/v1/customers/${id('son')}/group-proposal?kind=family`)).body;
    expect(reasons(family)).toEqual({ son: '', wang: 'parent', li: 'parent,spouse', hidden: 'parent,sibling' });
    expect(reasons((await an(`/v1/customers/${id('son')}/group-proposal?kind=family`)).body)).toEqual({
      son: '',
      wang: 'parent',
      li: 'parent,spouse',
    });
  });

  it('of a corporate group is by control through more than half, from the top down, together where need be', async () => {
    const { body } = await get(`/v1/customers/${id('A')}/group-proposal?kind=corporate`);
    // T and A hold 51 % of B between them; half of C is not more than half.
    expect(Object.keys(reasons(body)).sort()).toEqual(['A', 'B', 'T', 'wang']);
    expect(membersOf(body)[0]).toBe('wang');
    expect(reasons(body).A).toBe('shareholder,shareholder');
  });
});

describe('a group', () => {
  it('is summed over what its members hold, each account once', async () => {
    const group = await form('family', ['wang', 'li', 'hidden']);
    const { body, headers } = await get(`/v1/groups/${group}`);
    expect(body.sums).toEqual({
      members: 3,
      assets: [{ currency: 'CNY', amount: 6_000, count: 3, unknown: 0 }],
      liabilities: [{ currency: 'CNY', amount: 700, count: 1, unknown: 0 }],
      ...{ joint: 1, products: ['current', 'deposit'], loans: 1, cards: 0, openTickets: 1 },
    });
    expect([body.covers, membersOf(body), nameOf(body.head), headers.etag]).toEqual(['whole-bank', ['wang', 'li', 'hidden'], 'wang', '"0"']);
    expect(body.changes).toEqual([expect.objectContaining({ by: 'ops', reason, members: 3 })]);

    const hers = await an(`/v1/groups/${group}`);
    expect(hers.body.sums.assets).toEqual([{ currency: 'CNY', amount: 3_000, count: 2, unknown: 0 }]);
    expect([hers.body.covers, membersOf(hers.body), hers.body.changes, hers.headers.etag]).toEqual(['visible', ['wang', 'li'], [], undefined]);
    expect(JSON.stringify(hers.body)).not.toContain(id('hidden'));
    expect((await get(`/v1/groups/${group}`, 'rm', 'cui')).status).toBe(404);
    expect((await an(`/v1/customers/${id('li')}/groups`)).body.items.map(({ id: one }: { id: string }) => one)).toContain(group);
    expect((await an(`/v1/groups/${group}?knownAt=2026-03-01`)).status).toBe(404);
  });

  it('is as of any day, and as known at any time', async () => {
    const group = await form('household', ['li', 'son'], { from: '2026-02-01' });
    nowMs += 86_400_000;
    const before = new Date(nowMs).toISOString();
    expect((await post(`/v1/groups/${group}/members/${id('son')}/remove`, { until: '2026-03-01', reason })).status).toBe(200);
    expect(membersOf((await get(`/v1/groups/${group}`)).body)).toEqual(['li']);
    expect(membersOf((await get(`/v1/groups/${group}?asOf=2026-02-28`)).body)).toEqual(['li', 'son']);
    expect(membersOf((await get(`/v1/groups/${group}?asOf=2026-01-31`)).body)).toEqual([]);
    expect(membersOf((await get(`/v1/groups/${group}?knownAt=${before}`)).body)).toEqual(['li', 'son']);
    // What they held then.
    expect((await get(`/v1/groups/${group}?asOf=2026-02-28&knownAt=${before}`)).body.sums.assets).toEqual([
      { currency: 'CNY', amount: 3_000, count: 2, unknown: 0 },
    ]);
  });

  it('is split in two, once, whatever is repeated', async () => {
    const group = await form('household', ['wang', 'li', 'son']);
    const body = { customers: [id('li'), id('son')], name: '李家', reason };
    const key = randomUUID();
    const first = await post(`/v1/groups/${group}/split`, body, { key });
    const again = await post(`/v1/groups/${group}/split`, body, { key });
    expect([first.status, again.status, again.body]).toEqual([201, 201, first.body]);
    const split = (await get(`/v1/groups/${first.body.id}`)).body;
    expect([membersOf(split), nameOf(split.head), split.splitFrom, split.name]).toEqual([['li', 'son'], 'li', group, '李家']);
    expect(membersOf((await get(`/v1/groups/${group}`)).body)).toEqual(['wang']);
    const head = await post(`/v1/groups/${group}/split`, { ...body, customers: [id('wang')] });
    expect([head.status, head.body.type]).toEqual([409, '/problems/GroupHeadStays']);
    expect((await post(`/v1/groups/${randomUUID()}/split`, body)).status).toBe(404);
  });

  it('is in the history of whom it concerns, and of no other', async () => {
    const group = await form('family', ['wang', 'li'], { from: '2026-02-01' });
    await post(`/v1/groups/${group}/members`, { customer: id('hidden'), reason });
    await post(`/v1/groups/${group}/members/${id('li')}/remove`, { until: '2026-02-20', reason });
    await post(`/v1/groups/${group}/dissolve`, { reason });
    const told = async (name: string): Promise<unknown[]> => {
      await get(`/v1/groups/${group}`);
      const { items } = (await get(`/v1/customers/${id(name)}/history`)).body;
      return items.flatMap(({ about, what, changes }: { about: { id: string }; what: string; changes: { after: string }[] }) =>
        about.id === group ? [[what, changes[0]?.after]] : [],
      );
    };
    expect(await told('li')).toEqual([
      ['No longer belongs to a family', '2026-02-20'],
      ['Belongs to a family', '2026-02-01'],
    ]);
    expect((await told('wang')).length).toBe(2);
    expect((await told('hidden')).length).toBe(2);
    expect(await told('son')).toEqual([]);
  });

  it('takes in another, and two who do both at once leave one', async () => {
    const both = [await form('family', ['wang', 'li']), await form('family', ['son', 'hidden'])].sort() as [string, string];
    const answers = await Promise.all([
      post(`/v1/groups/${both[0]}/merge`, { other: both[1], reason }),
      post(`/v1/groups/${both[1]}/merge`, { other: both[0], reason }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 409]);
    // By the rule, or by the other's being done.
    expect(['/problems/GroupMergesOtherWay', '/problems/GroupIsDissolved']).toContain(answers[1]?.body.type);
    expect(membersOf((await get(`/v1/groups/${both[0]}`)).body).sort()).toEqual(['hidden', 'li', 'son', 'wang']);
    const gone = (await get(`/v1/groups/${both[1]}`)).body;
    expect([gone.members, gone.dissolved]).toEqual([[], { on: '2026-03-03', into: both[0] }]);
    expect((await post(`/v1/groups/${both[1]}/members`, { customer: id('wang'), reason })).body.type).toBe('/problems/GroupIsDissolved');
  });

  it('is split once by those who split the same ones off at once', async () => {
    const group = await form('household', ['wang', 'li', 'son']);
    const before = (await get(`/v1/customers/${id('son')}/groups`)).body.items.length;
    const body = { customers: [id('son')], name: '新家', reason };
    const answers = await Promise.all(Array.from({ length: 6 }, () => post(`/v1/groups/${group}/split`, body)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 422, 422, 422, 422, 422]);
    expect((await get(`/v1/customers/${id('son')}/groups`)).body.items).toHaveLength(before);
  });

  it('that is merged away leaves nobody behind who joins it at the same time', async () => {
    for (let round = 0; round < 5; round += 1) {
      const both = [await form('family', ['wang', 'li']), await form('family', ['son', 'wang'])].sort() as [string, string];
      const [merged, joined] = await Promise.all([
        post(`/v1/groups/${both[0]}/merge`, { other: both[1], reason }),
        post(`/v1/groups/${both[1]}/members`, { customer: id('hidden'), reason }),
      ]);
      expect(merged.status).toBe(200);
      expect(membersOf((await get(`/v1/groups/${both[1]}`)).body)).toEqual([]);
      expect(membersOf((await get(`/v1/groups/${both[0]}`)).body).includes('hidden')).toBe(joined.status === 200);
    }
  });

  it('names one once who came back as of a day before they left', async () => {
    const group = await form('family', ['wang', 'li'], { from: '2026-01-10' });
    await post(`/v1/groups/${group}/members/${id('li')}/remove`, { until: '2026-02-20', reason });
    await post(`/v1/groups/${group}/members`, { customer: id('li'), from: '2026-02-01', reason });
    const { body } = await get(`/v1/groups/${group}?asOf=2026-02-10`);
    expect([membersOf(body), body.sums.members]).toEqual([['wang', 'li'], 2]);
  });

  it('is changed by who sees its head and whoever is named, or not at all', async () => {
    const far = (await post('/v1/customers', { kind: 'person', name: 'Far Name', branch: '9999' })).body.id as string;
    const [ours, theirs] = [await form('family', ['wang', far]), await form('family', [far, 'li', 'son'])] as const;
    const branch = async (url: string, payload: object) => {
      const authorization = `Bearer ${api.token('operations', { subject: 'bu', scope: 'branch:3100' })}`;
      const headers = { authorization, 'content-type': 'application/json' };
      const answer = await api.app.inject({ method: 'POST', url, headers, payload });
      return [answer.statusCode, answer.json().errors?.[0]?.pointer];
    };
    const [kept, gone] = [ours, theirs].sort() as [string, string];
    expect((await branch(`/v1/groups/${kept}/merge`, { other: gone, reason }))[0]).toBe(kept === ours ? 422 : 404);
    const split = { name: '新家', reason };
    expect(await branch(`/v1/groups/${theirs}/split`, { ...split, customers: [id('li')] })).toEqual([404, undefined]);
    expect(await branch(`/v1/groups/${ours}/split`, { ...split, customers: [far] })).toEqual([422, '/customers/0']);
    expect((await branch(`/v1/groups/${ours}/members/${far}/remove`, { reason }))[0]).toBe(422);
    expect(membersOf((await get(`/v1/groups/${ours}`)).body)).toEqual(['wang', far]);
    expect(membersOf((await get(`/v1/groups/${theirs}`)).body)).toEqual([far, 'li', 'son']);
    expect((await get(`/v1/customers/${far}/groups`)).body.items).toHaveLength(2);
  });

  it('is of persons where it is a household, and formed by whom it concerns', async () => {
    const wrong = await post('/v1/groups', { kind: 'household', name: 'x', members: [id('wang'), id('T')], reason });
    expect([wrong.status, wrong.body.errors[0].pointer]).toEqual([422, '/members/1']);
    expect((await post('/v1/groups', { kind: 'household', name: 'x', members: [id('wang')], reason })).status).toBe(400);
    expect(
      (await post('/v1/groups', { kind: 'family', name: 'x', members: [id('wang'), id('li')], reason }, { role: 'rm', subject: 'an' })).status,
    ).toBe(403);
  });
});
