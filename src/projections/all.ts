// Every read model that this program keeps, in one list for the server, replays and comparisons. A new one is a folder, named here.
import { approvals } from './approvals/approvals.ts';
import { campaigns } from './campaigns/campaigns.ts';
import { classificationTimers } from './classification-timers/classification-timers.ts';
import { classifications } from './classifications/classifications.ts';
import { customers } from './customers/customers.ts';
import { dimensions } from './dimensions/dimensions.ts';
import type { Projection } from './engine/projection.ts';
import { enrolments } from './enrolments/enrolments.ts';
import { groups } from './groups/groups.ts';
import { holdings } from './holdings/holdings.ts';
import { jobs } from './jobs/jobs.ts';
import { matchKeys } from './match-keys/match-keys.ts';
import { ownerConfirmations } from './owner-confirmations/owner-confirmations.ts';
import { pairs } from './pairs/pairs.ts';
import { relationTypes } from './relation-types/relation-types.ts';
import { relations } from './relations/relations.ts';
import { segments } from './segments/segments.ts';
import { tagJobs } from './tag-jobs/tag-jobs.ts';
import { tags } from './tags/tags.ts';
import { tickets } from './tickets/tickets.ts';
import { tierPolicies } from './tier-policies/tier-policies.ts';
import { tierReviews } from './tier-reviews/tier-reviews.ts';
import { timers } from './timers/timers.ts';
import { transactions } from './transactions/transactions.ts';

export const projections: readonly Projection[] = [
  tickets,
  timers,
  customers,
  holdings,
  transactions,
  campaigns,
  enrolments,
  jobs,
  relations,
  relationTypes,
  ownerConfirmations,
  groups,
  approvals,
  matchKeys,
  pairs,
  dimensions,
  classifications,
  classificationTimers,
  tierPolicies,
  tierReviews,
  tags,
  tagJobs,
  segments,
];
