// Segments over the API: who is in one, how many, and why, held to a plain evaluation of the same condition over what the 360 view tells.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Condition, Node } from '../../src/domain/segment/condition.ts';
import { accountLines, ClassBank, coreCustomer, customerLine, moveLine } from '../support/class-bank.ts';

let bank: ClassBank;
const own = { subject: 'li' };
const all: string[] = [];
let campaign = '';

/** What is known of a customer, as views tell it. */
interface Known {
  readonly view: {
    readonly customer: { readonly manager: string | null; readonly branch: string | null };
    readonly classification: { readonly kind: string; readonly standing: string };
    readonly tags: readonly string[];
    readonly balances: readonly { readonly currency: string; readonly amount: number | null }[];
    readonly accounts: readonly { readonly role: string; readonly status: string; readonly product: string | null }[];
    readonly loans: readonly unknown[];
    readonly cards: readonly { readonly holder: string | null }[];
    readonly orders: readonly unknown[];
    readonly tickets: readonly { readonly type: string; readonly status: string }[];
    readonly campaigns: readonly { readonly campaign: string }[];
  };
  readonly classes: ReadonlyMap<string, string>;
}
const known = new Map<string, Known>();

beforeAll(async () => {
  bank = await ClassBank.open('2026-03-02T01:00:00.000Z');
  await bank.feed([
    ...['C1', 'C2', 'C3', 'C4', 'C5'].map((id, index) => customerLine(id, '2026-01-01', { branch: index % 2 === 0 ? '3100' : '3200' })),
    customerLine('C6', '2026-01-01', { branch: '3100', type: 'organisation' }),
    ...accountLines('A1', 'C1', '2026-01-01', { product: 'current' }),
    moveLine('T1', 'A1', '2026-01-05', 500_00, 500_00),
    moveLine('T2', 'A1', '2026-01-06', -100_00),
    // Came with a balance, and moved since; shared by two.
    ...accountLines('A2', 'C2', '2026-01-01', { product: 'savings', openingBalance: 300_00, openingOn: '2026-01-01' }),
    moveLine('T3', 'A2', '2026-01-07', 50_00),
    { ...accountLines('A2', 'C3', '2026-01-01')[1], role: 'joint-owner' },
    // Closed, in another currency, and with no balance known.
    ...accountLines('A3', 'C4', '2026-01-01', { status: 'closed', openingBalance: 900_00, openingOn: '2026-01-01' }),
    ...accountLines('A4', 'C5', '2026-01-01', { currency: 'USD', openingBalance: 900_00, openingOn: '2026-01-01' }),
    ...accountLines('A5', 'C6', '2026-01-01', { product: 'current' }),
    {
      kind: 'loan',
      source: { system: 'core', id: 'L1' },
      at: '2026-01-10[Asia/Shanghai]',
      account: 'A1',
      currency: 'CNY',
      amount: 900_000,
      status: 'running',
    },
    { kind: 'card', source: { system: 'core', id: 'K1' }, at: '2026-01-10[Asia/Shanghai]', account: 'A2', customer: 'C2', status: 'active' },
  ]);
  all.push(...['C1', 'C2', 'C3', 'C4', 'C5', 'C6'].map(coreCustomer));
  all.push((await bank.post('operations', 'customers', { kind: 'person', name: '潜在', branch: '3200' })).body.id);
  const give = (index: number, what: string, body: object, role: 'operations' | 'risk' = 'operations') =>
    bank.post(role, `customers/${all[index]}/${what}`, body);
  for (const index of [0, 1, 4]) await give(index, 'assign', { manager: 'li' });
  await give(2, 'assign', { manager: 'zhao' });
  for (const index of [0, 2, 6]) await give(index, 'tags', { tag: 'VIP' });
  for (const [index, value] of [
    [0, 'active'],
    [1, 'dormant'],
    [6, 'prospect'],
  ] as const)
    await give(index, 'classifications', { dimension: 'life-cycle', value });
  await give(1, 'classifications', { dimension: 'investor-tolerance', value: 'C3', assessedOn: '2026-02-01', validUntil: '2026-03-02' });
  await give(2, 'classifications', { dimension: 'investor-tolerance', value: 'C3', assessedOn: '2026-02-01' });
  await give(0, 'classifications', { dimension: 'aml-grade', value: 'high' }, 'risk');
  const ticket = { customer: all[3], type: 'complaint', priority: 'normal', channel: 'counter', summary: 'x' };
  await bank.post('operations', 'tickets', ticket);
  campaign = (await bank.post('operations', 'campaigns', { name: 'Spring', from: '2026-03-01', to: '2026-12-31' })).body.id;
  await bank.post('operations', `campaigns/${campaign}/start`);
  await bank.post('operations', `campaigns/${campaign}/enrolments`, { customers: [all[1], all[5]] });
  // A tolerance whose time is over holds no more, though no timer said so yet.
  bank.at('2026-03-03T01:00:00.000Z');
  await bank.settled();
  for (const id of all) {
    const view = (await bank.get('risk', `customers/${id}/360`)).body as Known['view'];
    const { items } = (await bank.get('risk', `customers/${id}/classifications`)).body;
    known.set(id, { view, classes: new Map(items.map(({ dimension, value }: { dimension: string; value: string }) => [dimension, value])) });
  }
});
afterAll(() => bank.close());

