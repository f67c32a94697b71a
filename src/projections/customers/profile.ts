// What the customer's row keeps as JSON, and what of it counts: the newest report of a source wins over what staff entered, field by
// field, and what lost stays. Personal values are carried sealed, as lines, so that nothing here is ever plain.

import { authority } from '../../domain/customer/authority.ts';
import type { customerEvents } from '../../domain/customer/events.ts';
import type { FactOf } from '../../domain/kernel/event.ts';
import { Erased, type Personal, Sealed } from '../../domain/kernel/personal.ts';
import { startOf } from '../../domain/kernel/source.ts';
import type { Profile, ProfileDocument, ProfileReport } from './row.ts';

type CustomerData<Type extends string> = Extract<FactOf<typeof customerEvents>, { type: Type }>['data'];

export const noProfile: Profile = { own: null, ownBranch: null, reports: [], documents: [], contacts: [], preferences: null };

export function profileOf(text: string): Profile {
  return JSON.parse(text) as Profile;
}

export function withRegistration(profile: Profile, data: CustomerData<'CustomerRegistered'>, at: string): Profile {
  return {
    ...profile,
    own: { kind: data.kind, name: lineOf(data.name), at },
    ownBranch: data.branch ?? null,
    ...withOwnDocuments(profile, documentsOf(data.documents, 'own')),
    contacts: [
      ...profile.contacts,
      ...(data.contacts ?? []).map(({ contactId, kind, value }) => ({ contactId, kind, value: lineOf(value), verified: false, from: 'own' })),
    ],
  };
}

/** With a source's report, unless a newer one of the same reference is there; of equal ones the later told. */
export function withReport(profile: Profile, data: CustomerData<'CustomerReported'>, at: string): Profile {
  const startsAt = startOf(at);
  if (profile.reports.some((report) => report.reference === data.reference && report.startsAt > startsAt)) return profile;
  const { system } = data.source;
  const report: ProfileReport = {
    reference: data.reference,
    system,
    id: data.source.id,
    at,
    startsAt,
    name: lineOf(data.name),
    birthDate: lineOf(data.birthDate),
    sex: lineOf(data.sex),
    documents: documentsOf(data.documents, system),
    contacts: (data.contacts ?? []).map(({ kind, value }) => ({ contactId: null, kind, value: lineOf(value), verified: false, from: system })),
    branch: data.branch ?? null,
    kind: data.kind,
  };
  const others = profile.reports.filter(({ reference }) => reference !== data.reference);
  const reports = [report, ...others].sort((one, other) => (one.startsAt < other.startsAt ? 1 : one.startsAt > other.startsAt ? -1 : 0));
  return {
    ...profile,
    reports,
    documents: [...reports.flatMap(({ documents }) => documents), ...ownDocuments(profile)],
    contacts: [...reports.flatMap(({ contacts }) => contacts), ...profile.contacts.filter(({ contactId }) => contactId !== null)],
  };
}

/** A later correction replaces an earlier one; what a source says stands beside it. */
export function withName(profile: Profile, name: CustomerData<'NameCorrected'>['name'], at: string): Profile {
  return { ...profile, own: { kind: profile.own?.kind ?? null, name: lineOf(name), at } };
}

export function withDocument(profile: Profile, data: CustomerData<'DocumentAdded'>): Profile {
  return { ...profile, ...withOwnDocuments(profile, documentsOf([data], 'own')) };
}

export function withDocumentRenewed(profile: Profile, { documentId, expiresOn }: CustomerData<'DocumentRenewed'>): Profile {
  return {
    ...profile,
    documents: profile.documents.map((document) => (document.documentId === documentId ? { ...document, expiresOn } : document)),
  };
}

export function withoutDocument(profile: Profile, documentId: string): Profile {
  return { ...profile, documents: profile.documents.filter((document) => document.documentId !== documentId) };
}

/** Ids as the aggregate gives them: from 1, in order, never given again. */
function withOwnDocuments(
  { documents, documentsMade = 0 }: Profile,
  added: readonly ProfileDocument[],
): Pick<Profile, 'documents' | 'documentsMade'> {
  if (added.length === 0) return { documents };
  const own = added.map((document, index) => ({ documentId: `${documentsMade + index + 1}`, ...document }));
  return { documents: [...documents, ...own], documentsMade: documentsMade + added.length };
}

/** Whether a document counts by authority.ts: of each type a core system's, and staff's only where no core system says one of it. */
export function documentCounts({ documents }: Profile, { type, from }: ProfileDocument): boolean {
  const wins = (source: string): boolean => (source === 'own') !== (authority.documents === 'core');
  return wins(from) || !documents.some((other) => other.type === type && wins(other.from));
}

export function withContact(profile: Profile, contact: CustomerData<'ContactAdded'>): Profile {
  const { contactId, kind, value, verified } = contact;
  return { ...profile, contacts: [...profile.contacts, { contactId, kind, value: lineOf(value), verified, from: 'own' }] };
}

export function withContactVerified(profile: Profile, contactId: string): Profile {
  return { ...profile, contacts: profile.contacts.map((contact) => (contact.contactId === contactId ? { ...contact, verified: true } : contact)) };
}

export function withoutContact(profile: Profile, contactId: string): Profile {
  return { ...profile, contacts: profile.contacts.filter((contact) => contact.contactId !== contactId) };
}

/** What counts of each field; sealed lines where personal. */
export interface Counting {
  readonly name: string | null;
  readonly birthDate: string | null;
  readonly sex: string | null;
  readonly branch: string | null;
  /** Null where only staff said it. */
  readonly kind: string | null;
  /** Who says the name: `own`, or the source's name; null where nobody does. */
  readonly nameFrom: string | null;
}

export function countingOf({ own, ownBranch, reports }: Profile): Counting {
  const newest = <Field extends 'name' | 'birthDate' | 'sex' | 'branch' | 'kind'>(field: Field): string | null =>
    reports.find((report) => report[field] !== null)?.[field] ?? null;
  const named = reports.find(({ name }) => name !== null);
  return {
    nameFrom: named?.system ?? (own?.name ? 'own' : null),
    name: newest('name') ?? own?.name ?? null,
    birthDate: newest('birthDate'),
    sex: newest('sex'),
    branch: newest('branch') ?? ownBranch,
    kind: newest('kind'),
  };
}

/** What the row is found by, still sealed. */
export function searchedBy(profile: Profile): { readonly names: Sealed[]; readonly documents: Sealed[]; readonly phones: Sealed[] } {
  return {
    names: parsed([profile.own?.name ?? null, ...profile.reports.map(({ name }) => name)]),
    documents: parsed(profile.documents.map(({ number }) => number)),
    phones: parsed(profile.contacts.filter(({ kind }) => kind === 'phone').map(({ value }) => value)),
  };
}

function ownDocuments({ reports, documents }: Profile): readonly ProfileDocument[] {
  return documents.slice(reports.reduce((sum, report) => sum + report.documents.length, 0));
}

function documentsOf(documents: CustomerData<'CustomerRegistered'>['documents'], from: string): ProfileDocument[] {
  return (documents ?? []).map(({ type, number, country, expiresOn }) => ({
    type,
    number: lineOf(number),
    country: country ?? null,
    expiresOn: expiresOn ?? null,
    from,
  }));
}

function parsed(lines: readonly (string | null)[]): Sealed[] {
  return lines.filter((line) => line !== null).map((line) => Sealed.parse(line));
}

function lineOf(value: Personal | undefined): string | null {
  if (value === undefined || value instanceof Erased) return null;
  if (value instanceof Sealed) return value.toString();
  throw new TypeError('a personal value reached a read model unsealed');
}
