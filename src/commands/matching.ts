// Commands on pairs of customers that may be one. What finds them at entry is api/similar-at-entry.ts, by document the core banking feed.
import { z } from 'zod';
import { CustomerId } from '../domain/customer/events.ts';
import { type PairsState, possiblePairs } from '../domain/customer/pairs.ts';
import { PairDecision, PairId } from '../domain/matching/events.ts';
import { customersOf, type PairCommand, pair } from '../domain/matching/pair.ts';
import { type AnyCommand, defineCommand, type Reference } from './command.ts';
import { pathCustomer } from './customer-reference.ts';

const params = z.strictObject({ pair: PairId });
const onPair = {
  category: 'match',
  decider: pair,
  params,
  target: (named: z.output<typeof params>): string => named.pair,
  rejections: { CustomerNotFound: 404, PairNotFound: 404 },
} as const;

export const recordSimilarity = defineCommand({
  ...onPair,
  name: 'RecordSimilarity',
  summary: 'Record that a customer just entered may be one who is here',
  roles: ['system'],
  body: z.strictObject({
    entered: CustomerId,
    score: z.number(),
    reasons: z.array(z.strictObject({ field: z.string(), speaks: z.enum(['for', 'against']), words: z.string() })),
    weights: z.int(),
    denied: z.strictObject({ by: z.string(), reason: z.string() }).optional(),
  }),
  command: ({ params: named, body }): PairCommand => ({ do: 'find', ...named, ...body }),
});

export const decidePair = defineCommand({
  ...onPair,
  name: 'DecidePair',
  summary: 'Say whether two customers are the same, different, or to be looked at later',
  route: 'POST /v1/customers/pairs/{pair}/decide',
  roles: ['operations', 'risk'],
  body: z.strictObject({ decision: PairDecision, reason: z.string().trim().min(1).max(500) }),
  refersTo: ({ params: named }) => {
    const [one, other] = customersOf(named.pair);
    return [pathCustomer(one), pathCustomer(other), markedPairs(one), markedPairs(other)];
  },
  command: ({ params: named, body }, { referred }): PairCommand => {
    const [one, other] = customersOf(named.pair);
    const isMarked = (referred[2] as PairsState).has(other) || (referred[3] as PairsState).has(one);
    return { do: 'decide', ...named, ...body, isMarked };
  },
});

export const matchingCommands: readonly AnyCommand[] = [recordSimilarity, decidePair];

function markedPairs(customerId: string): Reference {
  return {
    category: 'pair',
    id: customerId,
    decider: possiblePairs,
    isThere: () => true,
    otherwise: { rejected: 'PairNotFound', detail: 'There is no such pair.' },
  };
}
