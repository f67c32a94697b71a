// Two of each part on one database, under a light load: whoever of them dies, freezes or is cut off, another goes on within 10 s, nothing is
// done twice and nothing is left out. SHIJI_TEST_SIZE=full freezes for a minute.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projections } from '../../src/projections/all.ts';
import { type Answer, type Caller, until } from '../support/client.ts';
import { Cluster, isFull, type Member } from '../support/cluster.ts';
import { SteadyLoad } from '../support/steady-load.ts';
import { expectWhole } from '../support/whole.ts';

const TAKEN_OVER_MS = 10_000;
const FROZEN_MS = isFull ? 60_000 : 15_000;
/** Longer than a statement may take, in full. */
const SILENT_MS = isFull ? 45_000 : 1_000;
const LOST = 'a lease was lost to another process';
const names = projections.map(({ name }) => name);

let cluster: Cluster;
let apis: Member[];
/** In the order in which they stand in line. */
let projectors: Member[];

const as = (role: 'agent' | 'operations' | 'auditor', subject: string): Caller[] => apis.map((api) => api.as(role, subject));
const startLoad = (): SteadyLoad => {
  const agents = as('agent', 'alice');
  const operators = as('operations', 'ops');
  return new SteadyLoad({ agents: () => agents, operators: () => operators });
};

beforeAll(async () => {
  cluster = await Cluster.open();
  // The first has all leases before the second asks for one.
  projectors = [await cluster.start('projector')];
  const others = (['api', 'api', 'projector', 'worker', 'worker'] as const).map((part) => cluster.start(part));
  const [one, other, second] = (await Promise.all(others)) as [Member, Member, Member];
  apis = [one, other];
  projectors.push(second);
}, 60_000);
afterAll(async () => {
  await cluster?.close();
}, 60_000);

async function holders(): Promise<{ holder: string; fences: number }> {
  const { rows } = await cluster.pool.query<{ holder: string; fence: string }>(
    'select holder, fence from engine.leases where name = any($1) and until > clock_timestamp()',
    [names],
  );
  const all = new Set(rows.map(({ holder }) => holder));
  return {
    holder: rows.length === names.length && all.size === 1 ? `${[...all]}` : '',
    fences: rows.reduce((sum, row) => sum + Number(row.fence), 0),
  };
}

/** Breaks whoever works, and tells how long it took until another had committed all that was written by then. */
async function takenOver(what: string, breakIt: () => unknown): Promise<string> {
  const before = (await until(async () => ((await holders()).holder === '' ? false : holders()))).holder;
  const { rows } = await cluster.pool.query<{ position: string }>('select position from journal.head');
  const sinceMs = performance.now();
  await breakIt();
  await until(async () => {
    const { rows: left } = await cluster.pool.query<{ n: number }>(
      `select count(*)::int as n from unnest($1::text[]) p(name)
        where not exists (select from engine.checkpoints c join engine.leases l on l.name = c.projection and l.fence = c.fence
                           where c.projection = p.name and c.position > $2 and l.holder <> $3)`,
      [names, rows[0]?.position, before],
    );
    return left[0]?.n === 0;
  }, TAKEN_OVER_MS);
  process.stdout.write(`${what}: another had committed after ${Math.round(performance.now() - sinceMs)} ms\n`);
  return (await until(async () => (await holders()).holder || false)) as string;
}

/** The load ends, and nothing it was told is untrue. */
async function settle(load: SteadyLoad): Promise<void> {
  await load.stop();
  expect(load.failures).toStrictEqual([]);
  expect(load.acknowledged.length).toBeGreaterThan(50);
  await expectWhole(cluster, load.acknowledged);
}

