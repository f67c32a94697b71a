// Other systems' own names for things, and times as they tell them: kept as said, compared by where they start.
import { z } from 'zod';

/** Another system's own name for a thing. */
export const SourceReference = z.strictObject({
  system: z.string().regex(/^[a-z][a-z0-9-]{0,63}$/, 'a system’s name: small letters, digits and -, a letter first, at most 64'),
  id: z.string().min(1).max(128),
});
export type SourceReference = z.output<typeof SourceReference>;

// These two forms and no other that Temporal would take: local time comes first, so that a date or a month is the text's beginning.
const SOURCE_TIME = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)|\[[\w+/:-]{1,64}\])$/;

/** A date in a zone (`2017-05-01[America/New_York]`) or an instant with offset; kept as the source said it. */
export const SourceTime = z
  .string()
  .refine(
    isSourceTime,
    'an RFC 3339 instant such as 2017-05-01T09:00:00Z, or a date with its zone such as 2017-05-01[America/New_York], from 1900 to 2198',
  );

function isSourceTime(text: string): boolean {
  if (!SOURCE_TIME.test(text)) return false;
  try {
    // No shortcut here: the form of an instant may still name a day or an hour that there is none of.
    if (!text.endsWith(']')) Temporal.Instant.from(text);
    // The calendars' own bounds, less a deadline's length: beyond them a line could not be decided on.
    const start = startOf(text);
    return start >= '1900-01-02' && start < '2199';
  } catch {
    return false;
  }
}

/** The instant at which a source's time starts, RFC 3339 UTC with milliseconds. */
export function startOf(time: string): string {
  // Sources speak of days, and a rebuild meets each day many times.
  if (!time.endsWith(']')) {
    // A leap second is the second before it, as Temporal reads it.
    const isOursAlready = time.length === 24 && time.endsWith('Z') && time[17] !== '6';
    return isOursAlready ? time : new Date(Temporal.Instant.from(time).epochMilliseconds).toISOString();
  }
  const known = starts.get(time);
  if (known !== undefined) return known;
  const start = new Date(Temporal.ZonedDateTime.from(time).toInstant().epochMilliseconds).toISOString();
  if (starts.size > 10_000) starts.clear();
  starts.set(time, start);
  return start;
}
const starts = new Map<string, string>();

/** The date of a source's time: on its own clock, or in the bank's zone for an instant in UTC. `YYYY-MM-DD` */
export function dateOf(time: string, bankZone: string): string {
  if (!time.endsWith('Z')) return time.slice(0, 10);
  return Temporal.Instant.from(time).toZonedDateTimeISO(bankZone).toPlainDate().toString();
}
