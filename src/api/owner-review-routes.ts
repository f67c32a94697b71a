// GET /v1/beneficial-owner-reviews: firms whose confirmed owners are to be looked at again, the longest overdue first. Only the
// confirmation that counts today is due: one that was replaced is not.
import type { FastifyInstance } from 'fastify';
import { type Kysely, sql } from 'kysely';
import { z } from 'zod';
import { CalendarDate } from '../domain/kernel/calendar-date.ts';
import { type CustomerTables, customersSeenBy } from '../projections/customers/queries.ts';
import { LIVE_SCHEMA } from '../projections/engine/engine.ts';
import type { OwnerConfirmationRow } from '../projections/owner-confirmations/owner-confirmations.ts';
import { OpenedValues, Showing } from '../views/shown.ts';
import { dayOf } from '../views/window.ts';
import { PersonalValue } from './customer-view.ts';
import { pageParameters } from './page.ts';
import { pageAnswer, readRoute } from './read-route.ts';
import { fieldsFor, type RelationRouteParts } from './relation-route-parts.ts';

interface Tables extends CustomerTables {
  owner_confirmations: Omit<OwnerConfirmationRow, 'evidence'>;
}

const Review = z.strictObject({
  customer: z.string(),
  name: PersonalValue,
  reviewDueOn: z.string(),
  overdue: z.boolean(),
  confirmedBy: z.string(),
  confirmedAt: z.string(),
});

export function ownerReviewRoutes(app: FastifyInstance, parts: RelationRouteParts): void {
  const { readModels, opener, now, zone } = parts;

  readRoute(app, parts, {
    name: 'ListOwnerReviews',
    summary: 'Firms whose beneficial owners are to be looked at again, the longest overdue first',
    route: 'GET /v1/beneficial-owner-reviews',
    roles: ['risk', 'auditor', 'operations', 'rm'],
    query: z.strictObject({
      ...pageParameters,
      dueBy: CalendarDate.optional().meta({ description: 'Due on or before this day; today where absent' }),
    }),
    answer: pageAnswer(Review),
    projections: ['owner_confirmations', 'customers'],
    personal: true,
    read: async ({ query, actor, page, record }) => {
      const today = dayOf(now(), zone).toString();
      const db: Kysely<Tables> = await readModels.of<Tables>(undefined);
      const replaced = sql<boolean>`exists (
        select 1 from ${sql.table(`${LIVE_SCHEMA}.owner_confirmations`)} newer
         where newer.customer_id = owner_confirmations.customer_id and newer.from_on <= ${today}
           and (newer.from_on, newer.position) > (owner_confirmations.from_on, owner_confirmations.position))`;
      const seen = customersSeenBy(db as unknown as Kysely<CustomerTables>, actor, {})
        .clearSelect()
        .select('id');
      const found = await page({
        query: db
          .selectFrom('owner_confirmations')
          .select(['id', 'customer_id', 'review_due_on', 'confirmed_by', 'confirmed_at'])
          .select((is) => is.selectFrom('customers').select('name').whereRef('customers.id', '=', 'owner_confirmations.customer_id').as('name'))
          .where('review_due_on', '<=', query.dueBy ?? today)
          .where(sql<boolean>`from_on <= ${today} and not ${replaced}`)
          .where('customer_id', 'in', seen),
        sort: [
          { column: 'review_due_on', direction: 'asc' },
          { column: 'id', direction: 'asc' },
        ],
      });
      const [opened] = await Promise.all([
        OpenedValues.of(
          opener,
          found.items.map(({ name }) => name),
        ),
        record({ ids: found.items.map(({ customer_id }) => customer_id), fields: fieldsFor(actor, ['name']) }),
      ]);
      const showing = new Showing(opened, actor.role);
      const items = found.items.map(({ customer_id, name, review_due_on, confirmed_by, confirmed_at }) => ({
        customer: customer_id,
        name: showing.text('name', 'name', name),
        reviewDueOn: review_due_on,
        overdue: review_due_on < today,
        confirmedBy: confirmed_by,
        confirmedAt: confirmed_at,
      }));
      return { ...found, items };
    },
  });
}
