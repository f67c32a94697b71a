// Maintenance of a customer's name and documents as the bank's staff have them. What a core system says of either stands beside it and
// counts first (authority.ts). Documents count from 1 and their number is never given again.
import type { Rejection } from '../kernel/decider.ts';
import type { Personal, Plain } from '../kernel/personal.ts';
import { type ClaimedDocument, documentClaims } from './documents.ts';
import type { CustomerFact } from './events.ts';
import type { DocumentType } from './vocabulary.ts';

export interface KnownDocument {
  readonly type: DocumentType;
  readonly number: Personal;
  readonly country?: string | undefined;
  /** `YYYY-MM-DD` */
  readonly expiresOn?: string | undefined;
}

export interface IdentityState {
  readonly ownName: Personal | null;
  /** Those that staff entered and nobody withdrew, by their id. */
  readonly documents: ReadonlyMap<string, KnownDocument>;
  /** How many of them there ever were. */
  readonly documentsMade: number;
}

export const noIdentity: IdentityState = { ownName: null, documents: new Map(), documentsMade: 0 };

interface Maintaining {
  readonly customerId: string;
  readonly reason: string;
}

export type IdentityCommand = Maintaining &
  (
    | { readonly do: 'correct-name'; readonly name: string; readonly plain: Plain }
    | ({ readonly do: 'add-document'; readonly number: string; readonly plain: Plain; readonly today: string } & Omit<KnownDocument, 'number'>)
    | { readonly do: 'renew-document'; readonly documentId: string; readonly expiresOn: string; readonly today: string }
    | { readonly do: 'withdraw-document'; readonly documentId: string; readonly because: WithdrawalGround }
  );
/** `entered-by-mistake` it never was theirs; `not-valid` it was, and nobody shows it any more. */
export type WithdrawalGround = Extract<CustomerFact, { type: 'DocumentWithdrawn' }>['data']['because'];

export type IdentityRejection = 'DocumentNotFound' | 'DocumentThere' | 'ExpiryNotLater';
type Decision = readonly CustomerFact[] | Rejection<IdentityRejection>;

const documentNotFound = { rejected: 'DocumentNotFound', detail: 'The customer has no such document that staff entered.' } as const;

export function maintainIdentity(command: IdentityCommand, state: IdentityState): Decision {
  const { customerId, reason } = command;
  switch (command.do) {
    case 'correct-name': {
      const { name, plain } = command;
      if (state.ownName !== null && plain(state.ownName) === name) return [];
      return [{ type: 'NameCorrected', data: { customerId, name, reason } }];
    }
    case 'add-document':
      return addDocument(command, state);
    case 'renew-document': {
      const { documentId, expiresOn, today } = command;
      const document = state.documents.get(documentId);
      if (!document) return documentNotFound;
      if (document.expiresOn === expiresOn) return [];
      const before = document.expiresOn ?? today;
      if (expiresOn < before || expiresOn <= today) return notLater(expiresOn < before ? before : today);
      return [{ type: 'DocumentRenewed', data: { customerId, documentId, expiresOn, reason } }];
    }
    case 'withdraw-document': {
      const { documentId, because } = command;
      if (state.documents.has(documentId)) return [{ type: 'DocumentWithdrawn', data: { customerId, documentId, because, reason } }];
      return /^[1-9]\d*$/.test(documentId) && Number(documentId) <= state.documentsMade ? [] : documentNotFound;
    }
  }
}

function addDocument(command: Extract<IdentityCommand, { do: 'add-document' }>, state: IdentityState): Decision {
  const { customerId, reason, type, number, country, expiresOn, plain, today } = command;
  const [wanted] = documentClaims([{ type, number, country }]);
  const isThere = [...state.documents.values()].some((known) => {
    const text = plain(known.number);
    return text !== null && documentClaims([{ ...known, number: text }])[0]?.value === wanted?.value;
  });
  if (isThere) return { rejected: 'DocumentThere', detail: 'The customer has this document: renew it where its expiry changed.', pointer: '/number' };
  if (expiresOn !== undefined && expiresOn < today) return notLater(today);
  const document = { type, number, ...(country === undefined ? {} : { country }), ...(expiresOn === undefined ? {} : { expiresOn }) };
  return [{ type: 'DocumentAdded', data: { customerId, documentId: `${state.documentsMade + 1}`, ...document, reason } }];
}

function notLater(than: string): Rejection<'ExpiryNotLater'> {
  return { rejected: 'ExpiryNotLater', detail: `The document must be valid beyond ${than}: look at its expiry again.`, pointer: '/expiresOn' };
}

/** The state after documents that came with the registration, or one that was added. */
export function withDocuments<State extends IdentityState>(state: State, documents: readonly KnownDocument[]): State {
  const added = documents.map(
    ({ type, number, country, expiresOn }, index) => [`${state.documentsMade + index + 1}`, { type, number, country, expiresOn }] as const,
  );
  return { ...state, documents: new Map([...state.documents, ...added]), documentsMade: state.documentsMade + documents.length };
}

export function withRenewal<State extends IdentityState>(state: State, documentId: string, expiresOn: string): State {
  const document = state.documents.get(documentId);
  return document ? { ...state, documents: new Map([...state.documents, [documentId, { ...document, expiresOn }]]) } : state;
}

export function withoutDocument<State extends IdentityState>(state: State, documentId: string): State {
  return { ...state, documents: new Map([...state.documents].filter(([id]) => id !== documentId)) };
}

/** Documents with their numbers opened; what was erased is left out. */
export function opened(documents: Iterable<KnownDocument>, plain: Plain): readonly ClaimedDocument[] {
  return [...documents].flatMap(({ type, number, country }) => {
    const text = plain(number);
    return text === null ? [] : [{ type, number: text, country }];
  });
}
