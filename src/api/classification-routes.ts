// Reading how customers are classed: one customer as of any moment, the list by a dimension's value, counts without identity, and the
// dimensions themselves. Commands on them are commands/classification.ts.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { DimensionCode, VALUE_TIER, ValueCode } from '../domain/classification/vocabulary.ts';
import { isMasked } from '../domain/customer/masks.ts';
import { asOf, knownAtMs } from '../domain/kernel/as-of.ts';
import { CalendarDate } from '../domain/kernel/calendar-date.ts';
import { dateOf } from '../domain/kernel/source.ts';
import { type ClassificationTables, classCounts, classificationsOf } from '../projections/classifications/queries.ts';
import { type CustomerTables, customersSeenBy } from '../projections/customers/queries.ts';
import type { DimensionTables } from '../projections/dimensions/dimensions.ts';
import { dimensionsOf, type KnownDimension } from '../projections/dimensions/queries.ts';
import { classesOf, classesShown, sealedInClasses } from '../views/customer-classes.ts';
import { eventsOf } from '../views/past.ts';
import { OpenedValues, Showing } from '../views/shown.ts';
import { mayRead } from './class-readers.ts';
import { ClassListItem, CustomerClassesAnswer, DimensionItem } from './classification-view.ts';
import { CustomerAccess } from './customer-access.ts';
import { type CustomerRouteParts, customerParams, customerReaders } from './customer-route-parts.ts';
import { pageParameters } from './page.ts';
import { notFound } from './problems.ts';
import { pageAnswer, readRoute } from './read-route.ts';
import { badHeader } from './request.ts';
import { asProblem, timesParameters } from './times.ts';

const dimensionReaders = ['rm', 'teller', 'agent', 'risk', 'operations', 'auditor', 'product', 'management'] as const;

/** As the list of reports tells it. */
export const customersByClassReport = {
  name: 'customers-by-class',
  title: 'Customers by a dimension’s value: tier, AML grade, tolerance, life cycle or any other',
  definition:
    'Customers, prospects aside, by the value of one dimension that holds today; null for those without one, or whose value’s time is over. A relationship manager’s figures are those of own customers; in a branch’s scope they are that branch’s.',
} as const;

export function classificationRoutes(app: FastifyInstance, parts: CustomerRouteParts): void {
  customerClasses(app, parts);
  classList(app, parts);
  classReport(app, parts);
  dimensionReads(app, parts);
}

function customerClasses(app: FastifyInstance, parts: CustomerRouteParts): void {
  const { pool, journal, codec, opener, readModels, now, zone, positions } = parts;
  const access = new CustomerAccess(pool);

  readRoute(app, parts, {
    name: 'GetCustomerClassifications',
    summary: 'How a customer is classed: what holds, what is due, and every change with its reason',
    route: 'GET /v1/customers/{customerId}/classifications',
    roles: customerReaders,
    params: customerParams,
    query: z.strictObject({ asOf: timesParameters.asOf, knownAt: timesParameters.knownAt }),
    answer: CustomerClassesAnswer,
    // Tickets as well: an agent's own open one lets see its customer.
    projections: ['customers', 'tickets', 'dimensions'],
    personal: true,
    read: async ({ params: { customerId }, query, actor, record, denied, etag }) => {
      if (!(await access.seesId(customerId, actor))) throw await denied([customerId]);
      const position = query.knownAt === undefined ? (await journal.head()).position : await journal.positionAt(knownAtMs(query.knownAt, zone));
      const counts = query.asOf === undefined ? () => true : asOf(query.asOf, zone);
      const recorded = await eventsOf({ journal, codec }, [`customer-${customerId}`, `classification-${customerId}`], position).catch(
        (error: unknown) => {
          throw asProblem(error);
        },
      );
      const events = recorded.filter((event) => counts(event.occurredAt));
      if (!events.some(({ stream }) => stream === `customer-${customerId}`)) throw await denied([customerId]);
      const dimensions = await dimensionsOf(await readModels.of<DimensionTables>(undefined));
      const classes = classesOf(events, (code) => mayRead(dimensions.get(code), actor));
      const [opened] = await Promise.all([
        OpenedValues.of(opener, sealedInClasses(classes)),
        record({ ids: [customerId], fields: ['classifications', ...(isMasked(actor.role) ? [] : ['reason'])] }),
      ]);
      const showing = new Showing(opened, actor.role);
      const definitions = new Map([...dimensions].map(([code, { definition }]) => [code, definition]));
      const shown = classesShown(classes, definitions, dayOf(query.asOf, now(), zone), showing);
      const last = recorded.findLast(({ stream }) => stream === `classification-${customerId}`);
      if (last) etag(last.revision);
      return {
        customer: customerId,
        ...shown,
        masked: showing.masked,
        asOf: query.asOf ?? null,
        knownAt: query.knownAt ?? null,
        position: positions.seal(position, actor),
      };
    },
  });
}

