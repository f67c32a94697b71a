// Four eyes through the API: a change is proposed, decided on by another, and carried out as its maker's, once, whatever breaks in between.
import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SIGHT_HEADER, Sights } from '../../src/api/sights.ts';
import { PostgresClaims } from '../../src/claims/postgres-claims.ts';
import { allCommands } from '../../src/commands/all.ts';
import { grantApproval } from '../../src/commands/approval.ts';
import { sourceIdOf } from '../../src/commands/command-id.ts';
import { FourEyes } from '../../src/commands/four-eyes.ts';
import { CommandHandler } from '../../src/commands/handler.ts';
import { eventDefinitions } from '../../src/domain/events.ts';
import type { Role } from '../../src/domain/kernel/roles.ts';
import { EventCodec } from '../../src/journal/codec.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { Keyring } from '../../src/journal/keyring.ts';
import { Opener } from '../../src/journal/sealing.ts';
import { createLogger } from '../../src/logging.ts';
import { ApprovalWorker } from '../../src/processes/approvals.ts';
import { projections } from '../../src/projections/all.ts';
import { createTestApi, type TestApi } from '../support/api-server.ts';
import { until } from '../support/client.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let api: TestApi;
let nowMs = Date.parse('2026-03-03T01:00:00.000Z');
const log = createLogger({ level: 'fatal' });

beforeAll(async () => {
  database = await createTestDatabase();
  api = await createTestApi(database, { contexts: true, clockMs: () => nowMs });
});
afterAll(async () => {
  await api.close();
  await database.drop();
});

