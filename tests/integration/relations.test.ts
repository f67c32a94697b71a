// Relations as clients record and read them: from either side, at any moment of both times, through networks, ways and owners, and
// never past what the reader may see.
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventDefinitions } from '../../src/domain/events.ts';
import type { Role } from '../../src/domain/kernel/roles.ts';
import { EventCodec } from '../../src/journal/codec.ts';
import { Keyring } from '../../src/journal/keyring.ts';
import { Opener } from '../../src/journal/sealing.ts';
import { projections } from '../../src/projections/all.ts';
import { compareWithLive, type RowDifference } from '../../src/projections/engine/compare.ts';
import { Replay } from '../../src/projections/engine/replay.ts';
import { createSearchTokens } from '../../src/projections/engine/search-tokens.ts';
import { createTestApi, type TestApi } from '../support/api-server.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const LICENCE = 'LIC-2020-7';

let database: TestDatabase;
let api: TestApi;
let owner: pg.Client;
let nowMs = Date.parse('2026-03-02T01:00:00.000Z');
const latest = new Map<string, string>();
/** By name: those of `an` in lower and upper case, those of `bo` with a star. */
const ids = new Map<string, string>();
const id = (name: string): string => ids.get(name) ?? name;

beforeAll(async () => {
  database = await createTestDatabase();
  api = await createTestApi(database, { contexts: true, clockMs: () => nowMs });
  owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
  for (const name of ['wang', 'li', 'zhao', 'A', 'B', 'T', 'Hub', 'sun*', 'far*', 'H*']) {
    const kind = name === name.toLowerCase() ? 'person' : 'organisation';
    const { body } = await send('operations', 'ops', '/v1/customers', {
      ...(name === 'T' ? { documents: [{ type: 'other', number: LICENCE, country: 'CN' }] } : {}),
      kind,
      name: `${name.replace('*', '')} Name`,
      manager: name.endsWith('*') ? 'bo' : 'an',
      branch: '3100',
    });
    ids.set(name, body.id as string);
  }
}, 30_000);
afterAll(async () => {
  await owner.end();
  await api.close();
  await database.drop();
});

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: the tests look into answers of every shape
  readonly body: any;
  readonly headers: Readonly<Record<string, unknown>>;
}

async function send(role: Role, subject: string, url: string, payload: object, headers: Record<string, string> = {}): Promise<Answer> {
  nowMs += 60_000;
  const answer = await api.app.inject({
    method: 'POST',
    url,
    headers: { ...api.as(role, subject), 'idempotency-key': randomUUID(), ...headers },
    payload,
  });
  const position = answer.headers['shiji-position'];
  if (position !== undefined) latest.set(`${role} ${subject}`, String(position));
  return { status: answer.statusCode, body: answer.json(), headers: answer.headers };
}

/** Waits for what operations did last: their word is the newest in these tests, or the reader's own. */
async function get(role: Role, subject: string, url: string): Promise<Answer> {
  for (const [who, position] of latest) {
    const [as, name] = who.split(' ') as [Role, string];
    await api.app.inject({ method: 'GET', url: '/v1/relation-types', headers: { ...api.as(as, name), 'shiji-after': position } });
    await api.app.inject({ method: 'GET', url: `/v1/customers/${id('wang')}/relations`, headers: { ...api.as(as, name), 'shiji-after': position } });
  }
  const answer = await api.app.inject({ method: 'GET', url, headers: api.as(role, subject) });
  return { status: answer.statusCode, body: answer.json(), headers: answer.headers };
}

const an = (url: string) => get('rm', 'an', `/v1/customers/${url}`);
const risk = (url: string) => get('risk', 'ren', `/v1/customers/${url}`);

