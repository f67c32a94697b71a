// Reading tier policies and tier reviews. Commands on them are commands/tier.ts.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { PolicyId, ReviewCounts, ReviewId, TierPolicy } from '../domain/classification/tier-events.ts';
import { noCounts } from '../domain/classification/tier-review.ts';
import type { TierPolicyRow, TierPolicyTables } from '../projections/tier-policies/tier-policies.ts';
import type { TierReviewRow, TierReviewTables } from '../projections/tier-reviews/tier-reviews.ts';
import { pageParameters } from './page.ts';
import { notFound } from './problems.ts';
import type { ReadModels } from './read-models.ts';
import { pageAnswer, type ReadRouteParts, readRoute } from './read-route.ts';

const policyReaders = ['operations', 'risk', 'auditor', 'management', 'product', 'rm'] as const;
const reviewReaders = ['operations', 'auditor', 'management'] as const;

const PolicyVersion = z.strictObject({
  id: z.string(),
  version: z.int(),
  ...TierPolicy.shape,
  publishedBy: z.string(),
  publishedAt: z.string(),
  revision: z.int().meta({ description: 'For `If-Match`, in quotes' }),
});

const ReviewItem = z.strictObject({
  id: z.string(),
  policy: z.string(),
  version: z.int(),
  month: z.string(),
  status: z.enum(['running', 'finished']),
  counts: ReviewCounts.meta({
    description: 'Customers so far, by what became of them; those newly watched are among the unchanged. `otherCurrencies`: accounts left out',
  }),
  requestedBy: z.string(),
  requestedAt: z.string(),
  updatedAt: z.string(),
});

export function tierRoutes(app: FastifyInstance, parts: ReadRouteParts & { readonly readModels: ReadModels }): void {
  const { readModels } = parts;

  readRoute(app, parts, {
    name: 'ListTierPolicies',
    summary: 'Tier policies, each in its newest version',
    route: 'GET /v1/tier-policies',
    roles: policyReaders,
    query: z.strictObject(pageParameters),
    answer: pageAnswer(PolicyVersion),
    projections: ['tier_policies'],
    personal: false,
    read: async ({ page }) => {
      const db = await readModels.of<TierPolicyTables>(undefined);
      const newest = db.selectFrom('tier_policies').distinctOn('policy_id').selectAll().orderBy('policy_id').orderBy('version', 'desc');
      const found = await page({ query: db.selectFrom(newest.as('newest')).selectAll(), sort: [{ column: 'policy_id', direction: 'asc' }] });
      return { ...found, items: found.items.map(versionShown) };
    },
  });

  readRoute(app, parts, {
    name: 'GetTierPolicy',
    summary: 'A tier policy with all its versions, the newest first',
    route: 'GET /v1/tier-policies/{policyId}',
    roles: policyReaders,
    params: z.strictObject({ policyId: PolicyId }),
    answer: z.strictObject({ id: z.string(), versions: z.array(PolicyVersion) }),
    projections: ['tier_policies'],
    personal: false,
    read: async ({ params: { policyId } }) => {
      const db = await readModels.of<TierPolicyTables>(undefined);
      const rows = await db.selectFrom('tier_policies').selectAll().where('policy_id', '=', policyId).orderBy('version', 'desc').execute();
      if (rows.length === 0) throw notFound();
      return { id: policyId, versions: rows.map(versionShown) };
    },
  });

  readRoute(app, parts, {
    name: 'ListTierReviews',
    summary: 'Tier reviews, the last requested first',
    route: 'GET /v1/tier-reviews',
    roles: reviewReaders,
    query: z.strictObject(pageParameters),
    answer: pageAnswer(ReviewItem),
    projections: ['tier_reviews'],
    personal: false,
    read: async ({ page }) => {
      const db = await readModels.of<TierReviewTables>(undefined);
      const found = await page({
        query: db.selectFrom('tier_reviews').selectAll(),
        sort: [
          { column: 'requested_at', direction: 'desc' },
          { column: 'id', direction: 'desc' },
        ],
      });
      return { ...found, items: found.items.map(reviewShown) };
    },
  });

  readRoute(app, parts, {
    name: 'GetTierReview',
    summary: 'How far a tier review is, and what became of the customers',
    route: 'GET /v1/tier-reviews/{reviewId}',
    roles: reviewReaders,
    params: z.strictObject({ reviewId: ReviewId }),
    answer: ReviewItem,
    projections: ['tier_reviews'],
    personal: false,
    read: async ({ params: { reviewId } }) => {
      const db = await readModels.of<TierReviewTables>(undefined);
      const row = await db.selectFrom('tier_reviews').selectAll().where('id', '=', reviewId).executeTakeFirst();
      if (!row) throw notFound();
      return reviewShown(row);
    },
  });
}

function versionShown({ policy_id, version, policy, published_by, published_at, revision }: TierPolicyRow): z.output<typeof PolicyVersion> {
  return { id: policy_id, version, ...TierPolicy.parse(JSON.parse(policy)), publishedBy: published_by, publishedAt: published_at, revision };
}

function reviewShown({ id, policy_id, version, month, status, counts, ...row }: TierReviewRow): z.output<typeof ReviewItem> {
  return {
    id,
    policy: policy_id,
    version,
    month,
    status: status === 'finished' ? 'finished' : 'running',
    counts: counts === null ? noCounts : ReviewCounts.parse(JSON.parse(counts)),
    requestedBy: row.requested_by,
    requestedAt: row.requested_at,
    updatedAt: row.updated_at,
  };
}
