// Commands that maintain the name and the documents of a customer who is there. Which of them wait for a second pair of eyes is the
// approval policy's to say (four-eyes.ts); the rules are in domain/customer/identity.ts.
import { z } from 'zod';
import type { CustomerCommand, CustomerState } from '../domain/customer/customer.ts';
import { checkDocument, documentClaims, documentShape } from '../domain/customer/documents.ts';
import { CustomerId, DocumentWithdrawn } from '../domain/customer/events.ts';
import { type KnownDocument, opened } from '../domain/customer/identity.ts';
import { PersonOrFirmName } from '../domain/customer/names.ts';
import { type Personal, type Plain, unopened } from '../domain/kernel/personal.ts';
import { dateOf } from '../domain/kernel/source.ts';
import { type AnyCommand, type Claim, type DiffLine, defineCommand } from './command.ts';
import { maintainers, onCustomer, withClaims } from './customer.ts';

const Reason = z
  .string({ error: (issue) => (issue.input === undefined ? 'missing: say why, such as what was shown at the counter' : undefined) })
  .trim()
  .min(1)
  .max(500);
const documentParams = z.strictObject({ customerId: CustomerId, documentId: z.string().regex(/^[1-9]\d{0,8}$/) });

export const correctName = defineCommand({
  ...onCustomer,
  name: 'CorrectName',
  summary: 'Correct the name that staff entered; a core system’s own still counts where it says one',
  route: 'POST /v1/customers/{customerId}/name',
  roles: maintainers,
  body: z.strictObject({ name: PersonOrFirmName, reason: Reason }),
  opens: ({ ownName }: CustomerState) => (ownName === null ? [] : [ownName]),
  diff: ({ body }, { ownName }, plain) => [{ field: 'name', mask: 'name', before: textOf(ownName, plain), after: body.name }],
  command: ({ body }, { id, plain = unopened }): CustomerCommand => ({ do: 'correct-name', customerId: id, plain, ...body }),
});

export const addDocument = defineCommand({
  ...onCustomer,
  rejections: withClaims,
  name: 'AddDocument',
  summary: 'Add an identity document to a customer',
  route: 'POST /v1/customers/{customerId}/documents',
  roles: maintainers,
  body: z.strictObject({ ...documentShape, reason: Reason }).superRefine(checkDocument),
  claims: ({ body }) => documentClaims([body]).map((claim) => ({ ...claim, pointer: '/number' })),
  opens: numbersOf,
  diff: ({ body: { reason: _, ...document } }) => documentLines({ ...document }, 'after'),
  command: ({ body }, { id, plain = unopened, now, zone }): CustomerCommand => ({
    do: 'add-document',
    customerId: id,
    plain,
    today: dateOf(now, zone),
    ...body,
  }),
});

export const renewDocument = defineCommand({
  ...onCustomer,
  name: 'RenewDocument',
  summary: 'Record that a document, of the same type and number, is valid longer',
  route: 'POST /v1/customers/{customerId}/documents/{documentId}/renew',
  roles: maintainers,
  params: documentParams,
  body: z.strictObject({ expiresOn: z.iso.date(), reason: Reason }),
  diff: ({ params, body }, { documents }) => {
    const before = documents.get(params.documentId)?.expiresOn;
    return [
      { field: 'documentId', mask: 'none', before: params.documentId, after: params.documentId },
      { field: 'expiresOn', mask: 'none', before, after: body.expiresOn },
    ];
  },
  command: ({ params: { documentId }, body }, { id, now, zone }): CustomerCommand => ({
    do: 'renew-document',
    customerId: id,
    documentId,
    today: dateOf(now, zone),
    ...body,
  }),
});

export const withdrawDocument = defineCommand({
  ...onCustomer,
  name: 'WithdrawDocument',
  summary: 'Take back a document that staff entered: by mistake, so that another may have it, or because it is not valid any more',
  route: 'POST /v1/customers/{customerId}/documents/{documentId}/withdraw',
  roles: maintainers,
  params: documentParams,
  body: z.strictObject({ because: DocumentWithdrawn.data.shape.because, reason: Reason }),
  opens: numbersOf,
  frees: ({ params, body }, state, plain) => (body.because === 'entered-by-mistake' ? freedBy(state, params.documentId, plain) : []),
  diff: ({ params: { documentId }, body }, { documents }, plain) => {
    const document = documents.get(documentId);
    const because: DiffLine = { field: 'because', mask: 'none', after: body.because };
    if (!document) return [because];
    return [...documentLines({ ...document, number: textOf(document.number, plain) }, 'before'), because];
  },
  command: ({ params: { documentId }, body }, { id }): CustomerCommand => ({ do: 'withdraw-document', customerId: id, documentId, ...body }),
});

export const customerIdentityCommands: readonly AnyCommand[] = [correctName, addDocument, renewDocument, withdrawDocument];

/** What a customer's document claims, unless another of their documents, or a core system's word, claims the same. */
export function freedBy(state: CustomerState, documentId: string, plain: Plain): readonly Claim[] {
  const document = state.documents.get(documentId);
  if (!document) return [];
  const others = [...state.documents].flatMap(([id, other]) => (id === documentId ? [] : [other]));
  const kept = new Set(documentClaims(opened([...others, ...reportedIn(state)], plain)).map(({ value }) => value));
  return documentClaims(opened([document], plain)).filter(({ value }) => !kept.has(value));
}

/** The numbers of every document that staff or a core system says a customer has. */
export function numbersOf(state: CustomerState): readonly Personal[] {
  return [...state.documents.values(), ...reportedIn(state)].map(({ number }) => number);
}

/** What all of them claim. */
export function claimedBy(state: CustomerState, plain: Plain): readonly Claim[] {
  return documentClaims(opened([...state.documents.values(), ...reportedIn(state)], plain));
}

function reportedIn({ reports }: CustomerState): readonly KnownDocument[] {
  return [...reports.values()].flatMap(({ documents }) => documents);
}

type DocumentText = Omit<KnownDocument, 'number'> & { readonly number?: string | undefined };

function documentLines({ type, number, country, expiresOn }: DocumentText, side: 'before' | 'after'): DiffLine[] {
  const lines: DiffLine[] = [
    { field: 'type', mask: 'none', [side]: type },
    { field: 'number', mask: 'document', [side]: number },
    { field: 'country', mask: 'none', [side]: country },
    { field: 'expiresOn', mask: 'none', [side]: expiresOn },
  ];
  return lines.filter((line) => line[side] !== undefined);
}

function textOf(value: Personal | null, plain: Plain): string | undefined {
  return value === null ? undefined : (plain(value) ?? undefined);
}
