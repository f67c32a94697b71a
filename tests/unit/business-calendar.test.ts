// Working time against hand-worked examples, laws of arithmetic, and a counter that asks a wall clock minute by minute.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addBusinessTime,
  BusinessCalendar,
  businessTimeBetween,
  DAY_MS,
  endOfNaturalDay,
  HOUR_MS,
  isProvisional,
  isWorkingDay,
  MINUTE_MS,
  subtractBusinessTime,
  workingDaysFrom,
} from '../../src/domain/kernel/business-calendar.ts';
import { calendarAt, chinaBankCalendar } from '../../src/domain/kernel/calendars/china-bank.ts';
import { chinaHolidays, chinaHolidayYears } from '../../src/domain/kernel/calendars/china-holidays.ts';

const zones = ['Asia/Shanghai', 'America/New_York', 'Europe/London', 'Australia/Lord_Howe'] as const;

function instant(local: string, zone = 'Asia/Shanghai'): number {
  return Temporal.PlainDateTime.from(local).toZonedDateTime(zone, { disambiguation: 'reject' }).epochMilliseconds;
}

function local(atMs: number, zone = 'Asia/Shanghai'): string {
  return Temporal.Instant.fromEpochMilliseconds(atMs).toZonedDateTimeISO(zone).toPlainDateTime().toString({ smallestUnit: 'minute' });
}

function plus(start: string, durationMs: number): string {
  return local(addBusinessTime(chinaBankCalendar, instant(start), durationMs).atMs);
}

function workingDays(start: string, days: number): string {
  return plus(start, workingDaysFrom(chinaBankCalendar, instant(start), days).durationMs);
}

type Hours = { from: string; to: string }[];

function calendarOf(zone: string, everyDay: Hours, extra: Partial<BusinessCalendar> = {}): BusinessCalendar {
  return BusinessCalendar.parse({
    id: 'test',
    version: 1,
    zone,
    weekly: { 1: everyDay, 2: everyDay, 3: everyDay, 4: everyDay, 5: everyDay, 6: everyDay, 7: everyDay },
    exceptions: {},
    yearsPublished: [2024, 2025, 2026],
    ...extra,
  });
}

// The oracle: nothing of the module under test, one look at the wall clock per minute.
function clockIsOpen(calendar: BusinessCalendar, atMs: number): boolean {
  const wall = Temporal.Instant.fromEpochMilliseconds(atMs).toZonedDateTimeISO(calendar.zone);
  const date = wall.toPlainDate().toString();
  const exception = calendar.exceptions[date.slice(0, 4)]?.find((listed) => listed.date === date);
  if (exception?.kind === 'off') return false;
  const weekday = exception === undefined ? wall.dayOfWeek : calendar.makeUpWeekday;
  const time = wall.toPlainTime().toString({ smallestUnit: 'minute' });
  const hours = (calendar.weekly as Record<number, readonly { from: string; to: string }[]>)[weekday] ?? [];
  return hours.some(({ from, to }) => from <= time && time < to);
}

function minutesCounted(calendar: BusinessCalendar, fromMs: number, toMs: number): number {
  let minutes = 0;
  for (let atMs = fromMs; atMs < toMs; atMs += MINUTE_MS) if (clockIsOpen(calendar, atMs)) minutes += 1;
  return minutes;
}

function minuteReached(calendar: BusinessCalendar, startMs: number, minutes: number): number {
  let atMs = startMs;
  for (let left = minutes; left > 0; atMs += MINUTE_MS) if (clockIsOpen(calendar, atMs)) left -= 1;
  return atMs;
}

const timesOfDay = fc.uniqueArray(fc.integer({ min: 0, max: 288 }), { minLength: 2, maxLength: 6 }).map((marks) => {
  const sorted = marks
    .toSorted((a, b) => a - b)
    .map((mark) => `${String(Math.floor(mark / 12)).padStart(2, '0')}:${String((mark % 12) * 5).padStart(2, '0')}`);
  const hours: Hours = [];
  for (let i = 0; i + 1 < sorted.length; i += 2) hours.push({ from: sorted[i] ?? '', to: sorted[i + 1] ?? '' });
  return hours;
});

