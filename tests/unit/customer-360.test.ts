// The 360 view over rows: what counts once, what counts for nothing, what is unknown, and who is named. Rows as tables give them, with
// seals that open to their own envelope.
import { describe, expect, it } from 'vitest';
import { Erased, Sealed } from '../../src/domain/kernel/personal.ts';
import { view360 } from '../../src/views/customer-360.ts';
import type { CustomerRows, StoredHolding, StoredParty } from '../../src/views/customer-rows.ts';
import { windowOf } from '../../src/views/window.ts';

const sealed = (text: string): string => new Sealed('s', 'e', 'f', text).toString();
const opener = {
  openMany: async (values: readonly Sealed[]) => values.map(({ envelope }) => (envelope === 'erased' ? new Erased() : envelope.replaceAll('_', ' '))),
};

function holding(kind: string, id: string, over: Partial<StoredHolding> = {}): StoredHolding {
  return {
    ...{ id, kind, account_id: kind === 'account' ? id : 'a1', customer_ref: null, role: null, status: 'open', source_status: null, product: null },
    ...{ branch: null, currency: 'CNY', amount: null, payment: null, months: null, outstanding: null, category: null, number: null },
    ...{ counterparty_name: null, counterparty_account: null, counterparty_bank: null, since: '2024-01-01', until: null, position: 1 },
    ...over,
  };
}
const owns = (id: string, account_id: string, customer_ref: string, over: Partial<StoredHolding> = {}): StoredHolding =>
  holding('ownership', id, { account_id, customer_ref, role: 'owner', status: 'current', ...over });
const party = (id: string, name: string): StoredParty => ({ id, name: sealed(name), manager: null, branch: null, refs: [id], position: 1 });

function rowsWith(over: Partial<CustomerRows>, name = 'Wang'): CustomerRows {
  const profile = { own: { name: sealed(name), at: '' }, ownBranch: null, reports: [], documents: [], contacts: [], preferences: null };
  return {
    position: 7,
    customer: {
      ...{ id: 'me', kind: 'person', standing: 'customer', name: sealed(name), tags: [], manager: null, branch: null, refs: ['me', 'linked'] },
      ...{ pairs: [], incomplete: false, since_on: '2024-01-01', profile: JSON.stringify(profile), position: 1, revision: 0 },
    },
    ...{ holdings: [], parties: [], tickets: [], enrolments: [], balances: [], flows: [], transactions: [] },
    ...over,
  };
}
const view = async (rows: CustomerRows, role = 'risk', sees: readonly string[] = []) =>
  (await view360(rows, opener, { subject: 'r', role }, new Set(sees))).answer;
const balance = (account_id: string, amount: string, currency = 'CNY') => ({ account_id, amount, currency, as_of: '2024-02-01' });

describe('balances', () => {
  it('count an account once, though it is theirs under two references', async () => {
    const holdings = [holding('account', 'a1'), owns('o1', 'a1', 'me'), owns('o2', 'a1', 'linked', { role: 'joint-owner' })];
    const { accounts, balances } = await view(rowsWith({ holdings, balances: [balance('a1', '500')] }));
    expect(accounts).toHaveLength(1);
    expect(accounts[0]).toMatchObject({ role: 'owner' });
    expect(balances).toStrictEqual([{ currency: 'CNY', amount: 500, accounts: 1, unknown: 0, joint: 1 }]);
  });

  it('are null where nobody says, and say of how many accounts that is', async () => {
    const holdings = [holding('account', 'a1'), holding('account', 'a2'), holding('account', 'a3', { currency: 'EUR' })];
    const ownerships = ['a1', 'a2', 'a3'].map((account) => owns(`o-${account}`, account, 'me'));
    const { accounts, balances } = await view(rowsWith({ holdings: [...holdings, ...ownerships], balances: [balance('a1', '500')] }));
    expect(accounts.map((one) => one.balance?.amount ?? null)).toStrictEqual([500, null, null]);
    expect(balances).toStrictEqual([
      { currency: 'CNY', amount: 500, accounts: 2, unknown: 1, joint: 0 },
      { currency: 'EUR', amount: null, accounts: 1, unknown: 1, joint: 0 },
    ]);
  });

  it('past 2^53 are strings, and exact', async () => {
    const holdings = [holding('account', 'a1'), holding('account', 'a2'), owns('o1', 'a1', 'me'), owns('o2', 'a2', 'me')];
    const { balances } = await view(rowsWith({ holdings, balances: [balance('a1', '9007199254740991'), balance('a2', '2')] }));
    expect(balances[0]?.amount).toBe('9007199254740993');
  });

  it('leave out a mandate and what is theirs no more, which are listed all the same', async () => {
    const holdings = [
      ...[holding('account', 'a1'), holding('account', 'a2')],
      owns('o1', 'a1', 'me', { role: 'mandate' }),
      owns('o2', 'a2', 'me', { status: 'ended', until: '2024-03-01' }),
      holding('loan', 'l1', { account_id: 'a2', amount: 5 }),
    ];
    const { accounts, balances, loans } = await view(rowsWith({ holdings }));
    expect(accounts.map(({ role, until, balance: known }) => [role, until, known])).toStrictEqual([
      ['mandate', null, null],
      ['owner', '2024-03-01', null],
    ]);
    expect([balances, loans]).toStrictEqual([[], []]);
  });
});

