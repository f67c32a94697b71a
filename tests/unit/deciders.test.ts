// What holds for every aggregate, whatever it is asked in whatever order: the same command on the same past gives the same events, nothing
// handed in is changed, and the past folded in one go, also as it is read back, is the state that decisions were made on.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allCommands } from '../../src/commands/all.ts';
import { campaign } from '../../src/domain/campaign/campaign.ts';
import { enrolment } from '../../src/domain/campaign/enrolment.ts';
import { enrolmentJob } from '../../src/domain/campaign/enrolment-job.ts';
import { bankClock } from '../../src/domain/clock/clock.ts';
import { customer } from '../../src/domain/customer/customer.ts';
import { possiblePairs } from '../../src/domain/customer/pairs.ts';
import { reportedThing } from '../../src/domain/holding/reported.ts';
import { transaction } from '../../src/domain/holding/transaction.ts';
import { chinaBankCalendar } from '../../src/domain/kernel/calendars/china-bank.ts';
import { type Decider, isRejection } from '../../src/domain/kernel/decider.ts';
import type { Fact } from '../../src/domain/kernel/event.ts';
import { projectionControl } from '../../src/domain/projection/control.ts';
import { standardSlaPolicy } from '../../src/domain/ticket/sla-policies.ts';
import { ticket } from '../../src/domain/ticket/ticket.ts';

type Any = Decider<unknown, unknown, Fact, string>;
type Arbitrary = fc.Arbitrary<unknown>;

const id = '0190a0b0-0000-7000-8000-000000000001';
const other = fc.constantFrom('0190a0b0-0000-7000-8000-00000000000a', '0190a0b0-0000-7000-8000-00000000000b');
const words = fc.constantFrom('VIP', 'salary', '养老');
const staff = fc.constantFrom('alice', 'bob');
const instant = fc.constantFrom('2026-01-30T08:00:00.000Z', '2026-02-16T01:30:00.000Z', '2026-03-01T16:00:00.000Z', '2026-10-02T04:00:00.000Z');
const sourceTime = fc.constantFrom('2019-02-28[Asia/Shanghai]', '2020-01-01[Europe/Prague]', '2020-01-01T09:00:00+08:00');
const source = fc.record({ system: fc.constant('core'), id: fc.constantFrom('1', '2') });
const maybe = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(one, { nil: undefined });
const oneOf = (...shapes: Readonly<Record<string, Arbitrary>>[]): Arbitrary => fc.oneof(...shapes.map((shape) => fc.record(shape)));
const does = (...names: string[]): fc.Arbitrary<string> => fc.constantFrom(...names);

const ticketId = fc.constant(id);
const basis = { policy: fc.constant(standardSlaPolicy), calendar: fc.constant(chinaBankCalendar) };
const newTicket = {
  ticketId,
  type: fc.constantFrom('inquiry', 'complaint', 'service-request'),
  priority: fc.constantFrom('urgent', 'high', 'normal', 'low'),
  channel: fc.constantFrom('web', 'counter'),
  summary: words,
  ...basis,
};
/** Deadlines as the policy may give them, and others. */
const dueAt = fc.constantFrom('2026-01-30T08:15:00.000Z', '2026-01-30T12:00:00.000Z', '2026-03-01T16:15:00.000Z');
const ticketCommands = oneOf(
  { do: fc.constant('open'), now: instant, openedBy: staff, customer: maybe(other), ...newTicket },
  {
    do: fc.constant('import'),
    source,
    receivedAt: sourceTime,
    startedAt: instant,
    importedAt: instant,
    closed: fc.boolean(),
    verdict: maybe(does('timely', 'untimely')),
    ...newTicket,
  },
  { do: fc.constant('assign'), ticketId, to: staff },
  { do: fc.constant('start'), ticketId, by: staff, now: instant },
  { do: fc.constant('resolve'), ticketId, resolution: words, now: instant },
  { do: fc.constant('reopen'), ticketId, reason: maybe(words), now: instant, ...basis },
  { do: fc.constant('close'), ticketId },
  { do: does('warn', 'breach'), ticketId, clock: does('first-response', 'resolution'), dueAt },
);

const customerId = fc.constant(id);
const contact = { kind: fc.constantFrom('phone', 'email'), value: fc.constantFrom('13800138000', 'mia@example.com') };
const document = fc.record({ type: fc.constant('passport'), number: fc.constantFrom('E1', 'E2'), country: maybe(fc.constant('CN')) });
const branch = fc.constantFrom('3100', '3200');
const reported = fc.record({
  customerId,
  reference: other,
  source,
  kind: fc.constantFrom('person', 'firm'),
  name: maybe(words),
  documents: maybe(fc.array(document, { maxLength: 2 })),
  branch: maybe(branch),
});
const customerCommands = oneOf(
  {
    do: fc.constant('register'),
    customerId,
    by: fc.record({ subject: staff, role: fc.constantFrom('rm', 'operations') }),
    kind: fc.constantFrom('person', 'firm'),
    name: words,
    documents: maybe(fc.array(document, { maxLength: 2 })),
    contacts: maybe(fc.array(fc.record(contact), { maxLength: 2 })),
    manager: maybe(staff),
    branch: maybe(branch),
  },
  { do: does('report', 'link-and-report'), customerId, report: reported, at: sourceTime },
  { do: fc.constant('abandon'), customerId },
  { do: fc.constant('add-contact'), customerId, verified: fc.boolean(), ...contact },
  { do: does('verify-contact', 'remove-contact'), customerId, contactId: fc.constantFrom('1', '2', '9') },
  {
    do: fc.constant('change-preferences'),
    customerId,
    channel: maybe(fc.constantFrom('phone', null)),
    language: maybe(fc.constantFrom('zh-CN', null)),
  },
  { do: does('tag', 'untag'), customerId, tag: words },
  { do: fc.constant('assign'), customerId, manager: maybe(fc.option(staff)), branch: maybe(fc.option(branch)), reason: maybe(words) },
);

