// Commands on campaigns, on enrolments in them, and on jobs that enrol many. The rules are in domain/campaign/; the enrolments' own
// route is api/campaign-routes.ts, who works on jobs is processes/enrolment-jobs.ts.
import { z } from 'zod';
import { type CampaignCommand, type CampaignState, campaign } from '../domain/campaign/campaign.ts';
import { type EnrolmentCommand, enrolment } from '../domain/campaign/enrolment.ts';
import { enrolmentJob, type JobCommand } from '../domain/campaign/enrolment-job.ts';
import { CampaignId, CustomerFilter, JobId } from '../domain/campaign/events.ts';
import { CampaignResponse } from '../domain/campaign/vocabulary.ts';
import type { LedgerState } from '../domain/consent/ledger.ts';
import { marketingRefusal } from '../domain/consent/marketing.ts';
import { CustomerId } from '../domain/customer/events.ts';
import { Tag } from '../domain/customer/tags.ts';
import { CalendarDate } from '../domain/kernel/calendar-date.ts';
import { dateOf } from '../domain/kernel/source.ts';
import { type AnyCommand, type CommandContext, defineCommand, type Reference } from './command.ts';
import { enrolmentIdOf } from './command-id.ts';
import { consentReference } from './consent.ts';
import { customerReference, customerUnknown } from './customer-reference.ts';

const FreeText = (max: number) => z.string().trim().min(1).max(max);
const nothing = z.strictObject({});
const campaignParams = z.strictObject({ campaignId: CampaignId });
const ofCampaign = { category: 'campaign', decider: campaign } as const;
const onCampaign = {
  ...ofCampaign,
  roles: ['operations', 'management'],
  params: campaignParams,
  target: ({ campaignId }: z.output<typeof campaignParams>) => campaignId,
  body: nothing,
  rejections: { CampaignNotFound: 404, CampaignTransitionIllegal: 409, CampaignInThePast: 409 },
} as const;

export const planCampaign = defineCommand({
  ...ofCampaign,
  name: 'PlanCampaign',
  summary: 'Plan a campaign',
  route: 'POST /v1/campaigns',
  roles: ['product', 'operations', 'management'],
  params: nothing,
  body: z
    .strictObject({ name: FreeText(200), from: CalendarDate, to: CalendarDate, audience: FreeText(500).optional() })
    .refine(({ from, to }) => to >= from, { path: ['to'], error: 'must not be before `from`: both days are part of the campaign' }),
  rejections: onCampaign.rejections,
  command: ({ body }, { id, now, zone }): CampaignCommand => ({ do: 'plan', campaignId: id, ...body, today: dateOf(now, zone) }),
});

export const startCampaign = defineCommand({
  ...onCampaign,
  name: 'StartCampaign',
  summary: 'Start a planned campaign: from now on it takes enrolments',
  route: 'POST /v1/campaigns/{campaignId}/start',
  command: (_, { id }): CampaignCommand => ({ do: 'start', campaignId: id }),
});

export const closeCampaign = defineCommand({
  ...onCampaign,
  name: 'CloseCampaign',
  summary: 'Close a campaign: it takes no enrolment and no response any more',
  route: 'POST /v1/campaigns/{campaignId}/close',
  command: (_, { id }): CampaignCommand => ({ do: 'close', campaignId: id }),
});

const ofEnrolment = {
  category: 'enrolment',
  decider: enrolment,
  rejections: { CampaignNotFound: 404, ...customerUnknown, CampaignNotRunning: 409, NotEnrolled: 409, MarketingRefused: 409 },
} as const;
const enrolmentParams = z.strictObject({ campaignId: CampaignId, customerId: CustomerId });
const onEnrolment = {
  ...ofEnrolment,
  params: enrolmentParams,
  target: ({ campaignId, customerId }: z.output<typeof enrolmentParams>) => enrolmentIdOf(campaignId, customerId),
} as const;

