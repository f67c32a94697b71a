// Working time: which instants a bank's calendar counts, and how to walk along them. The calendars themselves are in
// calendars/; which deadline a ticket gets is in ticket/sla.ts.
//
// One rule covers lunch breaks, holidays and clock changes: an instant is working time exactly when a clock on the
// branch's wall then shows a working day and a time within that day's hours (from inclusive, to exclusive).
// So hours that a clock change skips are not there, and hours that it repeats count twice.
//
// Instants are epoch milliseconds, because this is on the path of every command; durations are milliseconds.
import { z } from 'zod';

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

// Outside these years every function refuses, so that a calendar almost without hours cannot be searched for ever.
const FIRST_YEAR = 1900;
const LAST_YEAR = 2199;
// A year's tables are some 15 kB: a process that walks through all of history stays near 1 MB a calendar.
const YEARS_KEPT = 64;

const LocalTime = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'a time of day, HH:MM');
const LocalTimeOrMidnight = z.union([LocalTime, z.literal('24:00')]);

/** Hours within one day by the wall clock, `from` inclusive, `to` exclusive; `24:00` is the end of the day. */
export const WorkingHours = z
  .strictObject({ from: LocalTime, to: LocalTimeOrMidnight })
  .readonly()
  .refine(({ from, to }) => from < to, 'from is before to');

const WeekdayHours = z
  .array(WorkingHours)
  .readonly()
  .refine((hours) => hours.every(({ from }, i) => i === 0 || (hours[i - 1]?.to ?? '') <= from), 'hours are in order and do not overlap');

/**
 * A date that does not follow its weekday: `off` is a holiday, `working` a make-up working day 调休 that keeps the
 * hours of the calendar's `makeUpWeekday`.
 */
export const CalendarException = z
  .strictObject({ date: z.iso.date(), name: z.string().min(1).max(100), kind: z.enum(['off', 'working']) })
  .readonly();
export type CalendarException = z.infer<typeof CalendarException>;

/**
 * A bank's working time as data. `weekly` is by ISO weekday (1 Monday … 7 Sunday), each with any number of hours, none
 * for a free day; `exceptions` stand under the year of their date. A year missing in `yearsPublished` follows weekdays
 * and makes each result that touches it provisional. A change is a new `version`, so that old deadlines can be recomputed.
 */
export const BusinessCalendar = z
  .strictObject({
    id: z.string().min(1).max(64),
    version: z.int().positive(),
    zone: z.string().refine(isZone, 'an IANA time zone'),
    weekly: z
      .strictObject({
        1: WeekdayHours,
        2: WeekdayHours,
        3: WeekdayHours,
        4: WeekdayHours,
        5: WeekdayHours,
        6: WeekdayHours,
        7: WeekdayHours,
      })
      .readonly(),
    makeUpWeekday: z.int().min(1).max(7).default(1),
    exceptions: z.record(z.string().regex(/^\d{4}$/), z.array(CalendarException).readonly()).readonly(),
    yearsPublished: z.array(z.int().min(FIRST_YEAR).max(LAST_YEAR)).readonly(),
  })
  .readonly()
  .superRefine((calendar, context) => {
    const problem = (message: string) => context.addIssue({ code: 'custom', message });
    if (Object.values(calendar.weekly).every((hours) => hours.length === 0)) problem('some weekday has hours');
    const dates = new Set<string>();
    for (const [year, list] of Object.entries(calendar.exceptions)) {
      for (const { date, kind } of list) {
        if (!date.startsWith(year)) problem(`${date} stands under ${year}`);
        if (dates.has(date)) problem(`${date} is listed twice`);
        dates.add(date);
        if (kind === 'working' && hoursOf(calendar, calendar.makeUpWeekday).length === 0) problem('the make-up weekday has hours');
      }
    }
  });
export type BusinessCalendar = z.infer<typeof BusinessCalendar>;

/** An instant, and whether a year without published holidays had a part in it. */
export interface CalendarInstant {
  readonly atMs: number;
  readonly provisional: boolean;
}

