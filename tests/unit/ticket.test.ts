// A ticket's life by its rules: which status follows which, which deadlines are recorded, who sees it.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chinaBankCalendar } from '../../src/domain/kernel/calendars/china-bank.ts';
import { isRejection } from '../../src/domain/kernel/decider.ts';
import { type TicketFact, ticketEvents } from '../../src/domain/ticket/events.ts';
import { type SlaClock, SlaPolicy } from '../../src/domain/ticket/sla.ts';
import { standardSlaPolicy } from '../../src/domain/ticket/sla-policies.ts';
import { type TicketCommand, type TicketState, ticket, ticketVisibleTo } from '../../src/domain/ticket/ticket.ts';
import { TicketChannel, TicketPriority, TicketType } from '../../src/domain/ticket/vocabulary.ts';
import { given, stateAfter } from '../support/given.ts';

type Ask<Do extends TicketCommand['do']> = Partial<Omit<Extract<TicketCommand, { do: Do }>, 'do'>>;
type Reached = Partial<Omit<Extract<TicketCommand, { clock: unknown }>, 'do'>>;
type Data<Type extends TicketFact['type']> = Partial<Extract<TicketFact, { type: Type }>['data']>;

const ticketId = '018f3e6a-7c4e-8abc-9def-0123456789a1';
const noon = '2026-03-03T12:00:00.000Z';
const policy = SlaPolicy.parse({
  id: 'hours',
  version: 7,
  rules: [{ firstResponse: { amount: 1, unit: 'hours', time: 'natural' }, resolution: { amount: 10, unit: 'hours', time: 'natural' } }],
});
const basis = { policy, calendar: chinaBankCalendar };

/** What `policy` makes of a start: 1 hour and 10 hours, warnings at 80 % of them. */
const clockAfter = (startedAt: string, hours: number): SlaClock => {
  const after = (share: number): string =>
    Temporal.Instant.from(startedAt)
      .add({ minutes: hours * 60 * share })
      .toString({ fractionalSecondDigits: 3 });
  return { startedAt, warnAt: after(0.8), dueAt: after(1) };
};
const versions = { policy: { id: 'hours', version: 7 }, calendar: { id: 'cn-bank', version: 1 }, provisional: false };
const clocksFrom = (startedAt: string) => ({ ...versions, firstResponse: clockAfter(startedAt, 1), resolution: clockAfter(startedAt, 10) });
const resolutionFrom = (startedAt: string) => ({ ...versions, resolution: clockAfter(startedAt, 10) });

const told = { ticketId, type: 'complaint', priority: 'normal', channel: 'web', summary: 'Card swallowed' } as const;
const open = (over: Ask<'open'> = {}): TicketCommand => ({ do: 'open', ...told, openedBy: 'chen', now: noon, ...basis, ...over });
const bring = (over: Ask<'import'> = {}): TicketCommand => ({
  do: 'import',
  ...told,
  source: { system: 'cfpb', id: '42' },
  receivedAt: '2026-03-02[America/New_York]',
  startedAt: '2026-03-02T05:00:00.000Z',
  importedAt: noon,
  closed: false,
  ...basis,
  ...over,
});
const assign = (to = 'dai'): TicketCommand => ({ do: 'assign', ticketId, to });
const start = (by = 'dai', now = noon): TicketCommand => ({ do: 'start', ticketId, by, now });
const resolve = (resolution = 'New card sent', now = noon): TicketCommand => ({ do: 'resolve', ticketId, resolution, now });
const reopen = (over: Ask<'reopen'> = {}): TicketCommand => ({ do: 'reopen', ticketId, now: noon, ...basis, ...over });
const close = (): TicketCommand => ({ do: 'close', ticketId });
const warn = (over: Reached = {}): TicketCommand => ({ do: 'warn', ticketId, clock: 'resolution', dueAt: '2026-03-03T22:00:00.000Z', ...over });
const breach = (over: Reached = {}): TicketCommand => ({ do: 'breach', ticketId, clock: 'resolution', dueAt: '2026-03-03T22:00:00.000Z', ...over });

