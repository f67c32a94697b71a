// Campaigns from plan to report, through the API and the worker of jobs, with a second handler beside the server's as another process.
import { randomUUID } from 'node:crypto';
import { Kysely, PostgresDialect } from 'kysely';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { SIGHT_HEADER, Sights } from '../../src/api/sights.ts';
import { enrolCustomer } from '../../src/commands/campaign.ts';
import { type AnyCommand, defineCommand } from '../../src/commands/command.ts';
import { enrolmentIdOf } from '../../src/commands/command-id.ts';
import { CommandHandler, type CommandRequest, type Outcome } from '../../src/commands/handler.ts';
import { customer } from '../../src/domain/customer/customer.ts';
import type { CustomerFact } from '../../src/domain/customer/events.ts';
import { customerVisibleTo } from '../../src/domain/customer/visibility.ts';
import { eventDefinitions } from '../../src/domain/events.ts';
import type { Actor } from '../../src/domain/kernel/event.ts';
import { Role } from '../../src/domain/kernel/roles.ts';
import { EventCodec } from '../../src/journal/codec.ts';
import { Keyring } from '../../src/journal/keyring.ts';
import { Opener } from '../../src/journal/sealing.ts';
import { createLogger } from '../../src/logging.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { enrolmentJobs } from '../../src/processes/enrolment-jobs.ts';
import { projections } from '../../src/projections/all.ts';
import { recordReplay, replay, replaySchema } from '../../src/projections/engine/replay.ts';
import { customersWithin, type EnrolmentTables } from '../../src/projections/enrolments/queries.ts';
import { createTestApi, type TestApi } from '../support/api-server.ts';
import { until } from '../support/client.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let api: TestApi;
let pool: pg.Pool;
let other: CommandHandler;

/** Any fact of a customer, as if it had been decided. */
const tellOfCustomer = defineCommand({
  name: 'TellOfCustomer',
  summary: 'Tell of a customer',
  roles: [],
  category: 'customer',
  params: z.strictObject({ customerId: z.uuid() }),
  target: ({ customerId }) => customerId,
  body: z.strictObject({ facts: z.array(z.any()) }),
  decider: { ...customer, decide: (facts: readonly CustomerFact[]) => facts },
  rejections: {},
  command: ({ body }) => body.facts as CustomerFact[],
});

const log = createLogger({ level: 'fatal' });
const system: Actor = { subject: 'shiji', role: 'system' };

async function customerOf({ manager = 'li', branch = '3100', tag }: { manager?: string; branch?: string; tag?: string } = {}): Promise<string> {
  const customerId = randomUUID();
  const facts: CustomerFact[] = [{ type: 'CustomerRegistered', data: { customerId, kind: 'person', name: '王小明', manager, branch } }];
  if (tag !== undefined) facts.push({ type: 'CustomerTagged', data: { customerId, tag } });
  await other.execute(tellOfCustomer as AnyCommand, {
    params: { customerId },
    body: { facts },
    actor: system,
    channel: 'test',
    correlationId: 'test',
  });
  return customerId;
}

function customersOf(count: number, what?: Parameters<typeof customerOf>[0]): Promise<string[]> {
  return Promise.all(Array.from({ length: count }, () => customerOf(what)));
}

const areListed = (ids: readonly string[]) =>
  until(async () => {
    const { rows } = await pool.query<{ n: number }>('select count(*)::int as n from read.customers where id = any($1)', [ids]);
    return rows[0]?.n === ids.length;
  });

type Headers = Record<string, string>;
async function post(role: Role, path: string, body: unknown = {}, { subject, ...headers }: Headers & { subject?: string } = {}) {
  const answer = await api.app.inject({
    method: 'POST',
    url: `/v1/${path}`,
    headers: { ...api.as(role, subject), 'content-type': 'application/json', ...headers },
    payload: JSON.stringify(body),
  });
  return { status: answer.statusCode, headers: answer.headers as Record<string, string>, body: answer.json() };
}
async function get(role: Role, path: string, { subject, ...headers }: Headers & { subject?: string } = {}) {
  const answer = await api.app.inject({ method: 'GET', url: `/v1/${path}`, headers: { ...api.as(role, subject), ...headers } });
  return {
    status: answer.statusCode,
    headers: answer.headers,
    text: answer.body,
    body: /json/.test(String(answer.headers['content-type'])) ? answer.json() : {},
  };
}
const li = { subject: 'li' };
const after = (answer: { headers: Record<string, string> }) => ({ 'shiji-after': String(answer.headers['shiji-position']) });

