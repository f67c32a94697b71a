// Dimensions as they were last defined here: one row each. Those built in and never redefined have none (domain/classification/dimensions.ts).
import type { dimensionEvents } from '../../domain/classification/events.ts';
import type { RecordedOf } from '../../domain/kernel/event.ts';
import type { Projection } from '../engine/projection.ts';

export type DimensionRow = {
  readonly code: string;
  readonly version: number;
  /** JSON of `Definition`. */
  readonly definition: string;
  readonly defined_by: string;
  readonly defined_at: string;
  readonly position: number;
  readonly revision: number;
};

export interface DimensionTables {
  dimensions: DimensionRow;
}

export const dimensions: Projection<DimensionRow> = {
  name: 'dimensions',
  version: 1,
  categories: ['dimension'],
  table: {
    name: 'dimensions',
    key: 'code',
    columns: {
      code: { type: 'text' },
      version: { type: 'integer' },
      definition: { type: 'text' },
      defined_by: { type: 'text' },
      defined_at: { type: 'timestamptz' },
      position: { type: 'bigint' },
      revision: { type: 'integer' },
    },
    indexes: [],
  },
  creates: new Set(),
  keys: (recorded) => [(recorded as RecordedOf<typeof dimensionEvents>).data.dimension],
  apply: (_row, recorded) => {
    const { data, actor, occurredAt, position, revision } = recorded as RecordedOf<typeof dimensionEvents>;
    return {
      code: data.dimension,
      version: data.version,
      definition: JSON.stringify(data.definition),
      defined_by: actor.subject,
      defined_at: occurredAt,
      position,
      revision,
    };
  },
};
