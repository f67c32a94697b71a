// Reading relations: the types there are, those of one customer from this side, and one with all that was ever known of it. Who stands
// around and who owns have files of their own; recording and changing are commands.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { CommandHandler } from '../commands/handler.ts';
import { RelationId } from '../domain/relationship/events.ts';
import { fractionOf, unitsOf, WHOLE } from '../domain/relationship/fraction.ts';
import { builtInType, builtInTypes } from '../domain/relationship/relation-type.ts';
import { RelationTypeName } from '../domain/relationship/vocabulary.ts';
import type { RelationTypeTables } from '../projections/relation-types/relation-types.ts';
import type { RelationVersion } from '../projections/relations/row.ts';
import { type RelationEdge, relationProjections } from '../views/relation-graph.ts';
import type { Showing } from '../views/shown.ts';
import { beneficialOwnerRoutes } from './beneficial-owner-routes.ts';
import { CustomerAccess } from './customer-access.ts';
import { customerParams, customerReaders } from './customer-route-parts.ts';
import { PersonalValue } from './customer-view.ts';
import { groupRoutes } from './group-routes.ts';
import { networkRoutes } from './network-routes.ts';
import { ownerReviewRoutes } from './owner-review-routes.ts';
import { pageParameters } from './page.ts';
import { pageAnswer, readRoute } from './read-route.ts';
import {
  fieldsFor,
  momentAnswer,
  momentParameters,
  openAt,
  type RelationRouteParts,
  ShownShare,
  showingFor,
  statusOn,
} from './relation-route-parts.ts';

const TypeItem = z.strictObject({
  type: z.string(),
  inverse: z.string().meta({ description: 'How its other end reads' }),
  share: z.boolean().meta({ description: 'Whether it carries a share, which is then needed' }),
  party: z.string().nullable().meta({ description: 'What whoever is of this type must be; anything where null' }),
  of: z.string().nullable(),
  builtIn: z.boolean(),
  retired: z.boolean(),
  version: z.int(),
  revision: z.int().nullable().meta({ description: 'For `If-Match`; null where operations never touched it' }),
});

const Verified = z.strictObject({ at: z.string(), by: z.string(), method: z.string(), evidence: PersonalValue }).nullable();
const known = {
  from: z.string().nullable().meta({ description: 'The first day on which it held' }),
  until: z.string().nullable().meta({ description: 'The first day on which it does not hold any more' }),
  share: ShownShare,
  source: z.strictObject({ kind: z.string(), reference: PersonalValue }),
  verified: Verified,
  recordedAt: z.string().meta({ description: 'Since when the bank knows it so' }),
} as const;
const RelationItem = z.strictObject({
  id: z.string(),
  revision: z.int().meta({ description: 'For `If-Match`, in quotes' }),
  type: z.string(),
  reading: z.enum(['other-is', 'this-is']).meta({ description: 'Who is `type` of whom' }),
  otherIs: z.string().meta({ description: 'What the other is to this customer' }),
  thisIs: z.string().meta({ description: 'What this customer is to the other' }),
  other: z.strictObject({
    customer: z.string().nullable().meta({ description: 'Null of whom you may not see' }),
    name: PersonalValue,
    kind: z.string(),
  }),
  status: z.enum(['current', 'ended', 'future', 'void']),
  ...known,
});
type RelationItem = z.output<typeof RelationItem>;
const Totals = z
  .array(z.strictObject({ basis: z.string(), percent: z.string(), over: z.boolean().meta({ description: 'More than 100 % is recorded' }) }))
  .meta({ description: 'What is recorded of this firm as held, on the day' });

const SORT = 'type';
const FIELDS = ['name', 'reference', 'evidence'];

