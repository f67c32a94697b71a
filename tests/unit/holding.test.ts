// What customers hold: reports stand one and all, a transaction is posted once, a void takes it out whichever of them came first.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import type { CommandContext } from '../../src/commands/command.ts';
import { sourceIdOf } from '../../src/commands/command-id.ts';
import {
  AccountRecord,
  CardRecord,
  LoanRecord,
  OwnershipRecord,
  postTransaction,
  reportAccount,
  reportCard,
  reportLoan,
  reportOwnership,
  reportStandingOrder,
  StandingOrderRecord,
  TransactionRecord,
  VoidRecord,
  voidTransaction,
} from '../../src/commands/holding.ts';
import { isMaskedCardNumber, maskedCardNumber } from '../../src/domain/holding/card-number.ts';
import { holdingEvents } from '../../src/domain/holding/events.ts';
import { reportedThing } from '../../src/domain/holding/reported.ts';
import { type TransactionCommand, transaction } from '../../src/domain/holding/transaction.ts';
import { given } from '../support/given.ts';

const core = (id: string) => ({ system: 'core', id });
const idOf = (kind: string, id: string): string => sourceIdOf(kind, 'core', id);
const accountId = idOf('account', 'A1');
const subject = `account-${accountId}`;

describe('an account', () => {
  const account = reportedThing('AccountReported');
  const data = { accountId, source: core('A1'), currency: 'CNY', status: 'open' as const };

  it('is reported as of the time its source names, under its own key', () => {
    given(account)
      .when({ at: '2024-03-01[Asia/Shanghai]', data })
      .emits({ type: 'AccountReported', data, occurredAt: '2024-03-01[Asia/Shanghai]', subject });
  });
  it('is reported again with the same content from another time on, earlier or later', () => {
    for (const at of ['2023-01-01[Asia/Shanghai]', '2025-01-01T00:00:00Z'])
      given(account, { type: 'AccountReported', data }).when({ at, data }).emits({ type: 'AccountReported', data, occurredAt: at, subject });
  });
});

describe('a transaction', () => {
  const transactionId = idOf('transaction', 'T1');
  const data = {
    transactionId,
    source: core('T1'),
    accountId,
    bookedOn: '2024-03-01',
    direction: 'credit' as const,
    currency: 'CNY',
    amount: 100,
  };
  const at = '2024-03-01T10:00:00+08:00';
  const post: TransactionCommand = { do: 'post', at, data };
  const posted = { type: 'TransactionPosted' as const, data, occurredAt: at, subject };
  const taken = { transactionId, source: core('T1'), reason: 'booked twice' };
  const early = { type: 'TransactionVoided' as const, data: taken, occurredAt: '1900-01-02T00:00:00Z' };

  it('is posted on the day its source names, once', () => {
    given(transaction).when(post).emits(posted);
    given(transaction, posted).when(post).emits();
  });
  it('is void from its own time on, on its account', () => {
    given(transaction, posted)
      .when({ do: 'void', data: taken })
      .emits({ type: 'TransactionVoided', data: { ...taken, accountId }, occurredAt: at, subject });
  });
  it('may be void before it comes: before every day, and posted as what never was', () => {
    given(transaction).when({ do: 'void', data: taken }).emits(early);
    given(transaction, early)
      .when(post)
      .emits({ ...posted, data: { ...data, voided: true } });
  });
  it('is void once', () => {
    given(transaction, early).when({ do: 'void', data: taken }).emits();
    given(transaction, posted, { ...early, occurredAt: at })
      .when({ do: 'void', data: taken })
      .emits();
    given(transaction, early, { ...posted, data: { ...data, voided: true } })
      .when({ do: 'void', data: taken })
      .emits();
  });
});

