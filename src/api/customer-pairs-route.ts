// GET /v1/customers/pairs: the queue of customers that may be one, masked, the most alike first. Deciding is a command's own route
// (commands/matching.ts).
import type { FastifyInstance } from 'fastify';
import { type Kysely, sql } from 'kysely';
import { z } from 'zod';
import { isMasked } from '../domain/customer/masks.ts';
import type { CustomerTables } from '../projections/customers/queries.ts';
import type { PairRow } from '../projections/pairs/pairs.ts';
import { OpenedValues, Showing } from '../views/shown.ts';
import type { CustomerRouteParts } from './customer-route-parts.ts';
import { PersonalValue } from './customer-view.ts';
import { pageParameters } from './page.ts';
import { pageAnswer, readRoute } from './read-route.ts';
import { Reason } from './similar-hits.ts';

const Side = z.strictObject({
  id: z.string(),
  kind: z.string(),
  name: PersonalValue,
  manager: z.string().nullable(),
  branch: z.string().nullable(),
});
const PairItem = z.strictObject({
  id: z.string(),
  customers: z.tuple([Side, Side]),
  because: z.string().meta({ description: '`similar`, or by a common document' }),
  score: z.number(),
  reasons: z.array(Reason),
  foundAt: z.string(),
  denied: z
    .strictObject({ by: z.string(), reason: PersonalValue })
    .nullable()
    .meta({ description: 'Who entered one of them was warned, and said that it is another' }),
  status: z.enum(['open', 'later', 'same', 'different']),
  decided: z.strictObject({ at: z.string(), by: z.string(), reason: PersonalValue }).nullable(),
  revision: z.int().meta({ description: 'For `If-Match`; -1 where nobody decided yet' }),
});

/** A pair with both of its customers. */
interface PairTables extends CustomerTables {
  pairs: Omit<PairRow, 'denied_reason' | 'decision_reason'> & { readonly denied_reason: string | null; readonly decision_reason: string | null };
}

export function customerPairsRoute(app: FastifyInstance, parts: CustomerRouteParts): void {
  const { readModels, opener } = parts;

  readRoute(app, parts, {
    name: 'ListPairs',
    summary: 'Customers that may be one, to be decided on: masked, the most alike first',
    route: 'GET /v1/customers/pairs',
    roles: ['operations', 'risk'],
    query: z.strictObject({
      ...pageParameters,
      status: z
        .enum(['waiting', 'open', 'later', 'same', 'different'])
        .default('waiting')
        .meta({ description: '`waiting` are those nobody decided on and those put off' }),
    }),
    answer: pageAnswer(PairItem),
    projections: ['pairs', 'customers'],
    personal: true,
    read: async ({ query, actor, page, record }) => {
      const db: Kysely<PairTables> = await readModels.of<PairTables>(undefined);
      let pairs = db
        .selectFrom('pairs')
        .innerJoin('customers as c1', 'c1.id', 'pairs.one')
        .innerJoin('customers as c2', 'c2.id', 'pairs.other')
        .selectAll('pairs')
        .select(['c1.kind as kind1', 'c1.name as name1', 'c1.manager as manager1', 'c1.branch as branch1'])
        .select(['c2.kind as kind2', 'c2.name as name2', 'c2.manager as manager2', 'c2.branch as branch2'])
        .where('pairs.status', 'in', query.status === 'waiting' ? ['open', 'later'] : [query.status]);
      // Both, or the one would tell of the other.
      const { scope = 'bank' } = actor;
      if (scope !== 'bank') {
        const branch = scope.slice('branch:'.length);
        pairs = pairs.where(sql<boolean>`c1.branch = ${branch} and c2.branch = ${branch}`);
      }
      const found = await page({
        query: pairs,
        sort: [
          { column: 'pairs.score', direction: 'desc' },
          { column: 'pairs.id', direction: 'desc' },
        ],
      });
      const masks = isMasked(actor.role);
      const [opened] = await Promise.all([
        OpenedValues.of(
          opener,
          found.items.flatMap((row) => [row.name1, row.name2, row.denied_reason, row.decision_reason]),
        ),
        record({ ids: found.items.flatMap(({ one, other }) => [one, other]), fields: masks || found.items.length === 0 ? [] : ['reason'] }),
      ]);
      // Names are masked for whoever looks at the queue; what colleagues wrote is for who sees it plain elsewhere.
      const names = new Showing(opened, 'operations');
      const texts = new Showing(opened, actor.role);
      const items = found.items.map(
        (row): z.output<typeof PairItem> => ({
          id: row.id,
          customers: [
            { id: row.one, kind: row.kind1, name: names.text('name', 'name', row.name1), manager: row.manager1, branch: row.branch1 },
            { id: row.other, kind: row.kind2, name: names.text('name', 'name', row.name2), manager: row.manager2, branch: row.branch2 },
          ],
          because: row.because,
          score: row.score / 1_000,
          reasons: JSON.parse(row.reasons) as z.output<typeof Reason>[],
          foundAt: row.found_at,
          denied: row.denied_by === null ? null : { by: row.denied_by, reason: texts.text('reason', 'hidden', row.denied_reason) },
          status: row.status as z.output<typeof PairItem>['status'],
          decided:
            row.decided_at === null
              ? null
              : { at: row.decided_at, by: row.decided_by ?? '', reason: texts.text('reason', 'hidden', row.decision_reason) },
          revision: row.revision,
        }),
      );
      return { ...found, items };
    },
  });
}