const opened = (over: Data<'TicketOpened'> = {}): TicketFact => ({
  type: 'TicketOpened',
  data: { ...told, openedBy: 'chen', sla: clocksFrom(noon), ...over },
});
const imported = (over: Data<'TicketImported'> = {}): TicketFact => {
  const data = {
    ...told,
    source: { system: 'cfpb', id: '42' },
    receivedAt: '2026-03-02[America/New_York]',
    importedAt: noon,
    closed: false,
    ...over,
  };
  return { type: 'TicketImported', data, occurredAt: data.receivedAt };
};
const importedOpen = (): TicketFact => imported({ sla: clocksFrom('2026-03-02T05:00:00.000Z') });
const assigned = (assignee = 'dai'): TicketFact => ({ type: 'TicketAssigned', data: { ticketId, assignee } });
const started = (assignee = 'dai'): TicketFact => ({ type: 'TicketStarted', data: { ticketId, assignee } });
const resolved = (): TicketFact => ({ type: 'TicketResolved', data: { ticketId, resolution: 'New card sent' } });
const reopened = (over: Data<'TicketReopened'> = {}): TicketFact => ({
  type: 'TicketReopened',
  data: { ticketId, sla: resolutionFrom(noon), ...over },
});
const closed = (): TicketFact => ({ type: 'TicketClosed', data: { ticketId } });
const warned = (over: Data<'SlaWarned'> = {}): TicketFact => ({
  type: 'SlaWarned',
  data: { ticketId, clock: 'resolution', dueAt: '2026-03-03T22:00:00.000Z', muted: false, ...over },
  occurredAt: '2026-03-03T20:00:00.000Z',
});
const breached = (over: Data<'SlaBreached'> = {}): TicketFact => ({
  type: 'SlaBreached',
  data: { ticketId, clock: 'resolution', dueAt: '2026-03-03T22:00:00.000Z', muted: false, ...over },
  occurredAt: '2026-03-03T22:00:00.000Z',
});

describe('a ticket’s transitions', () => {
  const pasts = {
    none: [],
    open: [opened()],
    assigned: [opened(), assigned('eve')],
    'in-progress': [opened(), started('eve')],
    resolved: [opened(), started('eve'), resolved()],
    closed: [opened(), started('eve'), resolved(), closed()],
  };
  const actions = { assign: assign('dai'), start: start('dai'), resolve: resolve(), reopen: reopen(), close: close() };
  const illegal = 'TicketTransitionIllegal';
  const unknown = 'TicketNotFound';
  const table: Record<keyof typeof pasts, Record<keyof typeof actions, TicketFact | 'nothing' | typeof illegal | typeof unknown>> = {
    none: { assign: unknown, start: unknown, resolve: unknown, reopen: unknown, close: unknown },
    open: { assign: assigned('dai'), start: started('dai'), resolve: illegal, reopen: illegal, close: illegal },
    assigned: { assign: assigned('dai'), start: started('eve'), resolve: illegal, reopen: illegal, close: illegal },
    'in-progress': { assign: assigned('dai'), start: 'nothing', resolve: resolved(), reopen: illegal, close: illegal },
    resolved: { assign: illegal, start: illegal, resolve: illegal, reopen: reopened(), close: closed() },
    closed: { assign: illegal, start: illegal, resolve: illegal, reopen: reopened(), close: 'nothing' },
  };
  const cells = Object.entries(table).flatMap(([status, row]) =>
    Object.entries(row).map(([action, result]) => ({
      status: status as keyof typeof pasts,
      action: action as keyof typeof actions,
      result,
      shown: typeof result === 'string' ? result : result.type,
    })),
  );

  it.each(cells)('from $status, $action gives $shown', ({ status, action, result }) => {
    const decided = given(ticket, ...pasts[status]).when(actions[action]);
    if (result === 'nothing') decided.emits();
    else if (typeof result === 'string') decided.isRefused(result);
    else decided.emits(result);
  });

  it('say in a refusal what would be possible', () => {
    given(ticket, opened()).when(resolve()).isRefused(illegal, "A ticket that is open can't be resolved: it can be assigned or started.");
    given(ticket, opened(), started(), resolved(), closed())
      .when(start())
      .isRefused(illegal, "A ticket that is closed can't be started: it can be reopened.");
  });

  it('lead back to whoever had a reopened ticket, and to the queue where nobody had', () => {
    given(ticket, opened(), started('eve'), resolved(), reopened()).when(start('dai')).emits(started('eve'));
    given(ticket, imported({ closed: true }), reopened())
      .when(start('dai'))
      .emits(started('dai'));
  });
});