/** An amount of working time, and whether a year without published holidays had a part in it. */
export interface WorkingTime {
  readonly durationMs: number;
  readonly provisional: boolean;
}

/** Whether the bank works on this date (`YYYY-MM-DD` in the calendar's zone). @throws RangeError if it is no date. */
export function isWorkingDay(calendar: BusinessCalendar, date: string): boolean {
  const dayNumber = dayNumberOf(date);
  return weekdayFollowed(tablesOf(calendar), dayNumber) !== 0;
}

/** Whether this date's year has no published holidays, so that it merely follows its weekday. */
export function isProvisional(calendar: BusinessCalendar, date: string): boolean {
  return !tablesOf(calendar).published.has(yearOf(dayNumberOf(date)));
}

/** Working time between two instants; negative when `toMs` is the earlier. */
export function businessTimeBetween(calendar: BusinessCalendar, fromMs: number, toMs: number): WorkingTime {
  const tables = tablesOf(calendar);
  if (toMs < fromMs) {
    return { durationMs: -workingMsBetween(tables, toMs, fromMs), provisional: isUnpublished(tables, toMs, fromMs) };
  }
  return { durationMs: workingMsBetween(tables, fromMs, toMs), provisional: isUnpublished(tables, fromMs, toMs) };
}

/**
 * The earliest instant that has `durationMs` of working time between it and `startMs`: work that fills a day is due
 * when that day closes, not when the next opens. A start outside hours counts from the next opening; zero is the start.
 * @throws RangeError on a negative or fractional duration and outside 1900 to 2199.
 */
export function addBusinessTime(calendar: BusinessCalendar, startMs: number, durationMs: number): CalendarInstant {
  const tables = tablesOf(calendar);
  const atMs = later(tables, startMs, checkedDuration(durationMs));
  return { atMs, provisional: isUnpublished(tables, startMs, atMs) };
}

/**
 * The latest instant that has `durationMs` of working time between it and `endMs`: the inverse of `addBusinessTime`
 * on working time (there and back, no working time lies between).
 * @throws RangeError on a negative or fractional duration and outside 1900 to 2199.
 */
export function subtractBusinessTime(calendar: BusinessCalendar, endMs: number, durationMs: number): CalendarInstant {
  const tables = tablesOf(calendar);
  const atMs = earlier(tables, endMs, checkedDuration(durationMs));
  return { atMs, provisional: isUnpublished(tables, atMs, endMs) };
}

/**
 * How much working time `days` working days are from `startMs`: up to the same time of day, that many working days
 * later. A start outside hours counts from the next opening; a time of day at which the last day is closed means the
 * closing before it. Its due time is `addBusinessTime` of this, so Monday 09:00 (opening) and one day is Monday's
 * closing, and never later than the close of the last day, the first not counted (民法典 201, 203).
 * @throws RangeError on a negative or fractional number of days and outside 1900 to 2199.
 */
export function workingDaysFrom(calendar: BusinessCalendar, startMs: number, days: number): WorkingTime {
  const tables = tablesOf(calendar);
  if (checkedDuration(days) === 0) return { durationMs: 0, provisional: isUnpublished(tables, startMs, startMs) };
  const opensMs = nextWorkingInstant(tables, startMs);
  const localMs = opensMs + offsetAt(tables, opensMs);
  const firstDay = Math.floor(localMs / DAY_MS);
  const lastDay = workingDayAfter(tables, firstDay, days);
  const untilMs = instantOfLocal(tables, localMs + (lastDay - firstDay) * DAY_MS);
  return { durationMs: workingMsBetween(tables, opensMs, untilMs), provisional: isUnpublished(tables, startMs, untilMs) };
}

/**
 * The end (24:00 in the calendar's zone) of the last of `days` natural days, the first day not counted, whatever kind
 * of day the last one is: complaints do not move for holidays (民法典 201; 203 would allow it, requirements section 5).
 * Natural minutes and hours need no calendar: they are elapsed time.
 * @throws RangeError on a negative or fractional number of days and outside 1900 to 2199.
 */