const plan = { name: 'Spring savings', from: '2026-03-01', to: '2199-12-31' };
async function runningCampaign(name = plan.name): Promise<string> {
  const { body } = await post('operations', 'campaigns', { ...plan, name });
  await post('operations', `campaigns/${body.id}/start`);
  return body.id;
}
const streamOf = async (campaignId: string, customerId: string) =>
  (await api.journal.readStream(`enrolment-${enrolmentIdOf(campaignId, customerId)}`)).map(({ type }) => type);

beforeAll(async () => {
  database = await createTestDatabase();
  api = await createTestApi(database, { contexts: true });
  pool = createPool({ url: database.url, max: 6, applicationName: 'campaign-test', role: 'shiji_app' });
  other = anotherHandler();
});
afterAll(async () => {
  await pool.end();
  await api.close();
  await database.drop();
});

/** With a memory of its own. */
function anotherHandler(): CommandHandler {
  const keyring = new Keyring(pool, [{ version: 1, key: Buffer.alloc(32, 1) }]);
  return new CommandHandler({
    journal: api.journal,
    codec: new EventCodec('journal of the tests', eventDefinitions),
    keyring,
    opener: new Opener('journal of the tests', keyring),
    now: Date.now,
  });
}

describe('a campaign', () => {
  it('goes from plan to close, and its funnel tells what became of it', async () => {
    const [one, two] = (await customersOf(2)) as [string, string];
    const planned = await post('product', 'campaigns', { ...plan, audience: 'savers' });
    expect(planned.status).toBe(201);
    const path = `campaigns/${planned.body.id}`;
    expect((await post('operations', `${path}/enrolments`, { customers: [one] })).body).toMatchObject({
      title: 'The campaign is not running',
      detail: 'The campaign is only planned: start it first.',
    });
    expect((await post('management', `${path}/start`)).body).toStrictEqual({ id: planned.body.id, revision: 1 });

    const enrolled = await post('rm', `${path}/enrolments`, { customers: [one, two] }, li);
    expect(enrolled.body).toStrictEqual({
      items: [
        { customer: one, outcome: 'enrolled' },
        { customer: two, outcome: 'enrolled' },
      ],
      enrolled: 2,
      already: 0,
      refused: 0,
    });
    const responded = await post('rm', `${path}/responses`, { customer: one, response: 'Interested' }, li);
    expect(responded.body).toStrictEqual({ id: enrolmentIdOf(planned.body.id, one), revision: 1 });
    expect((await post('rm', `${path}/responses`, { customer: one, response: 'interested' }, li)).body.revision).toBe(1);

    await areListed([one, two]);
    const shown = await get('rm', path, { ...li, ...after(responded) });
    expect(shown.body).toMatchObject({
      name: 'Spring savings',
      from: '2026-03-01',
      to: '2199-12-31',
      audience: 'savers',
      status: 'running',
      plannedBy: 'product-1',
      revision: 1,
      funnel: { enrolled: 2, responded: 1, byResponse: { interested: 1 } },
    });

    const closed = await post('operations', `${path}/close`);
    expect(closed.status).toBe(200);
    const late = await post('rm', `${path}/responses`, { customer: one, response: 'accepted' }, li);
    expect([late.status, late.body.type, late.body.detail]).toStrictEqual([409, '/problems/CampaignNotRunning', 'The campaign is closed.']);
    const listed = await get('operations', 'campaigns?status=closed&q=SPRING', after(closed));
    expect(listed.body.items.map(({ id }: { id: string }) => id)).toStrictEqual([planned.body.id]);
    expect((await get('operations', 'campaigns?q=s%25v')).body.items).toStrictEqual([]);
  });

  it('is refused what it is not ready for', async () => {
    const id = await runningCampaign();
    const again = await post('operations', `campaigns/${id}/start`);
    expect([again.status, again.body.type]).toStrictEqual([409, '/problems/CampaignTransitionIllegal']);
    expect(again.body.detail).toBe('A running campaign can not be started; it can be closed.');
    expect((await post('product', `campaigns/${id}/close`)).status).toBe(403);
    expect((await post('operations', `campaigns/${randomUUID()}/start`)).status).toBe(404);
    expect((await get('operations', `campaigns/${randomUUID()}`)).status).toBe(404);
  });

  it('has days that make sense', async () => {
    const backwards = await post('product', 'campaigns', { ...plan, from: '2030-02-01', to: '2030-01-31' });
    expect([backwards.status, backwards.body.errors]).toStrictEqual([
      400,
      [{ pointer: '/to', detail: 'must not be before `from`: both days are part of the campaign' }],
    ]);
    const past = await post('product', 'campaigns', { ...plan, from: '2020-01-01', to: '2020-02-01' });
    expect([past.status, past.body.type, past.body.errors[0].pointer]).toStrictEqual([409, '/problems/CampaignInThePast', '/to']);
    expect((await post('product', 'campaigns', { ...plan, to: '2030-02-30' })).body.errors[0].pointer).toBe('/to');
  });
});