async function record(of: string, other: string, type: string, more: object = {}, who: [Role, string] = ['operations', 'ops']): Promise<string> {
  const { status, body } = await send(...who, `/v1/customers/${id(of)}/relations`, { type, other: id(other), source: { kind: 'registry' }, ...more });
  expect(status, JSON.stringify(body)).toBe(201);
  return body.id as string;
}
const holds = (holder: string, firm: string, percent: string, more: object = {}) =>
  record(firm, holder, 'shareholder', { from: '2020-01-01', share: { percent, basis: 'equity' }, ...more });
const nameOf = (party: string): string => [...ids].find(([, known]) => known === party)?.[0] ?? party;

describe('recording', () => {
  it('shows a relation from either side, each in its own words', async () => {
    const relation = await record('wang', 'li', 'parent', { from: '1990-05-01', source: { kind: 'document', reference: 'household book 7' } }, [
      'rm',
      'an',
    ]);
    const child = (await an(`${id('wang')}/relations?type=parent`)).body.items;
    expect(child).toEqual([
      expect.objectContaining({
        ...{ id: relation, type: 'parent', reading: 'other-is', otherIs: 'parent', thisIs: 'child', status: 'current', share: null, verified: null },
        other: { customer: id('li'), name: 'li Name', kind: 'person' },
        source: { kind: 'document', reference: 'household book 7' },
      }),
    ]);
    const [parent] = (await an(`${id('li')}/relations?type=parent`)).body.items;
    expect(parent).toMatchObject({ id: relation, reading: 'this-is', otherIs: 'child', thisIs: 'parent', other: { customer: id('wang') } });
    const one = await an(`${id('li')}/relations/${relation}`);
    expect([one.status, one.headers.etag, one.body.versions.length]).toEqual([200, '"0"', 1]);
    expect((await an(`${id('zhao')}/relations/${relation}`)).status).toBe(404);
  });

  it('reads the other way round where it is said so', async () => {
    await record('zhao', 'wang', 'guardian', { reading: 'this-is' }, ['rm', 'an']);
    expect((await an(`${id('zhao')}/relations?type=guardian`)).body.items[0]).toMatchObject({ thisIs: 'guardian', otherIs: 'ward' });
  });

  it('tells what is wrong field by field', async () => {
    const url = `/v1/customers/${id('T')}/relations`;
    const source = { kind: 'registry' };
    const cases: [object, number, string, string | undefined][] = [
      [{ type: 'shareholder', other: id('T'), share: { percent: '5' }, source }, 422, 'RelationToItself', '/other'],
      [{ type: 'shareholder', other: id('li'), source }, 422, 'RelationShareWrong', '/share'],
      [{ type: 'shareholder', other: id('li'), share: { percent: '130' }, source }, 400, 'ValidationFailed', '/share/percent'],
      [{ type: 'spouse', other: id('li'), source }, 422, 'RelationKindWrong', '/type'],
      [{ type: 'friend', other: id('li'), source }, 422, 'RelationTypeUnknown', '/type'],
      [{ type: 'supplier', other: id('A'), from: '2026-02-02', until: '2026-02-02', source }, 422, 'RelationDatesWrong', '/until'],
      [{ type: 'supplier', other: randomUUID(), source }, 422, 'CustomerUnknown', '/other'],
      [{ type: 'supplier', other: id('H*'), source }, 422, 'CustomerUnknown', '/other'],
    ];
    for (const [body, status, code, pointer] of cases) {
      const answer = await send('rm', 'an', url, body);
      expect([answer.status, answer.body.type, answer.body.errors?.[0]?.pointer], JSON.stringify(answer.body)).toEqual([
        status,
        `/problems/${code}`,
        pointer,
      ]);
    }
    expect((await send('rm', 'an', `/v1/customers/${id('H*')}/relations`, { type: 'supplier', other: id('T'), source })).status).toBe(404);
  });
});

