// Reading customers: the list, one customer. The 360 view, transactions and history have files of their own.
import type { FastifyInstance } from 'fastify';
import type { Kysely } from 'kysely';
import { z } from 'zod';
import { ReportedContact } from '../domain/customer/contacts.ts';
import { documentNumberOf } from '../domain/customer/documents.ts';
import { isMasked } from '../domain/customer/masks.ts';
import { tagOf } from '../domain/customer/tags.ts';
import { BranchCode, PartyKind, Standing } from '../domain/customer/vocabulary.ts';
import type { Actor } from '../domain/kernel/event.ts';
import { type ApprovalTables, pendingOf } from '../projections/approvals/queries.ts';
import { type CustomerTables, customersSeenBy, type StoredCustomer } from '../projections/customers/queries.ts';
import { conflictsShown, personShown, sealedOfProfile } from '../views/customer-shown.ts';
import { offeredPairs } from '../views/offered-pairs.ts';
import { OpenedValues, Showing } from '../views/shown.ts';
import { pendingShown } from './approval-view.ts';
import { customer360Route } from './customer-360-route.ts';
import { CustomerAccess } from './customer-access.ts';
import { customerHistoryRoute } from './customer-history-route.ts';
import { customerLookupRoute } from './customer-lookup-route.ts';
import { customerPairsRoute } from './customer-pairs-route.ts';
import { type CustomerRouteParts, customerParams, customerReaders } from './customer-route-parts.ts';
import { customerTransactionsRoute } from './customer-transactions-route.ts';
import { CustomerAnswer, CustomerItem } from './customer-view.ts';
import { KnownToBank } from './known-to-bank.ts';
import { pageParameters, type SortColumn } from './page.ts';
import { pageAnswer, readRoute } from './read-route.ts';
import { badHeader, purposeOf } from './request.ts';
import { replayParameter } from './ticket-routes.ts';

const sorts: Readonly<Record<string, readonly [SortColumn, ...SortColumn[]]>> = {
  since: [
    { column: 'since', direction: 'asc' },
    { column: 'id', direction: 'asc' },
  ],
  '-since': [
    { column: 'since', direction: 'desc' },
    { column: 'id', direction: 'desc' },
  ],
};
const byId: readonly [SortColumn, ...SortColumn[]] = [{ column: 'id', direction: 'asc' }];

const text = z.string().min(1).max(200);

const ListQuery = z.strictObject({
  ...pageParameters,
  q: text.optional().meta({ description: 'Of the name: words, Chinese characters, pinyin or initials, each of which must be there' }),
  document: text.optional().meta({ description: 'A whole document number' }),
  phone: text.optional().meta({ description: 'A whole phone number' }),
  tag: text.transform(tagOf).optional().meta({ description: 'Width and case don’t count' }),
  manager: text.optional().meta({ description: 'A subject, or `none` for those whom nobody is responsible for' }),
  branch: BranchCode.optional(),
  kind: PartyKind.optional(),
  standing: Standing.optional(),
  incomplete: z
    .enum(['true', 'false'])
    .transform((incomplete) => incomplete === 'true')
    .optional(),
  sort: z.enum(['since', '-since', 'id']).default('-since'),
  replay: replayParameter,
});
type ListQuery = z.output<typeof ListQuery>;

const ListAnswer = pageAnswer(CustomerItem).extend({
  knownToBank: z.literal(true).optional().meta({ description: 'The document is known to the bank: ask operations. Nothing more is said' }),
});

/** Whoever sees one customer at a time finds them by something that they have with them. */
const oneAtATime = (role: string): boolean => role === 'teller' || role === 'agent';
const everyone: Actor = { subject: 'search', role: 'system' };

