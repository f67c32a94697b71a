// When a ticket must have been answered and solved: targets, clocks and pauses. Working time itself is in
// kernel/business-calendar.ts, the bank's targets in sla-policies.ts, firing at the instants in processes/.
//
// What a target's unit means:
// - minutes and hours, business: working time of the calendar. Natural: elapsed time, 7×24.
// - business days: the same time of day, that many working days later; where the desk is closed then, the closing before
//   (workingDaysFrom). It can be checked with a finger on a wall calendar, and holds on calendars with half days.
// - natural days: the end (24:00) of the last day in the calendar's zone, first day not counted, no move for a holiday.
// A clock counts a fixed time from its start. The warning falls at a share of that counted time, not of the way on the
// wall clock, and a pause moves both by exactly the counted time within it.
import { z } from 'zod';
import {
  addBusinessTime,
  type BusinessCalendar,
  businessTimeBetween,
  type CalendarInstant,
  DAY_MS,
  endOfNaturalDay,
  HOUR_MS,
  MINUTE_MS,
  SECOND_MS,
  workingDaysFrom,
} from '../kernel/business-calendar.ts';
import { TicketPriority, TicketType } from './vocabulary.ts';

export const SlaTarget = z
  .strictObject({
    amount: z.int().positive().max(100_000),
    unit: z.enum(['minutes', 'hours', 'days']),
    time: z.enum(['business', 'natural']),
  })
  .readonly();
export type SlaTarget = z.infer<typeof SlaTarget>;

/** Targets of the tickets it matches: those of the named types and priorities, any where none are named. */
export const SlaRule = z
  .strictObject({
    types: z.array(TicketType).min(1).readonly().optional(),
    priorities: z.array(TicketPriority).min(1).readonly().optional(),
    firstResponse: SlaTarget,
    resolution: SlaTarget,
    warnAtPercent: z.int().min(1).max(100).default(80),
  })
  .readonly();
export type SlaRule = z.infer<typeof SlaRule>;

/** A bank's targets. The first rule that matches holds, and every type and priority must find one. A change is a new version. */
export const SlaPolicy = z
  .strictObject({ id: z.string().min(1).max(64), version: z.int().positive(), rules: z.array(SlaRule).min(1).readonly() })
  .readonly()
  .superRefine((policy, context) => {
    for (const type of TicketType.options) {
      for (const priority of TicketPriority.options) {
        if (firstMatch(policy.rules, type, priority) === undefined) {
          context.addIssue({ code: 'custom', message: `no rule for a ticket of type ${type} and priority ${priority}` });
        }
      }
    }
  });
export type SlaPolicy = z.infer<typeof SlaPolicy>;

const InstantText = z.iso.datetime({ precision: 3 });

/** One deadline with its warning, all RFC 3339 in UTC with milliseconds. */
export const SlaClock = z.strictObject({ startedAt: InstantText, warnAt: InstantText, dueAt: InstantText });
export type SlaClock = z.infer<typeof SlaClock>;

/**
 * Both clocks of a ticket with what they were computed by, to be recorded in its event. `provisional` says that a year
 * without published holidays had a part in it: recompute once a calendar version with that year is out.
 */
export const SlaClocks = z.strictObject({
  policy: z.strictObject({ id: z.string(), version: z.int() }),
  calendar: z.strictObject({ id: z.string(), version: z.int() }),
  provisional: z.boolean(),
  firstResponse: SlaClock,
  resolution: SlaClock,
});
export type SlaClocks = z.infer<typeof SlaClocks>;

/** A time for which the bank waited for the customer or for an appraisal, from inclusive, to exclusive, RFC 3339 in UTC. */
export const SlaPause = z.strictObject({ from: InstantText, to: InstantText });
export type SlaPause = z.infer<typeof SlaPause>;

/** What a clock is set by. Pauses may overlap and come in any order; what lies before the start or after the due time counts for nothing. */
export interface SlaSubject {
  readonly type: TicketType;
  readonly priority: TicketPriority;
  readonly startedAt: string;
  readonly pauses?: readonly SlaPause[] | undefined;
}

/**
 * Both clocks of a ticket. Pauses move the resolution only: whoever waits for the customer has already answered.
 * @throws RangeError if an instant is no RFC 3339 instant in UTC, or a pause ends before it begins.
 */