describe('what is asked of a campaign', () => {
  it('has days that every read model can keep', async () => {
    for (const [from, to, pointer] of [
      ['0000-01-01', '2199-12-31', '/from'],
      ['1899-12-31', '2199-12-31', '/from'],
      ['2026-02-30', '2199-12-31', '/from'],
    ]) {
      const answer = await post('product', 'campaigns', { name: 'x', from, to });
      expect([answer.status, answer.body.errors.map((error: { pointer: string }) => error.pointer)]).toStrictEqual([400, [pointer]]);
    }
    expect((await post('product', 'campaigns', { name: 'x', from: '1900-01-01', to: '9999-12-31' })).status).toBe(201);
  });

  it('holds to `If-Match` where it is of one thing, and is refused with it where it is of many', async () => {
    const campaignId = await runningCampaign();
    const customer = await customerOf();
    const enrolled = { customers: [customer] };
    expect((await post('operations', `campaigns/${campaignId}/enrolments`, enrolled, { 'if-match': '"0"' })).body.errors).toMatchObject([
      { pointer: 'If-Match' },
    ]);
    await post('operations', `campaigns/${campaignId}/enrolments`, enrolled);
    const respond = (response: string, etag: string) =>
      post('operations', `campaigns/${campaignId}/responses`, { customer, response }, { 'if-match': etag });
    expect(await respond('interested', '"7"')).toMatchObject({ status: 412, headers: { etag: '"0"' } });
    expect(await respond('interested', '"0"')).toMatchObject({ status: 200, headers: { etag: '"1"' } });
    expect((await respond('declined', '"0"')).status).toBe(412);
    expect((await respond('declined', 'W/"1"')).status).toBe(400);
    // Nor does it tell whether a customer of another is enrolled.
    const hidden = await Promise.all(
      [customer, randomUUID()].map((each) =>
        post('rm', `campaigns/${campaignId}/responses`, { customer: each, response: 'x' }, { subject: 'zhao', 'if-match': '"0"' }),
      ),
    );
    expect(hidden.map(({ status, body }) => [status, body.type])).toStrictEqual([
      [422, '/problems/CustomerUnknown'],
      [422, '/problems/CustomerUnknown'],
    ]);
  });

  it('names a customer once, however the id is written, and a tag as tags are', async () => {
    const campaignId = await runningCampaign();
    const customer = await customerOf();
    const twice = await post('operations', `campaigns/${campaignId}/enrolments`, { customers: [customer, customer.toUpperCase()] });
    expect(twice.body.errors).toMatchObject([{ pointer: '/customers' }]);
    for (const tag of [' ', '\u200b', 'ﷺ'.repeat(64)])
      expect((await post('operations', `campaigns/${campaignId}/enrolments`, { filter: { tag } })).body.errors).toMatchObject([
        { pointer: '/filter/tag' },
      ]);
    // Any tag that a customer can have.
    const { status, body } = await post('operations', `campaigns/${campaignId}/enrolments`, { filter: { tag: '👨‍👩‍👧‍👦'.repeat(30) } });
    expect([status, body.job]).toStrictEqual([202, expect.any(String)]);
  });
});

