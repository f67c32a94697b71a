// Who may be the same as a customer: on a stream beside the customer's own, since a relationship manager who may not see the other must
// not see her own customer's revision move for it.
import type { Decider } from '../kernel/decider.ts';
import type { FactOf } from '../kernel/event.ts';
import type { PossiblePairFound } from './events.ts';

type PairFact = FactOf<readonly [typeof PossiblePairFound]>;
export type PairReason = PairFact['data']['because'];

export interface MarkPair {
  readonly customerId: string;
  readonly other: string;
  readonly because: PairReason;
  /** The source's time. */
  readonly at: string;
}

/** Ids of the others. */
export type PairsState = ReadonlySet<string>;

export const possiblePairs: Decider<MarkPair, PairsState, PairFact, never> = {
  initialState: new Set(),
  evolve: (others, { data }) => new Set([...others, data.other]),
  decide: ({ customerId, other, because, at }, others) => {
    if (others.has(other)) return [];
    return [{ type: 'PossiblePairFound', data: { customerId, other, because }, occurredAt: at, subject: `customer-${customerId}` }];
  },
};
