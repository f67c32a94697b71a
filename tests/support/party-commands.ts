// Commands to the deciders of what stands between parties, of consents, and of changes that wait for approval.
import fc from 'fast-check';
import { approval } from '../../src/domain/approval/approval.ts';
import { approvalPolicy } from '../../src/domain/approval/policy.ts';
import { consentLedger } from '../../src/domain/consent/ledger.ts';
import { group } from '../../src/domain/group/group.ts';
import { pair } from '../../src/domain/matching/pair.ts';
import { ownerConfirmation } from '../../src/domain/relationship/owner-confirmation.ts';
import { relation } from '../../src/domain/relationship/relation.ts';
import { builtInTypes, relationType } from '../../src/domain/relationship/relation-type.ts';
import {
  type Aggregates,
  type AnyDecider,
  day,
  does,
  id,
  instant,
  maybe,
  oneOf,
  oneOfAbout,
  other,
  partyKind,
  record,
  staff,
  words,
} from './decider-pools.ts';

const customerId = fc.constant(id);
const reason = words;

const said = {
  customerId,
  purpose: does('service', 'marketing', 'cross-border'),
  channel: maybe(does('call', 'sms')),
  contactId: maybe(fc.constant('1')),
  textVersion: fc.constant('2026-1'),
  evidence: maybe(words),
  hasContact: fc.boolean(),
};
const consentCommands = oneOf(
  {
    do: fc.constant('give'),
    ...said,
    basis: does('consent', 'contract'),
    separate: fc.boolean(),
    guardian: maybe(fc.record({ name: words, relation: does('mother', 'other') })),
    expiresOn: maybe(day),
    birthDate: maybe(does('1980-02-29', '2015-05-05')),
    today: day,
  },
  { do: fc.constant('refuse'), ...said, reason: maybe(words) },
  { do: fc.constant('withdraw'), customerId, consentId: fc.constantFrom('1', '2', '9'), reason: maybe(words) },
);

const [lesser, greater] = ['0190a0b0-0000-7000-8000-00000000000a', '0190a0b0-0000-7000-8000-00000000000b'] as const;
const pairId = fc.constant(`${lesser}.${greater}`);
const pairCommands = oneOf(
  {
    do: fc.constant('find'),
    pair: pairId,
    entered: other,
    score: fc.constantFrom(0.5, 0.93),
    reasons: fc.array(fc.record({ field: does('name', 'phone'), speaks: does('for', 'against'), words }), { maxLength: 2 }),
    weights: fc.constantFrom(1, 2),
    denied: maybe(fc.record({ by: staff, reason })),
  },
  { do: fc.constant('decide'), pair: pairId, decision: does('same', 'different', 'later'), reason, isMarked: fc.boolean() },
);

const relationId = fc.constant(id);
const end = fc.record({ id: other, kind: partyKind });
const share = record({ percent: does('25', '33.5'), basis: does('equity', 'voting') });
/** Mostly as the type wants it. */
const relatedAs = fc.oneof(
  record({
    type: fc.constant('shareholder'),
    definition: fc.constant(builtInTypes.shareholder),
    share,
    of: fc.constant({ id: greater, kind: 'organisation' }),
  }),
  record({ type: fc.constant('spouse'), definition: fc.constant(builtInTypes.spouse), of: fc.constant({ id: greater, kind: 'person' }) }),
  record({ type: fc.constant('trade-partner'), definition: fc.constant({ inverse: 'trade-partner', share: false }), of: end }, { share }),
);
const relationCommands = fc.oneof(
  oneOfAbout({
    do: fc.constant('record'),
    relationId,
    about: relatedAs,
    typeVersion: fc.nat(2),
    party: fc.oneof(fc.constant({ id: lesser, kind: 'person' }), end),
    from: maybe(day),
    until: maybe(day),
    source: fc.record({ kind: does('customer', 'registry'), reference: maybe(words) }),
  }),
  oneOf(
    { do: fc.constant('verify'), relationId, method: does('registry', 'site-visit'), evidence: words },
    { do: fc.constant('correct'), relationId, from: maybe(fc.option(day)), until: maybe(fc.option(day)), share: maybe(share), reason },
    { do: fc.constant('end'), relationId, until: day, reason },
  ),
  // Seldom, since little follows it.
  fc.record({ do: does('void', 'verify'), relationId, method: fc.constant('registry'), evidence: words, reason }),
);

const relationTypeName = does('spouse', 'trade-partner');
const relationTypeCommands = oneOfAbout(
  {
    do: fc.constant('define'),
    type: relationTypeName,
    about: fc.oneof(
      fc.constantFrom(builtInTypes.spouse as object),
      record({ inverse: does('trade-partner', 'spouse'), share: fc.boolean() }, { party: partyKind, of: partyKind }),
    ),
  },
  { do: fc.constant('retire'), type: relationTypeName, about: fc.constant({}), reason },
);

