// A party's or customer's life: registered by staff or reported by a core system, maintained, tagged, assigned, linked. What a core
// system says of a field wins over what staff entered (authority.ts); a report that is older than what is known changes nothing.
import type { Decider, Rejection } from '../kernel/decider.ts';
import type { Fact } from '../kernel/event.ts';
import type { Personal } from '../kernel/personal.ts';
import { startOf } from '../kernel/source.ts';
import { counting } from './authority.ts';
import type { CustomerFact } from './events.ts';
import {
  type IdentityCommand,
  type IdentityRejection,
  type IdentityState,
  type KnownDocument,
  maintainIdentity,
  noIdentity,
  withDocuments,
  withoutDocument,
  withRenewal,
} from './identity.ts';
import type { ContactKind, PartyKind } from './vocabulary.ts';

/** What the newest report of one reference says, as far as decisions need it. */
export interface KnownReport {
  readonly startsAt: string;
  readonly kind: PartyKind;
  readonly name: Personal | null;
  readonly branch: string | null;
  readonly documents: readonly KnownDocument[];
  readonly birthDate: Personal | null;
}

export interface Preferences {
  readonly channel: ContactKind | null;
  readonly language: string | null;
}

export interface CustomerState extends IdentityState {
  /** `abandoned`: a registration that never came, and can't come any more. */
  readonly existence: 'none' | 'abandoned' | 'present';
  readonly kind: PartyKind | null;
  readonly manager: string | null;
  /** The one that counts: a core system's, or else our own. */
  readonly branch: string | null;
  readonly ownBranch: string | null;
  /** By reference. */
  readonly reports: ReadonlyMap<string, KnownReport>;
  /** The ids that they have in holdings. */
  readonly references: ReadonlySet<string>;
  readonly tags: ReadonlySet<string>;
  readonly contacts: ReadonlyMap<string, { readonly kind: ContactKind; readonly verified: boolean }>;
  /** How many contacts there ever were; their ids count from 1. */
  readonly contactsMade: number;
  readonly preferences: Preferences;
}

type DataOf<Type extends CustomerFact['type']> = Extract<CustomerFact, { type: Type }>['data'];
type Registration = Omit<DataOf<'CustomerRegistered'>, 'contacts'>;
/** What a core system says. */
export type CustomerReport = DataOf<'CustomerReported'>;
interface NewContact {
  readonly kind: ContactKind;
  readonly value: string;
}

export type CustomerCommand = { readonly customerId: string } & (
  | IdentityCommand
  | ({
      readonly do: 'register';
      readonly by: { readonly subject: string; readonly role: string };
      readonly contacts?: readonly NewContact[] | undefined;
    } & Absentable<Registration>)
  /** `at` is the source's time. */
  | { readonly do: 'report'; readonly report: Absentable<CustomerReport>; readonly at: string }
  | { readonly do: 'link-and-report'; readonly report: Absentable<CustomerReport>; readonly at: string }
  | { readonly do: 'abandon' }
  | ({ readonly do: 'add-contact'; readonly verified: boolean } & NewContact)
  | { readonly do: 'verify-contact' | 'remove-contact'; readonly contactId: string }
  | { readonly do: 'change-preferences'; readonly channel?: ContactKind | null | undefined; readonly language?: string | null | undefined }
  | { readonly do: 'tag' | 'untag'; readonly tag: string }
  | {
      readonly do: 'assign';
      readonly manager?: string | null | undefined;
      readonly branch?: string | null | undefined;
      readonly reason?: string | undefined;
    }
);
type Absentable<Data> = { readonly [Name in keyof Data]: Data[Name] | (undefined extends Data[Name] ? undefined : never) };
type CommandTo<Do extends CustomerCommand['do']> = Extract<CustomerCommand, { do: Do }>;

export type CustomerRejection =
  | 'CustomerNotFound'
  | 'ContactNotFound'
  | 'RegistrationAbandoned'
  | 'RegistrationStands'
  | 'ManagerNotYou'
  | 'BranchFromSource'
  | IdentityRejection;
type Decision = readonly CustomerFact[] | Rejection<CustomerRejection>;

const initialState: CustomerState = {
  ...noIdentity,
  existence: 'none',
  kind: null,
  manager: null,
  branch: null,
  ownBranch: null,
  reports: new Map(),
  references: new Set(),
  tags: new Set(),
  contacts: new Map(),
  contactsMade: 0,
  preferences: { channel: null, language: null },
};

export const customer: Decider<CustomerCommand, CustomerState, CustomerFact, CustomerRejection> = { initialState, evolve, decide };

/** Every name that counts or lost: staff's and each reference's newest. */
export function namesOf({ ownName, reports }: CustomerState): readonly Personal[] {
  return [ownName, ...[...reports.values()].map(({ name }) => name)].filter((name) => name !== null);
}

