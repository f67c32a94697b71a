// What can have happened to relations between parties, to the types that they are of, and to who a firm's beneficial owners are: the
// stored format, for decades. A relation reads "`party` is `type` of `of`". Its period is data: it held from the day `from` until the day
// before `until`, whenever the bank came to know of it.
import { z } from 'zod';
import { defineEvent, type FactOf } from '../kernel/event.ts';
import { personal } from '../kernel/personal.ts';
import { OwnerBasis, ProofMethod, RelationSource, ShareBasis } from './vocabulary.ts';

export const RelationId = z.uuid();
const PartyId = z.uuid();
const PartyKind = z.enum(['person', 'organisation']);
const Day = z.iso.date();
/** Who is tied to whom and who owns what is kept as long as identity (反洗钱法: ten years after the relationship ends). */
const identity = { retention: 'identity' } as const;

/** Exact decimal text. */
const Share = z.strictObject({ percent: z.string(), basis: ShareBasis });

/** Stream `relation-<id>`. Its subject is `party`. Absent dates are not known, or not there yet. */
export const RelationRecorded = defineEvent(
  'RelationRecorded',
  z.strictObject({
    relationId: RelationId,
    type: z.string(),
    /** How it reads from `party`: "`of` is `inverse` of `party`". The type itself where both ends read alike. */
    inverse: z.string(),
    /** Of the type's definition that it was recorded by; 0 for one that is built in. */
    typeVersion: z.int().nonnegative(),
    party: PartyId,
    of: PartyId,
    /** What each was when it was recorded. */
    partyKind: PartyKind,
    ofKind: PartyKind,
    from: Day.optional(),
    until: Day.optional(),
    share: Share.optional(),
    source: z.strictObject({ kind: RelationSource, reference: personal(z.string()).optional() }),
  }),
  identity,
);
export const RelationVerified = defineEvent(
  'RelationVerified',
  z.strictObject({ relationId: RelationId, method: ProofMethod, evidence: personal(z.string()) }),
  identity,
);
/** Dates and share as they always were, whole; what was verified before is not any more. */
export const RelationCorrected = defineEvent(
  'RelationCorrected',
  z.strictObject({ relationId: RelationId, from: Day.nullable(), until: Day.nullable(), share: Share.nullable(), reason: personal(z.string()) }),
  identity,
);
/** `until` is the first day on which it does not hold any more. */
export const RelationEnded = defineEvent(
  'RelationEnded',
  z.strictObject({ relationId: RelationId, until: Day, reason: personal(z.string()) }),
  identity,
);
/** It never was, for every question from this position on. */
export const RelationVoided = defineEvent('RelationVoided', z.strictObject({ relationId: RelationId, reason: personal(z.string()) }), identity);

/** Stream `relationtype-<name>`: an operations' own type, or one built in that is in use again. Version counts from 1. */
export const RelationTypeDefined = defineEvent(
  'RelationTypeDefined',
  z.strictObject({
    type: z.string(),
    version: z.int().positive(),
    inverse: z.string(),
    /** Whether it carries a share. */
    share: z.boolean(),
    /** What either end must be; anything where absent. */
    party: PartyKind.optional(),
    of: PartyKind.optional(),
  }),
);
/** No relation of it is recorded any more; those there are stay. */
export const RelationTypeRetired = defineEvent(
  'RelationTypeRetired',
  z.strictObject({ type: z.string(), version: z.int().nonnegative(), reason: personal(z.string()) }),
);

/** Stream `owners-<customer id>`: who they are from the day `from` on, as a person confirmed. A later one of the same day replaces it. */
export const BeneficialOwnersConfirmed = defineEvent(
  'BeneficialOwnersConfirmed',
  z.strictObject({
    customerId: PartyId,
    from: Day,
    owners: z.array(
      z.strictObject({
        party: PartyId,
        basis: OwnerBasis,
        percent: z.string().optional(),
        /** The relation by which they were named, where they were not named by their id. */
        relation: RelationId.optional(),
      }),
    ),
    /** At least one beyond the registry. */
    methods: z.array(ProofMethod),
    evidence: personal(z.string()),
    reviewDueOn: Day,
  }),
  identity,
);

export const relationEvents = [RelationRecorded, RelationVerified, RelationCorrected, RelationEnded, RelationVoided] as const;
export const relationTypeEvents = [RelationTypeDefined, RelationTypeRetired] as const;
export const ownerEvents = [BeneficialOwnersConfirmed] as const;

export type RelationFact = FactOf<typeof relationEvents>;
export type RelationTypeFact = FactOf<typeof relationTypeEvents>;
export type OwnersFact = FactOf<typeof ownerEvents>;
