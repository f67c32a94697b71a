// Two banks that differ only in what one relationship manager may not see answer her alike, byte for byte: every route that her role
// has, with ids, filters, words, times and cursors that hit what is hidden, and mutations of it. Only tokens of position, cursors and
// request ids are made alike first. Exempt is the design's one declared disclosure: an exact document asked for with a purpose.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Role } from '../../src/domain/kernel/roles.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { type Answer, hiddenDocument, OWN_RM, ownDocument, ownNames, World } from '../support/world.ts';

interface Schema {
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
}
interface Parameter {
  readonly $ref?: string;
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema: Schema;
}
interface Route {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly hasBody: boolean;
  readonly hasTable: boolean;
}

/** Ids of either world's hidden things are asked for in both: in one they are there, in the other they are not. */
interface Pools {
  readonly customers: readonly string[];
  readonly tickets: readonly string[];
  readonly campaigns: readonly string[];
  readonly relations: readonly string[];
  readonly groups: readonly string[];
  readonly approvals: readonly string[];
  readonly segments: readonly string[];
}

const nowhere = '01990f7c-5f00-8aaa-8bbb-0123456789ab';
const SEEDS = [1, 2] as const;

let databases: TestDatabase[] = [];
let worlds: World[] = [];
let routes: Route[] = [];
let pools: Pools;

beforeAll(async () => {
  databases = [await createTestDatabase(), await createTestDatabase()];
  worlds = [];
  for (const [index, seed] of SEEDS.entries()) worlds.push(await World.open(databases[index] as TestDatabase, seed));
  const [one, other] = worlds as [World, World];
  expect(one.own).toEqual(other.own);
  expect(one.hidden).not.toEqual(other.hidden);
  pools = {
    customers: [...one.own, ...one.own, ...one.hidden, ...other.hidden, nowhere],
    tickets: [...one.tickets.own, ...one.tickets.hidden, ...other.tickets.hidden, nowhere],
    campaigns: [...one.campaigns, nowhere],
    relations: [...one.relations.own, ...one.relations.own, ...one.relations.hidden, ...other.relations.hidden, nowhere],
    groups: [...one.groups.own, ...one.groups.own, ...one.groups.hidden, ...other.groups.hidden, nowhere],
    approvals: [...one.approvals.own, ...one.approvals.own, ...one.approvals.hidden, ...other.approvals.hidden, nowhere],
    segments: [...one.segments, nowhere],
  };
  const document = JSON.parse((await one.send('rm', OWN_RM, 'GET', '/openapi.json')).body) as {
    paths: Record<string, Record<string, { 'x-roles'?: Role[]; parameters?: Parameter[]; requestBody?: unknown; responses: unknown }>>;
  };
  routes = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations)
      .filter(([, operation]) => operation['x-roles']?.includes('rm'))
      .map(([method, operation]) => ({
        name: `${method.toUpperCase()} ${path}`,
        method: method.toUpperCase(),
        path,
        parameters: (operation.parameters ?? []).filter(({ $ref }) => $ref === undefined),
        hasBody: operation.requestBody !== undefined,
        hasTable: JSON.stringify(operation.responses).includes('text/csv'),
      })),
  );
}, 120_000);

afterAll(async () => {
  for (const world of worlds) await world.close();
  for (const database of databases) await database.drop();
});

const customer = () => fc.constantFrom(...pools.customers);
const summary = fc.constantFrom('a question', '张伟');

