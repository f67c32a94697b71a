// A customer's life by the rule: given what happened, when this is asked, these facts or this refusal.
import { describe, expect, it } from 'vitest';
import { type CustomerCommand, customer, namesOf } from '../../src/domain/customer/customer.ts';
import type { CustomerFact } from '../../src/domain/customer/events.ts';
import { possiblePairs } from '../../src/domain/customer/pairs.ts';
import { customerVisibleTo } from '../../src/domain/customer/visibility.ts';
import { given, stateAfter } from '../support/given.ts';

const customerId = '01990f7c-5f00-8aaa-8bbb-0123456789ab';
const other = '01990f7c-5f00-8aaa-8bbb-0123456789ac';
const linkedReference = '01990f7c-5f00-8aaa-8bbb-0123456789ad';
const source = { system: 'core', id: 'C-1' } as const;
const day = (date: string) => `${date}[Asia/Shanghai]`;

const registered: CustomerFact = {
  type: 'CustomerRegistered',
  data: {
    customerId,
    kind: 'person',
    name: '王小明',
    manager: 'rm-1',
    branch: '3100',
    contacts: [{ contactId: '1', kind: 'phone', value: '+8613800138000' }],
  },
};
const report = (over: object = {}) => ({ customerId, reference: customerId, source, kind: 'person' as const, name: '王小明', ...over });
const reported = (at: string, over: object = {}): CustomerFact => ({ type: 'CustomerReported', data: report(over), occurredAt: day(at) });
const abandoned: CustomerFact = { type: 'RegistrationAbandoned', data: { customerId } };
const register = (over: object = {}): CustomerCommand => ({
  do: 'register',
  customerId,
  kind: 'person',
  name: '王小明',
  by: { subject: 'rm-1', role: 'rm' },
  ...over,
});

describe('registering', () => {
  it('by a relationship manager makes the customer theirs', () => {
    given(customer)
      .when(register())
      .emits({ type: 'CustomerRegistered', data: { customerId, kind: 'person', name: '王小明', manager: 'rm-1' } });
  });
  it('by a relationship manager for another is refused at the field', () => {
    expect(customer.decide(register({ manager: 'rm-2' }), customer.initialState)).toMatchObject({ rejected: 'ManagerNotYou', pointer: '/manager' });
  });
  it('by a teller names whoever it is, or nobody', () => {
    const by = { subject: 'li', role: 'teller' };
    given(customer)
      .when(register({ by, manager: 'rm-2', branch: '3100' }))
      .emits({ type: 'CustomerRegistered', data: { customerId, kind: 'person', name: '王小明', manager: 'rm-2', branch: '3100' } });
    given(customer)
      .when(register({ by }))
      .emits({ type: 'CustomerRegistered', data: { customerId, kind: 'person', name: '王小明' } });
  });
  it('numbers the contacts, and those that come later go on from there', () => {
    const contacts = [
      { kind: 'phone', value: '+8613800138000' },
      { kind: 'e-mail', value: 'a@example.com' },
    ] as const;
    const state = stateAfter(customer, [...(customer.decide(register({ contacts }), customer.initialState) as CustomerFact[])]);
    expect([...state.contacts.keys()]).toStrictEqual(['1', '2']);
    expect(customer.decide({ do: 'add-contact', customerId, kind: 'wechat', value: 'wang', verified: true }, state)).toStrictEqual([
      { type: 'ContactAdded', data: { customerId, contactId: '3', kind: 'wechat', value: 'wang', verified: true } },
    ]);
  });
  it('that was given up is refused, with the way out', () => {
    given(customer, abandoned).when(register()).isRefused('RegistrationAbandoned');
    expect(customer.decide(register(), stateAfter(customer, [abandoned]))).toMatchObject({ detail: expect.stringContaining('new Idempotency-Key') });
  });
  it('is given up only where nobody came', () => {
    given(customer).when({ do: 'abandon', customerId }).emits(abandoned);
    given(customer, registered).when({ do: 'abandon', customerId }).isRefused('RegistrationStands');
    given(customer, reported('2026-01-01')).when({ do: 'abandon', customerId }).isRefused('RegistrationStands');
  });
});

