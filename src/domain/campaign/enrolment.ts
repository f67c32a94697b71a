// One customer in one campaign: enrolled at most once, since both name the stream; then what they answered, the last answer counting.
// How the campaign stands comes in with the command.
import type { Decider, Rejection } from '../kernel/decider.ts';
import type { EnrolmentFact } from './events.ts';
import type { CampaignStatus } from './vocabulary.ts';

export interface EnrolmentState {
  readonly enrolled: boolean;
  readonly response?: string;
}

interface Named {
  readonly enrolmentId: string;
  readonly campaignId: string;
  readonly customerId: string;
  readonly campaignStatus: CampaignStatus | undefined;
}

export type EnrolmentCommand =
  | ({
      readonly do: 'enrol';
      readonly jobId?: string | undefined;
      /** Why the customer must not be approached, in a sentence, by what they consented to. */
      readonly marketingRefusal?: string | undefined;
    } & Named)
  | ({ readonly do: 'respond'; readonly response: string } & Named);

export type EnrolmentRejection = 'CampaignNotRunning' | 'NotEnrolled' | 'MarketingRefused';

export const enrolment: Decider<EnrolmentCommand, EnrolmentState, EnrolmentFact, EnrolmentRejection> = {
  initialState: { enrolled: false },
  evolve,
  decide,
};

function decide(command: EnrolmentCommand, state: EnrolmentState): readonly EnrolmentFact[] | Rejection<EnrolmentRejection> {
  const { enrolmentId, campaignId, customerId, campaignStatus } = command;
  const named = { enrolmentId, campaignId, customerId };
  const subject = `customer-${customerId}`;
  if (command.do === 'enrol') {
    if (state.enrolled) return [];
    if (campaignStatus !== 'running') return notRunning(campaignStatus);
    const { jobId, marketingRefusal } = command;
    if (marketingRefusal !== undefined) return { rejected: 'MarketingRefused', detail: marketingRefusal, pointer: '/customers' };
    return [{ type: 'CampaignEnrolled', data: { ...named, ...(jobId === undefined ? {} : { jobId }) }, subject }];
  }
  if (campaignStatus !== 'running') return notRunning(campaignStatus);
  if (!state.enrolled)
    return { rejected: 'NotEnrolled', detail: 'The customer is not enrolled in this campaign: enrol them first.', pointer: '/customer' };
  if (state.response === command.response) return [];
  return [{ type: 'ResponseRecorded', data: { ...named, response: command.response }, subject }];
}

function evolve(state: EnrolmentState, fact: EnrolmentFact): EnrolmentState {
  return fact.type === 'CampaignEnrolled' ? { ...state, enrolled: true } : { ...state, response: fact.data.response };
}

/** The one refusal of whatever only a running campaign takes. */
export function notRunning(status: CampaignStatus | undefined): Rejection<'CampaignNotRunning'> {
  const stands = status === 'planned' ? 'is only planned: start it first' : 'is closed';
  return { rejected: 'CampaignNotRunning', detail: `The campaign ${stands}.` };
}
