// What can have happened to a group of customers (a household, a family, a corporate group): the stored format, for decades. Stream
// `group-<id>`; its subject, whose key seals the name and the reasons, is the head: the person or firm in whose name it was formed.
import { z } from 'zod';
import { defineEvent, type FactOf } from '../kernel/event.ts';
import { personal } from '../kernel/personal.ts';

export const GroupId = z.uuid();
export const GroupKind = z.enum(['household', 'family', 'corporate']);
export type GroupKind = z.output<typeof GroupKind>;
const CustomerId = z.uuid();
const Day = z.iso.date();
const Reason = personal(z.string());
const identity = { retention: 'identity' } as const;

/** They belong to it from the day `from` on. */
export const GroupFormed = defineEvent(
  'GroupFormed',
  z.strictObject({
    groupId: GroupId,
    kind: GroupKind,
    name: personal(z.string()),
    head: CustomerId,
    members: z.array(CustomerId),
    from: Day,
    /** The group that they leave for it. */
    splitFrom: GroupId.optional(),
    reason: Reason,
  }),
  identity,
);
export const GroupMemberAdded = defineEvent(
  'GroupMemberAdded',
  z.strictObject({ groupId: GroupId, customer: CustomerId, from: Day, reason: Reason }),
  identity,
);
/** `until` is the first day on which they do not belong to it any more. */
export const GroupMemberRemoved = defineEvent(
  'GroupMemberRemoved',
  z.strictObject({ groupId: GroupId, customer: CustomerId, until: Day, reason: Reason }),
  identity,
);
/** Some left for a group of their own. */
export const GroupSplit = defineEvent(
  'GroupSplit',
  z.strictObject({ groupId: GroupId, into: GroupId, customers: z.array(CustomerId), until: Day, reason: Reason }),
  identity,
);
/** Those of another group belong to this one; the other is dissolved into it. */
export const GroupsMerged = defineEvent(
  'GroupsMerged',
  z.strictObject({ groupId: GroupId, other: GroupId, members: z.array(CustomerId), from: Day, reason: Reason }),
  identity,
);
export const GroupDissolved = defineEvent(
  'GroupDissolved',
  z.strictObject({ groupId: GroupId, until: Day, into: GroupId.optional(), reason: Reason }),
  identity,
);

export const groupEvents = [GroupFormed, GroupMemberAdded, GroupMemberRemoved, GroupSplit, GroupsMerged, GroupDissolved] as const;
export type GroupFact = FactOf<typeof groupEvents>;
