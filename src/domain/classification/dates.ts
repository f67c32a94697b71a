// Days and months as text: `2026-01-31`, `2026-01`. Days are of the bank's zone.

/** A month later is the same day, or the month's last where it has none such. */
export function monthsAfter(date: string, months: number): string {
  return Temporal.PlainDate.from(date).add({ months }).toString();
}

export function dayAfter(date: string): string {
  return Temporal.PlainDate.from(date).add({ days: 1 }).toString();
}

export function lastDayOf(month: string): string {
  return Temporal.PlainYearMonth.from(month).toPlainDate({ day: 31 }).toString();
}

export function firstDayAfter(month: string): string {
  return Temporal.PlainYearMonth.from(month).add({ months: 1 }).toPlainDate({ day: 1 }).toString();
}

/** The months that end with this one, the earliest first. */
export function monthsUpTo(month: string, count: number): readonly string[] {
  const last = Temporal.PlainYearMonth.from(month);
  return Array.from({ length: count }, (_, index) => last.subtract({ months: count - 1 - index }).toString());
}

/** Its first instant, RFC 3339 UTC with milliseconds. */
export function startOfDay(date: string, zone: string): string {
  return new Date(Temporal.PlainDate.from(date).toZonedDateTime(zone).epochMilliseconds).toISOString();
}

/** When something was so that is known by its day: today's is so from now on. */
export function timeOf(date: string, { now, today, zone }: { readonly now: string; readonly today: string; readonly zone: string }): string {
  return date === today ? now : `${date}[${zone}]`;
}
