// A customer's history: each change of them, of what they hold, of tickets and enrolments, with who did it, when, why and by which way,
// and what was before and after. Before and after come from the read models' own folds, so that they are what was shown.

import type { enrolmentEvents } from '../domain/campaign/events.ts';
import type { ClassificationFact, classificationEvents } from '../domain/classification/events.ts';
import { type Standing, standingAfter } from '../domain/classification/standing.ts';
import type { consentEvents } from '../domain/consent/events.ts';
import { scopeInWords } from '../domain/consent/vocabulary.ts';
import type { customerEvents } from '../domain/customer/events.ts';
import { contactMask } from '../domain/customer/masks.ts';
import type { holdingEvents } from '../domain/holding/events.ts';
import { categoryOf, type RecordedEvent, type RecordedOf } from '../domain/kernel/event.ts';
import { Sealed } from '../domain/kernel/personal.ts';
import { startOf } from '../domain/kernel/source.ts';
import type { ticketEvents } from '../domain/ticket/events.ts';
import { customers } from '../projections/customers/customers.ts';
import { countingOf, profileOf } from '../projections/customers/profile.ts';
import type { CustomerRow } from '../projections/customers/row.ts';
import { holdings } from '../projections/holdings/holdings.ts';
import type { HoldingRow } from '../projections/holdings/row.ts';
import { type ApprovalEvent, approvalFields, wordsOfApproval } from './approval-changes.ts';
import { type Field, type Fields, noFields as none } from './change-fields.ts';
import { GroupTeller } from './group-history.ts';
import { RelationTeller, relationCategories } from './relation-history.ts';
import type { Showing } from './shown.ts';

/** One change with its values still sealed. */
export interface Change {
  readonly event: RecordedEvent;
  readonly about: { readonly kind: string; readonly id: string };
  readonly what: string;
  readonly reason: string | null;
  /** The other customer of a possible pair. */
  readonly pairWith: string | null;
  readonly before: Fields;
  readonly after: Fields;
}

type KnownEvent =
  | RecordedOf<typeof customerEvents>
  | RecordedOf<typeof holdingEvents>
  | RecordedOf<typeof enrolmentEvents>
  | RecordedOf<typeof consentEvents>
  | RecordedOf<typeof classificationEvents>
  | RecordedOf<typeof ticketEvents>
  | ApprovalEvent;

/** @param events of all that may be theirs, in the journal's order; the newest change comes first */
export function changesOf(events: readonly RecordedEvent[], customerId: string, refs: readonly string[]): Change[] {
  const customerRows = new Map<string, CustomerRow>();
  const holdingRows = new Map<string, HoldingRow>();
  const relationTeller = new RelationTeller(customerId);
  const groupTeller = new GroupTeller(customerId);
  const standings = new Map<string, Standing>();
  const changes: (Change & { readonly holding?: HoldingRow })[] = [];
  for (const event of events) {
    const category = categoryOf(event.stream);
    const id = event.stream.slice(category.length + 1);
    const known = event as KnownEvent;
    const pairWith = known.type === 'PossiblePairFound' ? known.data.other : null;
    const change = {
      event,
      about: { kind: category === 'pair' ? 'customer' : category, id },
      what: wordsOf(known),
      reason: reasonOf(known),
      pairWith,
    };
    if (customers.categories.includes(category)) {
      if (id !== customerId) continue;
      const before = customerRows.get(id);
      const after = customers.apply(before, event, id);
      if (after) customerRows.set(id, after);
      const withOwn = isOfIdentity(known.type);
      changes.push({ ...change, before: customerFields(before, withOwn), after: customerFields(after, withOwn) });
    } else if (holdings.categories.includes(category)) {
      const before = holdingRows.get(id);
      const after = holdings.apply(before, event, id) as HoldingRow;
      holdingRows.set(id, after);
      const wasTheirs = category !== 'ownership' || isOf(before, refs);
      // What another is, or was, to the account by the same ownership is not theirs to see.
      if (category === 'ownership' && isOf(before, refs) && !isOf(after, refs)) {
        const ended = { before: holdingFields(before), after: holdingFields({ ...before, status: 'ended' }) };
        changes.push({ ...change, what: `No longer ${before.role} of an account`, ...ended, holding: before });
      } else changes.push({ ...change, before: wasTheirs ? holdingFields(before) : none, after: holdingFields(after), holding: after });
    } else if (category === 'ticket') {
      if (event.type === 'TicketOpened' || event.type === 'TicketImported' || event.type === 'TicketClosed')
        changes.push({ ...change, before: none, after: none });
    } else if (relationCategories.includes(category)) {
      const told = relationTeller.tell(event);
      if (told) changes.push({ ...change, ...told });
    } else if (category === 'group') {
      const told = groupTeller.tell(event);
      if (told) changes.push({ ...change, ...told });
    } else if (category === 'approval') {
      changes.push({ ...change, ...approvalFields(event as ApprovalEvent) });
    } else if (category === 'classification') {
      const { dimension } = (event as RecordedOf<typeof classificationEvents>).data;
      const before = standings.get(dimension);
      const after = standingAfter(before, event as ClassificationFact);
      if (after) standings.set(dimension, after);
      const about = { kind: 'customer', id };
      changes.push({ ...change, about, before: classFields(dimension, before), after: classFields(dimension, after) });
    } else if (category === 'enrolment') {
      changes.push({ ...change, before: none, after: enrolmentFields(event as RecordedOf<typeof enrolmentEvents>) });
    } else if (category === 'consent') {
      changes.push({ ...change, before: none, after: none });
    }
  }
  const isTheirs = theirsBy([...holdingRows.values()], refs);
  return changes
    .filter(({ holding, event }) => holding === undefined || isTheirs(holdingRows.get(holding.id) ?? holding, holding, event))
    .map(({ holding: _, ...change }) => change)
    .reverse();
}