const owner = fc.record({ party: other, kind: partyKind, basis: does('equity', 'manager'), percent: maybe(does('25')), relation: maybe(other) });

const groupOf = { groupId: fc.constant(id), reason, today: day };
const groupKind = does('household', 'corporate');
/** One before ours and one after: of two that merge the lesser stays. */
const otherGroup = fc.record({
  id: fc.constantFrom('0190a0b0-0000-7000-8000-000000000000', '0190a0b0-0000-7000-8000-000000000002'),
  state: fc.record({
    existence: does('none', 'stands', 'stands', 'dissolved'),
    kind: fc.constantFrom('household', 'corporate', null),
    head: other,
    members: fc.uniqueArray(other, { minLength: 1 }).map((members) => new Map(members.map((member) => [member, '2026-02-01']))),
    splitFrom: fc.constant(null),
    absorbed: fc.constant(new Set<string>()),
  }),
});
const groupCommands = oneOf(
  { do: fc.constant('form'), ...groupOf, kind: groupKind, name: words, members: fc.array(end, { maxLength: 2 }), from: maybe(day) },
  { do: fc.constant('form-split'), ...groupOf, name: words, customers: fc.array(other, { maxLength: 2 }), old: otherGroup },
  { do: fc.constant('add'), ...groupOf, member: end, from: maybe(day) },
  { do: fc.constant('remove'), ...groupOf, customer: other, until: maybe(day) },
  { do: fc.constant('split'), ...groupOf, into: other, customers: fc.array(other, { maxLength: 2 }) },
  { do: fc.constant('merge'), ...groupOf, other: otherGroup },
  // Seldom, as above.
  { do: does('dissolve', 'add', 'remove', 'add'), ...groupOf, member: end, customer: other, into: maybe(otherGroup) },
);

const approvalId = fc.constant(id);
const proposal = record(
  {
    command: fc.record({ name: does('CorrectName', 'AddDocument'), version: fc.constant(1) }),
    base: fc.constantFrom(-1, 3),
    params: fc.constantFrom({}, { customerId: id }),
    body: fc.constantFrom('{}', '{"name":"张三"}'),
    diff: fc.array(record({ field: words, mask: does('none', 'name') }, { before: words, after: words }), { maxLength: 2 }),
    maker: record({ subject: staff, role: does('rm', 'operations') }, { onBehalfOf: staff, scope: does('bank', 'branch:3100'), sight: words }),
    policy: fc.constant({ id: 'approval', version: 0 }),
    approvers: fc.constantFrom(['operations'], ['operations', 'risk']),
    expiresAt: instant,
  },
  { target: fc.constant(`customer-${id}`), reason, customer: other },
);
const by = fc.oneof(
  fc.constant({ subject: 'carol', role: 'operations' }),
  fc.record({
    subject: fc.constantFrom('alice', 'bob', 'carol'),
    role: does('rm', 'operations', 'risk'),
    onBehalfOf: maybe(staff),
    scope: maybe(does('bank', 'branch:3100')),
  }),
);
const approvalCommands = oneOf(
  { do: fc.constant('request'), approvalId, proposal },
  { do: does('grant', 'reject', 'withdraw', 'expire'), approvalId, by, reason, now: instant },
  { do: fc.constant('record-carried-out'), approvalId, stream: fc.constant(`customer-${id}`), revision: fc.nat(9) },
  { do: fc.constant('record-failure'), approvalId, why: does('base-moved', 'erased') },
);
const rule = record(
  { command: does('CorrectName', 'Assign'), approvers: fc.constantFrom(['operations'], ['risk']), expiresAfterHours: fc.constantFrom(24, 72) },
  { when: record({}, { fields: fc.subarray(['name', 'branch']), is: fc.constantFrom({ kind: ['person'] }, { verified: [true, 1] }) }) },
);

export const partyAggregates: Aggregates = {
  consents: [consentLedger as AnyDecider, consentCommands],
  'pair that is alike': [pair as AnyDecider, pairCommands],
  relation: [relation as AnyDecider, relationCommands],
  'type of relation': [relationType as AnyDecider, relationTypeCommands],
  'beneficial owners': [
    ownerConfirmation as AnyDecider,
    fc.record({
      customerId,
      customerKind: partyKind,
      from: maybe(day),
      owners: fc.array(owner, { maxLength: 2 }),
      methods: fc.subarray(['registry', 'site-visit']),
      evidence: words,
      reviewDueOn: does('2026-02-01', '2027-01-01'),
      today: day,
    }),
  ],
  group: [group as AnyDecider, groupCommands],
  approval: [approval as AnyDecider, approvalCommands],
  'approval policy': [
    approvalPolicy as AnyDecider,
    fc.record({ rules: fc.oneof(fc.array(rule, { maxLength: 2 }), fc.constant(approvalPolicy.initialState.rules)) }),
  ],
};
