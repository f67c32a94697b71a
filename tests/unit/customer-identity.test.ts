// Maintenance of names and documents by the rule, and what of it the customer list shows where a core system speaks as well.
import { describe, expect, it } from 'vitest';
import { freedBy } from '../../src/commands/customer-identity.ts';
import { type CustomerCommand, type CustomerState, customer } from '../../src/domain/customer/customer.ts';
import type { CustomerFact } from '../../src/domain/customer/events.ts';
import { unopened } from '../../src/domain/kernel/personal.ts';
import { countingOf, documentCounts, noProfile } from '../../src/projections/customers/profile.ts';
import type { ProfileDocument, ProfileReport } from '../../src/projections/customers/row.ts';
import { given, stateAfter } from '../support/given.ts';

const customerId = '01990f7c-5f00-8aaa-8bbb-0123456789ab';
const reason = 'seen at the counter';
const today = '2026-03-03';
const passport = { type: 'passport', number: 'E12345678', country: 'CN', expiresOn: '2027-01-01' } as const;
const registered: CustomerFact = { type: 'CustomerRegistered', data: { customerId, kind: 'person', name: '王小明', documents: [passport] } };
const visa = { type: 'residence-permit', number: 'R1', expiresOn: '2028-01-01' } as const;
const added: CustomerFact = { type: 'DocumentAdded', data: { customerId, documentId: '2', ...visa, reason } };
const withdrawn = (because: 'entered-by-mistake' | 'not-valid', documentId = '1'): CustomerFact => ({
  type: 'DocumentWithdrawn',
  data: { customerId, documentId, because, reason },
});
const reported = (documents: readonly { type: 'passport'; number: string }[]): CustomerFact => ({
  type: 'CustomerReported',
  data: { customerId, reference: customerId, source: { system: 'core', id: 'C1' }, kind: 'person', name: '王大明', documents: [...documents] },
  occurredAt: '2026-01-01[Asia/Shanghai]',
});
const correct = (name: string): CustomerCommand => ({ do: 'correct-name', customerId, name, reason, plain: unopened });
const add = (over: object = {}): CustomerCommand => ({ do: 'add-document', customerId, reason, plain: unopened, today, ...visa, ...over });
const renew = (documentId: string, expiresOn: string): CustomerCommand => ({
  do: 'renew-document',
  customerId,
  documentId,
  expiresOn,
  reason,
  today,
});
const withdraw = (documentId: string): CustomerCommand => ({ do: 'withdraw-document', customerId, documentId, because: 'not-valid', reason });

describe('a name', () => {
  const corrected: CustomerFact = { type: 'NameCorrected', data: { customerId, name: '王晓明', reason } };
  it('is corrected with a reason, and once', () => {
    given(customer, registered).when(correct('王晓明')).emits(corrected);
    given(customer, registered, corrected).when(correct('王晓明')).emits();
  });
  it('can be given by staff where only a core system knows the customer', () => {
    given(customer, reported([])).when(correct('王晓明')).emits(corrected);
    expect(stateAfter(customer, [reported([]), corrected]).ownName).toBe('王晓明');
  });
  it('is nobody’s where nobody is', () => {
    given(customer).when(correct('王晓明')).isRefused('CustomerNotFound');
  });
});

describe('a document', () => {
  it('that comes later goes on from the number of those registered', () => {
    given(customer, registered).when(add()).emits(added);
  });
  it('is there once, whatever its expiry', () => {
    given(customer, registered, added)
      .when(add({ expiresOn: '2030-01-01' }))
      .isRefused('DocumentThere');
    given(customer, registered)
      .when(add({ type: 'passport', number: 'E12345678', country: undefined }))
      .isRefused('DocumentThere');
  });
  it('is still valid', () => {
    given(customer, registered)
      .when(add({ expiresOn: '2026-03-02' }))
      .isRefused('ExpiryNotLater');
    expect(customer.decide(add({ expiresOn: '2026-03-02' }), stateAfter(customer, [registered]))).toMatchObject({ pointer: '/expiresOn' });
  });
  it('is renewed to a later day only', () => {
    const renewed: CustomerFact = { type: 'DocumentRenewed', data: { customerId, documentId: '1', expiresOn: '2037-01-01', reason } };
    given(customer, registered).when(renew('1', '2037-01-01')).emits(renewed);
    given(customer, registered, renewed).when(renew('1', '2037-01-01')).emits();
    given(customer, registered, renewed).when(renew('1', '2036-01-01')).isRefused('ExpiryNotLater');
    given(customer, registered).when(renew('2', '2037-01-01')).isRefused('DocumentNotFound');
  });
  it('is withdrawn once, and its number is never given again', () => {
    given(customer, registered).when(withdraw('1')).emits(withdrawn('not-valid'));
    given(customer, registered, withdrawn('not-valid')).when(withdraw('1')).emits();
    given(customer, registered, withdrawn('not-valid')).when(withdraw('2')).isRefused('DocumentNotFound');
    given(customer, registered, withdrawn('not-valid')).when(add()).emits(added);
  });
});

describe('the claim of a withdrawn document', () => {
  const freed = (facts: readonly CustomerFact[], documentId = '1'): readonly string[] =>
    freedBy(stateAfter(customer, facts) as CustomerState, documentId, unopened).map(({ value }) => value);
  it('is free for its true holder', () => {
    expect(freed([registered])).toStrictEqual(['passport|CN|E12345678']);
  });
  it('stays where a core system says that it is theirs', () => {
    expect(freed([registered, reported([{ type: 'passport', number: 'E12345678' }])])).toStrictEqual([]);
    expect(freed([registered, reported([{ type: 'passport', number: 'E9' }])])).toStrictEqual(['passport|CN|E12345678']);
  });
});

describe('what counts', () => {
  const document = (type: string, from: string): ProfileDocument => ({ type, from, number: 'n', country: null, expiresOn: null });
  const report = { system: 'core', name: 'core line' } as ProfileReport;
  it('of documents is a core system’s, type by type', () => {
    const documents = [document('passport', 'core'), document('passport', 'own'), document('residence-permit', 'own')];
    expect(documents.map((one) => documentCounts({ ...noProfile, documents }, one))).toStrictEqual([true, false, true]);
  });
  it('of names is a core system’s, and says so', () => {
    const own = { kind: null, name: 'own line', at: '' };
    expect(countingOf({ ...noProfile, own })).toMatchObject({ name: 'own line', nameFrom: 'own' });
    expect(countingOf({ ...noProfile, own, reports: [report] })).toMatchObject({ name: 'core line', nameFrom: 'core' });
    expect(countingOf(noProfile)).toMatchObject({ name: null, nameFrom: null });
  });
});
