// The fold of holdings: a row stands on the newest report, whenever it comes, and remembers whose it ever was.
import { describe, expect, it } from 'vitest';
import type { Fact } from '../../src/domain/kernel/event.ts';
import { Sealed } from '../../src/domain/kernel/personal.ts';
import { holdings } from '../../src/projections/holdings/holdings.ts';
import type { HoldingRow } from '../../src/projections/holdings/row.ts';
import { ordersOf } from '../support/orders.ts';
import { recorded } from '../support/recorded.ts';

const account = '018f3e6a-7c4e-8abc-9def-0123456789a1';
const otherAccount = '018f3e6a-7c4e-8abc-9def-0123456789a2';
const thing = '018f3e6a-7c4e-8abc-9def-0123456789c3';
const [chen, dai] = ['018f3e6a-7c4e-8abc-9def-0123456789d4', '018f3e6a-7c4e-8abc-9def-0123456789d5'];
const source = { system: 'core', id: '7' };
const sealed = (field: string): Sealed => new Sealed(`account-${account}`, 'e', field, '1.1.AAAA.BBBB');

const accountReported = (occurredAt: string, over: object = {}): Fact => ({
  type: 'AccountReported',
  data: { accountId: account, source, currency: 'CZK', status: 'open', ...over },
  occurredAt,
});
const ownership = (occurredAt: string, over: object = {}): Fact => ({
  type: 'OwnershipReported',
  data: { ownershipId: thing, source, accountId: account, customer: chen, role: 'owner', ended: false, ...over },
  occurredAt,
});
const loan = (occurredAt: string, over: object = {}): Fact => ({
  type: 'LoanReported',
  data: { loanId: thing, source, accountId: account, currency: 'CZK', amount: 9_639_600, ...over },
  occurredAt,
});

/** The row after these, positions counted from 1. */
function row(...facts: readonly Fact[]): HoldingRow {
  let after: HoldingRow | undefined;
  for (const [index, fact] of facts.entries()) {
    const id = fact.type === 'AccountReported' ? account : thing;
    const category = { AccountReported: 'account', OwnershipReported: 'ownership', LoanReported: 'loan', CardReported: 'card' }[fact.type] ?? 'order';
    const event = recorded(`${category}-${id}`, fact, { position: index + 1 });
    expect(holdings.keys(event)).toStrictEqual([id]);
    after = holdings.apply(after, event, id);
  }
  return after as HoldingRow;
}

