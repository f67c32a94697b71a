// GET /v1/customers/{customerId}/360: everything the bank knows of one customer on one page, at one position; now, as of any moment of
// both times, or from a replay.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { isMasked } from '../domain/customer/masks.ts';
import type { Actor } from '../domain/kernel/event.ts';
import { view360 } from '../views/customer-360.ts';
import type { CustomerRows } from '../views/customer-rows.ts';
import { liveRows, replayRows, viewedProjections } from '../views/live.ts';
import { offeredPairs } from '../views/offered-pairs.ts';
import { pastRows } from '../views/past.ts';
import { windowOf } from '../views/window.ts';
import { CustomerAccess, seenOf } from './customer-access.ts';
import { type CustomerRouteParts, customerParams, customerReaders } from './customer-route-parts.ts';
import { Customer360 } from './customer-view.ts';
import { readRoute } from './read-route.ts';
import { readsSummary, ticketItems } from './ticket-view.ts';
import { asProblem, replayOf, type Times, timesParameters } from './times.ts';

/** Personal fields of the view, for the record of who saw them. */
const FIELDS = ['name', 'birthDate', 'sex', 'documents', 'contacts', 'number', 'counterparty', 'description', 'relations'];

export function customer360Route(app: FastifyInstance, parts: CustomerRouteParts): void {
  const { pool, opener, positions, zone, now } = parts;
  const access = new CustomerAccess(pool);

  /** The rows, and which customers in them the reader may see. Undefined where the customer is not there, or not for them. */
  async function rowsFor(id: string, times: Times, actor: Actor): Promise<{ rows: CustomerRows; sees: ReadonlySet<string> } | undefined> {
    const replay = await replayOf(pool, times);
    if (replay === undefined && times.asOf === undefined && times.knownAt === undefined) {
      const rows = await liveRows(parts, id, windowOf(now(), zone));
      return rows && (await access.sees(rows.customer, actor)) ? { rows, sees: seenOf(rows.parties, actor) } : undefined;
    }
    // The right is needed now, whichever past is asked for, and before its cost.
    if (!(await access.seesId(id, actor))) return undefined;
    const rows = replay ? await replayRows(pool, replay, id, windowOf(replay.until ?? now(), zone)) : await pastRows(parts, id, times);
    const others = rows?.parties.map((party) => party.id) ?? [];
    return rows && { rows, sees: await access.seen(others, actor) };
  }

  readRoute(app, parts, {
    name: 'GetCustomer360',
    summary: 'All of one customer: accounts, loans, cards, balances, flows, relations, tickets, campaigns',
    route: 'GET /v1/customers/{customerId}/360',
    roles: customerReaders,
    params: customerParams,
    query: z.strictObject(timesParameters),
    answer: Customer360,
    projections: [...viewedProjections, 'pairs'],
    personal: true,
    read: async ({ params: { customerId }, query, actor, record, denied, etag }) => {
      const found = await rowsFor(customerId, query, actor).catch((error: unknown) => {
        throw asProblem(error);
      });
      if (!found) throw await denied([customerId]);
      const { sees } = found;
      const pairs = await offeredPairs(pool, customerId, found.rows.customer.pairs);
      const rows = { ...found.rows, customer: { ...found.rows.customer, pairs } };
      const reads = (ticket: CustomerRows['tickets'][number]): boolean => readsSummary(ticket, actor);
      const fields = [...(isMasked(actor.role) ? [] : FIELDS), ...(rows.tickets.some(reads) ? ['summary'] : [])];
      // The record is written while the values are opened; nothing leaves before it stands.
      const [{ answer }, tickets] = await Promise.all([
        view360(rows, opener, actor, sees),
        ticketItems(rows.tickets, actor, opener, reads),
        record({ ids: [customerId, ...rows.tickets.map(({ id }) => id), ...sees], fields }),
      ]);
      etag(rows.customer.revision);
      const { masked, customer, ...rest } = answer;
      return {
        customer: { ...customer, masked },
        ...rest,
        tags: [...rest.tags],
        tickets,
        asOf: query.asOf ?? null,
        knownAt: query.knownAt ?? null,
        position: positions.seal(rows.position, actor),
      };
    },
  });
}