export function slaClocks(policy: SlaPolicy, calendar: BusinessCalendar, subject: SlaSubject): SlaClocks {
  const rule = slaRuleFor(policy, subject.type, subject.priority);
  const startMs = instantMs(subject.startedAt);
  const startedAt = rfc3339(startMs);
  const firstResponse = run(calendar, rule.firstResponse, rule.warnAtPercent, startMs, []);
  const resolution = run(calendar, rule.resolution, rule.warnAtPercent, startMs, stretches(subject.pauses));
  return {
    policy: { id: policy.id, version: policy.version },
    calendar: { id: calendar.id, version: calendar.version },
    provisional: firstResponse.provisional || resolution.provisional,
    firstResponse: { startedAt, warnAt: firstResponse.warnAt, dueAt: firstResponse.dueAt },
    resolution: { startedAt, warnAt: resolution.warnAt, dueAt: resolution.dueAt },
  };
}

/**
 * One clock alone, for one that starts anew (a ticket reopened or handed on) or is recomputed after a pause (the same
 * start, all its pauses). Unlike in `slaClocks`, given pauses count for either clock.
 * @throws RangeError if an instant is no RFC 3339 instant in UTC, or a pause ends before it begins.
 */
export function slaClockFrom(
  policy: SlaPolicy,
  calendar: BusinessCalendar,
  which: 'firstResponse' | 'resolution',
  subject: SlaSubject,
): SlaClock & { provisional: boolean } {
  const rule = slaRuleFor(policy, subject.type, subject.priority);
  const startMs = instantMs(subject.startedAt);
  return { startedAt: rfc3339(startMs), ...run(calendar, rule[which], rule.warnAtPercent, startMs, stretches(subject.pauses)) };
}

/**
 * When a single target is due, given pauses: never before it was due without them.
 * @throws RangeError if an instant is no RFC 3339 instant in UTC, or a pause ends before it begins.
 */
export function dueFrom(
  target: SlaTarget,
  calendar: BusinessCalendar,
  startedAt: string,
  pauses: readonly SlaPause[] = [],
): { dueAt: string; provisional: boolean } {
  const startMs = instantMs(startedAt);
  const { atMs, provisional } = reach(calendar, target, startMs, countedMs(calendar, target, startMs), stretches(pauses));
  return { dueAt: rfc3339(atMs), provisional };
}

/** The first rule for this type and priority. @throws RangeError if the policy has none, which its schema refuses. */
export function slaRuleFor(policy: SlaPolicy, type: TicketType, priority: TicketPriority): SlaRule {
  const rule = firstMatch(policy.rules, type, priority);
  if (rule === undefined) throw new RangeError(`SLA policy ${policy.id} version ${policy.version} has no rule for ${type}, ${priority}`);
  return rule;
}

function firstMatch(rules: readonly SlaRule[], type: TicketType, priority: TicketPriority): SlaRule | undefined {
  return rules.find(({ types, priorities }) => (types?.includes(type) ?? true) && (priorities?.includes(priority) ?? true));
}

interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
}

function run(
  calendar: BusinessCalendar,
  target: SlaTarget,
  warnAtPercent: number,
  startMs: number,
  pauses: readonly Stretch[],
): { warnAt: string; dueAt: string; provisional: boolean } {
  const counted = countedMs(calendar, target, startMs);
  const warn = reach(calendar, target, startMs, Math.floor((counted * warnAtPercent) / 100), pauses);
  const due = reach(calendar, target, startMs, counted, pauses);
  return { warnAt: rfc3339(warn.atMs), dueAt: rfc3339(due.atMs), provisional: due.provisional };
}

const unitMs = { minutes: MINUTE_MS, hours: HOUR_MS, days: DAY_MS } as const;

// What the target counts from this start, in business or natural milliseconds.
function countedMs(calendar: BusinessCalendar, target: SlaTarget, startMs: number): number {
  if (target.unit !== 'days') return target.amount * unitMs[target.unit];
  if (target.time === 'natural') return endOfNaturalDay(calendar, startMs, target.amount) - startMs;
  return workingDaysFrom(calendar, startMs, target.amount).durationMs;
}