/** Issued for one customer at a time: by whoever enrols a list, and by the worker of a job. */
export const enrolCustomer = defineCommand({
  ...onEnrolment,
  name: 'EnrolCustomer',
  summary: 'Enrol a customer in a running campaign',
  roles: ['rm', 'operations', 'system'],
  assumesNew: true,
  body: z.strictObject({ job: JobId.optional() }),
  refersTo: ({ params }) => [
    campaignReference(params.campaignId),
    customerReference(params.customerId, '/customers'),
    consentReference(params.customerId),
  ],
  command: ({ params, body }, context): EnrolmentCommand => ({
    do: 'enrol',
    enrolmentId: context.id,
    ...params,
    jobId: body.job,
    marketingRefusal: marketingRefusal(context.referred[2] as LedgerState, dateOf(context.now, context.zone)),
    campaignStatus: statusIn(context),
  }),
});

/** Its route takes the customer in the body (api/campaign-routes.ts). */
export const recordResponse = defineCommand({
  ...onEnrolment,
  name: 'RecordResponse',
  summary: 'Record what an enrolled customer answered; the last answer counts',
  roles: ['rm', 'agent', 'operations'],
  body: z.strictObject({ response: CampaignResponse }),
  refersTo: ({ params }) => [campaignReference(params.campaignId), customerReference(params.customerId, '/customer')],
  command: ({ params, body }, context): EnrolmentCommand => ({
    do: 'respond',
    enrolmentId: context.id,
    ...params,
    response: body.response,
    campaignStatus: statusIn(context),
  }),
});

/** The filter as it is asked for: its tag is spelt as tags are. */
export const AskedFilter = CustomerFilter.extend({ tag: Tag.optional() });

const ofJob = {
  category: 'job',
  decider: enrolmentJob,
  rejections: { CampaignNotFound: 404, CampaignNotRunning: 409, JobNotFound: 404 },
} as const;

/** Whose sight the job has is the actor's. The campaign stands in the body, so that a key is not another campaign's as well. */
export const requestEnrolment = defineCommand({
  ...ofJob,
  name: 'RequestEnrolment',
  summary: 'Have all customers enrolled that match',
  roles: ['rm', 'operations'],
  params: nothing,
  body: z.strictObject({ campaign: CampaignId, filter: AskedFilter }),
  refersTo: ({ body }) => [campaignReference(body.campaign)],
  command: ({ body }, context): JobCommand => {
    const { subject, role, scope } = context.actor;
    return {
      do: 'request',
      jobId: context.id,
      campaignId: body.campaign,
      filter: body.filter,
      requestedBy: { subject, role, scope },
      campaignStatus: statusIn(context),
    };
  },
});

const jobParams = z.strictObject({ jobId: JobId });
const counts = z.strictObject({ enrolled: z.int(), already: z.int(), refused: z.int() });
const page = { after: CustomerId.nullable(), counts } as const;
const onJob = { ...ofJob, roles: ['system'], params: jobParams, target: ({ jobId }: z.output<typeof jobParams>) => jobId } as const;

export const advanceEnrolment = defineCommand({
  ...onJob,
  name: 'AdvanceEnrolment',
  summary: 'Record one page of an enrolment job',
  body: z.strictObject({ ...page, cursor: CustomerId }),
  command: ({ params, body }): JobCommand => ({ do: 'advance', ...params, ...body }),
});

export const finishEnrolment = defineCommand({
  ...onJob,
  name: 'FinishEnrolment',
  summary: 'Record the last page of an enrolment job',
  body: z.strictObject({ ...page, detail: z.string().optional() }),
  command: ({ params, body }): JobCommand => ({ do: 'finish', ...params, ...body }),
});

export const campaignCommands: readonly AnyCommand[] = [
  planCampaign,
  startCampaign,
  closeCampaign,
  enrolCustomer,
  recordResponse,
  requestEnrolment,
  advanceEnrolment,
  finishEnrolment,
];

/** Always the first that a command refers to. */
function campaignReference(campaignId: string): Reference {
  return {
    category: 'campaign',
    id: campaignId,
    decider: campaign,
    isThere: (state) => (state as CampaignState).status !== undefined,
    otherwise: { rejected: 'CampaignNotFound', detail: 'There is no such campaign.' },
  };
}

function statusIn({ referred: [state] }: CommandContext): CampaignState['status'] {
  return (state as CampaignState | undefined)?.status;
}