export function endOfNaturalDay(calendar: BusinessCalendar, startMs: number, days: number): number {
  const tables = tablesOf(calendar);
  const firstDay = Math.floor((startMs + offsetAt(tables, startMs)) / DAY_MS);
  return instantOfLocal(tables, (firstDay + checkedDuration(days) + 1) * DAY_MS);
}

// Tables. A window is a UTC year, so that it is found from an instant without knowing the zone; the working ranges in
// it are clipped to it, and `before` is the working time of the window up to each range, so that any distance is two
// searches and a sum. Dates are kept by local year.
interface Window {
  readonly year: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly from: Float64Array;
  readonly to: Float64Array;
  readonly before: Float64Array;
  readonly totalMs: number;
  // Where the zone's offset changes: it is offsets[i] from changes[i] on, and changes[0] is startMs.
  readonly changes: readonly number[];
  readonly offsets: readonly number[];
}

interface Dates {
  readonly firstDay: number;
  // By day of the year: the ISO weekday whose hours it keeps, 0 when off; and the working days up to and with it.
  readonly weekday: Uint8Array;
  readonly count: Uint16Array;
  readonly workingDays: Int32Array;
}

interface Tables {
  readonly calendar: BusinessCalendar;
  readonly published: ReadonlySet<number>;
  readonly exceptions: ReadonlyMap<number, 'off' | 'working'>;
  readonly hours: readonly (readonly { fromMs: number; toMs: number }[])[];
  readonly windows: Map<number, Window>;
  readonly dates: Map<number, Dates>;
  // Nearly every call asks for the window of the one before.
  recent: Window | undefined;
}

// By identity: two calendars that claim the same id and version but differ must not share hours.
const tablesByCalendar = new WeakMap<BusinessCalendar, Tables>();

function tablesOf(calendar: BusinessCalendar): Tables {
  let tables = tablesByCalendar.get(calendar);
  if (tables === undefined) {
    tables = {
      calendar,
      published: new Set(calendar.yearsPublished),
      exceptions: new Map(Object.values(calendar.exceptions).flatMap((list) => list.map(({ date, kind }) => [dayNumberOf(date), kind] as const))),
      hours: [0, 1, 2, 3, 4, 5, 6, 7].map((weekday) =>
        hoursOf(calendar, weekday).map(({ from, to }) => ({ fromMs: timeOfDayMs(from), toMs: timeOfDayMs(to) })),
      ),
      windows: new Map(),
      dates: new Map(),
      recent: undefined,
    };
    tablesByCalendar.set(calendar, tables);
  }
  return tables;
}

function windowOf(tables: Tables, year: number): Window {
  return tables.windows.get(year) ?? kept(tables.windows, year, buildWindow(tables, checkedYear(year)));
}

function datesOf(tables: Tables, year: number): Dates {
  return tables.dates.get(year) ?? kept(tables.dates, year, buildDates(tables, checkedYear(year)));
}

function kept<T>(cache: Map<number, T>, year: number, built: T): T {
  if (cache.size >= YEARS_KEPT) cache.delete(cache.keys().next().value ?? year);
  cache.set(year, built);
  return built;
}

