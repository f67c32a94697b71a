// One position for the whole view: where a read model is ahead of another, the slower is waited for and all is read again.
import type { Pool } from 'pg';
import { expect, it } from 'vitest';
import { liveRows, ViewNotSettled, viewedProjections } from '../../src/views/live.ts';
import { windowOf } from '../../src/views/window.ts';

const window = windowOf('2024-02-05', 'Asia/Shanghai');
const customer = { id: 'me', refs: ['me'], pairs: [], since_on: '2024-01-01', position: 3 };
const nothing = { openings: [], holdings: [], parties: [], tickets: [], enrolments: [], balances: [], flows: [], transactions: [] };
const ownership = (position: number) => ({
  id: 'o1',
  kind: 'ownership',
  account_id: 'a1',
  customer_ref: 'me',
  role: 'owner',
  status: 'current',
  position,
});

/** A pool that answers these, one after the other, and the positions that were waited for. */
function reading(answers: readonly object[], arrives = true) {
  const asked: [readonly string[], number][] = [];
  let next = 0;
  const pool = { query: async () => ({ rows: [{ ...nothing, customers: [customer], ...answers[next++] }] }) } as unknown as Pool;
  const progress = {
    waitUntil: async (projections: readonly string[], position: number) => {
      asked.push([projections, position]);
      return arrives;
    },
  };
  return { parts: { pool, progress }, asked, reads: () => next };
}

it('is the least checkpoint where no row is past it', async () => {
  const { parts, asked } = reading([{ position: 9, holdings: [ownership(7)] }]);
  expect(await liveRows(parts, 'me', window)).toMatchObject({ position: 9, customer: { since_on: '2024-01-01' } });
  expect(asked).toStrictEqual([]);
});

it('waits for all that it looks at where a row is ahead, and reads again', async () => {
  const { parts, asked, reads } = reading([
    { position: 5, holdings: [ownership(7)] },
    { position: 8, holdings: [ownership(7)] },
  ]);
  expect(await liveRows(parts, 'me', window)).toMatchObject({ position: 8 });
  expect([asked, reads()]).toStrictEqual([[[viewedProjections, 7]], 2]);
});

it('counts the balance that an account came with, and a campaign’s own row', async () => {
  const openings = [{ account_id: 'a1', position: 6 }];
  const enrolments = [
    { id: 'e', customer_id: 'me', enrolled_at: '2024-01-01T00:00:00.5+00:00', responded_at: null, position: 1, campaign_position: 8 },
  ];
  const { parts, asked } = reading([
    { position: 5, holdings: [ownership(1)], openings },
    { position: 7, enrolments },
    { position: 9, enrolments },
  ]);
  const rows = await liveRows(parts, 'me', window);
  expect(asked.map(([, position]) => position)).toStrictEqual([6, 8]);
  expect(rows?.enrolments).toMatchObject([{ enrolled_at: '2024-01-01T00:00:00.500Z' }]);
});

it('gives up where a read model does not come, rather than mix two moments', async () => {
  const { parts } = reading([{ position: 5, holdings: [ownership(7)] }], false);
  await expect(liveRows(parts, 'me', window)).rejects.toThrow(ViewNotSettled);
});

it('tells those apart who are asked for at once', async () => {
  const other = { ...customer, id: 'other', refs: ['other'] };
  const holdings = [ownership(1), { ...ownership(1), id: 'o2', account_id: 'a2', customer_ref: 'other' }];
  const flow = { month: '2024-02', currency: 'CNY', category: null, outflow: '0' };
  const flows = [
    { ...flow, account_id: 'a1', inflow: '1' },
    { ...flow, account_id: 'a2', inflow: '2' },
  ];
  const { parts, reads } = reading([{ position: 9, customers: [customer, other], holdings, flows }]);
  const both = await Promise.all(['me', 'other', 'nobody'].map((id) => liveRows(parts, id, window)));
  expect(both.map((rows) => rows?.holdings.map(({ id }) => id))).toStrictEqual([['o1'], ['o2'], undefined]);
  expect(both.map((rows) => rows?.flows.map(({ inflow }) => inflow))).toStrictEqual([['1'], ['2'], undefined]);
  expect(reads()).toBe(1);
});
