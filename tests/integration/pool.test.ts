// Whom connections run as, how values come back, and which servers are refused.
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { APP_ROLE, assertDurable, createPool, parseInstant } from '../../src/postgres/pool.ts';
import { isConnectionLoss } from '../../src/postgres/sqlstate.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

let database: TestDatabase;
let pool: pg.Pool;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool({ url: database.url, max: 2, applicationName: 'pool test', role: APP_ROLE });
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

async function value(expression: string): Promise<unknown> {
  return (await pool.query<{ value: unknown }>(`select ${expression} as value`)).rows[0]?.value;
}

describe('a connection of the pool', () => {
  it('runs as the app role, in UTC, with a limit on statements', async () => {
    expect(await value('current_user')).toBe(APP_ROLE);
    expect(await value(`current_setting('TimeZone') || current_setting('statement_timeout') || current_setting('application_name')`)).toBe(
      'UTC30spool test',
    );
  });

  it('keeps the options that the URL has', async () => {
    const url = new URL(database.ownerUrl);
    url.searchParams.set('options', '-c work_mem=7MB');
    const owner = createPool({ url: url.href, max: 1, applicationName: 'x', role: null, statementTimeoutMs: 0 });
    const { rows } = await owner.query(
      `select current_setting('work_mem') as work_mem, current_setting('statement_timeout') as timeout, current_user = session_user as own`,
    );
    expect(rows).toStrictEqual([{ work_mem: '7MB', timeout: '0', own: true }]);
    await owner.end();
  });

  it('decodes whole numbers as numbers, sums and dates as text, and refuses what a number cannot hold', async () => {
    expect(await value('9007199254740991::int8')).toBe(9007199254740991);
    expect(await value('12345678901234567890.10::numeric')).toBe('12345678901234567890.10');
    expect(await value(`date '2026-02-28'`)).toBe('2026-02-28');
    expect(await value(`array[1, null, 3]::int8[]`)).toStrictEqual([1, null, 3]);
    expect(await value(`array[date '2026-02-28']`)).toStrictEqual(['2026-02-28']);
    expect(await value(`array[1.50]::numeric[]`)).toStrictEqual(['1.50']);
    await expect(value('9007199254740992::int8')).rejects.toThrow('select it as numeric');
    // And the connection serves on.
    expect(await value('1::int4')).toBe(1);
  });

  it('decodes instants as RFC 3339 in UTC with milliseconds', async () => {
    expect(await value(`timestamptz '2026-03-03 09:00:00+08'`)).toBe('2026-03-03T01:00:00.000Z');
    expect(await value(`timestamptz '2026-03-03 01:00:00.1'`)).toBe('2026-03-03T01:00:00.100Z');
    expect(await value(`timestamptz '2026-03-03 01:00:00.123999'`)).toBe('2026-03-03T01:00:00.123Z');
    expect(await value(`array[timestamptz '2026-03-03 01:00:00.12']`)).toStrictEqual(['2026-03-03T01:00:00.120Z']);
    await expect(value(`'infinity'::timestamptz`)).rejects.toThrow(RangeError);
    expect(() => parseInstant('2026-03-03 09:00:00+08')).toThrow(RangeError);
  });
});

describe('a link to Postgres', () => {
  async function linked(): Promise<{ link: TcpProxy; linkedPool: pg.Pool }> {
    const url = new URL(database.url);
    const link = await TcpProxy.open({ host: url.hostname, port: Number(url.port) });
    url.host = `127.0.0.1:${link.port}`;
    return { link, linkedPool: createPool({ url: url.href, max: 2, applicationName: 'linked', role: APP_ROLE, statementTimeoutMs: 300 }) };
  }

  it('that goes silent under a query is given up as lost, and the next one takes another (F26)', async () => {
    const { link, linkedPool } = await linked();
    await linkedPool.query('select 1');
    link.freeze();
    const startedMs = performance.now();
    const error: unknown = await linkedPool.query('select 1').catch((lost: unknown) => lost);
    expect(isConnectionLoss(error)).toBe(true);
    expect(performance.now() - startedMs).toBeLessThan(5_000);
    link.heal();
    expect((await linkedPool.query('select 1 as one')).rows).toStrictEqual([{ one: 1 }]);
    await linkedPool.end();
    await link.close();
  });

  it('that breaks under a transaction fails it, and ends nothing else (F26)', async () => {
    const { link, linkedPool } = await linked();
    const client = await linkedPool.connect();
    await client.query('begin');
    link.cut();
    // Unheard, the event of the client would end the process meanwhile.
    await sleep(100);
    await expect(client.query('commit')).rejects.toThrow();
    client.release(true);
    link.heal();
    expect((await linkedPool.query('select 1 as one')).rows).toStrictEqual([{ one: 1 }]);
    await linkedPool.end();
    await link.close();
  });

  it('of one who stands still in a transaction is ended, so that its locks go (E11)', async () => {
    expect(await value("current_setting('idle_in_transaction_session_timeout')")).toBe('5s');
  });
});

describe('a server that may lose what it acknowledged', () => {
  it('is refused in one sentence', async () => {
    await expect(assertDurable(pool)).resolves.toBeUndefined();
    const url = new URL(database.ownerUrl);
    url.searchParams.set('options', '-c synchronous_commit=off');
    const careless = createPool({ url: url.href, max: 1, applicationName: 'x', role: null });
    await expect(assertDurable(careless)).rejects.toThrow(/^Postgres runs with synchronous_commit=off and may lose what it acknowledged: turn it on/);
    await careless.end();
  });
});
