// Commands on a customer's consents. The rules are in domain/consent/; giving and refusing share the route of api/consent-routes.ts, which
// answers with what was recorded.
import { z } from 'zod';
import { birthDateIn } from '../domain/consent/age.ts';
import { consentLedger, type LedgerCommand } from '../domain/consent/ledger.ts';
import { ConsentChannel, ConsentPurpose, GuardianRelation, LegalBasis } from '../domain/consent/vocabulary.ts';
import { birthEvidenceOf, type CustomerState } from '../domain/customer/customer.ts';
import { CustomerId } from '../domain/customer/events.ts';
import { CalendarDate } from '../domain/kernel/calendar-date.ts';
import { dateOf } from '../domain/kernel/source.ts';
import { type AnyCommand, type CommandContext, defineCommand, type Reference } from './command.ts';
import { pathCustomer } from './customer-reference.ts';

const FreeText = (max: number) => z.string().trim().min(1).max(max);
const params = z.strictObject({ customerId: CustomerId });
const onLedger = {
  category: 'consent',
  decider: consentLedger,
  target: ({ customerId }: z.output<typeof params>): string => customerId,
  // Whoever is in front of the bank says what they agree to, and takes it back as easily (个人信息保护法 art. 15).
  roles: ['rm', 'teller', 'agent', 'operations'],
  rejections: {
    CustomerNotFound: 404,
    ConsentNotFound: 404,
    ContactUnknown: 422,
    GuardianNeeded: 422,
    SeparateConsentNeeded: 422,
    ConsentAlone: 422,
    ConsentInThePast: 422,
    NotByConsent: 409,
  },
} as const;

const said = {
  purpose: ConsentPurpose,
  channel: ConsentChannel.optional(),
  contactId: z
    .string()
    .regex(/^[1-9]\d{0,8}$/, 'the id of one of the customer’s contacts, such as 1')
    .optional(),
  textVersion: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'the version of the text they were shown: letters, digits and ._-, at most 64'),
  evidence: FreeText(500).optional(),
} as const;

export const Giving = z.strictObject({
  ...said,
  basis: LegalBasis.default('consent'),
  separate: z.boolean().default(false),
  guardian: z.strictObject({ name: FreeText(100), relation: GuardianRelation }).optional(),
  expiresOn: CalendarDate.optional(),
});
export const Refusing = z.strictObject({ ...said, reason: FreeText(500).optional() });

export const giveConsent = defineCommand({
  ...onLedger,
  name: 'GiveConsent',
  summary: 'Record that a customer consents to a use of their data',
  params,
  body: Giving,
  refersTo: ({ params: { customerId } }) => [askedCustomer(customerId)],
  command: ({ params: { customerId }, body }, context): LedgerCommand => ({
    do: 'give',
    customerId,
    ...body,
    hasContact: hasContact(context, body.contactId),
    birthDate: asked(context).birthDate,
    today: dateOf(context.now, context.zone),
  }),
});

export const refuseConsent = defineCommand({
  ...onLedger,
  name: 'RefuseConsent',
  summary: 'Record that a customer was asked and refused',
  params,
  body: Refusing,
  refersTo: ({ params: { customerId } }) => [askedCustomer(customerId)],
  command: ({ params: { customerId }, body }, context): LedgerCommand => ({
    do: 'refuse',
    customerId,
    ...body,
    hasContact: hasContact(context, body.contactId),
  }),
});

export const withdrawConsent = defineCommand({
  ...onLedger,
  name: 'WithdrawConsent',
  summary: 'Withdraw a consent: it counts at once, and undoes nothing that was done before',
  route: 'POST /v1/customers/{customerId}/consents/{consentId}/withdraw',
  params: z.strictObject({ customerId: CustomerId, consentId: z.string().regex(/^[1-9]\d{0,8}$/) }),
  body: z.strictObject({ reason: FreeText(500).optional() }),
  refersTo: ({ params: { customerId } }) => [pathCustomer(customerId)],
  command: ({ params: { customerId, consentId }, body }): LedgerCommand => ({ do: 'withdraw', customerId, consentId, ...body }),
});

export const consentCommands: readonly AnyCommand[] = [giveConsent, refuseConsent, withdrawConsent];

/** What a customer consented to; there for everyone, as nothing of it is shown. */
export function consentReference(customerId: string): Reference {
  return {
    category: 'consent',
    id: customerId,
    decider: consentLedger,
    isThere: () => true,
    otherwise: { rejected: 'CustomerNotFound', detail: 'There is no such customer.' },
  };
}

interface AskedCustomer {
  readonly contacts: CustomerState['contacts'];
  readonly birthDate: string | undefined;
}

/** With their birth date opened, as far as anything tells it. */
function askedCustomer(customerId: string): Reference {
  return {
    ...pathCustomer(customerId),
    opened: async (state, open): Promise<AskedCustomer> => {
      const known = state as CustomerState;
      const told = await Promise.all(birthEvidenceOf(known).map(open));
      const birthDate = told.map((text) => (text === undefined ? undefined : birthDateIn(text))).find((date) => date !== undefined);
      return { contacts: known.contacts, birthDate };
    },
  };
}

function asked({ referred: [customer] }: CommandContext): AskedCustomer {
  return customer as AskedCustomer;
}

function hasContact(context: CommandContext, contactId: string | undefined): boolean {
  return contactId === undefined || asked(context).contacts.has(contactId);
}
