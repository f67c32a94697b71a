// Segments: the list, how many each condition leaves, who is in one, and why a customer is in it or not. Whose customers count is part of
// each question. Commands on segments are commands/segment.ts.
import type { FastifyInstance } from 'fastify';
import { type Kysely, type SqlBool, sql } from 'kysely';
import type { Pool } from 'pg';
import { z } from 'zod';
import { CustomerId } from '../domain/customer/events.ts';
import type { Actor } from '../domain/kernel/event.ts';
import { dateOf } from '../domain/kernel/source.ts';
import { Condition, dimensionsIn, inWords, type Node, nodesOf } from '../domain/segment/condition.ts';
import { SegmentId } from '../domain/segment/events.ts';
import { segmentVisibleTo } from '../domain/segment/segment.ts';
import { type CustomerTables, customersSeenBy } from '../projections/customers/queries.ts';
import type { DimensionTables } from '../projections/dimensions/dimensions.ts';
import { dimensionsOf } from '../projections/dimensions/queries.ts';
import type { SegmentRow, SegmentTables } from '../projections/segments/segments.ts';
import { conditionSql } from '../views/segment-sql.ts';
import { mayRead } from './class-readers.ts';
import { CustomerAccess } from './customer-access.ts';
import { pageParameters } from './page.ts';
import { notFound, Problem } from './problems.ts';
import type { ReadModels } from './read-models.ts';
import { pageAnswer, type ReadRouteParts, readRoute } from './read-route.ts';

export interface SegmentRouteParts extends ReadRouteParts {
  readonly pool: Pool;
  readonly readModels: ReadModels;
  /** Epoch milliseconds by the one clock. */
  readonly now: () => number;
  readonly zone: string;
}

const readers = ['rm', 'operations', 'risk', 'auditor', 'product', 'management'] as const;
/** Product and management see figures and nobody's identity. */
const memberReaders = ['rm', 'operations', 'risk', 'auditor'] as const;
const params = z.strictObject({ segmentId: SegmentId });
/** The read models that conditions look at. */
const asked = ['segments', 'customers', 'classifications', 'holdings', 'transactions', 'tickets', 'enrolments', 'dimensions'] as const;

const SegmentItem = z.strictObject({
  id: z.string(),
  version: z.int(),
  name: z.string(),
  condition: Condition,
  owner: z.string(),
  retired: z.boolean(),
  definedAt: z.string(),
  revision: z.int().meta({ description: 'For `If-Match`, in quotes' }),
});
const place = {
  path: z.string().meta({ description: 'JSON Pointer into the condition; empty for the whole' }),
  words: z.string(),
};

type Tables = SegmentTables & CustomerTables & DimensionTables;

