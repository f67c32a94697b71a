// Tier reviews from core banking's transactions to customers' tiers: the monthly averages by hand, by policy and month, resumed and repeated.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tierReviews } from '../../src/processes/tier-reviews.ts';
import { averagesQuery } from '../../src/projections/holdings/averages.ts';
import { accountLines, ClassBank, coreCustomer, customerLine, moveLine } from '../support/class-bank.ts';

let bank: ClassBank;
let reviews: ReturnType<typeof tierReviews>;

beforeAll(async () => {
  bank = await ClassBank.open('2026-04-01T01:00:00.000Z');
  reviews = tierReviews({ pool: bank.api.pool, handler: bank.handler, journal: bank.api.journal, codec: bank.codec, log: bank.log });
});
afterAll(() => bank.close());

const ids = ['C1', 'C2', 'C3', 'C4', 'C5', 'C6'] as const;
const policy = {
  name: 'Standard',
  currency: 'CNY',
  tiers: [
    { value: 'mass', from: 0 },
    { value: 'affluent', from: 100_00 },
    { value: 'wealth', from: 1_000_00 },
  ],
  up: 'next-month',
  downAfterMonths: 2,
};

async function averages(from: string, to: string) {
  const { rows } = await bank.api.pool.query(averagesQuery(ids.map(coreCustomer), 'CNY', { from, to }));
  return Object.fromEntries(
    ids.map((id) => [
      id,
      Object.fromEntries(rows.filter(({ customer_id }) => customer_id === coreCustomer(id)).map(({ month, average }) => [month, average])),
    ]),
  );
}

/** Requests a review and works until nothing is left; says what it counted. */
async function reviewed(month: string, headers: Record<string, string> = {}) {
  const requested = await bank.post('operations', 'tier-reviews', { policy: 'standard', month }, headers);
  expect(requested.status).toBe(201);
  do await bank.settled();
  while (await reviews.workOnPage());
  return (await bank.get('operations', `tier-reviews/${requested.body.id}`)).body;
}
const tierOf = async (id: string, query = '') => {
  const { body } = await bank.get('risk', `customers/${coreCustomer(id)}/classifications${query}`);
  return body.items.find(({ dimension }: { dimension: string }) => dimension === 'value-tier');
};

describe('monthly averages', () => {
  it('weigh each balance by its days, as told or as moved since', async () => {
    await bank.feed([
      ...ids.map((id) => customerLine(id, '2026-01-01')),
      // 31 days: 10 of 0, 21 of 31.00.
      ...accountLines('A1', 'C1', '2026-01-01'),
      moveLine('T1', 'A1', '2026-01-11', 31_00, 31_00),
      // Told once, then only moved: 310.00 for 15 days, 620.00 for 16; twice on one day, the last counts.
      ...accountLines('A2', 'C2', '2026-01-01'),
      moveLine('T2', 'A2', '2025-12-01', 310_00, 310_00),
      moveLine('T3', 'A2', '2026-01-16', 500_00),
      moveLine('T4', 'A2', '2026-01-16', -190_00),
      // Overdrawn for 1 day, which is nothing; two accounts add up, one of them with another owner as well.
      ...accountLines('A3', 'C3', '2026-01-01'),
      moveLine('T5', 'A3', '2026-01-30', -10_00, -10_00),
      moveLine('T6', 'A3', '2026-01-31', 41_00, 31_00),
      ...accountLines('A4', 'C3', '2026-01-01', { openingBalance: 100_00, openingOn: '2026-01-01' }),
      ...accountLines('A4', 'C4', '2026-01-01', { openingBalance: 100_00, openingOn: '2026-01-01' }).slice(1),
      // In another currency.
      ...accountLines('A5', 'C5', '2026-01-01', { currency: 'USD' }),
      moveLine('T7', 'A5', '2026-01-01', 9_999_00, 9_999_00, 'USD'),
    ]);
    await bank.settled();
    expect(await averages('2026-01-01', '2026-02-01')).toStrictEqual({
      C1: { '2026-01': '2100' },
      C2: { '2026-01': String((310_00 * 15 + 620_00 * 16) / 31) },
      C3: { '2026-01': String(100 + 100_00) },
      C4: { '2026-01': '10000' },
      C5: {},
      C6: {},
    });
  });

  it('go on from month to month, through months in which nothing moves, and end with the account', async () => {
    await bank.feed([...accountLines('A1', 'C1', '2026-03-11', { status: 'closed', closedOn: '2026-03-11' }).slice(0, 1)]);
    await bank.settled();
    expect((await averages('2026-01-01', '2026-05-01')).C1).toStrictEqual({
      '2026-01': '2100',
      '2026-02': '3100',
      '2026-03': String((3100 * 10) / 31),
    });
  });

  it('leave out what was void', async () => {
    await bank.feed([
      moveLine('T8', 'A2', '2026-01-20', 5_000_00, 5_620_00),
      { kind: 'void', source: { system: 'core', id: 'T8' }, at: '2026-01-21[Asia/Shanghai]', reason: 'twice' },
    ]);
    await bank.settled();
    expect((await averages('2026-01-01', '2026-02-01')).C2).toStrictEqual({ '2026-01': '47000' });
  });
});