describe('the row of a holding', () => {
  it('says of an account all that was reported', () => {
    const over = { number: sealed('number'), product: 'current', branch: '18', openedOn: '1993-01-01', openingBalance: 70_000 };
    expect(row(accountReported('1995-03-24[Europe/Prague]', over))).toStrictEqual({
      id: account,
      kind: 'account',
      account_id: account,
      customer_ref: null,
      role: null,
      status: 'open',
      source_status: null,
      product: 'current',
      branch: '18',
      currency: 'CZK',
      amount: 70_000,
      payment: null,
      months: null,
      outstanding: null,
      category: null,
      number: sealed('number'),
      counterparty_name: null,
      counterparty_account: null,
      counterparty_bank: null,
      since: '1993-01-01',
      dated_on: '1993-01-01',
      until: null,
      reported_on: '1995-03-24',
      reported_at: '1995-03-23T23:00:00.000Z',
      first_on: '1995-03-24',
      first_at: '1995-03-23T23:00:00.000Z',
      source_system: 'core',
      source_id: '7',
      accounts: [account],
      parties: [],
      position: 1,
    });
  });

  it('says who owns an account since when, and until when', () => {
    const held = ownership('1995-03-24[Europe/Prague]');
    expect(row(held)).toMatchObject({ kind: 'ownership', customer_ref: chen, role: 'owner', status: 'current', since: '1995-03-24', until: null });
    const over = row(held, ownership('1998-01-01[Europe/Prague]', { ended: true }));
    expect(over).toMatchObject({ status: 'ended', since: '1995-03-24', until: '1998-01-01', reported_on: '1998-01-01' });
  });

  it('says of loans, cards and standing orders what they are', () => {
    const over = { payment: 803_300, months: 12, grantedOn: '1994-01-05', status: 'finished', sourceStatus: 'A', outstanding: 0 };
    expect(row(loan('1995-01-01[Europe/Prague]', over))).toMatchObject({
      kind: 'loan',
      amount: 9_639_600,
      payment: 803_300,
      months: 12,
      outstanding: 0,
      status: 'finished',
      source_status: 'A',
      since: '1994-01-05',
    });
    expect(row(loan('1995-01-01[Europe/Prague]'))).toMatchObject({ status: null, source_status: null, payment: null, since: '1995-01-01' });
    const card = { cardId: thing, source, accountId: account, customer: dai, product: 'gold', status: 'active', expiresOn: '2001-01-01' };
    expect(row({ type: 'CardReported', data: card, occurredAt: '1998-10-16[Europe/Prague]' })).toMatchObject({
      kind: 'card',
      customer_ref: dai,
      product: 'gold',
      since: '1998-10-16',
      until: '2001-01-01',
      parties: [dai],
    });
    const counterparty = { name: sealed('name'), account: sealed('account'), bank: 'YZ' };
    const order = { orderId: thing, source, accountId: account, currency: 'CZK', amount: 245_200, counterparty, category: 'rent', status: 'active' };
    expect(row({ type: 'StandingOrderReported', data: order, occurredAt: '1998-10-16[Europe/Prague]' })).toMatchObject({
      kind: 'order',
      amount: 245_200,
      category: 'rent',
      counterparty_name: sealed('name'),
      counterparty_account: sealed('account'),
      counterparty_bank: 'YZ',
    });
  });

  it('is not changed by an older report that comes later, but for whose past it may belong to', () => {
    const newer = ownership('1998-01-01[Europe/Prague]', { customer: dai, role: 'joint-owner' });
    const older = ownership('1995-01-01[Europe/Prague]', { accountId: otherAccount });
    const after = row(newer, older);
    expect(after).toMatchObject({ customer_ref: dai, role: 'joint-owner', account_id: account, reported_on: '1998-01-01' });
    expect(after).toMatchObject({ accounts: [account, otherAccount], parties: [chen, dai], since: '1995-01-01', position: 2 });
  });

  it('takes the later told of two reports of one time', () => {
    const [one, two] = [accountReported('2026-03-03T12:00:00.000Z'), accountReported('2026-03-03T12:00:00.000Z', { status: 'frozen' })];
    expect(row(one, two).status).toBe('frozen');
    expect(row(two, one).status).toBe('open');
  });

  it('drops what the newest report does not say any more', () => {
    const said = accountReported('1995-01-01[Europe/Prague]', { openedOn: '1990-01-01', closedOn: '1996-01-01', status: 'closed' });
    const reopened = row(said, accountReported('1997-01-01[Europe/Prague]'));
    expect(reopened).toMatchObject({ status: 'open', until: null, since: '1995-01-01' });
  });

  it('is the same in whatever order the reports come', () => {
    const reports = [
      accountReported('1995-01-01[Europe/Prague]', { openedOn: '1990-01-01', branch: '1' }),
      accountReported('1994-06-01[Europe/Prague]', { branch: '2', product: 'current' }),
      accountReported('1996-01-01T00:00:00Z', { status: 'dormant' }),
      accountReported('1993-01-01[Europe/Prague]', { openedOn: '1993-01-01' }),
    ];
    const owners = [
      ownership('1995-01-01[Europe/Prague]'),
      ownership('1994-01-01[Europe/Prague]', { customer: dai }),
      ownership('1997-01-01[Europe/Prague]', { ended: true, accountId: otherAccount }),
      ownership('1996-01-01[Europe/Prague]', { ended: true, role: 'mandate' }),
    ];
    for (const facts of [reports, owners]) {
      const [first, ...more] = ordersOf(facts).map((order) => {
        const { position, ...rest } = row(...order);
        expect(position).toBe(4);
        return rest;
      });
      expect(more).toHaveLength(23);
      for (const other of more) expect(other).toStrictEqual(first);
    }
  });
});
