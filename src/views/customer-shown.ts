// One customer's own data as shown: what counts, what lost against it, and from where each came.
import { contactMask } from '../domain/customer/masks.ts';
import { countingOf, documentCounts, profileOf } from '../projections/customers/profile.ts';
import type { Profile } from '../projections/customers/row.ts';
import type { Showing, ShownText } from './shown.ts';

export interface ShownDocument {
  readonly type: string;
  readonly number: ShownText;
  readonly country: string | null;
  readonly expiresOn: string | null;
  readonly from: string;
  readonly documentId: string | null;
  readonly counts: boolean;
}
export interface ShownContact {
  readonly contactId: string | null;
  readonly kind: string;
  readonly value: ShownText;
  readonly verified: boolean;
  readonly from: string;
}
/** Two say different things: `shown` counts, `other` lost. */
export interface ShownConflict {
  readonly field: string;
  readonly shown: ShownText;
  readonly other: ShownText;
  readonly from: string;
}

/** The sealed lines that showing a profile needs. */
export function* sealedOfProfile(text: string): Generator<string | null> {
  const { own, reports, documents, contacts } = profileOf(text);
  yield own?.name ?? null;
  for (const { name, birthDate, sex } of reports) {
    yield name;
    yield birthDate;
    yield sex;
  }
  for (const { number } of documents) yield number;
  for (const { value } of contacts) yield value;
}

export function personShown(text: string, showing: Showing) {
  const profile = profileOf(text);
  const { name, nameFrom, birthDate, sex } = countingOf(profile);
  return {
    name: showing.text('name', 'name', name),
    nameFrom,
    birthDate: showing.text('birthDate', 'birth-date', birthDate),
    sex: showing.text('sex', 'hidden', sex),
    documents: profile.documents.map(
      ({ number, documentId = null, ...document }): ShownDocument => ({
        ...{ ...document, documentId },
        number: showing.text('documents', 'document', number),
        counts: documentCounts(profile, { number, ...document }),
      }),
    ),
    contacts: profile.contacts.map(
      ({ contactId, kind, value, verified, from }): ShownContact => ({
        ...{ contactId, kind, verified, from },
        value: showing.text('contacts', contactMask(kind), value),
      }),
    ),
    preferences: profile.preferences,
    sources: profile.reports.map(({ system, id }) => ({ system, id })),
  };
}

/** What lost: values of each field that differ from the one that counts. Personal ones are told apart as shown to this reader. */
export function conflictsShown(text: string, showing: Showing): ShownConflict[] {
  const profile = profileOf(text);
  const counting = countingOf(profile);
  return [
    ...differing('name', showing.text('name', 'name', counting.name), said(profile, 'name', showing)),
    ...differing('birthDate', showing.text('birthDate', 'birth-date', counting.birthDate), said(profile, 'birthDate', showing)),
    ...differing('sex', showing.text('sex', 'hidden', counting.sex), said(profile, 'sex', showing)),
    ...differing('kind', counting.kind ?? profile.own?.kind ?? null, said(profile, 'kind', showing)),
    ...differing('branch', counting.branch, said(profile, 'branch', showing)),
  ];
}

type ComparedField = 'name' | 'birthDate' | 'sex' | 'kind' | 'branch';

function said(profile: Profile, field: ComparedField, showing: Showing): { value: ShownText; from: string }[] {
  const reports = profile.reports.map((report) => ({ value: shownAs(field, report[field], showing), from: report.system }));
  const own = field === 'branch' ? profile.ownBranch : field === 'name' || field === 'kind' ? profile.own?.[field] : undefined;
  return own === undefined || own === null ? reports : [...reports, { value: shownAs(field, own, showing), from: 'own' }];
}

function shownAs(field: ComparedField, value: string | null, showing: Showing): ShownText {
  if (field === 'branch' || field === 'kind') return value;
  return showing.text(field, field === 'name' ? 'name' : field === 'birthDate' ? 'birth-date' : 'hidden', value);
}

function differing(field: string, shown: ShownText, others: readonly { value: ShownText; from: string }[]): ShownConflict[] {
  const wanted = JSON.stringify(shown);
  const seen = new Set([wanted, 'null']);
  return others.flatMap(({ value, from }) => {
    const text = JSON.stringify(value);
    if (seen.has(text)) return [];
    seen.add(text);
    return [{ field, shown, other: value, from }];
  });
}
