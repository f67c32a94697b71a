// Deadlines of tickets: the bank's table by hand, then what must hold for every policy, pause and zone.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BusinessCalendar, businessTimeBetween, DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/domain/kernel/business-calendar.ts';
import { chinaBankCalendar } from '../../src/domain/kernel/calendars/china-bank.ts';
import { dueFrom, SlaClocks, type SlaPause, SlaPolicy, type SlaTarget, slaClockFrom, slaClocks, slaRuleFor } from '../../src/domain/ticket/sla.ts';
import { slaPolicyAt, standardSlaPolicy } from '../../src/domain/ticket/sla-policies.ts';
import { TicketPriority, TicketType } from '../../src/domain/ticket/vocabulary.ts';

function utc(local: string, zone = 'Asia/Shanghai'): string {
  return Temporal.PlainDateTime.from(local).toZonedDateTime(zone).toInstant().toString({ fractionalSecondDigits: 3 });
}

function pause(from: string, to: string): SlaPause {
  return { from: utc(from), to: utc(to) };
}

function clocks(type: TicketType, priority: TicketPriority, start: string, pauses?: SlaPause[]) {
  return slaClocks(standardSlaPolicy, chinaBankCalendar, { type, priority, startedAt: utc(start), pauses });
}

function due(amount: number, unit: SlaTarget['unit'], time: SlaTarget['time'], start: string, pauses?: SlaPause[]) {
  return dueFrom({ amount, unit, time }, chinaBankCalendar, utc(start), pauses).dueAt;
}

const msOf = (instant: string) => Temporal.Instant.from(instant).epochMilliseconds;
const iso = (ms: number) => Temporal.Instant.fromEpochMilliseconds(ms).toString({ fractionalSecondDigits: 3 });

// Night hours, so that clock changes fall into them.
const nightHours = [
  { from: '00:30', to: '04:00' },
  { from: '09:00', to: '12:00' },
  { from: '13:30', to: '17:30' },
];
const calendars = fc.constantFrom(
  chinaBankCalendar,
  ...['America/New_York', 'Europe/London', 'Australia/Lord_Howe'].map((zone) =>
    BusinessCalendar.parse({
      id: 'nights',
      version: 1,
      zone,
      weekly: { 1: nightHours, 2: nightHours, 3: nightHours, 4: nightHours, 5: nightHours, 6: [], 7: nightHours },
      exceptions: {},
      yearsPublished: [2025, 2026],
    }),
  ),
);
const targets = fc.record({
  amount: fc.integer({ min: 1, max: 40 }),
  unit: fc.constantFrom('minutes' as const, 'hours' as const, 'days' as const),
  time: fc.constantFrom('business' as const, 'natural' as const),
});
const starts = fc.integer({ min: Date.UTC(2026, 0, 5), max: Date.UTC(2026, 10, 20) });
// From before the start to some weeks after it, in any order, overlapping or empty.
const pausesAfter = (startMs: number) =>
  fc.array(
    fc
      .tuple(fc.integer({ min: -DAY_MS, max: 20 * DAY_MS }), fc.integer({ min: 0, max: 5 * DAY_MS }))
      .map(([offsetMs, lengthMs]) => ({ from: iso(startMs + offsetMs), to: iso(startMs + offsetMs + lengthMs) })),
    { maxLength: 5 },
  );
const paused = starts.chain((startMs) => fc.record({ startMs: fc.constant(startMs), pauses: pausesAfter(startMs) }));

