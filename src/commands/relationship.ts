// Commands on relations between parties, on the types that they are of, and on who a firm's beneficial owners are. Each relation is
// maintained from the file of one of its parties; whoever changes it must see both. The rules are in domain/relationship/.
import { z } from 'zod';
import { type CustomerState, customer } from '../domain/customer/customer.ts';
import { CustomerId } from '../domain/customer/events.ts';
import { PartyKind } from '../domain/customer/vocabulary.ts';
import { CalendarDate } from '../domain/kernel/calendar-date.ts';
import type { Actor } from '../domain/kernel/event.ts';
import { dateOf } from '../domain/kernel/source.ts';
import { RelationId } from '../domain/relationship/events.ts';
import { type ConfirmOwners, ownerConfirmation } from '../domain/relationship/owner-confirmation.ts';
import { type RelationCommand, type RelationState, relation } from '../domain/relationship/relation.ts';
import { definitionInUse, type RelationTypeCommand, type RelationTypeState, relationType } from '../domain/relationship/relation-type.ts';
import { OwnerBasis, Percent, ProofMethod, RelationSource, RelationTypeName, ShareBasis } from '../domain/relationship/vocabulary.ts';
import { type AnyCommand, type CommandContext, defineCommand, type Reference } from './command.ts';
import { customerReference, customerUnknown } from './customer-reference.ts';

const FreeText = (max: number) => z.string().trim().min(1).max(max);
const Reason = FreeText(500);
const Evidence = FreeText(1_000);
const Share = z.strictObject({ percent: Percent, basis: ShareBasis.default('equity') });

const rejections = {
  CustomerNotFound: 404,
  RelationNotFound: 404,
  ...customerUnknown,
  RelationTypeUnknown: 422,
  RelationToItself: 422,
  RelationKindWrong: 422,
  RelationShareWrong: 422,
  RelationDatesWrong: 422,
  RelationEndedAlready: 409,
  RelationVoid: 409,
  RelationOfOthers: 409,
} as const;
const ofRelation = { category: 'relation', decider: relation, roles: ['rm', 'operations', 'risk'], rejections } as const;
const fileParams = z.strictObject({ customerId: CustomerId });

/** Which way a relation reads: "the other is `type` of this customer", or "this customer is `type` of the other". */
const Reading = z.enum(['other-is', 'this-is']);

export const recordRelation = defineCommand({
  ...ofRelation,
  name: 'RecordRelation',
  summary: 'Record how another party stands to a customer: "the other is `type` of this customer", or the other way round',
  route: 'POST /v1/customers/{customerId}/relations',
  params: fileParams,
  body: z.strictObject({
    type: RelationTypeName,
    reading: Reading.default('other-is'),
    other: CustomerId,
    from: CalendarDate.optional().meta({ description: 'The first day on which it held; absent where nobody knows' }),
    until: CalendarDate.optional().meta({ description: 'The first day on which it does not hold any more' }),
    share: Share.optional(),
    source: z.strictObject({ kind: RelationSource, reference: FreeText(500).optional() }),
  }),
  refersTo: ({ params, body }) => [fileReference(params.customerId), typeReference(body.type), customerReference(body.other, '/other')],
  command: ({ params, body }, { id, referred: [own, type, other] }): RelationCommand => {
    const { reading, other: otherId, type: name, ...rest } = body;
    const typeState = type as RelationTypeState;
    const ends = [
      { id: otherId, kind: kindOf(other) },
      { id: params.customerId, kind: kindOf(own) },
    ] as const;
    const [party, of] = reading === 'other-is' ? ends : [ends[1], ends[0]];
    // The reference has it that there is one.
    const definition = definitionInUse(name, typeState) ?? { inverse: name, share: false };
    return { do: 'record', relationId: id, type: name, definition, typeVersion: typeState.version, party, of, ...rest };
  },
});

const relationParams = z.strictObject({ customerId: CustomerId, relationId: RelationId });
type RelationParams = z.output<typeof relationParams>;
const onRelation = {
  ...ofRelation,
  params: relationParams,
  target: ({ relationId }: RelationParams) => relationId,
  /** A relation is in the files of its two parties and in no other. */
  visibleTo: ({ party, of }: RelationState, _actor: Actor, _id: string, { customerId }: RelationParams) => party === customerId || of === customerId,
  refersTo: ({ params: { customerId }, state: { existence, party, of } }: { readonly params: RelationParams; readonly state: RelationState }) =>
    existence === 'none' ? [fileReference(customerId)] : [fileReference(customerId), otherReference(party === customerId ? of : party)],
} as const;

