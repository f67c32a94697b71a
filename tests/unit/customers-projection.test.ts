// The customer list's fold: what a row says after each event, which name counts, and that no order of arrival changes it.
import { describe, expect, it } from 'vitest';
import type { Fact } from '../../src/domain/kernel/event.ts';
import { Sealed } from '../../src/domain/kernel/personal.ts';
import { customers } from '../../src/projections/customers/customers.ts';
import { countingOf, profileOf } from '../../src/projections/customers/profile.ts';
import type { CustomerRow } from '../../src/projections/customers/row.ts';
import type { Projection, TokenKind } from '../../src/projections/engine/projection.ts';
import { TableWriter } from '../../src/projections/engine/table-writer.ts';
import { Entry, Unit } from '../../src/projections/engine/unit.ts';
import { ordersOf } from '../support/orders.ts';
import { recorded } from '../support/recorded.ts';
import { personals, searchTokens } from '../support/sample-projection.ts';

const id = '018f3e6a-7c4e-8abc-9def-0123456789a1';
const linked = '018f3e6a-7c4e-8abc-9def-0123456789b2';
const third = '018f3e6a-7c4e-8abc-9def-0123456789a0';
const noon = '2026-03-03T12:00:00.000Z';
const sealed = (text: string): Sealed => new Sealed(`customer-${id}`, 'e', text, '1.1.AAAA.BBBB');
const lines = (cells: readonly unknown[]): readonly string[] => cells.map((cell) => (cell as Sealed).field);

const document = (number: string) => ({ type: 'identity-card', number: sealed(number), country: 'CN' });
const registered = (over: object = {}): Fact => ({
  type: 'CustomerRegistered',
  data: { customerId: id, kind: 'person', name: sealed('张伟'), manager: 'chen', branch: '3100', ...over },
  occurredAt: noon,
});
const reported = (occurredAt: string, over: object = {}): Fact => ({
  type: 'CustomerReported',
  data: { customerId: id, reference: id, source: { system: 'core', id: '7' }, kind: 'person', ...over },
  occurredAt,
});
const at = (type: string, data: object = {}, occurredAt = noon): Fact => ({ type, data: { customerId: id, ...data }, occurredAt });

/** The row after these, positions and revisions counted on. */
function rowAfter(...facts: readonly Fact[]): CustomerRow | undefined {
  let after: CustomerRow | undefined;
  for (const [revision, fact] of facts.entries()) {
    const event = recorded(`customer-${id}`, fact, { revision, position: revision + 1 });
    for (const key of customers.keys(event)) after = customers.apply(after, event, key);
  }
  return after;
}
const row = (...facts: readonly Fact[]): CustomerRow => rowAfter(...facts) as CustomerRow;