describe('the standard policy', () => {
  it('gives an urgent ticket 15 minutes and 4 hours, at any hour', () => {
    expect(clocks('service-request', 'urgent', '2026-03-07T23:30')).toStrictEqual({
      policy: { id: 'standard', version: 1 },
      calendar: { id: 'cn-bank', version: 1 },
      provisional: false,
      firstResponse: { startedAt: '2026-03-07T15:30:00.000Z', warnAt: '2026-03-07T15:42:00.000Z', dueAt: '2026-03-07T15:45:00.000Z' },
      resolution: { startedAt: '2026-03-07T15:30:00.000Z', warnAt: '2026-03-07T18:42:00.000Z', dueAt: '2026-03-07T19:30:00.000Z' },
    });
  });

  it('gives a high one a working hour and a working day', () => {
    const { firstResponse, resolution } = clocks('inquiry', 'high', '2026-03-03T11:30');
    expect(firstResponse).toMatchObject({ warnAt: utc('2026-03-03T13:48'), dueAt: utc('2026-03-03T14:00') });
    // 80 % of 7 hours are 5 h 36 min: 30 min before lunch, 4 h after it, 1 h 6 min the next morning.
    expect(resolution).toMatchObject({ warnAt: utc('2026-03-04T10:06'), dueAt: utc('2026-03-04T11:30') });
  });

  it('gives a normal one 4 working hours and 3 working days', () => {
    const { firstResponse, resolution } = clocks('service-request', 'normal', '2026-03-07T20:00');
    expect(firstResponse).toMatchObject({ warnAt: utc('2026-03-09T13:42'), dueAt: utc('2026-03-09T14:30') });
    expect(resolution.dueAt).toBe(utc('2026-03-11T17:30'));
  });

  it('gives a low one 1 and 5 working days', () => {
    const { firstResponse, resolution } = clocks('suggestion', 'low', '2020-01-22T10:00');
    expect(firstResponse.dueAt).toBe(utc('2020-01-23T10:00'));
    // 23 January, then 3 to 6 February: the extended Spring Festival lies between.
    expect(resolution.dueAt).toBe(utc('2020-02-06T10:00'));
  });

  it('gives a complaint 1 and 10 working days, over 中秋, 国庆 and a make-up Saturday', () => {
    const { firstResponse, resolution } = clocks('complaint', 'normal', '2026-09-23T16:00');
    expect(firstResponse.dueAt).toBe(utc('2026-09-24T16:00'));
    expect(resolution).toMatchObject({ warnAt: utc('2026-10-12T16:00'), dueAt: utc('2026-10-14T16:00') });
  });

  it('treats an urgent complaint as urgent and a high one as a complaint', () => {
    expect(slaRuleFor(standardSlaPolicy, 'complaint', 'urgent').resolution).toStrictEqual({ amount: 4, unit: 'hours', time: 'natural' });
    expect(slaRuleFor(standardSlaPolicy, 'complaint', 'high').resolution).toStrictEqual({ amount: 10, unit: 'days', time: 'business' });
  });

  it('is found by id and version', () => {
    expect(slaPolicyAt('standard', 1)).toBe(standardSlaPolicy);
    expect(slaPolicyAt('standard', 2)).toBeUndefined();
  });
});

describe('a policy', () => {
  const hour: SlaTarget = { amount: 1, unit: 'hours', time: 'business' };

  it('is refused when a type and priority find no rule', () => {
    const rule = { types: ['complaint'], firstResponse: hour, resolution: hour };
    expect(SlaPolicy.safeParse({ id: 'gap', version: 1, rules: [rule] }).error?.issues[0]?.message).toBe(
      'no rule for a ticket of type inquiry and priority urgent',
    );
    expect(SlaPolicy.safeParse({ id: 'whole', version: 1, rules: [rule, { firstResponse: hour, resolution: hour }] }).success).toBe(true);
  });

  it('warns at its own share, 80 % where none is given', () => {
    const policy = SlaPolicy.parse({
      id: 'half',
      version: 3,
      rules: [
        { priorities: ['high'], firstResponse: hour, resolution: hour, warnAtPercent: 50 },
        { firstResponse: hour, resolution: hour },
      ],
    });
    const warnAt = (priority: TicketPriority) =>
      slaClocks(policy, chinaBankCalendar, { type: 'inquiry', priority, startedAt: utc('2026-03-03T10:00') }).firstResponse.warnAt;
    expect([warnAt('high'), warnAt('low')]).toStrictEqual([utc('2026-03-03T10:30'), utc('2026-03-03T10:48')]);
  });

  it('rounds a warning down to the millisecond', () => {
    const day: SlaTarget = { amount: 1, unit: 'days', time: 'natural' };
    const policy = SlaPolicy.parse({ id: 'days', version: 1, rules: [{ firstResponse: day, resolution: day }] });
    const clock = slaClockFrom(policy, chinaBankCalendar, 'resolution', { type: 'inquiry', priority: 'low', startedAt: '2026-03-02T16:00:00.001Z' });
    // 47:59:59.999 to 24:00 of 4 March; 80 % of it is 38:23:59.9992.
    expect(clock).toMatchObject({ warnAt: '2026-03-04T06:24:00.000Z', dueAt: '2026-03-04T16:00:00.000Z' });
  });
});

