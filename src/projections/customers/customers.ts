// The customer list: one row a party, folded from the events of its own stream. What counts where a source and staff differ is in
// profile.ts; reads are in queries.ts.
import type { customerEvents } from '../../domain/customer/events.ts';
import { chinaBankCalendar } from '../../domain/kernel/calendars/china-bank.ts';
import { categoryOf, type RecordedOf } from '../../domain/kernel/event.ts';
import { Sealed } from '../../domain/kernel/personal.ts';
import { dateOf, startOf } from '../../domain/kernel/source.ts';
import type { Projection } from '../engine/projection.ts';
import {
  countingOf,
  noProfile,
  profileOf,
  searchedBy,
  withContact,
  withContactVerified,
  withDocument,
  withDocumentRenewed,
  withName,
  withoutContact,
  withoutDocument,
  withRegistration,
  withReport,
} from './profile.ts';
import { type CustomerRow, customersTable, type Profile } from './row.ts';

type CustomerEvent = RecordedOf<typeof customerEvents>;

export const customers: Projection<CustomerRow> = {
  name: 'customers',
  version: 4,
  // `pair-<id>`: what may be the same as a customer stands beside their own stream.
  categories: ['customer', 'pair'],
  table: customersTable,
  creates: new Set(['CustomerRegistered']),
  keys: ({ type, stream }) => (type === 'RegistrationAbandoned' ? [] : [stream.slice(stream.indexOf('-') + 1)]),
  apply: (row, event, key) => {
    const next = fold(row, event as CustomerEvent, key);
    const isOwn = categoryOf(event.stream) === 'customer';
    return next && { ...next, position: event.position, revision: isOwn ? event.revision : next.revision };
  },
};

function fold(row: CustomerRow | undefined, event: CustomerEvent, id: string): CustomerRow | undefined {
  switch (event.type) {
    case 'CustomerRegistered': {
      const { data } = event;
      const before = row ?? blank(id, data.kind, event.occurredAt);
      return withProfile(
        { ...knownSince(before, event.occurredAt), manager: data.manager ?? null },
        withRegistration(profileOf(before.profile), data, event.occurredAt),
      );
    }
    case 'CustomerReported': {
      const { data } = event;
      const before = row ?? blank(id, data.kind, event.occurredAt);
      const known = { ...knownSince(before, event.occurredAt), standing: 'customer', refs: refsWith(before, data.reference) };
      return withProfile(known, withReport(profileOf(before.profile), data, event.occurredAt));
    }
    default:
      // As of a day before their first report there is no row for what was done with them meanwhile.
      return row && change(row, event);
  }
}

function change(row: CustomerRow, event: Exclude<CustomerEvent, { type: 'CustomerRegistered' | 'CustomerReported' }>): CustomerRow {
  switch (event.type) {
    case 'CustomerLinked':
      return { ...row, refs: refsWith(row, event.data.reference) };
    case 'PossiblePairFound':
      return { ...row, pairs: withItem(row.pairs, event.data.other) };
    case 'NameCorrected':
      return withProfile(row, withName(profileOf(row.profile), event.data.name, event.occurredAt));
    case 'DocumentAdded':
      return withProfile(row, withDocument(profileOf(row.profile), event.data));
    case 'DocumentRenewed':
      return { ...row, profile: JSON.stringify(withDocumentRenewed(profileOf(row.profile), event.data)) };
    case 'DocumentWithdrawn':
      return withProfile(row, withoutDocument(profileOf(row.profile), event.data.documentId));
    case 'ContactAdded':
      return withProfile(row, withContact(profileOf(row.profile), event.data));
    case 'ContactVerified':
      return { ...row, profile: JSON.stringify(withContactVerified(profileOf(row.profile), event.data.contactId)) };
    case 'ContactRemoved':
      return withProfile(row, withoutContact(profileOf(row.profile), event.data.contactId));
    case 'PreferencesChanged': {
      const { channel, language } = event.data;
      return { ...row, profile: JSON.stringify({ ...profileOf(row.profile), preferences: { channel, language } } satisfies Profile) };
    }
    case 'CustomerTagged':
      return { ...row, tags: withItem(row.tags, event.data.tag) };
    case 'CustomerUntagged':
      return { ...row, tags: row.tags.filter((tag) => tag !== event.data.tag) };
    case 'CustomerAssigned': {
      const { manager, branch } = event.data;
      const profile = { ...profileOf(row.profile), ownBranch: branch };
      return { ...row, manager, branch: countingOf(profile).branch, profile: JSON.stringify(profile) };
    }
    case 'RegistrationAbandoned':
      return row;
  }
}

/** The row with what follows from its profile. Tokens are made anew, so that what was removed is not found any more. */
function withProfile(row: CustomerRow, profile: Profile): CustomerRow {
  const { name, branch, kind } = countingOf(profile);
  return {
    ...row,
    kind: kind ?? row.kind,
    name: name === null ? null : Sealed.parse(name),
    ...searchedBy(profile),
    branch,
    incomplete: name === null,
    profile: JSON.stringify(profile),
  };
}

function knownSince(row: CustomerRow, occurredAt: string): CustomerRow {
  const start = startOf(occurredAt);
  return start < row.since ? { ...row, since: start, since_on: dateOf(occurredAt, chinaBankCalendar.zone) } : row;
}

function blank(id: string, kind: string, occurredAt: string): CustomerRow {
  return {
    id,
    kind,
    standing: 'prospect',
    name: null,
    names: [],
    documents: [],
    phones: [],
    tags: [],
    manager: null,
    branch: null,
    refs: [],
    pairs: [],
    incomplete: true,
    since: startOf(occurredAt),
    since_on: dateOf(occurredAt, chinaBankCalendar.zone),
    profile: JSON.stringify(noProfile),
    position: 0,
    revision: 0,
  };
}

function refsWith({ id, refs }: CustomerRow, reference: string): readonly string[] {
  if (reference === id) return refs.includes(id) ? refs : [id, ...refs];
  const linked = withItem(
    refs.filter((ref) => ref !== id),
    reference,
  );
  return refs.includes(id) ? [id, ...linked] : linked;
}

/** Sorted, each once. */
function withItem(items: readonly string[], item: string): readonly string[] {
  return items.includes(item) ? items : [...items, item].sort();
}
