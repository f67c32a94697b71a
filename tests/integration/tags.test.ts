// Tags over the API: the vocabulary with what is in use, and many customers tagged, untagged, cancelled and undone by jobs.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CommandHandler } from '../../src/commands/handler.ts';
import { tagJobs } from '../../src/processes/tag-jobs.ts';
import { ClassBank } from '../support/class-bank.ts';

let bank: ClassBank;
beforeAll(async () => {
  bank = await ClassBank.open('2026-03-02T01:00:00.000Z');
});
afterAll(() => bank.close());

const workerOf = (handler: Pick<CommandHandler, 'execute'> = bank.handler): ReturnType<typeof tagJobs> =>
  tagJobs({
    pool: bank.api.pool,
    handler,
    journal: bank.api.journal,
    codec: bank.codec,
    now: bank.now,
    zone: 'Asia/Shanghai',
    log: bank.log,
  });

/** Works until nothing is left, each round from settled read models. */
async function work(...workers: readonly ReturnType<typeof tagJobs>[]): Promise<void> {
  const all = workers.length === 0 ? [workerOf()] : workers;
  let worked = true;
  while (worked) {
    await bank.settled();
    worked = (await Promise.all(all.map((worker) => worker.workOnPage()))).includes(true);
  }
}

async function customersOf(count: number, more: object = {}): Promise<string[]> {
  const made = await Promise.all(
    Array.from({ length: count }, () => bank.post('operations', 'customers', { kind: 'person', name: '王小明', manager: 'li', ...more })),
  );
  await bank.settled();
  return made.map(({ body }) => body.id as string);
}
const own = { subject: 'li' };
const start = async (body: object, role: 'rm' | 'operations' = 'operations', headers: Record<string, string> = {}): Promise<string> => {
  const answer = await bank.post(role, 'tag-jobs', body, headers);
  expect([answer.status, answer.headers.location]).toStrictEqual([201, `/v1/tag-jobs/${answer.body.id}`]);
  return answer.body.id;
};
const job = async (id: string, role: 'rm' | 'operations' | 'auditor' = 'operations', headers = {}) =>
  (await bank.get(role, `tag-jobs/${id}`, headers)).body;
const tagsOf = async (id: string): Promise<string[]> => (await bank.get('risk', `customers/${id}`)).body.tags;
const haveTag = async (ids: readonly string[], tag: string): Promise<number> => {
  await bank.settled();
  return (await Promise.all(ids.map(tagsOf))).filter((tags) => tags.includes(tag)).length;
};

describe('the vocabulary', () => {
  it('stands beside free tags, with how many of one’s own customers have each', async () => {
    const [mine, other] = [await customersOf(2), await customersOf(1, { manager: 'zhao' })];
    for (const id of [...mine, ...other]) await bank.post('operations', `customers/${id}/tags`, { tag: 'Gold ' });
    await bank.post('operations', `customers/${other[0]}/tags`, { tag: 'secret' });
    const defined = await bank.post('operations', `tags/${encodeURIComponent('ＧＯＬＤ')}`, {
      colour: '#D4AF37',
      group: 'value',
      owner: 'private banking',
      expiresOn: '2026-03-31',
    });
    expect(defined.status).toBe(200);
    await bank.post('operations', 'tags/unused', { group: 'value' });
    await bank.settled();
    const list = async (role: 'rm' | 'risk', query = '') => (await bank.get(role, `tags${query}`, role === 'rm' ? own : {})).body.items;
    expect(await list('rm')).toStrictEqual([
      {
        tag: 'gold',
        defined: true,
        colour: '#d4af37',
        group: 'value',
        owner: 'private banking',
        description: null,
        expiresOn: '2026-03-31',
        expired: false,
        customers: 2,
        revision: 0,
      },
      expect.objectContaining({ tag: 'unused', defined: true, customers: 0 }),
    ]);
    expect((await list('risk')).map(({ tag, customers }: { tag: string; customers: number }) => `${tag} ${customers}`)).toStrictEqual([
      'gold 3',
      'secret 1',
      'unused 0',
    ]);
    expect((await list('risk', '?defined=false')).map(({ tag }: { tag: string }) => tag)).toStrictEqual(['secret']);
    expect((await list('risk', '?q=GO&group=value')).map(({ tag }: { tag: string }) => tag)).toStrictEqual(['gold']);
    const first = (await bank.get('risk', 'tags?limit=1&count=true')).body;
    expect([first.items[0].tag, first.total]).toStrictEqual(['gold', 3]);
    const next = (await bank.get('risk', `tags?limit=1&count=true&cursor=${encodeURIComponent(first.next)}`)).body;
    expect(next.items[0].tag).toBe('secret');
  });

  it('is operations’, colour by colour, and what is retired is free again', async () => {
    expect((await bank.post('rm', 'tags/gold', {})).status).toBe(403);
    const wrong = await bank.post('operations', 'tags/gold', { colour: 'gold' });
    expect([wrong.status, wrong.body.errors]).toStrictEqual([400, [{ pointer: '/colour', detail: 'a colour such as #d4af37' }]]);
    await bank.post('operations', 'tags/passing', {});
    const gone = await bank.api.app.inject({ method: 'DELETE', url: '/v1/tags/passing', headers: bank.api.as('operations') });
    expect(gone.statusCode).toBe(200);
    const again = await bank.api.app.inject({ method: 'DELETE', url: '/v1/tags/passing', headers: bank.api.as('operations') });
    expect(again.statusCode).toBe(404);
    await bank.settled();
    expect((await bank.get('operations', 'tags?q=passing')).body.items).toStrictEqual([]);
  });
});

