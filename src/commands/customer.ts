// Commands on customers; those on names and documents are customer-identity.ts. The rules are in domain/customer/customer.ts; what core
// banking reports comes by feeds/core-banking-customers.ts.
import { z } from 'zod';
import { Contact, checkedValue, contactShape, ReportedContact } from '../domain/customer/contacts.ts';
import { type CustomerCommand, type CustomerState, customer } from '../domain/customer/customer.ts';
import { documentClaims, IdentityDocuments, ReportedDocument } from '../domain/customer/documents.ts';
import { CustomerId, PossiblePairFound } from '../domain/customer/events.ts';
import { PersonOrFirmName } from '../domain/customer/names.ts';
import { type MarkPair, possiblePairs } from '../domain/customer/pairs.ts';
import { Tag } from '../domain/customer/tags.ts';
import { customerVisibleTo } from '../domain/customer/visibility.ts';
import { BranchCode, ContactKind, PartyKind } from '../domain/customer/vocabulary.ts';
import type { Actor } from '../domain/kernel/event.ts';
import { SourceReference, SourceTime } from '../domain/kernel/source.ts';
import { StaffSubject } from '../domain/ticket/events.ts';
import { type AnyCommand, defineCommand } from './command.ts';

const params = z.strictObject({ customerId: CustomerId });
const nothing = z.strictObject({});
const MAX_DOCUMENTS = 10;
const MAX_CONTACTS = 50;

const rejections = {
  CustomerNotFound: 404,
  ContactNotFound: 404,
  RegistrationAbandoned: 409,
  RegistrationStands: 409,
  ManagerNotYou: 422,
  BranchFromSource: 409,
  DocumentNotFound: 404,
  DocumentThere: 409,
  ExpiryNotLater: 409,
} as const;
export const withClaims = { ...rejections, ClaimTaken: 409 } as const;
const common = { category: 'customer', decider: customer, rejections } as const;
const target = ({ customerId }: { readonly customerId: string }): string => customerId;
export const onCustomer = {
  ...common,
  params,
  target,
  visibleTo: ({ manager, branch }: CustomerState, actor: Actor, id: string): boolean => customerVisibleTo({ id, manager, branch }, actor),
} as const;
export const maintainers = ['rm', 'teller', 'operations'] as const;
/** Whoever is on the line says how to reach them, and what they care about. */
const talkers = ['rm', 'teller', 'agent', 'operations'] as const;

export const RegisterBody = z.strictObject({
  kind: PartyKind,
  name: PersonOrFirmName,
  documents: IdentityDocuments.max(MAX_DOCUMENTS).optional(),
  contacts: z.array(Contact).max(MAX_CONTACTS).optional(),
  manager: StaffSubject.optional(),
  branch: BranchCode.optional(),
  /** Whoever is like someone here is another all the same: looked at before it is decided (api/similar-at-entry.ts), kept in the body. */
  confirmNotDuplicate: z.strictObject({ reason: z.string().trim().min(1).max(500) }).optional(),
});
export type RegisterBody = z.output<typeof RegisterBody>;

export const registerCustomer = defineCommand({
  ...common,
  rejections: withClaims,
  name: 'RegisterCustomer',
  summary: 'Register a customer; a name is enough for a prospect',
  route: 'POST /v1/customers',
  roles: maintainers,
  params: nothing,
  body: RegisterBody,
  claims: ({ body }) => documentClaims(body.documents),
  command: ({ body: { confirmNotDuplicate: _, ...body } }, { id, actor: { subject, role } }): CustomerCommand => ({
    do: 'register',
    customerId: id,
    by: { subject, role },
    ...body,
  }),
});

export const addContact = defineCommand({
  ...onCustomer,
  name: 'AddContact',
  summary: 'Add a way to reach a customer',
  route: 'POST /v1/customers/{customerId}/contacts',
  roles: talkers,
  body: z
    .strictObject({ ...contactShape, verified: z.boolean().default(false) })
    .transform((contact, context) => ({ ...contact, value: checkedValue(contact, context) })),
  command: ({ body }, { id }): CustomerCommand => ({ do: 'add-contact', customerId: id, ...body }),
});

const contactParams = z.strictObject({ customerId: CustomerId, contactId: z.string().regex(/^[1-9]\d{0,8}$/) });

export const verifyContact = defineCommand({
  ...onCustomer,
  name: 'VerifyContact',
  summary: 'Record that the customer proved a contact to be theirs',
  route: 'POST /v1/customers/{customerId}/contacts/{contactId}/verify',
  roles: talkers,
  params: contactParams,
  body: nothing,
  command: ({ params: { contactId } }, { id }): CustomerCommand => ({ do: 'verify-contact', customerId: id, contactId }),
});

export const removeContact = defineCommand({
  ...onCustomer,
  name: 'RemoveContact',
  summary: 'Stop using a contact',
  route: 'DELETE /v1/customers/{customerId}/contacts/{contactId}',
  roles: talkers,
  params: contactParams,
  body: nothing,
  command: ({ params: { contactId } }, { id }): CustomerCommand => ({ do: 'remove-contact', customerId: id, contactId }),
});

