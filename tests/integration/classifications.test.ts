// Classification over the API: who gives, sees and counts what, as of any moment of both times, and a year of timers by a moved clock.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Role } from '../../src/domain/kernel/roles.ts';
import { classificationTimers } from '../../src/processes/classification-timers.ts';
import { ClassBank, coreCustomer, customerLine } from '../support/class-bank.ts';

let bank: ClassBank;
const own = { subject: 'li' };
const ann = coreCustomer('C1');
const bob = coreCustomer('C2');

beforeAll(async () => {
  bank = await ClassBank.open('2026-03-02T01:00:00.000Z');
  await bank.feed([customerLine('C1', '2026-03-02'), customerLine('C2', '2026-03-02')]);
  await bank.post('operations', `customers/${ann}/assign`, { manager: 'li' });
  await bank.post('operations', `customers/${bob}/assign`, { manager: 'zhao' });
  await bank.settled();
});
afterAll(() => bank.close());

const classify = (role: Role, customer: string, body: object, headers: Record<string, string> = {}) =>
  bank.post(role, `customers/${customer}/classifications`, body, headers);
const shown = async (role: Role, customer: string, query = '', headers: Record<string, string> = {}) => {
  await bank.settled();
  return bank.get(role, `customers/${customer}/classifications${query}`, headers);
};
const values = (body: { items: { dimension: string; value: string }[] }) => body.items.map(({ dimension, value }) => `${dimension} ${value}`);

describe('giving a value', () => {
  it('is told back with who, why and since when, and what is due', async () => {
    expect((await shown('risk', ann)).body).toMatchObject({
      items: [],
      due: [{ dimension: 'aml-grade', why: 'first-rating', dueOn: '2026-03-16', overdue: false }],
    });
    const graded = await classify('risk', ann, { dimension: 'aml-grade', value: 'high', reason: 'cash-heavy trade' });
    expect([graded.status, graded.body]).toStrictEqual([200, { id: ann, revision: 0 }]);
    const { body, headers } = await shown('risk', ann);
    expect(headers.etag).toBe('"0"');
    expect(headers['cache-control']).toBe('no-store');
    expect(body).toMatchObject({
      items: [
        {
          dimension: 'aml-grade',
          value: 'high',
          valueName: '高',
          since: '2026-03-02T01:00:00.000Z',
          reviewDueOn: '2026-09-02',
          validUntil: null,
          source: { kind: 'person', rule: null, by: 'risk-1', role: 'risk' },
          reason: 'cash-heavy trade',
        },
      ],
      due: [{ dimension: 'aml-grade', why: 'review', dueOn: '2026-09-02', overdue: false }],
      history: [{ what: 'classified', value: 'high' }],
      masked: [],
    });
  });

  it('tells what would be right where it is refused', async () => {
    const cases: [Role, object, number, string, string | undefined][] = [
      ['rm', { dimension: 'aml-grade', value: 'low' }, 403, 'ClassNotYours', undefined],
      ['risk', { dimension: 'aml-grade', value: 'low' }, 422, 'ReasonNeeded', '/reason'],
      ['risk', { dimension: 'aml-grade', value: 'none' }, 422, 'ValueUnknown', '/value'],
      ['rm', { dimension: 'star-sign', value: 'leo' }, 422, 'DimensionUnknown', '/dimension'],
      ['rm', { dimension: 'investor-tolerance', value: 'C3' }, 422, 'AssessmentNeeded', '/assessedOn'],
      ['rm', { dimension: 'investor-tolerance', value: 'C3', assessedOn: '2026-03-03' }, 422, 'DayNotYetCome', '/assessedOn'],
    ];
    for (const [role, body, status, code, pointer] of cases) {
      const answer = await classify(role, ann, body, role === 'rm' ? own : {});
      expect([answer.status, answer.body.type, answer.body.errors?.[0]?.pointer]).toStrictEqual([status, `/problems/${code}`, pointer]);
    }
    const prospect = (await bank.post('operations', 'customers', { kind: 'person', name: '李四' })).body.id as string;
    expect((await classify('risk', prospect, { dimension: 'aml-grade', value: 'low' })).body.type).toBe('/problems/NotACustomer');
    expect((await classify('operations', prospect, { dimension: 'life-cycle', value: 'prospect' })).status).toBe(200);
  });

  it('of a hidden customer is the 404 of one who is not there', async () => {
    const nobody = '01990f7c-5f00-8aaa-8bbb-0123456789ab';
    const told = await Promise.all([bob, nobody].map((id) => classify('rm', id, { dimension: 'life-cycle', value: 'lost' }, own)));
    expect(told.map(({ status, body }) => [status, { ...body, instance: '' }])).toStrictEqual(
      Array(2).fill([404, expect.objectContaining({ type: '/problems/NotFound' })]),
    );
    const read = await Promise.all([bob, nobody].map((id) => shown('rm', id, '', own)));
    expect(read.map(({ status }) => status)).toStrictEqual([404, 404]);
    expect((await bank.post('rm', `customers/${bob}/classifications/life-cycle/withdraw`, { reason: 'x' }, own)).status).toBe(404);
  });

  it('is done once under its key', async () => {
    const body = { dimension: 'behaviour', value: 'mixed' };
    const key = { ...own, 'idempotency-key': 'behaviour-1' };
    const [first, again] = [await classify('rm', ann, body, key), await classify('rm', ann, body, key)];
    expect(again.body).toStrictEqual(first.body);
    expect((await classify('rm', ann, { ...body, value: 'branch-first' }, key)).status).toBe(422);
  });

  it('is taken away with a reason, and stays in the history', async () => {
    const withdrawn = await bank.post('rm', `customers/${ann}/classifications/behaviour/withdraw`, { reason: 'mistaken for another' }, own);
    expect(withdrawn.status).toBe(200);
    const { body } = await shown('rm', ann, '', own);
    expect(values(body)).toStrictEqual(['aml-grade high']);
    expect(body.history[0]).toMatchObject({ what: 'withdrawn', dimension: 'behaviour', reason: 'mistaken for another' });
  });
});

