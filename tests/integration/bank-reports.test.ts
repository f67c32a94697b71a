// Reports of customers, holdings and balances over HTTP, on hand-made rows: what is counted, whose, in which month, and what is not known.
import { Kysely, PostgresDialect } from 'kysely';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ReadModels } from '../../src/api/read-models.ts';
import { reportRoutes } from '../../src/api/report-routes.ts';
import type { Scope } from '../../src/domain/kernel/event.ts';
import type { Role } from '../../src/domain/kernel/roles.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { customers } from '../../src/projections/customers/customers.ts';
import type { CustomerRow } from '../../src/projections/customers/row.ts';
import { arrayLiteral } from '../../src/projections/engine/columns.ts';
import type { Projection, Row } from '../../src/projections/engine/projection.ts';
import { tableSql } from '../../src/projections/engine/table-sql.ts';
import { balancesByMonth, type FigureTables } from '../../src/projections/holdings/figures.ts';
import { holdings } from '../../src/projections/holdings/holdings.ts';
import type { HoldingRow } from '../../src/projections/holdings/row.ts';
import type { TransactionRow } from '../../src/projections/transactions/row.ts';
import { transactions } from '../../src/projections/transactions/transactions.ts';
import { createTestApi, type TestApi } from '../support/api-server.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const instant = '2026-01-01T00:00:00.000Z';

function customer(id: string, over: Partial<CustomerRow> = {}): CustomerRow {
  return {
    id,
    kind: 'person',
    standing: 'customer',
    name: null,
    names: [],
    documents: [],
    phones: [],
    tags: [],
    manager: null,
    branch: null,
    refs: [id],
    pairs: [],
    incomplete: false,
    since: instant,
    since_on: instant.slice(0, 10),
    profile: '{}',
    position: 1,
    revision: 0,
    ...over,
  };
}

function holding(id: string, kind: string, account_id: string, over: Partial<HoldingRow> = {}): HoldingRow {
  return {
    id,
    kind,
    account_id,
    customer_ref: null,
    role: null,
    status: null,
    source_status: null,
    product: null,
    branch: null,
    currency: null,
    amount: null,
    payment: null,
    months: null,
    outstanding: null,
    category: null,
    number: null,
    counterparty_name: null,
    counterparty_account: null,
    counterparty_bank: null,
    since: '2026-01-01',
    dated_on: null,
    until: null,
    reported_on: '2026-01-01',
    reported_at: instant,
    first_on: '2026-01-01',
    first_at: instant,
    source_system: 'core',
    source_id: id,
    accounts: [account_id],
    parties: [],
    position: 1,
    ...over,
  };
}
const account = (id: string, over: Partial<HoldingRow> = {}): HoldingRow => holding(id, 'account', id, { status: 'open', currency: 'CNY', ...over });
const owner = (account_id: string, customer_ref: string, role = 'owner', status = 'current'): HoldingRow =>
  holding(`${account_id}-${customer_ref}-${role}-${status}`, 'ownership', account_id, { customer_ref, role, status });

let told = 0;
function transaction(account_id: string, booked_on: string, over: Partial<TransactionRow>): TransactionRow {
  told += 1;
  return {
    id: `t${told}`,
    account_id,
    kind: 'posted',
    booked_on,
    starts_at: `${booked_on}T00:00:00.000Z`,
    position: told,
    void_position: null,
    direction: 'credit',
    currency: 'CNY',
    amount: 1,
    balance: null,
    category: null,
    operation: null,
    counterparty_name: null,
    counterparty_account: null,
    counterparty_bank: null,
    description: null,
    reverses: null,
    source_system: 'core',
    source_id: `${told}`,
    ...over,
  };
}

/** Past 2^53 in one account. */
const LOTS = 9_007_199_254_740_991;