describe('a target in natural days', () => {
  it('ends at 24:00 of the last day in the zone, the first not counted, with no move for a holiday', () => {
    expect(due(15, 'days', 'natural', '2026-09-16T10:00')).toBe(utc('2026-10-02T00:00'));
    expect(due(1, 'days', 'natural', '2026-03-03T00:00')).toBe(utc('2026-03-05T00:00'));
  });

  it('moves by exactly the pause', () => {
    expect(due(15, 'days', 'natural', '2026-09-16T10:00', [pause('2026-09-20T10:00', '2026-09-22T16:30')])).toBe(utc('2026-10-04T06:30'));
  });
});

describe('a pause', () => {
  it('moves the due time by the working time in it, not by its night or weekend', () => {
    const friday = pause('2026-03-06T16:30', '2026-03-09T10:00');
    expect(due(1, 'days', 'business', '2026-03-06T10:00')).toBe(utc('2026-03-09T10:00'));
    expect(due(1, 'days', 'business', '2026-03-06T10:00', [friday])).toBe(utc('2026-03-09T12:00'));
    expect(due(1, 'days', 'business', '2026-03-06T10:00', [pause('2026-03-06T17:30', '2026-03-09T09:00')])).toBe(utc('2026-03-09T10:00'));
  });

  it('moves a 7×24 target by its whole length', () => {
    expect(due(4, 'hours', 'natural', '2026-03-06T22:00', [pause('2026-03-06T23:00', '2026-03-07T09:00')])).toBe(utc('2026-03-07T12:00'));
  });

  it('counts once where pauses overlap, and only from the start of the clock', () => {
    const pauses = [pause('2026-03-03T10:30', '2026-03-03T11:30'), pause('2026-03-03T09:00', '2026-03-03T11:00')];
    expect(due(2, 'hours', 'business', '2026-03-03T10:00', pauses)).toBe(utc('2026-03-03T15:00'));
  });

  it('that begins when the time is up moves nothing', () => {
    expect(due(1, 'hours', 'business', '2026-03-03T10:00', [pause('2026-03-03T11:00', '2026-03-03T15:00')])).toBe(utc('2026-03-03T11:00'));
    expect(due(1, 'hours', 'business', '2026-03-03T10:00', [pause('2026-03-03T10:59', '2026-03-03T15:00')])).toBe(utc('2026-03-03T15:01'));
  });

  it('after the warning moves the due time alone', () => {
    const { resolution } = clocks('inquiry', 'high', '2026-03-03T09:30', [pause('2026-03-04T09:10', '2026-03-04T10:10')]);
    expect(resolution).toMatchObject({ warnAt: utc('2026-03-03T16:36'), dueAt: utc('2026-03-04T10:30') });
  });

  it('moves the resolution, not the first response', () => {
    const without = clocks('inquiry', 'normal', '2026-03-03T09:30');
    const withPause = clocks('inquiry', 'normal', '2026-03-03T09:30', [pause('2026-03-03T10:00', '2026-03-03T11:00')]);
    expect(withPause.firstResponse).toStrictEqual(without.firstResponse);
    expect(withPause.resolution.dueAt).toBe(utc('2026-03-06T10:30'));
  });

  it('is refused when it ends before it begins', () => {
    expect(() => due(1, 'hours', 'business', '2026-03-03T10:00', [pause('2026-03-03T12:00', '2026-03-03T11:00')])).toThrow(RangeError);
  });

  it('never brings a warning or a due time nearer, however many there are', () => {
    fc.assert(
      fc.property(calendars, targets, paused, (calendar, target, { startMs, pauses }) => {
        const before = pauses.map((_, n) => dueFrom(target, calendar, iso(startMs), pauses.slice(0, n)).dueAt);
        const after = [...before.slice(1), dueFrom(target, calendar, iso(startMs), pauses).dueAt].slice(0, before.length);
        for (const [n, dueAt] of before.entries()) expect(dueAt <= (after[n] ?? '')).toBe(true);
      }),
    );
  });

  it('and resumption neither shorten nor double the time: what is counted outside pauses is the same', () => {
    fc.assert(
      fc.property(calendars, targets, paused, (calendar, target, { startMs, pauses }) => {
        const counted = (fromMs: number, toMs: number) =>
          target.time === 'natural' ? toMs - fromMs : businessTimeBetween(calendar, fromMs, toMs).durationMs;
        const plain = msOf(dueFrom(target, calendar, iso(startMs), []).dueAt);
        const dueMs = msOf(dueFrom(target, calendar, iso(startMs), pauses).dueAt);
        // Cut the way at every edge of a pause and leave out the pieces within one.
        const edges = [startMs, dueMs, ...pauses.flatMap(({ from, to }) => [msOf(from), msOf(to)])]
          .filter((edge) => edge >= startMs && edge <= dueMs)
          .sort((a, b) => a - b);
        let worked = 0;
        for (let i = 0; i + 1 < edges.length; i++) {
          const [from = 0, to = 0] = edges.slice(i, i + 2);
          if (!pauses.some((each) => msOf(each.from) <= from && to <= msOf(each.to))) worked += counted(from, to);
        }
        expect(worked).toBe(counted(startMs, plain));
      }),
      { numRuns: 300 },
    );
  });
});

