// By what a party is found who may be the same as another: one row each with keyed tokens of their blocking keys (domain/matching/keys.ts).
// Documents and phones stand in the customer list as whole values; what is scored is read there too (views/likely-same.ts).
import type { customerEvents } from '../../domain/customer/events.ts';
import type { RecordedOf } from '../../domain/kernel/event.ts';
import { Erased, type Personal, Sealed } from '../../domain/kernel/personal.ts';
import { startOf } from '../../domain/kernel/source.ts';
import type { Projection } from '../engine/projection.ts';

type CustomerEvent = RecordedOf<typeof customerEvents>;

export type MatchKeysRow = {
  readonly id: string;
  readonly names: readonly Personal[] | readonly string[];
  readonly births: readonly Personal[] | readonly string[];
  readonly e_mails: readonly Personal[] | readonly string[];
  readonly places: readonly Personal[] | readonly string[];
  /** JSON of `Told`. */
  readonly told: string;
  /** Of the last event that touched the row. */
  readonly position: number;
};

/** Sealed lines. `births` are birth dates and identity cards. */
interface Lines {
  readonly names: readonly string[];
  readonly births: readonly string[];
  readonly eMails: readonly string[];
  readonly places: readonly string[];
}

interface Told {
  readonly own: Lines;
  /** Identity cards that staff entered, by their documents' ids, which count from 1. */
  readonly cards: readonly { readonly documentId: string; readonly line: string }[];
  /** Added one by one, by their ids. */
  readonly contacts: readonly { readonly contactId: string; readonly kind: string; readonly line: string }[];
  /** The newest of each reference. */
  readonly reports: readonly (Lines & { readonly reference: string; readonly startsAt: string })[];
}

const noLines: Lines = { names: [], births: [], eMails: [], places: [] };
const TELLING = new Set([
  'CustomerRegistered',
  'CustomerReported',
  'ContactAdded',
  'ContactRemoved',
  'NameCorrected',
  'DocumentAdded',
  'DocumentWithdrawn',
]);

export const matchKeys: Projection<MatchKeysRow> = {
  name: 'match_keys',
  version: 1,
  categories: ['customer'],
  table: {
    name: 'match_keys',
    key: 'id',
    columns: {
      id: { type: 'text' },
      names: { type: 'tokens', tokens: 'like-names' },
      births: { type: 'tokens', tokens: 'births' },
      e_mails: { type: 'tokens', tokens: 'exact' },
      places: { type: 'tokens', tokens: 'places' },
      told: { type: 'text' },
      position: { type: 'bigint' },
    },
    indexes: ['names', 'births', 'e_mails', 'places'].map((column) => `using gin (${column}) with (fastupdate = off)`),
  },
  creates: new Set(['CustomerRegistered']),
  keys: ({ type, data }) => (TELLING.has(type) ? [(data as { customerId: string }).customerId] : []),
  apply: (row, recorded, id) => {
    const event = recorded as CustomerEvent;
    const before: Told | undefined = row && (JSON.parse(row.told) as Told);
    const told = toldAfter(before, event);
    return told && rowOf(id, told, event.position);
  },
};

/** Sealed lines of every name that staff entered, corrected since or not. */
export function namesEntered(told: string | null): readonly string[] {
  return told === null ? [] : (JSON.parse(told) as Told).own.names;
}

/** Undefined where there is nobody (yet): as of a day before their first report a contact says nothing. */
function toldAfter(before: Told | undefined, event: CustomerEvent): Told | undefined {
  switch (event.type) {
    case 'CustomerRegistered': {
      const { name, documents = [], contacts = [] } = event.data;
      const own = { ...noLines, names: lines([name]) };
      const cards = documents.flatMap((document, index) => cardOf(`${index + 1}`, document));
      const made = contacts.flatMap(({ contactId, kind, value }) => lines([value]).map((line) => ({ contactId, kind, line })));
      return { reports: before?.reports ?? [], own, cards, contacts: [...(before?.contacts ?? []), ...made] };
    }
    case 'CustomerReported': {
      const { reference, name, birthDate, documents = [], contacts = [] } = event.data;
      const startsAt = startOf(event.occurredAt);
      const known = before ?? { own: noLines, cards: [], contacts: [], reports: [] };
      if (known.reports.some((report) => report.reference === reference && report.startsAt > startsAt)) return known;
      const report = {
        reference,
        startsAt,
        names: lines([name]),
        births: lines([birthDate, ...cardsIn(documents)]),
        eMails: lines(contacts.filter(({ kind }) => kind === 'e-mail').map(({ value }) => value)),
        places: lines(contacts.filter(({ kind }) => kind === 'address').map(({ value }) => value)),
      };
      const others = known.reports.filter((other) => other.reference !== reference);
      return { ...known, reports: [...others, report].sort((one, other) => (one.reference < other.reference ? -1 : 1)) };
    }
    case 'ContactAdded': {
      const { contactId, kind, value } = event.data;
      return before && { ...before, contacts: [...before.contacts, ...lines([value]).map((line) => ({ contactId, kind, line }))] };
    }
    case 'ContactRemoved':
      return before && { ...before, contacts: before.contacts.filter(({ contactId }) => contactId !== event.data.contactId) };
    case 'NameCorrected':
      // Others may still know them by the former one.
      return before && { ...before, own: { ...before.own, names: [...before.own.names, ...lines([event.data.name])] } };
    case 'DocumentAdded':
      return before && { ...before, cards: [...before.cards, ...cardOf(event.data.documentId, event.data)] };
    case 'DocumentWithdrawn':
      return before && { ...before, cards: before.cards.filter(({ documentId }) => documentId !== event.data.documentId) };
    default:
      return before;
  }
}

function cardOf(documentId: string, document: { readonly type: string; readonly number: Personal }): Told['cards'] {
  return lines(cardsIn([document])).map((line) => ({ documentId, line }));
}

function rowOf(id: string, told: Told, position: number): MatchKeysRow {
  const all = [told.own, ...told.reports];
  const own = (kind: string): readonly string[] => told.contacts.filter((contact) => contact.kind === kind).map(({ line }) => line);
  return {
    id,
    names: sealed(all.flatMap(({ names }) => names)),
    births: sealed([...all.flatMap(({ births }) => births), ...told.cards.map(({ line }) => line)]),
    e_mails: sealed([...all.flatMap(({ eMails }) => eMails), ...own('e-mail')]),
    places: sealed([...all.flatMap(({ places }) => places), ...own('address')]),
    told: JSON.stringify(told),
    position,
  };
}

function cardsIn(documents: readonly { readonly type: string; readonly number: Personal }[]): readonly Personal[] {
  return documents.filter(({ type }) => type === 'identity-card').map(({ number }) => number);
}

function sealed(all: readonly string[]): readonly Sealed[] {
  return all.map((line) => Sealed.parse(line));
}

function lines(values: readonly (Personal | undefined)[]): readonly string[] {
  return values.flatMap((value) => {
    if (value === undefined || value instanceof Erased) return [];
    if (value instanceof Sealed) return [value.toString()];
    throw new TypeError('a personal value reached a read model unsealed');
  });
}
