// Who stands around a customer, and how two customers are tied. What may not be seen leaves no node, no tie and no way; the parties in the
// file of a customer that may be seen are there by name.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { CustomerId } from '../domain/customer/events.ts';
import { RelationTypeName } from '../domain/relationship/vocabulary.ts';
import { relationProjections } from '../views/relation-graph.ts';
import { networkAround, shortestPaths } from '../views/relation-network.ts';
import type { CustomerAccess } from './customer-access.ts';
import { customerParams, customerReaders } from './customer-route-parts.ts';
import { readRoute } from './read-route.ts';
import {
  edgeShown,
  fieldsFor,
  momentAnswer,
  momentParameters,
  NetworkEdgeItem,
  NetworkNodeItem,
  openAt,
  partyShown,
  type RelationRouteParts,
  showingFor,
} from './relation-route-parts.ts';
import { asProblem } from './times.ts';

const MOST_NODES = 500;
const DEEPEST = 5;
/** Of a search for ways: how long they may be, parties looked at, ways told. */
const PATHS = { depth: 6, nodes: 5_000, most: 20 } as const;

const Types = z
  .string()
  .max(500)
  .refine(
    (text) => text.split(',').every((name) => RelationTypeName.safeParse(name).success),
    'types of relations, joined by commas, such as spouse,parent',
  )
  .transform((text) => text.split(','))
  .optional()
  .meta({ description: 'Only relations of these types, joined by commas' });

const cut = z.boolean().meta({ description: 'There is more than the limits let be shown' });

export function networkRoutes(app: FastifyInstance, parts: RelationRouteParts, access: CustomerAccess): void {
  const { positions } = parts;

  readRoute(app, parts, {
    name: 'GetNetwork',
    summary: 'Who stands around a customer, relation by relation, as far as you may see',
    route: 'GET /v1/customers/{customerId}/network',
    roles: customerReaders,
    params: customerParams,
    query: z.strictObject({
      depth: z.coerce.number().int().min(1).max(DEEPEST).default(2).meta({ description: 'Relations away, at most' }),
      limit: z.coerce.number().int().min(1).max(MOST_NODES).default(MOST_NODES).meta({ description: 'Most parties shown' }),
      types: Types,
      ...momentParameters,
    }),
    answer: z.strictObject({
      nodes: z.array(NetworkNodeItem),
      edges: z.array(NetworkEdgeItem),
      cut,
      ...momentAnswer,
    }),
    projections: relationProjections,
    personal: true,
    read: async ({ params: { customerId }, query, actor, record, denied }) => {
      const opened = await openAt(parts, access, customerId, query, actor);
      if (!opened) throw await denied([customerId]);
      const { moment, graph, root, sees } = opened;
      const network = await networkAround(graph, root, { depth: query.depth, nodes: query.limit, types: query.types }, sees);
      const ids = network.nodes.map(({ party }) => party);
      const [{ nameOf }] = await Promise.all([
        showingFor(parts, ids, moment, actor),
        record({ ids: [...new Set(ids)], fields: fieldsFor(actor, ['name']) }),
      ]);
      return {
        nodes: network.nodes.map((node) => ({ ...partyShown(node, nameOf), depth: node.depth })),
        edges: network.edges.map(edgeShown),
        cut: network.cut,
        asOf: query.asOf ?? null,
        knownAt: query.knownAt ?? null,
        position: positions.seal(moment.known, actor),
      };
    },
  });

  readRoute(app, parts, {
    name: 'GetPaths',
    summary: 'The shortest ways by which two customers are tied, as far as you may see',
    route: 'GET /v1/customers/{customerId}/paths',
    roles: customerReaders,
    params: customerParams,
    query: z.strictObject({ to: CustomerId.meta({ description: 'The other customer' }), ...momentParameters }),
    answer: z.strictObject({
      nodes: z.array(NetworkNodeItem),
      paths: z
        .array(z.array(NetworkEdgeItem))
        .meta({ description: 'Each from the one to the other, of the same length; none where they are not tied' }),
      cut,
      ...momentAnswer,
    }),
    projections: relationProjections,
    personal: true,
    read: async ({ params: { customerId }, query, actor, record, denied }) => {
      const { to } = query;
      const opened = (await access.seesId(to, actor)) ? await openAt(parts, access, customerId, query, actor) : undefined;
      if (!opened) throw await denied([customerId, to]);
      const { moment, graph, root, sees } = opened;
      const found = await shortestPaths(graph, root, to, PATHS, sees).catch((error: unknown) => {
        throw asProblem(error);
      });
      const ids = found.nodes.map(({ party }) => party);
      const [{ nameOf }] = await Promise.all([
        showingFor(parts, ids, moment, actor),
        record({ ids: [...new Set([customerId, to, ...ids])], fields: fieldsFor(actor, ['name']) }),
      ]);
      return {
        nodes: found.nodes.map((node) => ({ ...partyShown(node, nameOf), depth: node.depth })),
        paths: found.paths.map((path) => path.map(edgeShown)),
        cut: found.cut,
        asOf: query.asOf ?? null,
        knownAt: query.knownAt ?? null,
        position: positions.seal(moment.known, actor),
      };
    },
  });
}
