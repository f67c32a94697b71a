// Commands on tier policies and on the jobs that review customers' tiers. The rules are in domain/classification/, who works on jobs is
// processes/tier-reviews.ts.
import { z } from 'zod';
import { type DimensionState, definitionOf } from '../domain/classification/dimensions.ts';
import { Month, PolicyId, ReviewCounts, ReviewId, Tier, TierPolicy } from '../domain/classification/tier-events.ts';
import { type PublishTierPolicy, type TierPolicyState, tierPolicy } from '../domain/classification/tier-policy.ts';
import { type TierReviewCommand, tierReview } from '../domain/classification/tier-review.ts';
import { VALUE_TIER } from '../domain/classification/vocabulary.ts';
import { CustomerId } from '../domain/customer/events.ts';
import { dateOf } from '../domain/kernel/source.ts';
import { dimensionReference, policyReference } from './classification.ts';
import { type AnyCommand, defineCommand } from './command.ts';

const policyParams = z.strictObject({ policyId: PolicyId });

export const publishTierPolicy = defineCommand({
  name: 'PublishTierPolicy',
  summary: 'Publish a tier policy, or a new version of one, whole: reviews asked for from now on go by it',
  route: 'POST /v1/tier-policies/{policyId}',
  roles: ['operations'],
  params: policyParams,
  target: ({ policyId }) => policyId,
  category: 'tierpolicy',
  decider: tierPolicy,
  rejections: { TierUnknown: 422, TiersOutOfOrder: 422 },
  body: TierPolicy.extend({
    name: z.string().trim().min(1).max(100),
    tiers: z.array(Tier).min(1).max(20),
    downAfterMonths: TierPolicy.shape.downAfterMonths.default(3),
    downTo: TierPolicy.shape.downTo.default('last-month'),
  }),
  refersTo: () => [dimensionReference(VALUE_TIER)],
  command: ({ body }, { id, referred: [state] }): PublishTierPolicy => {
    const tiers = definitionOf(VALUE_TIER, state as DimensionState)?.definition;
    if (!tiers) throw new Error('value-tier is built in');
    return { policyId: id, policy: body, tiers };
  },
});

const ofReview = {
  category: 'tierreview',
  decider: tierReview,
  rejections: { TierPolicyUnknown: 422, MonthNotOver: 409, TierReviewNotFound: 404 },
} as const;

/** Whose sight the job has is the actor's. */
export const requestTierReview = defineCommand({
  ...ofReview,
  name: 'RequestTierReview',
  summary: 'Have the tiers of all customers in scope reviewed for a month that is over, by the newest version of a policy',
  route: 'POST /v1/tier-reviews',
  roles: ['operations'],
  params: z.strictObject({}),
  body: z.strictObject({ policy: PolicyId, month: Month }),
  refersTo: ({ body }) => [policyReference(body.policy)],
  command: ({ body }, { id, actor: { subject, role, scope }, now, zone, referred: [state] }): TierReviewCommand => ({
    do: 'request',
    reviewId: id,
    policyId: body.policy,
    version: (state as TierPolicyState).versions.length,
    month: body.month,
    requestedBy: { subject, role, scope },
    today: dateOf(now, zone),
  }),
});

const reviewParams = z.strictObject({ reviewId: ReviewId });
const onReview = { ...ofReview, roles: ['system'], params: reviewParams, target: ({ reviewId }: z.output<typeof reviewParams>) => reviewId } as const;
const page = { after: CustomerId.nullable(), counts: ReviewCounts } as const;

export const advanceTierReview = defineCommand({
  ...onReview,
  name: 'AdvanceTierReview',
  summary: 'Record one page of a tier review',
  body: z.strictObject({ ...page, cursor: CustomerId }),
  command: ({ params, body }): TierReviewCommand => ({ do: 'advance', ...params, ...body }),
});

export const finishTierReview = defineCommand({
  ...onReview,
  name: 'FinishTierReview',
  summary: 'Record the last page of a tier review',
  body: z.strictObject(page),
  command: ({ params, body }): TierReviewCommand => ({ do: 'finish', ...params, ...body }),
});

export const tierCommands: readonly AnyCommand[] = [publishTierPolicy, requestTierReview, advanceTierReview, finishTierReview];