describe('nobody', () => {
  const asked: CustomerCommand[] = [
    { do: 'add-contact', customerId, kind: 'phone', value: '+8613800138000', verified: false },
    { do: 'verify-contact', customerId, contactId: '1' },
    { do: 'remove-contact', customerId, contactId: '1' },
    { do: 'change-preferences', customerId, channel: 'phone' },
    { do: 'tag', customerId, tag: 'vip' },
    { do: 'untag', customerId, tag: 'vip' },
    { do: 'assign', customerId, manager: 'rm-2' },
    { do: 'link-and-report', customerId, report: report(), at: day('2026-01-01') },
  ];
  it.each(asked.map((command) => [command.do, command] as const))('can be maintained, before or after being given up: %s', (_name, command) => {
    given(customer).when(command).isRefused('CustomerNotFound');
    given(customer, abandoned).when(command).isRefused('CustomerNotFound');
  });
});

describe('a core system’s report', () => {
  it('is taken in whole, on its own day', () => {
    const told = {
      ...report(),
      birthDate: '1980-05-01',
      documents: [{ type: 'passport' as const, number: 'E1', country: undefined }],
      branch: undefined,
    };
    given(customer)
      .when({ do: 'report', customerId, report: told, at: day('2020-01-01') })
      .emits({
        type: 'CustomerReported',
        data: { ...report(), birthDate: '1980-05-01', documents: [{ type: 'passport', number: 'E1' }] },
        occurredAt: day('2020-01-01'),
      });
  });
  it('also where a registration under its id was given up', () => {
    given(customer, abandoned)
      .when({ do: 'report', customerId, report: report(), at: day('2020-01-01') })
      .emits(reported('2020-01-01'));
    expect(stateAfter(customer, [abandoned, reported('2020-01-01')]).existence).toBe('present');
  });
  it('wins over what staff entered for the branch, and an older one that comes late changes nothing', () => {
    const state = stateAfter(customer, [
      registered,
      reported('2026-03-01', { branch: '4200' }),
      reported('2025-01-01', { branch: '1000', name: '王大明' }),
    ]);
    expect(state).toMatchObject({ branch: '4200', ownBranch: '3100', manager: 'rm-1' });
    expect(namesOf(state)).toStrictEqual(['王小明', '王小明']);
  });
  it('of the same day counts by which came later', () => {
    expect(stateAfter(customer, [reported('2026-03-01', { branch: '1' }), reported('2026-03-01', { branch: '2' })]).branch).toBe('2');
  });
  it('of two references counts by the newest that has a branch', () => {
    const linked = { reference: linkedReference, source: { system: 'cards', id: 'K-1' } };
    const past = [reported('2026-01-01', { branch: '1' }), reported('2026-02-01', { ...linked, branch: '2' })] as const;
    expect(stateAfter(customer, past).branch).toBe('2');
    expect(stateAfter(customer, [...past, reported('2026-03-01', linked)]).branch).toBe('1');
    expect([...stateAfter(customer, past).references]).toStrictEqual([customerId, linkedReference]);
  });
  it('links once', () => {
    const link: CustomerCommand = {
      do: 'link-and-report',
      customerId,
      report: report({ reference: linkedReference }),
      at: day('2026-01-01'),
    };
    const linked: CustomerFact = {
      type: 'CustomerLinked',
      data: { customerId, reference: linkedReference, source, because: 'same-document-and-name' },
      occurredAt: day('2026-01-01'),
    };
    const fact = reported('2026-01-01', { reference: linkedReference });
    given(customer, registered).when(link).emits(linked, fact);
    given(customer, registered, linked, fact).when(link).emits(fact);
  });
  it('marks a pair once', () => {
    const mark = { customerId, other, because: 'same-document-other-name', at: day('2026-01-01') } as const;
    const fact = {
      type: 'PossiblePairFound',
      data: { customerId, other, because: 'same-document-other-name' },
      occurredAt: day('2026-01-01'),
      subject: `customer-${customerId}`,
    } as const;
    given(possiblePairs).when(mark).emits(fact);
    given(possiblePairs, fact).when(mark).emits();
  });
});

