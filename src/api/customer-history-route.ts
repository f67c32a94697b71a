// GET /v1/customers/{customerId}/history: what changed, who did it, when, why and by which way, before and after. Newest first.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { isMasked } from '../domain/customer/masks.ts';
import { approvals } from '../projections/approvals/approvals.ts';
import { type ApprovalTables, approvalStreamsOf } from '../projections/approvals/queries.ts';
import { customers } from '../projections/customers/customers.ts';
import { changesOf, differences, sealedInChanges } from '../views/customer-history.ts';
import { foldRows } from '../views/fold-rows.ts';
import { SETTLE_MS, ViewNotSettled, viewedProjections } from '../views/live.ts';
import { eventsOf, knownPosition } from '../views/past.ts';
import { relationStreamProjections, relationStreamsOf } from '../views/relation-history.ts';
import { OpenedValues, Showing } from '../views/shown.ts';
import { readableClasses } from './class-readers.ts';
import { CustomerAccess } from './customer-access.ts';
import { type CustomerRouteParts, customerParams, customerReaders } from './customer-route-parts.ts';
import { HistoryItem } from './customer-view.ts';
import { pageParameters } from './page.ts';
import { pageAnswer, readRoute } from './read-route.ts';
import { asProblem, timesParameters } from './times.ts';

const { count: _, ...pageOnly } = pageParameters;
const SORT = '-recorded';

export function customerHistoryRoute(app: FastifyInstance, parts: CustomerRouteParts): void {
  const { pool, opener, progress, readModels } = parts;
  const access = new CustomerAccess(pool);

  readRoute(app, parts, {
    name: 'GetCustomerHistory',
    summary: 'Every change of a customer and of what they hold, newest first',
    route: 'GET /v1/customers/{customerId}/history',
    roles: customerReaders,
    params: customerParams,
    query: z.strictObject({ ...pageOnly, knownAt: timesParameters.knownAt }),
    answer: pageAnswer(HistoryItem),
    projections: [...viewedProjections, ...relationStreamProjections, approvals.name],
    personal: true,
    read: async ({ params: { customerId }, query, actor, record, denied, cursorFrom, cursorTo }) => {
      if (!(await access.seesId(customerId, actor))) throw await denied([customerId]);
      const recorded = await allChanges(customerId, query.knownAt).catch((error: unknown) => {
        throw asProblem(error);
      });
      if (recorded.length === 0) throw await denied([customerId]);
      // Of whom one may not see not even that there is a pair, as in the other views.
      const seen = await access.seen([...new Set(recorded.flatMap(({ pairWith }) => pairWith ?? []))], actor);
      const readable = await readableClasses(readModels, actor);
      const all = recorded.filter(({ event, pairWith }) => (pairWith === null || seen.has(pairWith)) && readable(event));
      const after = cursorFrom(SORT)?.[0];
      const rest = after === undefined ? all : all.filter(({ event }) => event.position < Number(after));
      const page = rest.slice(0, query.limit);
      const masks = isMasked(actor.role);
      const [opened] = await Promise.all([
        OpenedValues.of(opener, sealedInChanges(page)),
        record({
          ids: [customerId],
          fields: masks ? [] : ['name', 'birthDate', 'sex', 'documents', 'contacts', 'number', 'counterparty', 'reason', 'reference', 'evidence'],
        }),
      ]);
      const showing = new Showing(opened, actor.role);
      const plain = new Showing(opened, 'system');
      const items = page.map((change): HistoryItem => {
        const { event, about, what, reason } = change;
        const { subject, role, onBehalfOf } = event.actor;
        return {
          when: event.occurredAt,
          recordedAt: event.recordedAt,
          by: { subject, role, ...(onBehalfOf === undefined ? {} : { onBehalfOf }) },
          channel: event.channel,
          purpose: event.purpose ?? null,
          ...(reason === null ? {} : { reason: showing.text('reason', 'hidden', reason) }),
          event: event.type,
          what,
          about,
          changes: differences(change, plain, showing),
        };
      });
      const last = rest.length > page.length ? page.at(-1) : undefined;
      return { items, next: last === undefined ? null : cursorTo([String(last.event.position)], SORT) };
    },
  });

  async function allChanges(customerId: string, knownAt: string | undefined) {
    const { candidates, known } = await knownPosition(parts, customerId, knownAt);
    // The list of approvals has a pace of its own.
    if (!(await progress.waitUntil([approvals.name], known, SETTLE_MS)))
      throw new ViewNotSettled('the list of approvals is behind what is asked for');
    const approvalStreams = await approvalStreamsOf(await readModels.of<ApprovalTables>(undefined), customerId);
    const events = await eventsOf(parts, [...candidates.streams, ...approvalStreams, ...(await relationStreamsOf(parts, customerId, known))], known);
    // By what was known then: before a link was found, what it brings was nobody's here.
    const refs = foldRows(customers, events).get(customerId)?.refs ?? [];
    return changesOf(events, customerId, refs);
  }
}