const campaignStatus = maybe(fc.constantFrom('planned', 'running', 'closed'));
const day = fc.constantFrom('2026-01-01', '2026-02-01', '2026-03-01');
const named = { enrolmentId: fc.constant(id), campaignId: other, customerId: other, campaignStatus };
const page = {
  jobId: fc.constant(id),
  after: fc.option(words),
  counts: fc.record({ enrolled: fc.nat(9), already: fc.nat(9), refused: fc.nat(9) }),
};
const account = { accountId: other, source, currency: fc.constant('CNY') };
const projection = fc.constant('tickets');

const aggregates: Readonly<Record<string, readonly [Any, Arbitrary]>> = {
  ticket: [ticket as Any, ticketCommands],
  customer: [customer as Any, customerCommands],
  'possible pair': [possiblePairs as Any, fc.record({ customerId, other, because: fc.constantFrom('same-document', 'same-name'), at: sourceTime })],
  campaign: [
    campaign as Any,
    oneOf(
      { do: fc.constant('plan'), campaignId: fc.constant(id), name: words, from: day, to: day, audience: maybe(words), today: day },
      { do: does('start', 'close'), campaignId: fc.constant(id) },
    ),
  ],
  enrolment: [
    enrolment as Any,
    oneOf({ do: fc.constant('enrol'), jobId: maybe(other), ...named }, { do: fc.constant('respond'), response: words, ...named }),
  ],
  'enrolment job': [
    enrolmentJob as Any,
    oneOf(
      {
        do: fc.constant('request'),
        jobId: fc.constant(id),
        campaignId: other,
        filter: fc.record({ tag: words }),
        requestedBy: fc.record({ subject: staff, role: fc.constant('operations'), scope: maybe(fc.constant('bank')) }),
        campaignStatus,
      },
      { do: fc.constant('advance'), cursor: words, ...page },
      { do: fc.constant('finish'), detail: maybe(words), ...page },
    ),
  ],
  'reported thing': [reportedThing('AccountReported') as Any, fc.record({ at: sourceTime, data: fc.record({ ...account, status: words }) })],
  transaction: [
    transaction as Any,
    oneOf(
      { do: fc.constant('post'), at: sourceTime, data: fc.record({ ...account, transactionId: fc.constant(id), amount: fc.nat(), bookedOn: day }) },
      { do: fc.constant('void'), data: fc.record({ transactionId: fc.constant(id), source, reason: words }) },
    ),
  ],
  'projection control': [
    projectionControl as Any,
    oneOf(
      { do: does('pause', 'resume', 'swap', 'rollback'), projection },
      { do: fc.constant('retry'), projection, key: words },
      { do: fc.constant('skip'), projection, key: words, position: fc.nat(), reason: words },
      { do: fc.constant('rebuild'), projection, swap: does('auto', 'manual') },
    ),
  ],
  clock: [bankClock as Any, fc.record({ now: instant, to: instant })],
};

/** Deep, but for what methods make of a class (calendars) and for maps and sets, which are compared instead. */
function frozen<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const inner of Object.values(value)) frozen(inner);
  return value;
}

const copied = <Value>(value: Value): Value => (typeof value === 'object' && value !== null ? structuredClone(value) : value);

describe.each(Object.entries(aggregates))('%s', (_, [{ initialState, evolve, decide }, command]) => {
  const fold = (facts: readonly Fact[]): unknown => facts.reduce(evolve, initialState);

  it('decides the same on the same past, changes nothing that it is given, and is the fold of its events', () => {
    let emitted = 0;
    fc.assert(
      fc.property(fc.array(command, { maxLength: 25 }), (commands) => {
        const facts: Fact[] = [];
        let state = initialState;
        for (const one of commands) {
          const before = copied(state);
          const decision = decide(frozen(one), frozen(state));
          expect(decide(one, before)).toStrictEqual(decision);
          expect(decide(one, fold(facts))).toStrictEqual(decision);
          expect(state).toStrictEqual(before);
          if (isRejection(decision)) continue;
          for (const fact of decision as readonly Fact[]) {
            facts.push(fact);
            state = evolve(frozen(state), frozen(fact));
          }
          emitted += decision.length;
        }
        expect(fold(facts)).toStrictEqual(state);
        expect(fold(JSON.parse(JSON.stringify(facts)) as Fact[])).toStrictEqual(state);
      }),
      { numRuns: 200 },
    );
    // Refusing everything would hold as well.
    expect(emitted).toBeGreaterThan(20);
  });
});

it('leaves out no aggregate that a command is on', () => {
  const known = new Set(Object.values(aggregates).map(([{ initialState, evolve }]) => `${JSON.stringify(initialState)} ${evolve}`));
  const missing = allCommands(['tickets'])
    .filter(({ decider: { initialState, evolve } }) => !known.has(`${JSON.stringify(initialState)} ${evolve}`))
    .map(({ name }) => name);
  expect(missing).toStrictEqual([]);
});
