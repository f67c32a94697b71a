// Who a firm's beneficial owners are, as persons confirmed: one row a confirmation, so that what counted on any day, as known at any
// time, is a choice among rows.
import type { RecordedOf } from '../../domain/kernel/event.ts';
import type { Personal } from '../../domain/kernel/personal.ts';
import type { ownerEvents } from '../../domain/relationship/events.ts';
import type { Projection } from '../engine/projection.ts';

export type OwnerConfirmationRow = {
  /** `<customer>-<revision>` */
  readonly id: string;
  readonly customer_id: string;
  /** `YYYY-MM-DD`: since when they are. */
  readonly from_on: string;
  /** JSON of what the event says of each owner. */
  readonly owners: string;
  readonly methods: readonly string[];
  readonly evidence: Personal;
  readonly review_due_on: string;
  readonly confirmed_by: string;
  readonly confirmed_role: string;
  readonly confirmed_at: string;
  readonly position: number;
  readonly revision: number;
};

export interface ConfirmedOwnerCell {
  readonly party: string;
  readonly basis: string;
  readonly percent?: string;
  readonly relation?: string;
}

export const ownerConfirmations: Projection<OwnerConfirmationRow> = {
  name: 'owner_confirmations',
  version: 1,
  categories: ['owners'],
  table: {
    name: 'owner_confirmations',
    key: 'id',
    columns: {
      id: { type: 'text' },
      customer_id: { type: 'text' },
      from_on: { type: 'date' },
      owners: { type: 'text' },
      methods: { type: 'text[]' },
      evidence: { type: 'sealed' },
      review_due_on: { type: 'date' },
      confirmed_by: { type: 'text' },
      confirmed_role: { type: 'text' },
      confirmed_at: { type: 'timestamptz' },
      position: { type: 'bigint' },
      revision: { type: 'integer' },
    },
    indexes: ['(customer_id, position)', '(review_due_on, id)'],
  },
  creates: new Set(['BeneficialOwnersConfirmed']),
  keys: ({ data, revision }) => [`${(data as { customerId: string }).customerId}-${revision}`],
  apply: (_row, recorded, key) => {
    const { data, actor, recordedAt, position, revision } = recorded as RecordedOf<typeof ownerEvents>;
    return {
      id: key,
      customer_id: data.customerId,
      from_on: data.from,
      owners: JSON.stringify(data.owners),
      methods: data.methods,
      evidence: data.evidence,
      review_due_on: data.reviewDueOn,
      confirmed_by: actor.subject,
      confirmed_role: actor.role,
      confirmed_at: recordedAt,
      position,
      revision,
    };
  },
};
