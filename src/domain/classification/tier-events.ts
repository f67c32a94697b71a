// Tier policies, and the jobs that review customers' tiers by them: the stored format, for decades. A policy's versions stand on
// `tierpolicy-<id>`, a job on `tierreview-<id>`.
import { z } from 'zod';
import { CustomerId } from '../customer/events.ts';
import { defineEvent, type FactOf } from '../kernel/event.ts';
import { ValueCode } from './vocabulary.ts';

export const PolicyId = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, 'a policy’s id: small letters, digits and -, a letter first, at most 40');
export const ReviewId = z.uuid();
export const Month = z.string().regex(/^(19|20|21)\d\d-(0[1-9]|1[0-2])$/, 'a month such as 2026-01');

export const Tier = z.strictObject({
  /** Of the dimension `value-tier`. */
  value: ValueCode,
  /** Reached from this monthly average on, minor units. */
  from: z.int().min(0),
  /** Months below before it is lost, where other than the policy's. */
  downAfterMonths: z.int().min(1).max(24).optional(),
});

export const TierPolicy = z.strictObject({
  name: z.string(),
  /** ISO 4217: what is in another currency is not counted. */
  currency: z.string().regex(/^[A-Z]{3}$/, 'three capital letters by ISO 4217, such as CNY'),
  /** The lowest first; it is reached from 0 on. */
  tiers: z.array(Tier),
  /** A higher tier holds from the last day of the month that reached it, or from the first day of the next. */
  up: z.enum(['at-once', 'next-month']),
  /** Months in a row below a tier before it is lost. */
  downAfterMonths: z.int().min(1).max(24),
  /** What is then left: the tier of the last month, or that of the highest of the months below. */
  downTo: z.enum(['last-month', 'highest-of-the-months']),
  /** Months in a row below after which a customer is watched. */
  watchAfterMonths: z.int().min(1).max(24).optional(),
});
export type TierPolicy = z.output<typeof TierPolicy>;

export const TierPolicyPublished = defineEvent('TierPolicyPublished', z.strictObject({ policyId: PolicyId, version: z.int(), policy: TierPolicy }));

export const TierReviewRequested = defineEvent(
  'TierReviewRequested',
  z.strictObject({
    reviewId: ReviewId,
    policyId: PolicyId,
    version: z.int(),
    month: Month,
    /** Whose sight it has. */
    requestedBy: z.strictObject({ subject: z.string(), role: z.string(), scope: z.string().optional() }),
  }),
);

/** What became of customers since the job's start. */
export const ReviewCounts = z.strictObject({
  first: z.int(),
  up: z.int(),
  down: z.int(),
  /** Those newly watched stand among the unchanged. */
  unchanged: z.int(),
  watched: z.int(),
  /** No balance in the policy's currency is known. */
  notCounted: z.int(),
  refused: z.int(),
  /** Accounts left out, by their currency. */
  otherCurrencies: z.record(z.string(), z.int()),
});
export type ReviewCounts = z.output<typeof ReviewCounts>;

/** It goes on after the customer `cursor`. */
export const TierReviewAdvanced = defineEvent('TierReviewAdvanced', z.strictObject({ reviewId: ReviewId, cursor: CustomerId, counts: ReviewCounts }));
export const TierReviewFinished = defineEvent('TierReviewFinished', z.strictObject({ reviewId: ReviewId, counts: ReviewCounts }));

export const tierPolicyEvents = [TierPolicyPublished] as const;
export const tierReviewEvents = [TierReviewRequested, TierReviewAdvanced, TierReviewFinished] as const;

export type TierPolicyFact = FactOf<typeof tierPolicyEvents>;
export type TierReviewFact = FactOf<typeof tierReviewEvents>;