describe('of two projectors', () => {
  it('one works all projections; killed, another goes on, nothing twice and nothing missed (E15 F12 F13)', async () => {
    const load = startLoad();
    const before = await until(async () => ((await holders()).holder === '' ? false : holders()));
    await sleep(3_000);
    // It is renewed, not taken anew.
    expect(await holders()).toStrictEqual(before);
    const [first, second] = projectors as [Member, Member];
    const after = await takenOver('projector killed', () => cluster.kill(first));
    expect(after).not.toBe(before.holder);
    projectors = [second, await cluster.start('projector')];
    await settle(load);
  }, 60_000);

  it(
    'a frozen one is replaced and, thawed, refused (E10 F11 F12)',
    async () => {
      const load = startLoad();
      const [frozen, next] = projectors as [Member, Member];
      const sinceMs = performance.now();
      const after = await takenOver('projector frozen', () => frozen.server.kill('SIGSTOP'));
      await sleep(FROZEN_MS - (performance.now() - sinceMs));
      const { fences } = await holders();
      frozen.server.kill('SIGCONT');
      await until(async () => cluster.messagesOf(frozen).includes(LOST));
      await sleep(2_000);
      expect(await holders()).toStrictEqual({ holder: after, fences });
      projectors = [next, frozen];
      await settle(load);
    },
    FROZEN_MS + 45_000,
  );

  it('one whose link to Postgres is cut, or goes silent, is replaced and stands by once it is back (E9 F26 F31)', async () => {
    const load = startLoad();
    const [first, second] = projectors as [Member, Member];
    await takenOver('link cut', () => first.link.cut());
    first.link.heal();
    const after = await takenOver('link silent', () => second.link.freeze());
    const { fences } = await holders();
    second.link.heal();
    await until(async () => cluster.messagesOf(second).includes(LOST));
    await sleep(2_000);
    expect(await holders()).toStrictEqual({ holder: after, fences });
    await settle(load);
  }, 60_000);
});

describe('two APIs, while others write', () => {
  const ticket = { type: 'inquiry', priority: 'normal', channel: 'wechat', summary: 'Where is my card' };
  const shown = ({ status, headers, body }: Answer): string => `${status} ${headers.get('etag')} ${JSON.stringify(body)}`;
  let load: SteadyLoad;
  let agents: [Caller, Caller];
  let operators: [Caller, Caller];

  beforeAll(() => {
    load = startLoad();
    agents = as('agent', 'alice') as [Caller, Caller];
    operators = as('operations', 'ops') as [Caller, Caller];
  });
  afterAll(async () => {
    await settle(load);
  }, 30_000);

  it('do one key once and answer alike, whichever is asked (E18 F2 F5)', async () => {
    for (let n = 0; n < 20; n += 1) {
      const headers = { 'idempotency-key': randomUUID() };
      const answers = await Promise.all(agents.flatMap((agent) => [agent, agent]).map((agent) => agent.post('/v1/tickets', ticket, headers)));
      expect(new Set(answers.map(shown)).size).toBe(1);
      expect(answers[0]?.status).toBe(201);
      const path = `/v1/tickets/${answers[0]?.body.id}/assign`;
      const assigned = await Promise.all(agents.map((agent) => agent.post(path, { to: 'alice' }, headers)));
      expect(new Set(assigned.map(shown)).size).toBe(1);
      expect(assigned[0]?.body).toMatchObject({ revision: 1 });
      expect((await agents[n % 2]?.post(path, { to: 'bob' }, headers))?.status).toBe(422);
    }
  }, 30_000);

  it('let one of two have a document that both are asked to register (F8)', async () => {
    for (let n = 0; n < 10; n += 1) {
      const documents = [{ type: 'passport', number: `E${10_000_000 + n}`, country: 'CN' }];
      const answers = await Promise.all(
        operators.map((operator, at) => operator.post('/v1/customers', { kind: 'person', name: `王小明 ${at}`, documents, branch: '3100' })),
      );
      expect(answers.map(({ status }) => status).toSorted()).toStrictEqual([201, 409]);
    }
  }, 30_000);

  it('take each other’s ETags, and refuse the one before (F7)', async () => {
    const [here, there] = agents;
    for (let n = 0; n < 10; n += 1) {
      const opened = await here.post<{ id: string }>('/v1/tickets', ticket);
      const path = `/v1/tickets/${opened.body.id}`;
      const read = await there.get(path, { 'shiji-after': `${opened.headers.get('shiji-position')}` });
      const etag = `${read.headers.get('etag')}`;
      const both = await Promise.all(
        agents.map((agent) => agent.post(`${path}/assign`, { to: agent === here ? 'alice' : 'bob' }, { 'if-match': etag })),
      );
      expect(both.map(({ status }) => status).toSorted()).toStrictEqual([200, 412]);
    }
  }, 30_000);

  it('never decide on what they remember after the other has moved the stream', async () => {
    const [here, there] = agents;
    for (let n = 0; n < 10; n += 1) {
      const { body } = await here.post<{ id: string }>('/v1/tickets', ticket);
      const path = `/v1/tickets/${body.id}`;
      const steps: [Caller, string, unknown, number][] = [
        [there, 'assign', { to: 'alice' }, 200],
        [here, 'start', {}, 200],
        [there, 'resolve', { resolution: 'Sent' }, 200],
        // Each remembers the ticket from before the other's last step: legal there, and no more.
        [here, 'start', {}, 409],
        [here, 'reopen', { reason: 'It did not come' }, 200],
        [there, 'start', {}, 200],
        [here, 'resolve', { resolution: 'Sent again' }, 200],
        [there, 'start', {}, 409],
        [here, 'close', {}, 200],
        [there, 'start', {}, 409],
      ];
      for (const [caller, step, what, status] of steps)
        expect([step, (await caller.post(`${path}/${step}`, what)).status]).toStrictEqual([step, status]);
    }
  }, 30_000);

  it('enrol nobody at one in a campaign that was closed at the other', async () => {
    const [here, there] = operators;
    const enrol = (operator: Caller, campaign: string, customer: string) =>
      operator.post<{ results?: unknown }>(`/v1/campaigns/${campaign}/enrolments`, { customers: [customer] });
    for (let n = 0; n < 5; n += 1) {
      const customers = await Promise.all(
        [1, 2].map(async (at) => (await here.post<{ id: string }>('/v1/customers', { kind: 'person', name: `Mia ${at}`, branch: '3100' })).body.id),
      );
      const { body } = await here.post<{ id: string }>('/v1/campaigns', { name: 'Spring savings', from: '2026-03-01', to: '2199-12-31' });
      expect((await there.post(`/v1/campaigns/${body.id}/start`, {})).status).toBe(200);
      const before = await enrol(here, body.id, `${customers[0]}`);
      expect((await there.post(`/v1/campaigns/${body.id}/close`, {})).status).toBe(200);
      const after = await enrol(here, body.id, `${customers[1]}`);
      const { rows } = await cluster.pool.query<{ customer: string }>(
        `select data::json ->> 'customerId' as customer from journal.events where type = 'CampaignEnrolled' and data::json ->> 'campaignId' = $1`,
        [body.id],
      );
      expect({ before: before.status, after: after.body, enrolled: rows.map(({ customer }) => customer) }).toMatchObject({
        before: 200,
        enrolled: [customers[0]],
      });
    }
  }, 30_000);

  it('show at one what was written at the other, by its Shiji-After (F9 F12)', async () => {
    const tookMs: number[] = [];
    for (let n = 0; n < 40; n += 1) {
      const [here, there] = n % 2 === 0 ? agents : ([...agents].reverse() as [Caller, Caller]);
      const opened = await here.post<{ id: string }>('/v1/tickets', ticket);
      const after = { 'shiji-after': `${opened.headers.get('shiji-position')}` };
      const sinceMs = performance.now();
      const [one, list] = await Promise.all([
        there.get(`/v1/tickets/${opened.body.id}`, after),
        there.get<{ items: { id: string }[] }>('/v1/tickets?limit=50', after),
      ]);
      tookMs.push(performance.now() - sinceMs);
      expect(one.status).toBe(200);
      expect(list.body.items.map(({ id }) => id)).toContain(opened.body.id);
    }
    process.stdout.write(`read at the other API after ${Math.round(tookMs.toSorted((a, b) => a - b)[20] ?? 0)} ms (p50)\n`);
  }, 30_000);
});