describe('the row of a customer', () => {
  it('says of one just registered all that is known', () => {
    const contacts = [
      { contactId: 'c1', kind: 'phone', value: sealed('138') },
      { contactId: 'c2', kind: 'e-mail', value: sealed('mail') },
    ];
    const after = row(registered({ documents: [document('110')], contacts }));
    const { profile, ...columns } = after;
    expect(columns).toStrictEqual({
      id,
      kind: 'person',
      standing: 'prospect',
      name: sealed('张伟'),
      names: [sealed('张伟')],
      documents: [sealed('110')],
      phones: [sealed('138')],
      tags: [],
      manager: 'chen',
      branch: '3100',
      refs: [],
      pairs: [],
      incomplete: false,
      since: noon,
      since_on: noon.slice(0, 10),
      position: 1,
      revision: 0,
    });
    expect(profileOf(profile)).toStrictEqual({
      own: { kind: 'person', name: `${sealed('张伟')}`, at: noon },
      ownBranch: '3100',
      reports: [],
      documents: [{ documentId: '1', type: 'identity-card', number: `${sealed('110')}`, country: 'CN', expiresOn: null, from: 'own' }],
      documentsMade: 1,
      contacts: [
        { contactId: 'c1', kind: 'phone', value: `${sealed('138')}`, verified: false, from: 'own' },
        { contactId: 'c2', kind: 'e-mail', value: `${sealed('mail')}`, verified: false, from: 'own' },
      ],
      preferences: null,
    });
  });

  it('is a customer’s once a core system reports them, under the name that it says; the own name stays, and finds them too', () => {
    const after = row(
      registered(),
      reported('2019-05-01[Asia/Shanghai]', { name: sealed('张薇'), branch: '3200', birthDate: sealed('born'), documents: [document('110')] }),
    );
    expect(after).toMatchObject({ standing: 'customer', name: sealed('张薇'), branch: '3200', manager: 'chen', refs: [id] });
    expect(after.since).toBe('2019-04-30T16:00:00.000Z');
    expect(lines(after.names).toSorted()).toStrictEqual(['张伟', '张薇']);
    expect(profileOf(after.profile).own).toStrictEqual({ kind: 'person', name: `${sealed('张伟')}`, at: noon });
    expect(countingOf(profileOf(after.profile))).toMatchObject({ name: `${sealed('张薇')}`, birthDate: `${sealed('born')}`, sex: null });
  });

  it('keeps the own name and branch where a report has none', () => {
    expect(row(registered(), reported(noon))).toMatchObject({ name: sealed('张伟'), branch: '3100', incomplete: false });
  });

  it('is incomplete where nobody says a name, until someone does', () => {
    const nameless = reported('2019-05-01[Asia/Shanghai]', { kind: 'organisation' });
    expect(row(nameless)).toMatchObject({ name: null, incomplete: true, kind: 'organisation', standing: 'customer', manager: null });
    expect(row(nameless, reported(noon, { name: sealed('工厂') }))).toMatchObject({ name: sealed('工厂'), incomplete: false });
  });

  it('names every reference: its own first, then those linked', () => {
    const source = { system: 'cards', id: '9' };
    const link = (reference: string): Fact => at('CustomerLinked', { reference, source, because: 'same-document-and-name' });
    expect(row(registered(), link(linked)).refs).toStrictEqual([linked]);
    expect(row(registered(), link(linked), reported(noon, { reference: linked, source }), link(third)).refs).toStrictEqual([third, linked]);
    expect(row(registered(), link(third), reported(noon)).refs).toStrictEqual([id, third]);
  });

  it('has the newest report of each reference, and the newest of them counts', () => {
    const core = reported('2020-01-01[Asia/Shanghai]', { name: sealed('core') });
    const cards = reported('2021-01-01[Asia/Shanghai]', { reference: linked, source: { system: 'cards', id: '9' }, name: sealed('cards') });
    const older = reported('2018-01-01[Asia/Shanghai]', { name: sealed('old') });
    const after = row(core, cards, older);
    expect(after).toMatchObject({ name: sealed('cards'), since: '2017-12-31T16:00:00.000Z', since_on: '2018-01-01', position: 3 });
    expect(lines(after.names)).toStrictEqual(['cards', 'core']);
  });

  it('takes the later told of two reports of one time', () => {
    expect(row(reported(noon, { name: sealed('one') }), reported(noon, { name: sealed('two') })).name).toStrictEqual(sealed('two'));
  });

  it('is found by a phone number until it is removed', () => {
    const added = at('ContactAdded', { contactId: 'c1', kind: 'phone', value: sealed('138'), verified: false });
    const report = reported(noon, { contacts: [{ kind: 'phone', value: sealed('010') }] });
    expect(lines(row(registered(), added, report).phones).toSorted()).toStrictEqual(['010', '138']);
    const verified = row(registered(), added, report, at('ContactVerified', { contactId: 'c1' }));
    expect(profileOf(verified.profile).contacts.find(({ contactId }) => contactId === 'c1')?.verified).toBe(true);
    expect(lines(row(registered(), added, report, at('ContactRemoved', { contactId: 'c1' })).phones)).toStrictEqual(['010']);
  });

  it('keeps what staff entered beside what a later report says', () => {
    const own = registered({ documents: [document('own')], contacts: [{ contactId: 'c1', kind: 'phone', value: sealed('138') }] });
    const first = reported('2020-01-01[Asia/Shanghai]', { documents: [document('a'), document('b')] });
    const second = reported('2021-01-01[Asia/Shanghai]', { documents: [document('c')], contacts: [{ kind: 'phone', value: sealed('010') }] });
    const { documents, contacts } = profileOf(row(own, first, second).profile);
    expect(documents.map(({ number, from }) => [number, from])).toStrictEqual([
      [`${sealed('c')}`, 'core'],
      [`${sealed('own')}`, 'own'],
    ]);
    expect(contacts.map(({ from }) => from)).toStrictEqual(['core', 'own']);
  });

  it('keeps tags and pairs sorted, each once', () => {
    const tag = (name: string): Fact => at('CustomerTagged', { tag: name });
    const after = row(registered(), tag('vip'), tag('b'), tag('vip'), tag('a'), at('CustomerUntagged', { tag: 'b' }));
    expect(after.tags).toStrictEqual(['a', 'vip']);
    const pair = (other: string): Fact => at('PossiblePairFound', { other, because: 'same-document-other-name' }, '2001-01-01T00:00:00Z');
    expect(row(registered(), pair(linked), pair(third), pair(linked))).toMatchObject({ pairs: [third, linked], since: noon });
  });

  it('has the manager and branch that it was given last, where no core system says a branch', () => {
    const assigned = at('CustomerAssigned', { manager: null, branch: '3300' });
    expect(row(registered(), assigned)).toMatchObject({ manager: null, branch: '3300' });
    const known = row(registered(), reported(noon, { branch: '3200' }), assigned);
    expect(known).toMatchObject({ manager: null, branch: '3200' });
    expect(profileOf(known.profile).ownBranch).toBe('3300');
  });

  it('says how they want to be reached', () => {
    const { profile } = row(registered(), at('PreferencesChanged', { channel: 'wechat', language: 'zh' }));
    expect(profileOf(profile).preferences).toStrictEqual({ channel: 'wechat', language: 'zh' });
  });

  it('keeps the tokens that are made already where names, documents and phones stay', () => {
    const made = { ...row(registered()), names: ['7'], documents: ['8'], phones: ['9'] };
    const event = recorded(`customer-${id}`, at('CustomerTagged', { tag: 'vip' }));
    expect(customers.apply(made, event, id)).toMatchObject({ names: ['7'], documents: ['8'], phones: ['9'] });
  });

  it('is found by its names, and by whole document and phone numbers alone', async () => {
    const plain = (text: string): Sealed => new Sealed(`customer-${id}`, 'e', 'x', Buffer.from(text).toString('hex'));
    const after = row(
      registered({ name: plain('单雄信'), contacts: [{ contactId: 'c1', kind: 'phone', value: plain('+8613800138000') }] }),
      reported(noon, { documents: [{ type: 'identity-card', number: plain('11010519491231002X') }] }),
    );
    const unit = new Unit(0);
    const entry = new Entry(id, undefined, false);
    entry.row = after;
    unit.entries.set(id, entry);
    const writer = new TableWriter({ pool: undefined as never, schema: 'read', projection: customers as unknown as Projection, personals });
    const [written] = (await writer.changes(unit)).fresh as [CustomerRow];
    const has = (column: 'names' | 'documents' | 'phones', text: string, kind: TokenKind): boolean =>
      searchTokens.queryTokens(text, kind).every((token) => (written[column] as readonly string[]).includes(token));
    expect(['单雄', '信', 'shan xiongxin', 'SXX', '雄单', 'chan'].map((text) => has('names', text, 'names'))).toStrictEqual([
      true,
      true,
      true,
      true,
      false,
      false,
    ]);
    expect(['110105 19491231 002x', '11010519491231002'].map((text) => has('documents', text, 'exact'))).toStrictEqual([true, false]);
    expect(['+86 138-0013-8000', '13800138000'].map((text) => has('phones', text, 'exact'))).toStrictEqual([true, false]);
  });

  it('is none for a registration that never came, nor for what was done before the first report counts', () => {
    expect(customers.keys(recorded(`customer-${id}`, at('RegistrationAbandoned')))).toStrictEqual([]);
    expect(rowAfter(at('CustomerTagged', { tag: 'vip' }))).toBeUndefined();
  });

  it('never keeps a name that is not sealed', () => {
    expect(() => row(registered({ name: '张伟' }))).toThrow(TypeError);
  });

  it('is the same in whatever order the reports come', () => {
    const reports = [
      reported('2019-01-01[Asia/Shanghai]', { name: sealed('a'), branch: '1', contacts: [{ kind: 'phone', value: sealed('p1') }] }),
      reported('2020-01-01T00:00:00Z', { branch: '2', documents: [document('d1')] }),
      reported('2021-01-01[Europe/Prague]', { reference: linked, source: { system: 'cards', id: '9' }, documents: [document('d2')] }),
      reported('2018-01-01[Asia/Shanghai]', { reference: linked, source: { system: 'cards', id: '9' }, name: sealed('b'), kind: 'organisation' }),
    ];
    for (const facts of [reports, [registered({ documents: [document('own')] }), ...reports]]) {
      const [first, ...more] = ordersOf(reports).map((order) => {
        const { position: _, revision: __, ...rest } = row(...facts.filter((fact) => !reports.includes(fact)), ...order);
        return rest;
      });
      expect(more).toHaveLength(23);
      for (const other of more) expect(other).toStrictEqual(first);
    }
  });
});