describe('a relation with a party that one may not see', () => {
  let relation: string;
  beforeAll(async () => {
    relation = await record('wang', 'sun*', 'guarantor');
  });

  it('stands in the file by name, and nothing tells who that is', async () => {
    const { body } = await an(`${id('wang')}/relations?type=guarantor`);
    expect(body.items.map(({ other }: { other: object }) => other)).toEqual([{ customer: null, name: 'sun Name', kind: 'person' }]);
    expect(JSON.stringify(body)).not.toContain(id('sun*'));
    expect((await risk(`${id('wang')}/relations?type=guarantor`)).body.items[0].other.customer).toBe(id('sun*'));
    // Operations do the work and need not know the name.
    expect((await get('operations', 'ops', `/v1/customers/${id('wang')}/relations?type=guarantor`)).body.items[0].other.name).toBe('s*');
  });

  it('is changed by whoever sees both', async () => {
    const end = { until: '2026-04-01', reason: 'paid' };
    const url = `/v1/customers/${id('wang')}/relations/${relation}/end`;
    const refused = await send('rm', 'an', url, end);
    expect([refused.status, refused.body.type]).toEqual([409, '/problems/RelationOfOthers']);
    expect((await send('rm', 'bo', url, end)).status).toBe(404);
    // Not in this file: told like one that is not there, whatever revision is named.
    for (const headers of [{}, { 'if-match': '"5"' }])
      expect((await send('rm', 'an', `/v1/customers/${id('li')}/relations/${relation}/end`, end, headers)).status).toBe(404);
    expect((await send('operations', 'ops', url, end)).status).toBe(200);
  });
});

describe('both times', () => {
  it('are asked by the dates of the relation and by what the bank knew', async () => {
    const relation = await record('A', 'zhao', 'shareholder', { from: '2020-01-01', share: { percent: '30', basis: 'equity' } });
    const beforeCorrection = new Date(nowMs).toISOString();
    nowMs += 86_400_000;
    const corrected = await send('rm', 'an', `/v1/customers/${id('A')}/relations/${relation}/correct`, {
      share: { percent: '40', basis: 'equity' },
      reason: 'the articles say 40',
    });
    expect(corrected.status).toBe(200);
    await send('rm', 'an', `/v1/customers/${id('zhao')}/relations/${relation}/verify`, { method: 'company-documents', evidence: 'articles p. 3' });
    const end = await send(
      'rm',
      'an',
      `/v1/customers/${id('A')}/relations/${relation}/end`,
      { until: '2025-01-01', reason: 'sold' },
      { 'if-match': '"2"' },
    );
    expect(end.status).toBe(200);
    const beforeVoid = new Date(nowMs).toISOString();
    const of = async (query: string): Promise<unknown[]> =>
      (await an(`${id('A')}/relations?type=shareholder&${query}`)).body.items.map((item: { share: { percent: string }; status: string }) => [
        item.share.percent,
        item.status,
      ]);
    expect(await of('')).toEqual([]);
    expect(await of('include=all')).toEqual([['40', 'ended']]);
    expect(await of('asOf=2024-12-31')).toEqual([['40', 'current']]);
    expect(await of('asOf=2025-01-01')).toEqual([]);
    expect(await of('asOf=2019-12-31')).toEqual([]);
    // 00:30 on 1 January in Shanghai is still the year before in UTC.
    expect(await of('asOf=2024-12-31T15:30:00Z')).toEqual([['40', 'current']]);
    expect(await of('asOf=2024-12-31T16:30:00Z')).toEqual([]);
    expect(await of(`knownAt=${beforeCorrection}`)).toEqual([['30', 'current']]);
    expect(await of(`knownAt=${beforeCorrection}&asOf=2019-01-01`)).toEqual([]);
    expect((await an(`${id('A')}/relations?knownAt=2026-01-01`)).status).toBe(404);

    nowMs += 86_400_000;
    await send('operations', 'ops', `/v1/customers/${id('A')}/relations/${relation}/void`, { reason: 'another firm of that name' });
    expect(await of('include=all')).toEqual([]);
    expect(await of(`knownAt=${beforeVoid}&asOf=2024-01-01`)).toEqual([['40', 'current']]);
    const { versions, status } = (await an(`${id('A')}/relations/${relation}`)).body;
    expect([status, versions.length, versions[2].verified]).toEqual(['void', 5, expect.objectContaining({ method: 'company-documents', by: 'an' })]);
    const again = await send('rm', 'an', `/v1/customers/${id('A')}/relations/${relation}/end`, { until: '2025-01-01', reason: 'sold' });
    expect(again.body.type).toBe('/problems/RelationVoid');

    const history = (await an(`${id('zhao')}/history`)).body.items.filter(({ about }: { about: { id: string } }) => about.id === relation);
    expect(history.map(({ what }: { what: string }) => what)).toEqual([
      'Never was shareholder of another',
      'No longer shareholder of another from 2025-01-01 on',
      'Verified as shareholder of another, by company-documents',
      'Corrected as shareholder of another',
      'Recorded as shareholder of another',
    ]);
    expect(history[3]).toMatchObject({
      reason: 'the articles say 40',
      by: { subject: 'an' },
      changes: [{ field: 'share', before: { percent: '30', basis: 'equity' }, after: { percent: '40', basis: 'equity' } }],
    });
    const firm = (await an(`${id('A')}/history`)).body.items.map(({ what }: { what: string }) => what);
    expect(firm).toContain('Corrected as held-firm of another');
  });
});

