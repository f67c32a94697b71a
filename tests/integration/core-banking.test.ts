// The core-banking feed from its bytes to the journal: records in any order and told again, what is void and what is taken back, and lines
// that can't be taken.
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PostgresClaims } from '../../src/claims/postgres-claims.ts';
import { berkaFolder } from '../../src/cli/berka.ts';
import { sourceIdOf } from '../../src/commands/command-id.ts';
import { CommandHandler } from '../../src/commands/handler.ts';
import { eventDefinitions } from '../../src/domain/events.ts';
import type { Actor, RecordedEvent } from '../../src/domain/kernel/event.ts';
import { coreBankingFeed } from '../../src/feeds/core-banking.ts';
import { type FeedKind, runFeed } from '../../src/feeds/feed.ts';
import { gunzip, linesOf } from '../../src/feeds/lines.ts';
import { type FeedRun, FeedRuns } from '../../src/feeds/runs.ts';
import { type LineResult, Spools } from '../../src/feeds/spool.ts';
import { EventCodec } from '../../src/journal/codec.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { Keyring } from '../../src/journal/keyring.ts';
import { Opener } from '../../src/journal/sealing.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { writeBerka } from '../support/berka.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { MemoryJournal } from '../support/memory-journal.ts';
import { openPostgresJournal } from '../support/postgres-journal.ts';

const feeder: Actor = { subject: 'core-import', role: 'integration' };
const now = (): number => Date.UTC(2026, 2, 3, 12);

