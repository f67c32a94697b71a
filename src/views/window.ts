// Which twelve months a view's flows are of: those that end with the month asked about, up to the day asked about in it.

export interface FlowWindow {
  /** `YYYY-MM-DD`: its first day, and the first day after it. */
  readonly from: string;
  readonly to: string;
}

const MONTHS = 12;

/** @param time a date or an instant; epoch milliseconds for now */
export function windowOf(time: string | number, zone: string): FlowWindow {
  if (typeof time === 'string') return windowAt(time, zone);
  // Every view of now asks, and no zone changes its date within a minute.
  const minute = Math.floor(time / 60_000);
  if (latest?.minute !== minute || latest.zone !== zone) latest = { minute, zone, window: windowAt(time, zone) };
  return latest.window;
}

let latest: { readonly minute: number; readonly zone: string; readonly window: FlowWindow } | undefined;

function windowAt(time: string | number, zone: string): FlowWindow {
  const day = dayOf(time, zone);
  const next = day.with({ day: 1 }).add({ months: 1 });
  // Now has the whole month: what is told of tomorrow counts already.
  const to = typeof time === 'number' ? next : day.add({ days: 1 });
  return { from: next.subtract({ months: MONTHS }).toString(), to: to.toString() };
}

/** The day that a time asked for is, in its own zone where it has one, or else in the bank’s. Epoch milliseconds for now. */
export function dayOf(time: string | number, zone: string): Temporal.PlainDate {
  if (typeof time === 'number') return Temporal.Instant.fromEpochMilliseconds(time).toZonedDateTimeISO(zone).toPlainDate();
  if (time.length === 10 || time.endsWith(']')) return Temporal.PlainDate.from(time.slice(0, 10));
  return Temporal.Instant.from(time).toZonedDateTimeISO(zone).toPlainDate();
}