describe('a network', () => {
  beforeAll(async () => {
    // wang is a director of Hub, whose supplier is H*, which supplies B as well; behind H* stands far*.
    await record('Hub', 'wang', 'director');
    await record('Hub', 'H*', 'supplier');
    await record('B', 'H*', 'supplier');
    await record('H*', 'far*', 'director');
    await record('B', 'zhao', 'director');
  });
  const shape = (body: { nodes: { key: string; name: string; customer: string | null; depth: number }[] }) =>
    body.nodes.map(({ customer, name, depth }) => `${customer === null ? '-' : nameOf(customer)} ${name} ${depth}`).sort();

  it('goes as deep as asked, through what one may see', async () => {
    const { body } = await an(`${id('Hub')}/network?depth=1&types=director,supplier`);
    expect(shape(body)).toEqual(['- H Name 1', 'Hub Hub Name 0', 'wang wang Name 1']);
    const whole = (await risk(`${id('Hub')}/network?depth=3&types=director,supplier`)).body;
    expect(shape(whole)).toEqual(['B B Name 2', 'H* H Name 1', 'Hub Hub Name 0', 'far* far Name 2', 'wang wang Name 1', 'zhao zhao Name 3']);
    expect(whole.edges).toHaveLength(5);
    expect(whole.cut).toBe(false);
  });

  it('has no way through whom one may not see, and no sign that two files name the same one', async () => {
    const { body } = await an(`${id('Hub')}/network?depth=5&types=director,supplier`);
    expect(shape(body)).toEqual(['- H Name 1', 'Hub Hub Name 0', 'wang wang Name 1']);
    for (const hidden of ['H*', 'far*']) expect(JSON.stringify(body)).not.toContain(id(hidden));
    await record('B', 'Hub', 'same-address');
    const both = (await an(`${id('Hub')}/network?depth=5&types=director,supplier,same-address`)).body;
    expect(shape(both)).toEqual(['- H Name 1', '- H Name 2', 'B B Name 1', 'Hub Hub Name 0', 'wang wang Name 1', 'zhao zhao Name 2']);
    expect((await an(`${id('H*')}/network`)).status).toBe(404);
  });

  it('is as known at any time', async () => {
    const before = new Date(nowMs).toISOString();
    nowMs += 60_000;
    await record('Hub', 'li', 'director');
    const at = async (query: string) => shape((await an(`${id('Hub')}/network?depth=1&types=director${query}`)).body);
    expect(await at('')).toEqual(['Hub Hub Name 0', 'li li Name 1', 'wang wang Name 1']);
    expect(await at(`&knownAt=${before}`)).toEqual(['Hub Hub Name 0', 'wang wang Name 1']);
  });

  it('is cut with a mark', async () => {
    const { body } = await risk(`${id('Hub')}/network?depth=3&limit=2`);
    expect([body.nodes.length, body.cut]).toEqual([2, true]);
    for (const edge of body.edges) expect(body.nodes.map(({ key }: { key: string }) => key)).toEqual(expect.arrayContaining([edge.party, edge.of]));
  });

  it('leaves a record of each party named', async () => {
    await risk(`${id('Hub')}/network?depth=1&types=supplier`);
    const { rows } = await owner.query<{ ids: string[]; fields: string[] }>(
      `select ids, fields from access.reads where route = '/v1/customers/{customerId}/network' and subject = 'ren' order by read_at desc, id desc limit 1`,
    );
    expect(rows[0]?.fields).toEqual(['name']);
    expect(new Set(rows[0]?.ids)).toEqual(new Set([id('Hub'), id('H*')]));
  });
});

