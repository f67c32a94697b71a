// Facts of core banking in an order nobody planned, brought by the feed and read back over HTTP: what each past says, and what the
// reports and a customer's history say of it.
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sourceIdOf } from '../../src/commands/command-id.ts';
import { createTestApi, type TestApi } from '../support/api-server.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let api: TestApi;
beforeAll(async () => {
  database = await createTestDatabase();
  api = await createTestApi(database, { contexts: true });
});
afterAll(async () => {
  await api.close();
  await database.drop();
});

const record = (kind: string, id: string, on: string, rest: object) => ({
  kind,
  source: { system: 'core', id },
  at: `${on}[Asia/Shanghai]`,
  ...rest,
});
const owner = (id: string, on: string, account: string, customer: string, rest: object = {}) =>
  record('ownership', id, on, { account, customer, role: 'owner', ...rest });
const credit = (id: string, on: string, account: string, amount: number, currency = 'CNY') =>
  record('transaction', id, on, { account, currency, direction: 'credit', amount });
const customerId = (id: string) => sourceIdOf('customer', 'core', id);

async function bring(...lines: readonly object[]): Promise<readonly string[]> {
  const headers = { ...api.as('integration'), 'content-type': 'application/x-ndjson', 'content-encoding': 'gzip' };
  const payload = gzipSync(lines.map((line) => JSON.stringify(line)).join('\n'));
  const answer = await api.app.inject({ method: 'POST', url: '/v1/feeds/core-banking', headers, payload });
  expect(answer.statusCode).toBe(200);
  const results = await api.app.inject({ url: answer.json().results, headers: api.as('integration') });
  const told = results.body.trim().split('\n');
  return told
    .map((line) => JSON.parse(line) as { line: number; outcome: string })
    .sort((one, other) => one.line - other.line)
    .map(({ outcome }) => outcome);
}
const get = async (path: string) => {
  const { position } = await api.journal.head();
  return (await api.app.inject({ url: path, headers: { ...api.as('auditor'), 'shiji-after': `p${position}` } })).json();
};
const view = (id: string, query = '') => get(`/v1/customers/${customerId(id)}/360${query}`);
const changes = async (id: string) =>
  (await get(`/v1/customers/${customerId(id)}/history`)).items.map((item: { what: string; changes: { field: string }[] }) => [
    item.what,
    ...item.changes.map(({ field }) => field),
  ]);

it('counts an opening balance from its own day on, and what moved before that day as in it', async () => {
  await bring(
    record('customer', 'O', '2020-01-01', { type: 'person' }),
    record('account', 'OA', '2020-01-01', { currency: 'NOK', openingBalance: 1_000, openingOn: '2026-03-10' }),
    owner('OO', '2020-01-01', 'OA', 'O'),
    credit('OT1', '2026-02-01', 'OA', 5, 'NOK'),
    credit('OT2', '2026-03-09', 'OA', 6, 'NOK'),
    credit('OT3', '2026-03-10', 'OA', 7, 'NOK'),
  );
  const balanceOf = async (query: string) => (await view('O', query)).accounts[0].balance;
  for (const query of ['?asOf=2021-01-01', '?asOf=2026-03-09', '?asOf=2026-03-09T15:59:59Z']) expect(await balanceOf(query), query).toBeNull();
  expect((await view('O', '?asOf=2026-03-09')).balances).toMatchObject([{ currency: 'NOK', amount: null, unknown: 1 }]);
  const since = { amount: 1_007, currency: 'NOK', asOf: '2026-03-10' };
  for (const query of ['?asOf=2026-03-10', '?asOf=2026-03-09T16:00:00Z', '']) expect(await balanceOf(query), query).toStrictEqual(since);
  const { items } = await get('/v1/reports/balances-by-month?from=2026-02&to=2026-03');
  const ofNok = items.filter(({ currency }: { currency: string }) => currency === 'NOK');
  expect(ofNok.map(({ balance, known }: { balance: object; known: number }) => [balance, known])).toStrictEqual([
    [null, 0],
    [{ amount: 1_007, currency: 'NOK' }, 1],
  ]);
});

it('keeps an account’s balance where something moves on it in another currency', async () => {
  await bring(
    record('customer', 'M', '2020-01-01', { type: 'person' }),
    record('account', 'MA', '2020-01-01', { currency: 'ISK', openingBalance: 1_000 }),
    owner('MO', '2020-01-01', 'MA', 'M'),
    credit('MT1', '2026-01-05', 'MA', 10, 'ISK'),
    { ...credit('MT2', '2026-02-05', 'MA', 3, 'ZAR'), balance: 3 },
    credit('MT3', '2026-03-05', 'MA', 4, 'ISK'),
  );
  for (const query of ['', '?asOf=2026-03-05']) {
    const { balances, flows } = await view('M', query);
    expect(balances).toMatchObject([{ currency: 'ISK', amount: 1_014, accounts: 1, unknown: 0 }]);
    expect(flows.map(({ currency, inflow }: { currency: string; inflow: number }) => [currency, inflow])).toContainEqual(['ZAR', 3]);
  }
  const { items } = await get('/v1/reports/balances-by-month?from=2026-03&to=2026-03');
  const sums = items.map(({ currency, balance }: { currency: string; balance: { amount: number } | null }) => [currency, balance?.amount]);
  expect(sums.filter(([currency]: [string]) => ['ISK', 'ZAR'].includes(currency))).toStrictEqual([['ISK', 1_014]]);
});