function buildWindow(tables: Tables, year: number): Window {
  const startMs = Date.UTC(year, 0, 1);
  const endMs = Date.UTC(year + 1, 0, 1);
  const changes: number[] = [];
  const offsets: number[] = [];
  const from: number[] = [];
  const to: number[] = [];
  // Between two clock changes local time is instant plus offset, so each stretch is plain arithmetic and exact.
  let stretch: Temporal.ZonedDateTime | null = Temporal.Instant.fromEpochMilliseconds(startMs).toZonedDateTimeISO(tables.calendar.zone);
  while (stretch !== null && stretch.epochMilliseconds < endMs) {
    const next: Temporal.ZonedDateTime | null = stretch.getTimeZoneTransition('next');
    const stretchStartMs = stretch.epochMilliseconds;
    const stretchEndMs = Math.min(next?.epochMilliseconds ?? endMs, endMs);
    const offsetMs = stretch.offsetNanoseconds / 1e6;
    changes.push(stretchStartMs);
    offsets.push(offsetMs);
    const lastDay = Math.floor((stretchEndMs - 1 + offsetMs) / DAY_MS);
    for (let day = Math.floor((stretchStartMs + offsetMs) / DAY_MS); day <= lastDay; day++) {
      for (const hours of tables.hours[weekdayFollowed(tables, day)] ?? []) {
        const opensMs = Math.max(day * DAY_MS + hours.fromMs - offsetMs, stretchStartMs);
        const closesMs = Math.min(day * DAY_MS + hours.toMs - offsetMs, stretchEndMs);
        if (opensMs >= closesMs) continue;
        from.push(opensMs);
        to.push(closesMs);
      }
    }
    stretch = next;
  }
  const before = new Float64Array(from.length);
  let totalMs = 0;
  for (let i = 0; i < from.length; i++) {
    before[i] = totalMs;
    totalMs += (to[i] ?? 0) - (from[i] ?? 0);
  }
  return { year, startMs, endMs, from: Float64Array.from(from), to: Float64Array.from(to), before, totalMs, changes, offsets };
}

function buildDates(tables: Tables, year: number): Dates {
  const firstDay = Date.UTC(year, 0, 1) / DAY_MS;
  const length = Date.UTC(year + 1, 0, 1) / DAY_MS - firstDay;
  const weekday = new Uint8Array(length);
  const count = new Uint16Array(length);
  const workingDays: number[] = [];
  for (let i = 0; i < length; i++) {
    const day = firstDay + i;
    const kind = tables.exceptions.get(day);
    const own = ((((day + 3) % 7) + 7) % 7) + 1;
    const followed = kind === 'off' ? 0 : kind === 'working' ? tables.calendar.makeUpWeekday : own;
    if ((tables.hours[followed]?.length ?? 0) > 0) {
      weekday[i] = followed;
      workingDays.push(day);
    }
    count[i] = workingDays.length;
  }
  return { firstDay, weekday, count, workingDays: Int32Array.from(workingDays) };
}

function weekdayFollowed(tables: Tables, day: number): number {
  const year = yearOf(day);
  // A window's first and last hours belong to a neighbouring local year.
  if (year < FIRST_YEAR || year > LAST_YEAR) return 0;
  const dates = datesOf(tables, year);
  return dates.weekday[day - dates.firstDay] ?? 0;
}

function windowAt(tables: Tables, atMs: number): Window {
  if (!Number.isSafeInteger(atMs)) throw new RangeError(`not an instant in whole milliseconds: ${atMs}`);
  const { recent } = tables;
  if (recent !== undefined && atMs >= recent.startMs && atMs < recent.endMs) return recent;
  tables.recent = windowOf(tables, new Date(atMs).getUTCFullYear());
  return tables.recent;
}

// The last index whose value is at most `value`, -1 if none.
function lastAtMost(values: Float64Array, value: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] ?? 0) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

// Working time of the window that lies before the instant.
function workedMs(window: Window, atMs: number): number {
  const i = lastAtMost(window.from, atMs);
  if (i < 0) return 0;
  return (window.before[i] ?? 0) + Math.min(atMs, window.to[i] ?? 0) - (window.from[i] ?? 0);
}

function workingMsBetween(tables: Tables, fromMs: number, toMs: number): number {
  let window = windowAt(tables, fromMs);
  let durationMs = -workedMs(window, fromMs);
  while (toMs >= window.endMs) {
    durationMs += window.totalMs;
    window = windowOf(tables, window.year + 1);
  }
  return durationMs + workedMs(window, toMs);
}

function later(tables: Tables, startMs: number, durationMs: number): number {
  let window = windowAt(tables, startMs);
  if (durationMs === 0) return startMs;
  let targetMs = workedMs(window, startMs) + durationMs;
  while (targetMs > window.totalMs) {
    targetMs -= window.totalMs;
    window = windowOf(tables, window.year + 1);
  }
  // Strictly before the target (all is whole milliseconds): what ends exactly there ends at a closing.
  const i = lastAtMost(window.before, targetMs - 1);
  return (window.from[i] ?? 0) + targetMs - (window.before[i] ?? 0);
}