// Weeks around clock changes (and New Year, where the tables meet), with holidays and make-up days among them.
const turningPoints: Record<(typeof zones)[number], string[]> = {
  'Asia/Shanghai': ['2025-12-31', '2025-10-08', '2026-02-14'],
  'America/New_York': ['2026-03-08', '2026-11-01', '2025-12-31'],
  'Europe/London': ['2026-03-29', '2026-10-25', '2024-12-31'],
  'Australia/Lord_Howe': ['2026-04-05', '2026-10-04', '2025-12-31'],
};

const cases = fc
  .record({
    zone: fc.constantFrom(...zones),
    week: fc.tuple(timesOfDay, timesOfDay, timesOfDay, timesOfDay, timesOfDay, timesOfDay, timesOfDay),
    freeWeekday: fc.integer({ min: 1, max: 7 }),
    makeUpWeekday: fc.integer({ min: 1, max: 7 }),
    turn: fc.nat({ max: 2 }),
    offShift: fc.integer({ min: -2, max: 2 }),
    workingShift: fc.integer({ min: -2, max: 2 }),
    startMinutes: fc.integer({ min: -2 * 1440, max: 1440 }),
    minutes: fc.integer({ min: 0, max: 600 }),
  })
  .map(({ zone, week, freeWeekday, makeUpWeekday, turn, offShift, workingShift, startMinutes, minutes }) => {
    const middle = Temporal.PlainDate.from(turningPoints[zone][turn] ?? '');
    const listed = new Map<string, 'off' | 'working'>([
      [middle.add({ days: offShift }).toString(), 'off'],
      [middle.add({ days: workingShift }).toString(), 'working'],
    ]);
    const exceptions: Record<string, { date: string; name: string; kind: 'off' | 'working' }[]> = {};
    for (const [date, kind] of listed) exceptions[date.slice(0, 4)] = [...(exceptions[date.slice(0, 4)] ?? []), { date, name: 'listed', kind }];
    const weekly = Object.fromEntries(week.map((hours, i) => [i + 1, i + 1 === freeWeekday && i + 1 !== makeUpWeekday ? [] : hours]));
    const calendar = BusinessCalendar.parse({
      id: 'random',
      version: 1,
      zone,
      weekly,
      makeUpWeekday,
      exceptions,
      yearsPublished: [2024, 2025, 2026],
    });
    return { calendar, startMs: middle.toZonedDateTime(zone).epochMilliseconds + startMinutes * MINUTE_MS, minutes };
  });

const durations = fc.integer({ min: 0, max: 40 * DAY_MS });
const instants = fc.integer({ min: Date.UTC(2018, 0, 1), max: Date.UTC(2027, 5, 30) });
const calendars = fc.constantFrom(
  chinaBankCalendar,
  ...zones.map((zone) =>
    calendarOf(zone, [
      { from: '00:30', to: '01:45' },
      { from: '02:15', to: '12:00' },
      { from: '13:30', to: '24:00' },
    ]),
  ),
);

describe('working days', () => {
  it('are the weekdays, without holidays and with make-up days', () => {
    expect(isWorkingDay(chinaBankCalendar, '2026-03-03')).toBe(true);
    expect(isWorkingDay(chinaBankCalendar, '2026-03-07')).toBe(false);
    expect(isWorkingDay(chinaBankCalendar, '2026-10-01')).toBe(false);
    expect(isWorkingDay(chinaBankCalendar, '2026-10-10')).toBe(true);
  });

  it('follow the extended Spring Festival of 2020: to 2 February, and 1 February no longer made up', () => {
    const working = ['2020-01-19', '2020-01-23', '2020-02-03'];
    const off = ['2020-01-24', '2020-01-30', '2020-01-31', '2020-02-01', '2020-02-02'];
    expect(working.filter((date) => isWorkingDay(chinaBankCalendar, date))).toStrictEqual(working);
    expect(off.filter((date) => isWorkingDay(chinaBankCalendar, date))).toStrictEqual([]);
  });

  it('come from a table of 255 days off and 60 make-up days, all at weekends but one', () => {
    const all = Object.values(chinaHolidays).flat();
    expect(all.filter(({ kind }) => kind === 'off')).toHaveLength(255);
    expect(all.filter(({ kind }) => kind === 'working')).toHaveLength(60);
    expect(chinaHolidayYears).toStrictEqual([2018, 2019, 2020, 2021, 2022, 2023, 2024, 2025, 2026]);
    // Monday 2020-02-03 is named by the notice that extended the holiday; every other make-up day is a weekend day.
    const weekdaysMadeUp = all.filter(({ date, kind }) => kind === 'working' && Temporal.PlainDate.from(date).dayOfWeek < 6);
    expect(weekdaysMadeUp.map(({ date }) => date)).toStrictEqual(['2020-02-03']);
  });

  it('of a make-up day keep the hours of the configured weekday', () => {
    const calendar = BusinessCalendar.parse({
      ...chinaBankCalendar,
      weekly: { ...chinaBankCalendar.weekly, 5: [{ from: '08:00', to: '10:00' }] },
      makeUpWeekday: 5,
    });
    const saturday = businessTimeBetween(calendar, instant('2026-10-10T00:00'), instant('2026-10-11T00:00'));
    expect(saturday.durationMs).toBe(2 * HOUR_MS);
  });

  it('refuse what is no date', () => {
    expect(() => isWorkingDay(chinaBankCalendar, '2026-02-30')).toThrow(RangeError);
  });
});