type Headers = Record<string, string>;
interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the API answers
  readonly body: any;
}
async function send(
  method: 'GET' | 'POST',
  [role, subject]: readonly [Role, string],
  path: string,
  body?: unknown,
  headers: Headers = {},
): Promise<Answer> {
  const answer = await api.app.inject({
    method,
    url: `/v1/${path}`,
    headers: { ...api.as(role, subject), ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
  });
  return { status: answer.statusCode, headers: answer.headers as Headers, body: answer.json() };
}
const post = (who: readonly [Role, string], path: string, body: unknown = {}, headers?: Headers) => send('POST', who, path, body, headers);
const get = (who: readonly [Role, string], path: string, headers?: Headers) => send('GET', who, path, undefined, headers);
/** The token is its asker's own: whoever reads waits by their own means. */
const when = async (check: () => Promise<boolean>): Promise<void> => void (await until(check));

const li = ['rm', 'li'] as const;
const ops = ['operations', 'ops'] as const;
const ria = ['risk', 'ria'] as const;
const ada = ['auditor', 'ada'] as const;

const passport = () => ({ type: 'passport', number: `E${randomInt(1e8, 1e9)}`, expiresOn: '2030-01-01' });
async function customerOf(manager = 'li', documents: readonly object[] = []): Promise<string> {
  const answer = await post(ops, 'customers', { kind: 'person', name: '王小明', manager, documents });
  expect(answer.status).toBe(201);
  await when(async () => (await get(ops, `customers/${answer.body.id}`)).status === 200);
  return answer.body.id;
}
const correct = (customer: string, headers?: Headers, name = '王晓明', who: readonly [Role, string] = li) =>
  post(who, `customers/${customer}/name`, { name, reason: 'household register seen' }, headers);
async function proposed(customer: string): Promise<string> {
  const answer = await correct(customer);
  expect(answer.status).toBe(202);
  return answer.body.approval;
}
const typesOn = async (stream: string): Promise<string[]> => (await api.journal.readStream(stream)).map(({ type }) => type);
const listed = (id: string, state: string) =>
  when(async () => (await get(ada, `approvals?state=${state}`)).body.items.some((item: { id: string }) => item.id === id));

/** Another process: a memory, policies and streams of its own over the same journal. */
function another(journal: Journal = api.journal): { handler: CommandHandler; fourEyes: FourEyes; worker: ApprovalWorker } {
  const keyring = new Keyring(api.pool, [{ version: 1, key: Buffer.alloc(32, 1) }]);
  const codec = new EventCodec('journal of the tests', eventDefinitions);
  const opener = new Opener('journal of the tests', keyring);
  const now = () => nowMs;
  const handler = new CommandHandler({ journal, codec, keyring, opener, now, claims: new PostgresClaims(api.pool, Buffer.alloc(32, 5)) });
  const fourEyes = new FourEyes({ handler, journal, codec, opener, now, commands: allCommands(projections.map(({ name }) => name)) });
  return { handler, fourEyes, worker: new ApprovalWorker({ pool: api.pool, handler, fourEyes, now, log, graceMs: 0 }) };
}
/** Granted, and then the process died. */
async function grantedAlone(id: string): Promise<void> {
  const outcome = await another().handler.execute(grantApproval, {
    params: { approvalId: id },
    body: {},
    actor: { subject: 'ops', role: 'operations' },
    channel: 'rest',
    correlationId: 'test',
  });
  expect(outcome.kind).toBe('accepted');
}

describe('a change that the policy names', () => {
  it('is proposed, approved by another, and done as its maker’s', async () => {
    const customer = await customerOf();
    const asked = await correct(customer);
    const id = asked.body.approval;
    expect([asked.status, asked.headers.location, asked.body]).toStrictEqual([
      202,
      `/v1/approvals/${id}`,
      { approval: id, href: `/v1/approvals/${id}`, expiresAt: '2026-03-06T01:00:00.000Z' },
    ]);
    expect(await typesOn(`customer-${customer}`)).toStrictEqual(['CustomerRegistered']);

    const inList = (await get(ops, 'approvals?for=me', { 'shiji-after': '' })).status;
    expect(inList).toBe(400);
    await listed(id, 'waiting');
    const toMe = (await get(ops, 'approvals?for=me')).body.items.find((item: { id: string }) => item.id === id);
    expect(toMe).toMatchObject({ mayDecide: true, diff: [{ field: 'name', before: '王*', after: '王*' }], by: { subject: 'li', role: 'rm' } });
    expect((await get(li, 'approvals?for=mine')).body.items[0]).toMatchObject({ id, mayDecide: false, command: 'CorrectName', customer });

    const pending = [{ approval: id, command: 'CorrectName', fields: ['name'], by: 'li', expiresAt: asked.body.expiresAt }];
    expect((await get(li, `customers/${customer}`)).body).toMatchObject({ name: '王小明', pending });

    const done = await post(ops, `approvals/${id}/approve`);
    expect([done.status, done.body]).toStrictEqual([
      200,
      { id, revision: 2, state: 'carried-out', failure: null, carriedOut: { stream: `customer-${customer}`, revision: 1 } },
    ]);
    const [, corrected] = await api.journal.readStream(`customer-${customer}`);
    const [, granted] = await api.journal.readStream(`approval-${id}`);
    expect(JSON.parse(corrected?.metadata ?? '')).toMatchObject({ actor: { subject: 'li', role: 'rm' }, $causationId: granted?.id });
    await when(async () => (await get(li, `customers/${customer}`)).body.name === '王晓明');
    expect((await get(li, `customers/${customer}`)).body).toMatchObject({ nameFrom: 'own', conflicts: [], pending: [] });
  });

  it('is done on behalf of whom its maker asked for', async () => {
    const customer = await customerOf();
    const asked = await correct(customer, { authorization: `Bearer ${api.token('rm', { subject: 'li', onBehalfOf: 'branch-7' })}` });
    expect((await post(ops, `approvals/${asked.body.approval}/approve`)).body).toMatchObject({ state: 'carried-out' });
    const [, corrected] = await api.journal.readStream(`customer-${customer}`);
    expect(JSON.parse(corrected?.metadata ?? '').actor).toStrictEqual({ subject: 'li', role: 'rm', onBehalfOf: 'branch-7' });
  });

  it('shows its approver the one diff plain and records that, and stays masked for the rest', async () => {
    const customer = await customerOf();
    const id = await proposed(customer);
    const plain = await get(ops, `approvals/${id}`);
    expect(plain.body).toMatchObject({ diff: [{ field: 'name', before: '王小明', after: '王晓明' }], reason: 'household register seen', masked: [] });
    for (const who of [li, ada]) {
      const shown = (await get(who, `approvals/${id}`)).body;
      expect([shown.mayDecide, shown.diff, shown.reason, shown.masked]).toStrictEqual([
        false,
        [{ field: 'name', before: '王*', after: '王*' }],
        null,
        ['name', 'reason'],
      ]);
    }
    const { rows } = await api.pool.query('select fields, ids from access.reads where subject = $1 and route = $2 order by read_at desc limit 1', [
      'ops',
      '/v1/approvals/{approvalId}',
    ]);
    expect(rows[0]).toStrictEqual({ fields: ['name', 'reason'], ids: [id, customer] });
    await post(ops, `approvals/${id}/reject`, { reason: 'no paper was shown' });
    expect((await get(ops, `approvals/${id}`)).body).toMatchObject({ state: 'rejected', diff: [{ after: '王*' }], rejection: null });
  });

  it('is never its maker’s to decide in another role, nor an administrator’s', async () => {
    const customer = await customerOf();
    const id = await proposed(customer);
    for (const role of ['operations', 'risk'] as const) {
      const own = await post([role, 'li'], `approvals/${id}/approve`);
      expect([own.status, own.body.type]).toStrictEqual([403, '/problems/OwnProposal']);
      expect((await post([role, 'li'], `approvals/${id}/reject`, { reason: 'x' })).status).toBe(403);
    }
    for (const role of ['administrator', 'auditor', 'rm', 'management', 'integration'] as const)
      expect((await post([role, 'wu'], `approvals/${id}/approve`)).status, role).toBe(403);
    expect((await get(['operations', 'li'], `approvals/${id}`)).body).toMatchObject({ mayDecide: false, diff: [{ after: '王*' }] });
    expect((await get(['operations', 'li'], 'approvals?for=me')).body.items.map((item: { id: string }) => item.id)).not.toContain(id);
    const branch = { authorization: `Bearer ${api.token('operations', { subject: 'bea', scope: 'branch:3100' })}` };
    expect((await post(ops, `approvals/${id}/approve`, {}, branch)).status).toBe(404);
    expect((await get(ops, `approvals/${id}`, branch)).status).toBe(404);
    expect((await get(['rm', 'wu'], `approvals/${id}`)).status).toBe(404);
    expect(await typesOn(`customer-${customer}`)).toStrictEqual(['CustomerRegistered']);
  });

  it('is kept when it is rejected or withdrawn, and nothing else is decided then', async () => {
    const customer = await customerOf();
    const [one, other] = [await proposed(customer), await proposed(customer)];
    expect((await post(ria, `approvals/${one}/reject`, {})).body.errors[0].pointer).toBe('/reason');
    expect((await post(ria, `approvals/${one}/reject`, { reason: 'no paper was shown' })).body).toMatchObject({ state: 'rejected' });
    expect((await post(ops, `approvals/${one}/approve`)).body).toMatchObject({ type: '/problems/ApprovalOver' });
    expect((await post(ops, `approvals/${other}/withdraw`)).body).toMatchObject({ type: '/problems/NotTheMaker' });
    expect((await post(['rm', 'wu'], `approvals/${other}/withdraw`)).status).toBe(404);
    expect((await post(li, `approvals/${other}/withdraw`)).body).toMatchObject({ state: 'withdrawn' });
    expect((await post(ops, `approvals/${other}/approve`)).status).toBe(409);
    expect(await typesOn(`approval-${one}`)).toStrictEqual(['ApprovalRequested', 'ApprovalRejected']);
  });

  it('is the same proposal under the same key, after it was done as well, and another body is refused', async () => {
    const customer = await customerOf();
    const key = { 'idempotency-key': 'a-lost-answer' };
    const [asked, again] = [await correct(customer, key), await correct(customer, key)];
    expect([again.status, again.body]).toStrictEqual([202, asked.body]);
    expect((await correct(customer, key, '王小小')).status).toBe(422);
    const decision = { 'idempotency-key': 'decided' };
    const first = await post(ops, `approvals/${asked.body.approval}/approve`, {}, decision);
    const retried = await post(ops, `approvals/${asked.body.approval}/approve`, {}, decision);
    expect([retried.status, retried.body]).toStrictEqual([200, first.body]);
    expect((await correct(customer, key)).body).toStrictEqual(asked.body);
    expect(
      await another().fourEyes.execute(allCommands([]).find(({ name }) => name === 'CorrectName') as never, {
        params: { customerId: customer },
        body: { name: '王晓明', reason: 'household register seen' },
        actor: { subject: 'li', role: 'rm' },
        channel: 'rest',
        correlationId: 'x',
        key: 'a-lost-answer',
      }),
    ).toMatchObject({ kind: 'proposed', id: asked.body.approval });
    expect(await typesOn(`customer-${customer}`)).toStrictEqual(['CustomerRegistered', 'NameCorrected']);
  });

  it('is refused at once where it would be refused, and is no proposal where it is so already', async () => {
    const customer = await customerOf();
    expect((await correct(customer, {}, '王小明')).body).toStrictEqual({ id: customer, revision: 0 });
    expect((await correct(customer, {}, ' ')).status).toBe(400);
    expect((await correct(customer, { 'if-match': '"7"' })).status).toBe(412);
    expect((await correct(await customerOf('wu'))).status).toBe(404);
  });
});

describe('the list', () => {
  it('goes on page by page, of one customer and of one state', async () => {
    const customer = await customerOf();
    const ids = [await proposed(customer), await proposed(customer), await proposed(customer)];
    await post(li, `approvals/${ids[0]}/withdraw`);
    await listed(ids[2] as string, 'waiting');
    await listed(ids[0] as string, 'withdrawn');
    const path = `approvals?for=mine&customer=${customer}&state=waiting&limit=1&count=true`;
    const first = (await get(li, path)).body;
    const second = (await get(li, `${path}&cursor=${first.next}`)).body;
    expect([first.total, second.next]).toStrictEqual([2, null]);
    expect([...first.items, ...second.items].map(({ id }: { id: string }) => id).toSorted()).toStrictEqual(ids.slice(1).toSorted());
    expect((await get(['rm', 'wu'], `approvals?customer=${customer}&count=true`)).body).toStrictEqual({ items: [], next: null, total: 0 });
  });
});

describe('what was granted', () => {
  it('is not carried out where its base has moved', async () => {
    const customer = await customerOf();
    const id = await proposed(customer);
    await post(li, `customers/${customer}/tags`, { tag: 'vip' });
    expect((await post(ops, `approvals/${id}/approve`)).body).toMatchObject({ state: 'failed', failure: 'base-moved', carriedOut: null });
    expect(await typesOn(`customer-${customer}`)).toStrictEqual(['CustomerRegistered', 'CustomerTagged']);
    expect(await typesOn(`approval-${id}`)).toStrictEqual(['ApprovalRequested', 'ApprovalGranted', 'ApprovalFailed']);
  });

  it('is not carried out where its maker’s right is gone, who sees no trace of it then', async () => {
    const customer = await customerOf();
    const id = await proposed(customer);
    await post(ops, `customers/${customer}/assign`, { manager: 'wu' });
    await when(async () => (await get(li, `customers/${customer}`)).status === 404);
    expect((await post(ops, `approvals/${id}/approve`)).body).toMatchObject({ state: 'failed', failure: 'right-gone' });
    expect((await get(li, `approvals/${id}`)).status).toBe(404);
    expect((await post(li, `approvals/${id}/withdraw`)).status).toBe(404);
    expect((await get(li, 'approvals?for=mine')).body.items.map((item: { id: string }) => item.id)).not.toContain(id);
  });

  it('is done by a worker where a crash left it undone, once, also by two at once', async () => {
    const customer = await customerOf();
    const id = await proposed(customer);
    await grantedAlone(id);
    expect(await typesOn(`customer-${customer}`)).toStrictEqual(['CustomerRegistered']);
    await listed(id, 'granted');
    const [one, other] = [another(), another()];
    await Promise.all([one.fourEyes.carryOut(id), other.fourEyes.carryOut(id), one.worker.workOnDue(), other.worker.workOnDue()]);
    expect(await typesOn(`customer-${customer}`)).toStrictEqual(['CustomerRegistered', 'NameCorrected']);
    expect(await typesOn(`approval-${id}`)).toStrictEqual(['ApprovalRequested', 'ApprovalGranted', 'ApprovalCarriedOut']);
  });

  it('is told where the crash came between doing and telling', async () => {
    const customer = await customerOf();
    const id = await proposed(customer);
    await grantedAlone(id);
    // Whatever is told of the approval is lost from here on.
    const dying = new Proxy(api.journal, {
      get: (journal, name) => {
        if (name === 'append')
          return (stream: string, ...rest: unknown[]) =>
            stream.startsWith('approval-') ? Promise.reject(new Error('killed')) : Reflect.apply(journal.append, journal, [stream, ...rest]);
        const own = Reflect.get(journal, name);
        return typeof own === 'function' ? own.bind(journal) : own;
      },
    });
    await expect(another(dying).fourEyes.carryOut(id)).rejects.toThrow('killed');
    expect(await typesOn(`customer-${customer}`)).toStrictEqual(['CustomerRegistered', 'NameCorrected']);
    await post(li, `customers/${customer}/tags`, { tag: 'vip' });
    await listed(id, 'granted');
    await another().worker.workOnDue();
    expect((await get(ops, `approvals/${id}`)).body).toMatchObject({ state: 'carried-out', carriedOut: { revision: 1 } });
    expect(await typesOn(`customer-${customer}`)).toStrictEqual(['CustomerRegistered', 'NameCorrected', 'CustomerTagged']);
  });

  it('by one of 64 racers in two processes is granted exactly once', async () => {
    const customer = await customerOf();
    const id = await proposed(customer);
    const processes = [another(), another()];
    const racing = Array.from({ length: 64 }, async (_, index) => {
      const { handler, fourEyes } = processes[index % 2] as ReturnType<typeof another>;
      const outcome = await handler.execute(grantApproval, {
        params: { approvalId: id },
        body: {},
        actor: { subject: `ops-${index}`, role: 'operations' },
        channel: 'rest',
        correlationId: `race-${index}`,
      });
      await fourEyes.carryOut(id);
      return outcome.kind === 'refused' ? outcome.rejection.rejected : outcome.kind;
    });
    const outcomes = await Promise.all(racing);
    expect(outcomes.filter((outcome) => outcome === 'accepted')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'ApprovalOver')).toHaveLength(63);
    expect(await typesOn(`approval-${id}`)).toStrictEqual(['ApprovalRequested', 'ApprovalGranted', 'ApprovalCarriedOut']);
    expect(await typesOn(`customer-${customer}`)).toStrictEqual(['CustomerRegistered', 'NameCorrected']);
  });

  it('or rejected: of two that race one wins', async () => {
    for (let round = 0; round < 8; round += 1) {
      const customer = await customerOf();
      const id = await proposed(customer);
      const answers = await Promise.all([post(ops, `approvals/${id}/approve`), post(ria, `approvals/${id}/reject`, { reason: 'no paper' })]);
      expect(answers.map(({ status }) => status).toSorted()).toStrictEqual([200, 409]);
      const types = await typesOn(`approval-${id}`);
      const isGranted = types.includes('ApprovalGranted');
      expect(types.includes('ApprovalRejected')).toBe(!isGranted);
      expect(await typesOn(`customer-${customer}`)).toHaveLength(isGranted ? 2 : 1);
    }
  });
});