function meets(node: Node, { view, classes }: Known): boolean {
  const theirs = view.accounts.filter(({ role }) => role !== 'mandate');
  switch (node.is) {
    case 'all':
      return node.of.every((one) => meets(one, { view, classes }));
    case 'any':
      return node.of.some((one) => meets(one, { view, classes }));
    case 'not':
      return !meets(node.of, { view, classes });
    case 'kind':
      return view.classification.kind === node.value;
    case 'standing':
      return view.classification.standing === node.value;
    case 'branch':
      return node.in.includes(view.customer.branch ?? '');
    case 'manager':
      return node.in.includes(view.customer.manager ?? '');
    case 'tag':
      return view.tags.includes(node.tag);
    case 'classification':
      return node.in.includes(classes.get(node.dimension) ?? 'none');
    case 'balance': {
      const amount = view.balances.find(({ currency }) => currency === node.currency)?.amount ?? null;
      if (node.atLeast === undefined && node.below === undefined) return amount !== null;
      return (amount ?? 0) >= (node.atLeast ?? Number.NEGATIVE_INFINITY) && (amount ?? 0) < (node.below ?? Number.POSITIVE_INFINITY);
    }
    case 'holds':
      if (node.thing === 'account')
        return theirs.some(({ status, product }) => status !== 'closed' && (node.product === undefined || product === node.product));
      // The other owner of its account holds no card.
      if (node.thing === 'card') return view.cards.some(({ holder }) => holder === 'this');
      return { loan: view.loans, order: view.orders }[node.thing].length > 0;
    case 'ticket':
      return view.tickets.some(
        ({ type, status }) =>
          (node.type === undefined || type === node.type) &&
          (node.waiting === undefined || node.waiting === ['open', 'assigned', 'in-progress'].includes(status)),
      );
    case 'enrolled':
      return view.campaigns.some((one) => one.campaign === node.campaign);
  }
}

let made = 0;
async function segmentOf(condition: Condition, role: 'rm' | 'operations' = 'operations', headers = {}): Promise<string> {
  made += 1;
  const answer = await bank.post(role, 'segments', { name: `Segment ${made}`, condition }, headers);
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  await bank.settled();
  return answer.body.id;
}
const members = async (id: string, role: 'rm' | 'risk' = 'risk', headers = {}): Promise<string[]> =>
  (await bank.get(role, `segments/${id}/members`, headers)).body.items.map(({ customer }: { customer: string }) => customer);

