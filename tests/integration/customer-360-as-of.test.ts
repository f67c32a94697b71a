// The 360 view of a chosen moment, told twice: from the customer's own past, and from a replay of whole read models with the same cut.
// Over random small histories with late facts, older reports that come later, voids, and things that change hands, both say the same.
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type { Pool } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventDefinitions } from '../../src/domain/events.ts';
import type { Fact } from '../../src/domain/kernel/event.ts';
import { startOf } from '../../src/domain/kernel/source.ts';
import { EventCodec } from '../../src/journal/codec.ts';
import type { Keyring } from '../../src/journal/keyring.ts';
import { Opener } from '../../src/journal/sealing.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { projections as everyProjection } from '../../src/projections/all.ts';
import { ProjectionEngine } from '../../src/projections/engine/engine.ts';
import { replay } from '../../src/projections/engine/replay.ts';
import { createSearchTokens } from '../../src/projections/engine/search-tokens.ts';
import { view360 } from '../../src/views/customer-360.ts';
import type { CustomerRows } from '../../src/views/customer-rows.ts';
import { liveRows, replayRows, viewedProjections } from '../../src/views/live.ts';
import { type PastParts, pastRows, type TwoTimes } from '../../src/views/past.ts';
import { windowOf } from '../../src/views/window.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { MemoryJournal } from '../support/memory-journal.ts';

const zone = 'Asia/Shanghai';
const projections = everyProjection.filter(({ name }) => (viewedProjections as readonly string[]).includes(name));
const searchTokens = createSearchTokens(Buffer.alloc(32, 7));
const key = { id: 1, version: 1, key: Buffer.alloc(32, 9) };

let database: TestDatabase;
let pool: Pool;
let journal: MemoryJournal;
let codec: EventCodec;
let opener: Opener;
let engine: ProjectionEngine;
let parts: PastParts;
let nowMs = Date.parse('2026-03-01T00:00:00Z');
const revisions = new Map<string, number>();

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool({ url: database.url, max: 16, applicationName: 'test', role: 'shiji_app' });
  journal = new MemoryJournal({ now: () => nowMs });
  const id = await journal.identity();
  codec = new EventCodec(id, eventDefinitions);
  opener = new Opener(id, { forOpening: async (ids: readonly number[]) => new Map(ids.map((one) => [one, key])) } as unknown as Keyring);
  const personals = { openMany: (values: Parameters<Opener['openMany']>[0]) => opener.openMany(values), tokens: searchTokens.tokens };
  const silent = { info: () => {}, warn: () => {}, error: () => {} };
  engine = new ProjectionEngine({ journal, codec, pool, projections, personals, now: () => nowMs, log: silent, tuning: { pollMs: 20 } });
  await engine.start();
  parts = { pool, journal, codec, zone, progress: engine.progress, now: () => nowMs };
});
afterAll(async () => {
  await engine.stop();
  await pool.end();
  await database.drop();
});

async function append(stream: string, fact: Fact): Promise<void> {
  nowMs += 3_600_000;
  const provenance = {
    occurredAt: new Date(nowMs).toISOString(),
    actor: { subject: 'chen', role: 'rm' },
    channel: 'rest',
    command: { id: randomUUID(), name: 'Test', version: 1 },
    correlationId: 'test',
  };
  const result = await journal.append(stream, revisions.get(stream) ?? 'no-stream', codec.encode(stream, [fact], [key], provenance, '{}'));
  if (!result.appended) throw new Error(`${stream} stands at ${result.revision}`);
  revisions.set(stream, result.revision);
}

/** Days of the world's time; a fact is of a day in the bank's zone, of one in another's, or of an instant. */
const days = ['2025-12-30', '2026-01-05', '2026-01-31', '2026-02-01', '2026-02-14', '2026-03-03'];
const when = fc
  .record({ day: fc.constantFrom(...days), form: fc.constantFrom('date', 'elsewhere', 'instant') })
  .map(({ day, form }) => (form === 'date' ? `${day}[Asia/Shanghai]` : form === 'elsewhere' ? `${day}[Europe/Prague]` : `${day}T09:30:00.000Z`));