describe('adding working time', () => {
  it('leaves out the lunch break', () => {
    expect(plus('2026-03-03T11:30', HOUR_MS)).toBe('2026-03-03T14:00');
  });

  it('is due when the desk closes, not when it opens again', () => {
    expect(plus('2026-03-03T11:00', HOUR_MS)).toBe('2026-03-03T12:00');
    expect(plus('2026-03-03T16:30', HOUR_MS)).toBe('2026-03-03T17:30');
  });

  it('counts a start in the lunch break, the night or the weekend from the next opening', () => {
    expect(plus('2026-03-03T12:10', HOUR_MS)).toBe('2026-03-03T14:30');
    expect(plus('2026-03-03T17:30', HOUR_MS)).toBe('2026-03-04T10:00');
    expect(plus('2026-03-07T20:00', 4 * HOUR_MS)).toBe('2026-03-09T14:30');
  });

  it('crosses the Spring Festival of 2020', () => {
    expect(plus('2020-01-23T16:30', 4 * HOUR_MS)).toBe('2020-02-03T12:00');
    expect(plus('2020-01-23T16:30', 5 * HOUR_MS)).toBe('2020-02-03T14:30');
  });

  it('works on a make-up Saturday', () => {
    expect(plus('2026-10-09T17:00', HOUR_MS)).toBe('2026-10-10T09:30');
  });

  it('of nothing is the start itself, also at night', () => {
    expect(plus('2026-03-03T23:00', 0)).toBe('2026-03-03T23:00');
  });

  it('reaches over many years of tables', () => {
    const year = businessTimeBetween(chinaBankCalendar, instant('2024-01-01T00:00'), instant('2025-01-01T00:00'));
    // 262 weekdays, 19 of them off, and 8 make-up days.
    expect(year.durationMs).toBe((262 - 19 + 8) * 7 * HOUR_MS);
    const decades = addBusinessTime(chinaBankCalendar, instant('1950-01-02T09:00'), 100 * 250 * 7 * HOUR_MS);
    expect(businessTimeBetween(chinaBankCalendar, instant('1950-01-02T09:00'), decades.atMs).durationMs).toBe(100 * 250 * 7 * HOUR_MS);
  });

  it('refuses negative and fractional amounts, what is no instant, and the end of the tables', () => {
    for (const [startMs, durationMs] of [
      [0, -1],
      [0, 0.5],
      [Number.NaN, 1],
      [0.5, 1],
      [0, 1e15],
      [Date.UTC(1899, 0, 1), 1],
    ] as const) {
      expect(() => addBusinessTime(chinaBankCalendar, startMs, durationMs)).toThrow(RangeError);
    }
    expect(() => subtractBusinessTime(chinaBankCalendar, 0, 1e15)).toThrow(RangeError);
  });
});