/** What tells their birth date, what counts first: birth dates that were reported, then identity cards (GB 11643). */
export function birthEvidenceOf({ reports, documents }: CustomerState): readonly Personal[] {
  const told = [...reports.values()];
  const dates = told.map(({ birthDate }) => birthDate).filter((date) => date !== null);
  const cards = [...told.flatMap((report) => report.documents), ...documents.values()].filter(({ type }) => type === 'identity-card');
  return [...dates, ...cards.map(({ number }) => number)];
}

function decide(command: CustomerCommand, state: CustomerState): Decision {
  switch (command.do) {
    case 'register':
      return register(command, state);
    case 'report':
      return [reported(command)];
    case 'abandon':
      if (state.existence === 'present') return { rejected: 'RegistrationStands', detail: 'The customer is there.' };
      return [{ type: 'RegistrationAbandoned', data: { customerId: command.customerId } }];
    default:
      return state.existence === 'present' ? change(command, state) : notFound;
  }
}

type Change = Exclude<CustomerCommand, { do: 'register' | 'report' | 'abandon' }>;

function change(command: Change, state: CustomerState): Decision {
  const { customerId } = command;
  switch (command.do) {
    case 'link-and-report':
      return state.references.has(command.report.reference) ? [reported(command)] : [linked(command), reported(command)];
    case 'add-contact': {
      const { kind, value, verified } = command;
      return [{ type: 'ContactAdded', data: { customerId, contactId: `${state.contactsMade + 1}`, kind, value, verified } }];
    }
    case 'verify-contact':
    case 'remove-contact':
      return maintainContact(command, state);
    case 'change-preferences': {
      const { channel = state.preferences.channel, language = state.preferences.language } = command;
      if (channel === state.preferences.channel && language === state.preferences.language) return [];
      return [{ type: 'PreferencesChanged', data: { customerId, channel, language } }];
    }
    case 'tag':
      return state.tags.has(command.tag) ? [] : [{ type: 'CustomerTagged', data: { customerId, tag: command.tag } }];
    case 'untag':
      return state.tags.has(command.tag) ? [{ type: 'CustomerUntagged', data: { customerId, tag: command.tag } }] : [];
    case 'assign':
      return assign(command, state);
    case 'correct-name':
    case 'add-document':
    case 'renew-document':
    case 'withdraw-document':
      return maintainIdentity(command, state);
  }
}

function register(command: CommandTo<'register'>, state: CustomerState): Decision {
  // The stream is named by the command, so a customer that is there already was registered by it.
  if (state.existence === 'present') return [];
  if (state.existence === 'abandoned')
    return {
      rejected: 'RegistrationAbandoned',
      detail: 'This registration took too long and was given up, so that others need not wait: send it again under a new Idempotency-Key.',
    };
  const { do: _, by, contacts, manager, ...data } = command;
  if (by.role === 'rm' && manager !== undefined && manager !== by.subject)
    return {
      rejected: 'ManagerNotYou',
      detail: 'A relationship manager registers own customers: leave `manager` out, or ask operations to assign the customer.',
      pointer: '/manager',
    };
  const registered = withoutAbsent({
    ...data,
    documents: data.documents?.map(withoutAbsent),
    contacts: contacts?.map(({ kind, value }, index) => ({ contactId: `${index + 1}`, kind, value })),
    manager: manager ?? (by.role === 'rm' ? by.subject : undefined),
  });
  return [{ type: 'CustomerRegistered', data: registered }];
}

function maintainContact(command: CommandTo<'verify-contact' | 'remove-contact'>, state: CustomerState): Decision {
  const { customerId, contactId } = command;
  const contact = state.contacts.get(contactId);
  if (command.do === 'remove-contact') {
    if (contact) return [{ type: 'ContactRemoved', data: { customerId, contactId } }];
    return wasMade(contactId, state) ? [] : contactNotFound;
  }
  if (!contact) return contactNotFound;
  return contact.verified ? [] : [{ type: 'ContactVerified', data: { customerId, contactId } }];
}

function wasMade(contactId: string, { contactsMade }: CustomerState): boolean {
  return /^[1-9]\d*$/.test(contactId) && Number(contactId) <= contactsMade;
}

function assign(command: CommandTo<'assign'>, state: CustomerState): Decision {
  const { customerId, reason } = command;
  const { manager = state.manager, branch = state.ownBranch } = command;
  if (branch !== state.ownBranch && branchOf(state.reports) !== null)
    return {
      rejected: 'BranchFromSource',
      detail: 'The branch of this customer is what core banking says: change it there, and leave `branch` out here.',
      pointer: '/branch',
    };
  if (manager === state.manager && branch === state.ownBranch) return [];
  return [{ type: 'CustomerAssigned', data: withoutAbsent({ customerId, manager, branch, reason }) }];
}

