// A relation's life: recorded once between two parties, verified, corrected, ended; or void, which means that it never was, and nothing
// more is done with it. Periods are half open: `until` is the first day on which it does not hold any more. Cycles are nobody's business
// here, and neither are the shares of others in the same firm: answers flag those.
import type { Decider, Rejection } from '../kernel/decider.ts';
import type { RelationFact } from './events.ts';
import type { RelationTypeDefinition } from './relation-type.ts';
import type { ProofMethod, ShareBasis } from './vocabulary.ts';

type PartyKind = 'person' | 'organisation';

export interface Share {
  /** Exact decimal text, `33.5`. */
  readonly percent: string;
  readonly basis: ShareBasis;
}

export interface RelationState {
  readonly existence: 'none' | 'stands' | 'void';
  readonly party: string;
  readonly of: string;
  readonly partyKind: PartyKind;
  readonly from: string | null;
  readonly until: string | null;
  readonly share: Share | null;
  /** As it was verified last; null where it was not, or was corrected since. */
  readonly verified: { readonly method: ProofMethod } | null;
}

interface End {
  readonly id: string;
  readonly kind: PartyKind;
}

export type RelationCommand = { readonly relationId: string } & (
  | {
      readonly do: 'record';
      readonly type: string;
      readonly definition: RelationTypeDefinition;
      readonly typeVersion: number;
      readonly party: End;
      readonly of: End;
      readonly from?: string | undefined;
      readonly until?: string | undefined;
      readonly share?: Share | undefined;
      readonly source: { readonly kind: RecordedSource['kind']; readonly reference?: string | undefined };
    }
  | { readonly do: 'verify'; readonly method: ProofMethod; readonly evidence: string }
  /** What is left out stays, null clears. */
  | {
      readonly do: 'correct';
      readonly from?: string | null | undefined;
      readonly until?: string | null | undefined;
      readonly share?: Share | undefined;
      readonly reason: string;
    }
  | { readonly do: 'end'; readonly until: string; readonly reason: string }
  | { readonly do: 'void'; readonly reason: string }
);
type RecordedSource = Extract<RelationFact, { type: 'RelationRecorded' }>['data']['source'];

export type RelationRejection =
  | 'RelationNotFound'
  | 'RelationToItself'
  | 'RelationKindWrong'
  | 'RelationShareWrong'
  | 'RelationDatesWrong'
  | 'RelationEndedAlready'
  | 'RelationVoid';
type Decision = readonly RelationFact[] | Rejection<RelationRejection>;

export const relation: Decider<RelationCommand, RelationState, RelationFact, RelationRejection> = {
  initialState: { existence: 'none', party: '', of: '', partyKind: 'person', from: null, until: null, share: null, verified: null },
  evolve,
  decide,
};

function decide(command: RelationCommand, state: RelationState): Decision {
  if (command.do === 'record') return record(command, state);
  if (state.existence === 'none') return { rejected: 'RelationNotFound', detail: 'There is no such relation.' };
  const { relationId } = command;
  const subject = `customer-${state.party}`;
  if (command.do === 'void') {
    if (state.existence === 'void') return [];
    return [{ type: 'RelationVoided', data: { relationId, reason: command.reason }, subject }];
  }
  if (state.existence === 'void')
    return { rejected: 'RelationVoid', detail: 'The relation was declared void, so that nothing more can be done with it: record it anew.' };
  if (command.do === 'verify')
    return [{ type: 'RelationVerified', data: { relationId, method: command.method, evidence: command.evidence }, subject }];
  return command.do === 'correct' ? correct(command, state) : end(command, state);
}

function end({ relationId, until, reason }: Extract<RelationCommand, { do: 'end' }>, state: RelationState): Decision {
  if (state.until === until) return [];
  if (state.until !== null)
    return {
      rejected: 'RelationEndedAlready',
      detail: `The relation has its end, ${state.until}: correct it where that is wrong.`,
      pointer: '/until',
    };
  const wrong = wrongDates(state.from, until, '/until');
  return wrong ?? [{ type: 'RelationEnded', data: { relationId, until, reason }, subject: `customer-${state.party}` }];
}