describe('an answer that comes too late', () => {
  const late = '2026-03-09T12:00:00.000Z';
  it('tells first that the deadline was missed, at its own instant, where no timer has told', () => {
    given(ticket, opened(), started('dai')).when(resolve('New card sent', late)).emits(breached(), resolved());
  });
  it('tells it once', () => {
    given(ticket, opened(), started('dai'), breached()).when(resolve('New card sent', late)).emits(resolved());
  });
  it('is not late at the very instant', () => {
    given(ticket, opened(), started('dai')).when(resolve('New card sent', '2026-03-03T22:00:00.000Z')).emits(resolved());
  });
});

describe('asking for what already is', () => {
  it('emits nothing for the same assignee, and an event for another', () => {
    given(ticket, opened(), assigned('dai')).when(assign('dai')).emits();
    given(ticket, opened(), assigned('dai')).when(assign('eve')).emits(assigned('eve'));
  });
  it('emits nothing for the assignee of a ticket that is worked on', () => {
    given(ticket, opened(), started('dai')).when(assign('dai')).emits();
  });
  it('emits nothing for a ticket that is there', () => {
    given(ticket, opened())
      .when(open({ summary: 'Another' }))
      .emits();
    given(ticket, importedOpen()).when(bring()).emits();
  });
});

describe('opening a ticket', () => {
  it('records both deadlines and the versions of policy and calendar they were computed by', () => {
    given(ticket).when(open()).emits(opened());
  });
  it('counts working time where the policy says so', () => {
    const state = stateAfter(
      ticket,
      ticket.decide(open({ policy: standardSlaPolicy, now: '2026-03-03T01:00:00.000Z' }), ticket.initialState) as TicketFact[],
    );
    // Tuesday 09:00 in Shanghai: one working day is that day's closing at 17:30, ten are the closing of Monday the 16th.
    expect(state.clocks).toMatchObject({
      'first-response': { dueAt: '2026-03-03T09:30:00.000Z' },
      resolution: { dueAt: '2026-03-16T09:30:00.000Z' },
    });
  });
  it('leaves out what was not said', () => {
    given(ticket)
      .when(open({ product: undefined, description: undefined }))
      .emits(opened());
    given(ticket)
      .when(open({ product: 'Debit card', description: 'At the branch' }))
      .emits(opened({ product: 'Debit card', description: 'At the branch' }));
  });
});

describe('importing a ticket', () => {
  it('starts the clocks of an open one when it reached the bank, and says so as its time', () => {
    given(ticket).when(bring()).emits(importedOpen());
  });
  it('gives a closed one no clock', () => {
    given(ticket)
      .when(bring({ closed: true, verdict: 'untimely' }))
      .emits(imported({ closed: true, verdict: 'untimely' }));
    given(ticket, imported({ closed: true }))
      .when(breach({ dueAt: '2026-03-02T15:00:00.000Z' }))
      .emits();
  });
});

describe('reopening a ticket', () => {
  const past = [opened(), started(), resolved()];
  const later = '2026-03-05T08:00:00.000Z';
  it('starts the resolution clock anew and not the first response’s', () => {
    given(ticket, ...past)
      .when(reopen({ now: later, reason: 'Wrong card' }))
      .emits(reopened({ reason: 'Wrong card', sla: resolutionFrom(later) }));
    const state = stateAfter(ticket, [...past, reopened({ sla: resolutionFrom(later) })]);
    expect(state.clocks).toStrictEqual({ resolution: { ...clockAfter(later, 10), warned: false, breached: false } });
  });
  it('forgets warnings and breaches of the time before', () => {
    const again = reopened({ sla: resolutionFrom(later) });
    given(ticket, opened(), warned(), breached(), started(), resolved(), again)
      .when(breach({ dueAt: '2026-03-05T18:00:00.000Z' }))
      .emits({ ...breached({ dueAt: '2026-03-05T18:00:00.000Z' }), occurredAt: '2026-03-05T18:00:00.000Z' });
  });
});

