// Groups by their rules: who may be in one, who may leave, and how two become one and one becomes two.
import { describe, expect, it } from 'vitest';
import type { GroupFact } from '../../src/domain/group/events.ts';
import { type GroupCommand, group } from '../../src/domain/group/group.ts';
import { given, stateAfter } from '../support/given.ts';

const groupId = '018f3e6a-7c4e-8abc-9def-0123456789b1';
const otherId = '018f3e6a-7c4e-8abc-9def-0123456789b2';
const [wang, li, zhao, firm] = ['c1', 'c2', 'c3', 'c4'].map((last) => `018f3e6a-7c4e-8abc-9def-0123456789${last}`) as [
  string,
  string,
  string,
  string,
];
const [reason, today] = ['told so', '2026-03-02'];
const subject = `customer-${wang}`;
const person = (id: string) => ({ id, kind: 'person' as const });
const said = { groupId, reason, today };

const formed: GroupFact = {
  type: 'GroupFormed',
  data: { groupId, kind: 'household', name: '王家', head: wang, members: [wang, li, zhao], from: '2026-01-01', reason },
  subject,
};
const dissolved: GroupFact = { type: 'GroupDissolved', data: { groupId, until: today, reason }, subject };
const otherState = (members: readonly string[], kind: 'household' | 'corporate' = 'household') =>
  stateAfter(group, [
    { type: 'GroupFormed', data: { groupId: otherId, kind, name: 'x', head: members[0] ?? '', members: [...members], from: today, reason } },
  ]);

describe('a group', () => {
  const form: GroupCommand = { ...said, do: 'form', kind: 'household', name: '王家', members: [wang, li, zhao].map(person), from: '2026-01-01' };

  it('is formed of its members, the first its head', () => {
    given(group).when(form).emits(formed);
    given(group, formed).when(form).emits();
  });
  it('of a household is of persons, each named once, from a day on that has come', () => {
    given(group)
      .when({ ...form, members: [person(wang), { id: firm, kind: 'organisation' }] })
      .isRefused('GroupMemberWrong');
    given(group)
      .when({ ...form, kind: 'corporate', members: [person(wang), { id: firm, kind: 'organisation' }] })
      .emits({
        type: 'GroupFormed',
        data: { groupId, kind: 'corporate', name: '王家', head: wang, members: [wang, firm], from: '2026-01-01', reason },
        subject,
      });
    given(group)
      .when({ ...form, members: [person(wang), person(wang)] })
      .isRefused('GroupMemberWrong', 'Each member is named once.');
    given(group)
      .when({ ...form, from: '2026-03-03' })
      .isRefused('GroupDatesWrong');
  });
  it('is joined and left, but by its head', () => {
    given(group, formed)
      .when({ ...said, do: 'add', member: person(firm) })
      .emits({ type: 'GroupMemberAdded', data: { groupId, customer: firm, from: today, reason }, subject });
    given(group, formed)
      .when({ ...said, do: 'add', member: person(li) })
      .emits();
    given(group, formed)
      .when({ ...said, do: 'remove', customer: li, until: '2026-02-01' })
      .emits({ type: 'GroupMemberRemoved', data: { groupId, customer: li, until: '2026-02-01', reason }, subject });
    given(group, formed)
      .when({ ...said, do: 'remove', customer: li, until: '2025-12-31' })
      .isRefused('GroupDatesWrong');
    given(group, formed)
      .when({ ...said, do: 'remove', customer: firm })
      .emits();
    given(group, formed)
      .when({ ...said, do: 'remove', customer: wang })
      .isRefused('GroupHeadStays');
  });
  it('is split: those who leave stand in the new one first, and then leave the old one', () => {
    const state = stateAfter(group, [formed]);
    const formSplit = { reason, today, groupId: otherId, do: 'form-split', name: '李家', customers: [li], old: { id: groupId, state } } as const;
    given(group)
      .when(formSplit)
      .emits({
        type: 'GroupFormed',
        data: { groupId: otherId, kind: 'household', name: '李家', head: li, members: [li], from: today, splitFrom: groupId, reason },
        subject: `customer-${li}`,
      });
    given(group)
      .when({ ...formSplit, customers: [wang] })
      .isRefused('GroupHeadStays');
    given(group)
      .when({ ...formSplit, customers: [firm] })
      .isRefused('GroupMemberWrong');
    const split: GroupFact = { type: 'GroupSplit', data: { groupId, into: otherId, customers: [li], until: today, reason }, subject };
    given(group, formed)
      .when({ ...said, do: 'split', into: otherId, customers: [li] })
      .emits(split);
    // A retry after a crash finds it done.
    given(group, formed, split)
      .when({ ...said, do: 'split', into: otherId, customers: [li] })
      .emits();
  });
  it('takes in another, of its kind and of a greater id', () => {
    const merge = { ...said, do: 'merge', other: { id: otherId, state: otherState([firm, li]) } } as const;
    const merged: GroupFact = { type: 'GroupsMerged', data: { groupId, other: otherId, members: [firm], from: today, reason }, subject };
    given(group, formed).when(merge).emits(merged);
    given(group, formed, merged)
      .when({ ...merge, other: { id: otherId, state: stateAfter(group, [dissolved]) } })
      .emits();
    given(group, formed)
      .when({ ...merge, other: { id: groupId, state: otherState([firm]) } })
      .isRefused('GroupMergesOtherWay');
    given(group, formed)
      .when({ ...merge, other: { id: otherId, state: otherState([firm], 'corporate') } })
      .isRefused('GroupKindsDiffer');
    expect(stateAfter(group, [formed, merged]).members.size).toBe(4);
    const late: GroupFact = { type: 'GroupsMerged', data: { ...merged.data, members: ['late'] }, subject };
    given(group, formed, merged)
      .when({ ...merge, other: { id: otherId, state: otherState([firm, 'late']) } })
      .emits(late);
  });
  it('is dissolved into another once all of its members belong to that', () => {
    const into = (members: readonly string[]) => ({ ...said, do: 'dissolve', into: { id: otherId, state: otherState(members) } }) as const;
    given(group, formed)
      .when(into([wang, li]))
      .isRefused('GroupJoinedMeanwhile');
    given(group, formed)
      .when(into([wang, li, zhao, firm]))
      .emits({ type: 'GroupDissolved', data: { groupId, until: today, into: otherId, reason }, subject });
  });
  it('that is dissolved is over', () => {
    given(group, formed)
      .when({ ...said, do: 'dissolve' })
      .emits(dissolved);
    given(group, formed, dissolved)
      .when({ ...said, do: 'dissolve' })
      .emits();
    given(group, formed, dissolved)
      .when({ ...said, do: 'add', member: person(firm) })
      .isRefused('GroupIsDissolved');
    given(group)
      .when({ ...said, do: 'dissolve' })
      .isRefused('GroupNotFound');
  });
});
