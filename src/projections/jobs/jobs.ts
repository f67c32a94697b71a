// Jobs that enrol many customers: one row each with what was asked, by whom, and how far it is. A worker (processes/enrolment-jobs.ts)
// takes the running ones from here.
import type { jobEvents } from '../../domain/campaign/events.ts';
import type { RecordedOf } from '../../domain/kernel/event.ts';
import type { Projection } from '../engine/projection.ts';

export type JobRow = {
  readonly id: string;
  readonly campaign_id: string;
  /** `running`, `finished` */
  readonly status: string;
  /** JSON of `CustomerFilter`. */
  readonly filter: string;
  readonly requested_by: string;
  readonly role: string;
  readonly scope: string | null;
  /** The last customer of the last page; null before the first. */
  readonly cursor: string | null;
  readonly enrolled: number;
  readonly already: number;
  readonly refused: number;
  readonly detail: string | null;
  /** Of the last event that touched the row. */
  readonly position: number;
  readonly revision: number;
  readonly requested_at: string;
  readonly updated_at: string;
};

export interface JobTables {
  jobs: JobRow;
}

export const jobs: Projection<JobRow> = {
  name: 'jobs',
  version: 1,
  categories: ['job'],
  table: {
    name: 'jobs',
    key: 'id',
    columns: {
      id: { type: 'text' },
      campaign_id: { type: 'text' },
      status: { type: 'text' },
      filter: { type: 'text' },
      requested_by: { type: 'text' },
      role: { type: 'text' },
      scope: { type: 'text', nullable: true },
      cursor: { type: 'text', nullable: true },
      enrolled: { type: 'integer' },
      already: { type: 'integer' },
      refused: { type: 'integer' },
      detail: { type: 'text', nullable: true },
      position: { type: 'bigint' },
      revision: { type: 'integer' },
      requested_at: { type: 'timestamptz' },
      updated_at: { type: 'timestamptz' },
    },
    indexes: ["(requested_at, id) where status = 'running'"],
  },
  creates: new Set(['EnrolmentRequested']),
  keys: (recorded) => [(recorded as RecordedOf<typeof jobEvents>).data.jobId],
  apply: (row, recorded) => {
    const event = recorded as RecordedOf<typeof jobEvents>;
    const { position, revision, recordedAt } = event;
    const touched = { position, revision, updated_at: recordedAt };
    if (event.type === 'EnrolmentRequested') {
      const { jobId, campaignId, filter, requestedBy } = event.data;
      return {
        id: jobId,
        campaign_id: campaignId,
        status: 'running',
        filter: JSON.stringify(filter),
        requested_by: requestedBy.subject,
        role: requestedBy.role,
        scope: requestedBy.scope ?? null,
        cursor: null,
        enrolled: 0,
        already: 0,
        refused: 0,
        detail: null,
        requested_at: recordedAt,
        ...touched,
      };
    }
    if (!row) throw new Error(`${event.type} of a job that is not there`);
    const { enrolled, already, refused } = event.data;
    const counted = { ...row, enrolled, already, refused, ...touched };
    return event.type === 'EnrolmentAdvanced'
      ? { ...counted, cursor: event.data.cursor }
      : { ...counted, status: 'finished', detail: event.data.detail ?? null };
  },
};