describe('enrolling', () => {
  it('takes effect once, whoever asks how often at the same time', async () => {
    const campaignId = await runningCampaign();
    const customerId = await customerOf();
    const asked = Array.from({ length: 32 }, (_, index): Promise<string> => {
      if (index % 2 === 0)
        return post('operations', `campaigns/${campaignId}/enrolments`, { customers: [customerId] }, { 'idempotency-key': `k${index}` }).then(
          ({ body }) => body.items[0].outcome,
        );
      return enrolBy(other, campaignId, customerId).then((outcome) => (outcome.kind === 'accepted' && outcome.events > 0 ? 'enrolled' : 'already'));
    });
    const outcomes = await Promise.all(asked);
    expect(outcomes.filter((outcome) => outcome === 'enrolled')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'already')).toHaveLength(31);
    expect(await streamOf(campaignId, customerId)).toStrictEqual(['CampaignEnrolled']);
  });

  it('under the same key gives the first answer again', async () => {
    const campaignId = await runningCampaign();
    const customers = [await customerOf()];
    const key = { 'idempotency-key': randomUUID() };
    const first = await post('operations', `campaigns/${campaignId}/enrolments`, { customers }, key);
    expect(first.body.items[0].outcome).toBe('enrolled');
    expect((await post('operations', `campaigns/${campaignId}/enrolments`, { customers }, key)).body).toStrictEqual(first.body);
    expect((await post('operations', `campaigns/${campaignId}/enrolments`, { customers })).body.items[0].outcome).toBe('already');
  });

  it('is for own customers, and tells nothing of others’', async () => {
    const campaignId = await runningCampaign();
    const own = await customerOf();
    const hidden = await customerOf({ manager: 'zhao' });
    await enrolBy(other, campaignId, hidden);
    const unknown = randomUUID();
    const answer = await post('rm', `campaigns/${campaignId}/enrolments`, { customers: [own, hidden, unknown] }, li);
    const refused = { outcome: 'refused', detail: 'There is no customer with this id that you may see.' };
    expect(answer.body).toStrictEqual({
      items: [
        { customer: own, outcome: 'enrolled' },
        { customer: hidden, ...refused },
        { customer: unknown, ...refused },
      ],
      enrolled: 1,
      already: 0,
      refused: 2,
    });
    for (const customer of [hidden, unknown]) {
      const response = await post('rm', `campaigns/${campaignId}/responses`, { customer, response: 'accepted' }, li);
      expect([response.status, response.body.errors[0].pointer]).toStrictEqual([422, '/customer']);
    }
    // Without a customer on the line there is none to see.
    expect((await post('agent', `campaigns/${campaignId}/responses`, { customer: own, response: 'accepted' })).status).toBe(422);

    await areListed([own, hidden]);
    const list = await get('rm', `campaigns/${campaignId}/enrolments?count=true`, { ...li, ...after(answer) });
    expect([list.body.items.map(({ customer }: { customer: string }) => customer), list.body.total]).toStrictEqual([[own], 1]);
    expect((await get('rm', `campaigns/${campaignId}`, li)).body.funnel.enrolled).toBe(1);
    expect((await get('agent', `campaigns/${campaignId}`)).body.funnel.enrolled).toBe(0);
    expect((await get('management', `campaigns/${campaignId}`)).body.funnel.enrolled).toBe(2);
    expect((await get('auditor', `campaigns/${campaignId}/enrolments`)).body.items).toHaveLength(2);
    expect((await get('product', `campaigns/${campaignId}/enrolments`)).status).toBe(403);
    const { rows } = await pool.query<{ ids: string[] }>(
      "select ids from access.reads where subject = 'li' and route like '%/enrolments' order by read_at desc limit 1",
    );
    expect(rows[0]?.ids).toStrictEqual([own]);
  });

  it('and responding is for who has the customer on the line', async () => {
    const campaignId = await runningCampaign();
    const [customer = '', another = ''] = await customersOf(2);
    await post('operations', `campaigns/${campaignId}/enrolments`, { customers: [customer, another] });
    const sight = { [SIGHT_HEADER]: new Sights(Buffer.alloc(32, 2)).seal(customer, { subject: 'agent-1', role: 'agent' }) };
    const responded = await post('agent', `campaigns/${campaignId}/responses`, { customer, response: 'call back' }, sight);
    expect(responded.status).toBe(200);
    expect((await post('agent', `campaigns/${campaignId}/responses`, { customer: another, response: 'call back' }, sight)).status).toBe(422);
    await areListed([customer, another]);
    const shown = await get('agent', `campaigns/${campaignId}`, { ...sight, ...after(responded) });
    expect(shown.body.funnel).toStrictEqual({ enrolled: 1, responded: 1, byResponse: { 'call back': 1 } });
    const list = await get('agent', `campaigns/${campaignId}/enrolments`, sight);
    expect(list.body.items).toMatchObject([{ customer, response: 'call back', enrolledBy: 'operations-1' }]);
  });

  it('needs either ids or a filter, each id once', async () => {
    const path = `campaigns/${await runningCampaign()}/enrolments`;
    const id = randomUUID();
    const either = 'must have either `customers`, 1 to 500 ids, or `filter`, by which a job enrols all that match';
    expect((await post('operations', path)).body.errors).toStrictEqual([{ pointer: '', detail: either }]);
    expect((await post('operations', path, { customers: [id], filter: {} })).body.errors).toStrictEqual([{ pointer: '', detail: either }]);
    expect((await post('operations', path, { customers: [id, id] })).body.errors).toStrictEqual([
      { pointer: '/customers', detail: 'names a customer twice: each must be there once' },
    ]);
    expect((await post('operations', path, { filter: { colour: 'red' } })).body.errors[0].pointer).toBe('/filter/colour');
    expect((await post('operations', path, { customers: [id], isAdmin: true })).body.errors[0].pointer).toBe('/isAdmin');
    const response = await post('operations', path.replace('enrolments', 'responses'), { customer: id, response: '=1+1' });
    expect(response.body.errors).toStrictEqual([
      {
        pointer: '/response',
        detail: 'a short label such as interested: letters, digits, spaces, _ and -, at most 50, starting with a letter or digit',
      },
    ]);
    expect((await post('operations', path, { customers: [id] }, { 'idempotency-key': 'a b' })).status).toBe(400);
    expect((await post('operations', `campaigns/${randomUUID()}/enrolments`, { customers: [id] })).status).toBe(404);
    expect((await post('operations', `campaigns/${randomUUID()}/enrolments`, { filter: {} })).status).toBe(404);
  });

  it('comes before a response', async () => {
    const campaignId = await runningCampaign();
    const answer = await post('operations', `campaigns/${campaignId}/responses`, { customer: await customerOf(), response: 'accepted' });
    expect([answer.status, answer.body.type]).toStrictEqual([409, '/problems/NotEnrolled']);
  });
});

