// A campaign's life: planned → running → closed, or closed before it ever ran. Only a running one takes enrolments and responses
// (enrolment.ts). Dates are days of the bank's zone; today comes in with the command.
import type { Decider, Rejection } from '../kernel/decider.ts';
import type { CampaignFact } from './events.ts';
import type { CampaignStatus } from './vocabulary.ts';

export interface CampaignState {
  /** Absent before the campaign is. */
  readonly status?: CampaignStatus;
}

export type CampaignCommand =
  | {
      readonly do: 'plan';
      readonly campaignId: string;
      readonly name: string;
      /** `YYYY-MM-DD`, inclusive both; `to` is not before `from`. */
      readonly from: string;
      readonly to: string;
      readonly audience?: string | undefined;
      readonly today: string;
    }
  | { readonly do: 'start' | 'close'; readonly campaignId: string };

export type CampaignRejection = 'CampaignNotFound' | 'CampaignTransitionIllegal' | 'CampaignInThePast';

/** What can be done in each status. */
const legal = { planned: ['start', 'close'], running: ['close'], closed: [] } as const satisfies Record<CampaignStatus, readonly string[]>;
const participles = { start: 'started', close: 'closed' } as const;

export const campaign: Decider<CampaignCommand, CampaignState, CampaignFact, CampaignRejection> = { initialState: {}, evolve, decide };

function decide(command: CampaignCommand, { status }: CampaignState): readonly CampaignFact[] | Rejection<CampaignRejection> {
  const { campaignId } = command;
  if (command.do === 'plan') {
    // The stream is named by the command, so a campaign that is there already was planned by it.
    if (status) return [];
    const { name, from, to, audience, today } = command;
    if (to < today)
      return { rejected: 'CampaignInThePast', detail: `The campaign would end before today, ${today}: let it end today or later.`, pointer: '/to' };
    return [{ type: 'CampaignPlanned', data: { campaignId, name, from, to, ...(audience === undefined ? {} : { audience }) } }];
  }
  if (!status) return { rejected: 'CampaignNotFound', detail: 'There is no such campaign.' };
  const possible: readonly (keyof typeof participles)[] = legal[status];
  if (!possible.includes(command.do)) {
    const instead = possible.length === 0 ? 'nothing more can be done with it' : `it can be ${possible.map((one) => participles[one]).join(' or ')}`;
    return { rejected: 'CampaignTransitionIllegal', detail: `A ${status} campaign can not be ${participles[command.do]}; ${instead}.` };
  }
  return [{ type: command.do === 'start' ? 'CampaignStarted' : 'CampaignClosed', data: { campaignId } }];
}

function evolve(_state: CampaignState, fact: CampaignFact): CampaignState {
  switch (fact.type) {
    case 'CampaignPlanned':
      return { status: 'planned' };
    case 'CampaignStarted':
      return { status: 'running' };
    case 'CampaignClosed':
      return { status: 'closed' };
  }
}
