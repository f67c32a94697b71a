// A customer's groups in their history: when they joined and left. What else happened to a group, and why, is the others' as well, and
// stands in the group.
import type { groupEvents } from '../domain/group/events.ts';
import type { RecordedEvent, RecordedOf } from '../domain/kernel/event.ts';
import { type Field, type Fields, noFields } from './change-fields.ts';

type GroupEvent = RecordedOf<typeof groupEvents>;

export interface GroupChange {
  readonly what: string;
  readonly before: Fields;
  readonly after: Fields;
}

/** Tells one event after another; events of a group that do not move the customer are not told. */
export class GroupTeller {
  readonly #customerId: string;
  /** By group: its kind, and whether the customer belongs to it. */
  readonly #groups = new Map<string, { readonly kind: string; readonly belongs: boolean }>();

  constructor(customerId: string) {
    this.#customerId = customerId;
  }

  tell(recorded: RecordedEvent): GroupChange | undefined {
    const event = recorded as GroupEvent;
    const { groupId } = event.data;
    const before = this.#groups.get(groupId) ?? { kind: event.type === 'GroupFormed' ? event.data.kind : 'group', belongs: false };
    const move = this.#moveIn(event, before.belongs);
    this.#groups.set(groupId, { ...before, belongs: move === undefined ? before.belongs : 'from' in move });
    if (move === undefined) return undefined;
    const after = new Map<string, Field>(Object.entries(move).map(([field, day]) => [field, { plain: day }]));
    return { what: 'from' in move ? `Belongs to a ${before.kind}` : `No longer belongs to a ${before.kind}`, before: noFields, after };
  }

  #moveIn(event: GroupEvent, belongs: boolean): { readonly from: string } | { readonly until: string } | undefined {
    const customer = this.#customerId;
    switch (event.type) {
      case 'GroupFormed':
      case 'GroupsMerged':
        return event.data.members.includes(customer) ? { from: event.data.from } : undefined;
      case 'GroupMemberAdded':
        return event.data.customer === customer ? { from: event.data.from } : undefined;
      case 'GroupMemberRemoved':
        return event.data.customer === customer ? { until: event.data.until } : undefined;
      case 'GroupSplit':
        return event.data.customers.includes(customer) ? { until: event.data.until } : undefined;
      case 'GroupDissolved':
        return belongs ? { until: event.data.until } : undefined;
    }
  }
}