const leaf: fc.Arbitrary<Node> = fc.oneof(
  fc.record({ is: fc.constant('kind' as const), value: fc.constantFrom('person' as const, 'organisation' as const) }),
  fc.record({ is: fc.constant('standing' as const), value: fc.constantFrom('prospect' as const, 'customer' as const) }),
  fc.record({ is: fc.constant('branch' as const), in: fc.constantFrom<string[]>(['3100'], ['3200'], ['3100', '3200']) }),
  fc.record({ is: fc.constant('manager' as const), in: fc.constantFrom<string[]>(['li'], ['zhao', 'nobody']) }),
  fc.record({ is: fc.constant('tag' as const), tag: fc.constantFrom('vip', 'none') }),
  fc.constantFrom<Node>(
    { is: 'classification', dimension: 'life-cycle', in: ['active', 'dormant'] },
    { is: 'classification', dimension: 'investor-tolerance', in: ['C3'] },
    { is: 'classification', dimension: 'aml-grade', in: ['high'] },
  ),
  fc.record(
    {
      is: fc.constant('balance' as const),
      currency: fc.constantFrom('CNY', 'USD'),
      atLeast: fc.constantFrom(0, 1, 350_00, 350_01, 400_00),
      below: fc.constantFrom(500_00, 900_00, 900_01),
    },
    { requiredKeys: ['is', 'currency'] },
  ),
  fc.record(
    { is: fc.constant('holds' as const), thing: fc.constantFrom('account' as const, 'loan' as const, 'card' as const, 'order' as const) },
    { requiredKeys: ['is', 'thing'] },
  ),
  fc.constant<Node>({ is: 'holds', thing: 'account', product: 'current' }),
  fc.record({ is: fc.constant('ticket' as const), type: fc.constantFrom('complaint', 'inquiry'), waiting: fc.boolean() }, { requiredKeys: ['is'] }),
  fc.constant(undefined).map((): Node => ({ is: 'enrolled', campaign })),
);
const grouped = (node: fc.Arbitrary<Node>): fc.Arbitrary<Node> =>
  fc.oneof(
    node,
    fc.record({ is: fc.constantFrom('all' as const, 'any' as const), of: fc.array(node, { minLength: 1, maxLength: 3 }) }),
    node.map((of): Node => ({ is: 'not', of })),
  );