describe('whose enrolments count', () => {
  it('are those of the customers that one may see', async () => {
    const [first = ''] = await Promise.all([customerOf(), customerOf({ manager: 'zhao' }), customerOf({ manager: 'zhao', branch: '4200' })]);
    await areListed([first]);
    const db = new Kysely<EnrolmentTables>({ dialect: new PostgresDialect({ pool }) }).withSchema('read');
    const rows = await db.selectFrom('customers').select(['id', 'manager', 'branch']).execute();
    const sizes = new Set<number>();
    // Product and management see figures and no customer.
    for (const role of Role.options.filter((one) => one !== 'product' && one !== 'management'))
      for (const scope of ['bank', 'branch:4200', 'branch:9'] as const)
        for (const sight of [undefined, first]) {
          const actor: Actor = { subject: 'zhao', role, scope, ...(sight === undefined ? {} : { sight }) };
          const seen = (await customersWithin(db, actor)?.execute()) ?? rows;
          const expected = rows.filter((row) => customerVisibleTo(row, actor)).map(({ id }) => id);
          expect(seen.map(({ id }) => id).toSorted(), JSON.stringify(actor)).toStrictEqual(expected.toSorted());
          sizes.add(expected.length);
        }
    expect(sizes.size).toBeGreaterThan(3);
  });
});