describe('working time between two instants', () => {
  it('is negative when the second is the earlier', () => {
    const [tenMs, twoMs] = [instant('2026-03-03T10:00'), instant('2026-03-03T14:00')];
    expect(businessTimeBetween(chinaBankCalendar, twoMs, tenMs)).toStrictEqual({ durationMs: -2.5 * HOUR_MS, provisional: false });
  });

  it('has no seam at New Year of UTC, where the tables meet', () => {
    const always = calendarOf('UTC', [{ from: '00:00', to: '24:00' }]);
    const newYearMs = Date.UTC(2026, 0, 1);
    expect(businessTimeBetween(always, newYearMs - 1, newYearMs + 1).durationMs).toBe(2);
    expect(addBusinessTime(always, newYearMs - 1, 1).atMs).toBe(newYearMs);
    expect(addBusinessTime(always, newYearMs - 1, 2).atMs).toBe(newYearMs + 1);
    expect(subtractBusinessTime(always, newYearMs + 1, 1).atMs).toBe(newYearMs);
  });

  it('reaches from the first to the last day of the tables', () => {
    expect(plus('1900-01-02T09:00', HOUR_MS)).toBe('1900-01-02T10:00');
    expect(plus('2199-12-31T14:30', 3 * HOUR_MS)).toBe('2199-12-31T17:30');
  });
});

describe('subtracting working time', () => {
  it('is the latest instant from which the work fits', () => {
    const back = (end: string, hours: number) => local(subtractBusinessTime(chinaBankCalendar, instant(end), hours * HOUR_MS).atMs);
    expect(back('2026-03-03T14:00', 1)).toBe('2026-03-03T11:30');
    expect(back('2026-03-03T17:30', 4)).toBe('2026-03-03T13:30');
    expect(back('2026-03-09T08:00', 1)).toBe('2026-03-06T16:30');
    expect(back('2020-02-03T12:00', 4)).toBe('2020-01-23T16:30');
    expect(back('2026-03-03T23:00', 0)).toBe('2026-03-03T23:00');
  });
});