describe('a timer', () => {
  it('records a warning and a breach at the instants at which they fell', () => {
    given(ticket, opened()).when(warn()).emits(warned());
    given(ticket, opened()).when(breach()).emits(breached());
    given(ticket, opened())
      .when(breach({ clock: 'first-response', dueAt: '2026-03-03T13:00:00.000Z' }))
      .emits({ ...breached({ clock: 'first-response', dueAt: '2026-03-03T13:00:00.000Z' }), occurredAt: '2026-03-03T13:00:00.000Z' });
  });
  it('records each once, and no warning after the breach', () => {
    given(ticket, opened(), warned()).when(warn()).emits();
    given(ticket, opened(), warned()).when(breach()).emits(breached());
    given(ticket, opened(), breached()).when(breach()).emits();
    given(ticket, opened(), breached()).when(warn()).emits();
  });
  it('records nothing for a deadline that was moved', () => {
    given(ticket, opened())
      .when(breach({ dueAt: '2026-03-03T22:00:00.001Z' }))
      .emits();
    given(ticket, opened(), started(), resolved(), reopened({ sla: resolutionFrom('2026-03-05T08:00:00.000Z') }))
      .when(breach())
      .emits();
  });
  it('records nothing for what was answered', () => {
    const first = { clock: 'first-response', dueAt: '2026-03-03T13:00:00.000Z' } as const;
    given(ticket, opened(), started()).when(breach(first)).emits();
    given(ticket, opened(), started()).when(breach()).emits(breached());
    given(ticket, opened(), started(), resolved()).when(breach()).emits();
  });
  it('goes on where a ticket is only handed on', () => {
    given(ticket, opened(), assigned('dai'), assigned('eve')).when(warn()).emits(warned());
  });
  it('records nothing for a ticket that is not there', () => {
    given(ticket).when(warn()).emits();
  });
  it('is mute for what fell before an imported ticket came here, and only for that', () => {
    const sla = clocksFrom('2026-03-02T05:00:00.000Z');
    const due = { dueAt: '2026-03-02T15:00:00.000Z' };
    const on = (importedAt: string) => given(ticket, imported({ sla, importedAt }));
    const { dueAt: occurredAt } = due;
    on(noon)
      .when(breach(due))
      .emits({ ...breached({ ...due, muted: true }), occurredAt });
    on('2026-03-02T15:00:00.001Z')
      .when(breach(due))
      .emits({ ...breached({ ...due, muted: true }), occurredAt });
    on(occurredAt)
      .when(breach(due))
      .emits({ ...breached({ ...due, muted: false }), occurredAt });
    on('2026-03-02T14:00:00.000Z')
      .when(warn(due))
      .emits({ ...warned({ ...due, muted: true }), occurredAt: '2026-03-02T13:00:00.000Z' });
    on('2026-03-02T14:00:00.000Z')
      .when(breach(due))
      .emits({ ...breached({ ...due, muted: false }), occurredAt });
  });
});

describe('who sees a ticket', () => {
  const tickets = {
    mine: { openedBy: 'chen', assignee: 'chen' },
    'opened by me': { openedBy: 'chen', assignee: 'dai' },
    'assigned to me': { openedBy: 'dai', assignee: 'chen' },
    'someone else’s': { openedBy: 'dai', assignee: 'eve' },
    'in the queue': { openedBy: 'dai', assignee: null },
    'imported and in the queue': {},
  };
  const own = ['mine', 'opened by me', 'assigned to me'];
  const everything = Object.keys(tickets);
  const seen: Record<string, readonly string[]> = {
    system: everything,
    risk: everything,
    auditor: everything,
    operations: everything,
    agent: [...own, 'in the queue', 'imported and in the queue'],
    rm: own,
    teller: own,
    product: [],
    management: [],
    aml: [],
    integration: [],
    administrator: [],
    'no such role': [],
  };
  it.each(Object.entries(seen))('as %s: %j', (role, expected) => {
    const visible = Object.entries(tickets).filter(([, one]) => ticketVisibleTo(one, { subject: 'chen', role }));
    expect(visible.map(([name]) => name)).toStrictEqual(expected);
  });
});