describe('a job', () => {
  type Execute = (command: AnyCommand, request: CommandRequest) => Promise<Outcome>;
  const workerOf = (execute: Execute = (command, request) => other.execute(command, request)) => enrolmentJobs({ pool, log, handler: { execute } });
  const jobOf = async (id: string, subject?: { subject: string }) => (await get(subject ? 'rm' : 'operations', `jobs/${id}`, subject)).body;
  const request = async (campaignId: string, filter: unknown) => {
    const answer = await post('operations', `campaigns/${campaignId}/enrolments`, { filter });
    await get('operations', `jobs/${answer.body.job}`, after(answer));
    return answer.body.job as string;
  };
  /** Until it is finished, each page by a worker that remembers nothing. */
  const finish = (id: string) =>
    until(async () => {
      await workerOf().workOnPage();
      const job = await jobOf(id);
      return job.status === 'finished' && job;
    });
  const oneEach = async (campaignId: string, customers: readonly string[]) => {
    const types = await Promise.all(customers.map((id) => streamOf(campaignId, id)));
    expect(types.every((list) => list.length === 1)).toBe(true);
  };
  let many: readonly string[] = [];
  beforeAll(async () => {
    many = await customersOf(450, { tag: 'many', manager: 'sun' });
    await areListed(many);
  });

  it('is one under one key, and works for who asked with their sight', async () => {
    const campaignId = await runningCampaign();
    const own = await customersOf(3, { tag: 'gold', manager: 'qian' });
    const hidden = await customersOf(2, { tag: 'gold', manager: 'zhao' });
    await areListed([...own, ...hidden]);
    const key = { subject: 'qian', 'idempotency-key': randomUUID() };
    const asked = await post('rm', `campaigns/${campaignId}/enrolments`, { filter: { tag: ' GOLD' } }, key);
    const id = asked.body.job;
    expect([asked.status, asked.headers.location, asked.body.href]).toStrictEqual([202, `/v1/jobs/${id}`, `/v1/jobs/${id}`]);
    expect((await post('rm', `campaigns/${campaignId}/enrolments`, { filter: { tag: ' GOLD' } }, key)).body.job).toBe(id);
    expect((await post('rm', `campaigns/${campaignId}/enrolments`, { filter: { tag: 'silver' } }, key)).status).toBe(422);
    const elsewhere = await runningCampaign();
    expect((await post('rm', `campaigns/${elsewhere}/enrolments`, { filter: { tag: ' GOLD' } }, key)).status).toBe(422);

    expect((await get('rm', `jobs/${id}`, { subject: 'qian', ...after(asked) })).body).toMatchObject({
      status: 'running',
      filter: { tag: 'gold' },
      requestedBy: 'qian',
      enrolled: 0,
    });
    expect((await get('rm', `jobs/${id}`, li)).status).toBe(404);
    await enrolBy(other, campaignId, own[0] ?? '');
    const worker = workerOf();
    worker.start();
    const done = await until(async () => {
      const job = await jobOf(id, { subject: 'qian' });
      return job.status === 'finished' && job;
    });
    await worker.stop();
    expect(done).toMatchObject({ enrolled: 2, already: 1, refused: 0, detail: null });
    await oneEach(campaignId, own);
    expect(await Promise.all(hidden.map((customerId) => streamOf(campaignId, customerId)))).toStrictEqual([[], []]);
  });

  it('goes on where it stopped, wherever that was', async () => {
    for (const [kind, at] of [
      ['EnrolCustomer', 90],
      ['EnrolCustomer', 290],
      ['AdvanceEnrolment', 1],
      ['FinishEnrolment', 1],
    ] as const) {
      const campaignId = await runningCampaign(`${kind} ${at}`);
      const id = await request(campaignId, { tag: 'many' });
      let left = at as number;
      const failing = workerOf(async (command, asked) => {
        if (command.name === kind && asked.correlationId === id) left -= 1;
        if (left <= 0) throw new Error('the process is gone');
        return other.execute(command, asked);
      });
      await until(async () =>
        failing.workOnPage().then(
          () => false,
          () => true,
        ),
      );
      const done = await finish(id);
      expect(done, `${kind} ${at}`).toMatchObject({ enrolled: 450, already: 0, refused: 0 });
      await oneEach(campaignId, many);
    }
  });

  it('counts right when its worker’s process was another at every page, and lost its answer', async () => {
    const campaignId = await runningCampaign();
    const id = await request(campaignId, { tag: 'many' });
    const lost = workerOf(async (command, asked) => {
      await anotherHandler().execute(command, asked);
      throw new Error('the answer is lost');
    });
    await expect(lost.workOnPage()).rejects.toThrow('the answer is lost');
    expect(await finish(id)).toMatchObject({ enrolled: 450, already: 0, refused: 0 });
    await oneEach(campaignId, many);
  });

  it('is counted once when two work at it', async () => {
    const campaignId = await runningCampaign();
    const id = await request(campaignId, { tag: 'many' });
    const workers = [workerOf(), workerOf((command, asked) => anotherHandler().execute(command, asked))];
    for (const worker of workers) worker.start();
    const done = await until(async () => {
      const job = await jobOf(id);
      return job.status === 'finished' && job;
    });
    await Promise.all(workers.map((worker) => worker.stop()));
    expect(done).toMatchObject({ enrolled: 450, already: 0, refused: 0 });
    const types = (await api.journal.readStream(`job-${id}`)).map(({ type }) => type);
    expect(types).toStrictEqual(['EnrolmentRequested', 'EnrolmentAdvanced', 'EnrolmentAdvanced', 'EnrolmentFinished']);
    await oneEach(campaignId, many);
  });

  it('ends when its campaign is closed, and says so', async () => {
    const campaignId = await runningCampaign();
    const id = await request(campaignId, { tag: 'many' });
    await workerOf().workOnPage();
    const closed = await post('operations', `campaigns/${campaignId}/close`);
    await get('operations', `campaigns/${campaignId}`, after(closed));
    expect(await finish(id)).toMatchObject({ enrolled: 200, already: 0, refused: 0, detail: 'The campaign was closed before all were enrolled.' });
    expect((await post('operations', `campaigns/${campaignId}/enrolments`, { filter: {} })).status).toBe(409);
  });

  it('ends within its page where the campaign is closed meanwhile', async () => {
    const campaignId = await runningCampaign();
    const id = await request(campaignId, { tag: 'many' });
    let left = 50;
    const worker = workerOf(async (command, asked) => {
      if (command.name === 'EnrolCustomer' && left-- <= 0) {
        await post('operations', `campaigns/${campaignId}/close`);
        return anotherHandler().execute(command, asked);
      }
      return other.execute(command, asked);
    });
    expect(await worker.workOnPage()).toBe(true);
    const done = await until(async () => {
      const job = await jobOf(id);
      return job.status === 'finished' && job;
    });
    expect(done).toMatchObject({ enrolled: 50, already: 0, refused: 0, detail: 'The campaign was closed before all were enrolled.' });
  });
});