function earlier(tables: Tables, endMs: number, durationMs: number): number {
  let window = windowAt(tables, endMs);
  if (durationMs === 0) return endMs;
  let targetMs = workedMs(window, endMs) - durationMs;
  while (targetMs < 0) {
    window = windowOf(tables, window.year - 1);
    targetMs += window.totalMs;
  }
  const i = lastAtMost(window.before, targetMs);
  return (window.from[i] ?? 0) + targetMs - (window.before[i] ?? 0);
}

function nextWorkingInstant(tables: Tables, atMs: number): number {
  return later(tables, atMs, 1) - 1;
}

function workingDayAfter(tables: Tables, day: number, days: number): number {
  let year = yearOf(day);
  let dates = datesOf(tables, year);
  let index = (dates.count[day - dates.firstDay] ?? 0) - 1 + days;
  while (index >= dates.workingDays.length) {
    index -= dates.workingDays.length;
    year += 1;
    dates = datesOf(tables, year);
  }
  return dates.workingDays[index] ?? 0;
}

function offsetAt(tables: Tables, atMs: number): number {
  return offsetIn(windowAt(tables, atMs), atMs);
}

function offsetIn(window: Window, atMs: number): number {
  let i = window.changes.length - 1;
  while (i > 0 && (window.changes[i] ?? 0) > atMs) i -= 1;
  return window.offsets[i] ?? 0;
}

// As Temporal's `compatible`: of a repeated time the first, of a skipped one as much later as the clock jumped.
function instantOfLocal(tables: Tables, localMs: number): number {
  const before = offsetAt(tables, localMs - DAY_MS);
  const after = offsetAt(tables, localMs + DAY_MS);
  if (before === after || offsetAt(tables, localMs - before) === before) return localMs - before;
  return offsetAt(tables, localMs - after) === after ? localMs - after : localMs - before;
}

// An end at 24:00 of 31 December has used nothing of the new year.
function isUnpublished(tables: Tables, fromMs: number, toMs: number): boolean {
  const first = yearAt(tables, fromMs);
  const last = toMs > fromMs ? yearAt(tables, toMs - 1) : first;
  for (let year = first; year <= last; year++) if (!tables.published.has(year)) return true;
  return false;
}

function yearAt(tables: Tables, atMs: number): number {
  const window = windowAt(tables, atMs);
  const localMs = atMs + offsetIn(window, atMs);
  // The window is the UTC year, whose bounds read as local time are those of the local year.
  if (localMs < window.startMs) return window.year - 1;
  return localMs < window.endMs ? window.year : window.year + 1;
}

function yearOf(day: number): number {
  return new Date(day * DAY_MS).getUTCFullYear();
}

function checkedYear(year: number): number {
  if (!(year >= FIRST_YEAR && year <= LAST_YEAR)) throw new RangeError(`the calendar reaches from ${FIRST_YEAR} to ${LAST_YEAR}, not to ${year}`);
  return year;
}

function checkedDuration(duration: number): number {
  if (!Number.isSafeInteger(duration) || duration < 0) throw new RangeError(`not a whole duration: ${duration}`);
  return duration;
}

function dayNumberOf(date: string): number {
  return Date.parse(`${Temporal.PlainDate.from(date).toString()}T00:00Z`) / DAY_MS;
}

function timeOfDayMs(time: string): number {
  return Number(time.slice(0, 2)) * HOUR_MS + Number(time.slice(3)) * MINUTE_MS;
}

function hoursOf(calendar: Pick<BusinessCalendar, 'weekly'>, weekday: number): z.infer<typeof WeekdayHours> {
  return (calendar.weekly as Readonly<Record<number, z.infer<typeof WeekdayHours>>>)[weekday] ?? [];
}

function isZone(zone: string): boolean {
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(zone);
    return true;
  } catch {
    return false;
  }
}
