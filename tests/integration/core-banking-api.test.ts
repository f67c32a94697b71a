// The core-banking feed over HTTP: who may bring it, gzip, what a caller is told, and that what was brought can be waited for.
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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

const record = (kind: string, id: string, rest: object) => ({ kind, source: { system: 'core', id }, at: '2024-03-01[Asia/Shanghai]', ...rest });
const lines = [
  record('transaction', 'T1', { account: 'A1', currency: 'CNY', direction: 'credit', amount: 500 }),
  record('account', 'A1', { currency: 'CNY' }),
  record('mortgage', 'M1', {}),
  record('ownership', 'O1', { account: 'A1', customer: 'C1', role: 'owner' }),
  record('customer', 'C1', { type: 'person', name: '高远' }),
];

async function bring(body: readonly object[], headers: Record<string, string> = api.as('integration')) {
  return api.app.inject({
    method: 'POST',
    url: '/v1/feeds/core-banking',
    headers: { 'content-type': 'application/x-ndjson', 'content-encoding': 'gzip', ...headers },
    payload: gzipSync(body.map((line) => JSON.stringify(line)).join('\n')),
  });
}

describe('the core-banking feed', () => {
  it('is brought as gzip, tells how many lines were taken, and each line’s outcome', async () => {
    const answer = await bring(lines);
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toMatchObject({ kind: 'core-banking', status: 'finished', lines: 5, created: 4, repeated: 0, rejected: 1 });
    const results = await api.app.inject({ url: answer.json().results, headers: api.as('integration') });
    const told = results.body
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { line: number; id?: string; errors?: { pointer: string; detail: string }[] })
      .sort((one, other) => one.line - other.line);
    expect(told.map(({ id }) => id)).toStrictEqual([
      sourceIdOf('transaction', 'core', 'T1'),
      sourceIdOf('account', 'core', 'A1'),
      undefined,
      sourceIdOf('ownership', 'core', 'O1'),
      sourceIdOf('customer', 'core', 'C1'),
    ]);
    expect(told[2]?.errors).toStrictEqual([
      { pointer: '/kind', detail: 'kind is one of customer, account, ownership, loan, card, standing-order, transaction, void' },
    ]);
  });

  it('can be waited for until the read models of customers and holdings show it', async () => {
    const answer = await bring([record('account', 'A2', { currency: 'CNY', number: '6217' })]);
    const position = String(answer.headers['shiji-position']);
    const run = await api.app.inject({ url: `/v1/feeds/${answer.json().id}`, headers: { ...api.as('integration'), 'shiji-after': position } });
    expect(run.json()).toMatchObject({ created: 1 });
    const { rows } = await api.pool.query('select kind, currency from read.holdings where id = $1', [sourceIdOf('account', 'core', 'A2')]);
    expect(rows).toStrictEqual([{ kind: 'account', currency: 'CNY' }]);
  });

  it('is an integration’s to bring and nobody else’s', async () => {
    for (const role of ['operations', 'teller', 'administrator', 'auditor'] as const)
      expect((await bring(lines, api.as(role))).statusCode, role).toBe(403);
  });
});
