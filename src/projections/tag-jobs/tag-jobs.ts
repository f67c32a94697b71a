// Jobs that tag or untag many: one row each with what was asked, by whom, how far it is, and how far its undo. A worker
// (processes/tag-jobs.ts) takes those from here that have something left to do.
import type { RecordedOf } from '../../domain/kernel/event.ts';
import type { tagJobEvents } from '../../domain/tagging/events.ts';
import type { Projection } from '../engine/projection.ts';

export type TagJobRow = {
  readonly id: string;
  /** `tag`, `untag` */
  readonly action: string;
  readonly tag: string;
  /** JSON of `TagFilter`. */
  readonly filter: string;
  /** `running`, `finished`, `cancelled`, `undoing`, `undone` */
  readonly status: string;
  readonly requested_by: string;
  readonly role: string;
  readonly scope: string | null;
  /** Who asked for the undo; its sight is theirs. JSON of subject, role and scope. */
  readonly undone_by: string | null;
  /** The last customer of the last page that is done; null before the first. */
  readonly cursor: string | null;
  /** The customers of the page that is planned and not done. */
  readonly page: readonly string[];
  readonly changed: number;
  readonly already: number;
  readonly refused: number;
  /** The revision of the last planned page that is undone; -1 before the first. */
  readonly undone_through: number;
  readonly restored: number;
  /** Customers whose tag was touched since: the undo left them as they are. */
  readonly kept: readonly string[];
  readonly undo_refused: number;
  /** Of the last event that touched the row. */
  readonly position: number;
  readonly revision: number;
  readonly requested_at: string;
  readonly updated_at: string;
};

export interface TagJobTables {
  tag_jobs: TagJobRow;
}

export const tagJobs: Projection<TagJobRow> = {
  name: 'tag_jobs',
  version: 1,
  categories: ['tagjob'],
  table: {
    name: 'tag_jobs',
    key: 'id',
    columns: {
      id: { type: 'text' },
      action: { type: 'text' },
      tag: { type: 'text' },
      filter: { type: 'text' },
      status: { type: 'text' },
      requested_by: { type: 'text' },
      role: { type: 'text' },
      scope: { type: 'text', nullable: true },
      undone_by: { type: 'text', nullable: true },
      cursor: { type: 'text', nullable: true },
      page: { type: 'text[]' },
      changed: { type: 'integer' },
      already: { type: 'integer' },
      refused: { type: 'integer' },
      undone_through: { type: 'integer' },
      restored: { type: 'integer' },
      kept: { type: 'text[]' },
      undo_refused: { type: 'integer' },
      position: { type: 'bigint' },
      revision: { type: 'integer' },
      requested_at: { type: 'timestamptz' },
      updated_at: { type: 'timestamptz' },
    },
    indexes: ['(requested_at, id)', "(requested_at, id) where status in ('running', 'undoing')"],
  },
  creates: new Set(['TagJobRequested']),
  keys: (recorded) => [(recorded as RecordedOf<typeof tagJobEvents>).data.jobId],
  apply: (row, recorded) => {
    const event = recorded as RecordedOf<typeof tagJobEvents>;
    const next = fold(row, event);
    return { ...next, position: event.position, revision: event.revision, updated_at: event.recordedAt };
  },
};

function fold(row: TagJobRow | undefined, event: RecordedOf<typeof tagJobEvents>): TagJobRow {
  if (event.type === 'TagJobRequested') {
    const { jobId, action, tag, filter, requestedBy } = event.data;
    return {
      id: jobId,
      action,
      tag,
      filter: JSON.stringify(filter),
      status: 'running',
      requested_by: requestedBy.subject,
      role: requestedBy.role,
      scope: requestedBy.scope ?? null,
      undone_by: null,
      cursor: null,
      page: [],
      changed: 0,
      already: 0,
      refused: 0,
      undone_through: -1,
      restored: 0,
      kept: [],
      undo_refused: 0,
      position: event.position,
      revision: event.revision,
      requested_at: event.recordedAt,
      updated_at: event.recordedAt,
    };
  }
  if (!row) throw new Error(`${event.type} of a tag job that is not there`);
  switch (event.type) {
    case 'TagPagePlanned':
      return { ...row, page: event.data.customers };
    case 'TagPageDone':
      return { ...row, ...event.data.counts, cursor: event.data.cursor, page: [] };
    case 'TagJobFinished':
      return { ...row, status: 'finished' };
    case 'TagJobCancelled':
      return { ...row, status: 'cancelled' };
    case 'TagUndoRequested':
      return { ...row, status: 'undoing', undone_by: JSON.stringify(event.data.requestedBy) };
    case 'TagUndoAdvanced': {
      const { through, restored, kept, refused } = event.data;
      return {
        ...row,
        undone_through: through,
        restored: row.restored + restored,
        kept: [...row.kept, ...kept],
        undo_refused: row.undo_refused + refused,
      };
    }
    case 'TagUndoFinished':
      return { ...row, status: 'undone' };
  }
}
