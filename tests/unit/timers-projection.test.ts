// Which timers are armed: one for each warning and each breach that may still come, and none for what can't.
import { describe, expect, it } from 'vitest';
import { chinaBankCalendar } from '../../src/domain/kernel/calendars/china-bank.ts';
import { isRejection } from '../../src/domain/kernel/decider.ts';
import type { Fact } from '../../src/domain/kernel/event.ts';
import type { TicketFact } from '../../src/domain/ticket/events.ts';
import { SlaPolicy } from '../../src/domain/ticket/sla.ts';
import { type TicketCommand, ticket } from '../../src/domain/ticket/ticket.ts';
import { type TimerRow, timers } from '../../src/projections/timers/timers.ts';
import { stateAfter } from '../support/given.ts';
import { recorded } from '../support/recorded.ts';

const ticketId = '018f3e6a-7c4e-8abc-9def-0123456789a1';
const stream = `ticket-${ticketId}`;
const policy = SlaPolicy.parse({
  id: 'hours',
  version: 1,
  rules: [{ firstResponse: { amount: 1, unit: 'hours', time: 'natural' }, resolution: { amount: 10, unit: 'hours', time: 'natural' } }],
});
const basis = { policy, calendar: chinaBankCalendar };
const noon = '2026-03-03T12:00:00.000Z';
const told = { ticketId, type: 'complaint', priority: 'normal', channel: 'web', summary: 'Card swallowed' } as const;
const open: TicketCommand = { do: 'open', ...told, openedBy: 'chen', now: noon, ...basis };
const bring = (closed: boolean): TicketCommand => ({
  do: 'import',
  ...told,
  source: { system: 'cfpb', id: '42' },
  receivedAt: noon,
  startedAt: noon,
  importedAt: noon,
  closed,
  ...basis,
});
const assign: TicketCommand = { do: 'assign', ticketId, to: 'dai' };
const start: TicketCommand = { do: 'start', ticketId, by: 'dai', now: noon };
const resolve: TicketCommand = { do: 'resolve', ticketId, resolution: 'Card sent', now: noon };
const reopen: TicketCommand = { do: 'reopen', ticketId, now: '2026-03-05T12:00:00.000Z', ...basis };
const close: TicketCommand = { do: 'close', ticketId };
const reached = (kind: 'warn' | 'breach', clock: 'first-response' | 'resolution', dueAt: string): TicketCommand => ({
  do: kind,
  ticketId,
  clock,
  dueAt,
});

/** The facts that these commands lead to. */
function facts(...commands: readonly TicketCommand[]): readonly TicketFact[] {
  const all: TicketFact[] = [];
  for (const command of commands) {
    const decision = ticket.decide(command, stateAfter(ticket, all));
    if (isRejection(decision)) throw new Error(decision.detail);
    all.push(...decision);
  }
  return all;
}

function armed(...past: readonly Fact[]): readonly TimerRow[] {
  const rows = new Map<string, TimerRow>();
  for (const [revision, fact] of past.entries()) {
    const event = recorded(stream, fact, { revision });
    for (const key of timers.keys(event)) {
      if (timers.creates.has(event.type)) expect(rows.has(key)).toBe(false);
      const row = timers.apply(rows.get(key), event, key);
      if (row) rows.set(key, row);
      else rows.delete(key);
    }
  }
  return [...rows.values()];
}
/** What a ticket's row still has armed, in the order of its columns. */
const shown = (...commands: readonly TicketCommand[]): string[] =>
  armed(...facts(...commands)).flatMap((row) =>
    (
      [
        ['first-response WarnOfDeadline', row.first_response_warn_at],
        ['first-response RecordBreach', row.first_response_due_at],
        ['resolution WarnOfDeadline', row.resolution_warn_at],
        ['resolution RecordBreach', row.resolution_due_at],
      ] as const
    ).flatMap(([name, at]) => (at === null ? [] : [`${name} ${at}`])),
  );
/** What fires next. */
const next = (...commands: readonly TicketCommand[]): string[] =>
  armed(...facts(...commands)).map(({ clock, command, fires_at, due_at }) => `${clock} ${command} ${fires_at} for ${due_at}`);