/** A body that each mutation of the role takes. A route without one fails the suite: it is not covered then. */
const bodies: Readonly<Record<string, () => fc.Arbitrary<unknown>>> = {
  'POST /v1/customers': () =>
    fc.record(
      {
        kind: fc.constant('person'),
        name: fc.constantFrom(...ownNames, '赵磊'),
        contacts: fc.constant([{ kind: 'phone', value: '13900001111' }]),
        branch: fc.constantFrom('3100', '3200'),
      },
      { requiredKeys: ['kind', 'name'] },
    ),
  'POST /v1/customers/{customerId}/contacts': () => fc.constant({ kind: 'e-mail', value: 'a@example.com' }),
  'POST /v1/customers/{customerId}/contacts/{contactId}/verify': () => fc.constant({}),
  'POST /v1/customers/{customerId}/preferences': () => fc.constantFrom({ channel: 'phone' }, { language: 'zh' }),
  'POST /v1/customers/{customerId}/tags': () => fc.record({ tag: fc.constantFrom('VIP', 'risk', 'quiet') }),
  'POST /v1/customers/{customerId}/name': () => fc.record({ name: fc.constantFrom(...ownNames, '赵磊'), reason: fc.constant('card seen') }),
  // A document of one's own, or nobody's: of a hidden customer's the one declared disclosure tells.
  'POST /v1/customers/{customerId}/documents': () =>
    fc.record({ type: fc.constant('passport'), number: fc.constantFrom('N7654321', 'N7654322'), reason: fc.constant('card seen') }),
  'POST /v1/customers/{customerId}/documents/{documentId}/renew': () => fc.constant({ expiresOn: '2040-01-01', reason: 'a new one' }),
  'POST /v1/customers/{customerId}/documents/{documentId}/withdraw': () =>
    fc.record({ because: fc.constantFrom('not-valid', 'entered-by-mistake'), reason: fc.constant('lost') }),
  'POST /v1/approvals/{approvalId}/withdraw': () => fc.constant({}),
  'POST /v1/customers/lookup': () =>
    fc.record(
      {
        name: fc.constantFrom(...ownNames, '赵磊', 'Zhang Wei'),
        document: fc.constantFrom({ type: 'passport', number: hiddenDocument }, { type: 'passport', number: ownDocument }),
        contacts: fc.constantFrom([{ kind: 'phone', value: '13900001111' }], [{ kind: 'phone', value: '13800138000' }]),
      },
      { requiredKeys: ['contacts'] },
    ),
  'POST /v1/customers/{customerId}/consents': () =>
    fc.record({
      decision: fc.constantFrom('given', 'refused'),
      purpose: fc.constantFrom('marketing', 'service'),
      textVersion: fc.constant('v1'),
    }),
  'POST /v1/customers/{customerId}/consents/{consentId}/withdraw': () => fc.constant({}),
  'POST /v1/tickets': () =>
    fc.record(
      { customer: customer(), type: fc.constant('inquiry'), priority: fc.constant('low'), channel: fc.constant('visit'), summary },
      { requiredKeys: ['type', 'priority', 'channel', 'summary'] },
    ),
  'POST /v1/tickets/{ticketId}/assign': () => fc.constantFrom({ to: OWN_RM }, { to: 'bo' }),
  'POST /v1/tickets/{ticketId}/start': () => fc.constant({}),
  'POST /v1/tickets/{ticketId}/resolve': () => fc.constant({ resolution: 'told' }),
  'POST /v1/tickets/{ticketId}/reopen': () => fc.constant({}),
  'POST /v1/tickets/{ticketId}/close': () => fc.constant({}),
  'POST /v1/campaigns/{campaignId}/enrolments': () =>
    fc.oneof(
      fc.record({ customers: fc.uniqueArray(customer(), { minLength: 1, maxLength: 4 }) }),
      fc.record({ filter: fc.constantFrom({ branch: '3100' }, { tag: 'vip' }, {}) }),
    ),
  'POST /v1/customers/{customerId}/relations': () =>
    fc.record(
      {
        type: fc.constantFrom('guarantor', 'supplier', 'spouse', 'same-address', 'friend'),
        other: customer(),
        from: fc.constant('2026-01-01'),
        source: fc.constant({ kind: 'customer' }),
      },
      { requiredKeys: ['type', 'other', 'source'] },
    ),
  'POST /v1/customers/{customerId}/relations/{relationId}/verify': () => fc.constant({ method: 'customer-statement', evidence: 'told' }),
  'POST /v1/customers/{customerId}/relations/{relationId}/correct': () => fc.constant({ from: '2020-01-01', reason: 'papers' }),
  'POST /v1/customers/{customerId}/relations/{relationId}/end': () => fc.constant({ until: '2026-06-01', reason: 'over' }),
  'POST /v1/customers/{customerId}/relations/{relationId}/void': () => fc.constant({ reason: 'never was' }),
  'POST /v1/customers/{customerId}/beneficial-owners': () =>
    fc.record({
      owners: fc.array(
        fc.oneof(
          fc.record({ party: customer(), basis: fc.constant('equity') }),
          fc.record({ relation: fc.constantFrom(...pools.relations), basis: fc.constant('control') }),
        ),
        { minLength: 1, maxLength: 2 },
      ),
      methods: fc.constant(['site-visit']),
      evidence: fc.constant('seen'),
      reviewDueOn: fc.constant('2099-01-01'),
    }),
  'POST /v1/customers/{customerId}/classifications': () =>
    fc.constantFrom(
      { dimension: 'life-cycle', value: 'active' },
      { dimension: 'investor-tolerance', value: 'C3', assessedOn: '2026-03-01' },
      { dimension: 'aml-grade', value: 'low' },
    ),
  'POST /v1/customers/{customerId}/classifications/{dimension}/withdraw': () => fc.constant({ reason: 'a mistake' }),
  'POST /v1/tag-jobs': () =>
    fc.record({
      action: fc.constantFrom('tag', 'untag'),
      tag: fc.constantFrom('VIP', 'quiet'),
      filter: fc.constantFrom(
        {},
        { tag: 'vip' },
        { branch: '3200' },
        { condition: { is: 'classification', dimension: 'life-cycle', in: ['active'] } },
        { condition: { is: 'classification', dimension: 'none', in: ['active'] } },
      ),
    }),
  'POST /v1/segments': () =>
    fc.record({
      name: fc.constantFrom('Quiet', 'Rich'),
      condition: fc.constantFrom(
        { is: 'tag', tag: 'vip' },
        { is: 'not', of: { is: 'classification', dimension: 'life-cycle', in: ['active'] } },
        {
          is: 'any',
          of: [
            { is: 'balance', currency: 'CNY', atLeast: 1 },
            { is: 'branch', in: ['3200'] },
          ],
        },
      ),
    }),
  'POST /v1/segments/{segmentId}': () => fc.constant({ name: 'Other', condition: { is: 'kind', value: 'person' } }),
  'POST /v1/tag-jobs/{jobId}/cancel': () => fc.constant({}),
  'POST /v1/tag-jobs/{jobId}/undo': () => fc.constant({}),
  'POST /v1/campaigns/{campaignId}/responses': () => fc.record({ customer: customer(), response: fc.constantFrom('interested', 'declined') }),
};