describe('time', () => {
  it('makes what waits overdue, and ends it by the clock alone', async () => {
    const customer = await customerOf();
    const id = await proposed(customer);
    await listed(id, 'waiting');
    const overdue = async (who: readonly [Role, string]) =>
      (await get(who, 'approvals?for=overdue')).body.items.map((item: { id: string }) => item.id);
    expect(await overdue(ops)).not.toContain(id);
    nowMs += 37 * 3_600_000;
    expect(await overdue(ops)).toContain(id);
    expect(await overdue(li)).toContain(id);
    expect(await overdue(ada)).not.toContain(id);
    const { worker } = another();
    await worker.workOnDue();
    expect((await get(ops, `approvals/${id}`)).body.state).toBe('waiting');
    nowMs += 35 * 3_600_000;
    expect((await post(ops, `approvals/${id}/approve`)).body).toMatchObject({ type: '/problems/ApprovalOver' });
    await Promise.all([worker.workOnDue(), another().worker.workOnDue()]);
    expect(await typesOn(`approval-${id}`)).toStrictEqual(['ApprovalRequested', 'ApprovalExpired']);
    const [, expired] = await api.journal.readStream(`approval-${id}`);
    expect(JSON.parse(expired?.metadata ?? '').occurredAt).toBe((await get(ops, `approvals/${id}`)).body.expiresAt);
    await correct(customer);
  });
});