describe('ways between two', () => {
  it('are the shortest, through what one may see', async () => {
    const names = (body: { paths: { party: string; of: string }[][] }) =>
      body.paths.map((path) => path.map(({ party, of }) => `${nameOf(party)}-${nameOf(of)}`));
    const zhao = await risk(`${id('far*')}/paths?to=${id('zhao')}`);
    expect(names(zhao.body)).toEqual([['far*-H*', 'H*-B', 'zhao-B']]);
    // Hers: by the common address, or by the guardian who is a director; never by H*, who supplies both.
    const hers = await an(`${id('wang')}/paths?to=${id('B')}`);
    expect(names(hers.body).sort()).toEqual([
      ['wang-Hub', 'Hub-B'],
      ['zhao-wang', 'zhao-B'],
    ]);
    expect((await an(`${id('wang')}/paths?to=${id('far*')}`)).status).toBe(404);
    expect((await an(`${id('wang')}/paths?to=${randomUUID()}`)).status).toBe(404);
    expect((await an(`${id('wang')}/paths?to=${id('T')}&asOf=1999-01-01`)).body.paths).toEqual([]);
  });
  it('that would be longer than is looked are none, with a mark', async () => {
    const chain: string[] = [];
    for (let index = 0; index < 8; index += 1)
      chain.push((await send('operations', 'ops', '/v1/customers', { kind: 'person', name: `Link ${index}`, branch: '3100' })).body.id);
    for (let index = 1; index < 8; index += 1) await record(chain[index - 1] as string, chain[index] as string, 'sibling');
    const ways = async (to: number) => (await risk(`${chain[0]}/paths?to=${chain[to]}`)).body;
    expect(await ways(6)).toMatchObject({ paths: [{ length: 6 }], cut: false });
    expect(await ways(7)).toMatchObject({ paths: [], cut: true });
  });
});