function classList(app: FastifyInstance, parts: CustomerRouteParts): void {
  const { readModels, now, zone } = parts;
  readRoute(app, parts, {
    name: 'ListClassifications',
    summary: 'The customers with a value of a dimension today, by id',
    route: 'GET /v1/classifications',
    roles: ['rm', 'risk', 'operations', 'auditor'],
    query: z.strictObject({
      ...pageParameters,
      dimension: DimensionCode.default(VALUE_TIER),
      value: ValueCode.optional(),
      dueBy: CalendarDate.optional().meta({ description: 'With a review due on this day or before' }),
    }),
    answer: pageAnswer(ClassListItem),
    projections: ['classifications', 'customers', 'dimensions'],
    personal: true,
    csv: (['customer', 'dimension', 'value', 'since', 'assessedOn', 'validUntil', 'reviewDueOn', 'rule', 'ruleVersion'] as const).map((header) => ({
      header,
      value: (item: z.output<typeof ClassListItem>) => item[header],
    })),
    read: async ({ query, actor, page, record }) => {
      const db = await readModels.of<ClassificationTables & CustomerTables & DimensionTables>(undefined);
      if (!mayRead((await dimensionsOf(db)).get(query.dimension), actor))
        throw badHeader('dimension', 'is one of those under /v1/dimensions that your role may read');
      const within = customersSeenBy(db, actor, {}).clearSelect().select('id');
      const found = await page({
        query: classificationsOf(db, within as never, query, dateOf(new Date(now()).toISOString(), zone)),
        sort: [{ column: 'customer_id', direction: 'asc' }],
      });
      await record({ ids: found.items.map(({ customer_id }) => customer_id), fields: ['classifications'] });
      const items = found.items.map((row) => ({
        customer: row.customer_id,
        dimension: row.dimension,
        value: row.value ?? '',
        since: row.since_on,
        assessedOn: row.assessed_on,
        validUntil: row.valid_until,
        reviewDueOn: row.review_due_on,
        rule: row.rule,
        ruleVersion: row.rule_version,
      }));
      return { ...found, items };
    },
  });
}

const CountItem = z.strictObject({
  value: z.string().nullable().meta({ description: 'Null for customers without one' }),
  name: z.string().nullable(),
  customers: z.int(),
});

function classReport(app: FastifyInstance, parts: CustomerRouteParts): void {
  const { readModels, now, zone } = parts;
  readRoute(app, parts, {
    name: 'CustomersByClass',
    summary: customersByClassReport.title,
    route: 'GET /v1/reports/customers-by-class',
    roles: ['management', 'operations', 'product', 'risk', 'auditor', 'rm'],
    query: z.strictObject({ dimension: DimensionCode.default(VALUE_TIER) }),
    answer: z.strictObject({
      ...pageAnswer(CountItem).shape,
      report: z.string(),
      definition: z.string(),
      dimension: z.string(),
      totals: z.strictObject({ customers: z.int() }),
    }),
    projections: ['classifications', 'customers', 'dimensions'],
    personal: false,
    csv: (['value', 'name', 'customers'] as const).map((header) => ({ header, value: (item: z.output<typeof CountItem>) => item[header] })),
    read: async ({ query: { dimension }, actor }) => {
      const db = await readModels.of<ClassificationTables & DimensionTables>(undefined);
      const known = (await dimensionsOf(db)).get(dimension);
      if (known === undefined || (actor.role === 'rm' && !mayRead(known, actor)))
        throw badHeader('dimension', 'is one of those under /v1/dimensions');
      const counts = await classCounts(db, actor, dimension, dateOf(new Date(now()).toISOString(), zone));
      const order = known.definition.values.map(({ code }) => code);
      const counted = new Map(counts.map(({ value, customers }) => [value, customers]));
      const values = [...order, ...[...counted.keys()].filter((value) => value !== null && !order.includes(value)), null];
      const items = values.map((value) => ({
        value,
        name: known.definition.values.find(({ code }) => code === value)?.name ?? null,
        customers: counted.get(value) ?? 0,
      }));
      const { name: report, definition } = customersByClassReport;
      const totals = { customers: items.reduce((sum, { customers }) => sum + customers, 0) };
      return { report, definition, dimension, items, next: null, totals };
    },
  });
}

function dimensionReads(app: FastifyInstance, parts: CustomerRouteParts): void {
  const { readModels } = parts;
  readRoute(app, parts, {
    name: 'ListDimensions',
    summary: 'The dimensions by which customers are classed, with their values and who may give them',
    route: 'GET /v1/dimensions',
    roles: dimensionReaders,
    answer: pageAnswer(DimensionItem),
    projections: ['dimensions'],
    personal: false,
    read: async () => {
      const dimensions = await dimensionsOf(await readModels.of<DimensionTables>(undefined));
      return { items: [...dimensions.values()].map(dimensionShown), next: null };
    },
  });
  readRoute(app, parts, {
    name: 'GetDimension',
    summary: 'One dimension',
    route: 'GET /v1/dimensions/{dimension}',
    roles: dimensionReaders,
    params: z.strictObject({ dimension: DimensionCode }),
    answer: DimensionItem,
    projections: ['dimensions'],
    personal: false,
    read: async ({ params: { dimension } }) => {
      const known = (await dimensionsOf(await readModels.of<DimensionTables>(undefined))).get(dimension);
      if (!known) throw notFound();
      return dimensionShown(known);
    },
  });
}

function dimensionShown({ code, version, definition, definedBy, definedAt, revision }: KnownDimension): z.output<typeof DimensionItem> {
  return { code, version, ...definition, definedBy, definedAt, revision };
}

/** The day asked about, in the bank's zone. */
function dayOf(time: string | undefined, nowMs: number, zone: string): string {
  if (time !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(time)) return time;
  return dateOf(time === undefined ? new Date(nowMs).toISOString() : new Date(knownAtMs(time, zone)).toISOString(), zone);
}
