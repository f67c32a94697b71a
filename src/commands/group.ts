// Commands on groups of customers: a person confirms what was proposed, or knows better. The rules are in domain/group/; splitting and
// merging take two commands each, issued by api/group-routes.ts.
import { z } from 'zod';
import type { CustomerState } from '../domain/customer/customer.ts';
import { CustomerId } from '../domain/customer/events.ts';
import { PersonOrFirmName } from '../domain/customer/names.ts';
import { GroupId, GroupKind } from '../domain/group/events.ts';
import { type GroupCommand, type GroupState, group } from '../domain/group/group.ts';
import { CalendarDate } from '../domain/kernel/calendar-date.ts';
import { dateOf } from '../domain/kernel/source.ts';
import { type AnyCommand, type CommandContext, defineCommand, type Reference } from './command.ts';
import { customerReference, customerUnknown } from './customer-reference.ts';

const MOST_MEMBERS = 100;
const Reason = z.string().trim().min(1).max(500);
const nothing = z.strictObject({});
const groupParams = z.strictObject({ groupId: GroupId });
type GroupParams = z.output<typeof groupParams>;

const rejections = {
  ...customerUnknown,
  GroupNotFound: 404,
  GroupUnknown: 422,
  GroupIsDissolved: 409,
  GroupMemberWrong: 422,
  GroupHeadStays: 409,
  GroupDatesWrong: 422,
  GroupKindsDiffer: 409,
  GroupMergesOtherWay: 409,
  GroupJoinedMeanwhile: 409,
} as const;
const ofGroup = { category: 'group', decider: group, roles: ['operations', 'risk'], rejections } as const;
const onGroup = {
  ...ofGroup,
  params: groupParams,
  target: ({ groupId }: GroupParams) => groupId,
  refersTo: ({ state }: { readonly state: GroupState }) => headReference(state),
} as const;

const meantBy = (reason: string, { id, now, zone }: CommandContext) => ({ groupId: id, reason, today: dateOf(now, zone) });

export const formGroup = defineCommand({
  ...ofGroup,
  name: 'FormGroup',
  summary: 'Form a household, a family or a corporate group; its first member is its head',
  route: 'POST /v1/groups',
  params: nothing,
  body: z.strictObject({
    kind: GroupKind,
    name: PersonOrFirmName,
    members: z.array(CustomerId).min(2).max(MOST_MEMBERS),
    from: CalendarDate.optional().meta({ description: 'Since when they belong together; today where absent' }),
    reason: Reason,
  }),
  refersTo: ({ body: { members } }) => members.map((member, index) => customerReference(member, `/members/${index}`)),
  command: ({ body: { reason, members, ...body } }, context): GroupCommand => ({
    do: 'form',
    ...meantBy(reason, context),
    ...body,
    members: members.map((id, index) => ({ id, kind: kindOf(context.referred[index]) })),
  }),
});

export const addGroupMember = defineCommand({
  ...onGroup,
  name: 'AddGroupMember',
  summary: 'Let a customer belong to a group',
  route: 'POST /v1/groups/{groupId}/members',
  body: z.strictObject({ customer: CustomerId, from: CalendarDate.optional(), reason: Reason }),
  refersTo: ({ body: { customer }, state }) => [customerReference(customer, '/customer'), ...headReference(state)],
  command: ({ body: { reason, customer, from } }, context): GroupCommand => ({
    do: 'add',
    ...meantBy(reason, context),
    member: { id: customer, kind: kindOf(context.referred[0]) },
    from,
  }),
});

export const removeGroupMember = defineCommand({
  ...onGroup,
  name: 'RemoveGroupMember',
  summary: 'Let a customer no longer belong to a group',
  route: 'POST /v1/groups/{groupId}/members/{customerId}/remove',
  params: groupParams.extend({ customerId: CustomerId }),
  body: z.strictObject({
    until: CalendarDate.optional().meta({ description: 'The first day on which they do not belong to it any more; today where absent' }),
    reason: Reason,
  }),
  refersTo: ({ params: { customerId }, state }) => [...headReference(state), seenMember(customerId)],
  command: ({ params: { customerId }, body: { reason, until } }, context): GroupCommand => ({
    do: 'remove',
    ...meantBy(reason, context),
    customer: customerId,
    until,
  }),
});