function drawn({ name, schema }: Parameter): fc.Arbitrary<string> {
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum.map(String));
  if (name === 'to' && schema.format === 'uuid') return customer();
  switch (name) {
    case 'customerId':
    case 'customer':
    case 'id':
      return customer();
    case 'ticketId':
      return fc.constantFrom(...pools.tickets);
    case 'relationId':
      return fc.constantFrom(...pools.relations);
    case 'dueBy':
      return fc.constantFrom('2026-03-05', '9999-12-31');
    case 'groupId':
      return fc.constantFrom(...pools.groups);
    case 'type':
      return fc.constantFrom('shareholder', 'director', 'none');
    case 'types':
      return fc.constantFrom('shareholder,director', 'supplier', 'none');
    case 'depth':
      return fc.constantFrom('1', '3', '5');
    case 'campaignId':
    case 'campaign':
      return fc.constantFrom(...pools.campaigns);
    case 'approvalId':
      return fc.constantFrom(...pools.approvals);
    case 'documentId':
      return fc.constantFrom('1', '2');
    case 'segmentId':
      return fc.constantFrom(...pools.segments);
    case 'contactId':
      return fc.constant(nowhere);
    case 'jobId':
      return fc.constant(nowhere);
    case 'consentId':
      return fc.constantFrom('1', '2');
    case 'assignee':
    case 'manager':
      return fc.constantFrom(OWN_RM, 'bo', 'cui', 'none');
    case 'branch':
      return fc.constantFrom('3100', '3200');
    case 'dimension':
      return fc.constantFrom('life-cycle', 'value-tier', 'investor-tolerance', 'aml-grade', 'none');
    case 'tag':
      return fc.constantFrom('VIP', 'vip', 'risk');
    case 'q':
      return fc.constantFrom('张伟', '张', 'zhang', 'zw', '赵磊', 'novak', '138', '娜娜');
    case 'document':
      return fc.constantFrom(ownDocument, hiddenDocument, 'X0000000');
    case 'phone':
      return fc.constantFrom('13800138000', '13900001111');
    case 'limit':
      return fc.constantFrom('1', '2', '50');
    case 'count':
      return fc.constantFrom('true', 'false');
    case 'asOf':
    case 'knownAt':
    case 'from':
    case 'to':
    case 'openedFrom':
    case 'openedTo':
    case 'dueBefore':
      return fc.constantFrom('2026-02-02', '2026-03-03', '2026-03-05', '2026-03-04T12:00:00Z', '1999-01-01');
    case 'fromMonth':
    case 'toMonth':
      return fc.constantFrom('2026-01', '2026-02', '2026-03');
    default:
      return schema.type === 'integer' || schema.type === 'number' ? fc.constant(String(schema.minimum ?? 1)) : fc.constantFrom('none', 'web');
  }
}

