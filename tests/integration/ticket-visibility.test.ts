// Whose tickets one sees stands twice: as a rule on a ticket (ticketVisibleTo) and as a condition on rows (rowsOf in the queries).
// Here the two are held together, over every role and every way in which a ticket can be someone's.
import { Kysely, PostgresDialect } from 'kysely';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sealed } from '../../src/domain/kernel/personal.ts';
import { Role } from '../../src/domain/kernel/roles.ts';
import { ticketVisibleTo } from '../../src/domain/ticket/ticket.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { arrayLiteral } from '../../src/projections/engine/columns.ts';
import type { Projection, Row } from '../../src/projections/engine/projection.ts';
import { tableSql } from '../../src/projections/engine/table-sql.ts';
import { queuesSeenBy, type TicketTables, ticketsSeenBy } from '../../src/projections/tickets/queries.ts';
import { type TicketRow, tickets } from '../../src/projections/tickets/tickets.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const people = ['chen', 'dai', 'eve'];
const now = '2026-03-03T12:00:00.000Z';
const statuses = ['open', 'assigned', 'in-progress', 'resolved', 'closed'];

/** A ticket for every opener (a member of staff, or another system), assignee (or nobody) and status. */
const rows: readonly TicketRow[] = [null, ...people].flatMap((opened_by) =>
  [null, ...people].flatMap((assignee) =>
    statuses.map((status): TicketRow => {
      const id = `${opened_by}-${assignee}-${status}`;
      const due_at = status === 'open' ? '2026-03-03T11:59:59.999Z' : status === 'assigned' ? '2026-03-03T12:30:00.000Z' : null;
      return {
        id,
        customer_id: null,
        type: 'complaint',
        priority: 'normal',
        channel: 'web',
        product: null,
        status,
        assignee,
        opened_by,
        source_system: opened_by === null ? 'cfpb' : null,
        source_id: opened_by === null ? id : null,
        opened_at: '2026-03-01T00:00:00.000Z',
        opened_month: '2026-03',
        closed_at: null,
        first_response_due_at: due_at,
        first_response_at: null,
        first_response: 'running',
        resolution_due_at: due_at,
        resolution_at: null,
        resolution: 'running',
        due_at,
        sla_policy: 'standard 1',
        calendar: 'cn-bank 1',
        provisional: false,
        verdict: null,
        summary: new Sealed(`ticket-${id}`, 'e', 'summary', '1.1.AAAA.BBBB'),
        search: ['7'],
        position: 1,
        revision: 0,
      };
    }),
  ),
);

let database: TestDatabase;
let pool: pg.Pool;
let db: Kysely<TicketTables>;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool({ url: database.url, max: 2, applicationName: 'visibility-test', role: 'shiji_app' });
  const sql = tableSql('read', tickets as unknown as Projection);
  await pool.query(sql.create);
  await pool.query(
    sql.upsert,
    sql.columns.map((column) => arrayLiteral(column, rows as readonly Row[])),
  );
  db = new Kysely<TicketTables>({ dialect: new PostgresDialect({ pool }) }).withSchema('read');
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const actors = Role.options.flatMap((role) =>
  [...people, 'zhao'].flatMap((subject) => [
    { role, subject },
    { role, subject, scope: 'branch:3100' as const },
  ]),
);
const visibleTo = (actor: (typeof actors)[number]): readonly TicketRow[] =>
  rows.filter(({ opened_by, assignee }) => ticketVisibleTo({ openedBy: opened_by, assignee }, actor));

describe('the rows that someone sees', () => {
  it.each(actors)('are the tickets that the rule lets $role $subject $scope see', async (actor) => {
    const seen = await ticketsSeenBy(db, actor, {}).execute();
    expect(seen.map(({ id }) => id).toSorted()).toStrictEqual(
      visibleTo(actor)
        .map(({ id }) => id)
        .toSorted(),
    );
  });

  it.each(actors)('are what the queues of $role $subject $scope count', async (actor) => {
    const waiting = visibleTo(actor).filter(({ status }) => ['open', 'assigned', 'in-progress'].includes(status));
    const expected = [...Map.groupBy(waiting, ({ assignee }) => assignee)].map(([assignee, list]) => ({
      assignee,
      waiting: list.length,
      in_progress: list.filter(({ status }) => status === 'in-progress').length,
      due_within_hour: list.filter(({ status }) => status === 'assigned').length,
      breached: list.filter(({ status }) => status === 'open').length,
      oldest: '2026-03-01T00:00:00.000Z',
    }));
    const queues = await queuesSeenBy(db, actor, now);
    expect(queues).toStrictEqual(expected.sort((a, b) => ((a.assignee ?? '') < (b.assignee ?? '') ? -1 : 1)));
  });

  it('stay within what is seen, whatever is asked for', async () => {
    for (const actor of actors) {
      const mine = new Set(visibleTo(actor).map(({ id }) => id));
      for (const filter of [
        { assignee: 'dai' },
        { assignee: 'none' },
        { source: 'cfpb' },
        { status: ['open'] },
        { clock: 'running' },
        { tokens: ['7'] },
        { dueBefore: '2027-01-01T00:00:00Z' },
      ]) {
        const seen = await ticketsSeenBy(db, actor, filter).execute();
        expect(seen.filter(({ id }) => !mine.has(id))).toStrictEqual([]);
        if (actor.role === 'risk' && !('scope' in actor)) expect(seen.length).toBeGreaterThan(0);
      }
    }
  });

  it('are not none for every role, and not all for every role', () => {
    const counts = new Set(actors.map((actor) => visibleTo(actor).length));
    expect([counts.has(0), counts.has(rows.length), counts.size > 3]).toStrictEqual([true, true, true]);
  });
});
