// How groups and proposals of groups are shown.
import { z } from 'zod';
import { GroupKind } from '../domain/group/events.ts';
import type { ProposedGroup } from '../views/group-proposal.ts';
import type { GroupAt } from '../views/group-rows.ts';
import { PersonalValue } from './customer-view.ts';
import { momentAnswer, NetworkEdgeItem } from './relation-route-parts.ts';

const Minor = z.union([z.int(), z.string()]).meta({ description: 'Minor units; a string past 2^53' });
const Sum = z.strictObject({
  currency: z.string(),
  amount: Minor.nullable().meta({ description: 'Of those known; null where of none' }),
  count: z.int(),
  unknown: z.int(),
});

const GroupItem = z.strictObject({
  id: z.string(),
  kind: GroupKind,
  name: PersonalValue,
  head: z.string().nullable().meta({ description: 'In whose name it was formed; null where you may not see them' }),
  members: z
    .array(z.strictObject({ customer: z.string(), name: PersonalValue, from: z.string() }))
    .meta({ description: 'Those who belong to it on the day, as far as you may see them' }),
});
export const GroupList = z.strictObject({ items: z.array(GroupItem), ...momentAnswer });
export const GroupAnswer = GroupItem.extend({
  covers: z.enum(['whole-bank', 'visible']).meta({ description: '`visible`: members and sums are those of whom you may see alone' }),
  sums: z.strictObject({
    members: z.int(),
    assets: z.array(Sum).meta({ description: 'Balances of owned accounts that are not closed, each account once' }),
    liabilities: z.array(Sum).meta({ description: 'What is outstanding of loans that are not over' }),
    joint: z.int().meta({ description: 'Accounts that more than one of them own' }),
    products: z.array(z.string()),
    loans: z.int(),
    cards: z.int(),
    openTickets: z.int().nullable().meta({ description: 'Null where there are more than are looked at' }),
  }),
  dissolved: z
    .strictObject({ on: z.string(), into: z.string().nullable() })
    .nullable()
    .meta({ description: 'With the group that it was merged into; for who sees the whole bank' }),
  splitFrom: z.string().nullable().meta({ description: 'The group that it left; for who sees the whole bank' }),
  changes: z
    .array(z.strictObject({ recordedAt: z.string(), by: z.string(), reason: PersonalValue, members: z.int() }))
    .meta({ description: 'Each change, the newest first, for who sees the whole bank' }),
  ...momentAnswer,
});
export const GroupProposal = z.strictObject({
  kind: GroupKind,
  members: z.array(
    z.strictObject({
      customer: z.string(),
      name: PersonalValue,
      kind: z.string(),
      reasons: z.array(NetworkEdgeItem).meta({ description: 'The relations by which they come in, from the head on; none of the head' }),
    }),
  ),
  groups: z.array(z.string()).meta({ description: 'Groups of this kind that the customer belongs to already' }),
  cut: z.boolean().meta({ description: 'There is more than was looked at' }),
  ...momentAnswer,
});

type NameOf = (id: string) => z.output<typeof PersonalValue>;

export function groupShown({ id, kind, head, members }: GroupAt, name: z.output<typeof PersonalValue>, nameOf: NameOf): z.output<typeof GroupItem> {
  const isHeadSeen = members.some(({ customer }) => customer === head);
  return {
    ...{ id, kind: GroupKind.parse(kind), name, head: isHeadSeen ? head : null },
    members: members.map(({ customer, from }) => ({ customer, name: nameOf(customer), from })),
  };
}

/** Ids of the parties that a proposal shows. */
export function partiesIn({ nodes, members }: ProposedGroup): string[] {
  return members.map((key) => nodes.get(key)?.party ?? key);
}
