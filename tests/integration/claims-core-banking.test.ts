// A core system's customers come in by the feed: whose they are here, and that no fact is lost whatever happens between the steps.
import { randomBytes, randomInt } from 'node:crypto';
import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PostgresClaims } from '../../src/claims/postgres-claims.ts';
import { rebuildClaims } from '../../src/claims/rebuild.ts';
import type { AnyCommand, Claim } from '../../src/commands/command.ts';
import { sourceIdOf } from '../../src/commands/command-id.ts';
import { registerCustomer } from '../../src/commands/customer.ts';
import { withdrawDocument } from '../../src/commands/customer-identity.ts';
import { CommandHandler, type Outcome } from '../../src/commands/handler.ts';
import { eventDefinitions } from '../../src/domain/events.ts';
import type { RecordedEvent } from '../../src/domain/kernel/event.ts';
import { type CoreCustomerParts, CustomerLine, takeCustomerLine } from '../../src/feeds/core-banking-customers.ts';
import type { LineContext } from '../../src/feeds/feed.ts';
import { EventCodec } from '../../src/journal/codec.ts';
import { type Journal, JournalUnavailable } from '../../src/journal/journal.ts';
import { Keyring } from '../../src/journal/keyring.ts';
import { Opener } from '../../src/journal/sealing.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { openPostgresJournal } from '../support/postgres-journal.ts';

type Handler = LineContext['handler'];
const PATIENCE_MS = 200;

let database: TestDatabase;
let pool: Pool;
let journal: Journal;
let codec: EventCodec;
let keyring: Keyring;
let opener: Opener;
let claims: PostgresClaims;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool({ url: database.url, max: 8, applicationName: 'shiji-test', role: 'shiji_app' });
  journal = await openPostgresJournal({ url: database.url, now: Date.now });
  const id = await journal.identity();
  codec = new EventCodec(id, eventDefinitions);
  keyring = new Keyring(pool, [{ version: 1, key: randomBytes(32) }]);
  opener = new Opener(id, keyring);
  claims = new PostgresClaims(pool, randomBytes(32));
});
afterAll(async () => {
  await journal.close();
  await pool.end();
  await database.drop();
});

const newHandler = (over: Journal = journal): CommandHandler =>
  new CommandHandler({ journal: over, codec, keyring, opener, now: Date.now, claims, claimPatienceMs: PATIENCE_MS });
const parts = (): CoreCustomerParts => ({ claims, journal, codec, opener });
const take = (line: unknown, handler: Handler = newHandler()): Promise<Outcome> =>
  takeCustomerLine(
    CustomerLine.parse(line),
    { handler, actor: { subject: 'core', role: 'integration' }, purpose: 'feed', correlationId: 'run' },
    parts(),
  );
const acceptedId = async (outcome: Promise<Outcome>): Promise<string> => {
  const got = await outcome;
  if (got.kind !== 'accepted') throw new Error(`not accepted: ${JSON.stringify(got)}`);
  return got.id;
};
/** A customer's own, and after them what may be the same. */
const eventsOf = async (id: string): Promise<RecordedEvent[]> =>
  [...(await journal.readStream(`customer-${id}`)), ...(await journal.readStream(`pair-${id}`))].map(
    (stored) => codec.decode(stored) as RecordedEvent,
  );
const typesOf = async (id: string): Promise<string[]> => (await eventsOf(id)).map(({ type }) => type);
const passport = () => ({ type: 'passport', number: `E${randomInt(1e9, 1e10)}` });
const sourceOf = () => ({ system: 'core', id: `C-${randomInt(1e9, 1e10)}` });
const referenceOf = ({ system, id }: { system: string; id: string }): string => sourceIdOf('customer', system, id);
const lineOf = <Over extends object>(over: Over = {} as Over) => ({
  kind: 'customer',
  source: sourceOf(),
  at: '2020-05-01[Asia/Shanghai]',
  type: 'person',
  name: '王小明' as string | undefined,
  ...over,
});
const registered = (documents: readonly object[], name = '王小明'): Promise<string> =>
  acceptedId(
    newHandler().execute(registerCustomer, {
      params: {},
      body: registerCustomer.body.parse({ kind: 'person', name, documents }),
      actor: { subject: 'li', role: 'teller' },
      channel: 'rest',
      correlationId: 'test',
    }),
  );

