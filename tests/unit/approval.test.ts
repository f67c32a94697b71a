// Four eyes by the rule: who may decide on a change, how long, and which commands wait by which policy.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allCommands } from '../../src/commands/all.ts';
import { type ApprovalCommand, approval, approvalVisibleTo, mayDecide, type Proposal } from '../../src/domain/approval/approval.ts';
import { type ApprovalFact, type ApprovalRule, approvalEvents, type PolicyFact } from '../../src/domain/approval/events.ts';
import { approvalPolicy, ruleFor } from '../../src/domain/approval/policy.ts';
import type { Actor } from '../../src/domain/kernel/event.ts';
import { Role } from '../../src/domain/kernel/roles.ts';
import { given, stateAfter } from '../support/given.ts';

const approvalId = '01990f7c-5f00-8aaa-8bbb-0123456789ab';
const customer = '01990f7c-5f00-8aaa-8bbb-0123456789ac';
const subject = `customer-${customer}`;
const expiresAt = '2026-03-06T01:00:00.000Z';
const now = '2026-03-03T01:00:00.000Z';
const proposal: Proposal = {
  command: { name: 'CorrectName', version: 1 },
  target: subject,
  base: 3,
  params: { customerId: customer },
  body: '{}',
  diff: [{ field: 'name', mask: 'name', before: '王小明', after: '王晓明' }],
  maker: { subject: 'li', role: 'rm', onBehalfOf: 'chen' },
  customer,
  policy: { id: 'approval', version: 0 },
  approvers: ['operations'],
  expiresAt,
};
const asked: ApprovalFact = { type: 'ApprovalRequested', data: { approvalId, ...proposal }, subject } as ApprovalFact;
const granted = { type: 'ApprovalGranted', data: { approvalId }, subject } as ApprovalFact;
const rejected = { type: 'ApprovalRejected', data: { approvalId, reason: 'no paper' }, subject } as ApprovalFact;
const withdrawn = { type: 'ApprovalWithdrawn', data: { approvalId }, subject } as ApprovalFact;
const expired = { type: 'ApprovalExpired', data: { approvalId }, subject, occurredAt: expiresAt } as ApprovalFact;
const done = { type: 'ApprovalCarriedOut', data: { approvalId, stream: subject, revision: 4 }, subject } as ApprovalFact;
const failed = { type: 'ApprovalFailed', data: { approvalId, why: 'base-moved' }, subject } as ApprovalFact;
const ops: Actor = { subject: 'ops', role: 'operations' };
const grant = (by: Actor = ops, at = now): ApprovalCommand => ({ do: 'grant', approvalId, by, now: at });
const reject = (by: Actor = ops): ApprovalCommand => ({ do: 'reject', approvalId, by, now, reason: 'no paper' });
const withdraw = (by: Actor): ApprovalCommand => ({ do: 'withdraw', approvalId, by, now });

