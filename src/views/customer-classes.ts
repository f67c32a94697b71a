// How one customer is classed as of a moment, from their own events: what holds, what is due, and every change with who, why and since when.

import type { ClassificationFact, classificationEvents, Definition } from '../domain/classification/events.ts';
import { firstRatingDueOn } from '../domain/classification/first-rating.ts';
import { holdsOn, type Standing, standingAfter } from '../domain/classification/standing.ts';
import type { DueKind } from '../domain/classification/vocabulary.ts';
import { AML_GRADE } from '../domain/classification/vocabulary.ts';
import { chinaBankCalendar } from '../domain/kernel/calendars/china-bank.ts';
import { categoryOf, type RecordedEvent, type RecordedOf } from '../domain/kernel/event.ts';
import { Sealed } from '../domain/kernel/personal.ts';
import type { Showing } from './shown.ts';

export type ClassEvent = RecordedOf<typeof classificationEvents>;

interface Held {
  readonly standing: Standing;
  /** The event that gave it. */
  readonly by: Extract<ClassEvent, { type: 'CustomerClassified' }>;
}

export interface CustomerClasses {
  /** By dimension, in the order of codes. */
  readonly held: readonly Held[];
  /** Oldest first. */
  readonly events: readonly ClassEvent[];
  /** By when a first grade must be there; null where there is one, and for a prospect. */
  readonly firstDueOn: string | null;
}

/** @param events of the customer's own streams that count, in the journal's order; `reads` says which dimensions the reader may see */
export function classesOf(events: readonly RecordedEvent[], reads: (dimension: string) => boolean): CustomerClasses {
  const held = new Map<string, Held>();
  const own: ClassEvent[] = [];
  let firstDueOn: string | null = null;
  for (const event of events) {
    if (event.type === 'CustomerReported') firstDueOn ??= firstRatingDueOn(event, chinaBankCalendar);
    if (categoryOf(event.stream) !== 'classification') continue;
    const known = event as ClassEvent;
    const { dimension } = known.data;
    if (!reads(dimension)) continue;
    own.push(known);
    const before = held.get(dimension);
    const standing = standingAfter(before?.standing, known as ClassificationFact);
    if (standing === undefined) continue;
    const isNew = known.type === 'CustomerClassified' && (before === undefined || standing !== before.standing);
    if (isNew) held.set(dimension, { standing, by: known });
    else if (before) held.set(dimension, { ...before, standing });
  }
  return {
    held: [...held.values()].sort((one, other) => (one.by.data.dimension < other.by.data.dimension ? -1 : 1)),
    events: own,
    firstDueOn: held.has(AML_GRADE) || !reads(AML_GRADE) ? null : firstDueOn,
  };
}

/** The sealed reasons in it. */
export function* sealedInClasses({ events }: CustomerClasses): Generator<string | null> {
  for (const event of events) yield reasonOf(event);
}

/** @param today the day asked about, in the bank's zone */
export function classesShown(
  { held, events, firstDueOn }: CustomerClasses,
  definitions: ReadonlyMap<string, Definition>,
  today: string,
  showing: Showing,
) {
  const valueName = (dimension: string, value: string): string | null =>
    definitions.get(dimension)?.values.find(({ code }) => code === value)?.name ?? null;
  const current = held.filter(({ standing }) => holdsOn(standing, today));
  const due = (dimension: string, why: DueKind | 'validity', dueOn: string | null) =>
    dueOn === null ? [] : [{ dimension, why, dueOn, overdue: dueOn < today }];
  return {
    items: current.map(({ standing, by }) => ({
      dimension: by.data.dimension,
      name: definitions.get(by.data.dimension)?.name ?? null,
      value: standing.value,
      valueName: valueName(by.data.dimension, standing.value),
      since: standing.since,
      assessedOn: standing.assessedOn,
      validUntil: standing.validUntil,
      reviewDueOn: standing.reviewDueOn,
      source: sourceShown(by),
      reason: showing.text('reason', 'hidden', reasonOf(by)),
      explanation: by.data.explanation ?? null,
    })),
    due: [
      ...due(AML_GRADE, 'first-rating', firstDueOn),
      ...current.flatMap(({ standing, by }) => due(by.data.dimension, 'review', standing.reviewDueOn)),
      ...current.flatMap(({ standing, by }) => due(by.data.dimension, 'validity', standing.validUntil)),
    ].sort((one, other) => (one.dueOn < other.dueOn ? -1 : one.dueOn > other.dueOn ? 1 : 0)),
    history: events.toReversed().map((event) => ({
      dimension: event.data.dimension,
      what: whatHappened(event),
      value: event.type === 'CustomerClassified' ? event.data.value : null,
      since: event.occurredAt,
      recordedAt: event.recordedAt,
      source: sourceShown(event),
      reason: showing.text('reason', 'hidden', reasonOf(event)),
      explanation: 'explanation' in event.data ? (event.data.explanation ?? null) : null,
      assessedOn: event.type === 'CustomerClassified' ? (event.data.assessedOn ?? null) : null,
      validUntil: 'validUntil' in event.data ? (event.data.validUntil ?? null) : null,
      reviewDueOn: event.type === 'CustomerClassified' ? (event.data.reviewDueOn ?? null) : null,
    })),
  };
}

const happenings = {
  CustomerClassified: 'classified',
  ClassificationWithdrawn: 'withdrawn',
  ClassificationExpired: 'expired',
  ClassificationFellDue: 'fell-due',
} as const satisfies Record<ClassEvent['type'], string>;

function whatHappened({ type }: ClassEvent) {
  return happenings[type];
}

/** Whoever asked for a rule's run stands beside the rule. */
function sourceShown({ data, actor }: ClassEvent) {
  const source = 'source' in data ? data.source : undefined;
  return {
    kind: source === undefined ? ('timer' as const) : source.kind,
    rule: source?.rule ?? null,
    version: source?.version ?? null,
    by: actor.subject,
    role: actor.role,
  };
}

export function reasonOf({ data }: ClassEvent): string | null {
  return 'reason' in data && data.reason instanceof Sealed ? data.reason.toString() : null;
}
