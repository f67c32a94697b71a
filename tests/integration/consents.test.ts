// Consents over HTTP: recorded, withdrawn at once, told as of two times, masked by role, hidden with their customer.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Role } from '../../src/domain/kernel/roles.ts';
import { createTestApi, type TestApi } from '../support/api-server.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const DAY_MS = 86_400_000;
let nowMs = Date.parse('2026-03-02T01:00:00.000Z');
let database: TestDatabase;
let api: TestApi;
beforeAll(async () => {
  database = await createTestDatabase();
  api = await createTestApi(database, { contexts: true, clockMs: () => nowMs });
});
afterAll(async () => {
  await api.close();
  await database.drop();
});

const post = (role: Role, subject: string, url: string, payload: object = {}, headers = {}) =>
  api.app.inject({ method: 'POST', url: `/v1/${url}`, headers: { ...api.as(role, subject), ...headers }, payload });
const get = async (role: Role, subject: string, url: string) => {
  const { position } = await api.journal.head();
  await api.app.inject({ url: '/v1/tickets?limit=1', headers: { ...api.as('auditor'), 'shiji-after': `p${position}` } });
  return api.app.inject({ url: `/v1/${url}`, headers: api.as(role, subject) });
};
const settle = async (customer: string): Promise<void> => {
  await expect.poll(async () => (await get('risk', 'risk', `customers/${customer}`)).statusCode, { timeout: 10_000 }).toBe(200);
};
const customerOf = async (more: object = {}): Promise<string> => {
  const answer = await post('rm', 'chen', 'customers', { kind: 'person', name: '王小明', ...more });
  expect(answer.statusCode, answer.body).toBe(201);
  const { id } = answer.json<{ id: string }>();
  await settle(id);
  return id;
};
const said = (customer: string, body: object, role: Role = 'rm') =>
  post(role, 'chen', `customers/${customer}/consents`, { decision: 'given', purpose: 'marketing', textVersion: 'v1', ...body });
const ledger = async (customer: string, query = '', role: Role = 'rm') => (await get(role, 'chen', `customers/${customer}/consents${query}`)).json();