describe('documents', () => {
  const customerNow = async (id: string) => (await get(li, `customers/${id}`)).body;
  const approved = async (answer: Answer): Promise<void> => {
    expect(answer.status).toBe(202);
    expect((await post(ops, `approvals/${answer.body.approval}/approve`)).body).toMatchObject({ state: 'carried-out' });
  };
  it('are added and withdrawn with approval, and renewed without', async () => {
    const customer = await customerOf();
    const document = passport();
    const asked = await post(li, `customers/${customer}/documents`, { ...document, reason: 'shown at the counter' });
    expect((await get(li, `approvals/${asked.body.approval}`)).body).toMatchObject({
      diff: [
        { field: 'type', before: null, after: 'passport' },
        { field: 'number', before: null, after: expect.stringMatching(/^\*{4}\d{4}$/) },
        { field: 'expiresOn', before: null, after: '2030-01-01' },
      ],
      masked: ['number', 'reason'],
    });
    await approved(asked);
    await when(async () => (await customerNow(customer)).documents.length === 1);
    expect((await customerNow(customer)).documents).toStrictEqual([{ ...document, country: null, documentId: '1', from: 'own', counts: true }]);
    const renewed = await post(li, `customers/${customer}/documents/1/renew`, { expiresOn: '2040-01-01', reason: 'a new booklet' });
    expect(renewed.status).toBe(200);
    await approved(await post(li, `customers/${customer}/documents/1/withdraw`, { because: 'not-valid', reason: 'lost' }));
    await when(async () => (await customerNow(customer)).documents.length === 0);
    expect(await typesOn(`customer-${customer}`)).toStrictEqual(['CustomerRegistered', 'DocumentAdded', 'DocumentRenewed', 'DocumentWithdrawn']);
    const history = (await get(li, `customers/${customer}/history`)).body.items;
    expect(history.find(({ event }: { event: string }) => event === 'DocumentRenewed')).toMatchObject({
      reason: 'a new booklet',
      changes: [{ field: 'documentsExpire', before: ['2030-01-01'], after: ['2040-01-01'] }],
    });
  });

  it('are one customer’s, who gives up only what was entered by mistake', async () => {
    const document = passport();
    const mistaken = await customerOf('li', [document]);
    const holder = await customerOf();
    const add = () => post(li, `customers/${holder}/documents`, { ...document, reason: 'shown at the counter' });
    const taken = await add();
    expect([taken.status, taken.body.type, taken.body.errors[0].pointer]).toStrictEqual([409, '/problems/ClaimTaken', '/number']);
    expect((await post(li, `customers/${mistaken}/documents`, { ...document, reason: 'again' })).body.type).toBe('/problems/DocumentThere');
    await approved(await post(li, `customers/${mistaken}/documents/1/withdraw`, { because: 'entered-by-mistake', reason: 'a brother’s' }));
    await approved(await add());
    const lost = await post(li, `customers/${holder}/documents/1/withdraw`, { because: 'not-valid', reason: 'lost' });
    await approved(lost);
    expect((await post(li, `customers/${mistaken}/documents`, { ...document, reason: 'again' })).body.type).toBe('/problems/ClaimTaken');
  });

  it('that became another’s meanwhile are not added, and the relationship manager is not told whose they are', async () => {
    const document = passport();
    const customer = await customerOf();
    const asked = await post(li, `customers/${customer}/documents`, { ...document, reason: 'shown at the counter' });
    await customerOf('wu', [document]);
    const id = asked.body.approval;
    expect((await post(ops, `approvals/${id}/approve`)).body).toMatchObject({ state: 'failed', failure: 'ClaimTaken' });
    expect((await get(li, `approvals/${id}`)).body).toMatchObject({ state: 'failed', failure: 'refused' });
    const { items } = (await get(li, `customers/${customer}/history`)).body;
    expect(JSON.stringify(items)).not.toContain('ClaimTaken');
  });

  it('and names that staff enter are kept beside a core system’s, whose word counts', async () => {
    const told = { kind: 'customer', source: { system: 'core', id: 'N-1' }, at: '2026-01-05[Asia/Shanghai]', type: 'person', name: '孙悦' };
    const feed = await api.app.inject({
      method: 'POST',
      url: '/v1/feeds/core-banking',
      headers: { ...api.as('integration', 'core'), 'content-type': 'application/x-ndjson' },
      payload: JSON.stringify({ ...told, documents: [passport()] }),
    });
    expect(feed.json()).toMatchObject({ created: 1 });
    const customer = sourceIdOf('customer', 'core', 'N-1');
    expect((await post(ops, `customers/${customer}/assign`, { manager: 'li' })).status).toBe(200);
    await when(async () => (await get(li, `customers/${customer}`)).status === 200);
    await approved(await correct(customer));
    await approved(await post(li, `customers/${customer}/documents`, { ...passport(), reason: 'shown' }));
    await when(async () => (await customerNow(customer)).documents.length === 2);
    const shown = await customerNow(customer);
    expect([shown.name, shown.nameFrom, shown.conflicts]).toStrictEqual([
      '孙悦',
      'core',
      [{ field: 'name', shown: '孙悦', other: '王晓明', from: 'own' }],
    ]);
    expect(shown.documents.map(({ from, counts, documentId }: Record<string, unknown>) => [from, counts, documentId])).toStrictEqual([
      ['core', true, null],
      ['own', false, '1'],
    ]);
    const view = (await get(li, `customers/${customer}/360`)).body.customer;
    expect([view.nameFrom, view.documents]).toStrictEqual(['core', shown.documents]);
    const history = (await get(li, `customers/${customer}/history`)).body.items;
    expect(history.find(({ event }: { event: string }) => event === 'NameCorrected').changes).toStrictEqual([
      { field: 'nameEntered', before: null, after: '王晓明' },
    ]);
    // What staff entered is of no day before they did.
    const past = (await get(li, `customers/${customer}/360?asOf=2026-02-01`)).body.customer;
    expect([past.nameFrom, past.documents.length]).toStrictEqual(['core', 1]);
  });

  it('proposed by a teller are carried out after the customer has left the counter', async () => {
    const customer = await customerOf('wu');
    const tess = ['teller', 'tess'] as const;
    const sight = new Sights(Buffer.alloc(32, 2)).seal(customer, { subject: 'tess', role: 'teller' });
    const asked = await post(tess, `customers/${customer}/name`, { name: '王晓明', reason: 'card shown' }, { [SIGHT_HEADER]: sight });
    expect(asked.status).toBe(202);
    const path = `approvals/${asked.body.approval}`;
    expect((await get(tess, path, { [SIGHT_HEADER]: sight })).body).toMatchObject({ state: 'waiting', diff: [{ before: '王*', after: '王*' }] });
    expect((await get(tess, path)).body).toMatchObject({ state: 'waiting', diff: [{ field: 'name', before: null, after: null }] });
    expect((await post(ops, `approvals/${asked.body.approval}/approve`)).body).toMatchObject({ state: 'carried-out' });
  });
});

