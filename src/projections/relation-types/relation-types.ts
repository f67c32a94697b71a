// Types of relations as operations defined or retired them: one row each. Those that are built in and were never touched have none.
import type { RecordedOf } from '../../domain/kernel/event.ts';
import type { relationTypeEvents } from '../../domain/relationship/events.ts';
import type { Projection } from '../engine/projection.ts';

export type RelationTypeRow = {
  readonly type: string;
  /** Null, with all of the definition, of one that is built in and was only retired. */
  readonly inverse: string | null;
  readonly share: boolean | null;
  readonly party: string | null;
  readonly of: string | null;
  /** 0 before any definition of operations. */
  readonly version: number;
  readonly retired: boolean;
  readonly position: number;
  readonly revision: number;
};

export interface RelationTypeTables {
  relation_types: RelationTypeRow;
}

export const relationTypes: Projection<RelationTypeRow> = {
  name: 'relation_types',
  version: 1,
  categories: ['relationtype'],
  table: {
    name: 'relation_types',
    key: 'type',
    columns: {
      type: { type: 'text' },
      inverse: { type: 'text', nullable: true },
      share: { type: 'boolean', nullable: true },
      party: { type: 'text', nullable: true },
      of: { type: 'text', nullable: true },
      version: { type: 'integer' },
      retired: { type: 'boolean' },
      position: { type: 'bigint' },
      revision: { type: 'integer' },
    },
    indexes: [],
  },
  creates: new Set(),
  keys: (event) => [(event as RecordedOf<typeof relationTypeEvents>).data.type],
  apply: (row, recorded) => {
    const event = recorded as RecordedOf<typeof relationTypeEvents>;
    const { position, revision } = event;
    const { type, version } = event.data;
    if (event.type === 'RelationTypeRetired') return { ...(row ?? undefinedType(type)), version, retired: true, position, revision };
    const { inverse, share, party = null, of = null } = event.data;
    return { type, inverse, share, party, of, version, retired: false, position, revision };
  },
};

function undefinedType(type: string): RelationTypeRow {
  return { type, inverse: null, share: null, party: null, of: null, version: 0, retired: false, position: 0, revision: 0 };
}
