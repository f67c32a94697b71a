// GET /v1/customers/{customerId}/transactions: what moved on a customer's accounts, newest first; now, as of any moment, or from a replay.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { isMasked } from '../domain/customer/masks.ts';
import { Direction } from '../domain/holding/vocabulary.ts';
import { CalendarDate } from '../domain/kernel/calendar-date.ts';
import { LIVE_SCHEMA } from '../projections/engine/engine.ts';
import { transactionsOf } from '../projections/transactions/queries.ts';
import { sealedInTransactions, transactionShown } from '../views/customer-360.ts';
import { accountsNow, accountsPast } from '../views/customer-accounts.ts';
import { type StoredTransaction, viewColumns } from '../views/customer-rows.ts';
import { viewedProjections } from '../views/live.ts';
import { worldTime } from '../views/past.ts';
import { OpenedValues, Showing } from '../views/shown.ts';
import { CustomerAccess } from './customer-access.ts';
import { type CustomerRouteParts, customerParams, customerReaders } from './customer-route-parts.ts';
import { TransactionItem } from './customer-view.ts';
import { pageParameters } from './page.ts';
import { pageAnswer, readRoute } from './read-route.ts';
import { asProblem, replayOf, timesParameters } from './times.ts';

const { count: _, ...pageOnly } = pageParameters;
const Item = TransactionItem.extend({ masked: z.array(z.string()).meta({ description: 'Personal fields that this role does not see' }) });
const SORT = 'starts_at,position';

export function customerTransactionsRoute(app: FastifyInstance, parts: CustomerRouteParts): void {
  const { pool, opener, zone } = parts;
  const access = new CustomerAccess(pool);

  readRoute(app, parts, {
    name: 'ListCustomerTransactions',
    summary: 'What moved on a customer’s accounts, newest first',
    route: 'GET /v1/customers/{customerId}/transactions',
    roles: customerReaders,
    params: customerParams,
    query: z.strictObject({
      ...pageOnly,
      from: CalendarDate.optional().meta({ description: 'Booked on this day or later' }),
      to: CalendarDate.optional().meta({ description: 'Booked on this day or earlier' }),
      account: z.uuid().optional().meta({ description: 'Only of this account' }),
      direction: Direction.optional(),
      category: z.string().min(1).max(64).optional(),
      ...timesParameters,
    }),
    answer: pageAnswer(Item),
    projections: viewedProjections,
    personal: true,
    csv: [
      ...(['id', 'account', 'bookedOn', 'direction', 'currency', 'amount', 'balance', 'category', 'operation'] as const).map((header) => ({
        header,
        value: (item: z.output<typeof Item>) => item[header],
      })),
    ],
    read: async ({ params: { customerId }, query, actor, record, denied, cursorFrom, cursorTo }) => {
      const { limit, from, to, account, direction, category, asOf, knownAt } = query;
      const replay = await replayOf(pool, query);
      if (!(await access.seesId(customerId, actor))) throw await denied([customerId]);
      const isPast = asOf !== undefined || knownAt !== undefined;
      const theirs = await (isPast ? accountsPast(parts, customerId, { asOf, knownAt }) : accountsNow(parts, customerId, replay)).catch(
        (error: unknown) => {
          throw asProblem(error);
        },
      );
      if (!theirs) throw await denied([customerId]);
      const { value, isDate } = worldTime(asOf, zone);
      const rows = await transactionsOf<StoredTransaction>(pool, replay?.schema ?? LIVE_SCHEMA, viewColumns.transactions, {
        accounts: theirs.accounts.filter(({ id }) => account === undefined || id === account),
        ...{ from, to, direction, category, limit },
        position: theirs.position,
        ...(value === null ? {} : isDate ? { bookedBy: value } : { startedBy: value }),
        after: cursorFrom(SORT) as readonly [string, string] | undefined,
      });
      const shown = rows.slice(0, limit);
      const last = rows.length > limit ? shown.at(-1) : undefined;
      const [opened] = await Promise.all([
        OpenedValues.of(opener, sealedInTransactions(shown)),
        record({ ids: [customerId, ...shown.map(({ id }) => id)], fields: isMasked(actor.role) ? [] : ['counterparty', 'description'] }),
      ]);
      const items = shown.map((row) => {
        const showing = new Showing(opened, actor.role);
        return { ...transactionShown(row, showing), masked: showing.masked };
      });
      return { items, next: last === undefined ? null : cursorTo([last.starts_key, last.position_key], SORT) };
    },
  });
}