export function customerRoutes(app: FastifyInstance, parts: CustomerRouteParts): void {
  const { pool, opener, searchTokens, readModels, sights } = parts;
  const access = new CustomerAccess(pool);
  const knownToBank = new KnownToBank(parts);

  readRoute(app, parts, {
    name: 'ListCustomers',
    summary: 'List customers; teller and agent find one at a time by exact document or phone',
    route: 'GET /v1/customers',
    roles: customerReaders,
    query: ListQuery,
    answer: ListAnswer,
    projections: ['customers'],
    personal: true,
    csv: [
      { header: 'id', value: ({ id }) => id },
      { header: 'kind', value: ({ kind }) => kind },
      { header: 'standing', value: ({ standing }) => standing },
      { header: 'name', value: ({ name }) => (typeof name === 'string' ? name : name === null ? '' : '(erased)') },
      { header: 'tags', value: ({ tags }) => tags.join('; ') },
      { header: 'manager', value: ({ manager }) => manager },
      { header: 'branch', value: ({ branch }) => branch },
      { header: 'since', value: ({ since }) => since },
      { header: 'incomplete', value: ({ incomplete }) => String(incomplete) },
    ],
    read: async ({ query, actor, request, page, record, denied }) => {
      const exact = oneAtATime(actor.role);
      if (exact && (query.document === undefined) === (query.phone === undefined))
        throw badHeader('document', `or phone must be given, exactly one: a ${actor.role} sees one customer at a time`);
      if (exact && query.q !== undefined) throw badHeader('q', `is left out: a ${actor.role} finds a customer by document or phone alone`);
      const found = await page({ query: await customersFor(query, exact ? everyone : actor), sort: sorts[query.sort] ?? byId });
      const ids = found.items.map(({ id }) => id);
      if (exact && (ids.length > 1 || found.next !== null)) {
        // That there are several is told as well, and recorded.
        await denied(ids);
        throw badHeader(query.document === undefined ? 'phone' : 'document', 'is of more than one customer: ask with another document or phone');
      }
      // Without a purpose nothing is said.
      const isAsked = actor.role === 'rm' && ids.length === 0 && asksOnlyFor('document', query) && purposeOf(request.headers) !== undefined;
      if (isAsked && query.document !== undefined) {
        const isKnown = await knownToBank.isKnown(query.document, searchTokens);
        await record({ ids, fields: KnownToBank.fieldsOf(isKnown) }, knownToBank.records);
        return { ...found, items: [], ...(isKnown ? { knownToBank: true as const } : {}) };
      }
      const fields = isMasked(actor.role) || ids.length === 0 ? [] : ['name'];
      // The record is written while the names are opened; nothing leaves before it stands.
      const [opened] = await Promise.all([
        OpenedValues.of(
          opener,
          found.items.map(({ name }) => name),
        ),
        record({ ids, fields }),
      ]);
      const items = found.items.map((row) => ({ ...itemOf(row, opened, actor), ...(exact ? { sight: sights.seal(row.id, actor) } : {}) }));
      return { ...found, items };
    },
  });

  readRoute(app, parts, {
    name: 'GetCustomer',
    summary: 'One customer with documents, contacts, preferences, and where sources differ',
    route: 'GET /v1/customers/{customerId}',
    roles: customerReaders,
    params: customerParams,
    answer: CustomerAnswer,
    // Tickets as well: an agent's own open one lets see its customer.
    projections: ['customers', 'tickets', 'approvals', 'pairs'],
    personal: true,
    read: async ({ params: { customerId }, actor, record, denied, etag }) => {
      const db = await readModels.of<CustomerTables>(undefined);
      const row = await customersSeenBy(db, everyone, { ids: [customerId] }).executeTakeFirst();
      if (!row || !(await access.sees(row, actor))) throw await denied([customerId]);
      const fields = isMasked(actor.role) ? [] : ['name', 'birthDate', 'sex', 'documents', 'contacts'];
      const [opened, seen, offered, pending] = await Promise.all([
        OpenedValues.of(opener, sealedOfProfile(row.profile)),
        access.seen(row.pairs, actor),
        offeredPairs(pool, customerId, row.pairs),
        pendingOf(await readModels.of<ApprovalTables>(undefined), customerId, new Date(parts.now()).toISOString()),
        record({ ids: [customerId], fields }),
      ]);
      const showing = new Showing(opened, actor.role);
      const shown = { ...personShown(row.profile, showing), conflicts: conflictsShown(row.profile, showing) };
      etag(row.revision);
      // An open ticket lets see them; what an agent does for them is let by a sight alone.
      const sight = actor.role === 'agent' && actor.sight === undefined ? { sight: sights.seal(customerId, actor) } : {};
      const pairs = offered.filter((id) => seen.has(id));
      return { ...itemOf(row, opened, actor), ...shown, pairs, pending: pending.map(pendingShown), masked: showing.masked, ...sight };
    },
  });

  customerLookupRoute(app, parts);
  customerPairsRoute(app, parts);
  customer360Route(app, parts);
  customerTransactionsRoute(app, parts);
  customerHistoryRoute(app, parts);

  async function customersFor(query: ListQuery, actor: Actor) {
    const { q, document, phone, replay, ...filter } = query;
    const searched = {
      ...filter,
      nameTokens: q === undefined ? undefined : tokensOf(q, 'names', 'q'),
      documentToken: document === undefined ? undefined : tokensOf(documentNumberOf(document), 'exact', 'document')[0],
      phoneToken: phone === undefined ? undefined : tokensOf(ReportedContact.parse({ kind: 'phone', value: phone }).value, 'exact', 'phone')[0],
    };
    const live: Kysely<CustomerTables> = await readModels.of<CustomerTables>(undefined);
    if (replay === undefined) return customersSeenBy(live, actor, searched);
    // Found as they were, seen by how they stand now.
    const seen = customersSeenBy(live, actor, {}).clearSelect().select('id');
    return customersSeenBy(await readModels.of<CustomerTables>(replay), everyone, searched).where('id', 'in', seen);
  }

  function tokensOf(words: string, kind: 'names' | 'exact', parameter: string): readonly string[] {
    const tokens = searchTokens.queryTokens(words, kind);
    if (tokens.length === 0) throw badHeader(parameter, 'has at least one letter or digit');
    return tokens;
  }
}

function asksOnlyFor(name: keyof ListQuery, { limit: _limit, count: _count, sort: _sort, ...filter }: ListQuery): boolean {
  return Object.entries(filter).every(([key, value]) => key === name || value === undefined);
}

function itemOf(row: StoredCustomer, opened: OpenedValues, actor: Actor): CustomerItem {
  const showing = new Showing(opened, actor.role);
  return {
    id: row.id,
    revision: row.revision,
    kind: row.kind,
    standing: row.standing,
    name: showing.text('name', 'name', row.name),
    tags: [...row.tags],
    manager: row.manager,
    branch: row.branch,
    since: row.since_on,
    incomplete: row.incomplete,
    masked: showing.masked,
  };
}