describe('a segment', () => {
  it('has whom a plain evaluation has, counts them, and says why of each', async () => {
    await fc.assert(
      fc.asyncProperty(grouped(grouped(grouped(leaf))), async (condition) => {
        const id = await segmentOf(condition as Condition);
        const expected = all.filter((customer) => meets(condition, known.get(customer) as Known)).sort();
        expect((await members(id)).sort()).toStrictEqual(expected);
        const { body } = await bank.get('management', `segments/${id}/size`);
        expect([body.of, body.customers]).toStrictEqual([all.length, expected.length]);
        const [first] = all as [string];
        const why = (await bank.get('risk', `segments/${id}/members/${first}`)).body;
        expect(why.member).toBe(expected.includes(first));
        expect(why.conditions.map(({ path }: { path: string }) => path)).toStrictEqual(body.conditions.map(({ path }: { path: string }) => path));
      }),
      { numRuns: 100 },
    );
  }, 120_000);

  it('tells each condition in words, with how many are left after it and whether one meets it', async () => {
    const id = await segmentOf({
      is: 'all',
      of: [
        { is: 'tag', tag: ' VIP' },
        { is: 'not', of: { is: 'branch', in: ['3200'] } },
      ],
    });
    expect((await bank.get('product', `segments/${id}/size`)).body).toMatchObject({
      customers: 2,
      conditions: [
        { path: '', words: 'all of these', customers: 2 },
        { path: '/of/0', words: 'tagged vip', customers: 3 },
        { path: '/of/1', words: 'not this', customers: 2 },
        { path: '/of/1/of', words: 'in branch 3200', customers: 1 },
      ],
    });
    expect((await bank.get('risk', `segments/${id}/members/${all[6]}`)).body).toMatchObject({
      member: false,
      conditions: [
        { path: '', holds: false },
        { path: '/of/0', holds: true },
        { path: '/of/1', holds: false },
        { path: '/of/1/of', holds: true },
      ],
    });
  });

  it('is of own customers for a relationship manager, who sees own segments and the bank’s', async () => {
    const id = await segmentOf({ is: 'tag', tag: 'vip' });
    expect(await members(id, 'rm', own)).toStrictEqual([all[0]]);
    expect((await bank.get('rm', `segments/${id}/size`, own)).body).toMatchObject({ of: 3, customers: 1 });
    expect((await bank.get('rm', `segments/${id}/members/${all[2]}`, own)).status).toBe(404);
    const mine = await segmentOf({ is: 'kind', value: 'person' }, 'rm', own);
    expect((await bank.get('rm', `segments/${mine}`, { subject: 'zhao' })).status).toBe(404);
    expect((await bank.post('rm', `segments/${mine}`, { name: 'x', condition: { is: 'tag', tag: 'x' } }, { subject: 'zhao' })).status).toBe(404);
    const listed = (await bank.get('rm', 'segments?limit=500', { subject: 'zhao' })).body.items.map((item: { id: string }) => item.id);
    expect([listed.includes(id), listed.includes(mine)]).toStrictEqual([true, false]);
    for (const role of ['product', 'management'] as const) expect((await bank.get(role, `segments/${id}/members`)).status).toBe(403);
  });

  it('is defined anew and retired', async () => {
    const id = await segmentOf({ is: 'tag', tag: 'vip' });
    expect((await bank.post('operations', `segments/${id}`, { name: 'Persons', condition: { is: 'kind', value: 'organisation' } })).status).toBe(200);
    await bank.settled();
    expect((await bank.get('risk', `segments/${id}`)).body).toMatchObject({ version: 2, name: 'Persons', owner: 'operations-1', revision: 1 });
    expect(await members(id)).toStrictEqual([all[5]]);
    const gone = await bank.api.app.inject({ method: 'DELETE', url: `/v1/segments/${id}`, headers: bank.api.as('operations') });
    expect(gone.statusCode).toBe(200);
    await bank.settled();
    expect((await bank.get('risk', 'segments?limit=500')).body.items.some((item: { id: string }) => item.id === id)).toBe(false);
  });

  it('asks for no tag that nobody can have', async () => {
    for (const tag of ['  ', 'ﷺ'.repeat(63), '..']) {
      const condition = {
        is: 'all',
        of: [
          { is: 'kind', value: 'person' },
          { is: 'not', of: { is: 'tag', tag } },
        ],
      };
      const segment = await bank.post('operations', 'segments', { name: 'none', condition });
      expect([segment.status, segment.body.errors?.[0]?.pointer]).toEqual([400, '/condition/of/1/of/tag']);
      const job = await bank.post('operations', 'tag-jobs', { action: 'tag', tag: 'x', filter: { condition } });
      expect([job.status, job.body.errors?.[0]?.pointer]).toEqual([400, '/filter/condition/of/1/of/tag']);
    }
    expect((await bank.get('operations', 'segments')).status).toBe(200);
    expect((await bank.get('operations', 'tag-jobs')).status).toBe(200);
  });

  it('says what is wrong with a condition, at its place', async () => {
    const cases: [unknown, number, string][] = [
      [{ is: 'all', of: [{ is: 'tag' }] }, 400, '/condition/of/0/tag'],
      [{ is: 'star-sign' }, 400, '/condition/is'],
      [{ is: 'balance', currency: 'yuan' }, 400, '/condition/currency'],
      [{ is: 'not', of: { is: 'classification', dimension: 'mood', in: ['good'] } }, 422, '/condition/of/dimension'],
      [{ is: 'balance', currency: 'CNY', atLeast: 2, below: 1 }, 422, '/condition/below'],
    ];
    for (const [condition, status, pointer] of cases) {
      const answer = await bank.post('operations', 'segments', { name: 'x', condition });
      expect([answer.status, answer.body.errors?.map((error: { pointer: string }) => error.pointer)]).toStrictEqual([status, [pointer]]);
    }
  });
});
