// How one dimension of one customer stands: the same fold for decisions, timers, lists and pasts. State follows where a value starts,
// then the order of the journal, so a late older assessment never overwrites a newer one.
import { startOf } from '../kernel/source.ts';
import type { ClassificationFact, ClassSource } from './events.ts';

export interface Standing {
  readonly value: string;
  /** As told, and where that starts: RFC 3339 UTC with milliseconds. */
  readonly since: string;
  readonly startsAt: string;
  readonly source: ClassSource;
  readonly assessedOn: string | null;
  /** The last day on which it holds. */
  readonly validUntil: string | null;
  readonly reviewDueOn: string | null;
  /** That day was told to have come. */
  readonly fellDue: boolean;
  readonly ended: 'withdrawn' | 'expired' | null;
  /** Where a withdrawal starts. */
  readonly endedAt: string | null;
}

/** @param fact of that dimension, with its time */
export function standingAfter(before: Standing | undefined, fact: ClassificationFact): Standing | undefined {
  const since = fact.occurredAt ?? '';
  switch (fact.type) {
    case 'CustomerClassified': {
      const startsAt = startOf(since);
      if (before && (startsAt < before.startsAt || (before.endedAt !== null && startsAt < before.endedAt))) return before;
      const { value, source, assessedOn = null, validUntil = null, reviewDueOn = null } = fact.data;
      return { value, since, startsAt, source, assessedOn, validUntil, reviewDueOn, fellDue: false, ended: null, endedAt: null };
    }
    case 'ClassificationWithdrawn': {
      const endedAt = startOf(since);
      return before && endedAt >= before.startsAt ? { ...before, ended: 'withdrawn', endedAt } : before;
    }
    case 'ClassificationExpired':
      return before && before.ended === null && before.validUntil === fact.data.validUntil ? { ...before, ended: 'expired' } : before;
    case 'ClassificationFellDue':
      return before && fact.data.why === 'review' && before.reviewDueOn === fact.data.dueOn ? { ...before, fellDue: true } : before;
  }
}

/** Whether it holds on a day. */
export function holdsOn({ ended, validUntil }: Standing, day: string): boolean {
  return ended === null && (validUntil === null || day <= validUntil);
}
