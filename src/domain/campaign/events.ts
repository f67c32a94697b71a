// What can have happened to a campaign, to an enrolment in it, and to a job that enrols many: the stored format, for decades.
import { z } from 'zod';
import { defineEvent, type FactOf } from '../kernel/event.ts';

export const CampaignId = z.uuid();
export const EnrolmentId = z.uuid();
export const JobId = z.uuid();
const CustomerId = z.uuid();
const marketing = { retention: 'marketing' } as const;

/** Which customers, by what the bank itself says of them; every condition given must hold. */
export const CustomerFilter = z.strictObject({
  kind: z.enum(['person', 'organisation']).optional(),
  tag: z.string().min(1).max(1_000).optional(),
  branch: z.string().min(1).max(32).optional(),
  manager: z.string().min(1).max(128).optional(),
});
export type CustomerFilter = z.output<typeof CustomerFilter>;

/** Stream `campaign-<id>`. Dates are inclusive, in the bank's zone. */
export const CampaignPlanned = defineEvent(
  'CampaignPlanned',
  z.strictObject({ campaignId: CampaignId, name: z.string(), from: z.iso.date(), to: z.iso.date(), audience: z.string().optional() }),
  marketing,
);
export const CampaignStarted = defineEvent('CampaignStarted', z.strictObject({ campaignId: CampaignId }), marketing);
export const CampaignClosed = defineEvent('CampaignClosed', z.strictObject({ campaignId: CampaignId }), marketing);

/** Stream `enrolment-<id>`, one a campaign and customer (`enrolmentIdOf`): whoever enrols again meets the same stream. */
export const CampaignEnrolled = defineEvent(
  'CampaignEnrolled',
  z.strictObject({ enrolmentId: EnrolmentId, campaignId: CampaignId, customerId: CustomerId, jobId: JobId.optional() }),
  marketing,
);
/** `response` is a short label in lower case: `interested`, `accepted`, `declined`. */
export const ResponseRecorded = defineEvent(
  'ResponseRecorded',
  z.strictObject({ enrolmentId: EnrolmentId, campaignId: CampaignId, customerId: CustomerId, response: z.string() }),
  marketing,
);

/** Stream `job-<id>`: all customers that match and that the requester may see, enrolled bit by bit. */
export const EnrolmentRequested = defineEvent(
  'EnrolmentRequested',
  z.strictObject({
    jobId: JobId,
    campaignId: CampaignId,
    filter: CustomerFilter,
    /** Whose sight it has. */
    requestedBy: z.strictObject({ subject: z.string(), role: z.string(), scope: z.string().optional() }),
  }),
  marketing,
);
/** Totals since the job's start; it goes on after the customer `cursor`. */
const Counts = { enrolled: z.int(), already: z.int(), refused: z.int() } as const;
export const EnrolmentAdvanced = defineEvent('EnrolmentAdvanced', z.strictObject({ jobId: JobId, cursor: CustomerId, ...Counts }), marketing);
export const EnrolmentFinished = defineEvent(
  'EnrolmentFinished',
  z.strictObject({ jobId: JobId, ...Counts, detail: z.string().optional() }),
  marketing,
);

export const campaignEvents = [CampaignPlanned, CampaignStarted, CampaignClosed] as const;
export const enrolmentEvents = [CampaignEnrolled, ResponseRecorded] as const;
export const jobEvents = [EnrolmentRequested, EnrolmentAdvanced, EnrolmentFinished] as const;

export type CampaignFact = FactOf<typeof campaignEvents>;
export type EnrolmentFact = FactOf<typeof enrolmentEvents>;
export type JobFact = FactOf<typeof jobEvents>;
