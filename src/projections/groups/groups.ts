// Groups of customers: one row each with all its versions, as relations have them, so that any past is a choice among versions.
import type { groupEvents } from '../../domain/group/events.ts';
import type { RecordedOf } from '../../domain/kernel/event.ts';
import { Erased, type Personal, Sealed } from '../../domain/kernel/personal.ts';
import type { Projection } from '../engine/projection.ts';

type GroupEvent = RecordedOf<typeof groupEvents>;

export type GroupRow = {
  readonly id: string;
  readonly kind: string;
  readonly head: string;
  /** Whoever ever belonged to it, sorted. */
  readonly members: readonly string[];
  readonly first_position: number;
  /** JSON of `GroupVersion[]`, the oldest first. */
  readonly versions: string;
  readonly position: number;
  readonly revision: number;
};

/** What was known of a group from a position on. */
export interface GroupVersion {
  readonly position: number;
  readonly revision: number;
  readonly recordedAt: string;
  readonly by: string;
  /** Sealed lines, null where erased. */
  readonly name: string | null;
  readonly reason: string | null;
  /** One who came back has a line for each time. `until` is the first day on which they do not belong to it any more. */
  readonly members: readonly { readonly customer: string; readonly from: string; readonly until: string | null }[];
  readonly splitFrom: string | null;
  readonly dissolved: { readonly on: string; readonly into: string | null } | null;
}

export const groups: Projection<GroupRow> = {
  name: 'groups',
  version: 1,
  categories: ['group'],
  table: {
    name: 'groups',
    key: 'id',
    columns: {
      id: { type: 'text' },
      kind: { type: 'text' },
      head: { type: 'text' },
      members: { type: 'text[]' },
      first_position: { type: 'bigint' },
      versions: { type: 'text' },
      position: { type: 'bigint' },
      revision: { type: 'integer' },
    },
    indexes: ['using gin (members) with (fastupdate = off)'],
  },
  creates: new Set(['GroupFormed']),
  keys: (event) => [(event as GroupEvent).data.groupId],
  apply: (row, recorded) => {
    const event = recorded as GroupEvent;
    const { position, revision } = event;
    if (event.type === 'GroupFormed') {
      const { groupId, kind, head } = event.data;
      return withVersion({ id: groupId, kind, head, members: [], first_position: position, versions: '[]', position, revision }, event);
    }
    // As of a day before it was formed there is no row for what was done with it later.
    return row && withVersion({ ...row, position, revision }, event);
  },
};

export function groupVersionsOf({ versions }: Pick<GroupRow, 'versions'>): readonly GroupVersion[] {
  return JSON.parse(versions) as GroupVersion[];
}

function withVersion(row: GroupRow, event: GroupEvent): GroupRow {
  const versions = groupVersionsOf(row);
  const next = versionAfter(versions.at(-1), event);
  const members = [...new Set([...row.members, ...next.members.map(({ customer }) => customer)])].sort();
  return { ...row, members, versions: JSON.stringify([...versions, next]) };
}

const blank = { name: null, members: [], splitFrom: null, dissolved: null } as const;

function versionAfter(before: GroupVersion | undefined, event: GroupEvent): GroupVersion {
  const { position, revision, recordedAt, actor } = event;
  const known: GroupVersion = { ...blank, ...before, position, revision, recordedAt, by: actor.subject, reason: lineOf(event.data.reason) };
  switch (event.type) {
    case 'GroupFormed': {
      const { name, members, from, splitFrom = null } = event.data;
      return { ...known, name: lineOf(name), members: joining([], members, from), splitFrom };
    }
    case 'GroupMemberAdded':
      return { ...known, members: joining(known.members, [event.data.customer], event.data.from) };
    case 'GroupMemberRemoved':
      return { ...known, members: leaving(known.members, event.data.until, [event.data.customer]) };
    case 'GroupSplit':
      return { ...known, members: leaving(known.members, event.data.until, event.data.customers) };
    case 'GroupsMerged':
      return { ...known, members: joining(known.members, event.data.members, event.data.from) };
    case 'GroupDissolved': {
      const { until, into = null } = event.data;
      return { ...known, members: leaving(known.members, until), dissolved: { on: until, into } };
    }
  }
}

type Members = GroupVersion['members'];

function joining(members: Members, customers: readonly string[], from: string): Members {
  return [...members, ...customers.map((customer) => ({ customer, from, until: null }))];
}

/** @param customers whoever leaves; all where absent */
function leaving(members: Members, until: string, customers?: readonly string[]): Members {
  return members.map((member) =>
    member.until === null && (customers === undefined || customers.includes(member.customer)) ? { ...member, until } : member,
  );
}

function lineOf(value: Personal): string | null {
  if (value instanceof Erased) return null;
  if (value instanceof Sealed) return value.toString();
  throw new TypeError('a personal value reached a read model unsealed');
}