describe('a policy', () => {
  it('is published in versions, with what is wrong by its field', async () => {
    const wrong = await bank.post('operations', 'tier-policies/standard', { ...policy, tiers: [{ value: 'gold', from: 0 }] });
    expect([wrong.status, wrong.body.errors[0].pointer]).toStrictEqual([422, '/tiers/0/value']);
    expect((await bank.post('operations', 'tier-policies/standard', policy)).body).toStrictEqual({ id: 'standard', revision: 0 });
    await bank.post('operations', 'tier-policies/standard', { ...policy, watchAfterMonths: 1 });
    await bank.settled();
    const { body } = await bank.get('product', 'tier-policies/standard');
    expect(body.versions.map(({ version, watchAfterMonths }: Record<string, number>) => [version, watchAfterMonths])).toStrictEqual([
      [2, 1],
      [1, undefined],
    ]);
    expect((await bank.get('rm', 'tier-policies')).body.items).toMatchObject([{ id: 'standard', version: 2, downTo: 'last-month' }]);
    expect((await bank.get('rm', 'tier-policies/none')).status).toBe(404);
  });
});

describe('a review', () => {
  it('is of a month that is over and a policy that there is', async () => {
    for (const [body, status, code, pointer] of [
      [{ policy: 'standard', month: '2026-04' }, 409, 'MonthNotOver', '/month'],
      [{ policy: 'none', month: '2026-03' }, 422, 'TierPolicyUnknown', '/policy'],
      [{ policy: 'standard', month: '2026-13' }, 400, 'ValidationFailed', '/month'],
    ] as const) {
      const answer = await bank.post('operations', 'tier-reviews', body);
      expect([answer.status, answer.body.type, answer.body.errors[0].pointer]).toStrictEqual([status, `/problems/${code}`, pointer]);
    }
    expect((await bank.post('rm', 'tier-reviews', { policy: 'standard', month: '2026-03' })).status).toBe(403);
  });

  it('gives each customer the tier of their average, with its words, and lists what it did not count', async () => {
    const told = await reviewed('2026-01');
    expect(told).toMatchObject({
      policy: 'standard',
      version: 2,
      month: '2026-01',
      status: 'finished',
      counts: { first: 4, up: 0, down: 0, unchanged: 0, watched: 0, notCounted: 2, refused: 0, otherCurrencies: { USD: 1 } },
    });
    expect(await tierOf('C2')).toMatchObject({
      value: 'affluent',
      valueName: '富裕',
      since: '2026-02-01[Asia/Shanghai]',
      source: { kind: 'rule', rule: 'standard', version: 2, by: 'operations-1', role: 'operations' },
      explanation: 'The average of 2026-01 is 470.00 CNY, at least the 100.00 CNY of affluent.',
    });
    expect(await tierOf('C2', '?asOf=2026-01-31')).toBeUndefined();
    expect((await tierOf('C1')).value).toBe('mass');
    expect(await tierOf('C6')).toBeUndefined();
    const counted = await bank.get('management', 'reports/customers-by-class');
    expect(counted.body.items.slice(0, 2)).toMatchObject([
      { value: 'mass', customers: 1 },
      { value: 'affluent', customers: 3 },
    ]);
  });

  it('changes nothing where it is asked for again', async () => {
    const before = await bank.typesOf(`classification-${coreCustomer('C2')}`);
    expect((await reviewed('2026-01')).counts).toMatchObject({ first: 0, up: 0, down: 0, unchanged: 4, notCounted: 2 });
    expect(await bank.typesOf(`classification-${coreCustomer('C2')}`)).toStrictEqual(before);
  });

  it('raises, watches and lowers as months go by', async () => {
    await bank.feed([moveLine('T10', 'A3', '2026-02-01', 5_000_00, 5_031_00), moveLine('T11', 'A2', '2026-02-01', -600_00, 20_00)]);
    expect((await reviewed('2026-02')).counts).toMatchObject({ up: 1, watched: 1, unchanged: 3, notCounted: 2 });
    expect((await tierOf('C3')).value).toBe('wealth');
    const watched = await bank.get('risk', `customers/${coreCustomer('C2')}/classifications`);
    expect(watched.body.items.map(({ dimension }: { dimension: string }) => dimension)).toStrictEqual(['tier-watch', 'value-tier']);
    expect((await reviewed('2026-03')).counts).toMatchObject({ up: 0, down: 1, watched: 0 });
    expect(await tierOf('C2')).toMatchObject({
      value: 'mass',
      since: '2026-04-01[Asia/Shanghai]',
      explanation:
        'The average of 2026-03 is 20.00 CNY, below the 100.00 CNY of affluent: 2 of 2 months in a row. mass is the tier of the last of them.',
    });
    expect((await bank.get('risk', 'classifications?dimension=tier-watch')).body.items).toStrictEqual([]);
    // As of a day between, the tier of that day.
    expect((await tierOf('C2', '?asOf=2026-03-15')).value).toBe('affluent');
  });

  it('of a branch reviews that branch’s customers', async () => {
    const token = bank.api.token('operations', { subject: 'branch-ops', scope: 'branch:3200' } as never);
    const requested = await bank.post('operations', 'tier-reviews', { policy: 'standard', month: '2026-03' }, { authorization: `Bearer ${token}` });
    do await bank.settled();
    while (await reviews.workOnPage());
    const { counts } = (await bank.get('auditor', `tier-reviews/${requested.body.id}`)).body;
    expect(counts).toStrictEqual({ first: 0, up: 0, down: 0, unchanged: 0, watched: 0, notCounted: 0, refused: 0, otherCurrencies: {} });
  });

  it('goes on where a worker died, counts each once, whatever was done twice', async () => {
    const many = Array.from({ length: 430 }, (_, index) => `M${index}`);
    await bank.feed(
      many.flatMap((id) => [
        customerLine(id, '2026-01-01'),
        ...accountLines(`A-${id}`, id, '2026-01-01', { openingBalance: 150_00, openingOn: '2026-01-01' }),
      ]),
    );
    bank.at('2026-05-02T01:00:00.000Z');
    const requested = await bank.post('operations', 'tier-reviews', { policy: 'standard', month: '2026-04' });
    await bank.settled();
    let broken = 0;
    const dying = tierReviews({
      pool: bank.api.pool,
      handler: {
        execute: async (command, request) => {
          if (command.name === 'AdvanceTierReview' || (command.name === 'ReviewTier' && ++broken > 300)) throw new Error('the power went');
          return bank.handler.execute(command, request);
        },
      },
      journal: bank.api.journal,
      codec: bank.codec,
      log: bank.log,
    });
    await expect(dying.workOnPage()).rejects.toThrow('the power went');
    const others = [0, 1].map(() =>
      tierReviews({ pool: bank.api.pool, handler: bank.handler, journal: bank.api.journal, codec: bank.codec, log: bank.log }),
    );
    let worked = true;
    while (worked) {
      await bank.settled();
      worked = (await Promise.all(others.map((worker) => worker.workOnPage()))).includes(true);
    }
    const { body } = await bank.get('operations', `tier-reviews/${requested.body.id}`);
    expect(body).toMatchObject({ status: 'finished', counts: { first: 430, notCounted: 3 } });
    for (const id of [many[0], many[199], many[429]])
      expect(await bank.typesOf(`classification-${coreCustomer(id as string)}`)).toStrictEqual(['CustomerClassified']);
  });
});