describe('a consent', () => {
  it('is recorded with what is known of the age, and the same again under its key', async () => {
    const customer = await customerOf();
    const key = { 'idempotency-key': randomUUID() };
    const body = { decision: 'given', purpose: 'marketing', textVersion: 'v3', evidence: '录音 77' };
    const first = await post('rm', 'chen', `customers/${customer}/consents`, body, key);
    expect(first.statusCode, first.body).toBe(201);
    expect(first.json()).toMatchObject({ id: '1', decision: 'given', age: 'unknown', note: expect.stringContaining('birth date is not known') });
    expect((await said(customer, { purpose: 'service' })).json()).toMatchObject({ id: '2' });
    expect((await post('rm', 'chen', `customers/${customer}/consents`, body, key)).json()).toStrictEqual(first.json());
    const { history, items, age } = await ledger(customer);
    expect(age).toBe('unknown');
    expect(history.map(({ consentId, word }: { consentId: string; word: string }) => [consentId, word])).toStrictEqual([
      ['2', 'given'],
      ['1', 'given'],
    ]);
    expect(history[1]).toMatchObject({ textVersion: 'v3', evidence: '录音 77', by: { subject: 'chen', role: 'rm' } });
    expect(items.find(({ purpose }: { purpose: string }) => purpose === 'profiling')).toMatchObject({ status: 'never-asked', mayAsk: true });
  });

  it('of a child, whose identity card tells, needs a guardian', async () => {
    const customer = await customerOf({ documents: [{ type: 'identity-card', number: '110105201501010017' }] });
    const refused = await said(customer, {});
    expect([refused.statusCode, refused.json().type, refused.json().errors]).toMatchObject([
      422,
      '/problems/GuardianNeeded',
      [{ pointer: '/guardian' }],
    ]);
    const taken = await said(customer, { guardian: { name: '王芳', relation: 'mother' } });
    expect(taken.json()).toMatchObject({ age: 'under-14' });
    expect((await ledger(customer)).history[0].guardian).toStrictEqual({ name: '王芳', relation: 'mother' });
    expect((await ledger(customer, '', 'operations')).history[0].guardian).toStrictEqual({ name: '王*', relation: 'mother' });
  });

  it('names what does not belong together, field by field', async () => {
    const customer = await customerOf();
    const answer = await said(customer, { decision: 'refused', basis: 'contract', separate: true });
    expect(answer.statusCode).toBe(400);
    expect(answer.json().errors.map(({ pointer }: { pointer: string }) => pointer)).toStrictEqual(['/basis', '/separate']);
    expect((await said(customer, { contactId: '7' })).json()).toMatchObject({ status: 422, errors: [{ pointer: '/contactId' }] });
  });

  it('that is withdrawn counts at once, and is told as of before it was', async () => {
    const customer = await customerOf();
    await said(customer, { expiresOn: '2026-12-31' });
    nowMs += DAY_MS;
    const gone = await post('agent', 'lin', `customers/${customer}/consents/1/withdraw`, { reason: 'enough' });
    expect(gone.statusCode).toBe(404);
    expect((await post('rm', 'chen', `customers/${customer}/consents/1/withdraw`, { reason: 'enough' })).statusCode).toBe(200);
    expect((await post('rm', 'chen', `customers/${customer}/consents/9/withdraw`)).statusCode).toBe(404);
    const now = await ledger(customer);
    expect(now.items[0]).toMatchObject({ purpose: 'marketing', status: 'withdrawn', mayAsk: false });
    expect(now.items[0].why).toContain('art. 22');
    expect(now.marketing).toMatchObject({ allowed: false, why: 'The customer withdrew marketing, consent 1.' });
    const dayBefore = new Date(nowMs - DAY_MS).toISOString().slice(0, 10);
    for (const query of [`?asOf=${dayBefore}`, `?knownAt=${dayBefore}`]) {
      const before = await ledger(customer, query);
      expect(before.items[0], query).toMatchObject({ status: 'given', expiresOn: '2026-12-31' });
      expect(before.history).toHaveLength(1);
      expect(before.marketing.allowed).toBe(true);
    }
    expect((await ledger(customer, '?asOf=2027-01-01')).items[0].status).toBe('withdrawn');
    const history = (await get('rm', 'chen', `customers/${customer}/history`)).json();
    expect(history.items.map(({ what }: { what: string }) => what)).toContain('Withdrew the consent to marketing');
    expect(history.items[0].reason).toBe('enough');
  });

  it('is over after its last day', async () => {
    const customer = await customerOf();
    await said(customer, { expiresOn: new Date(nowMs + DAY_MS).toISOString().slice(0, 10) });
    nowMs += 3 * DAY_MS;
    expect((await ledger(customer)).items[0]).toMatchObject({ status: 'expired', mayAsk: true });
  });

  it('of a hidden customer is told, given and withdrawn like one that is not there', async () => {
    const customer = await customerOf();
    await said(customer, {});
    const nowhere = randomUUID();
    for (const path of ['consents', 'consents/1/withdraw']) {
      const body = path === 'consents' ? { decision: 'refused', purpose: 'marketing', textVersion: 'v1' } : {};
      const [hidden, missing] = [
        await post('rm', 'bo', `customers/${customer}/${path}`, body),
        await post('rm', 'bo', `customers/${nowhere}/${path}`, body),
      ];
      expect([hidden.statusCode, { ...hidden.json(), instance: '' }]).toStrictEqual([404, { ...missing.json(), instance: '' }]);
    }
    expect((await get('rm', 'bo', `customers/${customer}/consents`)).statusCode).toBe(404);
  });
});

describe('a refusal of marketing', () => {
  it('keeps out of a campaign with its reason, whoever enrols, and leaves who said nothing', async () => {
    const [silent, callless, asked] = [await customerOf(), await customerOf(), await customerOf()];
    await said(callless, { decision: 'refused', channel: 'call' });
    await said(asked, { decision: 'refused', purpose: 'personalised-marketing', reason: '不需要' });
    const { id: campaign } = (await post('operations', 'ops', 'campaigns', { name: 'Spring', from: '2026-03-01', to: '2027-12-31' })).json();
    await post('operations', 'ops', `campaigns/${campaign}/start`);
    const answer = await post('rm', 'chen', `campaigns/${campaign}/enrolments`, { customers: [silent, callless, asked] });
    expect(answer.json()).toMatchObject({
      enrolled: 1,
      refused: 2,
      items: [
        { outcome: 'enrolled' },
        { outcome: 'refused', detail: 'The customer refused marketing by call (do not call), consent 1.' },
        { outcome: 'refused', detail: 'The customer refused personalised-marketing, consent 1.' },
      ],
    });
    // A consent to what was refused opens it again.
    await said(asked, { purpose: 'personalised-marketing' });
    expect((await post('rm', 'chen', `campaigns/${campaign}/enrolments`, { customers: [asked] })).json()).toMatchObject({ enrolled: 1 });
  });
});
