// A change that waits for a second pair of eyes: waiting → granted → carried-out or failed; or rejected, withdrawn by its maker, expired.
// Nothing of what was decided is ever undone or lost. Never does its maker decide, whatever their role, nor who acts for them.
import type { Decider, Rejection } from '../kernel/decider.ts';
import type { Actor, Fact } from '../kernel/event.ts';
import type { ApprovalFact, ApproverRole } from './events.ts';

export type ApprovalStatus = 'waiting' | 'granted' | 'rejected' | 'withdrawn' | 'expired' | 'carried-out' | 'failed';
type DataOf<Type extends ApprovalFact['type']> = Extract<ApprovalFact, { type: Type }>['data'];
export type Proposal = Omit<DataOf<'ApprovalRequested'>, 'approvalId'>;
export type Maker = Proposal['maker'];

export interface ApprovalState {
  /** Absent before it is asked for. */
  readonly status?: ApprovalStatus;
  readonly maker?: Maker;
  readonly approvers: readonly ApproverRole[];
  readonly expiresAt: string;
  readonly customer?: string | undefined;
  readonly failure?: string;
}

/** `now` is RFC 3339 UTC. */
export type ApprovalCommand = { readonly approvalId: string } & (
  | { readonly do: 'request'; readonly proposal: Proposal }
  | { readonly do: 'grant'; readonly by: Actor; readonly now: string }
  | { readonly do: 'reject'; readonly by: Actor; readonly reason: string; readonly now: string }
  | { readonly do: 'withdraw'; readonly by: Actor; readonly now: string }
  | { readonly do: 'expire'; readonly now: string }
  | { readonly do: 'record-carried-out'; readonly stream: string; readonly revision: number }
  | { readonly do: 'record-failure'; readonly why: string }
);

export type ApprovalRejection = 'ApprovalNotFound' | 'OwnProposal' | 'NotAnApprover' | 'NotTheMaker' | 'ApprovalOver';
type Refusal = Rejection<ApprovalRejection>;

export const approval: Decider<ApprovalCommand, ApprovalState, ApprovalFact, ApprovalRejection> = {
  initialState: { approvers: [], expiresAt: '' },
  evolve,
  decide,
};

/** Its maker, and whoever may approve or audit in the whole bank; the rest are told that there is no such thing. */
export function approvalVisibleTo({ maker }: Pick<ApprovalState, 'maker'>, actor: Actor): boolean {
  return actor.role === 'system' || maker?.subject === actor.subject || seesEveryApproval(actor);
}

/** Approvers' and auditors' sight is the whole bank's: an approver of a branch comes with the organisation's tree. */
export function seesEveryApproval({ role, scope = 'bank' }: Actor): boolean {
  return scope === 'bank' && (role === 'operations' || role === 'risk' || role === 'auditor');
}

/** Whether this subject in this role may decide on it: then they see what would change plain. */
export function mayDecide({ maker, approvers }: Pick<ApprovalState, 'maker' | 'approvers'>, actor: Actor): boolean {
  return seesEveryApproval(actor) && approvers.some((role) => role === actor.role) && !isSameHand(maker, actor);
}

/** One person, or one who acts for the other. */
function isSameHand(maker: Maker | undefined, actor: Actor): boolean {
  const hands = [maker?.subject, maker?.onBehalfOf].filter((subject) => subject !== undefined);
  return hands.some((subject) => subject === actor.subject || subject === actor.onBehalfOf);
}

function decide(command: ApprovalCommand, state: ApprovalState): readonly ApprovalFact[] | Refusal {
  if (command.do !== 'request') return state.status ? change(command, state) : { rejected: 'ApprovalNotFound', detail: 'There is no such approval.' };
  // The stream is named by the command, so what is asked for already was asked by it.
  if (state.status) return [];
  const { approvalId, proposal } = command;
  return [about(proposal.customer, { type: 'ApprovalRequested', data: { approvalId, ...proposal } })];
}

function change(command: Exclude<ApprovalCommand, { do: 'request' }>, state: ApprovalState): readonly ApprovalFact[] | Refusal {
  const { approvalId } = command;
  switch (command.do) {
    case 'grant':
    case 'reject': {
      const refusal = refusedFor(command, state) ?? over(command, state);
      if (refusal) return refusal;
      if (command.do === 'grant') return [about(state.customer, { type: 'ApprovalGranted', data: { approvalId } })];
      return [about(state.customer, { type: 'ApprovalRejected', data: { approvalId, reason: command.reason } })];
    }
    case 'withdraw': {
      if (command.by.subject !== state.maker?.subject)
        return { rejected: 'NotTheMaker', detail: 'Only who asked for it withdraws it: reject it instead.' };
      return over(command, state) ?? [about(state.customer, { type: 'ApprovalWithdrawn', data: { approvalId } })];
    }
    case 'expire': {
      if (state.status !== 'waiting' || command.now < state.expiresAt) return [];
      return [about(state.customer, { type: 'ApprovalExpired', data: { approvalId }, occurredAt: state.expiresAt })];
    }
    case 'record-carried-out': {
      if (state.status !== 'granted') return [];
      const { stream, revision } = command;
      return [about(state.customer, { type: 'ApprovalCarriedOut', data: { approvalId, stream, revision } })];
    }
    case 'record-failure':
      if (state.status !== 'granted') return [];
      return [about(state.customer, { type: 'ApprovalFailed', data: { approvalId, why: command.why } })];
  }
}

function refusedFor({ by }: { readonly by: Actor }, state: ApprovalState): Refusal | undefined {
  if (isSameHand(state.maker, by))
    return { rejected: 'OwnProposal', detail: 'Who asked for a change does not decide on it, in no role: ask another approver.' };
  if (mayDecide(state, by)) return undefined;
  return { rejected: 'NotAnApprover', detail: `This is for the role ${state.approvers.join(' or ')}, for the whole bank, to decide.` };
}

function over({ now }: { readonly now: string }, { status, expiresAt }: ApprovalState): Refusal | undefined {
  if (status !== 'waiting') return { rejected: 'ApprovalOver', detail: `It is ${status ?? ''} already: nothing more can be decided.` };
  return now < expiresAt ? undefined : { rejected: 'ApprovalOver', detail: `It expired at ${expiresAt}: ask anew.` };
}

function about<F extends Fact>(customer: string | undefined, fact: F): F {
  return customer === undefined ? fact : { ...fact, subject: `customer-${customer}` };
}

function evolve(state: ApprovalState, fact: ApprovalFact): ApprovalState {
  switch (fact.type) {
    case 'ApprovalRequested': {
      const { maker, approvers, expiresAt, customer } = fact.data;
      return { status: 'waiting', maker, approvers, expiresAt, customer };
    }
    case 'ApprovalFailed':
      return { ...state, status: 'failed', failure: fact.data.why };
    default:
      return { ...state, status: ends[fact.type] };
  }
}

const ends = {
  ApprovalGranted: 'granted',
  ApprovalRejected: 'rejected',
  ApprovalWithdrawn: 'withdrawn',
  ApprovalExpired: 'expired',
  ApprovalCarriedOut: 'carried-out',
} as const satisfies Readonly<Partial<Record<ApprovalFact['type'], ApprovalStatus>>>;
