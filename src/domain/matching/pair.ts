// A pair of customers that may be one: found by likeness or by document, then decided by a person: same, different, or later. A decision
// stands until another one; what was found different is not offered again.
import type { Decider, Rejection } from '../kernel/decider.ts';
import type { MatchFact, PairDecision } from './events.ts';

export interface PairState {
  readonly found: boolean;
  readonly decision: PairDecision | null;
}

type Found = Omit<Extract<MatchFact, { type: 'SimilarityFound' }>['data'], 'pair' | 'denied'>;

export type PairCommand = { readonly pair: string } & (
  | ({ readonly do: 'find'; readonly denied?: { readonly by: string; readonly reason: string } | undefined } & Found)
  | {
      readonly do: 'decide';
      readonly decision: PairDecision;
      readonly reason: string;
      /** They are known as a pair by a document. */
      readonly isMarked: boolean;
    }
);

export type PairRejection = 'PairNotFound';

export const pair: Decider<PairCommand, PairState, MatchFact, PairRejection> = {
  initialState: { found: false, decision: null },
  evolve: (state, fact) => (fact.type === 'SimilarityFound' ? { ...state, found: true } : { ...state, decision: fact.data.decision }),
  decide,
};

function decide(command: PairCommand, state: PairState): readonly MatchFact[] | Rejection<PairRejection> {
  if (command.do === 'find') {
    if (state.found || state.decision === 'different') return [];
    const { do: _, denied, ...data } = command;
    return [{ type: 'SimilarityFound', data: { ...data, ...(denied === undefined ? {} : { denied }) }, subject: `customer-${command.entered}` }];
  }
  const { pair: id, decision, reason, isMarked } = command;
  if (!state.found && !isMarked) return { rejected: 'PairNotFound', detail: 'There is no such pair.' };
  // Put off again, it was looked at again.
  if (state.decision === decision && decision !== 'later') return [];
  return [{ type: 'PairDecided', data: { pair: id, decision, reason }, subject: `customer-${customersOf(id)[0]}` }];
}

export function pairOf(one: string, other: string): string {
  return one < other ? `${one}.${other}` : `${other}.${one}`;
}

export function customersOf(id: string): readonly [string, string] {
  return [id.slice(0, 36), id.slice(37)];
}
