// By when a new customer must have an AML grade: within 10 working days (银发〔2013〕2号). The clock starts with the first report of a core
// system, which makes a party a customer. Who was one long before we were told had a grade in another system: theirs starts when we were.
import { type BusinessCalendar, DAY_MS, isWorkingDay } from '../kernel/business-calendar.ts';
import { dateOf, startOf } from '../kernel/source.ts';
import { dayAfter } from './dates.ts';

export const FIRST_RATING_WORKING_DAYS = 10;
const LONG_BEFORE_MS = 31 * DAY_MS;

/** `YYYY-MM-DD`: the last of the working days, the day of the start not counted (民法典, art. 201). */
export function firstRatingDueOn(report: { readonly occurredAt: string; readonly recordedAt: string }, calendar: BusinessCalendar): string {
  const isStock = Date.parse(report.recordedAt) - Date.parse(startOf(report.occurredAt)) > LONG_BEFORE_MS;
  let day = dateOf(isStock ? report.recordedAt : report.occurredAt, calendar.zone);
  for (let left = FIRST_RATING_WORKING_DAYS; left > 0; ) {
    day = dayAfter(day);
    if (isWorkingDay(calendar, day)) left -= 1;
  }
  return day;
}