describe('working days from a start', () => {
  it('end at the same time of day', () => {
    expect(workingDays('2026-03-03T10:00', 1)).toBe('2026-03-04T10:00');
    expect(workingDays('2020-01-23T10:00', 1)).toBe('2020-02-03T10:00');
    expect(workingDays('2026-09-23T16:00', 10)).toBe('2026-10-14T16:00');
  });

  it('that would end at an opening end at the closing before', () => {
    expect(workingDays('2026-03-03T09:00', 1)).toBe('2026-03-03T17:30');
    expect(workingDays('2026-03-07T20:00', 1)).toBe('2026-03-09T17:30');
  });

  it('begun in the lunch break or after hours count from the next opening', () => {
    expect(workingDays('2026-03-03T12:30', 1)).toBe('2026-03-04T12:00');
    expect(workingDays('2026-03-03T19:00', 2)).toBe('2026-03-05T17:30');
  });

  it('count a half day as a day, and close with it', () => {
    const halfSaturday = BusinessCalendar.parse({
      ...chinaBankCalendar,
      weekly: { ...chinaBankCalendar.weekly, 6: [{ from: '09:00', to: '12:00' }] },
    });
    const due = (start: string, days: number) =>
      local(addBusinessTime(halfSaturday, instant(start), workingDaysFrom(halfSaturday, instant(start), days).durationMs).atMs);
    expect(due('2026-03-06T10:00', 1)).toBe('2026-03-07T10:00');
    expect(due('2026-03-06T16:00', 1)).toBe('2026-03-07T12:00');
    expect(due('2026-03-06T16:00', 2)).toBe('2026-03-09T16:00');
  });

  it('agree with a finger on the wall calendar', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: Date.UTC(2018, 0, 1) / MINUTE_MS, max: Date.UTC(2026, 10, 1) / MINUTE_MS }),
        fc.integer({ min: 1, max: 12 }),
        (startMinute, days) => {
          let wall = Temporal.Instant.fromEpochMilliseconds(startMinute * MINUTE_MS).toZonedDateTimeISO('Asia/Shanghai');
          while (!clockIsOpen(chinaBankCalendar, wall.epochMilliseconds)) wall = wall.add({ minutes: 1 });
          for (let left = days; left > 0; ) {
            wall = wall.add({ days: 1 });
            if (clockIsOpen(chinaBankCalendar, wall.with({ hour: 10, minute: 0 }).epochMilliseconds)) left -= 1;
          }
          while (!clockIsOpen(chinaBankCalendar, wall.epochMilliseconds - MINUTE_MS)) wall = wall.subtract({ minutes: 1 });
          const startMs = startMinute * MINUTE_MS;
          const { durationMs } = workingDaysFrom(chinaBankCalendar, startMs, days);
          expect(addBusinessTime(chinaBankCalendar, startMs, durationMs).atMs).toBe(wall.epochMilliseconds);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('natural days', () => {
  it('end at 24:00 of the last day, the first not counted, holiday or not', () => {
    const end = (start: string, days: number) => local(endOfNaturalDay(chinaBankCalendar, instant(start), days));
    expect(end('2026-03-03T10:00', 15)).toBe('2026-03-19T00:00');
    expect(end('2026-03-03T00:00', 1)).toBe('2026-03-05T00:00');
    expect(end('2026-09-16T23:59', 15)).toBe('2026-10-02T00:00');
  });

  it('are days of the zone, of 23 or 25 hours when its clock changes', () => {
    const newYork = calendarOf('America/New_York', [{ from: '09:00', to: '17:00' }]);
    const startMs = instant('2026-03-07T00:00', 'America/New_York');
    expect(endOfNaturalDay(newYork, startMs, 1) - startMs).toBe(47 * HOUR_MS);
    const autumnMs = instant('2026-10-31T00:00', 'America/New_York');
    expect(endOfNaturalDay(newYork, autumnMs, 1) - autumnMs).toBe(49 * HOUR_MS);
  });

  it('end when the next day begins where clocks change at midnight', () => {
    // Beirut skips 00:00 to 01:00 in spring and repeats 23:00 to 24:00 in autumn, Havana repeats 00:00 to 01:00.
    for (const [zone, start, next] of [
      ['Asia/Beirut', '2026-03-27T10:00', '2026-03-29'],
      ['Asia/Beirut', '2026-10-23T10:00', '2026-10-25'],
      ['America/Havana', '2026-10-30T10:00', '2026-11-01'],
    ] as const) {
      const calendar = calendarOf(zone, [{ from: '09:00', to: '17:00' }]);
      expect(endOfNaturalDay(calendar, instant(start, zone), 1)).toBe(Temporal.PlainDate.from(next).toZonedDateTime(zone).epochMilliseconds);
    }
  });
});

describe('clock changes', () => {
  it('take away the hours that are skipped and count the repeated ones twice', () => {
    const nights = (zone: string, date: string, hours: Hours) => {
      const day = Temporal.PlainDate.from(date);
      const calendar = calendarOf(zone, hours);
      const fromMs = day.toZonedDateTime(zone).epochMilliseconds;
      return businessTimeBetween(calendar, fromMs, day.add({ days: 1 }).toZonedDateTime(zone).epochMilliseconds).durationMs / MINUTE_MS;
    };
    const allDay = [{ from: '00:00', to: '24:00' }];
    expect(nights('America/New_York', '2026-03-08', allDay)).toBe(23 * 60);
    expect(nights('America/New_York', '2026-11-01', allDay)).toBe(25 * 60);
    expect(nights('Australia/Lord_Howe', '2026-10-04', allDay)).toBe(23.5 * 60);
    expect(nights('Australia/Lord_Howe', '2026-04-05', allDay)).toBe(24.5 * 60);
    // New York skips 02:00 to 03:00 in spring and repeats 01:00 to 02:00 in autumn.
    expect(nights('America/New_York', '2026-03-08', [{ from: '02:10', to: '02:50' }])).toBe(0);
    expect(nights('America/New_York', '2026-03-08', [{ from: '01:30', to: '03:30' }])).toBe(60);
    expect(nights('America/New_York', '2026-11-01', [{ from: '01:10', to: '01:40' }])).toBe(60);
    expect(nights('America/New_York', '2026-11-01', [{ from: '00:30', to: '01:30' }])).toBe(90);
    expect(nights('Europe/London', '2026-03-29', [{ from: '00:30', to: '02:30' }])).toBe(60);
    expect(nights('Europe/London', '2026-10-25', [{ from: '00:30', to: '02:30' }])).toBe(180);
  });

  it('leave office hours alone, so that the same hours fall at another UTC time', () => {
    const newYork = calendarOf('America/New_York', [{ from: '09:00', to: '17:00' }]);
    const { atMs } = addBusinessTime(newYork, instant('2026-03-07T16:00', 'America/New_York'), 2 * HOUR_MS);
    expect(local(atMs, 'America/New_York')).toBe('2026-03-08T10:00');
    expect(new Date(atMs).toISOString()).toBe('2026-03-08T14:00:00.000Z');
  });
});

describe('a counter that looks at the wall clock every minute', () => {
  it('finds the same working time between two instants', () => {
    fc.assert(
      fc.property(cases, fc.integer({ min: 0, max: 2880 }), ({ calendar, startMs }, length) => {
        const endMs = startMs + length * MINUTE_MS;
        expect(businessTimeBetween(calendar, startMs, endMs).durationMs).toBe(minutesCounted(calendar, startMs, endMs) * MINUTE_MS);
      }),
      { numRuns: 150 },
    );
  }, 60_000);

  it('reaches the same due time', () => {
    fc.assert(
      fc.property(cases, ({ calendar, startMs, minutes }) => {
        expect(addBusinessTime(calendar, startMs, minutes * MINUTE_MS).atMs).toBe(minuteReached(calendar, startMs, minutes));
      }),
      { numRuns: 150 },
    );
  }, 60_000);
});

describe('the arithmetic', () => {
  it('counts exactly what was added or subtracted', () => {
    fc.assert(
      fc.property(calendars, instants, durations, (calendar, atMs, durationMs) => {
        const after = addBusinessTime(calendar, atMs, durationMs).atMs;
        const before = subtractBusinessTime(calendar, atMs, durationMs).atMs;
        expect(businessTimeBetween(calendar, atMs, after).durationMs).toBe(durationMs);
        expect(businessTimeBetween(calendar, before, atMs).durationMs).toBe(durationMs);
      }),
    );
  });

  it('comes back by subtracting what was added, but for time that is not worked', () => {
    fc.assert(
      fc.property(calendars, instants, durations, (calendar, atMs, durationMs) => {
        const there = addBusinessTime(calendar, atMs, durationMs).atMs;
        const back = subtractBusinessTime(calendar, there, durationMs).atMs;
        expect(Math.abs(businessTimeBetween(calendar, atMs, back).durationMs)).toBe(0);
        expect(addBusinessTime(calendar, back, durationMs).atMs).toBe(there);
      }),
    );
  });

  it('adds up: two steps are one step, and a later start or more work is never due earlier', () => {
    fc.assert(
      fc.property(calendars, instants, instants, durations, durations, (calendar, a, b, first, second) => {
        const [earlyMs, lateMs] = a < b ? [a, b] : [b, a];
        const [less, more] = first < second ? [first, second] : [second, first];
        const due = (startMs: number, durationMs: number) => addBusinessTime(calendar, startMs, durationMs).atMs;
        expect(due(due(a, first), second + 1)).toBe(due(a, first + second + 1));
        expect(due(earlyMs, less)).toBeLessThanOrEqual(due(lateMs, less));
        expect(due(earlyMs, less)).toBeLessThanOrEqual(due(earlyMs, more));
      }),
    );
  });

  it('is the earliest and the latest instant that satisfies it', () => {
    fc.assert(
      fc.property(calendars, instants, durations, (calendar, atMs, shorter) => {
        const durationMs = shorter + 1;
        const after = addBusinessTime(calendar, atMs, durationMs).atMs;
        const before = subtractBusinessTime(calendar, atMs, durationMs).atMs;
        expect(businessTimeBetween(calendar, atMs, after - 1).durationMs).toBe(durationMs - 1);
        expect(businessTimeBetween(calendar, before + 1, atMs).durationMs).toBe(durationMs - 1);
      }),
    );
  });

  it('is the same from a fresh calendar and in any order of questions', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(instants, durations), { minLength: 2, maxLength: 8 }), (questions) => {
        const answers = (calendar: BusinessCalendar, asked: typeof questions) =>
          asked.map(([startMs, durationMs]) => addBusinessTime(calendar, startMs, durationMs));
        const fresh = structuredClone(chinaBankCalendar);
        expect(answers(fresh, questions.toReversed()).toReversed()).toStrictEqual(answers(chinaBankCalendar, questions));
      }),
      { numRuns: 20 },
    );
  });
});