describe('an API whose link to Postgres goes silent', () => {
  it(
    'is not ready, leaves a command whose outcome it does not know to its retry, and is itself again afterwards (F25 F26)',
    async () => {
      const [silent, other] = apis as [Member, Member];
      const ticket = { type: 'inquiry', priority: 'normal', channel: 'wechat', summary: 'Where is my card' };
      const headers = { 'idempotency-key': randomUUID() };
      const here = silent.as('agent', 'alice');
      await here.post('/v1/tickets', ticket);
      silent.link.freeze();
      const asked = here.post('/v1/tickets', ticket, headers);
      expect((await here.get('/health/ready')).status).toBe(503);
      const answer = await other.as('agent', 'alice').post('/v1/tickets', ticket, headers);
      expect(answer.status).toBe(201);
      await sleep(SILENT_MS);
      silent.link.heal();
      const late = await asked;
      // Past the limit of a statement it was told to try again.
      expect([late.status, late.headers.get('retry-after')]).toStrictEqual(isFull ? [503, '1'] : [201, null]);
      const again = await until(async () => {
        const retried = await here.post('/v1/tickets', ticket, headers);
        return retried.status === 201 && retried;
      }, TAKEN_OVER_MS);
      expect(again.body).toStrictEqual(answer.body);
      expect((await here.get('/health/ready')).status).toBe(200);
    },
    SILENT_MS + 30_000,
  );
});
