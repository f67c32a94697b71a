// A job that reviews the tiers of all customers for one month, page by page. Each page counts only where the job stands there: so a page
// that was worked on twice, by a worker that died or by two at once, is counted once.
import type { Decider, Rejection } from '../kernel/decider.ts';
import { lastDayOf } from './dates.ts';
import type { ReviewCounts, TierReviewFact } from './tier-events.ts';

export interface TierReviewState {
  /** Absent before the job is. */
  readonly status?: 'running' | 'finished';
  /** The last customer of the last page; null before the first. */
  readonly cursor: string | null;
  /** Since the start. */
  readonly counts: ReviewCounts;
}

export type TierReviewCommand = { readonly reviewId: string } & (
  | {
      readonly do: 'request';
      readonly policyId: string;
      /** The newest; 0 where there is no such policy. */
      readonly version: number;
      readonly month: string;
      readonly requestedBy: { readonly subject: string; readonly role: string; readonly scope?: string | undefined };
      readonly today: string;
    }
  | { readonly do: 'advance'; readonly cursor: string; readonly after: string | null; readonly counts: ReviewCounts }
  | { readonly do: 'finish'; readonly after: string | null; readonly counts: ReviewCounts }
);

export type TierReviewRejection = 'TierPolicyUnknown' | 'MonthNotOver' | 'TierReviewNotFound';

export const noCounts: ReviewCounts = { first: 0, up: 0, down: 0, unchanged: 0, watched: 0, notCounted: 0, refused: 0, otherCurrencies: {} };

export const tierReview: Decider<TierReviewCommand, TierReviewState, TierReviewFact, TierReviewRejection> = {
  initialState: { cursor: null, counts: noCounts },
  evolve,
  decide,
};

function decide(command: TierReviewCommand, state: TierReviewState): readonly TierReviewFact[] | Rejection<TierReviewRejection> {
  const { reviewId } = command;
  if (command.do === 'request') {
    // The stream is named by the command, so a job that is there already was requested by it.
    if (state.status) return [];
    const { policyId, version, month, requestedBy, today } = command;
    if (version === 0) return { rejected: 'TierPolicyUnknown', detail: 'There is no such tier policy: publish it first.', pointer: '/policy' };
    if (lastDayOf(month) >= today)
      return { rejected: 'MonthNotOver', detail: `${month} is not over: its average is known from its last day’s end on.`, pointer: '/month' };
    const { scope, ...who } = requestedBy;
    const data = { reviewId, policyId, version, month, requestedBy: { ...who, ...(scope === undefined ? {} : { scope }) } };
    return [{ type: 'TierReviewRequested', data }];
  }
  if (!state.status) return { rejected: 'TierReviewNotFound', detail: 'There is no such tier review.' };
  if (state.status === 'finished' || command.after !== state.cursor) return [];
  const counts = sumOf(state.counts, command.counts);
  if (command.do === 'advance') return [{ type: 'TierReviewAdvanced', data: { reviewId, cursor: command.cursor, counts } }];
  return [{ type: 'TierReviewFinished', data: { reviewId, counts } }];
}

function evolve(state: TierReviewState, fact: TierReviewFact): TierReviewState {
  switch (fact.type) {
    case 'TierReviewRequested':
      return { ...state, status: 'running' };
    case 'TierReviewAdvanced':
      return { ...state, cursor: fact.data.cursor, counts: fact.data.counts };
    case 'TierReviewFinished':
      return { ...state, status: 'finished', counts: fact.data.counts };
  }
}

function sumOf(one: ReviewCounts, other: ReviewCounts): ReviewCounts {
  const currencies = [...new Set([...Object.keys(one.otherCurrencies), ...Object.keys(other.otherCurrencies)])].sort();
  return {
    first: one.first + other.first,
    up: one.up + other.up,
    down: one.down + other.down,
    unchanged: one.unchanged + other.unchanged,
    watched: one.watched + other.watched,
    notCounted: one.notCounted + other.notCounted,
    refused: one.refused + other.refused,
    otherCurrencies: Object.fromEntries(
      currencies.map((currency) => [currency, (one.otherCurrencies[currency] ?? 0) + (other.otherCurrencies[currency] ?? 0)]),
    ),
  };
}