describe('who sees what', () => {
  it('goes by the dimension: no grade at the counter or on the line, no plain reason for operations', async () => {
    expect(values((await shown('rm', ann, '', own)).body)).toContain('aml-grade high');
    const found = await bank.get('operations', `customers/${ann}/classifications`);
    expect([found.body.items[0].reason, found.body.masked]).toStrictEqual([null, ['reason']]);
    const opened = await bank.post('operations', 'tickets', {
      customer: ann,
      type: 'inquiry',
      priority: 'low',
      channel: 'call-centre',
      summary: 'a question',
    });
    await bank.post('operations', `tickets/${opened.body.id}/assign`, { to: 'agent-1' });
    const onTheLine = await shown('agent', ann);
    expect([onTheLine.status, values(onTheLine.body), onTheLine.body.due]).toStrictEqual([200, [], []]);
    const history = await bank.get('agent', `customers/${ann}/history`);
    expect(history.text).not.toContain('aml-grade');
    for (const role of ['product', 'management', 'administrator'] as const)
      expect((await bank.get(role, `customers/${ann}/classifications`)).status).toBe(403);
  });

  it('stands in the customer’s history with before and after', async () => {
    const { body } = await bank.get('rm', `customers/${ann}/history`, own);
    expect(body.items.find(({ what }: { what: string }) => what === 'Classed high by aml-grade')).toMatchObject({
      about: { kind: 'customer', id: ann },
      reason: 'cash-heavy trade',
      changes: expect.arrayContaining([{ field: 'aml-grade', before: null, after: 'high' }]),
    });
  });

  it('lists own customers alone, and counts them alone', async () => {
    await classify('risk', bob, { dimension: 'aml-grade', value: 'high' });
    await bank.settled();
    const list = async (role: Role, headers = {}) =>
      (await bank.get(role, 'classifications?dimension=aml-grade&value=high&count=true', headers)).body;
    expect((await list('risk')).items.map(({ customer }: { customer: string }) => customer)).toStrictEqual([ann, bob].sort());
    expect(await list('rm', own)).toMatchObject({ total: 1, items: [{ customer: ann, value: 'high', reviewDueOn: '2026-09-02' }] });
    expect((await bank.get('risk', 'classifications?dimension=aml-grade&dueBy=2026-09-01')).body.items).toStrictEqual([]);
    expect((await bank.get('rm', 'classifications?dimension=none', own)).status).toBe(400);

    const count = async (role: Role, headers = {}) => {
      const { items, totals } = (await bank.get(role, 'reports/customers-by-class?dimension=aml-grade', headers)).body;
      return [totals.customers, ...items.map(({ value, customers }: { value: string; customers: number }) => `${value} ${customers}`)];
    };
    expect(await count('management')).toStrictEqual([2, 'low 0', 'medium 0', 'high 2', 'null 0']);
    expect(await count('rm', own)).toStrictEqual([1, 'low 0', 'medium 0', 'high 1', 'null 0']);
    const table = await bank.get('product', 'reports/customers-by-class?dimension=aml-grade', { accept: 'text/csv' });
    expect(table.text.split('\r\n')).toContain('high,高,2');
  });
});

