// Every read model that this program keeps, in one list for the server, replays and comparisons. A new one is a folder, named here.
import { campaigns } from './campaigns/campaigns.ts';
import { classificationTimers } from './classification-timers/classification-timers.ts';
import { classifications } from './classifications/classifications.ts';
import { customers } from './customers/customers.ts';
import { dimensions } from './dimensions/dimensions.ts';
import type { Projection } from './engine/projection.ts';
import { enrolments } from './enrolments/enrolments.ts';
import { holdings } from './holdings/holdings.ts';
import { jobs } from './jobs/jobs.ts';
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
  dimensions,
  classifications,
  classificationTimers,
  tierPolicies,
  tierReviews,
  tags,
  tagJobs,
  segments,
];
