// Tier policies: one row a version.
import type { tierPolicyEvents } from '../../domain/classification/tier-events.ts';
import type { RecordedOf } from '../../domain/kernel/event.ts';
import type { Projection } from '../engine/projection.ts';

export type TierPolicyRow = {
  /** `<policy>@<version>` */
  readonly id: string;
  readonly policy_id: string;
  readonly version: number;
  /** JSON of `TierPolicy`. */
  readonly policy: string;
  readonly published_by: string;
  readonly published_at: string;
  readonly position: number;
  readonly revision: number;
};

export interface TierPolicyTables {
  tier_policies: TierPolicyRow;
}

export const tierPolicies: Projection<TierPolicyRow> = {
  name: 'tier_policies',
  version: 1,
  categories: ['tierpolicy'],
  table: {
    name: 'tier_policies',
    key: 'id',
    columns: {
      id: { type: 'text' },
      policy_id: { type: 'text' },
      version: { type: 'integer' },
      policy: { type: 'text' },
      published_by: { type: 'text' },
      published_at: { type: 'timestamptz' },
      position: { type: 'bigint' },
      revision: { type: 'integer' },
    },
    indexes: ['(policy_id, version desc)'],
  },
  creates: new Set(['TierPolicyPublished']),
  keys: (recorded) => {
    const { data } = recorded as RecordedOf<typeof tierPolicyEvents>;
    return [`${data.policyId}@${data.version}`];
  },
  apply: (_row, recorded, key) => {
    const { data, actor, occurredAt, position, revision } = recorded as RecordedOf<typeof tierPolicyEvents>;
    return {
      id: key,
      policy_id: data.policyId,
      version: data.version,
      policy: JSON.stringify(data.policy),
      published_by: actor.subject,
      published_at: occurredAt,
      position,
      revision,
    };
  },
};