describe('a dimension of the bank’s own', () => {
  it('is defined by operations, given by whom it names, and read by whom it names', async () => {
    const body = {
      name: 'Language at the counter',
      values: [
        { code: 'mandarin', name: '普通话' },
        { code: 'cantonese', name: '粤语' },
      ],
      assignedBy: ['rm'],
      readBy: ['rm', 'operations'],
      validMonths: 24,
    };
    expect((await bank.post('risk', 'dimensions/spoken', body)).status).toBe(403);
    expect((await bank.post('operations', 'dimensions/spoken', { ...body, values: [...body.values, body.values[0]] })).status).toBe(400);
    expect((await bank.post('operations', 'dimensions/spoken', body)).body).toStrictEqual({ id: 'spoken', revision: 0 });
    expect((await classify('rm', ann, { dimension: 'spoken', value: 'cantonese' }, own)).status).toBe(200);
    expect(values((await shown('rm', ann, '', own)).body)).toContain('spoken cantonese');
    expect(values((await shown('risk', ann)).body)).not.toContain('spoken cantonese');
    const listed = await bank.get('product', 'dimensions');
    expect(listed.body.items.find(({ code }: { code: string }) => code === 'spoken')).toMatchObject({ version: 1, validMonths: 24, revision: 0 });
    expect(listed.body.items.find(({ code }: { code: string }) => code === 'aml-grade')).toMatchObject({ version: 0, revision: null });
    expect((await bank.get('rm', 'dimensions/none')).status).toBe(404);
  });

  it('of grades keeps to the law', async () => {
    const grade = { name: 'Grade', assignedBy: ['risk'], readBy: ['risk'], downNeedsReason: true, customersOnly: true };
    const two = await bank.post('risk', 'dimensions/aml-grade', { ...grade, values: [{ code: 'low', name: '低', reviewMonths: 6 }] });
    expect([two.status, two.body.errors[0].pointer]).toStrictEqual([422, '/values']);
  });
});

describe('both times', () => {
  it('answer what was so, and what was known', async () => {
    bank.at('2026-04-01T01:00:00.000Z');
    await classify('rm', ann, { dimension: 'investor-tolerance', value: 'C4', assessedOn: '2026-03-20' }, own);
    bank.at('2026-04-02T01:00:00.000Z');
    // Found in a drawer: an older assessment.
    await classify('rm', ann, { dimension: 'investor-tolerance', value: 'C1', assessedOn: '2026-02-10' }, own);
    const tolerance = async (query: string) => {
      const { status, body } = await shown('rm', ann, query, own);
      return status === 200 ? body.items.find(({ dimension }: { dimension: string }) => dimension === 'investor-tolerance')?.value : status;
    };
    expect(await tolerance('')).toBe('C4');
    expect(await tolerance('?asOf=2026-03-25')).toBe('C4');
    expect(await tolerance('?asOf=2026-03-19')).toBe('C1');
    expect(await tolerance('?asOf=2026-03-19&knownAt=2026-04-01')).toBeUndefined();
    expect(await tolerance('?asOf=2026-02-15')).toBe(404);
    // A value whose time is over is told as over, also for a day to come.
    expect(await tolerance('?asOf=2027-03-20')).toBe('C4');
    expect(await tolerance('?asOf=2027-03-21')).toBeUndefined();
    expect((await shown('rm', ann, '?asOf=2026-13-01', own)).status).toBe(400);
  });
});

describe('a year of timers', () => {
  it('tells each day that comes once, and ends what is over', async () => {
    await bank.feed([customerLine('C3', '2026-04-01')]);
    const carl = coreCustomer('C3');
    const timers = classificationTimers({ pool: bank.api.pool, handler: bank.handler, now: bank.now, log: bank.log });
    const fireAt = async (instant: string): Promise<void> => {
      bank.at(instant);
      do await bank.settled();
      while ((await timers.fireDue()) > 0);
    };
    // Ten working days from 1 April, with the holiday of the dead on Monday the 6th.
    expect((await shown('risk', carl)).body.due).toMatchObject([{ why: 'first-rating', dueOn: '2026-04-16', overdue: false }]);
    await fireAt('2026-04-15T15:59:59.000Z');
    expect(await bank.typesOf(`classification-${carl}`)).toStrictEqual([]);
    await fireAt('2026-04-15T16:00:00.000Z');
    expect(await bank.typesOf(`classification-${carl}`)).toStrictEqual(['ClassificationFellDue']);
    await fireAt('2026-04-16T16:00:00.000Z');
    expect((await shown('risk', carl)).body).toMatchObject({
      due: [{ why: 'first-rating', dueOn: '2026-04-16', overdue: true }],
      history: [{ what: 'fell-due', since: '2026-04-15T16:00:00.000Z', source: { kind: 'timer', by: 'shiji' } }],
    });
    await classify('risk', carl, { dimension: 'aml-grade', value: 'low' });
    expect((await shown('risk', carl)).body.due).toMatchObject([{ why: 'review', dueOn: '2028-04-17' }]);

    await fireAt('2027-04-02T00:00:00.000Z');
    const annStream = await bank.typesOf(`classification-${ann}`);
    expect(annStream.filter((type) => type === 'ClassificationFellDue')).toHaveLength(1);
    expect(annStream.filter((type) => type === 'ClassificationExpired')).toHaveLength(1);
    const { body } = await shown('rm', ann, '', own);
    expect(values(body)).toStrictEqual(['aml-grade high', 'spoken cantonese']);
    expect(body.due[0]).toMatchObject({ dimension: 'aml-grade', why: 'review', dueOn: '2026-09-02', overdue: true });
    // Two workers at once, and one that tries again, change nothing more.
    await Promise.all([timers.fireDue(), timers.fireDue()]);
    expect(await bank.typesOf(`classification-${ann}`)).toStrictEqual(annStream);
  });
});