describe('the history of a customer', () => {
  it('says who proposed, who decided and why, with what would have changed', async () => {
    const customer = await customerOf();
    const [one, other] = [await proposed(customer), await proposed(customer)];
    await post(ria, `approvals/${one}/reject`, { reason: 'no paper was shown' });
    await post(ops, `approvals/${other}/approve`);
    const at = (await correct(customer, {}, '王小')).headers['shiji-position'] ?? '';
    const items = (await get(li, `customers/${customer}/history`, { 'shiji-after': at })).body.items.reverse();
    const told = items.map(({ event, by, reason, changes }: Record<string, unknown>) => [
      event,
      (by as { subject: string }).subject,
      reason,
      changes,
    ]);
    const change = [{ field: 'name', before: '王小明', after: '王晓明' }];
    expect(told.slice(1, -1)).toStrictEqual([
      ['ApprovalRequested', 'li', 'household register seen', change],
      ['ApprovalRequested', 'li', 'household register seen', change],
      ['ApprovalRejected', 'ria', 'no paper was shown', []],
      ['ApprovalGranted', 'ops', undefined, []],
      ['NameCorrected', 'li', 'household register seen', [...change, { field: 'nameEntered', before: '王小明', after: '王晓明' }]],
      ['ApprovalCarriedOut', 'shiji', undefined, []],
    ]);
    const masked = (await get(ops, `customers/${customer}/history`)).body.items.find(({ event }: { event: string }) => event === 'ApprovalRequested');
    expect([masked.reason, masked.changes]).toStrictEqual([null, [{ field: 'name', before: '王*', after: '王*' }]]);
  });
});

