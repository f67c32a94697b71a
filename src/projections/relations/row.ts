// The relations' table: one row a relation with all its versions, so that any past is a condition on rows and not a walk over streams.
import type { ShareBasis } from '../../domain/relationship/vocabulary.ts';
import type { Table } from '../engine/projection.ts';

export type RelationRow = {
  readonly id: string;
  readonly type: string;
  readonly inverse: string;
  readonly party_id: string;
  readonly of_id: string;
  /** What each was when it was recorded: `person`, `organisation`. */
  readonly party_kind: string;
  readonly of_kind: string;
  /** Before it nobody knew of the relation. */
  readonly first_position: number;
  /** JSON of `RelationVersion[]`, the oldest first. */
  readonly versions: string;
  /** Of the last event that touched the row. */
  readonly position: number;
  readonly revision: number;
};

/** What was known of a relation from a position on. A personal value stands as the line of `Sealed`, null where it was erased. */
export interface RelationVersion {
  readonly position: number;
  readonly revision: number;
  readonly recordedAt: string;
  /** `YYYY-MM-DD`: the first day on which it held, and the first on which it does not any more. */
  readonly from: string | null;
  readonly until: string | null;
  readonly share: { readonly percent: string; readonly basis: ShareBasis } | null;
  readonly source: { readonly kind: string; readonly reference: string | null };
  readonly verified: { readonly at: string; readonly by: string; readonly method: string; readonly evidence: string | null } | null;
  /** It never was. */
  readonly void: boolean;
}

export const relationsTable: Table = {
  name: 'relations',
  key: 'id',
  columns: {
    id: { type: 'text' },
    type: { type: 'text' },
    inverse: { type: 'text' },
    party_id: { type: 'text' },
    of_id: { type: 'text' },
    party_kind: { type: 'text' },
    of_kind: { type: 'text' },
    first_position: { type: 'bigint' },
    versions: { type: 'text' },
    position: { type: 'bigint' },
    revision: { type: 'integer' },
  },
  indexes: ['(party_id, id)', '(of_id, id)'],
};
