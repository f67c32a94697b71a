// A customer's consents as of any moment of both times, folded from their own stream by the ledger's own rule: what stands in each scope,
// whether they may be asked, and every word with who took it. The stream is read itself, so that a withdrawal shows at once.
import { ageKnown, birthDateIn } from '../domain/consent/age.ts';
import { askingOf } from '../domain/consent/asking.ts';
import type { ConsentFact, consentEvents } from '../domain/consent/events.ts';
import { consentLedger, type LedgerState } from '../domain/consent/ledger.ts';
import { isOver, marketingPolicy, marketingRefusal } from '../domain/consent/marketing.ts';
import { ConsentPurpose, type ConsentScope, scopeKey } from '../domain/consent/vocabulary.ts';
import { birthEvidenceOf, customer } from '../domain/customer/customer.ts';
import type { CustomerFact } from '../domain/customer/events.ts';
import { asOf, knownAtMs } from '../domain/kernel/as-of.ts';
import type { RecordedEvent, RecordedOf } from '../domain/kernel/event.ts';
import { type Personal, Sealed } from '../domain/kernel/personal.ts';
import { dateOf, startOf } from '../domain/kernel/source.ts';
import { eventsOf, type PastParts, type TwoTimes } from './past.ts';
import type { OpenedValues, Showing } from './shown.ts';

type ConsentEvent = RecordedOf<typeof consentEvents>;
export type LedgerParts = Pick<PastParts, 'journal' | 'codec' | 'zone' | 'now'>;

export interface ConsentsPast {
  /** How far the bank's knowledge goes. */
  readonly position: number;
  /** In the order in which they were so. */
  readonly events: readonly ConsentEvent[];
  /** What tells the customer's age, sealed. */
  readonly birthEvidence: readonly Personal[];
  /** `YYYY-MM-DD`: the day asked about, on the bank's clock. */
  readonly today: string;
}

/** @throws UnknownPast, RangeError where a time is none */
export async function consentsPast(parts: LedgerParts, customerId: string, times: TwoTimes): Promise<ConsentsPast> {
  const { journal, zone, now } = parts;
  const head = (await journal.head()).position;
  const position = times.knownAt === undefined ? head : Math.min(head, await journal.positionAt(knownAtMs(times.knownAt, zone)));
  const counts = times.asOf === undefined ? () => true : asOf(times.asOf, zone);
  const recorded = await eventsOf(parts, [`consent-${customerId}`, `customer-${customerId}`], position);
  const events = recorded.filter(({ occurredAt }) => counts(occurredAt)).toSorted(byTime);
  const own = events.filter(({ stream }) => stream.startsWith('customer-')) as readonly RecordedEvent[] as readonly CustomerFact[];
  return {
    position,
    events: events.filter(({ stream }) => stream.startsWith('consent-')) as readonly RecordedEvent[] as readonly ConsentEvent[],
    birthEvidence: birthEvidenceOf(own.reduce(customer.evolve, customer.initialState)),
    today: dayOf(times.asOf, new Date(now()).toISOString(), zone),
  };
}

/** The sealed lines that showing them needs. */
export function* sealedInConsents({ events, birthEvidence }: ConsentsPast): Generator<string | null> {
  for (const value of birthEvidence) yield lineOf(value);
  for (const { data } of events) {
    yield lineOf('evidence' in data ? data.evidence : undefined);
    yield lineOf('reason' in data ? data.reason : undefined);
    yield lineOf('guardian' in data ? data.guardian?.name : undefined);
  }
}

export function consentsShown({ events, birthEvidence, today }: ConsentsPast, opened: OpenedValues, showing: Showing) {
  const state: LedgerState = (events as readonly ConsentFact[]).reduce(consentLedger.evolve, consentLedger.initialState);
  const lastOn = new Map(events.map((event) => [scopeKey(scopeOf(event)), event]));
  const scopes = [...state.standing.values()];
  const unasked = ConsentPurpose.options.filter((purpose) => !state.standing.has(scopeKey({ purpose, channel: null, contactId: null })));
  const refusal = marketingRefusal(state, today);
  const birthDate = birthEvidence
    .map((value) => opened.text(lineOf(value)))
    .flatMap((text) => (typeof text === 'string' ? (birthDateIn(text) ?? []) : []))[0];
  return {
    items: [
      ...scopes.map((word) => {
        const event = lastOn.get(scopeKey(word)) as ConsentEvent;
        const { purpose, channel, contactId, consentId, basis, expiresOn } = word;
        return {
          ...{ purpose, channel, contactId, consentId, basis, expiresOn },
          status: word.status === 'given' && isOver(word, today) ? ('expired' as const) : word.status,
          since: event.occurredAt,
          ...askingOf(state, word, today),
        };
      }),
      ...unasked.map((purpose) => {
        const scope = { purpose, channel: null, contactId: null };
        const nothing = { consentId: null, basis: null, expiresOn: null, since: null };
        return { ...scope, ...nothing, status: 'never-asked' as const, ...askingOf(state, scope, today) };
      }),
    ],
    marketing: { allowed: refusal === undefined, why: refusal ?? null, policy: { id: marketingPolicy.id, version: marketingPolicy.version } },
    age: ageKnown(birthDate, today),
    history: events.toReversed().map((event) => wordShown(event, showing)),
  };
}

const words = { ConsentGiven: 'given', ConsentRefused: 'refused', ConsentWithdrawn: 'withdrawn' } as const;

function wordShown(event: ConsentEvent, showing: Showing) {
  const { subject, role, onBehalfOf } = event.actor;
  const given = event.type === 'ConsentGiven' ? event.data : undefined;
  return {
    ...scopeOf(event),
    consentId: event.data.consentId,
    word: words[event.type],
    when: event.occurredAt,
    recordedAt: event.recordedAt,
    by: { subject, role, ...(onBehalfOf === undefined ? {} : { onBehalfOf }) },
    way: event.channel,
    textVersion: event.type === 'ConsentWithdrawn' ? null : event.data.textVersion,
    evidence: showing.text('evidence', 'hidden', lineOf('evidence' in event.data ? event.data.evidence : undefined)),
    reason: showing.text('reason', 'hidden', lineOf('reason' in event.data ? event.data.reason : undefined)),
    basis: given?.basis ?? null,
    separate: given?.separate ?? null,
    age: given?.age ?? null,
    guardian:
      given?.guardian === undefined
        ? null
        : { name: showing.text('guardian', 'name', lineOf(given.guardian.name)), relation: given.guardian.relation },
    expiresOn: given?.expiresOn ?? null,
  };
}

function scopeOf({ data: { purpose, channel, contactId } }: ConsentEvent): ConsentScope {
  return { purpose, channel: channel ?? null, contactId: contactId ?? null };
}

function byTime(one: RecordedEvent, other: RecordedEvent): number {
  const [first, second] = [startOf(one.occurredAt), startOf(other.occurredAt)];
  return first < second ? -1 : first > second ? 1 : one.position - other.position;
}

function dayOf(time: string | undefined, now: string, zone: string): string {
  if (time !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(time)) return time;
  return dateOf(time === undefined ? now : startOf(time), zone);
}

function lineOf(value: unknown): string | null {
  return value instanceof Sealed ? value.toString() : null;
}