describe('a source’s customer', () => {
  it('whom nobody knows is a customer under the id that holdings name', async () => {
    const line = lineOf({ documents: [passport()], branch: '3100', birthDate: '1980-05-01', contacts: [{ kind: 'phone', value: '13800138000' }] });
    const id = await acceptedId(take(line));
    expect(id).toBe(referenceOf(line.source));
    const [event] = await eventsOf(id);
    expect(event).toMatchObject({
      type: 'CustomerReported',
      occurredAt: '2020-05-01[Asia/Shanghai]',
      channel: 'feed:core',
      data: { customerId: id, reference: id, source: line.source, branch: '3100' },
    });
  });

  it('told again is known again, and told anew is the same customer’s next report', async () => {
    const line = lineOf({ documents: [passport()] });
    const id = await acceptedId(take(line));
    expect(await take(line)).toMatchObject({ kind: 'accepted', id, repeated: true });
    expect(await take({ ...line, name: '王大明' })).toStrictEqual({ kind: 'key-reused' });
    expect(await take({ ...line, at: '2021-05-01[Asia/Shanghai]' })).toMatchObject({ kind: 'accepted', id, repeated: false, revision: 1 });
  });

  it('with the document and name of one here is that one, and stays so without the document', async () => {
    const document = passport();
    const here = await registered([document], '王 小明');
    const line = lineOf({ documents: [{ ...document, number: document.number.toLowerCase() }, passport()] });
    expect(await acceptedId(take(line))).toBe(here);
    expect(await typesOf(here)).toStrictEqual(['CustomerRegistered', 'CustomerLinked', 'CustomerReported']);
    expect((await eventsOf(here))[1]).toMatchObject({
      occurredAt: line.at,
      data: { customerId: here, reference: referenceOf(line.source), source: line.source, because: 'same-document-and-name' },
    });
    expect(await acceptedId(take({ ...line, at: '2021-05-01[Asia/Shanghai]', documents: undefined, name: '王晓明' }))).toBe(here);
    expect(await typesOf(here)).toStrictEqual(['CustomerRegistered', 'CustomerLinked', 'CustomerReported', 'CustomerReported']);
    expect(await typesOf(referenceOf(line.source))).toStrictEqual([]);
    // What came with it is this customer's as well by now.
    await expect(registered([line.documents[1] as object])).rejects.toThrow('ClaimTaken');
  });

  it.each([
    ['another name', '李四'],
    ['no name', undefined],
  ])('with the document of one here and %s is kept apart, and both say that they may be one', async (_what, name) => {
    const document = passport();
    const here = await registered([document]);
    const line = lineOf({ documents: [document], name });
    const outcome = await take(line);
    const id = await acceptedId(Promise.resolve(outcome));
    expect(id).toBe(referenceOf(line.source));
    expect(await typesOf(id)).toStrictEqual(['CustomerReported', 'PossiblePairFound']);
    // Whoever waits for the line sees both marks.
    const marked = Math.max(...[...(await eventsOf(id)), ...(await eventsOf(here))].map(({ position }) => position));
    expect(outcome).toMatchObject({ position: marked });
    expect(await typesOf(here)).toStrictEqual(['CustomerRegistered', 'PossiblePairFound']);
    expect((await eventsOf(here))[1]).toMatchObject({
      occurredAt: line.at,
      data: { customerId: here, other: id, because: 'same-document-other-name' },
    });
    // The document stays with who had it first.
    expect(await claims.holderOf([{ kind: 'document', value: `passport|CN|${document.number}` }])).toStrictEqual([here]);
    await take(line);
    expect(await typesOf(id)).toHaveLength(2);
  });

  it('who was a customer already when the document showed stays one, and both are marked', async () => {
    const document = passport();
    const here = await registered([document]);
    const line = lineOf();
    const id = await acceptedId(take(line));
    expect(await acceptedId(take({ ...line, at: '2021-05-01[Asia/Shanghai]', documents: [document] }))).toBe(id);
    expect(await typesOf(id)).toStrictEqual(['CustomerReported', 'CustomerReported', 'PossiblePairFound']);
    expect((await eventsOf(here))[1]).toMatchObject({ type: 'PossiblePairFound', data: { other: id, because: 'same-document-and-name' } });
  });

  it('has the document that another gave up as entered by mistake, in a table made anew too', async () => {
    const [document, other] = [passport(), passport()];
    const mistaken = await registered([document, other]);
    const id = await acceptedId(take(lineOf({ name: '李四', documents: [document] })));
    const handler = newHandler();
    for (const documentId of ['1', '2'])
      await acceptedId(
        handler.execute(withdrawDocument, {
          params: { customerId: mistaken, documentId },
          body: { because: 'entered-by-mistake', reason: 'a brother’s' },
          actor: { subject: 'ops', role: 'operations' },
          channel: 'rest',
          correlationId: 'test',
        }),
      );
    const claimed = [document, other].map(({ number }) => ({ kind: 'document' as const, value: `passport|CN|${number}` }));
    expect(await claims.holderOf(claimed)).toStrictEqual([id, undefined]);
    await expect(registered([document])).rejects.toThrow('ClaimTaken');
    await pool.query('delete from claims.holders');
    await rebuildClaims({ pool, journal, codec, opener, claims });
    expect(await claims.holderOf(claimed)).toStrictEqual([id, undefined]);
  });

  it('has the document that a registration claimed and never came for', async () => {
    const document = passport();
    const crashing = newHandler(failing(() => true));
    await expect(
      crashing.execute(registerCustomer, {
        params: {},
        body: registerCustomer.body.parse({ kind: 'person', name: '王小明', documents: [document] }),
        actor: { subject: 'li', role: 'teller' },
        channel: 'rest',
        correlationId: 'test',
      }),
    ).rejects.toThrow('gone');
    const id = await acceptedId(take(lineOf({ documents: [document] })));
    expect(await claims.holderOf([{ kind: 'document', value: `passport|CN|${document.number}` }])).toStrictEqual([id]);
  });

  it('of two with a new document at once neither is lost: one name is one customer, two names are two', async () => {
    for (const names of [
      ['王小明', '王小明'],
      ['王小明', '李四'],
    ]) {
      const documents = [passport()];
      const lines = names.map((name) => lineOf({ name, documents }));
      const ids = await Promise.all(lines.map((line) => acceptedId(take(line))));
      const all = await Promise.all([...new Set(ids)].map(eventsOf));
      const told = all.flat().filter(({ type }) => type === 'CustomerReported');
      expect(told.map(({ data }) => (data as { reference: string }).reference).sort()).toStrictEqual(
        lines.map(({ source }) => referenceOf(source)).sort(),
      );
      expect(new Set(ids).size).toBe(new Set(names).size);
      const pairs = all.flat().filter(({ type }) => type === 'PossiblePairFound');
      expect(pairs).toHaveLength(new Set(names).size === 1 ? 0 : 2);
    }
  });

  it('is told by many lines at once in any order, all of them kept on one stream', async () => {
    const document = passport();
    const here = await registered([document]);
    const line = lineOf({ documents: [document] });
    const handler = newHandler();
    const ids = await Promise.all(
      Array.from({ length: 12 }, (_, year) =>
        acceptedId(take({ ...line, at: `${2000 + year}-01-01[Asia/Shanghai]` }, year % 2 ? handler : newHandler())),
      ),
    );
    expect(new Set(ids)).toStrictEqual(new Set([here]));
    const types = await typesOf(here);
    expect(types.filter((type) => type === 'CustomerReported')).toHaveLength(12);
    expect(types.filter((type) => type === 'CustomerLinked')).toHaveLength(1);
  });
});

