// That the bank of the bench is one that the core-banking feed takes and that adds up: each line well formed, each reference to something
// told, balances that follow from amounts.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { bankRecords, customersOf } from '../../bench/support/bank.ts';
import { allOpenOn, type BankSpec } from '../../bench/support/bank-spec.ts';
import { writeFeedFiles } from '../../bench/support/feed-files.ts';
import { repeated } from '../../bench/support/import-records.ts';
import { CoreBankingLine } from '../../src/feeds/core-banking-lines.ts';

const spec: BankSpec = { seed: 3, system: 'core', accounts: 90, transactions: 4_000, until: '2026-03-31', named: true };

interface Line {
  readonly kind: string;
  readonly source: { readonly system: string; readonly id: string };
  readonly at: string;
  readonly account?: string;
  readonly customer?: string;
  readonly direction?: string;
  readonly amount?: number;
  readonly balance?: number;
  readonly name?: string;
}

const lines = [...bankRecords(spec)] as unknown as Line[];
const ofKind = (kind: string): Line[] => lines.filter((line) => line.kind === kind);

describe('the generated bank', () => {
  it.each([true, false])('is made of lines that the feed takes, named: %s', (named) => {
    for (const line of bankRecords({ ...spec, transactions: 500, named })) expect(CoreBankingLine.safeParse(line).error).toBeUndefined();
  });

  it('has the customers and holdings of the original in proportion', () => {
    const counts = Object.fromEntries([...new Set(lines.map(({ kind }) => kind))].map((kind) => [kind, ofKind(kind).length]));
    expect(counts).toStrictEqual({ customer: 107, account: 90, ownership: 107, loan: 14, card: 18, 'standing-order': 129, transaction: 4_000 });
    expect(customersOf(spec)).toBe(107);
    expect(customersOf({ accounts: 4_500 })).toBe(5_369);
    expect(customersOf({ accounts: 1 })).toBe(1);
  });

  it('tells each thing once, and only of accounts and customers that there are', () => {
    expect(new Set(lines.map(({ kind, source }) => `${kind} ${source.id}`)).size).toBe(lines.length);
    const accounts = new Set(ofKind('account').map(({ source }) => source.id));
    const customers = new Set(ofKind('customer').map(({ source }) => source.id));
    for (const { account, customer } of lines) {
      if (account !== undefined) expect(accounts).toContain(account);
      if (customer !== undefined) expect(customers).toContain(customer);
    }
  });

  it('books along the days up to the last, on accounts that are open, with balances that follow', () => {
    const opened = new Map(ofKind('account').map(({ source, at }) => [source.id, at]));
    const balances = new Map<string, number>();
    let last = '';
    for (const { at, account = '', direction, amount = 0, balance } of ofKind('transaction')) {
      expect(at >= last).toBe(true);
      expect(at >= (opened.get(account) ?? '9')).toBe(true);
      const expected = (balances.get(account) ?? 0) + (direction === 'credit' ? amount : -amount);
      expect(expected).toBeGreaterThanOrEqual(0);
      expect(balance).toBe(expected);
      balances.set(account, expected);
      last = at;
    }
    expect(last).toBe('2026-03-31[Asia/Shanghai]');
    expect([...opened.values()].every((at) => at.slice(0, 10) <= allOpenOn(spec))).toBe(true);
  });

  it('is the same for the same seed', () => {
    expect([...bankRecords(spec)]).toStrictEqual(lines);
    expect([...bankRecords({ ...spec, seed: 4 })]).not.toStrictEqual(lines);
  });

  it('has no names and no documents where it is to be like the original', () => {
    const unnamed = [...bankRecords({ ...spec, named: false })].filter(({ kind }) => kind === 'customer');
    expect(unnamed.filter((customer) => 'name' in customer || 'documents' in customer)).toStrictEqual([]);
    expect(ofKind('customer').every(({ name }) => name !== undefined)).toBe(true);
  });
});

it('repeats a transaction years later under an id of its own', () => {
  const original = { source: { system: 'berka', id: '7' }, at: '1997-12-31[Europe/Prague]', amount: 5 };
  expect(repeated(original, 0)).toStrictEqual(original);
  expect(repeated(original, 2)).toStrictEqual({ source: { system: 'berka', id: '7-2' }, at: '2002-12-31[Europe/Prague]', amount: 5 });
});

it('writes as many files as the lines need, nothing lost', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'shiji-bench-'));
  try {
    const records = Array.from({ length: 25 }, (_, number) => ({ number }));
    const { paths, lines: written } = await writeFeedFiles(folder, 'test', records, 10);
    const read = paths.map((path) => gunzipSync(readFileSync(path)).toString().trimEnd().split('\n'));
    expect(read.map(({ length }) => length)).toStrictEqual([10, 10, 5]);
    expect(read.flat().map((line) => JSON.parse(line) as unknown)).toStrictEqual(records);
    expect(written).toBe(25);
    expect((await writeFeedFiles(folder, 'none', [], 10)).paths).toStrictEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