const Language = z.string().regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$/, 'a language by BCP 47, such as zh-CN or en');

export const changePreferences = defineCommand({
  ...onCustomer,
  name: 'ChangePreferences',
  summary: 'Say how a customer wants to be reached; null clears, what is left out stays',
  route: 'POST /v1/customers/{customerId}/preferences',
  roles: talkers,
  body: z.strictObject({ channel: ContactKind.nullable().optional(), language: Language.nullable().optional() }),
  command: ({ body }, { id }): CustomerCommand => ({ do: 'change-preferences', customerId: id, ...body }),
});

export const tagCustomer = defineCommand({
  ...onCustomer,
  name: 'TagCustomer',
  summary: 'Tag a customer',
  route: 'POST /v1/customers/{customerId}/tags',
  roles: talkers,
  body: z.strictObject({ tag: Tag }),
  command: ({ body }, { id }): CustomerCommand => ({ do: 'tag', customerId: id, tag: body.tag }),
});

export const untagCustomer = defineCommand({
  ...onCustomer,
  name: 'UntagCustomer',
  summary: 'Take a tag off a customer',
  route: 'DELETE /v1/customers/{customerId}/tags/{tag}',
  roles: talkers,
  params: z.strictObject({ customerId: CustomerId, tag: Tag }),
  body: nothing,
  command: ({ params: { tag } }, { id }): CustomerCommand => ({ do: 'untag', customerId: id, tag }),
});

export const assignCustomer = defineCommand({
  ...onCustomer,
  name: 'AssignCustomer',
  summary: 'Give a customer to a manager or a branch; null takes it away, what is left out stays',
  route: 'POST /v1/customers/{customerId}/assign',
  roles: ['operations'],
  body: z.strictObject({
    manager: StaffSubject.nullable().optional(),
    branch: BranchCode.nullable().optional(),
    reason: z.string().trim().min(1).max(500).optional(),
  }),
  command: ({ body }, { id }): CustomerCommand => ({ do: 'assign', customerId: id, ...body }),
});

/** What a core system says of its customer, checked in form alone: its facts are not ours to refuse. */
export const CustomerReportBody = z.strictObject({
  at: SourceTime,
  reference: CustomerId,
  source: SourceReference,
  kind: PartyKind,
  name: z.string().optional(),
  birthDate: z.string().optional(),
  sex: z.string().optional(),
  documents: z.array(ReportedDocument).optional(),
  contacts: z.array(ReportedContact).optional(),
  branch: BranchCode.optional(),
});
export type CustomerReportBody = z.output<typeof CustomerReportBody>;

/** On whose stream, and what is claimed on the way: no part of what is said, so that a retry may claim otherwise. */
const reportParams = z.strictObject({
  customerId: CustomerId,
  claims: z.array(z.strictObject({ kind: z.enum(['document', 'source']), value: z.string() })),
});
const reports = {
  ...common,
  rejections: withClaims,
  roles: ['integration'],
  params: reportParams,
  target,
  body: CustomerReportBody,
  keepsBody: false,
  claims: ({ params: { claims } }: { readonly params: z.output<typeof reportParams> }) => claims,
} as const;

export const reportCustomer = defineCommand({
  ...reports,
  name: 'ReportCustomer',
  summary: 'Take over what a core system says of its customer',
  assumesNew: true,
  command: ({ body: { at, ...report } }, { id }): CustomerCommand => ({ do: 'report', customerId: id, report: { customerId: id, ...report }, at }),
});

export const linkAndReport = defineCommand({
  ...reports,
  name: 'LinkAndReport',
  summary: 'Take over what a core system says of a customer who is here under another id',
  command: ({ body: { at, ...report } }, { id }): CustomerCommand => ({
    do: 'link-and-report',
    customerId: id,
    report: { customerId: id, ...report },
    at,
  }),
});

export const markPossiblePair = defineCommand({
  name: 'MarkPossiblePair',
  summary: 'Record that two customers may be one',
  roles: ['integration'],
  params,
  target,
  category: 'pair',
  decider: possiblePairs,
  rejections: {},
  body: z.strictObject({ other: CustomerId, because: PossiblePairFound.data.shape.because, at: SourceTime }),
  command: ({ body }, { id }): MarkPair => ({ customerId: id, ...body }),
});

export const abandonRegistration = defineCommand({
  ...common,
  name: 'AbandonRegistration',
  summary: 'Give up a registration that claimed something and never came',
  roles: ['system'],
  params,
  target,
  body: nothing,
  command: (_, { id }): CustomerCommand => ({ do: 'abandon', customerId: id }),
});

export const customerCommands: readonly AnyCommand[] = [
  registerCustomer,
  addContact,
  verifyContact,
  removeContact,
  changePreferences,
  tagCustomer,
  untagCustomer,
  assignCustomer,
  reportCustomer,
  linkAndReport,
  markPossiblePair,
  abandonRegistration,
];