interface Call {
  readonly route: string;
  readonly method: string;
  readonly url: string;
  readonly body: unknown;
  readonly csv: boolean;
  /** Pages turned after the first. */
  readonly pages: number;
}

function callOf(route: Route): fc.Arbitrary<Call> {
  const path = route.parameters.filter((parameter) => parameter.in === 'path');
  const query = route.parameters.filter((parameter) => parameter.in === 'query' && !['cursor', 'replay'].includes(parameter.name));
  return fc
    .record({
      values: fc.tuple(...path.map(drawn)),
      // Few at a time: with all of them at once nothing would be left to see.
      query: fc.tuple(
        ...query.map((parameter) =>
          parameter.required === true ? drawn(parameter) : fc.option(drawn(parameter), { nil: undefined, freq: query.length > 6 ? 1 : 3 }),
        ),
      ),
      keep: fc.uniqueArray(fc.nat({ max: Math.max(0, query.length - 1) }), { maxLength: 3 }),
      body: route.method === 'POST' ? (bodies[route.name] ?? (() => fc.constant({})))() : fc.constant(undefined),
      csv: route.hasTable ? fc.boolean() : fc.constant(false),
      pages: fc.nat({ max: 2 }),
    })
    .map(({ values, query: given, keep, ...call }) => {
      const search = new URLSearchParams(
        query.flatMap(({ name, required }, index) =>
          given[index] !== undefined && (required === true || keep.includes(index)) ? [[name, given[index]]] : [],
        ),
      );
      const filled = path.reduce((url, { name }, index) => url.replace(`{${name}}`, encodeURIComponent(values[index] ?? '')), route.path);
      return { ...call, route: route.name, method: route.method, url: search.size === 0 ? filled : `${filled}?${search}` };
    });
}

const TOKENS = /"(next|position|sight|instance|requestId)":"[^"]*"/g;

