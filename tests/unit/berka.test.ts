// The PKDD'99 files as lines of the core-banking feed: what may be concluded from them and what not, and by which file and line a bad row
// is told.
import { rmSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { berkaFolder } from '../../src/cli/berka.ts';
import { minorUnitsOf } from '../../src/cli/berka-words.ts';
import type { ImportRow } from '../../src/cli/upload.ts';
import { CoreBankingLine } from '../../src/feeds/core-banking-lines.ts';
import { type BerkaFile, berkaFiles, writeBerka } from '../support/berka.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

type Entry = { readonly kind: string; readonly source: { readonly id: string }; readonly at: string } & Readonly<Record<string, unknown>>;

async function rowsOf(over: Parameters<typeof writeBerka>[0] = {}, options: Parameters<typeof writeBerka>[1] = {}): Promise<ImportRow[]> {
  const folder = writeBerka(over, options);
  folders.push(folder);
  return Array.fromAsync((await berkaFolder(folder)).rows());
}
async function entriesOf(kind: string, over: Parameters<typeof writeBerka>[0] = {}): Promise<Entry[]> {
  const rows = await rowsOf(over);
  expect(rows.filter(({ problem }) => problem !== undefined)).toStrictEqual([]);
  return (rows.flatMap(({ entries }) => entries) as Entry[]).filter((entry) => entry.kind === kind);
}
const withLine = (file: BerkaFile, index: number, line: string): readonly string[] =>
  berkaFiles[file].map((other, at) => (at === index ? line : other));

describe('the folder', () => {
  it('is sent customers first, and every line is one that the feed takes', async () => {
    const entries = (await rowsOf()).flatMap((row) => row.entries) as Entry[];
    expect([...new Set(entries.map(({ kind }) => kind))]).toStrictEqual([
      'customer',
      'account',
      'ownership',
      'loan',
      'card',
      'standing-order',
      'transaction',
    ]);
    for (const entry of entries) expect(CoreBankingLine.safeParse(entry).error).toBeUndefined();
  });

  it('may be gzip, and tells how much of it was read', async () => {
    const folder = writeBerka({}, { gzip: true });
    folders.push(folder);
    const source = await berkaFolder(folder);
    const rows = await Array.fromAsync(source.rows());
    expect(rows.map(({ entries }) => entries)).toStrictEqual((await rowsOf()).map(({ entries }) => entries));
    expect([source.bytesRead(), source.bytes > 0]).toStrictEqual([source.bytes, true]);
  });

  it.each(Object.keys(berkaFiles) as BerkaFile[])('without %s is refused by its name', async (name) => {
    await expect(rowsOf({ [name]: null })).rejects.toThrow(new RegExp(`^There is no ${name} or ${name}\\.gz in /`));
  });

  it('with a file that lacks columns is refused by file and column', async () => {
    const sentence = "loan.asc lacks the column status: it must be that of the PKDD'99 financial data set.";
    await expect(rowsOf({ 'loan.asc': ['"loan_id";"account_id";"date";"amount";"duration";"payments"'] })).rejects.toThrow(sentence);
  });
});

describe('clients', () => {
  it('have no names and no documents, but a birth date and a sex, and count from their first account’s opening', async () => {
    const [woman, man] = await entriesOf('customer');
    expect(woman).toStrictEqual({
      kind: 'customer',
      source: { system: 'berka', id: '1' },
      at: '1993-01-01[Europe/Prague]',
      type: 'person',
      birthDate: '1970-12-13',
      sex: 'female',
      contacts: [{ kind: 'address', value: 'Beroun, central Bohemia' }],
      branch: '2',
    });
    expect(man).toMatchObject({ birthDate: '1945-02-04', sex: 'male', at: '1993-01-01[Europe/Prague]' });
  });
  it('live in their own district, and belong to that of their account', async () => {
    const [woman] = await entriesOf('customer');
    expect(woman).toMatchObject({ branch: '2', contacts: [{ value: 'Beroun, central Bohemia' }] });
  });
  it('that share a birth number stay two', async () => {
    const [, one, other] = await entriesOf('customer');
    expect([one?.birthDate, one?.source.id]).toStrictEqual([other?.birthDate, '2']);
    expect(other?.source.id).toBe('3');
  });
  it.each([
    ['706313', 'birth_number is "706313", expected YYMMDD, the month 50 higher for women'],
    ['450230', 'birth_number is "450230", expected YYMMDD, the month 50 higher for women'],
    ['', 'birth_number is "", expected YYMMDD, the month 50 higher for women'],
  ])('with the birth number %j are told by file and line', async (number, problem) => {
    const [row] = await rowsOf({ 'client.asc': withLine('client.asc', 1, `1;"${number}";3`) });
    expect(row).toStrictEqual({ kind: 'customers', file: 'client.asc', line: 2, entries: [], problem });
  });
  it('without an account, or of no district, are told', async () => {
    const rows = await rowsOf({ 'client.asc': [...berkaFiles['client.asc'], '9;"450204";1', '1;"706213";78'] });
    expect(rows.flatMap(({ problem, line }) => (problem ? [`${line} ${problem}`] : []))).toStrictEqual([
      '5 client 9 has no account',
      '6 there is no district 78',
    ]);
  });
});

describe('accounts', () => {
  it('are open from their date on, and nobody knows their balance', async () => {
    expect((await entriesOf('account'))[0]).toStrictEqual({
      kind: 'account',
      source: { system: 'berka', id: '1' },
      at: '1993-01-01[Europe/Prague]',
      product: 'monthly statement',
      branch: '2',
      currency: 'CZK',
      openedOn: '1993-01-01',
    });
  });
  it('are told of their statements in words', async () => {
    const accounts = await entriesOf('account', { 'account.asc': [...berkaFiles['account.asc'], '3;1;"POPLATEK TYDNE";970707'] });
    expect(accounts.map(({ product }) => product)).toStrictEqual(['monthly statement', 'statement after each transaction', 'weekly statement']);
  });
});

describe('dispositions', () => {
  it('count from their account’s opening; DISPONENT is a mandate, and nothing is said of kinship', async () => {
    const [owner, , mandate] = await entriesOf('ownership');
    const source = (id: string) => ({ system: 'berka', id });
    expect(owner).toStrictEqual({
      kind: 'ownership',
      source: source('11'),
      at: '1993-01-01[Europe/Prague]',
      account: '1',
      customer: '1',
      role: 'owner',
    });
    expect(mandate).toStrictEqual({
      kind: 'ownership',
      source: source('13'),
      at: '1993-01-01[Europe/Prague]',
      account: '1',
      customer: '2',
      role: 'mandate',
    });
  });
  it('on no account, or of a role unknown, are told', async () => {
    const rows = await rowsOf({ 'disp.asc': [...berkaFiles['disp.asc'], '15;3;7;"OWNER"', '16;3;2;"SPOUSE"'] });
    expect(rows.flatMap(({ problem, file, line }) => (problem ? [`${file} ${line} ${problem}`] : []))).toStrictEqual([
      'disp.asc 6 there is no account 7',
      'disp.asc 7 type is "SPOUSE", expected one of OWNER, DISPONENT',
    ]);
  });
});

describe('loans', () => {
  it('stand without a status until the day the data was taken', async () => {
    const [granted, taken] = await entriesOf('loan');
    const terms = {
      kind: 'loan',
      source: { system: 'berka', id: '5314' },
      account: '1',
      currency: 'CZK',
      amount: 9_639_600,
      payment: 803_300,
      months: 12,
      grantedOn: '1993-07-05',
    };
    expect(granted).toStrictEqual({ ...terms, at: '1993-07-05[Europe/Prague]' });
    expect(taken).toStrictEqual({ ...terms, at: '1998-12-31[Europe/Prague]', status: 'finished-unpaid', sourceStatus: 'B' });
  });
  it.each([
    ['A', 'finished'],
    ['B', 'finished-unpaid'],
    ['C', 'running'],
    ['D', 'in-debt'],
  ])('with status %s are %s', async (letter, status) => {
    const loans = await entriesOf('loan', { 'loan.asc': withLine('loan.asc', 1, `5314;1;930705;96396;12;8033.00;"${letter}"`) });
    expect(loans[1]).toMatchObject({ status, sourceStatus: letter });
  });
  it('granted on that very day are told once', async () => {
    const loans = await entriesOf('loan', { 'loan.asc': withLine('loan.asc', 1, '5314;1;981231;96396;12;8033.00;"C"') });
    expect(loans.map(({ at, status }) => [at, status])).toStrictEqual([['1998-12-31[Europe/Prague]', 'running']]);
  });
});

describe('cards and standing orders', () => {
  it('a card is its disposition’s client’s, on its account, from its issue on', async () => {
    expect(await entriesOf('card')).toStrictEqual([
      {
        kind: 'card',
        source: { system: 'berka', id: '1005' },
        at: '1993-11-07[Europe/Prague]',
        account: '1',
        customer: '1',
        product: 'classic',
        issuedOn: '1993-11-07',
      },
    ]);
  });
  it('standing orders are facts as of the day the data was taken, a blank symbol none', async () => {
    const [household, other] = await entriesOf('standing-order');
    expect(household).toStrictEqual({
      kind: 'standing-order',
      source: { system: 'berka', id: '29401' },
      at: '1998-12-31[Europe/Prague]',
      account: '1',
      currency: 'CZK',
      amount: 245_200,
      counterparty: { bank: 'YZ', account: '87144583' },
      category: 'household',
    });
    expect([other?.amount, other && 'category' in other]).toStrictEqual([337_270, false]);
  });
});

describe('transactions', () => {
  it('come from both files once, along their days, then by id, and one told exactly goes before one rounded', async () => {
    const told = (await entriesOf('transaction')).map(({ source, at, amount }) => `${source.id} ${at} ${amount}`);
    expect(told).toStrictEqual([
      '19 1993-01-01[Europe/Prague] 30',
      '20 1993-01-01[Europe/Prague] 70000',
      '21 1993-06-30[Europe/Prague] 80010',
      '22 1997-06-30[Europe/Prague] 1500',
    ]);
  });
  it('come exact from the second file where the first has them rounded', async () => {
    const swapped = [
      ...berkaFiles['trans_loan_accounts.csv'],
      '23,1,980101,VYDAJ,VYBER,10,1,,,,rounded',
      '23,1,980101,VYDAJ,VYBER,10.40,1.20,,,,exact',
    ];
    const told = await entriesOf('transaction', { 'trans_loan_accounts.csv': swapped });
    expect(told.filter(({ source }) => source.id === '23').map(({ amount }) => amount)).toStrictEqual([1_040]);
  });
  it('keep the zone of their day, the balance as given and the other side where there is one', async () => {
    const [pension, cash, withdrawal, fee] = await entriesOf('transaction');
    expect(pension).toStrictEqual({
      kind: 'transaction',
      source: { system: 'berka', id: '19' },
      at: '1993-01-01[Europe/Prague]',
      account: '1',
      currency: 'CZK',
      direction: 'credit',
      amount: 30,
      balance: 70_030,
      category: 'pension',
      operation: 'transfer',
      counterparty: { bank: 'AB', account: '123' },
    });
    expect([cash?.operation, cash && 'category' in cash, cash && 'counterparty' in cash]).toStrictEqual(['cash', false, false]);
    // VYBER as a type is a debit too; a blank symbol and account 0 are none.
    expect(withdrawal).toMatchObject({ direction: 'debit', operation: 'cash', balance: -9_980 });
    expect(withdrawal && ('category' in withdrawal || 'counterparty' in withdrawal)).toBe(false);
    expect(fee).toMatchObject({ direction: 'debit', operation: 'card', category: 'fee' });
  });
  it.each([
    ['UROK', 'interest'],
    ['SLUZBY', 'fee'],
    ['SANKC. UROK', 'penalty-interest'],
    ['SIPO', 'household'],
    ['UVER', 'loan-payment'],
    ['POJISTNE', 'insurance'],
    ['DUCHOD', 'pension'],
    ['LEASING', 'leasing'],
  ])('with symbol %s are for %s', async (symbol, category) => {
    const file = 'trans_19930101_19940330.asc';
    const [told] = await entriesOf('transaction', { [file]: withLine(file, 2, `19;1;930101;"VYDAJ";"";1.00;1.00;"${symbol}";;`) });
    expect(told).toMatchObject({ category, direction: 'debit' });
    expect(told).not.toHaveProperty('operation');
  });
  it('with an unknown code, day or amount are told by file and line, and the rest is taken', async () => {
    const bad = [
      ...berkaFiles['trans_19930101_19940330.asc'],
      '30;1;930701;"PRIJEM";"TELEX";1.00;1.00;"";;',
      '31;1;930702;"DAR";"";1.00;1.00;"";;',
      '32;1;930703;"PRIJEM";"";1.005;1.00;"";;',
      '33;1;931301;"PRIJEM";"";1.00;1.00;"";;',
      '34;1;930705;"PRIJEM";"";1.00;1.00;"toString";;',
      '35;1;930706;"PRIJEM"',
      '36;1;930707;"PRIJEM";"";1.00;1.00;"";;',
    ];
    const rows = (await rowsOf({ 'trans_19930101_19940330.asc': bad })).filter(({ kind }) => kind === 'transactions');
    expect(rows.flatMap(({ problem, file, line }) => (problem ? [`${file} ${line} ${problem}`] : []))).toStrictEqual([
      expect.stringMatching(/^trans_19930101_19940330\.asc 5 operation is "TELEX", expected one of VKLAD, /),
      expect.stringMatching(/ 6 type is "DAR", expected one of PRIJEM, VYDAJ, VYBER$/),
      expect.stringMatching(/ 7 amount is "1\.005", expected an amount such as 8033\.00$/),
      expect.stringMatching(/ 8 date is "931301", expected a day as YYMMDD$/),
      expect.stringMatching(/ 9 k_symbol is "toString", expected one of UROK, /),
      expect.stringMatching(/ 10 amount is "", expected an amount/),
    ]);
    expect(rows.filter(({ problem }) => problem === undefined)).toHaveLength(5);
  });
});

describe('money', () => {
  it.each([
    ['96396', 9_639_600],
    ['8033.00', 803_300],
    ['0.30', 30],
    ['0.3', 30],
    ['-99.80', -9_980],
    ['1.15', 115],
    ['4.35', 435],
    ['-0.00', 0],
  ])('%s is %i haléře', (text, amount) => {
    expect(minorUnitsOf({ column: 'amount', text })).toBe(amount);
  });
  it('is what it was, digit by digit', () => {
    fc.assert(
      fc.property(fc.nat({ max: 10 ** 13 }), fc.nat({ max: 99 }), (whole, cents) => {
        fc.pre(whole < 10 ** 13);
        const text = `${whole}.${String(cents).padStart(2, '0')}`;
        expect(minorUnitsOf({ column: 'amount', text })).toBe(whole * 100 + cents);
      }),
    );
  });
  it.each(['', '1,5', '1e3', '.5', '1.', '--1', '0x10', '12345678901234'])('%j is none', (text) => {
    expect(() => minorUnitsOf({ column: 'amount', text })).toThrow(`amount is "${text}", expected an amount such as 8033.00`);
  });
});