describe('contacts', () => {
  const removed: CustomerFact = { type: 'ContactRemoved', data: { customerId, contactId: '1' } };
  const verified: CustomerFact = { type: 'ContactVerified', data: { customerId, contactId: '1' } };
  it('are verified once', () => {
    given(customer, registered).when({ do: 'verify-contact', customerId, contactId: '1' }).emits(verified);
    given(customer, registered, verified).when({ do: 'verify-contact', customerId, contactId: '1' }).emits();
    given(customer, registered).when({ do: 'verify-contact', customerId, contactId: '2' }).isRefused('ContactNotFound');
  });
  it('are removed once, and their number is never given again', () => {
    given(customer, registered).when({ do: 'remove-contact', customerId, contactId: '1' }).emits(removed);
    given(customer, registered, removed).when({ do: 'remove-contact', customerId, contactId: '1' }).emits();
    given(customer, registered, removed).when({ do: 'verify-contact', customerId, contactId: '1' }).isRefused('ContactNotFound');
    given(customer, registered, removed).when({ do: 'remove-contact', customerId, contactId: '2' }).isRefused('ContactNotFound');
    given(customer, registered, removed)
      .when({ do: 'add-contact', customerId, kind: 'phone', value: '+8613800138001', verified: false })
      .emits({ type: 'ContactAdded', data: { customerId, contactId: '2', kind: 'phone', value: '+8613800138001', verified: false } });
  });
});

describe('preferences, tags and assignment', () => {
  it('keep what is left out, and null clears', () => {
    const changed: CustomerFact = { type: 'PreferencesChanged', data: { customerId, channel: 'phone', language: null } };
    given(customer, registered).when({ do: 'change-preferences', customerId, channel: 'phone' }).emits(changed);
    given(customer, registered, changed)
      .when({ do: 'change-preferences', customerId, language: 'zh-CN' })
      .emits({ type: 'PreferencesChanged', data: { customerId, channel: 'phone', language: 'zh-CN' } });
    given(customer, registered, changed)
      .when({ do: 'change-preferences', customerId, channel: null })
      .emits({ type: 'PreferencesChanged', data: { customerId, channel: null, language: null } });
    given(customer, registered, changed).when({ do: 'change-preferences', customerId }).emits();
  });
  it('tag once and untag once', () => {
    const tagged: CustomerFact = { type: 'CustomerTagged', data: { customerId, tag: 'vip' } };
    const untagged: CustomerFact = { type: 'CustomerUntagged', data: { customerId, tag: 'vip' } };
    given(customer, registered).when({ do: 'tag', customerId, tag: 'vip' }).emits(tagged);
    given(customer, registered, tagged).when({ do: 'tag', customerId, tag: 'vip' }).emits();
    given(customer, registered, tagged).when({ do: 'untag', customerId, tag: 'vip' }).emits(untagged);
    given(customer, registered).when({ do: 'untag', customerId, tag: 'vip' }).emits();
  });
  it('assign what is said and leave the rest', () => {
    given(customer, registered)
      .when({ do: 'assign', customerId, manager: 'rm-2', reason: '调岗' })
      .emits({ type: 'CustomerAssigned', data: { customerId, manager: 'rm-2', branch: '3100', reason: '调岗' } });
    given(customer, registered)
      .when({ do: 'assign', customerId, branch: null })
      .emits({ type: 'CustomerAssigned', data: { customerId, manager: 'rm-1', branch: null } });
    given(customer, registered).when({ do: 'assign', customerId, manager: 'rm-1' }).emits();
  });
  it('leave the branch to core banking where it says one', () => {
    const past = [registered, reported('2026-01-01', { branch: '4200' })] as const;
    given(customer, ...past)
      .when({ do: 'assign', customerId, branch: '5000' })
      .isRefused('BranchFromSource');
    given(customer, ...past)
      .when({ do: 'assign', customerId, manager: null })
      .emits({ type: 'CustomerAssigned', data: { customerId, manager: null, branch: '3100' } });
  });
  it('decide who sees the customer', () => {
    const assigned: CustomerFact = { type: 'CustomerAssigned', data: { customerId, manager: 'rm-2', branch: null } };
    const seenBy = (past: readonly CustomerFact[], subject: string) => {
      const { manager, branch } = stateAfter(customer, past);
      return customerVisibleTo({ id: customerId, manager, branch }, { subject, role: 'rm' });
    };
    expect([seenBy([registered], 'rm-1'), seenBy([registered], 'rm-2')]).toStrictEqual([true, false]);
    expect([seenBy([registered, assigned], 'rm-1'), seenBy([registered, assigned], 'rm-2')]).toStrictEqual([false, true]);
  });
});