describe('beneficial owners', () => {
  let chain: string;
  beforeAll(async () => {
    // T is held by wang and by A, which T holds whole: what wang has outright is two thirds of it. far* is behind H*.
    await holds('wang', 'T', '40');
    await holds('A', 'T', '40');
    await holds('T', 'A', '100', { from: '2024-01-01' });
    chain = await holds('H*', 'T', '20');
    await holds('far*', 'H*', '100');
    await record('T', 'li', 'legal-representative');
  });
  const owners = (body: { proposal: { owners: { party: string; basis: string; equity: string }[] } }) =>
    body.proposal.owners.map(({ party, basis, equity }) => [nameOf(party), basis, equity]);

  it('are computed through a loop, exactly, with the ways that make them', async () => {
    const { body } = await risk(`${id('T')}/beneficial-owners`);
    expect(owners(body)).toEqual([
      ['wang', 'equity', '66.666667'],
      ['far*', 'equity', '33.333333'],
    ]);
    expect(body.proposal.owners[0]).toMatchObject({ exact: { equity: '2/3' }, bases: ['equity', 'income', 'voting'] });
    expect(body.proposal.owners[1].paths[0]).toMatchObject({
      percent: '20',
      steps: [
        { from: id('far*'), to: id('H*'), percent: '100' },
        { relation: chain, from: id('H*'), to: id('T'), percent: '20' },
      ],
    });
    expect(body).toMatchObject({
      covers: 'whole-bank',
      confirmed: null,
      agrees: null,
      threshold: { percent: '25' },
      proposal: { applies: true, cut: false },
    });
  });

  it('are as of any day', async () => {
    // Before T held A, A was an end of the way, with less than what it takes.
    const { body } = await risk(`${id('T')}/beneficial-owners?asOf=2023-06-01`);
    expect(owners(body)).toEqual([['wang', 'equity', '40']]);
    expect(body.proposal.openEnds.map(({ party, percent }: { party: string; percent: string }) => [nameOf(party), percent])).toEqual([['A', '40']]);
    expect(owners((await risk(`${id('T')}/beneficial-owners?asOf=2019-01-01`)).body)).toEqual([['li', 'manager', '0']]);
  });

  it('are computed for a manager of customers from what she may see, and say so', async () => {
    const { body } = await an(`${id('T')}/beneficial-owners`);
    expect(owners(body)).toEqual([['wang', 'equity', '66.666667']]);
    expect(body.covers).toBe('visible');
    // H* holds T: that is in the file, by name; who holds H* is not.
    const end = body.parties.find(({ key }: { key: string }) => key === body.proposal.openEnds[0]?.party);
    expect([end, body.proposal.openEnds[0]?.percent]).toEqual([
      { key: `via-${chain}`, customer: null, name: 'H Name', kind: 'organisation' },
      '33.333333',
    ]);
    expect(JSON.stringify(body)).not.toContain('far');
  });

  it('are confirmed by a person, with proof beyond the registry', async () => {
    const url = `/v1/customers/${id('T')}/beneficial-owners`;
    const body = {
      owners: [{ party: id('wang'), basis: 'equity', percent: '66.67' }],
      methods: ['registry'],
      evidence: 'extract',
      reviewDueOn: '2026-09-01',
    };
    const alone = await send('risk', 'ren', url, body);
    expect([alone.status, alone.body.errors[0].pointer]).toEqual([400, '/methods']);
    expect((await send('risk', 'ren', url, { ...body, methods: ['site-visit'], owners: [{ party: id('A'), basis: 'equity' }] })).body.type).toBe(
      '/problems/OwnerNotAPerson',
    );
    const first = await send('risk', 'ren', url, { ...body, methods: ['registry', 'site-visit'], from: '2025-01-01' });
    expect(first.status).toBe(200);
    const between = new Date(nowMs).toISOString();
    nowMs += 86_400_000;
    // A teller sees T alone, in front of them, and names who stands in its file.
    const [{ sight }] = (await get('teller', 'tan', `/v1/customers?document=${LICENCE}`)).body.items;
    const direct = (await an(`${id('T')}/relations?type=legal-representative`)).body.items[0].id;
    const owned = (await an(`${id('T')}/relations?type=shareholder`)).body.items.find(
      ({ other }: { other: { name: string } }) => other.name === 'wang Name',
    ).id;
    const confirmation = {
      ...body,
      methods: ['company-documents'],
      evidence: 'articles',
      owners: [
        { relation: owned, basis: 'equity' },
        { relation: direct, basis: 'manager' },
      ],
      reviewDueOn: '2026-06-01',
    };
    expect((await send('teller', 'tan', url, confirmation)).status).toBe(404);
    const found = await send('teller', 'tan', url, confirmation, { 'shiji-sight': sight });
    expect([found.status, found.body.revision]).toEqual([200, 1]);
    const now = (await risk(`${id('T')}/beneficial-owners`)).body;
    expect(now.confirmed).toMatchObject({ evidence: 'articles', confirmedBy: 'tan', reviewDueOn: '2026-06-01', overdue: false });
    expect(now.confirmed.owners.map(({ party, basis }: { party: string; basis: string }) => [nameOf(party), basis])).toEqual([
      ['wang', 'equity'],
      ['li', 'manager'],
    ]);
    expect([now.agrees, now.confirmations.length]).toEqual([false, 2]);
    expect((await risk(`${id('T')}/beneficial-owners?asOf=2025-06-01`)).body.confirmed).toMatchObject({ evidence: 'extract', from: '2025-01-01' });
    expect((await risk(`${id('T')}/beneficial-owners?asOf=2024-06-01`)).body.confirmed).toBeNull();
    expect((await risk(`${id('T')}/beneficial-owners?knownAt=${between}`)).body.confirmed).toMatchObject({ evidence: 'extract' });
    expect((await risk(`${id('T')}/beneficial-owners?asOf=2026-07-01`)).body.confirmed).toMatchObject({ overdue: true });
    const history = (await an(`${id('T')}/history`)).body.items;
    expect(history.map(({ what }: { what: string }) => what)).toContain('Beneficial owners confirmed: 2');
  });

  it('are to be looked at again when the confirmation that counts is due', async () => {
    const due = async (role: Role, subject: string, query = ''): Promise<unknown[]> =>
      (await get(role, subject, `/v1/beneficial-owner-reviews${query}`)).body.items.map(
        ({ customer, reviewDueOn, overdue }: { customer: string; reviewDueOn: string; overdue: boolean }) => [nameOf(customer), reviewDueOn, overdue],
      );
    expect(await due('risk', 'ren')).toEqual([]);
    expect(await due('risk', 'ren', '?dueBy=2026-06-01')).toEqual([['T', '2026-06-01', false]]);
    expect(await due('rm', 'an', '?dueBy=2026-12-31')).toEqual([['T', '2026-06-01', false]]);
    expect(await due('rm', 'bo', '?dueBy=2026-12-31')).toEqual([]);
  });

  it('are named by a relation only where it is in the file of that firm, as the one that is owned', async () => {
    const body = { methods: ['site-visit'], evidence: 'x', reviewDueOn: '2026-09-01' };
    const elsewhere = (await an(`${id('Hub')}/relations?type=director`)).body.items[0].id;
    for (const relation of [elsewhere, randomUUID()]) {
      const answer = await send('rm', 'an', `/v1/customers/${id('T')}/beneficial-owners`, { ...body, owners: [{ relation, basis: 'manager' }] });
      expect([answer.status, answer.body.type, answer.body.errors[0].pointer]).toEqual([422, '/problems/RelationUnknown', '/owners/0/relation']);
    }
    const hidden = await send('rm', 'an', `/v1/customers/${id('T')}/beneficial-owners`, {
      ...body,
      owners: [{ party: id('far*'), basis: 'equity' }],
    });
    expect(hidden.body.type).toBe('/problems/CustomerUnknown');
    expect(
      (await send('rm', 'an', `/v1/customers/${id('H*')}/beneficial-owners`, { ...body, owners: [{ party: id('wang'), basis: 'equity' }] })).status,
    ).toBe(404);
  });

  it('flag more than 100 %', async () => {
    await holds('zhao', 'T', '0.5');
    const { body } = await risk(`${id('T')}/beneficial-owners`);
    expect(body.proposal.over).toEqual([{ party: id('T'), basis: 'equity', percent: '100.5' }]);
    expect((await risk(`${id('T')}/relations`)).body.shares).toEqual([{ basis: 'equity', percent: '100.5', over: true }]);
  });
});