/** The journal that is gone at the appends that a test says. */
function failing(isGone: (types: readonly string[], turn: number) => boolean, after = false): Journal {
  let turn = 0;
  const append: Journal['append'] = async (stream, expected, events, key) => {
    turn += 1;
    const gone = isGone(
      events.map(({ type }) => type),
      turn,
    );
    if (gone && !after) throw new JournalUnavailable('gone');
    const result = await journal.append(stream, expected, events, key);
    if (gone) throw new JournalUnavailable('gone');
    return result;
  };
  return new Proxy(journal, {
    get: (inner, name) => {
      if (name === 'append') return append;
      const member: unknown = Reflect.get(inner, name);
      return typeof member === 'function' ? member.bind(inner) : member;
    },
  });
}

describe('a crash at any step of a line', () => {
  const cases = [
    { what: 'of someone new', other: undefined },
    { what: 'of one here under another id', other: '王小明' },
    { what: 'of a possible pair', other: '李四' },
  ];
  // Each append in turn is lost before it was written, or answered by nobody after it was.
  const crashes = cases.flatMap((each) => [1, 2, 3].flatMap((turn) => [false, true].map((after) => ({ ...each, turn, after }))));

  it.each(crashes)('$what, at append $turn (written: $after), ends by its retry where an undisturbed one does', async ({ other, turn, after }) => {
    const document = passport();
    const here = other === undefined ? undefined : await registered([document], other);
    const line = lineOf({ documents: [document, passport()] });
    const crashing = newHandler(failing((_types, at) => at === turn, after));
    await take(line, crashing).catch((error: unknown) => {
      if (!(error instanceof JournalUnavailable)) throw error;
    });
    const id = await acceptedId(take(line, newHandler()));
    const linked = other === line.name;
    expect(id).toBe(linked ? here : referenceOf(line.source));
    const pair = other !== undefined && !linked ? ['PossiblePairFound'] : [];
    expect(await typesOf(id)).toStrictEqual(linked ? ['CustomerRegistered', 'CustomerLinked', 'CustomerReported'] : ['CustomerReported', ...pair]);
    if (here !== undefined && !linked) expect(await typesOf(here)).toStrictEqual(['CustomerRegistered', 'PossiblePairFound']);
    const wanted: readonly Claim[] = [
      { kind: 'source', value: `core|${line.source.id}` },
      ...line.documents.map(({ number }) => ({ kind: 'document' as const, value: `passport|CN|${number}` })),
    ];
    const held = await claims.holderOf(wanted);
    expect(held).toStrictEqual([id, here ?? id, id]);
    // The journal alone says the same.
    await pool.query('delete from claims.holders');
    await rebuildClaims({ pool, journal, codec, opener, claims });
    expect(await claims.holderOf(wanted)).toStrictEqual(held);
  });

  it('gives way to a registration meanwhile, and the fact is that customer’s', async () => {
    const document = passport();
    const line = lineOf({ documents: [document] });
    await expect(take(line, newHandler(failing(() => true)))).rejects.toThrow('gone');
    const here = await registered([document]);
    expect(await typesOf(referenceOf(line.source))).toStrictEqual(['RegistrationAbandoned']);
    expect(await acceptedId(take(line))).toBe(here);
    expect(await typesOf(here)).toStrictEqual(['CustomerRegistered', 'CustomerLinked', 'CustomerReported']);
    // Of another name it would have stood for itself, on the stream that was given up.
    const [another, theirs] = [passport(), lineOf({ name: '李四' })];
    const second = { ...theirs, documents: [another] };
    await expect(take(second, newHandler(failing(() => true)))).rejects.toThrow('gone');
    await registered([another]);
    const id = await acceptedId(take(second));
    expect(await typesOf(id)).toStrictEqual(['RegistrationAbandoned', 'CustomerReported', 'PossiblePairFound']);
  });
});

it('a line costs no look at others where its customer is known to nobody else', async () => {
  const calls: string[] = [];
  const handler: Handler = {
    execute: (command: AnyCommand, request) => {
      calls.push(command.name);
      return newHandler().execute(command, request);
    },
  };
  await take(lineOf({ documents: [passport()] }), handler);
  expect(calls).toStrictEqual(['ReportCustomer']);
});