describe('years without published holidays', () => {
  it('follow weekdays and mark the result', () => {
    expect(isWorkingDay(chinaBankCalendar, '2027-10-01')).toBe(true);
    expect(isProvisional(chinaBankCalendar, '2027-10-01')).toBe(true);
    expect(isProvisional(chinaBankCalendar, '2026-10-01')).toBe(false);
    expect(addBusinessTime(chinaBankCalendar, instant('2017-10-02T10:00'), HOUR_MS)).toStrictEqual({
      atMs: instant('2017-10-02T11:00'),
      provisional: true,
    });
  });

  it('mark a result from the first hour in them, not before', () => {
    const due = (hours: number) => addBusinessTime(chinaBankCalendar, instant('2026-12-31T15:30'), hours * HOUR_MS).provisional;
    expect([due(1), due(2), due(3)]).toStrictEqual([false, false, true]);
    expect(plus('2026-12-31T15:30', 2 * HOUR_MS)).toBe('2026-12-31T17:30');
    expect(subtractBusinessTime(chinaBankCalendar, instant('2018-01-02T10:00'), 2 * HOUR_MS).provisional).toBe(true);
    expect(subtractBusinessTime(chinaBankCalendar, instant('2018-01-02T10:00'), HOUR_MS).provisional).toBe(false);
  });

  it('begin with the zone, not with UTC', () => {
    const between = (from: string, to: string) => businessTimeBetween(chinaBankCalendar, instant(from), instant(to)).provisional;
    expect(between('2026-12-31T09:00', '2027-01-01T00:00')).toBe(false);
    expect(between('2026-12-31T09:00', '2027-01-01T00:01')).toBe(true);
    expect(between('2018-01-01T00:00', '2018-01-01T00:01')).toBe(false);
    expect(between('2017-12-31T23:59', '2018-01-01T00:01')).toBe(true);
    const newYork = calendarOf('America/New_York', [{ from: '09:00', to: '17:00' }], { yearsPublished: [2026] });
    const evening = (from: string, to: string) =>
      businessTimeBetween(newYork, instant(from, 'America/New_York'), instant(to, 'America/New_York')).provisional;
    expect(evening('2026-12-31T20:00', '2026-12-31T23:00')).toBe(false);
    expect(evening('2025-12-31T20:00', '2025-12-31T23:00')).toBe(true);
  });

  it('in the middle mark a result that passes over them', () => {
    const calendar = calendarOf('Asia/Shanghai', [{ from: '09:00', to: '17:00' }], { yearsPublished: [2024, 2026] });
    expect(businessTimeBetween(calendar, instant('2024-12-31T10:00'), instant('2026-01-01T10:00')).provisional).toBe(true);
  });
});