const both = [
  'first-response WarnOfDeadline 2026-03-03T12:48:00.000Z',
  'first-response RecordBreach 2026-03-03T13:00:00.000Z',
  'resolution WarnOfDeadline 2026-03-03T20:00:00.000Z',
  'resolution RecordBreach 2026-03-03T22:00:00.000Z',
];

describe('the timers of a ticket', () => {
  it('are four when it is opened, each with what it issues and for which deadline', () => {
    expect(shown(open)).toStrictEqual(both);
    expect(next(open)).toStrictEqual(['first-response WarnOfDeadline 2026-03-03T12:48:00.000Z for 2026-03-03T13:00:00.000Z']);
  });
  it('fire in the order of their instants, whatever deadline they are of', () => {
    const first = '2026-03-03T13:00:00.000Z';
    const resolution = '2026-03-03T22:00:00.000Z';
    expect(next(open, reached('warn', 'first-response', first))).toStrictEqual([`first-response RecordBreach ${first} for ${first}`]);
    expect(next(open, reached('breach', 'first-response', first))).toStrictEqual([
      `resolution WarnOfDeadline 2026-03-03T20:00:00.000Z for ${resolution}`,
    ]);
    expect(next(open, start, reached('warn', 'resolution', resolution))).toStrictEqual([`resolution RecordBreach ${resolution} for ${resolution}`]);
  });
  it('are four for one that is imported open, and none for one imported closed', () => {
    expect(shown(bring(false))).toStrictEqual(both);
    expect(shown(bring(true))).toStrictEqual([]);
    expect(timers.keys(recorded(stream, facts(bring(true))[0] as Fact))).toStrictEqual([]);
  });
  it('stay as they are when it is handed on', () => {
    expect(shown(open, assign)).toStrictEqual(both);
  });
  it('are the resolution’s alone once work has started, and none once it is resolved or closed', () => {
    expect(shown(open, start)).toStrictEqual(both.slice(2));
    expect(shown(open, start, resolve)).toStrictEqual([]);
    expect(shown(open, start, resolve, close)).toStrictEqual([]);
  });
  it('are the resolution’s new ones after a reopening', () => {
    const anew = ['resolution WarnOfDeadline 2026-03-05T20:00:00.000Z', 'resolution RecordBreach 2026-03-05T22:00:00.000Z'];
    expect(shown(open, start, resolve, reopen)).toStrictEqual(anew);
    expect(shown(bring(true), reopen)).toStrictEqual(anew);
    expect(shown(bring(true), reopen, start)).toStrictEqual(anew);
  });
  it('go when they have fired: a warning alone, a breach with the warning that it overtook', () => {
    const warned = reached('warn', 'resolution', '2026-03-03T22:00:00.000Z');
    expect(shown(open, warned)).toStrictEqual([both[0], both[1], both[3]]);
    expect(shown(open, warned, reached('breach', 'resolution', '2026-03-03T22:00:00.000Z'))).toStrictEqual(both.slice(0, 2));
    expect(shown(open, reached('breach', 'first-response', '2026-03-03T13:00:00.000Z'))).toStrictEqual(both.slice(2));
  });
  it('are exactly the deadlines that the ticket itself still counts', () => {
    const lives = [
      [open],
      [open, assign],
      [open, start],
      [open, start, resolve],
      [open, start, resolve, reopen],
      [bring(true)],
      [bring(false), start],
      [bring(true), reopen, assign, start],
    ];
    for (const life of lives) {
      const { clocks } = stateAfter(ticket, facts(...life));
      const counted = Object.entries(clocks).flatMap(([name, clock]) => [
        `${name} WarnOfDeadline ${clock.warnAt}`,
        `${name} RecordBreach ${clock.dueAt}`,
      ]);
      expect(shown(...life)).toStrictEqual(counted);
    }
  });
  it('have a cell for each column of their table', () => {
    for (const row of armed(...facts(open))) expect(Object.keys(row)).toStrictEqual(Object.keys(timers.table.columns));
  });
});