describe('types', () => {
  it('are defined and retired by operations, and used at once', async () => {
    expect((await send('rm', 'an', '/v1/relation-types/mentor', { inverse: 'pupil' })).status).toBe(403);
    expect((await send('operations', 'ops', '/v1/relation-types/mentor', { inverse: 'pupil', party: 'person', of: 'person' })).status).toBe(200);
    await record('wang', 'zhao', 'mentor', {}, ['rm', 'an']);
    expect((await an(`${id('zhao')}/relations?type=mentor`)).body.items[0]).toMatchObject({ otherIs: 'pupil' });
    expect((await send('operations', 'ops', '/v1/relation-types/spouse', { inverse: 'friend' })).body.type).toBe('/problems/RelationTypeBuiltIn');
    expect((await send('operations', 'ops', '/v1/relation-types/constructor', { inverse: 'constructed' })).status).toBe(200);
    await send('operations', 'ops', '/v1/relation-types/mentor/retire', { reason: 'unused' });
    const refused = await send('rm', 'an', `/v1/customers/${id('wang')}/relations`, { type: 'mentor', other: id('li'), source: { kind: 'staff' } });
    expect(refused.body.type).toBe('/problems/RelationTypeUnknown');
    const { items } = (await get('rm', 'an', '/v1/relation-types')).body;
    expect(items.find(({ type }: { type: string }) => type === 'mentor')).toMatchObject({
      builtIn: false,
      retired: true,
      inverse: 'pupil',
      version: 1,
    });
    expect(items.find(({ type }: { type: string }) => type === 'shareholder')).toMatchObject({
      builtIn: true,
      retired: false,
      share: true,
      of: 'organisation',
    });
  });
});

