// "As of" in the world's time: did a fact hold by then? A date compares dates, an instant compares starts (docs/architecture.md).
// Called for every event of a replay, so the answer is mostly one comparison of strings; Temporal is asked only near the edge.

/** Whether something that occurred at this time, as an event says it, counts by the chosen time. @throws RangeError where it is no time */
export type AsOf = (occurredAt: string) => boolean;

const DATE = /^\d{4}-\d{2}-\d{2}$/;
// A zone's clock is never put back by more than that around midnight.
const EDGE_HOURS = 26;

/**
 * @param text a date, or an instant (RFC 3339, or RFC 9557 with a zone)
 * @param bankZone the zone in which an instant without a zone of its own has its date
 * @throws RangeError where it is neither
 */
export function asOf(text: string, bankZone: string): AsOf {
  return DATE.test(text) ? asOfDate(Temporal.PlainDate.from(text), bankZone) : asOfInstant(startOf(text, bankZone), bankZone);
}

/** The last millisecond of a date in the bank's zone, or the instant: what `knownAt` means as epoch milliseconds. @throws RangeError */
export function knownAtMs(text: string, bankZone: string): number {
  if (!DATE.test(text)) return startOf(text, bankZone).epochMilliseconds;
  return Temporal.PlainDate.from(text).add({ days: 1 }).toZonedDateTime(bankZone).epochMilliseconds - 1;
}

function asOfDate(until: Temporal.PlainDate, bankZone: string): AsOf {
  const date = until.toString();
  const end = until.add({ days: 1 }).toZonedDateTime(bankZone).toInstant();
  // No fraction and no Z: "…:00" sorts before every instant of that second, however many digits it has.
  const surelyBefore = seconds(end.subtract({ hours: EDGE_HOURS }));
  const surelyAfter = seconds(end.add({ hours: EDGE_HOURS }));
  return (occurredAt) => {
    if (!isUtc(occurredAt)) return ownDate(occurredAt) <= date;
    if (occurredAt < surelyBefore) return true;
    if (occurredAt >= surelyAfter) return false;
    return Temporal.Instant.from(occurredAt).toZonedDateTimeISO(bankZone).toPlainDate().toString() <= date;
  };
}

function asOfInstant(until: Temporal.Instant, bankZone: string): AsOf {
  const second = seconds(until);
  // Read models keep milliseconds, and a past says the same as they: what started within the same one counts.
  const milliseconds = until.epochMilliseconds;
  // A clock anywhere is at most a day away from UTC's.
  const dayBefore = until.subtract({ hours: 48 }).toString().slice(0, 10);
  const dayAfter = until.add({ hours: 48 }).toString().slice(0, 10);
  return (occurredAt) => {
    if (isUtc(occurredAt)) {
      // A leap second is the second before it.
      if (!occurredAt.startsWith(second) && occurredAt[17] !== '6') return occurredAt < second;
    } else {
      const own = ownDate(occurredAt);
      if (own < dayBefore) return true;
      if (own > dayAfter) return false;
    }
    return startOf(occurredAt, bankZone).epochMilliseconds <= milliseconds;
  };
}

/** The start of a time: an instant is its own, a date's is the start of that day in its zone, or in the bank's. */
function startOf(text: string, bankZone: string): Temporal.Instant {
  if (text.endsWith(']')) return Temporal.ZonedDateTime.from(text).toInstant();
  if (text.length === 10) return Temporal.PlainDate.from(text).toZonedDateTime(bankZone).toInstant();
  return Temporal.Instant.from(text);
}

function isUtc(text: string): boolean {
  return text.charCodeAt(text.length - 1) === 0x5a;
}

/** The date on the clock where it was recorded: local time comes first, so it is the text's beginning. */
function ownDate(text: string): string {
  const date = text.slice(0, 10);
  if (!DATE.test(date)) throw new RangeError('an event occurred at what is no time');
  return date;
}

function seconds(instant: Temporal.Instant): string {
  return instant.toString({ smallestUnit: 'second' }).slice(0, 19);
}