const two = fc.nat(1);
const three = fc.nat(2);
const four = fc.nat(3);

const step = fc.oneof(
  { weight: 2, arbitrary: fc.record({ what: fc.constant('reported'), at: when, customer: three, name: four, branch: three }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('linked'), customer: three }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('pair'), customer: three, other: three }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('tagged'), customer: three, tag: three, off: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('contact'), customer: three, kind: fc.constantFrom('phone', 'e-mail') }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('named'), customer: three, name: four }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('document'), customer: three, does: fc.constantFrom('add', 'renew', 'withdraw'), on: two }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('assigned'), customer: three, manager: three }) },
  {
    weight: 3,
    arbitrary: fc.record({
      what: fc.constant('account'),
      at: when,
      account: two,
      status: fc.constantFrom('open', 'closed'),
      opening: fc.option(fc.nat(9)),
      openingOn: fc.constantFrom('2025-12-01', ...days),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      what: fc.constant('ownership'),
      at: when,
      ownership: four,
      account: two,
      party: four,
      role: fc.constantFrom('owner', 'joint-owner', 'mandate'),
      ended: fc.boolean(),
    }),
  },
  { weight: 5, arbitrary: fc.record({ what: fc.constant('loan'), at: when, loan: fc.nat(1), account: two, amount: four }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('card'), at: when, card: fc.nat(1), account: two, party: fc.option(four) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('order'), at: when, account: two, amount: four }) },
  {
    weight: 10,
    arbitrary: fc.record({
      what: fc.constant('posted'),
      at: when,
      transaction: fc.nat(7),
      account: two,
      direction: fc.constantFrom('credit', 'debit'),
      balance: fc.option(fc.nat(500)),
    }),
  },
  { weight: 4, arbitrary: fc.record({ what: fc.constant('voided'), at: when, transaction: fc.nat(7) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('ticket'), ticket: three, customer: fc.option(three) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('enrolled'), customer: three, campaign: fc.nat(1) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      what: fc.constant('responded'),
      customer: three,
      campaign: fc.nat(1),
      response: fc.constantFrom('interested', 'declined'),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** One history's ids, and what its streams hold already. */
class History {
  readonly #salt = randomUUID().slice(0, 8);
  readonly #transactions = new Map<number, { at: string; account: string; posted: boolean; voided: boolean }>();
  readonly #opened = new Set<string>();

  #id(kind: number, number: number): string {
    return `${this.#salt}-0000-8000-8000-0000000${kind}000${number}`;
  }
  customer(number: number): string {
    return this.#id(1, number);
  }

  async begin(): Promise<void> {
    // Two customers of a source, and one whom staff entered.
    for (const number of [0, 1]) await append(`customer-${this.customer(number)}`, this.#report(number, '2025-12-30[Asia/Shanghai]', 'Wang', '3100'));
    await append(`customer-${this.customer(2)}`, {
      type: 'CustomerRegistered',
      data: { customerId: this.customer(2), kind: 'person', name: 'Li' },
      occurredAt: '2026-01-05T00:00:00.000Z',
    });
    for (const number of [0, 1]) {
      const campaignId = this.#id(8, number);
      await append(`campaign-${campaignId}`, {
        type: 'CampaignPlanned',
        data: { campaignId, name: `Campaign ${number}`, from: '2026-01-01', to: '2027-01-01' },
      });
    }
  }

  #report(number: number, at: string, name: string, branch: string): Fact {
    const customerId = this.customer(number);
    return {
      type: 'CustomerReported',
      data: { customerId, reference: customerId, source: { system: 'core', id: `c${number}` }, kind: 'person', name, branch },
      occurredAt: at,
    };
  }

  async take(given: Step): Promise<void> {
    const source = { system: 'core', id: 'x' };
    switch (given.what) {
      case 'reported': {
        const { customer, at, name, branch } = given as Extract<Step, { what: 'reported' }>;
        if (customer < 2) await append(`customer-${this.customer(customer)}`, this.#report(customer, at, `Wang ${name}`, `310${branch}`));
        return;
      }
      case 'linked': {
        const { customer } = given as { customer: number };
        const customerId = this.customer(customer);
        const data = { customerId, reference: this.customer(3), source, because: 'same-document-and-name' };
        await append(`customer-${customerId}`, { type: 'CustomerLinked', data });
        return;
      }
      case 'pair': {
        const { customer, other } = given as { customer: number; other: number };
        if (customer === other) return;
        const data = { customerId: this.customer(customer), other: this.customer(other), because: 'same-document-other-name' };
        await append(`pair-${this.customer(customer)}`, { type: 'PossiblePairFound', data });
        return;
      }
      case 'tagged': {
        const { customer, tag, off } = given as { customer: number; tag: number; off: boolean };
        const data = { customerId: this.customer(customer), tag: `tag ${tag}` };
        await append(`customer-${data.customerId}`, { type: off ? 'CustomerUntagged' : 'CustomerTagged', data });
        return;
      }
      case 'contact': {
        const { customer, kind } = given as { customer: number; kind: string };
        const data = { customerId: this.customer(customer), contactId: randomUUID(), kind, value: '13812345678', verified: false };
        await append(`customer-${data.customerId}`, { type: 'ContactAdded', data });
        return;
      }
      case 'named': {
        const { customer, name } = given as { customer: number; name: number };
        const data = { customerId: this.customer(customer), name: `Wu ${name}`, reason: 'a register seen' };
        await append(`customer-${data.customerId}`, { type: 'NameCorrected', data });
        return;
      }
      case 'document': {
        const { customer, does, on } = given as { customer: number; does: string; on: number };
        const data = { customerId: this.customer(customer), documentId: `${on + 1}`, reason: 'shown' };
        const stream = `customer-${data.customerId}`;
        if (does === 'add') await append(stream, { type: 'DocumentAdded', data: { ...data, type: 'passport', number: `E${on}` } });
        else if (does === 'renew') await append(stream, { type: 'DocumentRenewed', data: { ...data, expiresOn: `203${on}-01-01` } });
        else await append(stream, { type: 'DocumentWithdrawn', data: { ...data, because: 'not-valid' } });
        return;
      }
      case 'assigned': {
        const { customer, manager } = given as { customer: number; manager: number };
        const data = { customerId: this.customer(customer), manager: `rm-${manager}`, branch: null };
        await append(`customer-${data.customerId}`, { type: 'CustomerAssigned', data });
        return;
      }
      case 'account': {
        const { at, account, status, opening, openingOn } = given as Extract<Step, { opening: number | null }>;
        const accountId = this.#id(2, account);
        const data = {
          ...{ accountId, source, currency: account === 1 ? 'EUR' : 'CNY', status, number: '6222020200112233' },
          ...(opening === null ? {} : { openingBalance: opening, openingOn }),
        };
        await append(`account-${accountId}`, { type: 'AccountReported', data, occurredAt: at });
        return;
      }
      case 'ownership': {
        const { at, ownership, account, party, role, ended } = given as Extract<Step, { ownership: number }>;
        const data = { ownershipId: this.#id(3, ownership), source, accountId: this.#id(2, account), customer: this.customer(party), role, ended };
        await append(`ownership-${data.ownershipId}`, { type: 'OwnershipReported', data, occurredAt: at });
        return;
      }
      case 'loan': {
        const { at, loan, account, amount } = given as Extract<Step, { loan: number }>;
        const data = { loanId: this.#id(4, loan), source, accountId: this.#id(2, account), currency: 'CNY', amount, status: 'running' };
        await append(`loan-${data.loanId}`, { type: 'LoanReported', data, occurredAt: at });
        return;
      }
      case 'card': {
        const { at, card, account, party } = given as Extract<Step, { card: number }>;
        const data = {
          ...{ cardId: this.#id(5, card), source, accountId: this.#id(2, account), status: 'active', number: '622202******1234' },
          ...(party === null ? {} : { customer: this.customer(party) }),
        };
        await append(`card-${data.cardId}`, { type: 'CardReported', data, occurredAt: at });
        return;
      }
      case 'order': {
        const { at, account, amount } = given as { at: string; account: number; amount: number };
        const data = { orderId: this.#id(6, 0), source, accountId: this.#id(2, account), currency: 'CNY', amount, status: 'active' };
        await append(`order-${data.orderId}`, { type: 'StandingOrderReported', data, occurredAt: at });
        return;
      }
      case 'posted':
        return this.#post(given as Extract<Step, { direction: string }>);
      case 'voided':
        return this.#void(given as { at: string; transaction: number });
      case 'ticket':
        return this.#ticket(given as Extract<Step, { ticket: number }>);
      case 'enrolled':
      case 'responded':
        return this.#enrolment(given as { what: string; customer: number; campaign: number; response?: string });
    }
  }

  async #post({ at, transaction, account, direction, balance }: Extract<Step, { direction: string }>): Promise<void> {
    const transactionId = this.#id(7, transaction);
    const known = this.#transactions.get(transaction);
    if (known?.posted) return;
    // A void that came first says when: its day is the transaction's own.
    const occurredAt = known?.at ?? at;
    const accountId = this.#id(2, account);
    const data = {
      ...{ transactionId, source: { system: 'core', id: `t${transaction}` }, accountId, bookedOn: bookedOn(occurredAt), direction },
      ...{ currency: account === 1 ? 'EUR' : 'CNY', amount: 10 * (transaction + 1), category: transaction % 2 ? 'fee' : 'salary' },
      ...(balance === null ? {} : { balance }),
      ...(known?.voided ? { voided: true } : {}),
    };
    await append(`transaction-${transactionId}`, { type: 'TransactionPosted', data, occurredAt, subject: `account-${accountId}` });
    this.#transactions.set(transaction, { at: occurredAt, account: accountId, posted: true, voided: known?.voided ?? false });
  }

  async #void({ at, transaction }: { at: string; transaction: number }): Promise<void> {
    const transactionId = this.#id(7, transaction);
    const known = this.#transactions.get(transaction);
    if (known?.voided) return;
    const occurredAt = known?.at ?? at;
    const data = { transactionId, source: { system: 'core', id: `t${transaction}` } };
    await append(`transaction-${transactionId}`, { type: 'TransactionVoided', data, occurredAt });
    this.#transactions.set(transaction, { at: occurredAt, account: known?.account ?? '', posted: known?.posted ?? false, voided: true });
  }

  async #ticket({ ticket, customer }: Extract<Step, { ticket: number }>): Promise<void> {
    const ticketId = this.#id(9, ticket);
    const stream = `ticket-${ticketId}`;
    if (this.#opened.has(stream)) {
      await append(stream, { type: 'TicketAssigned', data: { ticketId, assignee: 'dai' } });
      return;
    }
    this.#opened.add(stream);
    const clock = { startedAt: '2026-03-01T00:00:00.000Z', warnAt: '2026-03-01T01:00:00.000Z', dueAt: '2026-03-01T02:00:00.000Z' };
    const sla = {
      ...{ policy: { id: 'standard', version: 1 }, calendar: { id: 'cn-bank', version: 1 }, provisional: false },
      ...{ firstResponse: clock, resolution: clock },
    };
    const data = {
      ...{ ticketId, type: 'complaint', priority: 'normal', channel: 'phone', summary: 'A card that does not work', openedBy: 'chen', sla },
      ...(customer === null ? {} : { customer: this.customer(customer) }),
    };
    await append(stream, { type: 'TicketOpened', data });
  }

  async #enrolment({ what, customer, campaign, response }: { what: string; customer: number; campaign: number; response?: string }): Promise<void> {
    const data = {
      enrolmentId: this.#id(8, 100 * (customer + 1) + campaign),
      campaignId: this.#id(8, campaign),
      customerId: this.customer(customer),
    };
    const stream = `enrolment-${data.enrolmentId}`;
    const isEnrolled = this.#opened.has(stream);
    if (what === 'responded' && isEnrolled) await append(stream, { type: 'ResponseRecorded', data: { ...data, response } });
    if (what === 'enrolled' && !isEnrolled) {
      this.#opened.add(stream);
      await append(stream, { type: 'CampaignEnrolled', data });
    }
  }
}

/** The day on the source's own clock, or the bank's for an instant. */
const bookedOn = (occurredAt: string): string =>
  occurredAt.endsWith('Z') ? Temporal.Instant.from(occurredAt).toZonedDateTimeISO(zone).toPlainDate().toString() : occurredAt.slice(0, 10);

const auditor = { subject: 'zhao', role: 'auditor' };

async function told(rows: CustomerRows | undefined) {
  if (!rows) return undefined;
  const { answer } = await view360(rows, opener, auditor, new Set(rows.parties.map(({ id }) => id)));
  return { ...answer, tickets: rows.tickets };
}

const cut = fc.record({
  asOf: fc.option(
    fc.oneof(fc.constantFrom(...days), fc.constantFrom(...days.map((day) => startOf(`${day}[Europe/Prague]`)), '2026-03-02T12:00:00Z')),
    {
      nil: undefined,
    },
  ),
  /** How much of the history was known: hours of it. */
  known: fc.option(fc.integer({ min: 10, max: 60 }), { nil: undefined }),
});

let replays = 0;
let differentPasts = 0;

it('says the same from the customer’s own past as from a replay, for every customer and any cut of both times', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 30, maxLength: 60, size: 'max' }),
      fc.array(cut, { minLength: 2, maxLength: 2 }),
      async (steps, cuts) => {
        const history = new History();
        const began = nowMs;
        await history.begin();
        for (const one of steps) await history.take(one);
        const { position } = await journal.head();
        expect(await engine.progress.waitUntil(viewedProjections, position, 10_000)).toBe(true);
        const ids = [0, 1, 2].map((number) => history.customer(number));
        const live = await Promise.all(ids.map(async (id) => told(await liveRows(parts, id, windowOf(nowMs, zone)))));
        expect(await Promise.all(ids.map(async (id) => told(await pastRows(parts, id, {}))))).toStrictEqual(live);
        for (const { asOf, known } of cuts) {
          const times: TwoTimes = { asOf, knownAt: known === undefined ? undefined : new Date(began + known * 3_600_000).toISOString() };
          replays += 1;
          const schema = `replay_${replays}`;
          const options = { journal, codec, pool, projections, schema, bankZone: zone, until: asOf, knownAt: times.knownAt };
          const [table] = await replay({ ...options, personals: { openMany: (values) => opener.openMany(values), tokens: searchTokens.tokens } });
          const at = { schema, position: table?.position ?? 0 };
          for (const [index, id] of ids.entries()) {
            const fromPast = await told(await pastRows(parts, id, times));
            expect(fromPast).toStrictEqual(await told(await replayRows(pool, at, id, windowOf(asOf ?? nowMs, zone))));
            if (JSON.stringify(fromPast) !== JSON.stringify(live[index])) differentPasts += 1;
          }
          await pool.query(`drop schema ${schema} cascade`);
        }
      },
    ),
    // A failure is told as it is: shrinking it would take minutes.
    { numRuns: 50, endOnFailure: true },
  );
  // A cut that never changes anything would prove nothing.
  expect(differentPasts).toBeGreaterThan(20);
});
