// A year of classification on an embedded server whose clock is moved by hand: its own workers fire the days that come, review tiers and
// tag many; what the clock passed over is told as of its own day.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Role } from '../../src/domain/kernel/roles.ts';
import { accountLines, coreCustomer, customerLine, moveLine } from '../support/class-bank.ts';
import { runCli } from '../support/cli.ts';
import { type Caller, callerOf, until } from '../support/client.ts';
import { type ServerProcess, spawnServer } from '../support/server.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'shiji-classification-'));
let server: ServerProcess;
let url = '';
const as = (role: Role): Caller => callerOf(url, { dataDir }, role, `${role}-1`);
const year = new Date().getUTCFullYear() + 1;
const move = (to: string) => as('administrator').post('/v1/clock', { to });
const customer = coreCustomer('C1');

interface Classes {
  readonly items: readonly { readonly dimension: string; readonly value: string; readonly explanation: string | null }[];
  readonly due: readonly { readonly why: string; readonly overdue: boolean }[];
  readonly history: readonly { readonly what: string; readonly dimension: string; readonly since: string; readonly recordedAt: string }[];
}
const classes = async (): Promise<Classes> => (await as('risk').get<Classes>(`/v1/customers/${customer}/classifications`)).body;

beforeAll(async () => {
  server = spawnServer({ dataDir, env: { SHIJI_CLOCK: 'manual' } });
  url = await server.ready;
}, 60_000);
afterAll(async () => {
  server.kill('SIGTERM');
  await server.ended;
  rmSync(dataDir, { recursive: true, force: true });
}, 60_000);

it('tells a first rating and a review that fell due, and ends a tolerance, each on its day', async () => {
  await move(`${year}-01-04T01:00:00Z`);
  const lines = [
    customerLine('C1', `${year}-01-04`),
    ...accountLines('A1', 'C1', `${year}-01-04`),
    moveLine('T1', 'A1', `${year}-01-05`, 600_00, 600_00),
  ];
  const fed = await as('integration').post('/v1/feeds/core-banking', lines.map((line) => JSON.stringify(line)).join('\n'), {
    'content-type': 'application/x-ndjson',
  });
  expect(fed.body).toMatchObject({ rejected: 0 });
  await until(async () => (await as('risk').get(`/v1/customers/${customer}`)).status === 200);
  await move(`${year}-02-01T01:00:00Z`);
  await until(async () => (await classes()).history.some(({ what }) => what === 'fell-due'));
  expect((await classes()).due).toMatchObject([{ why: 'first-rating', overdue: true }]);
  expect((await as('risk').post(`/v1/customers/${customer}/classifications`, { dimension: 'aml-grade', value: 'high' })).status).toBe(200);
  const assessed = { dimension: 'investor-tolerance', value: 'C3', assessedOn: `${year}-02-01` };
  expect((await as('operations').post(`/v1/customers/${customer}/classifications`, assessed)).status).toBe(200);
  await move(`${year + 1}-03-01T01:00:00Z`);
  await until(async () => (await classes()).history.length === 5);
  const { items, history } = await classes();
  expect(items.map(({ dimension }) => dimension)).toStrictEqual(['aml-grade']);
  const told = new Map(history.map(({ what, dimension, since }) => [`${what} ${dimension}`, since]));
  expect(told.get('fell-due aml-grade')).toBeDefined();
  expect(told.get('expired investor-tolerance')).toBe(`${year + 1}-02-01T16:00:00.000Z`);
  const review = history.find(({ what, since }) => what === 'fell-due' && since.startsWith(`${year}-07-31`));
  expect(review).toMatchObject({ since: `${year}-07-31T16:00:00.000Z`, recordedAt: expect.stringContaining(`${year + 1}-03-01`) });
}, 60_000);

it('reviews tiers and tags many by its own workers', async () => {
  const policy = {
    name: 'Standard',
    currency: 'CNY',
    tiers: [
      { value: 'mass', from: 0 },
      { value: 'wealth', from: 500_00 },
    ],
    up: 'next-month',
  };
  expect((await as('operations').post('/v1/tier-policies/standard', policy)).status).toBe(200);
  const review = await as('operations').post<{ id: string }>('/v1/tier-reviews', { policy: 'standard', month: `${year}-02` });
  await until(async () => (await as('operations').get<{ status: string }>(`/v1/tier-reviews/${review.body.id}`)).body.status === 'finished');
  expect((await classes()).items.find(({ dimension }) => dimension === 'value-tier')).toMatchObject({
    value: 'wealth',
    explanation: `The average of ${year}-02 is 600.00 CNY, at least the 500.00 CNY of wealth.`,
  });

  const condition = { is: 'classification', dimension: 'value-tier', in: ['wealth'] };
  const job = await as('operations').post<{ id: string }>('/v1/tag-jobs', { action: 'tag', tag: 'spring', filter: { condition } });
  const status = async () => (await as('operations').get<{ status: string }>(`/v1/tag-jobs/${job.body.id}`)).body;
  await until(async () => (await status()).status === 'finished');
  expect(await status()).toMatchObject({ changed: 1 });
  await as('operations').post(`/v1/tag-jobs/${job.body.id}/undo`, {});
  await until(async () => (await status()).status === 'undone');
  expect(await status()).toMatchObject({ restored: 1, kept: 0 });
}, 60_000);

it('compares without a difference', async () => {
  const { code, out } = await runCli('replay', ['--compare'], { cwd: dataDir, dataDir }).done;
  expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining('classification_timers:') });
}, 60_000);