describe('relations', () => {
  const holdings = [holding('account', 'a1'), owns('o1', 'a1', 'me'), owns('o2', 'a1', 'zhao', { role: 'mandate' }), owns('o3', 'a1', 'nobody')];

  it('name only whom the reader sees; a party that never came has no name at all', async () => {
    const rows = rowsWith({ holdings, parties: [party('zhao', 'Zhao')] });
    expect((await view(rows)).relations.map(({ role, customer, name }) => [role, customer, name])).toStrictEqual([
      ['mandate', null, null],
      ['owner', null, null],
    ]);
    expect((await view(rows, 'risk', ['zhao'])).relations[0]).toStrictEqual({ account: 'a1', role: 'mandate', customer: 'zhao', name: 'Zhao' });
  });

  it('name the same one of two who have a reference, in whatever order they come: the one whose own id it is', async () => {
    const own = party('zhao', 'Zhao');
    const other = { ...party('aaa', 'Other'), refs: ['aaa', 'zhao'] };
    for (const parties of [
      [own, other],
      [other, own],
    ])
      expect((await view(rowsWith({ holdings, parties }), 'risk', ['zhao', 'aaa'])).relations[0]).toMatchObject({ customer: 'zhao', name: 'Zhao' });
  });

  it('keep a possible pair silent from whom may not see it', async () => {
    const base = rowsWith({ parties: [party('twin', 'Wang')] });
    const rows = { ...base, customer: { ...base.customer, pairs: ['twin'] } };
    expect((await view(rows)).relations).toStrictEqual([]);
    expect((await view(rows, 'risk', ['twin'])).relations).toMatchObject([{ account: null, role: 'possible-pair', customer: 'twin' }]);
  });
});

describe('personal values', () => {
  it('say that they were erased, to every role alike', async () => {
    for (const role of ['risk', 'operations']) expect((await view(rowsWith({}, 'erased'), role)).customer.name).toStrictEqual({ erased: true });
  });

  it('are masked for operations, who are told which', async () => {
    const holdings = [holding('account', 'a1', { number: sealed('6222020200112233') }), owns('o1', 'a1', 'me')];
    const { accounts, customer, masked } = await view(rowsWith({ holdings }), 'operations');
    expect([customer.name, accounts[0]?.number, masked]).toStrictEqual(['W*', '622202******2233', ['name', 'number']]);
  });
});

describe('the window of the flows', () => {
  it('is the twelve months that end with the month asked about, in the bank’s zone', () => {
    expect(windowOf('2024-02-05', 'Asia/Shanghai')).toStrictEqual({ from: '2023-03-01', to: '2024-02-06' });
    // Already March in Shanghai.
    expect(windowOf('2024-02-29T16:00:00Z', 'Asia/Shanghai')).toStrictEqual({ from: '2023-04-01', to: '2024-03-02' });
    expect(windowOf(Date.parse('2024-02-29T15:59:59Z'), 'Asia/Shanghai')).toStrictEqual({ from: '2023-03-01', to: '2024-03-01' });
  });
});
