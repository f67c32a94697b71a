// Jobs that review tiers: one row each with what was asked, by whom, and how far it is. A worker (processes/tier-reviews.ts) takes the
// running ones from here.
import type { ReviewCounts, tierReviewEvents } from '../../domain/classification/tier-events.ts';
import type { RecordedOf } from '../../domain/kernel/event.ts';
import type { Projection } from '../engine/projection.ts';

export type TierReviewRow = {
  readonly id: string;
  readonly policy_id: string;
  readonly version: number;
  readonly month: string;
  /** `running`, `finished` */
  readonly status: string;
  readonly requested_by: string;
  readonly role: string;
  readonly scope: string | null;
  /** The last customer of the last page; null before the first. */
  readonly cursor: string | null;
  /** JSON of `ReviewCounts`; null before the first page. */
  readonly counts: string | null;
  /** Of the last event that touched the row. */
  readonly position: number;
  readonly revision: number;
  readonly requested_at: string;
  readonly updated_at: string;
};

export interface TierReviewTables {
  tier_reviews: TierReviewRow;
}

export const tierReviews: Projection<TierReviewRow> = {
  name: 'tier_reviews',
  version: 1,
  categories: ['tierreview'],
  table: {
    name: 'tier_reviews',
    key: 'id',
    columns: {
      id: { type: 'text' },
      policy_id: { type: 'text' },
      version: { type: 'integer' },
      month: { type: 'text' },
      status: { type: 'text' },
      requested_by: { type: 'text' },
      role: { type: 'text' },
      scope: { type: 'text', nullable: true },
      cursor: { type: 'text', nullable: true },
      counts: { type: 'text', nullable: true },
      position: { type: 'bigint' },
      revision: { type: 'integer' },
      requested_at: { type: 'timestamptz' },
      updated_at: { type: 'timestamptz' },
    },
    indexes: ['(requested_at, id)', "(requested_at, id) where status = 'running'"],
  },
  creates: new Set(['TierReviewRequested']),
  keys: (recorded) => [(recorded as RecordedOf<typeof tierReviewEvents>).data.reviewId],
  apply: (row, recorded) => {
    const event = recorded as RecordedOf<typeof tierReviewEvents>;
    const { position, revision, recordedAt } = event;
    const touched = { position, revision, updated_at: recordedAt };
    if (event.type === 'TierReviewRequested') {
      const { reviewId, policyId, version, month, requestedBy } = event.data;
      return {
        id: reviewId,
        policy_id: policyId,
        version,
        month,
        status: 'running',
        requested_by: requestedBy.subject,
        role: requestedBy.role,
        scope: requestedBy.scope ?? null,
        cursor: null,
        counts: null,
        requested_at: recordedAt,
        ...touched,
      };
    }
    if (!row) throw new Error(`${event.type} of a tier review that is not there`);
    const counted = { ...row, counts: JSON.stringify(event.data.counts satisfies ReviewCounts), ...touched };
    return event.type === 'TierReviewAdvanced' ? { ...counted, cursor: event.data.cursor } : { ...counted, status: 'finished' };
  },
};