describe('a tag job', () => {
  it('tags all that match and that its requester may see, and says how far it is', async () => {
    const branch = `b-${randomUUID().slice(0, 8)}`;
    const mine = await customersOf(3, { branch });
    const hidden = await customersOf(2, { branch, manager: 'zhao' });
    await bank.post('operations', `customers/${mine[0]}/tags`, { tag: 'spring' });
    await bank.settled();
    const id = await start({ action: 'tag', tag: ' SPRING', filter: { branch } }, 'rm', own);
    await bank.settled();
    expect(await job(id, 'rm', own)).toMatchObject({ status: 'running', tag: 'spring', changed: 0, requestedBy: 'li' });
    await work();
    expect(await job(id, 'rm', own)).toMatchObject({ status: 'finished', changed: 2, already: 1, refused: 0, filter: { branch } });
    expect([await haveTag(mine, 'spring'), await haveTag(hidden, 'spring')]).toStrictEqual([3, 0]);
    // Another's job is not there.
    expect((await bank.get('rm', `tag-jobs/${id}`, { subject: 'zhao' })).status).toBe(404);
    expect((await bank.post('rm', `tag-jobs/${id}/undo`, {}, { subject: 'zhao' })).status).toBe(404);
    expect((await bank.get('rm', 'tag-jobs', { subject: 'zhao' })).body.items).toStrictEqual([]);
    expect((await bank.get('rm', 'tag-jobs', own)).body.items).toMatchObject([{ id }]);
  });

  it('takes back what it did, and keeps and lists what was touched since', async () => {
    const branch = `b-${randomUUID().slice(0, 8)}`;
    const customers = (await customersOf(4, { branch })) as [string, string, string, string];
    const [had, plain, retagged, untagged] = customers;
    await bank.post('operations', `customers/${had}/tags`, { tag: 'autumn' });
    await bank.settled();
    const id = await start({ action: 'tag', tag: 'autumn', filter: { branch } });
    expect((await bank.post('operations', `tag-jobs/${id}/undo`)).body.type).toBe('/problems/TagJobRunning');
    await work();
    const untag = (customer: string) =>
      bank.api.app.inject({ method: 'DELETE', url: `/v1/customers/${customer}/tags/autumn`, headers: bank.api.as('operations') });
    await untag(retagged);
    await bank.post('operations', `customers/${retagged}/tags`, { tag: 'autumn' });
    await untag(untagged);
    // What else befell them does not matter.
    await bank.post('operations', `customers/${plain}/tags`, { tag: 'other' });
    expect((await bank.post('operations', `tag-jobs/${id}/undo`)).status).toBe(200);
    await work();
    const undone = await job(id);
    expect(undone).toMatchObject({ status: 'undone', changed: 3, already: 1, restored: 1, kept: 2, undoRefused: 0 });
    expect(undone.keptCustomers).toStrictEqual([retagged, untagged].sort());
    expect(await Promise.all(customers.map(async (customer) => (await tagsOf(customer)).includes('autumn')))).toStrictEqual([
      true,
      false,
      true,
      false,
    ]);
    const again = await bank.post('operations', `tag-jobs/${id}/undo`);
    expect([again.status, (await job(id)).status]).toStrictEqual([200, 'undone']);
  });

  it('untags, and gives back what it took', async () => {
    const branch = `b-${randomUUID().slice(0, 8)}`;
    const customers = await customersOf(3, { branch });
    for (const customer of customers.slice(0, 2)) await bank.post('operations', `customers/${customer}/tags`, { tag: 'winter' });
    await bank.settled();
    const id = await start({ action: 'untag', tag: 'winter', filter: { branch } });
    await work();
    expect(await job(id)).toMatchObject({ status: 'finished', changed: 2, already: 0 });
    expect(await haveTag(customers, 'winter')).toBe(0);
    await bank.post('operations', `tag-jobs/${id}/undo`);
    await work();
    expect(await haveTag(customers, 'winter')).toBe(2);
  });

  it('picks by a condition as segments have it, as far as its requester may read that', async () => {
    const branch = `b-${randomUUID().slice(0, 8)}`;
    const customers = await customersOf(3, { branch });
    await bank.post('operations', `customers/${customers[1]}/classifications`, { dimension: 'life-cycle', value: 'dormant' });
    await bank.settled();
    const asleep = { is: 'classification', dimension: 'life-cycle', in: ['dormant'] };
    const filter = { branch, condition: { is: 'all', of: [asleep, { is: 'not', of: { is: 'tag', tag: 'WAKE' } }] } };
    const id = await start({ action: 'tag', tag: 'wake', filter });
    await work();
    expect(await job(id)).toMatchObject({ status: 'finished', changed: 1 });
    expect(await tagsOf(customers[1] as string)).toContain('wake');
    const condition = { is: 'not', of: { ...asleep, dimension: 'none' } };
    const unknown = await bank.post('rm', 'tag-jobs', { action: 'tag', tag: 'x', filter: { condition } }, own);
    expect([unknown.status, unknown.body.errors[0].pointer]).toStrictEqual([422, '/filter/condition']);
    const many = { is: 'any', of: Array(20).fill({ is: 'any', of: Array(20).fill(asleep) }) };
    const large = await bank.post('operations', 'tag-jobs', { action: 'tag', tag: 'x', filter: { condition: many } });
    expect([large.status, large.body.errors[0].pointer]).toStrictEqual([400, '/filter/condition']);
  });

  it('gives no tag of the vocabulary whose time is over', async () => {
    await bank.post('operations', 'tags/old', { expiresOn: '2026-03-01' });
    const answer = await bank.post('operations', 'tag-jobs', { action: 'tag', tag: 'old', filter: {} });
    expect([answer.status, answer.body.type]).toStrictEqual([409, '/problems/TagExpired']);
  });

  it('stops where it is cancelled, and is undone from there', async () => {
    const branch = `b-${randomUUID().slice(0, 8)}`;
    const customers = await customersOf(430, { branch });
    const id = await start({ action: 'tag', tag: 'cancelled', filter: { branch } });
    await bank.settled();
    await workerOf().workOnPage();
    await bank.settled();
    expect((await bank.post('operations', `tag-jobs/${id}/cancel`)).status).toBe(200);
    await work();
    expect(await job(id)).toMatchObject({ status: 'cancelled', changed: 200 });
    expect(await haveTag(customers, 'cancelled')).toBe(200);
    expect((await bank.post('operations', `tag-jobs/${id}/cancel`)).status).toBe(200);
    await bank.post('operations', `tag-jobs/${id}/undo`);
    await work(workerOf(), workerOf());
    expect(await job(id)).toMatchObject({ status: 'undone', restored: 200, kept: 0 });
    expect(await haveTag(customers, 'cancelled')).toBe(0);
  });

  it('goes on where a worker died, also where it is cancelled and undone then: nothing twice, nothing left behind', async () => {
    const branch = `b-${randomUUID().slice(0, 8)}`;
    const customers = await customersOf(300, { branch });
    /** Dies in the middle of a page of customers, and again at its record. */
    const dying = (name: string, after: number): ReturnType<typeof tagJobs> => {
      let done = 0;
      return workerOf({
        execute: async (command, request) => {
          if (command.name === name && ++done > after) throw new Error('the power went');
          return bank.handler.execute(command, request);
        },
      });
    };
    const id = await start({ action: 'tag', tag: 'resumed', filter: { branch } });
    await bank.settled();
    await expect(dying('TagCustomer', 150).workOnPage()).rejects.toThrow('the power went');
    await bank.settled();
    await expect(dying('FinishTagPage', 0).workOnPage()).rejects.toThrow('the power went');
    await work(workerOf(), workerOf());
    expect(await job(id)).toMatchObject({ status: 'finished', changed: 300, already: 0, refused: 0 });
    for (const customer of [customers[0], customers[299]])
      expect((await bank.typesOf(`customer-${customer}`)).filter((type) => type === 'CustomerTagged')).toHaveLength(1);

    const half = await start({ action: 'tag', tag: 'half', filter: { branch } });
    await bank.settled();
    await expect(dying('TagCustomer', 70).workOnPage()).rejects.toThrow('the power went');
    await bank.post('operations', `tag-jobs/${half}/cancel`);
    await bank.post('operations', `tag-jobs/${half}/undo`);
    await bank.settled();
    await expect(dying('UntagCustomer', 30).workOnPage()).rejects.toThrow('the power went');
    await work();
    const undone = await job(half);
    expect(undone).toMatchObject({ status: 'undone', changed: 0, kept: 0 });
    expect(undone.restored).toBeGreaterThanOrEqual(70);
    expect(await haveTag(customers, 'half')).toBe(0);
  });
});