describe('an approval', () => {
  it('is asked for once', () => {
    given(approval).when({ do: 'request', approvalId, proposal }).emits(asked);
    given(approval, asked).when({ do: 'request', approvalId, proposal }).emits();
  });
  it('is granted or rejected by one of its approvers', () => {
    given(approval, asked).when(grant()).emits(granted);
    given(approval, asked).when(reject()).emits(rejected);
    given(approval).when(grant()).isRefused('ApprovalNotFound');
  });
  it('is never decided by its maker in any role, by whom they acted for, or by who acts for them', () => {
    for (const role of Role.options) {
      given(approval, asked)
        .when(grant({ subject: 'li', role }))
        .isRefused('OwnProposal');
      given(approval, asked)
        .when(reject({ subject: 'chen', role }))
        .isRefused('OwnProposal');
      given(approval, asked)
        .when(grant({ subject: 'wu', role, onBehalfOf: 'li' }))
        .isRefused('OwnProposal');
    }
  });
  it('is decided by no other role, nor within a branch alone', () => {
    for (const role of Role.options.filter((one) => one !== 'operations'))
      given(approval, asked)
        .when(grant({ subject: 'wu', role }))
        .isRefused('NotAnApprover');
    given(approval, asked)
      .when(grant({ ...ops, scope: 'branch:3100' }))
      .isRefused('NotAnApprover');
    given(approval, asked)
      .when(grant({ ...ops, scope: 'bank' }))
      .emits(granted);
  });
  it('is withdrawn by its maker alone', () => {
    given(approval, asked)
      .when(withdraw({ subject: 'li', role: 'teller' }))
      .emits(withdrawn);
    given(approval, asked).when(withdraw(ops)).isRefused('NotTheMaker');
  });
  it('ends undecided at its hour, and not before', () => {
    given(approval, asked).when({ do: 'expire', approvalId, now: '2026-03-06T00:59:59.999Z' }).emits();
    given(approval, asked).when({ do: 'expire', approvalId, now: expiresAt }).emits(expired);
    given(approval, asked).when(grant(ops, expiresAt)).isRefused('ApprovalOver');
  });
  it('that is over stays as it ended', () => {
    for (const end of [granted, rejected, withdrawn, expired]) {
      given(approval, asked, end).when(grant()).isRefused('ApprovalOver');
      given(approval, asked, end).when(reject()).isRefused('ApprovalOver');
      given(approval, asked, end)
        .when(withdraw({ subject: 'li', role: 'rm' }))
        .isRefused('ApprovalOver');
      given(approval, asked, end).when({ do: 'expire', approvalId, now: '2027-01-01T00:00:00.000Z' }).emits();
    }
  });
  it('tells once what became of it', () => {
    const carriedOut: ApprovalCommand = { do: 'record-carried-out', approvalId, stream: subject, revision: 4 };
    given(approval, asked, granted).when(carriedOut).emits(done);
    given(approval, asked, granted, done).when(carriedOut).emits();
    given(approval, asked, granted).when({ do: 'record-failure', approvalId, why: 'base-moved' }).emits(failed);
    given(approval, asked, granted, done).when({ do: 'record-failure', approvalId, why: 'base-moved' }).emits();
    given(approval, asked).when(carriedOut).emits();
  });
  it('is seen by its maker, and by approvers and auditors of the whole bank', () => {
    const sees = (actor: Actor) => approvalVisibleTo(stateAfter(approval, [asked]), actor);
    expect(sees({ subject: 'li', role: 'rm' })).toBe(true);
    expect(Role.options.filter((role) => sees({ subject: 'wu', role }))).toStrictEqual(['risk', 'operations', 'auditor']);
    expect(sees({ ...ops, scope: 'branch:3100' })).toBe(false);
  });
  it('comes out of any commands as the schema has it, and the maker never decided', () => {
    const actor = fc.record({ subject: fc.constantFrom('li', 'chen', 'ops', 'ria'), role: fc.constantFrom('operations', 'risk', 'rm') });
    const command = fc.oneof(
      actor.map((by) => grant(by)),
      actor.map((by) => reject(by)),
      actor.map((by) => withdraw(by)),
      fc.constantFrom<ApprovalCommand>(
        { do: 'expire', approvalId, now: expiresAt },
        { do: 'record-carried-out', approvalId, stream: subject, revision: 4 },
        { do: 'record-failure', approvalId, why: 'right-gone' },
      ),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 12 }), (commands) => {
        let state = stateAfter(approval, [asked]);
        let decisions = 0;
        for (const one of commands) {
          const facts = approval.decide(one, state);
          expect(approval.decide(one, state)).toStrictEqual(facts);
          if (!Array.isArray(facts)) continue;
          for (const fact of facts as ApprovalFact[]) {
            approvalEvents.find(({ type }) => type === fact.type)?.data.parse(fact.data);
            if ('by' in one && one.do !== 'withdraw') {
              decisions += 1;
              expect(mayDecide(state, one.by)).toBe(true);
              expect(['li', 'chen']).not.toContain(one.by.subject);
            }
            state = approval.evolve(state, fact);
          }
        }
        expect(decisions).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('the policy', () => {
  const { initialState } = approvalPolicy;
  const rule: ApprovalRule = {
    command: 'AddContact',
    when: { is: { kind: ['phone'], verified: [false] } },
    approvers: ['risk'],
    expiresAfterHours: 24,
  };
  const published: PolicyFact = { type: 'ApprovalPolicyPublished', data: { version: 1, rules: [rule] } };
  it('of version 0 lets name and documents wait, and a renewal not', () => {
    expect(['CorrectName', 'AddDocument', 'WithdrawDocument'].every((name) => ruleFor(initialState, name, {}))).toBe(true);
    expect(['RenewDocument', 'RegisterCustomer', 'AddContact'].some((name) => ruleFor(initialState, name, {}))).toBe(false);
  });
  it('names commands that there are', () => {
    const names = allCommands([]).map(({ name }) => name);
    for (const { command } of initialState.rules) expect(names).toContain(command);
  });
  it('is replaced whole by the next version, which keeps what was named', () => {
    given(approvalPolicy)
      .when({ rules: [rule] })
      .emits(published);
    given(approvalPolicy, published)
      .when({ rules: [rule] })
      .isRefused('PolicyUnchanged');
    const state = stateAfter(approvalPolicy, [published]);
    expect(ruleFor(state, 'CorrectName', {})).toBeUndefined();
    expect([...state.everNamed]).toEqual(expect.arrayContaining(['CorrectName', 'AddContact']));
  });
  it('can let a command wait by what its body says', () => {
    const state = stateAfter(approvalPolicy, [published]);
    expect(ruleFor(state, 'AddContact', { kind: 'phone', verified: false })).toStrictEqual(rule);
    expect(ruleFor(state, 'AddContact', { kind: 'phone', verified: true })).toBeUndefined();
    expect(ruleFor(state, 'AddContact', { kind: 'e-mail', verified: false })).toBeUndefined();
    const byField = { rules: [{ ...rule, command: 'AssignCustomer', when: { fields: ['manager'] } }] };
    expect(ruleFor(byField, 'AssignCustomer', { manager: null })).toBeDefined();
    expect(ruleFor(byField, 'AssignCustomer', { branch: '3100' })).toBeUndefined();
  });
  it('itself waits, whatever it says', () => {
    expect(ruleFor({ rules: [] }, 'PublishApprovalPolicy', { rules: [] })).toMatchObject({ approvers: ['operations', 'risk'] });
  });
});