const customerRows = [
  customer('ann', { manager: 'chen', branch: '3100', refs: ['ann', 'ann-cards'] }),
  customer('bob', { manager: 'dai', branch: '3200', incomplete: true }),
  customer('firm', { manager: 'dai', branch: '3100', kind: 'organisation' }),
  customer('new', { manager: 'chen', standing: 'prospect', refs: [] }),
];
const holdingRows = [
  account('joint', { branch: '3100' }),
  account('euro', { branch: '3200', currency: 'EUR', since: '2026-02-15' }),
  account('silent', { branch: '3200' }),
  account('came', { branch: '3100' }),
  account('closed', { branch: '3100', status: 'closed', until: '2026-03-10' }),
  account('rich', { branch: '3300', currency: 'JPY' }),
  account('richer', { branch: '3300', currency: 'JPY' }),
  owner('joint', 'ann-cards'),
  owner('joint', 'bob', 'joint-owner'),
  owner('euro', 'bob'),
  owner('euro', 'ann', 'mandate'),
  owner('silent', 'ann', 'owner', 'ended'),
  owner('closed', 'firm'),
  holding('l1', 'loan', 'joint', { status: 'running', source_status: 'C', currency: 'CNY', amount: LOTS }),
  holding('l2', 'loan', 'came', { status: 'running', source_status: 'C', currency: 'CNY', amount: 2 }),
  holding('l3', 'loan', 'euro', { status: 'in-debt', source_status: 'D', currency: 'EUR', amount: 500 }),
  holding('k1', 'card', 'joint', { status: 'active', product: 'gold' }),
  holding('k2', 'card', 'euro', { status: 'active', product: 'classic' }),
  holding('o1', 'order', 'joint', { status: 'active', currency: 'CNY', amount: 30 }),
  holding('o2', 'order', 'joint', { status: 'active', currency: 'CNY', amount: 12 }),
];
const transactionRows = [
  transaction('joint', '2026-01-05', { balance: 100 }),
  transaction('joint', '2026-01-20', { balance: 250 }),
  // The same day: the later told counts.
  transaction('joint', '2026-03-31', { balance: 900 }),
  transaction('joint', '2026-03-31', { balance: 700 }),
  transaction('joint', '2026-02-10', { balance: 9_999, void_position: 90 }),
  transaction('euro', '2026-02-20', { balance: 40, currency: 'EUR' }),
  // Came with a balance; nothing of what moves later tells one.
  transaction('came', '2026-01-02', { kind: 'opening', direction: null, amount: 0, balance: 1_000, starts_at: '2026-06-01T00:00:00.000Z' }),
  transaction('came', '2026-02-01', { direction: 'debit', amount: 300 }),
  transaction('came', '2026-02-02', { direction: 'credit', amount: 50 }),
  transaction('closed', '2026-01-31', { balance: 5 }),
  // Older than what it is said to have come with, so that counts no more.
  transaction('closed', '2026-02-15', { kind: 'opening', direction: null, amount: 0, balance: 77_777 }),
  transaction('rich', '2026-03-01', { balance: LOTS, currency: 'JPY' }),
  transaction('richer', '2026-03-01', { balance: LOTS - 1, currency: 'JPY' }),
];

let database: TestDatabase;
let pool: pg.Pool;
let api: TestApi;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool({ url: database.url, max: 2, applicationName: 'reports-test', role: 'shiji_app' });
  const fill = async (schema: string, projection: unknown, rows: readonly Row[]): Promise<void> => {
    const sql = tableSql(schema, projection as Projection);
    await pool.query(sql.create);
    for (const index of sql.indexes) await pool.query(index);
    await pool.query(
      sql.upsert,
      sql.columns.map((column) => arrayLiteral(column, rows)),
    );
  };
  await fill('read', customers, customerRows);
  await fill('read', holdings, holdingRows);
  await fill('read', transactions, transactionRows);
  await pool.query(`select engine.create_schema('replay_then')`);
  // Then Chen's customer was Dai's.
  await fill('replay_then', customers, [customer('ann', { manager: 'dai' }), customer('bob', { manager: 'dai' })]);
  await fill('replay_then', holdings, holdingRows);
  await fill('replay_then', transactions, transactionRows.slice(0, 2));
  await pool.query(
    `insert into engine.replays (name, schema_name, projections, position) values ('then', 'replay_then', '{customers,holdings,transactions}', 9)`,
  );
  api = await createTestApi(database, { routes: [(app, parts) => reportRoutes(app, { ...parts, readModels: new ReadModels(pool) })] });
});
afterAll(async () => {
  await api.close();
  await pool.end();
  await database.drop();
});