function record(command: Extract<RelationCommand, { do: 'record' }>, state: RelationState): Decision {
  // The stream is named by the command, so a relation that is there already was recorded by it.
  if (state.existence !== 'none') return [];
  const { relationId, type, definition, typeVersion, party, of, from, until, share, source } = command;
  if (party.id === of.id)
    return { rejected: 'RelationToItself', detail: 'Nobody stands in a relation to themselves: name another party.', pointer: '/other' };
  for (const [end, wanted, role] of [
    [party, definition.party, type],
    [of, definition.of, definition.inverse],
  ] as const)
    if (wanted !== undefined && end.kind !== wanted)
      return {
        rejected: 'RelationKindWrong',
        detail: `Whoever is ${role} must be a${wanted === 'organisation' ? 'n' : ''} ${wanted}: look at the type, and at which way it reads.`,
        pointer: '/type',
      };
  const wrong = wrongShare(definition.share, share !== undefined) ?? wrongDates(from ?? null, until ?? null, '/until');
  if (wrong) return wrong;
  const data = {
    relationId,
    type,
    inverse: definition.inverse,
    typeVersion,
    party: party.id,
    of: of.id,
    partyKind: party.kind,
    ofKind: of.kind,
    ...(from === undefined ? {} : { from }),
    ...(until === undefined ? {} : { until }),
    ...(share === undefined ? {} : { share }),
    source: { kind: source.kind, ...(source.reference === undefined ? {} : { reference: source.reference }) },
  };
  return [{ type: 'RelationRecorded', data, subject: `customer-${party.id}` }];
}

function correct(command: Extract<RelationCommand, { do: 'correct' }>, state: RelationState): Decision {
  const { relationId, reason, from = state.from, until = state.until, share = state.share } = command;
  if (command.share !== undefined && state.share === null) return wrongShare(false, true) as Rejection<RelationRejection>;
  const wrong = wrongDates(from, until, command.until === undefined ? '/from' : '/until');
  if (wrong) return wrong;
  const isSame = from === state.from && until === state.until && share?.percent === state.share?.percent && share?.basis === state.share?.basis;
  if (isSame) return [];
  return [{ type: 'RelationCorrected', data: { relationId, from, until, share, reason }, subject: `customer-${state.party}` }];
}

function wrongShare(isNeeded: boolean, isGiven: boolean): Rejection<RelationRejection> | undefined {
  if (isNeeded === isGiven) return undefined;
  const detail = isNeeded
    ? 'This type needs its share: a percentage and what it is of, such as {"percent": "33.5", "basis": "equity"}.'
    : 'This type carries no share: leave it out.';
  return { rejected: 'RelationShareWrong', detail, pointer: '/share' };
}

function wrongDates(from: string | null, until: string | null, pointer: string): Rejection<RelationRejection> | undefined {
  if (from === null || until === null || until > from) return undefined;
  const detail =
    'The first day on which it does not hold any more, `until`, comes after the first on which it held, `from`; declare it void where it never was.';
  return { rejected: 'RelationDatesWrong', detail, pointer };
}

function evolve(state: RelationState, fact: RelationFact): RelationState {
  switch (fact.type) {
    case 'RelationRecorded': {
      const { party, of, partyKind, from = null, until = null, share = null } = fact.data;
      return { existence: 'stands', party, of, partyKind, from, until, share, verified: null };
    }
    case 'RelationVerified':
      return { ...state, verified: { method: fact.data.method } };
    case 'RelationCorrected': {
      const { from, until, share } = fact.data;
      return { ...state, from, until, share, verified: null };
    }
    case 'RelationEnded':
      return { ...state, until: fact.data.until };
    case 'RelationVoided':
      return { ...state, existence: 'void' };
  }
}
