// A job that tags or untags many, page by page: a page is planned, worked on, done, each once. It can be cancelled between pages, and
// undone when it is over: page by page again, in the order in which they were planned.
import type { Decider, Rejection } from '../kernel/decider.ts';
import type { TagAction, TagCounts, TagEntry, TagFilter, TagJobFact } from './events.ts';

export interface TagJobState {
  /** Absent before the job is. */
  readonly status?: 'running' | 'finished' | 'cancelled' | 'undoing' | 'undone';
  readonly requestedBy?: string;
  /** The last customer of the last page that is done; null before the first. */
  readonly cursor: string | null;
  /** The last customer of the page that is planned and not done. */
  readonly planned: string | null;
  readonly counts: TagCounts;
  /** The revision of the last planned page that is undone; -1 before the first. */
  readonly undoneThrough: number;
}

interface Requester {
  readonly subject: string;
  readonly role: string;
  readonly scope?: string | undefined;
}

export type TagJobCommand = { readonly jobId: string } & (
  | {
      readonly do: 'request';
      readonly action: TagAction;
      readonly tag: string;
      readonly filter: TagFilter;
      readonly requestedBy: Requester;
      /** Of the vocabulary, where the tag is of it. */
      readonly entry: TagEntry | undefined;
      /** Whether the requester may read every dimension that the filter names. */
      readonly readsDimensions: boolean;
      readonly today: string;
    }
  | { readonly do: 'plan'; readonly after: string | null; readonly customers: readonly string[] }
  | { readonly do: 'page-done'; readonly cursor: string; readonly counts: TagCounts }
  | { readonly do: 'finish'; readonly after: string | null }
  | { readonly do: 'cancel' }
  | { readonly do: 'undo'; readonly requestedBy: Requester }
  | {
      readonly do: 'advance-undo';
      readonly after: number;
      readonly through: number;
      readonly restored: number;
      readonly kept: readonly string[];
      readonly refused: number;
    }
  | { readonly do: 'finish-undo'; readonly after: number }
);

export type TagJobRejection = 'TagExpired' | 'DimensionUnknown' | 'TagJobNotFound' | 'TagJobOver' | 'TagJobRunning';
type Decision = readonly TagJobFact[] | Rejection<TagJobRejection>;

export const tagJob: Decider<TagJobCommand, TagJobState, TagJobFact, TagJobRejection> = {
  initialState: { cursor: null, planned: null, counts: { changed: 0, already: 0, refused: 0 }, undoneThrough: -1 },
  evolve,
  decide,
};

function decide(command: TagJobCommand, state: TagJobState): Decision {
  const { jobId } = command;
  const { status, cursor, planned, undoneThrough } = state;
  if (status === undefined && command.do !== 'request') return { rejected: 'TagJobNotFound', detail: 'There is no such job.' };
  switch (command.do) {
    case 'request':
      return request(command, state);
    case 'plan': {
      const last = command.customers.at(-1);
      if (status !== 'running' || planned !== null || command.after !== cursor || last === undefined) return [];
      return [{ type: 'TagPagePlanned', data: { jobId, cursor: last, customers: [...command.customers] } }];
    }
    case 'page-done':
      // Also of a job that was cancelled meanwhile: what was done is told.
      if (planned !== command.cursor) return [];
      return [{ type: 'TagPageDone', data: { jobId, cursor: command.cursor, counts: sumOf(state.counts, command.counts) } }];
    case 'finish':
      return status === 'running' && planned === null && command.after === cursor ? [{ type: 'TagJobFinished', data: { jobId } }] : [];
    case 'cancel':
      if (status === 'cancelled') return [];
      if (status !== 'running') return { rejected: 'TagJobOver', detail: 'The job is over: undo it, where it should not have been.' };
      return [{ type: 'TagJobCancelled', data: { jobId } }];
    case 'undo': {
      if (status === 'running') return { rejected: 'TagJobRunning', detail: 'The job is running: cancel it first, or wait for its end.' };
      if (status === 'undoing' || status === 'undone') return [];
      return [{ type: 'TagUndoRequested', data: { jobId, requestedBy: requesterOf(command.requestedBy) } }];
    }
    case 'advance-undo': {
      const { after, through, restored, kept, refused } = command;
      if (status !== 'undoing' || after !== undoneThrough) return [];
      return [{ type: 'TagUndoAdvanced', data: { jobId, through, restored, kept: [...kept], refused } }];
    }
    case 'finish-undo':
      return status === 'undoing' && command.after === undoneThrough ? [{ type: 'TagUndoFinished', data: { jobId } }] : [];
  }
}

function request(command: Extract<TagJobCommand, { do: 'request' }>, { status }: TagJobState): Decision {
  // The stream is named by the command, so a job that is there already was requested by it.
  if (status) return [];
  const { jobId, action, tag, filter, requestedBy, entry, readsDimensions, today } = command;
  if (action === 'tag' && entry?.expiresOn !== undefined && entry.expiresOn < today)
    return { rejected: 'TagExpired', detail: `The tag was to be given until ${entry.expiresOn}: define it anew first.`, pointer: '/tag' };
  if (!readsDimensions)
    return {
      rejected: 'DimensionUnknown',
      detail: 'The condition names a dimension that there is none of, or that your role may not read: see /v1/dimensions.',
      pointer: '/filter/condition',
    };
  return [{ type: 'TagJobRequested', data: { jobId, action, tag, filter, requestedBy: requesterOf(requestedBy) } }];
}

function evolve(state: TagJobState, fact: TagJobFact): TagJobState {
  switch (fact.type) {
    case 'TagJobRequested':
      return { ...state, status: 'running', requestedBy: fact.data.requestedBy.subject };
    case 'TagPagePlanned':
      return { ...state, planned: fact.data.cursor };
    case 'TagPageDone':
      return { ...state, planned: null, cursor: fact.data.cursor, counts: fact.data.counts };
    case 'TagJobFinished':
      return { ...state, status: 'finished' };
    case 'TagJobCancelled':
      return { ...state, status: 'cancelled' };
    case 'TagUndoRequested':
      return { ...state, status: 'undoing' };
    case 'TagUndoAdvanced':
      return { ...state, undoneThrough: fact.data.through };
    case 'TagUndoFinished':
      return { ...state, status: 'undone' };
  }
}

/** A relationship manager's jobs are own ones. */
export function tagJobVisibleTo(
  { requestedBy }: Pick<TagJobState, 'requestedBy'>,
  { role, subject }: { readonly role: string; readonly subject: string },
): boolean {
  return role !== 'rm' || requestedBy === subject;
}

function requesterOf({ scope, ...who }: Requester) {
  return { ...who, ...(scope === undefined ? {} : { scope }) };
}

function sumOf(one: TagCounts, other: TagCounts): TagCounts {
  return { changed: one.changed + other.changed, already: one.already + other.already, refused: one.refused + other.refused };
}