// The earliest instant at which so much has been counted outside the pauses. Pauses are in order and apart; one that
// begins when all is counted moves nothing: what is due stays due.
function reach(calendar: BusinessCalendar, target: SlaTarget, startMs: number, counted: number, pauses: readonly Stretch[]): CalendarInstant {
  let due = forward(calendar, target, startMs, counted);
  let pausedMs = 0;
  for (const pause of pauses) {
    if (pause.toMs <= startMs) continue;
    if (pause.fromMs >= due.atMs) break;
    const fromMs = Math.max(pause.fromMs, startMs);
    pausedMs += target.time === 'natural' ? pause.toMs - fromMs : businessTimeBetween(calendar, fromMs, pause.toMs).durationMs;
    due = forward(calendar, target, startMs, counted + pausedMs);
  }
  return due;
}

function forward(calendar: BusinessCalendar, target: SlaTarget, startMs: number, durationMs: number): CalendarInstant {
  if (target.time === 'natural') return { atMs: startMs + durationMs, provisional: false };
  return addBusinessTime(calendar, startMs, durationMs);
}

// In order, overlaps joined, so that no moment is paused twice.
function stretches(pauses: readonly SlaPause[] = []): Stretch[] {
  const joined: { fromMs: number; toMs: number }[] = [];
  const ordered = pauses.map(({ from, to }) => ({ fromMs: instantMs(from), toMs: instantMs(to) })).sort((a, b) => a.fromMs - b.fromMs);
  for (const pause of ordered) {
    if (pause.toMs < pause.fromMs) throw new RangeError(`a pause ends before it begins: ${rfc3339(pause.fromMs)}`);
    const last = joined.at(-1);
    if (last !== undefined && pause.fromMs <= last.toMs) last.toMs = Math.max(last.toMs, pause.toMs);
    else joined.push(pause);
  }
  return joined;
}

const instantPattern = /^[12]\d{3}-\d\d-\d\dT(?:[01]\d|2[0-3]):\d\d:\d\d(?:\.\d{1,9})?Z$/;

// Date.parse alone would also take texts whose meaning hangs on the server's own zone, and 30 February as 2 March.
function instantMs(text: string): number {
  const ms = instantPattern.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms) || (text.slice(8, 10) > '28' && !rfc3339(ms).startsWith(text.slice(0, 10)))) {
    throw new RangeError(`not an RFC 3339 instant in UTC: ${text}`);
  }
  return ms;
}

const digits2 = Array.from({ length: 100 }, (_, n) => String(n).padStart(2, '0'));
const digits3 = Array.from({ length: 1_000 }, (_, n) => String(n).padStart(3, '0'));

// Date's toISOString costs 0.4 µs and Temporal.Instant's toString 0.75, this 0.1, and a ticket needs five.
// Exact for the years 1000 to 9999; day to civil date after Howard Hinnant, "chrono-Compatible
// Low-Level Date Algorithms", years beginning in March.
function rfc3339(ms: number): string {
  const day = Math.floor(ms / DAY_MS);
  const inDay = ms - day * DAY_MS;
  const sinceEra = day + 719_468;
  const era = (sinceEra / 146_097) | 0;
  const dayOfEra = sinceEra - era * 146_097;
  const yearOfEra = ((dayOfEra - ((dayOfEra / 1_460) | 0) + ((dayOfEra / 36_524) | 0) - ((dayOfEra / 146_096) | 0)) / 365) | 0;
  const dayOfYear = dayOfEra - 365 * yearOfEra - ((yearOfEra / 4) | 0) + ((yearOfEra / 100) | 0);
  const monthFromMarch = ((5 * dayOfYear + 2) / 153) | 0;
  const dayOfMonth = dayOfYear - (((153 * monthFromMarch + 2) / 5) | 0) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const hours = digits2[(inDay / HOUR_MS) | 0];
  const minutes = digits2[((inDay % HOUR_MS) / MINUTE_MS) | 0];
  const seconds = digits2[((inDay % MINUTE_MS) / SECOND_MS) | 0];
  return `${year}-${digits2[month]}-${digits2[dayOfMonth]}T${hours}:${minutes}:${seconds}.${digits3[inDay % SECOND_MS]}Z`;
}