export const verifyRelation = defineCommand({
  ...onRelation,
  name: 'VerifyRelation',
  summary: 'Record that a relation was checked, and by what',
  route: 'POST /v1/customers/{customerId}/relations/{relationId}/verify',
  body: z.strictObject({ method: ProofMethod, evidence: Evidence }),
  command: ({ body }, { id }): RelationCommand => ({ do: 'verify', relationId: id, ...body }),
});

export const correctRelation = defineCommand({
  ...onRelation,
  name: 'CorrectRelation',
  summary: 'Correct the dates or the share of a relation as they always were; null clears a date, what is left out stays',
  route: 'POST /v1/customers/{customerId}/relations/{relationId}/correct',
  body: z.strictObject({
    from: CalendarDate.nullable().optional(),
    until: CalendarDate.nullable().optional(),
    share: Share.optional(),
    reason: Reason,
  }),
  command: ({ body }, { id }): RelationCommand => ({ do: 'correct', relationId: id, ...body }),
});

export const endRelation = defineCommand({
  ...onRelation,
  name: 'EndRelation',
  summary: 'Say from which day on a relation does not hold any more',
  route: 'POST /v1/customers/{customerId}/relations/{relationId}/end',
  body: z.strictObject({ until: CalendarDate, reason: Reason }),
  command: ({ body }, { id }): RelationCommand => ({ do: 'end', relationId: id, ...body }),
});

export const voidRelation = defineCommand({
  ...onRelation,
  name: 'VoidRelation',
  summary: 'Declare that a relation never was',
  route: 'POST /v1/customers/{customerId}/relations/{relationId}/void',
  body: z.strictObject({ reason: Reason }),
  command: ({ body }, { id }): RelationCommand => ({ do: 'void', relationId: id, reason: body.reason }),
});

const typeParams = z.strictObject({ type: RelationTypeName });
const onType = {
  category: 'relationtype',
  decider: relationType,
  roles: ['operations'],
  params: typeParams,
  target: ({ type }: z.output<typeof typeParams>) => type,
  rejections: { RelationTypeNotFound: 404, RelationTypeBuiltIn: 409 },
} as const;

export const defineRelationType = defineCommand({
  ...onType,
  name: 'DefineRelationType',
  summary: 'Define a type of relation, or change it for those recorded from now on',
  route: 'POST /v1/relation-types/{type}',
  body: z.strictObject({
    inverse: RelationTypeName.meta({ description: 'How its other end reads; the type itself where both read alike' }),
    share: z.boolean().default(false).meta({ description: 'Whether it carries a share' }),
    party: PartyKind.optional().meta({ description: 'What whoever is of this type must be' }),
    of: PartyKind.optional().meta({ description: 'What the other end must be' }),
  }),
  command: ({ body }, { id }): RelationTypeCommand => ({
    do: 'define',
    type: id,
    inverse: body.inverse,
    share: body.share,
    ...(body.party === undefined ? {} : { party: body.party }),
    ...(body.of === undefined ? {} : { of: body.of }),
  }),
});

export const retireRelationType = defineCommand({
  ...onType,
  name: 'RetireRelationType',
  summary: 'Retire a type of relation: no more are recorded, those there are stay',
  route: 'POST /v1/relation-types/{type}/retire',
  body: z.strictObject({ reason: Reason }),
  command: ({ body }, { id }): RelationTypeCommand => ({ do: 'retire', type: id, reason: body.reason }),
});

const NamedOwner = z
  .strictObject({
    party: CustomerId.optional().meta({ description: 'By id' }),
    relation: RelationId.optional().meta({ description: 'By a relation in the file of this firm, whose other party it is' }),
    basis: OwnerBasis,
    percent: Percent.optional(),
  })
  .refine(({ party, relation: by }) => (party === undefined) !== (by === undefined), { error: 'must have either `party` or `relation`' });