export function segmentRoutes(app: FastifyInstance, parts: SegmentRouteParts): void {
  const { pool, readModels, now, zone } = parts;
  const access = new CustomerAccess(pool);
  const today = (): string => dateOf(new Date(now()).toISOString(), zone);

  readRoute(app, parts, {
    name: 'ListSegments',
    summary: 'Segments by name; of relationship managers’ one’s own',
    route: 'GET /v1/segments',
    roles: readers,
    query: z.strictObject(pageParameters),
    answer: pageAnswer(SegmentItem),
    projections: ['segments'],
    personal: false,
    read: async ({ actor, page }) => {
      const db = await readModels.of<Tables>(undefined);
      let query = db.selectFrom('segments').selectAll().where('retired', '=', false);
      if (actor.role === 'rm') query = query.where((is) => is.or([is('owner_role', '<>', 'rm'), is('owner', '=', actor.subject)]));
      const found = await page({
        query,
        sort: [
          { column: 'name', direction: 'asc' },
          { column: 'id', direction: 'asc' },
        ],
      });
      return { ...found, items: found.items.map(segmentShown) };
    },
  });

  readRoute(app, parts, {
    name: 'GetSegment',
    summary: 'One segment',
    route: 'GET /v1/segments/{segmentId}',
    roles: readers,
    params,
    answer: SegmentItem,
    projections: ['segments'],
    personal: false,
    read: async ({ params: { segmentId }, actor }) => {
      const row = await segmentOf(await readModels.of<Tables>(undefined), segmentId, actor);
      if (!row) throw notFound();
      return segmentShown(row);
    },
  });

  readRoute(app, parts, {
    name: 'GetSegmentSize',
    summary: 'How many customers a segment has of those in your sight, and how many each of its conditions leaves',
    route: 'GET /v1/segments/{segmentId}/size',
    roles: readers,
    params,
    answer: z.strictObject({
      segment: z.string(),
      version: z.int(),
      of: z.int().meta({ description: 'Customers and prospects in sight' }),
      customers: z.int(),
      conditions: z
        .array(z.strictObject({ ...place, customers: z.int() }))
        .meta({ description: 'Customers that meet it and all that stands before it in its groups of `all`: what is left, step by step' }),
    }),
    projections: asked,
    personal: false,
    read: async ({ params: { segmentId }, actor }) => {
      const db = await readModels.of<Tables>(undefined);
      const row = await segmentOf(db, segmentId, actor);
      if (!row) throw notFound();
      const nodes = nodesOf(await conditionOf(db, row, actor));
      const day = today();
      const counts = await customersCounted(db, actor)
        .select(sql<number>`count(*)::int`.as('everyone'))
        .select(nodes.map(({ node, before }, index) => countOf([...before, node], day).as(`n${index}`)))
        .executeTakeFirstOrThrow();
      const count = (name: string): number => (counts as Record<string, number>)[name] ?? 0;
      const conditions = nodes.map(({ path, node }, index) => ({ path, words: inWords(node), customers: count(`n${index}`) }));
      return { segment: row.id, version: row.version, of: count('everyone'), customers: count('n0'), conditions };
    },
  });

  readRoute(app, parts, {
    name: 'ListSegmentMembers',
    summary: 'The customers in a segment whom you may see, by id',
    route: 'GET /v1/segments/{segmentId}/members',
    roles: memberReaders,
    params,
    query: z.strictObject(pageParameters),
    answer: pageAnswer(z.strictObject({ customer: z.string() })),
    projections: asked,
    personal: true,
    csv: [{ header: 'customer', value: ({ customer }) => customer }],
    read: async ({ params: { segmentId }, actor, page, record, denied }) => {
      const db = await readModels.of<Tables>(undefined);
      const row = await segmentOf(db, segmentId, actor);
      if (!row) throw await denied([segmentId]);
      const condition = conditionSql(await conditionOf(db, row, actor), today());
      const query = customersSeenBy(db, actor, {}).clearSelect().select('id').where(condition);
      const found = await page({ query, sort: [{ column: 'id', direction: 'asc' }] });
      await record({ ids: found.items.map(({ id }) => id), fields: ['segment'] });
      return { ...found, items: found.items.map(({ id }) => ({ customer: id })) };
    },
  });

  readRoute(app, parts, {
    name: 'ExplainSegmentMember',
    summary: 'Why a customer is in a segment, or not: which of its conditions they meet',
    route: 'GET /v1/segments/{segmentId}/members/{customerId}',
    roles: memberReaders,
    params: params.extend({ customerId: CustomerId }),
    answer: z.strictObject({
      customer: z.string(),
      segment: z.string(),
      version: z.int(),
      member: z.boolean(),
      conditions: z.array(z.strictObject({ ...place, holds: z.boolean() })),
    }),
    projections: asked,
    personal: true,
    read: async ({ params: { segmentId, customerId }, actor, record, denied }) => {
      const db = await readModels.of<Tables>(undefined);
      const row = await segmentOf(db, segmentId, actor);
      if (!row || !(await access.seesId(customerId, actor))) throw await denied([segmentId, customerId]);
      const nodes = nodesOf(await conditionOf(db, row, actor));
      const day = today();
      const met = await db
        .selectFrom('customers')
        .select(nodes.map(({ node }, index) => conditionSql(node, day).as(`n${index}`)))
        .where('id', '=', customerId)
        .executeTakeFirstOrThrow();
      const holds = (index: number): boolean => (met as Record<string, SqlBool>)[`n${index}`] === true;
      await record({ ids: [customerId], fields: ['segment'] });
      const conditions = nodes.map(({ path, node }, index) => ({ path, words: inWords(node), holds: holds(index) }));
      return { customer: customerId, segment: row.id, version: row.version, member: holds(0), conditions };
    },
  });
}

async function segmentOf(db: Kysely<Tables>, id: string, actor: Actor): Promise<SegmentRow | undefined> {
  const row = await db.selectFrom('segments').selectAll().where('id', '=', id).executeTakeFirst();
  return row && segmentVisibleTo({ subject: row.owner, role: row.owner_role }, actor) ? row : undefined;
}

/** The condition, where the reader may be told whom it meets. @throws Problem */
async function conditionOf(db: Kysely<Tables>, row: SegmentRow, actor: Actor): Promise<Condition> {
  const condition = Condition.parse(JSON.parse(row.condition));
  if (actor.role === 'product' || actor.role === 'management') return condition;
  const dimensions = await dimensionsOf(db);
  const hidden = dimensionsIn(condition).find((code) => !mayRead(dimensions.get(code), actor));
  if (hidden !== undefined) throw new Problem('Forbidden', `The segment asks for ${hidden}, which your role may not read.`);
  return condition;
}

/** One condition after the other: what is dear to ask is asked of those that are left. */
function countOf(nodes: readonly Node[], day: string) {
  const all = sql.join(
    nodes.map((node) => conditionSql(node, day)),
    sql` and `,
  );
  return sql<number>`(count(*) filter (where ${all}))::int`;
}

/** Whose customers count: those that one may see; for product and management, who see nobody, all in their scope. */
function customersCounted(db: Kysely<Tables>, actor: Actor) {
  const role = actor.role === 'product' || actor.role === 'management' ? 'risk' : actor.role;
  return customersSeenBy(db, { ...actor, role }, {}).clearSelect();
}

function segmentShown({ id, version, name, condition, owner, retired, defined_at, revision }: SegmentRow): z.output<typeof SegmentItem> {
  return { id, version, name, condition: Condition.parse(JSON.parse(condition)), owner, retired, definedAt: defined_at, revision };
}
