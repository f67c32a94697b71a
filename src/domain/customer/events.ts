// What can have happened to a party or customer: the stored format, for decades. Who they are is personal; which branch, manager and
// tags they have is the bank's own. Everything stands on the stream `customer-<id>`, but what
// may be the same on `pair-<id>`, sealed with that customer's key.
import { z } from 'zod';
import { defineEvent, type FactOf } from '../kernel/event.ts';
import { personal } from '../kernel/personal.ts';
import { SourceReference } from '../kernel/source.ts';
import { BranchCode, ContactKind, Country, DocumentType, PartyKind } from './vocabulary.ts';

export const CustomerId = z.uuid();
/** A member of staff, by the subject of their token. */
const StaffSubject = z.string();
/** Identity data outlives service data (反洗钱法: ten years after the relationship ends). */
const identity = { retention: 'identity' } as const;

const IdentityDocument = z.strictObject({
  type: DocumentType,
  number: personal(z.string()),
  country: Country.optional(),
  /** `YYYY-MM-DD` */
  expiresOn: z.string().optional(),
});

/** Entered by the bank's own staff; a name is enough for a prospect. */
export const CustomerRegistered = defineEvent(
  'CustomerRegistered',
  z.strictObject({
    customerId: CustomerId,
    kind: PartyKind,
    name: personal(z.string()),
    documents: z.array(IdentityDocument).optional(),
    contacts: z.array(z.strictObject({ contactId: z.string(), kind: ContactKind, value: personal(z.string()) })).optional(),
    manager: StaffSubject.optional(),
    branch: BranchCode.optional(),
  }),
  identity,
);

/**
 * What a core system says of its customer from `occurredAt` on, whole: a later one replaces an earlier one of the same `reference`.
 * `reference` is the id that this source's customer has in holdings (`sourceIdOf`); it is the customer's own id unless they were linked.
 */
export const CustomerReported = defineEvent(
  'CustomerReported',
  z.strictObject({
    customerId: CustomerId,
    reference: CustomerId,
    source: SourceReference,
    kind: PartyKind,
    /** Absent where the source has none: the customer counts as incomplete. */
    name: personal(z.string()).optional(),
    /** `YYYY-MM-DD` */
    birthDate: personal(z.string()).optional(),
    sex: personal(z.string()).optional(),
    documents: z.array(IdentityDocument).optional(),
    contacts: z.array(z.strictObject({ kind: ContactKind, value: personal(z.string()) })).optional(),
    branch: BranchCode.optional(),
  }),
  identity,
);

/** A source's customer turned out to be this one, by the same document and name: what it holds under `reference` is this customer's. */
export const CustomerLinked = defineEvent(
  'CustomerLinked',
  z.strictObject({ customerId: CustomerId, reference: CustomerId, source: SourceReference, because: z.literal('same-document-and-name') }),
  identity,
);

/**
 * Another customer has the same document under another name, or both were customers already when it showed: perhaps the same, to be looked
 * at by a person. Stands for both, beside their own streams (pairs.ts).
 */
export const PossiblePairFound = defineEvent(
  'PossiblePairFound',
  z.strictObject({
    customerId: CustomerId,
    other: CustomerId,
    because: z.enum(['same-document-other-name', 'same-document-and-name']),
  }),
  identity,
);

/** A registration that claimed a document and never came: at revision 0, so that it can't come late (docs/architecture.md). */
export const RegistrationAbandoned = defineEvent('RegistrationAbandoned', z.strictObject({ customerId: CustomerId }), identity);

/** Staff's own word on the name: `CustomerRegistered` said it first. Where a core system says a name, that one counts. */
export const NameCorrected = defineEvent(
  'NameCorrected',
  z.strictObject({ customerId: CustomerId, name: personal(z.string()), reason: personal(z.string()) }),
  identity,
);

/** Entered by staff after the registration. Ids go on from those of the registration, which count from 1 in its order. */
export const DocumentAdded = defineEvent(
  'DocumentAdded',
  z.strictObject({ customerId: CustomerId, documentId: z.string(), ...IdentityDocument.shape, reason: personal(z.string()) }),
  identity,
);

/** The same document, of the same number, is valid longer. `expiresOn` is `YYYY-MM-DD`. */
export const DocumentRenewed = defineEvent(
  'DocumentRenewed',
  z.strictObject({ customerId: CustomerId, documentId: z.string(), expiresOn: z.string(), reason: personal(z.string()) }),
  identity,
);

/** `entered-by-mistake`: it never was theirs, and another may have it. `not-valid`: it was theirs and stays theirs, and counts no more. */
export const DocumentWithdrawn = defineEvent(
  'DocumentWithdrawn',
  z.strictObject({
    customerId: CustomerId,
    documentId: z.string(),
    because: z.enum(['entered-by-mistake', 'not-valid']),
    reason: personal(z.string()),
  }),
  identity,
);

export const ContactAdded = defineEvent(
  'ContactAdded',
  z.strictObject({
    customerId: CustomerId,
    contactId: z.string(),
    kind: ContactKind,
    value: personal(z.string()),
    /** The customer proved it (a code sent, a letter answered). */
    verified: z.boolean(),
  }),
  identity,
);
export const ContactVerified = defineEvent('ContactVerified', z.strictObject({ customerId: CustomerId, contactId: z.string() }), identity);
export const ContactRemoved = defineEvent('ContactRemoved', z.strictObject({ customerId: CustomerId, contactId: z.string() }), identity);

/** How the customer wants to be reached. */
export const PreferencesChanged = defineEvent(
  'PreferencesChanged',
  z.strictObject({ customerId: CustomerId, channel: ContactKind.nullable(), language: z.string().nullable() }),
  identity,
);

/** Tags are normalised (`tagOf`). */
export const CustomerTagged = defineEvent('CustomerTagged', z.strictObject({ customerId: CustomerId, tag: z.string() }), identity);
export const CustomerUntagged = defineEvent('CustomerUntagged', z.strictObject({ customerId: CustomerId, tag: z.string() }), identity);

/** Who is responsible from now on; null for nobody. */
export const CustomerAssigned = defineEvent(
  'CustomerAssigned',
  z.strictObject({
    customerId: CustomerId,
    manager: StaffSubject.nullable(),
    branch: BranchCode.nullable(),
    reason: personal(z.string()).optional(),
  }),
  identity,
);

export const customerEvents = [
  CustomerRegistered,
  CustomerReported,
  CustomerLinked,
  PossiblePairFound,
  RegistrationAbandoned,
  NameCorrected,
  DocumentAdded,
  DocumentRenewed,
  DocumentWithdrawn,
  ContactAdded,
  ContactVerified,
  ContactRemoved,
  PreferencesChanged,
  CustomerTagged,
  CustomerUntagged,
  CustomerAssigned,
] as const;

export type CustomerFact = FactOf<typeof customerEvents>;