const ownerRejections = {
  CustomerNotFound: 404,
  ...customerUnknown,
  RelationUnknown: 422,
  OwnersOfAPerson: 409,
  OwnerNotAPerson: 422,
  OwnerTwice: 422,
  OwnersDateWrong: 422,
} as const;

export const confirmBeneficialOwners = defineCommand({
  name: 'ConfirmBeneficialOwners',
  summary: 'Confirm who the beneficial owners of a firm are, by proof beyond the registry; replaces what was confirmed before',
  route: 'POST /v1/customers/{customerId}/beneficial-owners',
  roles: ['risk', 'rm', 'teller'],
  params: fileParams,
  body: z.strictObject({
    owners: z.array(NamedOwner).min(1).max(50),
    methods: z
      .array(ProofMethod)
      .min(1)
      .max(ProofMethod.options.length)
      .refine((methods) => methods.some((method) => method !== 'registry'), 'must have one beside `registry`: the registry alone is no proof'),
    evidence: Evidence,
    from: CalendarDate.optional().meta({ description: 'Since when they are; today where absent' }),
    reviewDueOn: CalendarDate.meta({ description: 'When they are to be looked at again' }),
  }),
  category: 'owners',
  target: ({ customerId }) => customerId,
  decider: ownerConfirmation,
  rejections: ownerRejections,
  refersTo: ({ params: { customerId }, body: { owners } }) => [
    fileReference(customerId),
    ...owners.map(({ party, relation: by }, index) =>
      party === undefined
        ? ownRelationReference(by ?? '', customerId, `/owners/${index}/relation`)
        : customerReference(party, `/owners/${index}/party`),
    ),
  ],
  command: ({ params: { customerId }, body }, context): ConfirmOwners => ({
    ...body,
    customerId,
    customerKind: kindOf(context.referred[0]),
    today: dateOf(context.now, context.zone),
    owners: body.owners.map(({ party, relation: by, basis, percent }, index) => ({
      ...ownerIn(context, index + 1, party),
      ...{ basis, percent, relation: by },
    })),
  }),
});

export const relationshipCommands: readonly AnyCommand[] = [
  recordRelation,
  verifyRelation,
  correctRelation,
  endRelation,
  voidRelation,
  defineRelationType,
  retireRelationType,
  confirmBeneficialOwners,
];

/** Named by id a customer's state stands at this place of what is referred to, named by a relation the relation's. */
function ownerIn({ referred }: CommandContext, index: number, party: string | undefined) {
  if (party !== undefined) return { party, kind: kindOf(referred[index]) };
  const { party: related, partyKind } = referred[index] as RelationState;
  return { party: related, kind: partyKind };
}

/** The customer in whose file it is done: who may not see them is told that there is none. */
function fileReference(customerId: string): Reference {
  const { decider, isThere } = customerReference(customerId, '');
  return {
    category: 'customer',
    id: customerId,
    decider,
    isThere,
    otherwise: { rejected: 'CustomerNotFound', detail: 'There is no such customer.' },
  };
}

/** The other party of a relation in one's own customer's file. */
function otherReference(customerId: string): Reference {
  const detail = 'The other party of this relation is not one that you may see: ask operations to change it.';
  return { ...fileReference(customerId), otherwise: { rejected: 'RelationOfOthers', detail } };
}

function typeReference(type: string): Reference {
  return {
    category: 'relationtype',
    id: type,
    decider: relationType,
    isThere: (state) => definitionInUse(type, state as RelationTypeState) !== undefined,
    otherwise: {
      rejected: 'RelationTypeUnknown',
      detail: 'There is no such type of relation, or no more: see GET /v1/relation-types.',
      pointer: '/type',
    },
  };
}

/** A relation in whose file this firm is the one that is owned. */
function ownRelationReference(relationId: string, customerId: string, pointer: string): Reference {
  return {
    category: 'relation',
    id: relationId,
    decider: relation,
    isThere: (state) => (state as RelationState).existence === 'stands' && (state as RelationState).of === customerId,
    otherwise: {
      rejected: 'RelationUnknown',
      detail: 'No relation with this id stands in the file of this firm as the one that is owned or managed.',
      pointer,
    },
  };
}

function kindOf(state: unknown): PartyKind {
  return (state as CustomerState | undefined)?.kind ?? customer.initialState.kind ?? 'person';
}