/** What differs by nature made alike: tokens of position, cursors, sights, ids of requests. */
function canonical({ status, headers, body }: Answer): unknown {
  // A validator is of the bytes, and a cursor is sealed anew each time.
  const left = ['x-request-id', 'date', 'content-length', ...(/"next":"/.test(body) ? ['etag'] : [])];
  const shown = Object.entries(headers)
    .filter(([name]) => !left.includes(name))
    .map(([name, value]) => [name, name === 'shiji-position' ? '…' : String(value)]);
  return { status, headers: Object.fromEntries(shown), body: body.replace(TOKENS, '"$1":"…"') };
}

const lastDone = new Map<World, string>();

async function play(world: World, calls: readonly Call[], run: number): Promise<unknown[]> {
  const answers: unknown[] = [];
  world.at(7 + run);
  let after = lastDone.get(world);
  for (const [index, call] of calls.entries()) {
    const headers: Record<string, string> = call.csv && call.method === 'GET' ? { accept: 'text/csv' } : {};
    if (call.method === 'POST') headers['idempotency-key'] = `session-${run}-${index}`;
    // What she did before is in what she reads, and in what a registration is compared with.
    if (after !== undefined && (call.method === 'GET' || call.url.startsWith('/v1/customers'))) headers['shiji-after'] = after;
    let url = call.url;
    for (let page = 0; page <= call.pages; page += 1) {
      const answer = await world.send('rm', OWN_RM, call.method, url, { ...(call.body === undefined ? {} : { body: call.body }), headers });
      answers.push(canonical(answer));
      if (call.method !== 'GET') after = answer.headers['shiji-position'] ?? after;
      if (after !== undefined) lastDone.set(world, after);
      const cursor = call.method === 'GET' && answer.status === 200 ? /"next":"([^"]+)"/.exec(answer.body)?.[1] : undefined;
      if (cursor === undefined) break;
      url = `${call.url}${call.url.includes('?') ? '&' : '?'}cursor=${encodeURIComponent(cursor)}`;
    }
  }
  return answers;
}

describe('two worlds', () => {
  it('has a body for every mutation of the role, so that a new route is covered', () => {
    const uncovered = routes.filter(({ method, name, hasBody }) => method === 'POST' && hasBody && bodies[name] === undefined);
    expect(uncovered.map(({ name }) => name)).toEqual([]);
    expect(routes.length).toBeGreaterThan(20);
  });

  it('sees what is hers, or the walk would be over nothing', async () => {
    const [one] = worlds as [World, World];
    const list = JSON.parse((await one.send('rm', OWN_RM, 'GET', '/v1/customers?count=true')).body);
    expect(list.total).toBe(one.own.length);
    const view = await one.send('rm', OWN_RM, 'GET', `/v1/customers/${one.own[ownNames.length]}/360`);
    expect(view.status).toBe(200);
    expect(JSON.parse(view.body).relations).toEqual([expect.objectContaining({ customer: null })]);
    const network = await one.send('rm', OWN_RM, 'GET', `/v1/customers/${one.own[0]}/network?depth=5`);
    expect(JSON.parse(network.body).nodes.filter(({ customer: id }: { customer: string | null }) => id === null).length).toBeGreaterThan(1);
    const group = JSON.parse((await one.send('rm', OWN_RM, 'GET', `/v1/groups/${one.groups.own[0]}`)).body);
    expect([group.covers, group.members.length, group.sums.members]).toEqual(['visible', 2, 2]);
    const whole = JSON.parse((await one.send('risk', 'ren', 'GET', `/v1/groups/${one.groups.own[0]}`)).body);
    expect(whole.members.length).toBeGreaterThan(2);
  });

  it('answers every route alike', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.tuple(...routes.map(callOf)), async (calls) => {
        run += 1;
        const [one, other] = await Promise.all(worlds.map((world) => play(world, calls, run)));
        for (const [index, answer] of (one as unknown[]).entries()) expect(other?.[index], `answer ${index} of run ${run}`).toEqual(answer);
        expect(other?.length).toBe(one?.length);
      }),
      { numRuns: 40, endOnFailure: true },
    );
  }, 240_000);

  it('answers the exact document of a hidden customer as unknown where no purpose is given', async () => {
    const answers = await Promise.all(
      worlds.map((world) =>
        Promise.all([hiddenDocument, 'X0000000'].map((document) => world.send('rm', OWN_RM, 'GET', `/v1/customers?document=${document}`))),
      ),
    );
    for (const [taken, free] of answers) expect(canonical(taken as Answer)).toEqual(canonical(free as Answer));
  });
});