describe('a clock', () => {
  it('starts anew when a ticket is reopened', () => {
    const reopened = { type: 'inquiry', priority: 'high', startedAt: utc('2026-03-10T15:00') } as const;
    expect(slaClockFrom(standardSlaPolicy, chinaBankCalendar, 'resolution', reopened)).toStrictEqual({
      startedAt: utc('2026-03-10T15:00'),
      warnAt: utc('2026-03-11T13:36'),
      dueAt: utc('2026-03-11T15:00'),
      provisional: false,
    });
  });

  it('recomputed with its start and pauses is the one that both clocks gave', () => {
    const subject = {
      type: 'inquiry',
      priority: 'low',
      startedAt: utc('2026-03-10T15:00'),
      pauses: [pause('2026-03-11T10:00', '2026-03-12T10:00')],
    } as const;
    const { provisional, ...clock } = slaClockFrom(standardSlaPolicy, chinaBankCalendar, 'resolution', subject);
    expect(clock).toStrictEqual(slaClocks(standardSlaPolicy, chinaBankCalendar, subject).resolution);
    expect(provisional).toBe(false);
  });

  it('warns at 80 % of the counted time', () => {
    fc.assert(
      fc.property(
        calendars,
        fc.constantFrom(...TicketType.options),
        fc.constantFrom(...TicketPriority.options),
        starts,
        (calendar, type, priority, startMs) => {
          const answer = slaClocks(standardSlaPolicy, calendar, { type, priority, startedAt: iso(startMs) });
          for (const which of ['firstResponse', 'resolution'] as const) {
            const { startedAt, warnAt, dueAt } = answer[which];
            const { time } = slaRuleFor(standardSlaPolicy, type, priority)[which];
            const counted = (to: string) =>
              time === 'natural' ? msOf(to) - msOf(startedAt) : businessTimeBetween(calendar, msOf(startedAt), msOf(to)).durationMs;
            expect(counted(warnAt)).toBe(Math.floor(counted(dueAt) * 0.8));
            expect(startedAt <= warnAt && warnAt <= dueAt).toBe(true);
          }
          expect(SlaClocks.parse(answer)).toStrictEqual(answer);
        },
      ),
    );
  });

  it('started later is never due earlier', () => {
    fc.assert(
      fc.property(calendars, targets, starts, fc.integer({ min: 0, max: 3 * DAY_MS }), (calendar, target, startMs, laterMs) => {
        const { dueAt } = dueFrom(target, calendar, iso(startMs));
        expect(dueAt <= dueFrom(target, calendar, iso(startMs + laterMs)).dueAt).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('writes instants as Temporal does, in every year a calendar reaches', () => {
    fc.assert(
      fc.property(fc.integer({ min: Date.UTC(1900, 0, 2), max: Date.UTC(2199, 11, 1) }), (startMs) => {
        const { dueAt } = dueFrom({ amount: 1, unit: 'minutes', time: 'natural' }, chinaBankCalendar, iso(startMs));
        expect(dueAt).toBe(iso(startMs + MINUTE_MS));
      }),
      { numRuns: 2_000, examples: [[Date.UTC(2000, 1, 29)], [Date.UTC(2099, 11, 31, 23, 59)], [Date.UTC(2100, 1, 28, 23, 59, 59, 999)], [-1]] },
    );
  });

  it('takes instants of UTC only', () => {
    const from = (startedAt: string) => dueFrom({ amount: 1, unit: 'hours', time: 'natural' }, chinaBankCalendar, startedAt).dueAt;
    expect(from('2026-03-03T01:00:00Z')).toBe('2026-03-03T02:00:00.000Z');
    for (const wrong of [
      '2026-03-03',
      '2026-03-03T01:00:00',
      '2026-03-03T01:00:00+08:00',
      '2026-02-30T01:00:00Z',
      '2026-03-03T24:00:00Z',
      '2026-03-03T25:00:00Z',
      'now',
    ]) {
      expect(() => from(wrong)).toThrow(RangeError);
    }
  });

  it('that runs into a year without published holidays is provisional', () => {
    expect(clocks('complaint', 'normal', '2026-12-28T10:00')).toMatchObject({ provisional: true });
    expect(clocks('inquiry', 'high', '2026-12-28T10:00')).toMatchObject({ provisional: false });
    expect(clocks('inquiry', 'urgent', '2027-03-01T10:00')).toMatchObject({ provisional: false });
    expect(clocks('inquiry', 'normal', '2017-06-01T10:00')).toMatchObject({ provisional: true });
    const mixed = SlaPolicy.parse({
      id: 'mixed',
      version: 1,
      rules: [{ firstResponse: { amount: 2, unit: 'days', time: 'business' }, resolution: { amount: 9, unit: 'hours', time: 'natural' } }],
    });
    const mixedClocks = slaClocks(mixed, chinaBankCalendar, { type: 'inquiry', priority: 'low', startedAt: utc('2026-12-31T10:00') });
    expect(mixedClocks.provisional).toBe(true);
    // The warning falls in 2026, the due time in 2027.
    const lastDays = slaClockFrom(standardSlaPolicy, chinaBankCalendar, 'resolution', {
      type: 'inquiry',
      priority: 'normal',
      startedAt: utc('2026-12-29T13:30'),
    });
    expect(lastDays).toMatchObject({ warnAt: utc('2026-12-31T16:18'), dueAt: utc('2027-01-01T12:00'), provisional: true });
  });

  it('of hours lasts as long in a week with a clock change', () => {
    const newYork = BusinessCalendar.parse({ ...chinaBankCalendar, id: 'ny', zone: 'America/New_York', exceptions: {}, yearsPublished: [2026] });
    const friday = utc('2026-03-06T16:30', 'America/New_York');
    const { dueAt } = dueFrom({ amount: 2, unit: 'hours', time: 'business' }, newYork, friday);
    expect(dueAt).toBe(utc('2026-03-09T10:00', 'America/New_York'));
    expect(msOf(dueAt) - msOf(friday)).toBe(64.5 * HOUR_MS);
  });
});