it('leaves a closed account out of the sums, as the report does', async () => {
  await bring(
    record('customer', 'K', '2020-01-01', { type: 'person' }),
    record('account', 'KA', '2020-01-01', { currency: 'THB', openingBalance: 9 }),
    record('account', 'KA', '2022-01-01', { currency: 'THB', status: 'closed', closedOn: '2022-01-01' }),
    record('account', 'KB', '2020-01-01', { currency: 'THB', openingBalance: 5 }),
    owner('KO1', '2020-01-01', 'KA', 'K'),
    owner('KO2', '2020-01-01', 'KB', 'K'),
    credit('KT', '2023-01-01', 'KA', 1, 'THB'),
  );
  const sums = async (query: string) => (await view('K', query)).balances;
  expect(await sums('?asOf=2021-12-31')).toMatchObject([{ currency: 'THB', amount: 14, accounts: 2 }]);
  for (const query of ['?asOf=2022-01-31', '']) expect(await sums(query)).toMatchObject([{ currency: 'THB', amount: 5, accounts: 1 }]);
  const { items } = await get('/v1/reports/balances-by-month?from=2021-12&to=2022-01');
  const ofBaht = items.filter(({ currency }: { currency: string }) => currency === 'THB');
  expect(ofBaht.map(({ balance, accounts }: { balance: { amount: number }; accounts: number }) => [balance.amount, accounts])).toStrictEqual([
    [14, 2],
    [5, 1],
  ]);
});

it('tells in the history of a customer that an ownership went to another, and of neither what the other is', async () => {
  await bring(
    record('customer', 'W1', '2020-01-01', { type: 'person' }),
    record('customer', 'W2', '2020-01-01', { type: 'person' }),
    owner('WO', '2020-01-01', 'WA', 'W1', { role: 'mandate' }),
  );
  await bring(owner('WO', '2022-01-01', 'WA', 'W2', { role: 'owner' }));
  expect((await changes('W1'))[0]).toStrictEqual(['No longer mandate of an account', 'status']);
  expect((await changes('W2'))[0]).toStrictEqual(['Reported as owner of an account', 'role', 'status', 'account']);
});

it('tells in the history known before a link was found nothing of what the link brought', async () => {
  const documents = [{ type: 'passport', number: 'E1112223' }];
  const registered = await api.app.inject({
    method: 'POST',
    url: '/v1/customers',
    headers: { ...api.as('operations'), 'content-type': 'application/json' },
    payload: { kind: 'person', name: '韩梅梅', documents },
  });
  const { id } = registered.json();
  await bring(record('account', 'LA', '2020-01-01', { currency: 'CNY' }), owner('LO', '2020-01-01', 'LA', 'L'));
  const known = encodeURIComponent(new Date().toISOString());
  await sleep(5);
  await bring(record('customer', 'L', '2020-01-01', { type: 'person', name: '韩 梅梅', documents }));
  const words = async (query: string) => (await get(`/v1/customers/${id}/history${query}`)).items.map(({ what }: { what: string }) => what);
  expect(await words('')).toHaveLength(5);
  expect(await words(`?knownAt=${known}`)).toStrictEqual(['Registered as a person']);
});

it('says of a possible pair by which name it was found', async () => {
  const documents = [{ type: 'passport', number: 'E7654321' }];
  await bring(record('customer', 'P1', '2020-01-01', { type: 'person', name: 'Wang Xiaoming', documents }));
  await bring(record('customer', 'P2', '2020-01-01', { type: 'person', name: '王小明', documents }));
  await bring(record('customer', 'P3', '2020-01-01', { type: 'person', name: 'WANG Ｘiaoming' }));
  await bring(record('customer', 'P3', '2020-02-01', { type: 'person', name: 'WANG Ｘiaoming', documents }));
  expect((await changes('P2'))[0]).toStrictEqual(['Found to have the document of another customer under another name']);
  expect((await changes('P3'))[0]).toStrictEqual(['Found to have the document of another customer under the same name']);
});

it('takes dates that mean no end, and none that no read model could keep', async () => {
  const outcomes = await bring(
    record('account', 'D0', '2020-01-01', { currency: 'CNY', openedOn: '0000-01-01' }),
    record('account', 'D1', '2020-01-01', { currency: 'CNY', openedOn: '0001-01-01', closedOn: '9999-12-31' }),
    record('account', 'D2', '2020-01-01', { currency: 'CNY', openingBalance: 1, openingOn: '0000-12-31' }),
    record('loan', 'D3', '2020-01-01', { account: 'D1', currency: 'CNY', amount: 1, grantedOn: '0000-01-01' }),
    record('card', 'D4', '2020-01-01', { account: 'D1', expiresOn: '0000-01-01' }),
  );
  expect(outcomes).toStrictEqual(['rejected', 'created', 'rejected', 'rejected', 'rejected']);
});

it('shows of every field what lost against core banking, the type too', async () => {
  const documents = [{ type: 'passport', number: 'E3334445' }];
  const registered = await api.app.inject({
    method: 'POST',
    url: '/v1/customers',
    headers: { ...api.as('operations'), 'content-type': 'application/json' },
    payload: { kind: 'person', name: '长城商行', documents, branch: '3100' },
  });
  await bring(record('customer', 'F', '2020-01-01', { type: 'organisation', name: '长城　商行', documents, branch: '3200' }));
  const { kind, conflicts } = await get(`/v1/customers/${registered.json().id}`);
  expect(kind).toBe('organisation');
  expect(conflicts).toStrictEqual([
    { field: 'name', shown: '长城　商行', other: '长城商行', from: 'own' },
    { field: 'kind', shown: 'organisation', other: 'person', from: 'own' },
    { field: 'branch', shown: '3200', other: '3100', from: 'own' },
  ]);
});