export function relationRoutes(app: FastifyInstance, parts: RelationRouteParts & { readonly handler: Pick<CommandHandler, 'execute'> }): void {
  const { pool, readModels, positions } = parts;
  const access = new CustomerAccess(pool);

  readRoute(app, parts, {
    name: 'ListRelationTypes',
    summary: 'The types of relations that can be recorded, and those retired',
    route: 'GET /v1/relation-types',
    roles: customerReaders,
    answer: z.strictObject({ items: z.array(TypeItem) }),
    projections: ['relation_types'],
    personal: false,
    read: async () => {
      const db = await readModels.of<RelationTypeTables>(undefined);
      const rows = new Map((await db.selectFrom('relation_types').selectAll().execute()).map((row) => [row.type, row]));
      const names = [...new Set([...Object.keys(builtInTypes), ...rows.keys()])].sort();
      const items = names.map((type) => {
        const row = rows.get(type);
        const builtIn = builtInType(type);
        const { inverse, share, party, of } = builtIn ?? {
          inverse: row?.inverse ?? type,
          share: row?.share ?? false,
          party: row?.party,
          of: row?.of,
        };
        return {
          ...{ type, inverse, share, party: party ?? null, of: of ?? null },
          builtIn: builtIn !== undefined,
          retired: row?.retired ?? false,
          version: row?.version ?? 0,
          revision: row?.revision ?? null,
        };
      });
      return { items };
    },
  });

  readRoute(app, parts, {
    name: 'ListRelations',
    summary: 'How others stand to a customer, each read from this side; by type',
    route: 'GET /v1/customers/{customerId}/relations',
    roles: customerReaders,
    params: customerParams,
    query: z.strictObject({
      ...pageParameters,
      ...momentParameters,
      type: RelationTypeName.optional(),
      include: z.enum(['current', 'all']).default('current').meta({ description: '`all` has those that are over or to come as well' }),
    }),
    answer: pageAnswer(RelationItem).extend({
      shares: Totals,
      cut: z.boolean().meta({ description: 'They are more than can be looked at: ask by type' }),
      ...momentAnswer,
    }),
    projections: relationProjections,
    personal: true,
    read: async ({ params: { customerId }, query, actor, record, denied, cursorFrom, cursorTo }) => {
      const opened = await openAt(parts, access, customerId, query, actor);
      if (!opened) throw await denied([customerId]);
      const { moment, graph, sees } = opened;
      const types = query.type === undefined ? undefined : [query.type];
      const { edges, cut } = await graph.around([customerId], { types, only: 'all' });
      const all = edges
        .filter((edge) => query.include === 'all' || statusOn(edge, moment.day) === 'current')
        .sort((one, other) => (one.type + one.id < other.type + other.id ? -1 : 1));
      const [afterType, afterId] = cursorFrom(SORT) ?? [];
      const after = `${afterType ?? ''}${afterId ?? ''}`;
      const rest = all.filter(({ type, id }) => type + id > after);
      const page = rest.slice(0, query.limit);
      const others = page.map((edge) => otherOf(edge, customerId).id);
      const [seen, { showing, nameOf }] = await Promise.all([
        sees([...new Set(others)]),
        showingFor(parts, others, moment, actor, sealedIn(page.map(({ version }) => version))),
        record({ ids: [customerId, ...page.map(({ id }) => id), ...others], fields: fieldsFor(actor, FIELDS) }),
      ]);
      const items = page.map((edge) => itemOf(edge, customerId, { seen, showing, nameOf, day: moment.day }));
      const last = rest.length > page.length ? page.at(-1) : undefined;
      return {
        items,
        next: last === undefined ? null : cursorTo([last.type, last.id], SORT),
        ...(query.count ? { total: all.length } : {}),
        cut,
        shares: totalsOf(edges.filter((edge) => edge.of === customerId && statusOn(edge, moment.day) === 'current')),
        asOf: query.asOf ?? null,
        knownAt: query.knownAt ?? null,
        position: positions.seal(moment.known, actor),
      };
    },
  });

  readRoute(app, parts, {
    name: 'GetRelation',
    summary: 'One relation of a customer, with all that was ever known of it',
    route: 'GET /v1/customers/{customerId}/relations/{relationId}',
    roles: customerReaders,
    params: customerParams.extend({ relationId: RelationId }),
    query: z.strictObject(momentParameters),
    answer: RelationItem.extend({
      versions: z.array(z.strictObject({ ...known, void: z.boolean() })).meta({ description: 'The newest first' }),
      ...momentAnswer,
    }),
    projections: relationProjections,
    personal: true,
    read: async ({ params: { customerId, relationId }, query, actor, record, denied, etag }) => {
      const opened = await openAt(parts, access, customerId, query, actor);
      const found = opened && (await opened.graph.one(relationId));
      if (!opened || !found || ![found.edge.party, found.edge.of].includes(customerId)) throw await denied([customerId, relationId]);
      const { moment, sees } = opened;
      const { edge, versions } = found;
      const other = otherOf(edge, customerId).id;
      const [seen, { showing, nameOf }] = await Promise.all([
        sees([other]),
        showingFor(parts, [other], moment, actor, sealedIn(versions)),
        record({ ids: [customerId, relationId, other], fields: fieldsFor(actor, FIELDS) }),
      ]);
      etag(edge.version.revision);
      return {
        ...itemOf(edge, customerId, { seen, showing, nameOf, day: moment.day }),
        versions: versions.map((version) => ({ ...knownShown(version, showing), void: version.void })).reverse(),
        asOf: query.asOf ?? null,
        knownAt: query.knownAt ?? null,
        position: positions.seal(moment.known, actor),
      };
    },
  });

  networkRoutes(app, parts, access);
  beneficialOwnerRoutes(app, parts, access);
  ownerReviewRoutes(app, parts);
  groupRoutes(app, parts, access);
}

