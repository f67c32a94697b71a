// Commands to every aggregate's decider, for tests/unit/deciders.test.ts: those of tickets, customers, campaigns and holdings here, the
// rest beside.
import fc from 'fast-check';
import { campaign } from '../../src/domain/campaign/campaign.ts';
import { enrolment } from '../../src/domain/campaign/enrolment.ts';
import { enrolmentJob } from '../../src/domain/campaign/enrolment-job.ts';
import { bankClock } from '../../src/domain/clock/clock.ts';
import { customer } from '../../src/domain/customer/customer.ts';
import { possiblePairs } from '../../src/domain/customer/pairs.ts';
import { reportedThing } from '../../src/domain/holding/reported.ts';
import { transaction } from '../../src/domain/holding/transaction.ts';
import { chinaBankCalendar } from '../../src/domain/kernel/calendars/china-bank.ts';
import { type Plain, unopened } from '../../src/domain/kernel/personal.ts';
import { projectionControl } from '../../src/domain/projection/control.ts';
import { standardSlaPolicy } from '../../src/domain/ticket/sla-policies.ts';
import { ticket } from '../../src/domain/ticket/ticket.ts';
import { classingAggregates } from './classing-commands.ts';
import {
  type Aggregates,
  type AnyDecider,
  day,
  does,
  id,
  instant,
  maybe,
  oneOf,
  other,
  partyKind,
  source,
  sourceTime,
  staff,
  words,
} from './decider-pools.ts';
import { partyAggregates } from './party-commands.ts';

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
const contact = { kind: fc.constantFrom('phone', 'e-mail'), value: fc.constantFrom('13800138000', 'mia@example.com') };
const expiresOn = fc.constantFrom('2026-01-15', '2026-02-15', '2030-12-31');
const passport = {
  type: fc.constant('passport'),
  number: fc.constantFrom('E1', 'E2'),
  country: maybe(fc.constant('CN')),
  expiresOn: maybe(expiresOn),
};
const document = fc.record(passport);
const documentId = fc.constantFrom('1', '2', '9');
/** As it is, and where its key was destroyed. */
const plain = fc.constantFrom<Plain>(unopened, () => null);
const branch = fc.constantFrom('3100', '3200');
const reported = fc.record({
  customerId,
  reference: other,
  source,
  kind: partyKind,
  name: maybe(words),
  documents: maybe(fc.array(document, { maxLength: 2 })),
  branch: maybe(branch),
  birthDate: maybe(fc.constant('1980-02-29')),
});
const customerCommands = oneOf(
  {
    do: fc.constant('register'),
    customerId,
    by: fc.record({ subject: staff, role: fc.constantFrom('rm', 'operations') }),
    kind: partyKind,
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
  { do: fc.constant('correct-name'), customerId, name: words, plain, reason: words },
  { do: fc.constant('add-document'), customerId, ...passport, plain, today: day, reason: words },
  { do: fc.constant('renew-document'), customerId, documentId, expiresOn, today: day, reason: words },
  { do: fc.constant('withdraw-document'), customerId, documentId, because: does('entered-by-mistake', 'not-valid'), reason: words },
  { do: fc.constant('assign'), customerId, manager: maybe(fc.option(staff)), branch: maybe(fc.option(branch)), reason: maybe(words) },
);

const campaignStatus = maybe(fc.constantFrom('planned', 'running', 'closed'));
const named = { enrolmentId: fc.constant(id), campaignId: other, customerId: other, campaignStatus };
const page = {
  jobId: fc.constant(id),
  after: fc.option(words),
  counts: fc.record({ enrolled: fc.nat(9), already: fc.nat(9), refused: fc.nat(9) }),
};
const account = { accountId: other, source, currency: fc.constant('CNY') };
const projection = fc.constant('tickets');

export const aggregates: Aggregates = {
  ticket: [ticket as AnyDecider, ticketCommands],
  customer: [customer as AnyDecider, customerCommands],
  'possible pair': [
    possiblePairs as AnyDecider,
    fc.record({ customerId, other, because: fc.constantFrom('same-document', 'same-name'), at: sourceTime }),
  ],
  campaign: [
    campaign as AnyDecider,
    oneOf(
      { do: fc.constant('plan'), campaignId: fc.constant(id), name: words, from: day, to: day, audience: maybe(words), today: day },
      { do: does('start', 'close'), campaignId: fc.constant(id) },
    ),
  ],
  enrolment: [
    enrolment as AnyDecider,
    oneOf({ do: fc.constant('enrol'), jobId: maybe(other), ...named }, { do: fc.constant('respond'), response: words, ...named }),
  ],
  'enrolment job': [
    enrolmentJob as AnyDecider,
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
  'reported thing': [reportedThing('AccountReported') as AnyDecider, fc.record({ at: sourceTime, data: fc.record({ ...account, status: words }) })],
  transaction: [
    transaction as AnyDecider,
    oneOf(
      { do: fc.constant('post'), at: sourceTime, data: fc.record({ ...account, transactionId: fc.constant(id), amount: fc.nat(), bookedOn: day }) },
      { do: fc.constant('void'), data: fc.record({ transactionId: fc.constant(id), source, reason: words }) },
    ),
  ],
  'projection control': [
    projectionControl as AnyDecider,
    oneOf(
      { do: does('pause', 'resume', 'swap', 'rollback'), projection },
      { do: fc.constant('retry'), projection, key: words },
      { do: fc.constant('skip'), projection, key: words, position: fc.nat(), reason: words },
      { do: fc.constant('rebuild'), projection, swap: does('auto', 'manual') },
    ),
  ],
  clock: [bankClock as AnyDecider, fc.record({ now: instant, to: instant })],
  ...classingAggregates,
  ...partyAggregates,
};