let database: TestDatabase;
let pool: pg.Pool;
let folder: string;
let spools: Spools;
let keyring: Keyring;
let claims: PostgresClaims;
let postgres: Journal;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool({ url: database.url, max: 6, applicationName: 'core-banking-test', role: 'shiji_app' });
  keyring = new Keyring(pool, [{ version: 1, key: randomBytes(32) }]);
  claims = new PostgresClaims(pool, randomBytes(32));
  folder = mkdtempSync(join(tmpdir(), 'shiji-core-banking-'));
  spools = new Spools(folder);
  postgres = await openPostgresJournal({ url: database.url, now });
});
afterAll(async () => {
  await postgres.close();
  await pool.end();
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

interface Fed {
  readonly run: FeedRun;
  readonly results: readonly LineResult[];
}
interface Bank {
  feed(lines: readonly (object | string)[], options?: { readonly gzip?: boolean }): Promise<Fed>;
  events(): Promise<RecordedEvent[]>;
  open<Value>(value: Value): Promise<unknown>;
  bytesOf(stream: string): Promise<string>;
}

async function bankOn(journal: Journal): Promise<Bank> {
  const identity = await journal.identity();
  const codec = new EventCodec(identity, eventDefinitions);
  const opener = new Opener(identity, keyring);
  const handler = new CommandHandler({ journal, codec, keyring, opener, now, claims, zone: 'Asia/Shanghai' });
  const kind = coreBankingFeed({ claims, journal, codec, opener }) as FeedKind;
  return {
    feed: async (lines, options) => {
      const id = randomUUID();
      const text = Buffer.from(lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'));
      async function* body(): AsyncGenerator<Uint8Array> {
        yield options?.gzip ? gzipSync(text) : text;
      }
      const run = await runFeed(
        { handler, runs: new FeedRuns(pool), now },
        { id, kind, lines: linesOf(options?.gzip ? gunzip(body()) : body()), actor: feeder, correlationId: 'feed', spool: spools.open(id) },
      );
      const results = readFileSync(join(folder, `${id}.ndjson`), 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as LineResult)
        .sort((one, other) => one.line - other.line);
      return { run, results };
    },
    events: async () => (await journal.readAll({ after: 0, limit: 100_000 })).events.map((stored) => codec.decode(stored) as RecordedEvent),
    open: (value) => opener.open(value),
    bytesOf: async (stream) => (await journal.readStream(stream, { from: 0, limit: 100 })).map(({ data, metadata }) => data + metadata).join(''),
  };
}

/** A system of its own, so that tests on one journal don't meet. */
function newCore(): {
  readonly id: (kind: string, id: string) => string;
  readonly record: (kind: string, id: string, rest?: object) => Record<string, unknown>;
} {
  const system = `core-${randomUUID()}`;
  return {
    id: (kind, id) => sourceIdOf(kind, system, id),
    record: (kind, id, rest = {}) => ({ kind, source: { system, id }, at: '2024-03-01[Asia/Shanghai]', ...rest }),
  };
}
const money = { account: 'A1', currency: 'CNY', amount: 500 };

function dataOf(events: readonly RecordedEvent[], stream: string): Record<string, unknown>[] {
  return events.filter((event) => event.stream === stream).map(({ data }) => data as Record<string, unknown>);
}

describe('on Postgres, the core-banking feed', () => {
  let bank: Bank;
  beforeAll(async () => {
    bank = await bankOn(postgres);
  });

  it('takes a transaction before its account, and the account before its owners, each under the id that the others name', async () => {
    const { id, record } = newCore();
    const { run, results } = await bank.feed([
      record('transaction', 'T1', { ...money, direction: 'credit', description: 'salary', counterparty: { name: 'Gao', bank: 'ICBC' } }),
      record('ownership', 'O1', { account: 'A1', customer: 'C1', role: 'joint-owner' }),
      record('ownership', 'O2', { account: 'A1', customer: 'C2', role: 'joint-owner' }),
      record('loan', 'L1', { ...money, months: 12 }),
      record('card', 'K1', { account: 'A1', customer: 'C2' }),
      record('standing-order', 'S1', { ...money, category: 'household' }),
      record('account', 'A1', { currency: 'CNY', number: '6217 0001', openingBalance: -5, openingOn: '2024-01-01' }),
      record('customer', 'C2', { type: 'person', branch: '3100' }),
    ]);
    expect(run).toMatchObject({ status: 'finished', lines: 8, created: 8, rejected: 0 });
    const account = id('account', 'A1');
    expect(results.map((result) => result.id)).toStrictEqual([
      id('transaction', 'T1'),
      id('ownership', 'O1'),
      id('ownership', 'O2'),
      id('loan', 'L1'),
      id('card', 'K1'),
      id('order', 'S1'),
      account,
      id('customer', 'C2'),
    ]);
    const own = (await bank.events()).filter(({ subject }) => subject === `account-${account}`);
    expect(own.map(({ stream }) => stream.split('-')[0]).toSorted()).toStrictEqual([
      'account',
      'card',
      'loan',
      'order',
      'ownership',
      'ownership',
      'transaction',
    ]);
    for (const event of own) {
      expect(event.data).toMatchObject({ accountId: account });
      expect([event.occurredAt, event.channel]).toStrictEqual(['2024-03-01[Asia/Shanghai]', expect.stringMatching(/^feed:core-/)]);
    }
    // Joint owners: one account, two parties.
    const owners = own.filter(({ type }) => type === 'OwnershipReported').map(({ data }) => (data as { customer: string }).customer);
    expect(owners.toSorted()).toStrictEqual([id('customer', 'C1'), id('customer', 'C2')].toSorted());
    const [posted] = dataOf(own, `transaction-${id('transaction', 'T1')}`);
    expect(posted).toMatchObject({ bookedOn: '2024-03-01', amount: 500, counterparty: { bank: 'ICBC' } });
    // Sealed with the account's key, and opened by it.
    expect(JSON.stringify(posted)).not.toContain('salary');
    expect(await bank.open(posted?.description)).toBe('salary');
  });

  it('sent again changes nothing, plain or gzip', async () => {
    const { record } = newCore();
    const lines = Array.from({ length: 500 }, (_, n) => record('transaction', `T${n}`, { ...money, direction: 'debit', account: `A${n % 7}` }));
    lines.push(record('account', 'A1', { currency: 'CNY' }), record('void', 'T7', { reason: 'twice' }));
    expect((await bank.feed(lines)).run).toMatchObject({ created: 502, repeated: 0, rejected: 0 });
    const before = (await bank.events()).length;
    for (const gzip of [true, false]) expect((await bank.feed(lines, { gzip })).run).toMatchObject({ created: 0, repeated: 502, rejected: 0 });
    expect(await bank.events()).toHaveLength(before);
  });

  it('keeps each report of a thing, late ones too, and refuses another telling of the same time', async () => {
    const { id, record } = newCore();
    const account = (at: string, status: string) => record('account', 'A1', { currency: 'CNY', at, status });
    const { run, results } = await bank.feed([
      account('2024-03-01[Asia/Shanghai]', 'frozen'),
      account('2023-03-01[Asia/Shanghai]', 'open'),
      account('2024-03-01[Asia/Shanghai]', 'closed'),
    ]);
    expect(run).toMatchObject({ created: 2, rejected: 1 });
    expect(results[2]?.errors).toStrictEqual([
      { pointer: '/source/id', detail: expect.stringMatching(/^core-\S+ A1 was told before, and differently$/) },
    ]);
    const events = (await bank.events()).filter(({ stream }) => stream === `account-${id('account', 'A1')}`);
    expect(events.map(({ occurredAt, data }) => `${occurredAt} ${(data as { status: string }).status}`)).toStrictEqual([
      '2024-03-01[Asia/Shanghai] frozen',
      '2023-03-01[Asia/Shanghai] open',
    ]);
  });

  it('tells a posted reversal from a void: the one is a transaction of its own, the other takes its transaction out on its own day', async () => {
    const { id, record } = newCore();
    await bank.feed([
      record('transaction', 'T1', { ...money, direction: 'debit', at: '2024-03-01[Asia/Shanghai]' }),
      record('transaction', 'T2', { ...money, direction: 'credit', at: '2024-03-05[Asia/Shanghai]', reverses: 'T1' }),
      record('transaction', 'T3', { ...money, direction: 'credit', at: '2024-03-06[Asia/Shanghai]' }),
      record('void', 'T3', { at: '2024-04-01[Asia/Shanghai]', reason: 'never was' }),
    ]);
    const events = await bank.events();
    expect(dataOf(events, `transaction-${id('transaction', 'T1')}`)).toHaveLength(1);
    expect(dataOf(events, `transaction-${id('transaction', 'T2')}`)).toMatchObject([{ reverses: id('transaction', 'T1'), bookedOn: '2024-03-05' }]);
    const third = events.filter(({ stream }) => stream === `transaction-${id('transaction', 'T3')}`);
    expect(third.map(({ type, occurredAt, subject }) => [type, occurredAt, subject])).toStrictEqual([
      ['TransactionPosted', '2024-03-06[Asia/Shanghai]', `account-${id('account', 'A1')}`],
      ['TransactionVoided', '2024-03-06[Asia/Shanghai]', `account-${id('account', 'A1')}`],
    ]);
  });

  it('takes a void before its transaction, which then is posted as what never was', async () => {
    const { id, record } = newCore();
    const posted = record('transaction', 'T1', { ...money, direction: 'debit' });
    const voided = record('void', 'T1', { reason: 'twice' });
    expect((await bank.feed([voided])).run).toMatchObject({ created: 1 });
    expect((await bank.feed([posted, voided])).run).toMatchObject({ created: 1, repeated: 1 });
    const events = (await bank.events()).filter(({ stream }) => stream === `transaction-${id('transaction', 'T1')}`);
    expect(events.map(({ type, occurredAt }) => `${type} ${occurredAt}`)).toStrictEqual([
      'TransactionVoided 1900-01-02T00:00:00Z',
      'TransactionPosted 2024-03-01[Asia/Shanghai]',
    ]);
    expect(events[1]?.data).toMatchObject({ voided: true });
    expect(await bank.open(dataOf(events, events[0]?.stream ?? '')[0]?.reason)).toBe('twice');
  });

  it('never keeps a whole card number, in no event and in no command', async () => {
    const { id, record } = newCore();
    const number = '6222021234567890';
    const { run } = await bank.feed([
      record('card', 'K1', { account: 'A1', number }),
      record('card', 'K1', { account: 'A1', number: '622202******7890' }),
    ]);
    expect(run).toMatchObject({ created: 1, repeated: 1 });
    const stream = `card-${id('card', 'K1')}`;
    const [card] = dataOf(await bank.events(), stream);
    expect(await bank.open(card?.number)).toBe('622202******7890');
    // No body beside it: what the event says is all that is kept.
    expect(await bank.bytesOf(stream)).not.toContain('$body');
    expect(await bank.bytesOf(stream)).toContain('"$digest"');
  });

  it('is never stopped by a bad line, and tells each by its number, its field and why', async () => {
    const { record } = newCore();
    const transaction = (id: string, over: object = {}) => record('transaction', id, { ...money, direction: 'debit', ...over });
    const { run, results } = await bank.feed([
      transaction('T1'),
      record('mortgage', 'M1'),
      '[1]',
      transaction('T2', { currency: 'XXY', amount: 12.5, direction: 'in' }),
      transaction('T3', { at: '2026-03-04T12:00:00.001Z' }),
      transaction('T4', { at: '2026-03-04T12:00:00Z' }),
      transaction('T5', { at: '2026-03-04[Asia/Shanghai]' }),
      record('account', 'A9', { currency: 'CNY', status: 'asleep' }),
      record('card', 'K9', { account: 'A1', number: '1234' }),
      record('ownership', 'O9', { account: 'A1', customer: 'C1', role: 'spouse' }),
      record('void', 'T6', { account: 'A1' }),
      transaction('T1', { amount: 501 }),
      transaction('T7'),
    ]);
    expect(run).toMatchObject({ status: 'finished', lines: 13, created: 4, repeated: 0, rejected: 9 });
    const reasons = Object.fromEntries(
      results.flatMap(({ line, errors }) => (errors ? [[line, errors.map(({ pointer, detail }) => `${pointer} ${detail}`)]] : [])),
    );
    expect(Object.keys(reasons).map(Number)).toStrictEqual([2, 3, 4, 5, 8, 9, 10, 11, 12]);
    expect(reasons[2]).toStrictEqual([
      expect.stringMatching(/^\/kind kind is one of customer, account, ownership, loan, card, standing-order, transaction, void$/),
    ]);
    expect(reasons[4]).toStrictEqual([
      '/currency a currency of ISO 4217 in capital letters, such as CNY',
      expect.stringContaining('/direction '),
      '/amount a whole number of minor units (fen, haléř), below 2^53',
    ]);
    expect(reasons[5]).toStrictEqual(['/at this is in the future, by more than 24 hours: tell what is so once it is so']);
    expect(reasons[8]).toStrictEqual([expect.stringContaining('/status ')]);
    expect(reasons[9]).toStrictEqual([expect.stringContaining('/number a card number')]);
    expect(reasons[10]).toStrictEqual([expect.stringContaining('/role ')]);
    expect(reasons[11]).toStrictEqual([expect.stringContaining('account')]);
    expect(reasons[12]).toStrictEqual([expect.stringContaining('/source/id ')]);
  });
});

it('takes the whole folder of an import as it comes, and once more', async () => {
  const bank = await bankOn(postgres);
  const before = (await bank.events()).length;
  const berka = writeBerka({}, { gzip: true });
  const rows = await Array.fromAsync((await berkaFolder(berka)).rows());
  rmSync(berka, { recursive: true, force: true });
  const lines = rows.flatMap(({ entries }) => entries);
  expect((await bank.feed(lines)).run).toMatchObject({ lines: 18, created: 18, repeated: 0, rejected: 0 });
  expect((await bank.feed(lines)).run).toMatchObject({ lines: 18, created: 0, repeated: 18, rejected: 0 });
  const types = (await bank.events()).slice(before).map(({ type }) => type);
  expect(Object.fromEntries(new Set(types).values().map((type) => [type, types.filter((other) => other === type).length]))).toStrictEqual({
    CustomerReported: 3,
    AccountReported: 2,
    OwnershipReported: 4,
    LoanReported: 2,
    CardReported: 1,
    StandingOrderReported: 2,
    TransactionPosted: 4,
  });
});

it('brings the same events whatever order the lines come in, and however often', async () => {
  const { record } = newCore();
  const lines = [
    record('customer', 'C1', { type: 'person', name: '高远' }),
    record('account', 'A1', { currency: 'CNY' }),
    record('account', 'A1', { currency: 'CNY', at: '2025-01-01T00:00:00Z', status: 'closed' }),
    record('ownership', 'O1', { account: 'A1', customer: 'C1', role: 'owner' }),
    record('loan', 'L1', { ...money, status: 'running' }),
    record('card', 'K1', { account: 'A1', number: '6222021234567890' }),
    record('standing-order', 'S1', money),
    record('transaction', 'T1', { ...money, direction: 'debit' }),
    record('transaction', 'T2', { ...money, direction: 'credit', reverses: 'T1' }),
    record('void', 'T1', { reason: 'twice' }),
    record('void', 'T3'),
  ];
  const eventsOf = async (told: readonly object[], cut: number): Promise<string[]> => {
    const bank = await bankOn(new MemoryJournal({ now }));
    for (const part of [told.slice(0, cut), told.slice(cut)]) expect((await bank.feed(part)).run.rejected).toBe(0);
    return (await bank.events()).map(({ type, id }) => `${type} ${id}`).toSorted();
  };
  const once = await eventsOf(lines, lines.length);
  expect(once).toHaveLength(lines.length);
  const anyOrder = fc
    .array(fc.constantFrom(...lines), { maxLength: 10 })
    .chain((more) => fc.shuffledSubarray([...lines, ...more], { minLength: lines.length + more.length }));
  await fc.assert(
    fc.asyncProperty(anyOrder, fc.nat({ max: 12 }), async (told, cut) => {
      expect(await eventsOf(told, cut)).toStrictEqual(once);
    }),
    { numRuns: 40 },
  );
}, 60_000);