interface Reader {
  readonly role?: Role;
  readonly subject?: string;
  readonly scope?: Scope;
  readonly accept?: string;
}

async function get(report: string, { role = 'management', subject = 'lin', scope, accept = 'application/json' }: Reader = {}) {
  const authorization = `Bearer ${api.token(role, { subject, ...(scope === undefined ? {} : { scope }) })}`;
  return api.app.inject({ method: 'GET', url: `/v1/reports/${report}`, headers: { authorization, accept } });
}
async function itemsOf(report: string, reader?: Reader): Promise<readonly Record<string, unknown>[]> {
  const answer = await get(report, reader);
  expect([answer.statusCode, answer.statusCode === 200 ? '' : answer.body]).toStrictEqual([200, '']);
  return answer.json().items;
}
const yuan = (amount: number | string) => ({ amount, currency: 'CNY' });

describe('the list of reports', () => {
  it('names those that the reader may have', async () => {
    const names = async (role: Role) => (await api.app.inject({ method: 'GET', url: '/v1/reports', headers: api.as(role) })).json().items;
    const bank = ['customers-by-branch', 'holdings-summary', 'balances-by-month', 'campaign-funnel', 'customers-by-class'];
    expect((await names('management')).map(({ name }: { name: string }) => name)).toStrictEqual(['sla-attainment', ...bank]);
    expect((await names('rm')).map(({ name }: { name: string }) => name)).toStrictEqual(bank);
  });

  it.each(['teller', 'agent', 'administrator', 'aml', 'integration'] as const)('gives no figures to %s', async (role) => {
    for (const report of ['customers-by-branch', 'holdings-summary', 'balances-by-month']) {
      const { statusCode } = await get(report, { role });
      expect(statusCode).toBe(403);
    }
  });
});

describe('customers by branch', () => {
  const north = { branch: '3100', customers: 2, prospects: 0, persons: 1, organisations: 1, incomplete: 0 };
  const south = { branch: '3200', customers: 1, prospects: 0, persons: 1, organisations: 0, incomplete: 1 };
  const none = { branch: null, customers: 0, prospects: 1, persons: 1, organisations: 0, incomplete: 0 };

  it('count each party once, with totals', async () => {
    const answer = (await get('customers-by-branch')).json();
    expect(answer.items).toStrictEqual([north, south, none]);
    expect(answer.totals).toStrictEqual({ customers: 3, prospects: 1, persons: 3, organisations: 1, incomplete: 1 });
  });

  it('are own customers for a relationship manager, and the branch for whose scope it is', async () => {
    const own = await itemsOf('customers-by-branch', { role: 'rm', subject: 'chen' });
    expect(own).toStrictEqual([{ ...north, customers: 1, organisations: 0 }, none]);
    expect(await itemsOf('customers-by-branch', { role: 'rm', subject: 'nobody' })).toStrictEqual([]);
    expect(await itemsOf('customers-by-branch', { role: 'risk', scope: 'branch:3200' })).toStrictEqual([south]);
  });

  it('come as a table', async () => {
    const { body, headers } = await get('customers-by-branch', { accept: 'text/csv' });
    expect(headers['content-type']).toContain('text/csv');
    expect(body).toBe('branch,customers,prospects,persons,organisations,incomplete\r\n3100,2,0,1,1,0\r\n3200,1,0,1,0,1\r\n,0,1,1,0,0\r\n');
  });

  it('are of a replay where it is asked for, for today’s relationship manager', async () => {
    const alone = { branch: null, customers: 1, prospects: 0, persons: 1, organisations: 0, incomplete: 0 };
    expect(await itemsOf('customers-by-branch?replay=then')).toStrictEqual([{ ...alone, customers: 2, persons: 2 }]);
    expect(await itemsOf('customers-by-branch?replay=then', { role: 'rm', subject: 'chen' })).toStrictEqual([alone]);
    expect((await get('customers-by-branch?replay=never')).statusCode).toBe(400);
  });
});