describe('a list of relations', () => {
  it('is told page by page, each once', async () => {
    const firstPage = (await an(`${id('wang')}/relations?include=all&limit=2&count=true`)).body;
    const seen: string[] = firstPage.items.map(({ id: one }: { id: string }) => one);
    for (let next = firstPage.next; next !== null; ) {
      const page = (await an(`${id('wang')}/relations?include=all&limit=2&cursor=${encodeURIComponent(next)}`)).body;
      seen.push(...page.items.map(({ id: one }: { id: string }) => one));
      next = page.next;
    }
    expect(seen.length).toBeGreaterThan(4);
    expect([new Set(seen).size, seen.length]).toEqual([firstPage.total, firstPage.total]);
  });
});

describe('a replay', () => {
  it('of relations, their types, owners and groups gives the rows that are live', async () => {
    await send('operations', 'ops', '/v1/groups', { kind: 'family', name: '一家', members: [id('wang'), id('li')], reason: 'told' });
    await an(`${id('wang')}/relations`);
    const ours = projections.filter(({ categories }) =>
      ['relation', 'relationtype', 'owners', 'group'].some((category) => categories.includes(category)),
    );
    expect(ours).toHaveLength(4);
    const opener = new Opener('journal of the tests', new Keyring(api.pool, [{ version: 1, key: Buffer.alloc(32, 1) }]));
    const built = await Replay.open({
      ...{ journal: api.journal, codec: new EventCodec('journal of the tests', eventDefinitions), pool: api.pool, projections: ours },
      personals: { openMany: (values) => opener.openMany(values), tokens: createSearchTokens(Buffer.alloc(32, 4)).tokens },
      ...{ schema: 'replay_relations', bankZone: 'Asia/Shanghai' },
    });
    const differences: RowDifference[] = [];
    try {
      const compared = await compareWithLive({
        ...{ pool: api.pool, projections: ours, replay: built, schema: 'replay_relations' },
        onDifference: (difference) => differences.push(difference),
      });
      expect(compared).toHaveLength(4);
    } finally {
      await built.drop();
      built.close();
    }
    expect(differences).toEqual([]);
    const { rows } = await owner.query<{ n: number }>('select count(*)::int as n from read.relations');
    expect(rows[0]?.n).toBeGreaterThan(15);
  });
});