function isOf(row: HoldingRow | undefined, refs: readonly string[]): row is HoldingRow {
  return row !== undefined && row.customer_ref !== null && refs.includes(row.customer_ref);
}

/** Of ownerships and cards those that name them at the event; of the rest what was on their accounts while it was theirs. */
function theirsBy(rows: readonly HoldingRow[], refs: readonly string[]) {
  const until = new Map<string, string>();
  for (const { kind, parties, accounts, customer_ref, status, reported_at } of rows) {
    if (kind !== 'ownership' || !parties.some((party) => refs.includes(party))) continue;
    const goesOn = status === 'current' && customer_ref !== null && refs.includes(customer_ref);
    for (const account of accounts) {
      const end = goesOn ? '9999' : reported_at;
      if (end > (until.get(account) ?? '')) until.set(account, end);
    }
  }
  return (_now: HoldingRow, { kind, customer_ref, account_id }: HoldingRow, { occurredAt, data }: RecordedEvent): boolean => {
    const named = (data as { customer?: string }).customer ?? null;
    if (kind === 'ownership') return [named, customer_ref].some((ref) => ref !== null && refs.includes(ref));
    if (kind === 'card' && customer_ref !== null && refs.includes(customer_ref)) return true;
    const end = until.get(account_id);
    return end !== undefined && startOf(occurredAt) <= end;
  };
}

/** The sealed lines of some changes. */
export function* sealedInChanges(changes: readonly Change[]): Generator<string | null> {
  for (const { before, after, reason } of changes) {
    yield reason;
    for (const fields of [before, after])
      for (const field of fields.values()) for (const one of Array.isArray(field) ? field : [field]) if ('line' in one) yield one.line;
  }
}

/** What differs between before and after, as a reader sees it. Values are compared as they are, so that a mask hides no change. */
export function differences({ before, after }: Change, plain: Showing, showing: Showing): { field: string; before: unknown; after: unknown }[] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((field) => {
    const [old, now] = [before.get(field), after.get(field)];
    if (JSON.stringify(shownValue(field, old, plain)) === JSON.stringify(shownValue(field, now, plain))) return [];
    return [{ field, before: shownValue(field, old, showing), after: shownValue(field, now, showing) }];
  });
}