describe('the summary of holdings', () => {
  const short = (items: readonly Record<string, unknown>[]) =>
    items.map(({ kind, role, product, status, sourceStatus, currency, count, amount }) =>
      [kind, role ?? product ?? sourceStatus, status, currency, count, (amount as { amount: number } | null)?.amount ?? null].join(' '),
    );

  it('counts each thing once, and says sums past 2^53 whole', async () => {
    expect(short(await itemsOf('holdings-summary'))).toStrictEqual([
      'account  closed CNY 1 ',
      'account  open CNY 3 ',
      'account  open EUR 1 ',
      'account  open JPY 2 ',
      'card classic active  1 ',
      'card gold active  1 ',
      'loan D in-debt EUR 1 500',
      'loan C running CNY 2 9007199254740993',
      'order  active CNY 2 42',
      'ownership joint-owner current  1 ',
      'ownership mandate current  1 ',
      'ownership owner current  3 ',
      // A void one never was, and an opening balance is none.
      'transaction   CNY 7 ',
      'transaction   EUR 1 ',
      'transaction   JPY 2 ',
    ]);
    const { totals, loans: lent } = (await get('holdings-summary')).json();
    expect(totals).toStrictEqual({ account: 7, ownership: 5, loan: 3, card: 2, order: 2, transaction: 10 });
    expect(lent).toStrictEqual([{ amount: 500, currency: 'EUR' }, yuan('9007199254740993')]);
    const loans = (await itemsOf('holdings-summary')).filter(({ kind }) => kind === 'loan');
    expect(loans.map(({ amount }) => amount)).toStrictEqual([{ amount: 500, currency: 'EUR' }, yuan('9007199254740993')]);
  });

  it('is of accounts that own customers own, by any of their ids: a mandate or an ownership that ended is none', async () => {
    const own = short(await itemsOf('holdings-summary', { role: 'rm', subject: 'chen' }));
    expect(own).toStrictEqual([
      'account  open CNY 1 ',
      'card gold active  1 ',
      `loan C running CNY 1 ${LOTS}`,
      'order  active CNY 2 42',
      'ownership joint-owner current  1 ',
      'ownership owner current  1 ',
      'transaction   CNY 4 ',
    ]);
  });

  it('is of the branch for whose scope it is', async () => {
    expect(short(await itemsOf('holdings-summary', { role: 'operations', scope: 'branch:3200' }))).toStrictEqual([
      'account  open CNY 1 ',
      'account  open EUR 1 ',
      'card classic active  1 ',
      'loan D in-debt EUR 1 500',
      'ownership mandate current  1 ',
      'ownership owner current  1 ',
      'transaction   EUR 1 ',
    ]);
  });

  it('comes as a table', async () => {
    const { body } = await get('holdings-summary', { accept: 'text/csv' });
    expect(body.split('\r\n')[0]).toBe('kind,role,product,status,sourceStatus,currency,count,amount');
    expect(body).toContain('loan,,,running,C,CNY,2,9007199254740993\r\n');
  });
});

