// A group's life: formed, joined and left, split, merged, dissolved. The head stays as long as the group does. Splitting and merging touch
// two groups, one after the other: first those who go stand in the new place, then they leave the old one, so that whoever is cut off in
// between is in both, never in none, and the same command again finishes it. Of two that merge the one with the lesser id stays, so that
// two who merge them at once can't dissolve both.
import type { Decider, Rejection } from '../kernel/decider.ts';
import type { GroupFact, GroupKind } from './events.ts';

export interface GroupState {
  readonly existence: 'none' | 'stands' | 'dissolved';
  readonly kind: GroupKind | null;
  readonly head: string;
  /** Since when each of those who belong to it now does. */
  readonly members: ReadonlyMap<string, string>;
  readonly splitFrom: string | null;
  /** Groups that were merged into it. */
  readonly absorbed: ReadonlySet<string>;
}

interface Named {
  readonly id: string;
  readonly kind: 'person' | 'organisation';
}

export type GroupCommand = { readonly groupId: string; readonly reason: string; readonly today: string } & (
  | {
      readonly do: 'form';
      readonly kind: GroupKind;
      readonly name: string;
      /** The first is the head. */
      readonly members: readonly Named[];
      readonly from?: string | undefined;
    }
  | {
      readonly do: 'form-split';
      readonly name: string;
      readonly customers: readonly string[];
      readonly old: { readonly id: string; readonly state: GroupState };
    }
  | { readonly do: 'add'; readonly member: Named; readonly from?: string | undefined }
  | { readonly do: 'remove'; readonly customer: string; readonly until?: string | undefined }
  | { readonly do: 'split'; readonly into: string; readonly customers: readonly string[] }
  | { readonly do: 'merge'; readonly other: { readonly id: string; readonly state: GroupState } }
  | { readonly do: 'dissolve'; readonly into?: { readonly id: string; readonly state: GroupState } | undefined }
);
type CommandTo<Do extends GroupCommand['do']> = Extract<GroupCommand, { do: Do }>;

export type GroupRejection =
  | 'GroupNotFound'
  | 'GroupIsDissolved'
  | 'GroupMemberWrong'
  | 'GroupHeadStays'
  | 'GroupDatesWrong'
  | 'GroupKindsDiffer'
  | 'GroupMergesOtherWay'
  | 'GroupJoinedMeanwhile';
type Refusal = Rejection<GroupRejection>;

export const group: Decider<GroupCommand, GroupState, GroupFact, GroupRejection> = {
  initialState: { existence: 'none', kind: null, head: '', members: new Map(), splitFrom: null, absorbed: new Set() },
  evolve,
  decide,
};

function decide(command: GroupCommand, state: GroupState): readonly GroupFact[] | Refusal {
  if (command.do === 'form' || command.do === 'form-split') {
    // The stream is named by the command, so a group that is there already was formed by it.
    if (state.existence !== 'none') return [];
    return command.do === 'form' ? form(command) : formSplit(command);
  }
  if (state.existence === 'none') return { rejected: 'GroupNotFound', detail: 'There is no such group.' };
  if (state.existence === 'dissolved')
    return command.do === 'dissolve' ? [] : { rejected: 'GroupIsDissolved', detail: 'The group was dissolved: form another.' };
  const { groupId, reason, today } = command;
  const subject = `customer-${state.head}`;
  if (command.do === 'add') return add(command, state);
  if (command.do === 'remove') return remove(command, state);
  if (command.do === 'merge') return merge(command, state);
  if (command.do === 'split') {
    const customers = command.customers.filter((customer) => state.members.has(customer));
    if (customers.length === 0) return [];
    return [{ type: 'GroupSplit', data: { groupId, into: command.into, customers, until: today, reason }, subject }];
  }
  const { into } = command;
  if (into && state.members.keys().some((member) => !into.state.members.has(member)))
    return { rejected: 'GroupJoinedMeanwhile', detail: 'Someone joined it who does not belong to the other yet: merge them once more.' };
  return [{ type: 'GroupDissolved', data: { groupId, until: today, ...(into === undefined ? {} : { into: into.id }), reason }, subject }];
}

function form({ groupId, kind, name, members, from, today, reason }: CommandTo<'form'>): readonly GroupFact[] | Refusal {
  for (const [index, { id, kind: is }] of members.entries()) {
    const wrong = wrongKind(kind, is) ?? (members.findIndex((other) => other.id === id) === index ? undefined : 'Each member is named once.');
    if (wrong !== undefined) return { rejected: 'GroupMemberWrong', detail: wrong, pointer: `/members/${index}` };
  }
  if (from !== undefined && from > today) return { rejected: 'GroupDatesWrong', detail: notLater(today), pointer: '/from' };
  const [head] = members;
  if (head === undefined) return { rejected: 'GroupMemberWrong', detail: 'A group has members: name them.', pointer: '/members' };
  const data = { groupId, kind, name, head: head.id, members: members.map(({ id }) => id), from: from ?? today, reason };
  return [{ type: 'GroupFormed', data, subject: `customer-${head.id}` }];
}

