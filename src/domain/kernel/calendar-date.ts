// Dates that are entered, and times that are asked for: within what every store can keep and compare.
import { z } from 'zod';

/** `YYYY-MM-DD`, from 1900 to 9999; the last day is many a client's "until further notice". */
export const CalendarDate = z.iso.date().refine((date) => date >= '1900', 'a date from 1900 to 9999');

/** Whether a time that is asked for can be compared with any that is kept, the day after it included. */
export function isComparable(time: string): boolean {
  return /^\d{4}-/.test(time) && time >= '1900' && time < '9999';
}