describe('a command on a holding', () => {
  const context: CommandContext = {
    now: '2026-03-03T12:00:00.000Z',
    actor: { subject: 'core-feed', role: 'integration' },
    id: idOf('any', 'X'),
    zone: 'Asia/Shanghai',
    referred: [],
  };
  const at = '2024-03-01[Asia/Shanghai]';
  const on = { source: core('X'), at, account: 'A1', currency: 'CNY', amount: 500 };
  const id = context.id;
  const cases: readonly [string, { command: (input: never, context: CommandContext) => unknown }, z.ZodType, object, object][] = [
    ['account', reportAccount, AccountRecord, { source: core('X'), at, currency: 'CNY' }, { accountId: id, status: 'open' }],
    [
      'ownership',
      reportOwnership,
      OwnershipRecord,
      { source: core('X'), at, account: 'A1', customer: 'C1', role: 'mandate' },
      { ownershipId: id, accountId, customer: idOf('customer', 'C1'), role: 'mandate', ended: false },
    ],
    ['loan', reportLoan, LoanRecord, { ...on, months: 12 }, { loanId: id, accountId, months: 12 }],
    ['card without a holder', reportCard, CardRecord, { source: core('X'), at, account: 'A1' }, { cardId: id, accountId, status: 'active' }],
    [
      'card',
      reportCard,
      CardRecord,
      { source: core('X'), at, account: 'A1', customer: 'C1' },
      { cardId: id, accountId, customer: idOf('customer', 'C1') },
    ],
    ['standing order', reportStandingOrder, StandingOrderRecord, on, { orderId: id, accountId, amount: 500, status: 'active' }],
    [
      'transaction',
      postTransaction,
      TransactionRecord,
      { ...on, direction: 'debit', reverses: 'T0' },
      { transactionId: id, accountId, bookedOn: '2024-03-01', reverses: idOf('transaction', 'T0') },
    ],
    ['void', voidTransaction, VoidRecord, { source: core('X'), at, reason: 'error' }, { transactionId: id, source: core('X'), reason: 'error' }],
  ];

  it.each(cases)(
    'of a %s names things by ids made from the source’s own, and nothing that its event does not hold',
    (name, declaration, record, line, expected) => {
      const command = declaration.command({ params: { id }, body: record.parse(line) } as never, context) as { data: object };
      expect(command.data).toMatchObject(expected);
      const decider = (declaration as unknown as typeof postTransaction).decider;
      const [fact] = decider.decide(command as never, decider.initialState) as { type: string; data: object }[];
      const definition = holdingEvents.find(({ type }) => type === fact?.type);
      expect(definition?.data.safeParse(fact?.data), name).toMatchObject({ success: true });
    },
  );

  it('books a transaction on its source’s own day, an instant in UTC on the bank’s', () => {
    const bookedOn = (time: string): unknown =>
      (
        postTransaction.command({ params: { id }, body: TransactionRecord.parse({ ...on, direction: 'debit', at: time }) }, context) as {
          data: { bookedOn: string };
        }
      ).data.bookedOn;
    expect(bookedOn('1997-06-30[Europe/Prague]')).toBe('1997-06-30');
    expect(bookedOn('1997-06-30T23:30:00-05:00')).toBe('1997-06-30');
    expect(bookedOn('1997-06-30T20:00:00Z')).toBe('1997-07-01');
  });

  it.each([
    ['an unknown currency', { currency: 'XYZ' }],
    ['a fraction of a fen', { amount: 1.5 }],
    ['more than can be counted', { amount: 2 ** 53 }],
    ['an amount below nothing', { amount: -1 }],
    ['a time without zone', { at: '2024-03-01' }],
    ['a field of nobody’s', { colour: 'red' }],
  ])('is not taken with %s', (_, over) => {
    expect(LoanRecord.safeParse({ ...on, ...over }).success).toBe(false);
    expect(LoanRecord.safeParse(on).success).toBe(true);
  });
});

describe('a card’s number', () => {
  it.each([
    ['6222021234567890', '622202******7890'],
    ['6222 0212 3456 7890', '622202******7890'],
    ['6222-0212-3456-7890-123', '622202*********0123'],
    ['622202******7890', '622202******7890'],
    ['622202xxxxxx7890', '622202******7890'],
  ])('%s is kept as %s', (number, kept) => {
    const record = CardRecord.parse({ source: core('X'), at: '2024-03-01[Asia/Shanghai]', account: 'A1', number });
    expect(record.number).toBe(kept);
  });
  it.each(['1234', '62220212345678901234', 'card no. 6222021234567890', '6222021234**7890', ''])('%j is no card number', (number) => {
    expect(CardRecord.safeParse({ source: core('X'), at: '2024-03-01[Asia/Shanghai]', account: 'A1', number }).success).toBe(false);
  });
  it('never keeps more than ten of its digits, and reduces what is reduced no further', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^\d{12,19}$/), (number) => {
        const masked = maskedCardNumber(number);
        expect(masked.replaceAll('*', '')).toBe(number.slice(0, 6) + number.slice(-4));
        expect(isMaskedCardNumber(masked) && maskedCardNumber(masked) === masked).toBe(true);
      }),
    );
  });
});