const notFound = { rejected: 'CustomerNotFound', detail: 'There is no such customer.' } as const;
const contactNotFound = { rejected: 'ContactNotFound', detail: 'The customer has no such contact.' } as const;

function reported({ report, at }: CommandTo<'report'> | CommandTo<'link-and-report'>): CustomerFact {
  const data = withoutAbsent({ ...report, documents: report.documents?.map(withoutAbsent) });
  return { type: 'CustomerReported', data, occurredAt: at };
}

function linked({ customerId, report, at }: CommandTo<'link-and-report'>): CustomerFact {
  const { reference, source } = report;
  return { type: 'CustomerLinked', data: { customerId, reference, source, because: 'same-document-and-name' }, occurredAt: at };
}

function evolve(state: CustomerState, fact: CustomerFact): CustomerState {
  switch (fact.type) {
    case 'CustomerRegistered': {
      const { kind, name, documents = [], contacts = [], manager = null, branch = null } = fact.data;
      const made = new Map(contacts.map((contact) => [contact.contactId, { kind: contact.kind, verified: false }]));
      const known = { ...state, existence: 'present', kind, ownName: name, manager, contacts: made, contactsMade: contacts.length } as const;
      return withBranch(withDocuments({ ...known, ownBranch: branch }, documents));
    }
    case 'CustomerReported':
      return withReport(state, fact);
    case 'CustomerLinked':
      return { ...state, references: new Set([...state.references, fact.data.reference]) };
    case 'PossiblePairFound':
      // Stands on a stream of its own (pairs.ts).
      return state;
    case 'RegistrationAbandoned':
      return { ...state, existence: 'abandoned' };
    case 'NameCorrected':
      return { ...state, ownName: fact.data.name };
    case 'DocumentAdded':
      return withDocuments(state, [fact.data]);
    case 'DocumentRenewed':
      return withRenewal(state, fact.data.documentId, fact.data.expiresOn);
    case 'DocumentWithdrawn':
      return withoutDocument(state, fact.data.documentId);
    case 'ContactAdded': {
      const { contactId, kind, verified } = fact.data;
      return { ...state, contacts: new Map([...state.contacts, [contactId, { kind, verified }]]), contactsMade: state.contactsMade + 1 };
    }
    case 'ContactVerified': {
      const contact = state.contacts.get(fact.data.contactId);
      return contact ? { ...state, contacts: new Map([...state.contacts, [fact.data.contactId, { ...contact, verified: true }]]) } : state;
    }
    case 'ContactRemoved':
      return { ...state, contacts: new Map([...state.contacts].filter(([id]) => id !== fact.data.contactId)) };
    case 'PreferencesChanged':
      return { ...state, preferences: { channel: fact.data.channel, language: fact.data.language } };
    case 'CustomerTagged':
      return { ...state, tags: new Set([...state.tags, fact.data.tag]) };
    case 'CustomerUntagged':
      return { ...state, tags: new Set([...state.tags].filter((tag) => tag !== fact.data.tag)) };
    case 'CustomerAssigned':
      return withBranch({ ...state, manager: fact.data.manager, ownBranch: fact.data.branch });
  }
}

function withReport(state: CustomerState, { data, occurredAt }: Fact<'CustomerReported', CustomerReport>): CustomerState {
  // Every fact of this type carries its source's time.
  const startsAt = startOf(occurredAt ?? '');
  const known = { ...state, existence: 'present', references: new Set([...state.references, data.reference]) } as const;
  const before = state.reports.get(data.reference);
  if (before && before.startsAt > startsAt) return known;
  const { kind: kindTold, name = null, branch = null, birthDate = null, documents = [] } = data;
  const report: KnownReport = { startsAt, kind: kindTold, name, branch, birthDate, documents };
  // The newest first, of equal ones the later told: as the customer list has it.
  const others = [...state.reports].filter(([reference]) => reference !== data.reference);
  const reports = new Map([[data.reference, report] as const, ...others].sort(([, one], [, other]) => compare(other.startsAt, one.startsAt)));
  const kind = counting('kind', { core: [...reports.values()][0]?.kind ?? null, own: state.kind });
  return withBranch({ ...known, reports, kind });
}

function withBranch(state: CustomerState): CustomerState {
  return { ...state, branch: counting('branch', { core: branchOf(state.reports), own: state.ownBranch }) };
}

/** By the newest report that has one. */
function branchOf(reports: CustomerState['reports']): string | null {
  for (const { branch } of reports.values()) if (branch !== null) return branch;
  return null;
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** Absent members are left out, as JSON would, so that a fact just decided equals the one read back. */
function withoutAbsent<Data extends object>(data: Data): Data {
  return Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined)) as Data;
}