describe('the funnel report', () => {
  it('tells each campaign’s rates, of own customers to their manager, as JSON and as a table', async () => {
    const campaignId = await runningCampaign('=Funnel, "one"');
    const own = await customersOf(3, { manager: 'wu' });
    const others = await customersOf(1);
    await areListed([...own, ...others]);
    await post('operations', `campaigns/${campaignId}/enrolments`, { customers: [...own, ...others] });
    const responses = [
      [own[0], 'accepted'],
      [own[1], 'declined'],
      [others[0], 'accepted'],
    ] as const;
    let last = { headers: {} as Record<string, string> };
    for (const [customer, response] of responses) last = await post('operations', `campaigns/${campaignId}/responses`, { customer, response });

    const find = (items: { campaign: string }[]) => items.find(({ campaign }) => campaign === campaignId);
    const all = await get('operations', 'reports/campaign-funnel?status=running', after(last));
    expect(find(all.body.items)).toStrictEqual({
      campaign: campaignId,
      name: '=Funnel, "one"',
      status: 'running',
      from: plan.from,
      to: plan.to,
      enrolled: 4,
      responded: 3,
      byResponse: { accepted: 2, declined: 1 },
      responseRate: 0.75,
    });
    const sums = (all.body.items as { enrolled: number }[]).reduce((total, { enrolled }) => total + enrolled, 0);
    expect(all.body.totals.enrolled).toBe(sums);
    const wu = await get('rm', 'reports/campaign-funnel', { subject: 'wu' });
    expect(find(wu.body.items)).toMatchObject({ enrolled: 3, responded: 2, byResponse: { accepted: 1, declined: 1 }, responseRate: 0.6667 });
    expect(wu.body.totals).toStrictEqual({ enrolled: 3, responded: 2, responseRate: 0.6667 });
    const nobody = await get('rm', 'reports/campaign-funnel', { subject: 'nobody' });
    expect(find(nobody.body.items)).toMatchObject({ enrolled: 0, responseRate: null });

    const table = await get('management', 'reports/campaign-funnel', { accept: 'text/csv' });
    const [header, ...lines] = table.text.split('\r\n');
    expect(header).toBe('campaign,name,status,from,to,enrolled,responded,responseRate,responses');
    expect(lines.find((line) => line.startsWith(campaignId))).toBe(
      `${campaignId},"'=Funnel, ""one""",running,2026-03-01,2199-12-31,4,3,0.75,accepted 2; declined 1`,
    );
    expect((await get('agent', 'reports/campaign-funnel')).status).toBe(403);
  });

  it('is of the past where a replay is named', async () => {
    const campaignId = await runningCampaign('Replayed');
    const customers = await customersOf(2, { manager: 'zheng' });
    await areListed(customers);
    await post('operations', `campaigns/${campaignId}/enrolments`, { customers });
    const { position } = await api.journal.head();
    const last = await post('operations', `campaigns/${campaignId}/responses`, { customer: customers[0], response: 'accepted' });

    const keyring = new Keyring(pool, [{ version: 1, key: Buffer.alloc(32, 1) }]);
    const opener = new Opener('journal of the tests', keyring);
    const schema = replaySchema('before');
    await replay({
      journal: api.journal,
      codec: new EventCodec('journal of the tests', eventDefinitions),
      pool,
      projections: projections.filter(({ name }) => name === 'campaigns' || name === 'enrolments'),
      personals: { openMany: (values) => opener.openMany(values), tokens: () => [] },
      schema,
      bankZone: 'Asia/Shanghai',
      toPosition: position,
    });
    await recordReplay(pool, { name: 'before', schema, projections: ['campaigns', 'enrolments'], position });
    const shown = async (query: string) => (await get('rm', `reports/campaign-funnel${query}`, { subject: 'zheng' })).body.totals;
    expect(await shown('?replay=before')).toStrictEqual({ enrolled: 2, responded: 0, responseRate: 0 });
    await get('operations', `campaigns/${campaignId}`, after(last));
    expect(await shown('')).toStrictEqual({ enrolled: 2, responded: 1, responseRate: 0.5 });
    expect((await get('operations', 'reports/campaign-funnel?replay=never')).status).toBe(400);
  });
});

function enrolBy(handler: CommandHandler, campaignId: string, customerId: string): Promise<Outcome> {
  return handler.execute(enrolCustomer, {
    params: { campaignId, customerId },
    body: {},
    actor: { subject: 'wang', role: 'operations' },
    channel: 'rest',
    correlationId: 'test',
  });
}
