// Whose customers one sees stands twice: as a rule on a customer (customerVisibleTo) and as a condition on rows (customersSeenBy). Here
// the two are held together, over every role, scope and sight and every way in which a customer can be someone's.
import { Kysely, PostgresDialect } from 'kysely';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { customerVisibleTo } from '../../src/domain/customer/visibility.ts';
import type { Actor, Scope } from '../../src/domain/kernel/event.ts';
import { Sealed } from '../../src/domain/kernel/personal.ts';
import { Role } from '../../src/domain/kernel/roles.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { customers } from '../../src/projections/customers/customers.ts';
import { type CustomerFilter, type CustomerTables, customersSeenBy } from '../../src/projections/customers/queries.ts';
import type { CustomerRow } from '../../src/projections/customers/row.ts';
import { arrayLiteral } from '../../src/projections/engine/columns.ts';
import type { Projection, Row } from '../../src/projections/engine/projection.ts';
import { tableSql } from '../../src/projections/engine/table-sql.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const people = ['chen', 'dai'];
const branches = ['3100', '3200'];

/** A customer for every manager (or nobody) and branch (or none), the first of each with a name, the second without. */
const rows: readonly CustomerRow[] = [null, ...people].flatMap((manager) =>
  [null, ...branches].flatMap((branch) =>
    [false, true].map((incomplete): CustomerRow => {
      const id = `${manager}-${branch}-${incomplete}`;
      return {
        id,
        kind: incomplete ? 'organisation' : 'person',
        standing: incomplete ? 'prospect' : 'customer',
        name: incomplete ? null : new Sealed(`customer-${id}`, 'e', 'name', '1.1.AAAA.BBBB'),
        names: incomplete ? [] : ['7', '8'],
        documents: incomplete ? [] : ['9'],
        phones: incomplete ? [] : ['10', '11'],
        tags: incomplete ? [] : ['vip', '小微'],
        manager,
        branch,
        refs: [],
        pairs: [],
        incomplete,
        since: '2026-03-01T00:00:00.000Z',
        since_on: '2026-03-01',
        profile: '{}',
        position: 1,
        revision: 0,
      };
    }),
  ),
);

let database: TestDatabase;
let pool: pg.Pool;
let db: Kysely<CustomerTables>;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool({ url: database.url, max: 2, applicationName: 'visibility-test', role: 'shiji_app' });
  const sql = tableSql('read', customers as unknown as Projection);
  await pool.query(sql.create);
  for (const index of sql.indexes) await pool.query(index);
  await pool.query(
    sql.upsert,
    sql.columns.map((column) => arrayLiteral(column, rows as readonly Row[])),
  );
  db = new Kysely<CustomerTables>({ dialect: new PostgresDialect({ pool }) }).withSchema('read');
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const scopes: readonly (Scope | undefined)[] = [undefined, 'bank', 'branch:3100', 'branch:9999'];
const sights = [undefined, 'chen-3100-false', 'null-null-true', 'nobody'];
const actors: readonly Actor[] = [...Role.options, 'system'].flatMap((role) =>
  [...people, 'zhao'].flatMap((subject) =>
    scopes.flatMap((scope) =>
      sights.map((sight) => ({ role, subject, ...(scope === undefined ? {} : { scope }), ...(sight === undefined ? {} : { sight }) })),
    ),
  ),
);
const visibleTo = (actor: Actor): readonly string[] =>
  rows
    .filter((row) => customerVisibleTo(row, actor))
    .map(({ id }) => id)
    .toSorted();
const seenBy = async (actor: Actor, filter: CustomerFilter = {}): Promise<readonly string[]> =>
  (await customersSeenBy(db, actor, filter).execute()).map(({ id }) => id).toSorted();

describe('the rows that someone sees', () => {
  it.each([...Role.options, 'system'])('are the customers that the rule lets %s see, by any scope and sight', async (role) => {
    const own = actors.filter((actor) => actor.role === role);
    expect(own.length).toBeGreaterThan(40);
    for (const actor of own) expect([actor, await seenBy(actor)]).toStrictEqual([actor, visibleTo(actor)]);
  });

  it('are not none for every role, and not all for every role', () => {
    const counts = new Set(actors.map((actor) => visibleTo(actor).length));
    expect([counts.has(0), counts.has(1), counts.has(rows.length), counts.size > 3]).toStrictEqual([true, true, true, true]);
  });
});

const whole: Actor = { role: 'risk', subject: 'zhao' };
const filters: readonly (readonly [CustomerFilter, (row: CustomerRow) => boolean])[] = [
  [{ nameTokens: ['8', '7'] }, ({ incomplete }) => !incomplete],
  [{ nameTokens: ['7', '9'] }, () => false],
  [{ nameTokens: [] }, () => true],
  [{ documentToken: '9' }, ({ incomplete }) => !incomplete],
  [{ documentToken: '7' }, () => false],
  [{ phoneToken: '11' }, ({ incomplete }) => !incomplete],
  [{ tag: '小微' }, ({ incomplete }) => !incomplete],
  [{ tag: '小' }, () => false],
  [{ manager: 'dai' }, ({ manager }) => manager === 'dai'],
  [{ manager: 'none' }, ({ manager }) => manager === null],
  [{ branch: '3200' }, ({ branch }) => branch === '3200'],
  [{ kind: 'organisation' }, ({ kind }) => kind === 'organisation'],
  [{ standing: 'customer', incomplete: false }, ({ standing }) => standing === 'customer'],
  [{ incomplete: true }, ({ incomplete }) => incomplete],
  [{ ids: ['dai-3100-true', 'nobody'] }, ({ id }) => id === 'dai-3100-true'],
  [{ ids: [] }, () => false],
];

describe('what is asked for', () => {
  it.each(filters)('by %j is what matches', async (filter, matches) => {
    const expected = rows.filter(matches).map(({ id }) => id);
    expect(await seenBy(whole, filter)).toStrictEqual(expected.toSorted());
  });

  it.each(filters)('by %j stays within what is seen', async (filter) => {
    for (const actor of actors.filter(({ scope, sight }) => scope === 'branch:3100' && sight !== 'nobody')) {
      const mine = new Set(visibleTo(actor));
      expect((await seenBy(actor, filter)).filter((id) => !mine.has(id))).toStrictEqual([]);
    }
  });

  it('comes with sealed values as they stand, and without tokens', async () => {
    const [row] = await customersSeenBy(db, whole, { ids: ['chen-3100-false'] }).execute();
    expect(row).toStrictEqual({
      id: 'chen-3100-false',
      kind: 'person',
      standing: 'customer',
      name: 'customer-chen-3100-false e name 1.1.AAAA.BBBB',
      tags: ['vip', '小微'],
      manager: 'chen',
      branch: '3100',
      refs: [],
      pairs: [],
      incomplete: false,
      since: '2026-03-01T00:00:00.000Z',
      since_on: '2026-03-01',
      profile: '{}',
      position: 1,
      revision: 0,
    });
  });
});