function otherOf({ party, of, partyKind, ofKind }: RelationEdge, customerId: string) {
  return of === customerId ? { id: party, kind: partyKind, isParty: true } : { id: of, kind: ofKind, isParty: false };
}

interface ShowingItem {
  readonly seen: ReadonlySet<string>;
  readonly showing: Showing;
  readonly nameOf: (id: string) => z.output<typeof PersonalValue>;
  readonly day: string;
}

function itemOf(edge: RelationEdge, customerId: string, { seen, showing, nameOf, day }: ShowingItem): RelationItem {
  const { id, type, inverse, version } = edge;
  const other = otherOf(edge, customerId);
  return {
    ...{ id, revision: version.revision, type },
    reading: other.isParty ? 'other-is' : 'this-is',
    otherIs: other.isParty ? type : inverse,
    thisIs: other.isParty ? inverse : type,
    other: { customer: seen.has(other.id) ? other.id : null, name: nameOf(other.id), kind: other.kind },
    status: statusOn(edge, day),
    ...knownShown(version, showing),
  };
}

function knownShown({ from, until, share, source, verified, recordedAt }: RelationVersion, showing: Showing) {
  return {
    ...{ from, until, share, recordedAt },
    source: { kind: source.kind, reference: showing.text('reference', 'hidden', source.reference) },
    verified: verified && { ...verified, evidence: showing.text('evidence', 'hidden', verified.evidence) },
  };
}

function* sealedIn(versions: readonly RelationVersion[]): Generator<string | null> {
  for (const { source, verified } of versions) {
    yield source.reference;
    yield verified?.evidence ?? null;
  }
}

function totalsOf(edges: readonly RelationEdge[]): z.output<typeof Totals> {
  const shares = edges.flatMap(({ version }) => version.share ?? []);
  return [...Map.groupBy(shares, ({ basis }) => basis)]
    .map(([basis, some]) => ({ basis, units: some.reduce((sum, { percent }) => sum + unitsOf(percent), 0) }))
    .map(({ basis, units }) => ({ basis, percent: fractionOf(units).toPercent(), over: units > WHOLE }))
    .sort((one, other) => (one.basis < other.basis ? -1 : 1));
}
