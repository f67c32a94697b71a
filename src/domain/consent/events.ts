// What a customer said to uses of their data: the stored format, for decades. Stream `consent-<customerId>`; a consent's id counts from 1
// within it. What proves it, who spoke for a child and why they withdrew is personal.
import { z } from 'zod';
import { CustomerId } from '../customer/events.ts';
import { defineEvent, type FactOf } from '../kernel/event.ts';
import { personal } from '../kernel/personal.ts';
import { AgeKnown, ConsentChannel, ConsentPurpose, GuardianRelation, LegalBasis } from './vocabulary.ts';

/** Proof of a consent is kept for five months at least after its end (draft rule on commercial messages, 2020). */
const consent = { retention: 'consent' } as const;

const Scope = {
  purpose: ConsentPurpose,
  /** Absent: by every channel. */
  channel: ConsentChannel.optional(),
  /** Absent: at every contact point. */
  contactId: z.string().optional(),
} as const;
const Named = { customerId: CustomerId, consentId: z.string() } as const;
/** The bank's own name for where the proof lies: a signed form, a recording, a click. */
const Evidence = personal(z.string()).optional();

export const ConsentGiven = defineEvent(
  'ConsentGiven',
  z.strictObject({
    ...Named,
    ...Scope,
    basis: LegalBasis,
    /** Of the text that they were shown. */
    textVersion: z.string(),
    evidence: Evidence,
    /** Asked by itself, not with others in one tick. */
    separate: z.boolean(),
    age: AgeKnown,
    guardian: z.strictObject({ name: personal(z.string()), relation: GuardianRelation }).optional(),
    /** `YYYY-MM-DD`, the last day on which it holds. */
    expiresOn: z.string().optional(),
  }),
  consent,
);

export const ConsentRefused = defineEvent(
  'ConsentRefused',
  z.strictObject({ ...Named, ...Scope, textVersion: z.string(), evidence: Evidence, reason: personal(z.string()).optional() }),
  consent,
);

/** From now on; what was done before stays lawful (个人信息保护法 art. 15). */
export const ConsentWithdrawn = defineEvent(
  'ConsentWithdrawn',
  z.strictObject({ ...Named, ...Scope, reason: personal(z.string()).optional() }),
  consent,
);

export const consentEvents = [ConsentGiven, ConsentRefused, ConsentWithdrawn] as const;
export type ConsentFact = FactOf<typeof consentEvents>;
