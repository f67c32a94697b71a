// Whose customers one may see, by docs/architecture.md's table. The same rule as a condition on rows is projections/customers/queries.ts;
// a test holds the two together.
import type { Actor } from '../kernel/event.ts';

export interface CustomerSeen {
  readonly id: string;
  readonly manager: string | null;
  readonly branch: string | null;
}

/**
 * A relationship manager sees own customers; teller and agent the one in front of them (a sight token); risk, audit and operations those
 * in their scope. The rest see no customer.
 */
export function customerVisibleTo({ id, manager, branch }: CustomerSeen, actor: Actor): boolean {
  switch (actor.role) {
    case 'system':
      return true;
    case 'rm':
      return manager !== null && manager === actor.subject;
    case 'teller':
    case 'agent':
      return actor.sight === id;
    case 'risk':
    case 'auditor':
    case 'operations':
      return isInScope(branch, actor);
    default:
      return false;
  }
}

/** Whether a branch is within the actor's reach; what has no branch is only the whole bank's. */
export function isInScope(branch: string | null, { scope = 'bank' }: Actor): boolean {
  return scope === 'bank' || (branch !== null && scope === `branch:${branch}`);
}