function shownValue(name: string, field: readonly Field[] | Field | undefined, showing: Showing): unknown {
  if (field === undefined) return null;
  if (Array.isArray(field)) return field.map((one) => shownValue(name, one as Field, showing));
  const one = field as Field;
  return 'line' in one ? showing.text(name, one.mask, one.line) : (one.plain ?? null);
}

/** What staff maintain of name and documents: told as they entered it too, since a core system's word may count instead. */
function isOfIdentity(type: string): boolean {
  return type === 'NameCorrected' || type === 'DocumentAdded' || type === 'DocumentRenewed' || type === 'DocumentWithdrawn';
}

function customerFields(row: CustomerRow | undefined, withOwn: boolean): Fields {
  if (!row) return none;
  const profile = profileOf(row.profile);
  const entered: [string, readonly Field[] | Field][] = [
    ['nameEntered', { line: profile.own?.name ?? null, mask: 'name' }],
    ['documentsExpire', { plain: profile.documents.filter(({ from }) => from === 'own').map(({ expiresOn }) => expiresOn) }],
  ];
  const { name, birthDate, sex } = countingOf(profile);
  return new Map<string, readonly Field[] | Field>([
    ['name', { line: name, mask: 'name' }],
    ['birthDate', { line: birthDate, mask: 'birth-date' }],
    ['sex', { line: sex, mask: 'hidden' }],
    ['documents', profile.documents.map(({ number }): Field => ({ line: number, mask: 'document' }))],
    ['contacts', profile.contacts.map(({ kind, value }): Field => ({ line: value, mask: contactMask(kind) }))],
    ['contactsVerified', { plain: profile.contacts.filter(({ verified }) => verified).length }],
    ['preferences', { plain: profile.preferences }],
    ['kind', { plain: row.kind }],
    ['standing', { plain: row.standing }],
    ['tags', { plain: row.tags }],
    ['manager', { plain: row.manager }],
    ['branch', { plain: row.branch }],
    ...(withOwn ? entered : []),
  ]);
}

const plainHoldingFields = {
  role: 'role',
  status: 'status',
  product: 'product',
  branch: 'branch',
  currency: 'currency',
  amount: 'amount',
  payment: 'payment',
  months: 'months',
  outstanding: 'outstanding',
  category: 'category',
  until: 'until',
  account: 'account_id',
} as const satisfies Record<string, keyof HoldingRow>;

function holdingFields(row: HoldingRow | undefined): Fields {
  if (!row) return none;
  return new Map<string, Field>([
    ...Object.entries(plainHoldingFields).map(([field, column]): [string, Field] => [field, { plain: row[column] }]),
    ['number', { line: lineOf(row.number), mask: 'number' }],
    ['counterparty', { line: lineOf(row.counterparty_name), mask: 'hidden' }],
  ]);
}

function enrolmentFields({ type, data }: RecordedOf<typeof enrolmentEvents>): Fields {
  return new Map<string, Field>([
    ['campaign', { plain: data.campaignId }],
    ...(type === 'ResponseRecorded' ? [['response', { plain: data.response }] as [string, Field]] : []),
  ]);
}

function classFields(dimension: string, standing: Standing | undefined): Fields {
  if (!standing || standing.ended !== null) return none;
  return new Map<string, Field>([
    [dimension, { plain: standing.value }],
    [`${dimension}.validUntil`, { plain: standing.validUntil }],
    [`${dimension}.reviewDueOn`, { plain: standing.reviewDueOn }],
  ]);
}

function lineOf(value: unknown): string | null {
  return value instanceof Sealed ? value.toString() : null;
}

function reasonOf(event: KnownEvent): string | null {
  switch (event.type) {
    case 'CustomerAssigned':
    case 'NameCorrected':
    case 'DocumentAdded':
    case 'DocumentRenewed':
    case 'DocumentWithdrawn':
    case 'ApprovalRequested':
    case 'ApprovalRejected':
    case 'ConsentRefused':
    case 'ConsentWithdrawn':
    case 'CustomerClassified':
    case 'ClassificationWithdrawn':
      return lineOf(event.data.reason);
    default:
      return null;
  }
}

