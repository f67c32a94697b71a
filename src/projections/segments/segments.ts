// Segments: one row each as last defined.
import type { RecordedOf } from '../../domain/kernel/event.ts';
import type { segmentEvents } from '../../domain/segment/events.ts';
import type { Projection } from '../engine/projection.ts';

export type SegmentRow = {
  readonly id: string;
  readonly version: number;
  readonly name: string;
  /** JSON of `Condition`. */
  readonly condition: string;
  readonly owner: string;
  readonly owner_role: string;
  readonly retired: boolean;
  readonly defined_at: string;
  readonly position: number;
  readonly revision: number;
};

export interface SegmentTables {
  segments: SegmentRow;
}

export const segments: Projection<SegmentRow> = {
  name: 'segments',
  version: 1,
  categories: ['segment'],
  table: {
    name: 'segments',
    key: 'id',
    columns: {
      id: { type: 'text' },
      version: { type: 'integer' },
      name: { type: 'text' },
      condition: { type: 'text' },
      owner: { type: 'text' },
      owner_role: { type: 'text' },
      retired: { type: 'boolean' },
      defined_at: { type: 'timestamptz' },
      position: { type: 'bigint' },
      revision: { type: 'integer' },
    },
    indexes: ['(name, id)'],
  },
  creates: new Set(),
  keys: (recorded) => [(recorded as RecordedOf<typeof segmentEvents>).data.segmentId],
  apply: (row, recorded) => {
    const event = recorded as RecordedOf<typeof segmentEvents>;
    const { position, revision, occurredAt } = event;
    if (event.type === 'SegmentRetired') {
      if (!row) throw new Error('SegmentRetired of a segment that is not there');
      return { ...row, retired: true, position, revision };
    }
    const { segmentId, version, name, condition, definedBy } = event.data;
    return {
      id: segmentId,
      version,
      name,
      condition: JSON.stringify(condition),
      owner: definedBy.subject,
      owner_role: definedBy.role,
      retired: false,
      defined_at: occurredAt,
      position,
      revision,
    };
  },
};
