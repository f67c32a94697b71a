import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asOf, knownAtMs } from '../../src/domain/kernel/as-of.ts';

const BANK = 'Asia/Shanghai';

describe('as of a date', () => {
  const holds = asOf('2017-05-01', BANK);

  it("takes an instant by its date in the bank's zone", () => {
    expect(holds('2017-05-01T15:59:59.999Z')).toBe(true);
    expect(holds('2017-05-01T16:00:00.000Z')).toBe(false);
    expect(holds('2017-05-01T16:00:00Z')).toBe(false);
    expect(holds('2000-01-01T00:00:00Z')).toBe(true);
    expect(holds('2030-01-01T00:00:00Z')).toBe(false);
  });

  it('takes an instant with a zone of its own by its date there', () => {
    expect(holds('2017-05-01T23:30:00-04:00[America/New_York]')).toBe(true);
    expect(holds('2017-05-02T00:10:00+14:00[Pacific/Kiritimati]')).toBe(false);
    expect(holds('2017-05-01T23:30:00-04:00')).toBe(true);
  });

  it('leaves a date what it is, wherever it was', () => {
    expect(holds('2017-05-01[America/New_York]')).toBe(true);
    expect(holds('2017-05-02[America/New_York]')).toBe(false);
    expect(holds('2017-05-01')).toBe(true);
  });
});

describe('as of an instant', () => {
  const holds = asOf('2017-05-01T04:00:00Z', BANK);

  it('compares instants whatever their digits', () => {
    expect(holds('2017-05-01T03:59:59.999Z')).toBe(true);
    expect(holds('2017-05-01T04:00:00Z')).toBe(true);
    expect(holds('2017-05-01T04:00:00.000Z')).toBe(true);
    expect(holds('2017-05-01T04:00:00.001Z')).toBe(false);
    expect(asOf('2017-05-01T04:00:00.5Z', BANK)('2017-05-01T04:00:00.500Z')).toBe(true);
    expect(asOf('2017-05-01T04:00:00.5Z', BANK)('2017-05-01T04:00:00.51Z')).toBe(false);
  });

  it('takes a date from its start in its own zone', () => {
    expect(holds('2017-05-01[America/New_York]')).toBe(true);
    expect(asOf('2017-05-01T03:59:59Z', BANK)('2017-05-01[America/New_York]')).toBe(false);
    expect(holds('2017-05-01')).toBe(true);
    expect(asOf('2017-04-30T16:00:00Z', BANK)('2017-05-01')).toBe(true);
    expect(asOf('2017-04-30T15:59:59Z', BANK)('2017-05-01')).toBe(false);
  });

  it('compares starts in any zone', () => {
    expect(holds('2017-05-01T00:00:00-04:00[America/New_York]')).toBe(true);
    expect(holds('2017-05-01T00:00:01-04:00[America/New_York]')).toBe(false);
    expect(asOf('2017-05-01T00:00:00-04:00[America/New_York]', BANK)('2017-05-01T04:00:00Z')).toBe(true);
  });
});

describe('the fast way', () => {
  // America/St_Johns put its clock back at 00:01, into the day before.
  const zones = ['Asia/Shanghai', 'UTC', 'America/New_York', 'America/St_Johns', 'Pacific/Kiritimati', 'Pacific/Apia', 'America/Asuncion'];
  const instant = fc.integer({ min: Date.UTC(1999, 0), max: Date.UTC(2030, 0) });
  const near = fc.tuple(instant, fc.integer({ min: -100_000_000, max: 100_000_000 }), fc.constantFrom(...zones), fc.constantFrom(...zones));
  const shortened = (ms: number): string => new Date(ms).toISOString().replace(/\.000Z$/, 'Z');

  it('says the same as comparing dates one by one', () => {
    fc.assert(
      fc.property(near, ([at, off, bankZone, ownZone]) => {
        const until = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(bankZone).toPlainDate();
        const event = Temporal.Instant.fromEpochMilliseconds(at + off);
        const isBy = (zone: string): boolean => Temporal.PlainDate.compare(event.toZonedDateTimeISO(zone).toPlainDate(), until) <= 0;
        const holds = asOf(until.toString(), bankZone);
        expect(holds(shortened(at + off))).toBe(isBy(bankZone));
        expect(holds(event.toZonedDateTimeISO(ownZone).toString())).toBe(isBy(ownZone));
      }),
      { numRuns: 500 },
    );
  });

  it('says the same as comparing instants one by one', () => {
    fc.assert(
      fc.property(near, ([at, off, bankZone, ownZone]) => {
        const holds = asOf(shortened(at), bankZone);
        const event = Temporal.Instant.fromEpochMilliseconds(at + off);
        expect(holds(shortened(at + off))).toBe(off <= 0);
        expect(holds(event.toZonedDateTimeISO(ownZone).toString({ fractionalSecondDigits: 3 }))).toBe(off <= 0);
        const date = event.toZonedDateTimeISO(ownZone).toPlainDate();
        expect(holds(`${date.toString()}[${ownZone}]`)).toBe(date.toZonedDateTime(ownZone).epochMilliseconds <= at);
      }),
      { numRuns: 500 },
    );
  });
});

describe('an instant finer than read models keep', () => {
  it('counts by the millisecond that it starts in, and a leap second as the second before it', () => {
    const holds = asOf('2016-12-31T23:59:59.500Z', BANK);
    for (const at of ['2016-12-31T23:59:59.500999999Z', '2016-12-31T23:59:60Z', '2016-12-31T23:59:60+00:00']) expect(holds(at), at).toBe(true);
    for (const at of ['2016-12-31T23:59:59.501Z', '2016-12-31T23:59:60.501Z', '2017-01-01T00:00:00Z']) expect(holds(at), at).toBe(false);
  });
});

describe('what is no time', () => {
  it('is refused, as the chosen time and as an event’s', () => {
    expect(() => asOf('yesterday', BANK)).toThrow(RangeError);
    expect(() => asOf('2017-02-30', BANK)).toThrow(RangeError);
    expect(() => asOf('2017-05-01', BANK)('soon')).toThrow(RangeError);
  });
});

describe('known at', () => {
  it("is the end of a date in the bank's zone, or the instant", () => {
    expect(knownAtMs('2017-05-01', BANK)).toBe(Date.parse('2017-05-01T15:59:59.999Z'));
    expect(knownAtMs('2017-05-01T15:00:00Z', BANK)).toBe(Date.parse('2017-05-01T15:00:00Z'));
  });
});