function formSplit({ groupId, name, customers, old, today, reason }: CommandTo<'form-split'>): readonly GroupFact[] | Refusal {
  const { state } = old;
  if (state.existence === 'dissolved') return { rejected: 'GroupIsDissolved', detail: 'The group was dissolved: form another.' };
  for (const [index, customer] of customers.entries()) {
    const pointer = `/customers/${index}`;
    if (customer === state.head)
      return { rejected: 'GroupHeadStays', detail: 'The head stays: let the others leave, or dissolve the group.', pointer };
    if (!state.members.has(customer) || customers.indexOf(customer) !== index)
      return { rejected: 'GroupMemberWrong', detail: 'Whoever leaves is a member, named once.', pointer };
  }
  const [head] = customers;
  if (head === undefined || state.kind === null) return { rejected: 'GroupNotFound', detail: 'There is no such group.' };
  const data = { groupId, kind: state.kind, name, head, members: [...customers], from: today, splitFrom: old.id, reason };
  return [{ type: 'GroupFormed', data, subject: `customer-${head}` }];
}

function add({ groupId, member, from, today, reason }: CommandTo<'add'>, state: GroupState): readonly GroupFact[] | Refusal {
  const wrong = state.kind === null ? undefined : wrongKind(state.kind, member.kind);
  if (wrong !== undefined) return { rejected: 'GroupMemberWrong', detail: wrong, pointer: '/customer' };
  if (from !== undefined && from > today) return { rejected: 'GroupDatesWrong', detail: notLater(today), pointer: '/from' };
  if (state.members.has(member.id)) return [];
  const data = { groupId, customer: member.id, from: from ?? today, reason };
  return [{ type: 'GroupMemberAdded', data, subject: `customer-${state.head}` }];
}

function remove({ groupId, customer, until, today, reason }: CommandTo<'remove'>, state: GroupState): readonly GroupFact[] | Refusal {
  if (customer === state.head) return { rejected: 'GroupHeadStays', detail: 'The head stays: let the others leave, or dissolve the group.' };
  const since = state.members.get(customer);
  if (since === undefined) return [];
  if (until !== undefined && until > today) return { rejected: 'GroupDatesWrong', detail: notLater(today), pointer: '/until' };
  if (until !== undefined && until < since)
    return { rejected: 'GroupDatesWrong', detail: `They belong to it since ${since}: they leave on that day or later.`, pointer: '/until' };
  const data = { groupId, customer, until: until ?? today, reason };
  return [{ type: 'GroupMemberRemoved', data, subject: `customer-${state.head}` }];
}

function merge({ groupId, other, today, reason }: CommandTo<'merge'>, state: GroupState): readonly GroupFact[] | Refusal {
  const members = [...other.state.members.keys()].filter((customer) => !state.members.has(customer)).sort();
  // Once more for those who joined the other since, which is not dissolved yet.
  if (state.absorbed.has(other.id) && members.length === 0) return [];
  const pointer = '/other';
  if (other.id <= groupId)
    return {
      rejected: 'GroupMergesOtherWay',
      detail: 'Of two groups the one with the lesser id stays: merge this one into the other.',
      pointer,
    };
  if (other.state.existence !== 'stands') return { rejected: 'GroupIsDissolved', detail: 'The other group was dissolved.', pointer };
  if (other.state.kind !== state.kind) return { rejected: 'GroupKindsDiffer', detail: 'Only groups of one kind are merged.', pointer };
  return [{ type: 'GroupsMerged', data: { groupId, other: other.id, members, from: today, reason }, subject: `customer-${state.head}` }];
}

/** A household and a family are of persons, a corporate group of firms and whoever controls them. */
function wrongKind(kind: GroupKind, is: Named['kind']): string | undefined {
  return kind !== 'corporate' && is !== 'person' ? `A ${kind} is of persons: name persons, or form a corporate group.` : undefined;
}

function notLater(today: string): string {
  return `It is a day that is not after today, ${today}.`;
}

function evolve(state: GroupState, fact: GroupFact): GroupState {
  switch (fact.type) {
    case 'GroupFormed': {
      const { kind, head, members, from, splitFrom = null } = fact.data;
      return { ...state, existence: 'stands', kind, head, members: new Map(members.map((member) => [member, from])), splitFrom };
    }
    case 'GroupMemberAdded':
      return { ...state, members: new Map([...state.members, [fact.data.customer, fact.data.from]]) };
    case 'GroupMemberRemoved':
      return { ...state, members: without(state.members, [fact.data.customer]) };
    case 'GroupSplit':
      return { ...state, members: without(state.members, fact.data.customers) };
    case 'GroupsMerged': {
      const { members, from, other } = fact.data;
      return {
        ...state,
        members: new Map([...state.members, ...members.map((member) => [member, from] as const)]),
        absorbed: new Set([...state.absorbed, other]),
      };
    }
    case 'GroupDissolved':
      return { ...state, existence: 'dissolved', members: new Map() };
  }
}

function without(members: ReadonlyMap<string, string>, leaving: readonly string[]): ReadonlyMap<string, string> {
  return new Map([...members].filter(([member]) => !leaving.includes(member)));
}
