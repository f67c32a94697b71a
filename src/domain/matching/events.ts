// What can have happened to a pair of customers that may be one: the stored format, for decades. Stream `match-<pair>`, where a pair is its
// two ids, the lesser first, with a dot between. Pairs by document are `PossiblePairFound` (domain/customer/events.ts).
import { z } from 'zod';
import { CustomerId } from '../customer/events.ts';
import { defineEvent, type FactOf } from '../kernel/event.ts';
import { personal } from '../kernel/personal.ts';

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
export const PairId = z
  .string()
  .regex(new RegExp(`^${UUID}\\.${UUID}$`), 'a pair is the ids of two customers with a dot between')
  .refine((pair) => pair.slice(0, 36) < pair.slice(37), 'a pair has its lesser id first')
  .meta({ examples: ['01990f7c-5f00-8aaa-8bbb-0123456789ab.01990f7c-5f00-8aaa-8bbb-0123456789ac'] });

export const PairDecision = z.enum(['same', 'different', 'later']);
export type PairDecision = z.output<typeof PairDecision>;

const identity = { retention: 'identity' } as const;

/** The two agree in more than their name (domain/matching/score.ts), as it showed when `entered` was registered. */
export const SimilarityFound = defineEvent(
  'SimilarityFound',
  z.strictObject({
    pair: PairId,
    entered: CustomerId,
    /** From 0 to 1. */
    score: z.number(),
    /** Words that hold nothing personal. */
    reasons: z.array(z.strictObject({ field: z.string(), speaks: z.enum(['for', 'against']), words: z.string() })),
    /** Of the weights (domain/matching/weights.ts). */
    weights: z.int(),
    /** Who entered them was warned, and said that they are another. */
    denied: z.strictObject({ by: z.string(), reason: personal(z.string()) }).optional(),
  }),
  identity,
);

export const PairDecided = defineEvent(
  'PairDecided',
  z.strictObject({ pair: PairId, decision: PairDecision, reason: personal(z.string()) }),
  identity,
);

export const matchingEvents = [SimilarityFound, PairDecided] as const;
export type MatchFact = FactOf<typeof matchingEvents>;