describe('balances by month', () => {
  const short = (items: readonly Record<string, unknown>[]) =>
    items.map(({ month, balance, currency, accounts, known, older }) =>
      [month, currency, (balance as { amount: number } | null)?.amount ?? null, accounts, known, older].join(' '),
    );

  it('sum each account’s last balance once, by currency, and say how much of it is known and old', async () => {
    expect(short(await itemsOf('balances-by-month'))).toStrictEqual([
      // joint 250 + came 1000 + closed 5; silent is unknown.
      '2026-01 CNY 1255 4 3 0',
      '2026-01 JPY  2 0 0',
      // joint 250 (its void one never was) + came 1000 - 300 + 50 + closed 5.
      '2026-02 CNY 1005 4 3 2',
      '2026-02 EUR 40 1 1 0',
      '2026-02 JPY  2 0 0',
      // joint 700 + came 750; closed is closed.
      '2026-03 CNY 1450 3 2 1',
      '2026-03 EUR 40 1 1 1',
      '2026-03 JPY 18014398509481981 2 2 0',
    ]);
    const [, unknown] = await itemsOf('balances-by-month');
    expect(unknown?.balance).toBeNull();
    expect((await itemsOf('balances-by-month')).at(-1)?.balance).toStrictEqual({ amount: '18014398509481981', currency: 'JPY' });
  });

  it('go on past the last transaction, and start where they are asked to', async () => {
    expect(short(await itemsOf('balances-by-month?from=2026-05&to=2026-05', { role: 'rm', subject: 'chen' }))).toStrictEqual([
      '2026-05 CNY 700 1 1 1',
    ]);
    expect(short(await itemsOf('balances-by-month?from=2025-12&to=2026-01', { role: 'rm', subject: 'chen' }))).toStrictEqual([
      '2026-01 CNY 250 1 1 0',
    ]);
    expect(short(await itemsOf('balances-by-month?from=2026-03'))).toHaveLength(3);
    expect((await get('balances-by-month?from=2026-03&to=2026-02')).statusCode).toBe(400);
    expect((await get('balances-by-month?from=2026-13')).statusCode).toBe(400);
  });

  it('are of own customers’ accounts, joint ones whole; a mandate is none', async () => {
    expect(short(await itemsOf('balances-by-month?from=2026-03', { role: 'rm', subject: 'chen' }))).toStrictEqual(['2026-03 CNY 700 1 1 0']);
    // Both own customers of Dai's, one of them with Chen's: the joint account, the euros and the closed one.
    expect(short(await itemsOf('balances-by-month?to=2026-02', { role: 'rm', subject: 'dai' }))).toStrictEqual([
      '2026-01 CNY 255 2 2 0',
      '2026-02 CNY 255 2 2 2',
      '2026-02 EUR 40 1 1 0',
    ]);
    expect(await itemsOf('balances-by-month', { role: 'rm', subject: 'nobody' })).toStrictEqual([]);
  });

  it('are of the branch for whose scope it is', async () => {
    expect(short(await itemsOf('balances-by-month?from=2026-03', { role: 'auditor', scope: 'branch:3200' }))).toStrictEqual([
      '2026-03 CNY  1 0 0',
      '2026-03 EUR 40 1 1 1',
    ]);
  });

  it('are of a replay where it is asked for', async () => {
    expect(short(await itemsOf('balances-by-month?replay=then', { role: 'rm', subject: 'chen' }))).toStrictEqual(['2026-01 CNY 250 1 1 0']);
  });

  it('come as a table, an unknown balance as an empty cell', async () => {
    const { body } = await get('balances-by-month?to=2026-01', { accept: 'text/csv' });
    expect(body).toBe('month,balance,currency,accounts,known,older\r\n2026-01,1255,CNY,4,3,0\r\n2026-01,,JPY,2,0,0\r\n');
  });

  it('are of 1,200 months at most, the last ones', async () => {
    const db = new Kysely<FigureTables>({ dialect: new PostgresDialect({ pool }) }).withSchema('read');
    const rows = await balancesByMonth(db, { role: 'rm', subject: 'chen' }, { from: '1900-01', to: '2199-12' });
    expect([rows[0]?.month, rows.length]).toStrictEqual(['2100-01', 1_200]);
  });

  it('move with an account that nobody has reported yet', async () => {
    const db = new Kysely<FigureTables>({ dialect: new PostgresDialect({ pool }) }).withSchema('replay_then');
    await pool.query(`delete from replay_then.holdings where kind = 'account'`);
    expect(await balancesByMonth(db, { role: 'risk', subject: 'lin' }, {})).toStrictEqual([
      { month: '2026-01', currency: 'CNY', balance: '250', accounts: 1, known: 1, older: 0 },
    ]);
  });
});