describe('any ticket', () => {
  const instants = fc.integer({ min: Date.UTC(2026, 0, 5), max: Date.UTC(2026, 10, 20) }).map((ms) => new Date(ms).toISOString());
  const staff = fc.constantFrom('chen', 'dai', 'eve');
  const text = fc.string({ minLength: 1, unit: 'binary' });
  const ticketTold = fc.record(
    {
      type: fc.constantFrom(...TicketType.options),
      priority: fc.constantFrom(...TicketPriority.options),
      channel: fc.constantFrom(...TicketChannel.options),
      summary: text,
      product: text,
      description: text,
    },
    { requiredKeys: ['type', 'priority', 'channel', 'summary'] },
  );
  const bases = fc.constantFrom({ policy: standardSlaPolicy, calendar: chinaBankCalendar }, basis);
  /** A command that fits the state more often than chance would. */
  const asks = fc.oneof(
    fc.tuple(ticketTold, bases, instants, staff).map(
      ([one, by, now, openedBy]) =>
        () =>
          open({ product: undefined, ...one, ...by, now, openedBy }),
    ),
    fc.tuple(ticketTold, bases, instants, instants, fc.boolean()).map(
      ([one, by, startedAt, importedAt, isClosed]) =>
        () =>
          bring({ product: undefined, ...one, ...by, startedAt, receivedAt: startedAt, importedAt, closed: isClosed }),
    ),
    staff.map((to) => () => assign(to)),
    fc.tuple(staff, instants).map(
      ([by, now]) =>
        () =>
          start(by, now),
    ),
    fc.tuple(text, instants).map(
      ([resolution, now]) =>
        () =>
          resolve(resolution, now),
    ),
    fc.tuple(instants, bases, fc.option(text, { nil: undefined })).map(
      ([now, by, reason]) =>
        () =>
          reopen({ now, ...by, reason }),
    ),
    fc.constant(() => close()),
    fc.tuple(fc.constantFrom('warn' as const, 'breach' as const), fc.constantFrom('first-response' as const, 'resolution' as const), instants).map(
      ([kind, clock, elsewhere]) =>
        (state: TicketState): TicketCommand => ({ do: kind, ticketId, clock, dueAt: state.clocks[clock]?.dueAt ?? elsewhere }),
    ),
  );
  const schemas = new Map<string, (typeof ticketEvents)[number]['data']>(ticketEvents.map(({ type, data }) => [type, data]));

  it('decides alike each time, emits what its schemas take and what reading it back gives, and never says a thing twice', () => {
    const met = new Set<string>();
    fc.assert(
      fc.property(fc.array(asks, { minLength: 5, maxLength: 40, size: 'max' }), (list) => {
        let state = ticket.initialState;
        for (const ask of list) {
          const command = ask(state);
          const decision = ticket.decide(command, state);
          expect(ticket.decide(command, state)).toStrictEqual(decision);
          if (isRejection(decision)) continue;
          for (const fact of decision) {
            met.add(fact.type);
            expect(schemas.get(fact.type)?.parse(fact.data)).toStrictEqual(fact.data);
            expect(JSON.parse(JSON.stringify(fact))).toStrictEqual(fact);
          }
          const before = structuredClone(state);
          const next = decision.reduce(ticket.evolve, state);
          expect(state).toStrictEqual(before);
          state = next;
          const again = ticket.decide(command, state);
          expect(isRejection(again) ? [] : again).toStrictEqual([]);
        }
      }),
      { numRuns: 200 },
    );
    expect([...met].sort()).toStrictEqual(ticketEvents.map(({ type }) => type).sort());
  });
});

describe('a ticket about a customer', () => {
  const customer = '01990f7c-5f00-8aaa-8bbb-0123456789ab';
  const subject = `customer-${customer}`;
  const past = [opened({ customer }), { type: 'TicketStarted', data: { ticketId, assignee: 'dai' } }] as const;
  it('is theirs from the first fact to the last: their key seals it', () => {
    given(ticket)
      .when(open({ customer }))
      .emits({ ...opened({ customer }), subject });
    given(ticket, ...past)
      .when(resolve())
      .emits({ type: 'TicketResolved', data: { ticketId, resolution: 'New card sent' }, subject });
    given(ticket, ...past)
      .when(resolve('Late', '2026-03-04T12:00:00.000Z'))
      .emits(
        {
          type: 'SlaBreached',
          data: { ticketId, clock: 'resolution', dueAt: '2026-03-03T22:00:00.000Z', muted: false },
          occurredAt: '2026-03-03T22:00:00.000Z',
          subject,
        },
        { type: 'TicketResolved', data: { ticketId, resolution: 'Late' }, subject },
      );
    given(ticket, ...past)
      .when(breach())
      .emits({
        type: 'SlaBreached',
        data: { ticketId, clock: 'resolution', dueAt: '2026-03-03T22:00:00.000Z', muted: false },
        occurredAt: '2026-03-03T22:00:00.000Z',
        subject,
      });
  });
  it('is refused like any other where it must be', () => {
    given(ticket, ...past)
      .when(start())
      .emits();
    given(ticket, ...past)
      .when(close())
      .isRefused('TicketTransitionIllegal');
  });
});