describe('the policy', () => {
  const rules = [
    { command: 'CorrectName', approvers: ['risk'], expiresAfterHours: 24 },
    { command: 'AddContact', when: { is: { kind: ['phone'], verified: [false] } }, approvers: ['operations', 'risk'], expiresAfterHours: 24 },
    { command: 'PlanCampaign', approvers: ['operations'], expiresAfterHours: 24 },
  ];
  it('is proposed and approved like what it names, and holds from then on', async () => {
    const bad = await post(ops, 'approval-policies', { rules: [{ ...rules[1], when: { fields: ['phone'] } }], reason: 'x' });
    expect(bad.body.errors[0]).toMatchObject({
      pointer: '/rules/0/when/fields/0',
      detail: 'AddContact has no such field: it has kind, value, verified',
    });
    expect((await post(ops, 'approval-policies', { rules: [{ ...rules[0], command: 'CorrectNames' }], reason: 'x' })).status).toBe(400);

    const asked = await post(ops, 'approval-policies', { rules, reason: 'phones are how accounts are stolen' });
    expect(asked.status).toBe(202);
    const before = (await get(li, 'approval-policies')).body.items;
    expect(before.map(({ version }: { version: number }) => version)).toStrictEqual([0]);
    expect((await post(ops, `approvals/${asked.body.approval}/approve`)).status).toBe(403);
    expect((await post(['operations', 'olga'], `approvals/${asked.body.approval}/approve`)).body).toMatchObject({ state: 'carried-out' });
    const items = (await get(li, 'approval-policies')).body.items;
    expect(items.map(({ version, by }: { version: number; by: string | null }) => [version, by])).toStrictEqual([
      [1, 'ops'],
      [0, null],
    ]);

    const customer = await customerOf();
    const phone = (verified: boolean) => post(li, `customers/${customer}/contacts`, { kind: 'phone', value: '13800138000', verified });
    expect([(await phone(true)).status, (await phone(false)).status]).toStrictEqual([200, 202]);
    expect((await post(li, `customers/${customer}/contacts`, { kind: 'e-mail', value: 'a@example.com' })).status).toBe(200);
    expect((await post(li, `customers/${customer}/documents`, { ...passport(), reason: 'no rule any more' })).status).toBe(200);
    const id = await proposed(customer);
    expect((await post(ops, `approvals/${id}/approve`)).body).toMatchObject({ type: '/problems/NotAnApprover' });
    expect((await post(ria, `approvals/${id}/approve`)).body).toMatchObject({ state: 'carried-out' });

    const campaign = await post(['product', 'pia'], 'campaigns', { name: 'Spring', from: '2026-03-01', to: '2026-12-31' });
    expect(campaign.status).toBe(202);
    const planned = await post(ops, `approvals/${campaign.body.approval}/approve`);
    expect(planned.body).toMatchObject({ state: 'carried-out', carriedOut: { revision: 0 } });
    expect(await typesOn(planned.body.carriedOut.stream)).toStrictEqual(['CampaignPlanned']);
  });

  it('has no condition that can never hold, and lets no withdrawal of a consent wait', async () => {
    const errorsOf = async (rule: object) => {
      const answer = await post(ops, 'approval-policies', { rules: [{ ...rules[1], ...rule }], reason: 'x' });
      return [answer.status, ...answer.body.errors.map(({ pointer }: { pointer: string }) => pointer)];
    };
    expect(await errorsOf({ when: { fields: [] } })).toStrictEqual([400, '/rules/0/when/fields']);
    expect(await errorsOf({ when: { is: { kind: [] } } })).toStrictEqual([400, '/rules/0/when/is/kind']);
    expect(await errorsOf({ command: 'WithdrawConsent', when: undefined })).toStrictEqual([400, '/rules/0/command']);
  });

  it('shows its approver what the address names as well', async () => {
    const more = ['UntagCustomer', 'RenewDocument'].map((command) => ({ command, approvers: ['risk'], expiresAfterHours: 1 }));
    const policy = await post(ops, 'approval-policies', { rules: [...rules, ...more], reason: 'a test' });
    expect((await post(ria, `approvals/${policy.body.approval}/approve`)).body).toMatchObject({ state: 'carried-out' });
    const customer = await customerOf('li', [passport()]);
    await post(li, `customers/${customer}/tags`, { tag: 'vip' });
    const untag = await api.app.inject({ method: 'DELETE', url: `/v1/customers/${customer}/tags/vip`, headers: api.as('rm', 'li') });
    expect((await get(ria, `approvals/${untag.json().approval}`)).body.diff).toStrictEqual([{ field: 'tag', before: null, after: 'vip' }]);
    const renewed = await post(li, `customers/${customer}/documents/1/renew`, { expiresOn: '2040-01-01', reason: 'a new booklet' });
    expect((await get(ria, `approvals/${renewed.body.approval}`)).body.diff).toStrictEqual([
      { field: 'documentId', before: '1', after: '1' },
      { field: 'expiresOn', before: '2030-01-01', after: '2040-01-01' },
    ]);
  });

  it('that is proposed twice holds once: the other’s base has moved', async () => {
    const propose = (reason: string, more: object[]) => post(ops, 'approval-policies', { rules: [...rules, ...more], reason });
    const one = await propose('tags too', [{ command: 'TagCustomer', approvers: ['risk'], expiresAfterHours: 1 }]);
    const other = await propose('assignments too', [
      { command: 'AssignCustomer', when: { fields: ['branch'] }, approvers: ['risk'], expiresAfterHours: 1 },
    ]);
    expect((await post(ria, `approvals/${other.body.approval}/approve`)).body).toMatchObject({ state: 'carried-out' });
    expect((await post(ria, `approvals/${one.body.approval}/approve`)).body).toMatchObject({ state: 'failed', failure: 'base-moved' });
  });

  it('does not touch what a core system reports', async () => {
    const line = {
      kind: 'customer',
      source: { system: 'core', id: 'P-1' },
      at: '2026-01-05[Asia/Shanghai]',
      type: 'person',
      name: '孙悦',
      documents: [passport()],
    };
    const answer = await api.app.inject({
      method: 'POST',
      url: '/v1/feeds/core-banking',
      headers: { ...api.as('integration', 'core'), 'content-type': 'application/x-ndjson' },
      payload: JSON.stringify(line),
    });
    expect(answer.json()).toMatchObject({ created: 1, rejected: 0 });
  });
});
