// A job that enrols many, page by page. Each page says after which customer it began, and counts only where the job stands there: so
// a page that was worked on twice, by a worker that died or by two at once, is counted once.
import type { Decider, Rejection } from '../kernel/decider.ts';
import { notRunning } from './enrolment.ts';
import type { CustomerFilter, JobFact } from './events.ts';
import type { CampaignStatus } from './vocabulary.ts';

export interface JobCounts {
  readonly enrolled: number;
  readonly already: number;
  readonly refused: number;
}

export interface JobState {
  /** Absent before the job is. */
  readonly status?: 'running' | 'finished';
  /** The last customer of the last page; null before the first. */
  readonly cursor: string | null;
  /** Totals since the start. */
  readonly counts: JobCounts;
}

/** What became of one page: those after `after`. */
interface PageDone {
  readonly jobId: string;
  readonly after: string | null;
  readonly counts: JobCounts;
}

export type JobCommand =
  | {
      readonly do: 'request';
      readonly jobId: string;
      readonly campaignId: string;
      readonly filter: CustomerFilter;
      readonly requestedBy: { readonly subject: string; readonly role: string; readonly scope?: string | undefined };
      readonly campaignStatus: CampaignStatus | undefined;
    }
  | ({ readonly do: 'advance'; readonly cursor: string } & PageDone)
  | ({ readonly do: 'finish'; readonly detail?: string | undefined } & PageDone);

export type JobRejection = 'CampaignNotRunning' | 'JobNotFound';

export const enrolmentJob: Decider<JobCommand, JobState, JobFact, JobRejection> = {
  initialState: { cursor: null, counts: { enrolled: 0, already: 0, refused: 0 } },
  evolve,
  decide,
};

function decide(command: JobCommand, state: JobState): readonly JobFact[] | Rejection<JobRejection> {
  const { jobId } = command;
  if (command.do === 'request') {
    // The stream is named by the command, so a job that is there already was requested by it.
    if (state.status) return [];
    const { campaignId, filter, requestedBy, campaignStatus } = command;
    if (campaignStatus !== 'running') return notRunning(campaignStatus);
    const { scope, ...who } = requestedBy;
    return [{ type: 'EnrolmentRequested', data: { jobId, campaignId, filter, requestedBy: { ...who, ...(scope === undefined ? {} : { scope }) } } }];
  }
  if (!state.status) return { rejected: 'JobNotFound', detail: 'There is no such job.' };
  if (state.status === 'finished' || command.after !== state.cursor) return [];
  const counts = sumOf(state.counts, command.counts);
  if (command.do === 'advance') return [{ type: 'EnrolmentAdvanced', data: { jobId, cursor: command.cursor, ...counts } }];
  const { detail } = command;
  return [{ type: 'EnrolmentFinished', data: { jobId, ...counts, ...(detail === undefined ? {} : { detail }) } }];
}

function evolve(state: JobState, fact: JobFact): JobState {
  if (fact.type === 'EnrolmentRequested') return { ...state, status: 'running' };
  const { enrolled, already, refused } = fact.data;
  const counts = { enrolled, already, refused };
  return fact.type === 'EnrolmentAdvanced' ? { ...state, cursor: fact.data.cursor, counts } : { ...state, status: 'finished', counts };
}

function sumOf(one: JobCounts, other: JobCounts): JobCounts {
  return { enrolled: one.enrolled + other.enrolled, already: one.already + other.already, refused: one.refused + other.refused };
}
