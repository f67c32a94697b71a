// A tier policy's versions, all of which stay: a review names the one it went by.
import type { Decider, Rejection } from '../kernel/decider.ts';
import type { Definition } from './events.ts';
import type { TierPolicy, TierPolicyFact } from './tier-events.ts';

export interface TierPolicyState {
  /** Version 1 first. */
  readonly versions: readonly TierPolicy[];
}

export interface PublishTierPolicy {
  readonly policyId: string;
  readonly policy: TierPolicy;
  /** The dimension `value-tier` as it stands. */
  readonly tiers: Definition;
}

export type TierPolicyRejection = 'TierUnknown' | 'TiersOutOfOrder';

export const tierPolicy: Decider<PublishTierPolicy, TierPolicyState, TierPolicyFact, TierPolicyRejection> = {
  initialState: { versions: [] },
  evolve: ({ versions }, { data: { policy } }) => ({ versions: [...versions, policy] }),
  decide,
};

function decide(
  { policyId, policy, tiers }: PublishTierPolicy,
  { versions }: TierPolicyState,
): readonly TierPolicyFact[] | Rejection<TierPolicyRejection> {
  const order = tiers.values.map(({ code }) => code);
  const unknown = policy.tiers.findIndex(({ value }) => !order.includes(value));
  if (unknown !== -1) {
    const detail = `${policy.tiers[unknown]?.value} is no value of value-tier: those are ${order.join(', ')}.`;
    return { rejected: 'TierUnknown', detail, pointer: `/tiers/${unknown}/value` };
  }
  const misplaced = policy.tiers.findIndex(({ value, from }, index) => {
    const lower = policy.tiers[index - 1];
    return lower === undefined ? from !== 0 : from <= lower.from || order.indexOf(value) <= order.indexOf(lower.value);
  });
  if (misplaced !== -1) {
    const detail = 'Tiers go from the lowest to the highest, as in value-tier, each from more than the one before, the first from 0.';
    return { rejected: 'TiersOutOfOrder', detail, pointer: `/tiers/${misplaced}/from` };
  }
  if (JSON.stringify(versions.at(-1)) === JSON.stringify(policy)) return [];
  return [{ type: 'TierPolicyPublished', data: { policyId, version: versions.length + 1, policy } }];
}