/** An event in words, with nothing personal in it. */
function wordsOf(event: KnownEvent): string {
  switch (event.type) {
    case 'CustomerRegistered':
      return `Registered as ${event.data.kind === 'organisation' ? 'an organisation' : 'a person'}`;
    case 'CustomerReported':
      return `Reported by ${event.data.source.system} as its customer ${event.data.source.id}`;
    case 'CustomerLinked':
      return `Found to be the same as ${event.data.source.id} of ${event.data.source.system}, by document and name`;
    case 'PossiblePairFound':
      return `Found to have the document of another customer under ${event.data.because === 'same-document-and-name' ? 'the same' : 'another'} name`;
    case 'RegistrationAbandoned':
      return 'A registration that was never finished';
    case 'NameCorrected':
      return 'Name corrected by staff';
    case 'DocumentAdded':
      return `A document added: ${event.data.type}`;
    case 'DocumentRenewed':
      return `A document renewed until ${event.data.expiresOn}`;
    case 'DocumentWithdrawn':
      return event.data.because === 'entered-by-mistake' ? 'A document withdrawn: entered by mistake' : 'A document withdrawn: not valid any more';
    case 'ContactAdded':
      return `A contact added: ${event.data.kind}`;
    case 'ContactVerified':
      return 'A contact verified';
    case 'ContactRemoved':
      return 'A contact removed';
    case 'PreferencesChanged':
      return 'How they want to be reached changed';
    case 'CustomerTagged':
      return `Tagged ${event.data.tag}`;
    case 'CustomerUntagged':
      return `No longer tagged ${event.data.tag}`;
    case 'CustomerAssigned':
      return event.data.manager === null ? 'Assigned to nobody' : `Assigned to ${event.data.manager}`;
    case 'AccountReported':
      return `Account reported ${event.data.status}`;
    case 'OwnershipReported':
      return event.data.ended ? `No longer ${event.data.role} of an account` : `Reported as ${event.data.role} of an account`;
    case 'LoanReported':
      return `Loan reported${event.data.status === undefined ? '' : ` ${event.data.status}`}`;
    case 'CardReported':
      return `Card reported ${event.data.status}`;
    case 'StandingOrderReported':
      return `Standing order reported ${event.data.status}`;
    case 'TicketOpened':
      return `Ticket opened: ${event.data.type}, ${event.data.priority}, by ${event.data.channel}`;
    case 'TicketImported':
      return `Ticket taken over from ${event.data.source.system}`;
    case 'TicketClosed':
      return 'Ticket closed';
    case 'CustomerClassified':
      return `Classed ${event.data.value} by ${event.data.dimension}${event.data.explanation === undefined ? '' : `: ${event.data.explanation}`}`;
    case 'ClassificationWithdrawn':
      return `No longer classed by ${event.data.dimension}`;
    case 'ClassificationExpired':
      return `The time of ${event.data.dimension} is over: it held until ${event.data.validUntil}`;
    case 'ClassificationFellDue':
      return `${event.data.why === 'review' ? 'A review' : 'The first rating'} of ${event.data.dimension} fell due on ${event.data.dueOn}`;
    case 'CampaignEnrolled':
      return 'Enrolled in a campaign';
    case 'ResponseRecorded':
      return `Answered a campaign: ${event.data.response}`;
    case 'ApprovalRequested':
    case 'ApprovalGranted':
    case 'ApprovalRejected':
    case 'ApprovalWithdrawn':
    case 'ApprovalExpired':
    case 'ApprovalCarriedOut':
    case 'ApprovalFailed':
      return wordsOfApproval(event);
    case 'ConsentGiven':
      return event.data.basis === 'consent' ? `Consented to ${consentScope(event)}` : `Use for ${consentScope(event)} by ${event.data.basis}`;
    case 'ConsentRefused':
      return `Refused ${consentScope(event)}`;
    case 'ConsentWithdrawn':
      return `Withdrew the consent to ${consentScope(event)}`;
    default:
      return event.type;
  }
}

function consentScope({ data: { purpose, channel, contactId } }: RecordedOf<typeof consentEvents>): string {
  return scopeInWords({ purpose, channel: channel ?? null, contactId: contactId ?? null });
}
