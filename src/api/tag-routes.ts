// Reading tags: the vocabulary with what is in use, and jobs that tag or untag many. Commands on them are commands/tagging.ts.
import type { FastifyInstance } from 'fastify';
import { sql } from 'kysely';
import type { Pool } from 'pg';
import { z } from 'zod';
import { tagOf } from '../domain/customer/tags.ts';
import type { Actor } from '../domain/kernel/event.ts';
import { dateOf } from '../domain/kernel/source.ts';
import { TagAction, TagFilter, TagJobId } from '../domain/tagging/events.ts';
import { tagJobVisibleTo } from '../domain/tagging/tag-job.ts';
import { type CustomerTables, customersSeenBy } from '../projections/customers/queries.ts';
import type { TagJobRow, TagJobTables } from '../projections/tag-jobs/tag-jobs.ts';
import { type TagTables, type UsedTag, usedTags } from '../projections/tags/queries.ts';
import { CustomerAccess } from './customer-access.ts';
import { pageParameters } from './page.ts';
import type { ReadModels } from './read-models.ts';
import { pageAnswer, type ReadRouteParts, readRoute } from './read-route.ts';

export interface TagRouteParts extends ReadRouteParts {
  readonly pool: Pool;
  readonly readModels: ReadModels;
  /** Epoch milliseconds by the one clock. */
  readonly now: () => number;
  readonly zone: string;
}

const tagReaders = ['rm', 'teller', 'agent', 'operations', 'risk', 'auditor'] as const;
const jobReaders = ['rm', 'operations', 'auditor'] as const;
const text = z.string().min(1).max(200);

const TagItem = z.strictObject({
  tag: z.string(),
  defined: z.boolean().meta({ description: 'Of the vocabulary; else a free tag' }),
  colour: z.string().nullable(),
  group: z.string().nullable(),
  owner: z.string().nullable(),
  description: z.string().nullable(),
  expiresOn: z.string().nullable(),
  expired: z.boolean(),
  customers: z.int().meta({ description: 'How many have it of those that you may see' }),
  revision: z.int().nullable().meta({ description: 'Of its entry, for `If-Match`, in quotes' }),
});

const JobItem = z.strictObject({
  id: z.string(),
  action: TagAction,
  tag: z.string(),
  filter: TagFilter,
  status: z.enum(['running', 'finished', 'cancelled', 'undoing', 'undone']),
  changed: z.int().meta({ description: 'In pages that are done' }),
  already: z.int().meta({ description: 'So already, otherwise than by this job' }),
  refused: z.int(),
  restored: z.int().meta({ description: 'Taken back by the undo' }),
  kept: z.int().meta({ description: 'Left by the undo as they are: touched since' }),
  undoRefused: z.int(),
  requestedBy: z.string(),
  requestedAt: z.string(),
  updatedAt: z.string(),
  revision: z.int().meta({ description: 'For `If-Match`, in quotes' }),
});

export function tagRoutes(app: FastifyInstance, parts: TagRouteParts): void {
  const { pool, readModels, now, zone } = parts;
  const access = new CustomerAccess(pool);

  readRoute(app, parts, {
    name: 'ListTags',
    summary: 'The vocabulary and the free tags in use, with how many customers have each',
    route: 'GET /v1/tags',
    roles: tagReaders,
    query: z.strictObject({
      ...pageParameters,
      q: text.transform(tagOf).optional().meta({ description: 'How the tag begins; width and case don’t count' }),
      group: text.optional(),
      defined: z
        .enum(['true', 'false'])
        .transform((defined) => defined === 'true')
        .optional()
        .meta({ description: 'Those of the vocabulary alone, or free ones alone' }),
    }),
    answer: pageAnswer(TagItem),
    projections: ['tags', 'customers'],
    personal: false,
    read: async ({ query, actor, page }) => {
      const db = await readModels.of<TagTables & CustomerTables>(undefined);
      const used = customersSeenBy(db, actor, {}).clearSelect().select(sql<string>`unnest(tags)`.as('tag'));
      const found = await page({ query: usedTags(db, used as never, query), sort: [{ column: 'tag', direction: 'asc' }] });
      const today = dateOf(new Date(now()).toISOString(), zone);
      return { ...found, items: found.items.map((row) => tagShown(row, today)) };
    },
  });

  readRoute(app, parts, {
    name: 'ListTagJobs',
    summary: 'Tag jobs, the last requested first; a relationship manager’s are own ones',
    route: 'GET /v1/tag-jobs',
    roles: jobReaders,
    query: z.strictObject(pageParameters),
    answer: pageAnswer(JobItem),
    projections: ['tag_jobs'],
    personal: false,
    read: async ({ actor, page }) => {
      const db = await readModels.of<TagJobTables>(undefined);
      let query = db.selectFrom('tag_jobs').selectAll();
      if (actor.role === 'rm') query = query.where('requested_by', '=', actor.subject);
      const found = await page({
        query,
        sort: [
          { column: 'requested_at', direction: 'desc' },
          { column: 'id', direction: 'desc' },
        ],
      });
      return { ...found, items: found.items.map(jobShown) };
    },
  });

  readRoute(app, parts, {
    name: 'GetTagJob',
    summary: 'How far a tag job is, and whom its undo left as they are',
    route: 'GET /v1/tag-jobs/{jobId}',
    roles: jobReaders,
    params: z.strictObject({ jobId: TagJobId }),
    answer: JobItem.extend({ keptCustomers: z.array(z.string()).meta({ description: 'Of those kept, whom you may see: at most 1,000' }) }),
    projections: ['tag_jobs', 'customers'],
    personal: true,
    read: async ({ params: { jobId }, actor, record, denied }) => {
      const row = await jobOf(jobId, actor);
      if (!row) throw await denied([jobId]);
      const kept = row.kept.slice(0, MOST_KEPT);
      const seen = await access.seen(kept, actor);
      const keptCustomers = kept.filter((id) => seen.has(id));
      await record({ ids: keptCustomers, fields: ['tags'] });
      return { ...jobShown(row), keptCustomers };
    },
  });

  async function jobOf(jobId: string, actor: Actor): Promise<TagJobRow | undefined> {
    const db = await readModels.of<TagJobTables>(undefined);
    const row = await db.selectFrom('tag_jobs').selectAll().where('id', '=', jobId).executeTakeFirst();
    return row && tagJobVisibleTo({ requestedBy: row.requested_by }, actor) ? row : undefined;
  }
}

const MOST_KEPT = 1_000;

function tagShown({ tag, colour, tag_group, owner, description, expires_on, revision, customers }: UsedTag, today: string): z.output<typeof TagItem> {
  const expired = expires_on !== null && expires_on < today;
  const defined = revision !== null;
  return { tag, defined, colour, group: tag_group, owner, description, expiresOn: expires_on, expired, customers, revision };
}

function jobShown({ id, action, tag, filter, status, kept, ...row }: TagJobRow): z.output<typeof JobItem> {
  return {
    id,
    action: TagAction.parse(action),
    tag,
    filter: TagFilter.parse(JSON.parse(filter)),
    status: JobItem.shape.status.parse(status),
    changed: row.changed,
    already: row.already,
    refused: row.refused,
    restored: row.restored,
    kept: kept.length,
    undoRefused: row.undo_refused,
    requestedBy: row.requested_by,
    requestedAt: row.requested_at,
    updatedAt: row.updated_at,
    revision: row.revision,
  };
}