export const dissolveGroup = defineCommand({
  ...onGroup,
  name: 'DissolveGroup',
  summary: 'Dissolve a group: from today on nobody belongs to it',
  route: 'POST /v1/groups/{groupId}/dissolve',
  body: z.strictObject({ reason: Reason }),
  command: ({ body: { reason } }, context): GroupCommand => ({ do: 'dissolve', ...meantBy(reason, context) }),
});

/** The first half of a split: those who go stand in a group of their own. */
export const formSplitGroup = defineCommand({
  ...ofGroup,
  name: 'FormSplitGroup',
  summary: 'Form a group of some who leave another',
  params: nothing,
  body: z.strictObject({
    group: GroupId,
    customers: z.array(CustomerId).min(1).max(MOST_MEMBERS),
    name: PersonOrFirmName,
    reason: Reason,
  }),
  refersTo: ({ body: { group: old, customers } }) => [
    groupReference(old, { rejected: 'GroupNotFound', detail: 'There is no such group.' }),
    ...customers.map((customer, index) => customerReference(customer, `/customers/${index}`)),
  ],
  command: ({ body: { reason, group: old, name, customers } }, context): GroupCommand => ({
    do: 'form-split',
    ...meantBy(reason, context),
    ...{ name, customers },
    old: { id: old, state: context.referred[0] as GroupState },
  }),
});

/** The second half: they leave the old one. */
export const splitGroup = defineCommand({
  ...onGroup,
  name: 'SplitGroup',
  summary: 'Split a group: some of its members form one of their own, the first of them its head',
  body: z.strictObject({ into: GroupId, customers: z.array(CustomerId), reason: Reason }),
  command: ({ body: { reason, into, customers } }, context): GroupCommand => ({ do: 'split', ...meantBy(reason, context), into, customers }),
});

/** The first half of a merger: those of the other belong to this one. */
export const mergeGroups = defineCommand({
  ...onGroup,
  name: 'MergeGroups',
  summary: 'Merge another group into this one, which has the lesser id',
  body: z.strictObject({ other: GroupId, reason: Reason }),
  refersTo: ({ body, state }) => [groupReference(body.other, groupUnknown('/other')), ...headReference(state)],
  command: ({ body: { reason, other } }, context): GroupCommand => ({
    do: 'merge',
    ...meantBy(reason, context),
    other: { id: other, state: context.referred[0] as GroupState },
  }),
});

/** The second half: the other is no more. */
export const dissolveInto = defineCommand({
  ...onGroup,
  name: 'DissolveInto',
  summary: 'Dissolve a group into the one that it was merged into',
  body: z.strictObject({ into: GroupId, reason: Reason }),
  refersTo: ({ body, state }) => [groupReference(body.into, groupUnknown('/into')), ...headReference(state)],
  command: ({ body: { reason, into } }, context): GroupCommand => ({
    do: 'dissolve',
    ...meantBy(reason, context),
    into: { id: into, state: context.referred[0] as GroupState },
  }),
});

export const groupCommands: readonly AnyCommand[] = [
  formGroup,
  addGroupMember,
  removeGroupMember,
  dissolveGroup,
  formSplitGroup,
  splitGroup,
  mergeGroups,
  dissolveInto,
];

/** Whoever may not see its head is told that there is no such group. */
function headReference({ existence, head }: GroupState): readonly Reference[] {
  const otherwise = { rejected: 'GroupNotFound', detail: 'There is no such group.' } as const;
  return existence === 'none' ? [] : [{ ...customerReference(head, ''), otherwise }];
}

function seenMember(customerId: string): Reference {
  const otherwise = { rejected: 'CustomerUnknown', detail: 'There is no customer with this id that you may see.' } as const;
  return { ...customerReference(customerId, ''), otherwise };
}

function groupReference(id: string, otherwise: Reference['otherwise']): Reference {
  const isThere: Reference['isThere'] = (state) => (state as GroupState).existence !== 'none';
  return { category: 'group', id, decider: group, isThere, within: (state) => headReference(state as GroupState), otherwise };
}

function groupUnknown(pointer: string): Reference['otherwise'] {
  return { rejected: 'GroupUnknown', detail: 'There is no other group with this id.', pointer };
}

function kindOf(state: unknown): 'person' | 'organisation' {
  return (state as CustomerState).kind ?? 'person';
}
