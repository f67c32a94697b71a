// The fold of transactions: one row each with both times, a void that leaves the row, and the balance that an account came with.
import { describe, expect, it } from 'vitest';
import type { Fact } from '../../src/domain/kernel/event.ts';
import { Sealed } from '../../src/domain/kernel/personal.ts';
import type { TransactionRow } from '../../src/projections/transactions/row.ts';
import { openingIdOf, transactions } from '../../src/projections/transactions/transactions.ts';
import { ordersOf } from '../support/orders.ts';
import { recorded } from '../support/recorded.ts';

const account = '018f3e6a-7c4e-8abc-9def-0123456789a1';
const id = '018f3e6a-7c4e-8abc-9def-0123456789b2';
const source = { system: 'core', id: '7' };
const sealed = (field: string): Sealed => new Sealed(`account-${account}`, 'e', field, '1.1.AAAA.BBBB');

const posted = (over: object = {}): Fact => ({
  type: 'TransactionPosted',
  data: { transactionId: id, source, accountId: account, bookedOn: '1995-03-24', direction: 'credit', currency: 'CZK', amount: 100_000, ...over },
  occurredAt: '1995-03-24[Europe/Prague]',
});
const voided: Fact = { type: 'TransactionVoided', data: { transactionId: id, source }, occurredAt: '1995-03-24[Europe/Prague]' };
const accountReported = (occurredAt: string, over: object): Fact => ({
  type: 'AccountReported',
  data: { accountId: account, source, currency: 'CZK', status: 'open', ...over },
  occurredAt,
});

/** The row after these, positions counted from 1. */
function row(...facts: readonly Fact[]): TransactionRow | undefined {
  let after: TransactionRow | undefined;
  for (const [index, fact] of facts.entries()) {
    const stream = fact.type === 'AccountReported' ? `account-${account}` : `transaction-${id}`;
    const event = recorded(stream, fact, { position: index + 1 });
    for (const key of transactions.keys(event)) after = transactions.apply(after, event, key);
  }
  return after;
}

describe('the row of a transaction', () => {
  it('says all that was posted, with the day it counts for and the instant that day starts', () => {
    const counterparty = { name: sealed('name'), account: sealed('account'), bank: 'AB' };
    const over = { balance: 1_100_000, category: 'pension', operation: 'transfer', counterparty, description: sealed('text'), reverses: account };
    expect(row(posted(over))).toStrictEqual({
      id,
      account_id: account,
      kind: 'posted',
      booked_on: '1995-03-24',
      starts_at: '1995-03-23T23:00:00.000Z',
      position: 1,
      void_position: null,
      direction: 'credit',
      currency: 'CZK',
      amount: 100_000,
      balance: 1_100_000,
      category: 'pension',
      operation: 'transfer',
      counterparty_name: sealed('name'),
      counterparty_account: sealed('account'),
      counterparty_bank: 'AB',
      description: sealed('text'),
      reverses: account,
      source_system: 'core',
      source_id: '7',
    });
  });

  it('stays when it is void, and says from when on; a second void changes nothing', () => {
    expect(row(posted(), voided)).toStrictEqual({ ...row(posted()), void_position: 2 });
    expect(row(posted(), voided, voided)?.void_position).toBe(2);
  });

  it('was void from its own position on where it came so', () => {
    expect(row(posted({ voided: true }))?.void_position).toBe(1);
  });

  it('is none for a void of what never came', () => {
    expect(row(voided)).toBeUndefined();
    expect(transactions.creates.has('TransactionVoided')).toBe(false);
  });
});

describe('the row of the balance that an account came with', () => {
  it('counts for the day that is said, or else for the day of the report', () => {
    const dated = row(accountReported('1995-03-24[Europe/Prague]', { openingBalance: -5, openingOn: '1995-01-01' }));
    expect(dated).toMatchObject({ id: openingIdOf(account), kind: 'opening', booked_on: '1995-01-01', balance: -5, amount: 0, direction: null });
    // Late in the evening in UTC it is the next day in Shanghai.
    expect(row(accountReported('1995-03-24T20:00:00Z', { openingBalance: 0 }))).toMatchObject({ booked_on: '1995-03-25', balance: 0 });
  });

  it('is none where an account came without one', () => {
    expect(row(accountReported('1995-03-24[Europe/Prague]', {}))).toBeUndefined();
  });

  it('is the newest report’s, in whatever order they come', () => {
    const reports = ['1993-01-01', '1994-01-01', '1995-01-01'].map((day, index) =>
      accountReported(`${day}[Europe/Prague]`, { openingBalance: index * 100 }),
    );
    for (const order of ordersOf(reports)) expect(row(...order)).toMatchObject({ balance: 200, booked_on: '1995-01-01' });
    const [, , newest] = reports as [Fact, Fact, Fact];
    expect(row(newest, accountReported('1995-01-01[Europe/Prague]', { openingBalance: 7 }))?.balance).toBe(7);
  });
});