describe('a calendar', () => {
  const { zone, weekly, exceptions } = chinaBankCalendar;
  const refused = (change: object) => BusinessCalendar.safeParse({ ...chinaBankCalendar, ...change }).success === false;

  it('is found by id and version', () => {
    expect(calendarAt('cn-bank', 1)).toBe(chinaBankCalendar);
    expect(calendarAt('cn-bank', 2)).toBeUndefined();
    expect(refused({ zone, weekly, exceptions })).toBe(false);
  });

  it('is refused with a wrong zone, hours or dates', () => {
    expect(refused({ zone: 'Asia/Peking-Duck' })).toBe(true);
    expect(refused({ weekly: { 1: [], 2: [], 3: [], 4: [], 5: [], 6: [], 7: [] }, exceptions: {} })).toBe(true);
    expect(refused({ weekly: { ...weekly, 1: [{ from: '12:00', to: '09:00' }] } })).toBe(true);
    expect(
      refused({
        weekly: {
          ...weekly,
          1: [
            { from: '09:00', to: '12:00' },
            { from: '11:00', to: '13:00' },
          ],
        },
      }),
    ).toBe(true);
    expect(refused({ makeUpWeekday: 7 })).toBe(true);
    expect(refused({ exceptions: { 2026: [{ date: '2025-01-01', name: '元旦', kind: 'off' }] } })).toBe(true);
    expect(refused({ exceptions: { 2026: [1, 2].map(() => ({ date: '2026-01-01', name: '元旦', kind: 'off' })) } })).toBe(true);
  });
});
