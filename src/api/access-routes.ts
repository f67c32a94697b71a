// GET /v1/accesses: who was shown what. Reading it is itself a read, recorded once. The accesses of the role aml are not in it: who
// looks after a suspicion would tell of one (docs/architecture.md, roles).
import type { FastifyInstance } from 'fastify';
import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import { z } from 'zod';
import { isComparable } from '../domain/kernel/calendar-date.ts';
import { Subject } from './auth.ts';
import { pageParameters } from './page.ts';
import { pageAnswer, type ReadRouteParts, readRoute } from './read-route.ts';

interface ReadsTable {
  readonly id: number;
  readonly read_at: string;
  readonly subject: string;
  readonly role: string;
  readonly on_behalf_of: string | null;
  readonly method: string;
  readonly route: string;
  readonly ids: string[];
  readonly fields: string[];
  readonly purpose: string | null;
  readonly outcome: 'shown' | 'denied';
  readonly request_id: string;
  readonly correlation_id: string;
  readonly filter: string[];
  readonly filter_hash: string | null;
}

export interface AccessDatabase {
  readonly 'access.reads': ReadsTable;
}

const Access = z.object({
  id: z.string(),
  at: z.string().meta({ description: 'By the one clock' }),
  subject: z.string(),
  role: z.string(),
  onBehalfOf: z.string().nullable(),
  method: z.string(),
  route: z.string(),
  ids: z.array(z.string()).meta({ description: 'What was shown; of a list, every item' }),
  fields: z.array(z.string()).meta({ description: 'The personal fields in it' }),
  purpose: z.string().nullable(),
  outcome: z.enum(['shown', 'denied']),
  requestId: z.string(),
  correlationId: z.string(),
  filter: z
    .object({ names: z.array(z.string()), hash: z.string().nullable() })
    .meta({ description: 'Names of the query’s parameters, and a keyed hash of it' }),
});

const Instant = z.iso.datetime().refine(isComparable, 'an instant from 1900 to 9998');
const query = z.strictObject({
  subject: Subject.optional().meta({ description: 'Who read' }),
  id: z.string().min(1).max(200).optional().meta({ description: 'What was read' }),
  from: Instant.optional().meta({ description: 'Not before this instant' }),
  to: Instant.optional().meta({ description: 'Before this instant' }),
  ...pageParameters,
});

export function accessRoutes(app: FastifyInstance, parts: ReadRouteParts & { readonly access: Kysely<AccessDatabase> }): void {
  readRoute(app, parts, {
    name: 'ListAccesses',
    summary: 'Who was shown which personal data, the latest first',
    route: 'GET /v1/accesses',
    roles: ['auditor'],
    query,
    answer: pageAnswer(Access),
    personal: true,
    csv: [
      { header: 'id', value: ({ id }) => id },
      { header: 'at', value: ({ at }) => at },
      { header: 'subject', value: ({ subject }) => subject },
      { header: 'role', value: ({ role }) => role },
      { header: 'on behalf of', value: ({ onBehalfOf }) => onBehalfOf },
      { header: 'route', value: ({ method, route }) => `${method} ${route}` },
      { header: 'ids', value: ({ ids }) => ids.join(' ') },
      { header: 'fields', value: ({ fields }) => fields.join(' ') },
      { header: 'purpose', value: ({ purpose }) => purpose },
      { header: 'outcome', value: ({ outcome }) => outcome },
      { header: 'request', value: ({ requestId }) => requestId },
    ],
    read: async ({ query: { subject, id, from, to }, page, record }) => {
      let reads = parts.access.selectFrom('access.reads').selectAll().where('role', '<>', 'aml');
      if (subject !== undefined) reads = reads.where('subject', '=', subject);
      if (id !== undefined) reads = reads.where(sql<boolean>`ids @> array[${id}]::text[]`);
      if (from !== undefined) reads = reads.where('read_at', '>=', from);
      if (to !== undefined) reads = reads.where('read_at', '<', to);
      const { items, ...rest } = await page({ query: reads, sort: [{ column: 'id', direction: 'desc' }] });
      await record({ ids: items.map((row) => `access-${row.id}`), fields: ['subject', 'ids', 'purpose'] });
      return {
        ...rest,
        items: items.map((row) => ({
          id: `access-${row.id}`,
          at: row.read_at,
          subject: row.subject,
          role: row.role,
          onBehalfOf: row.on_behalf_of,
          method: row.method,
          route: row.route,
          ids: row.ids,
          fields: row.fields,
          purpose: row.purpose,
          outcome: row.outcome,
          requestId: row.request_id,
          correlationId: row.correlation_id,
          filter: { names: row.filter, hash: row.filter_hash },
        })),
      };
    },
  });
}
