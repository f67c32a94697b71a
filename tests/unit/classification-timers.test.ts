// Which timer of a customer's classification fires next: the first rating, a review, the end of a value, and nothing twice.
import { describe, expect, it } from 'vitest';
import type { Fact, RecordedEvent } from '../../src/domain/kernel/event.ts';
import { type ClassificationTimerRow, classificationTimers } from '../../src/projections/classification-timers/classification-timers.ts';
import { recorded } from '../support/recorded.ts';

const customerId = '018f3e6a-7c4e-8abc-9def-0123456789c1';
const told = { recordedAt: '2026-03-02T01:00:00.000Z' };
const reported = recorded(
  `customer-${customerId}`,
  { type: 'CustomerReported', data: { customerId }, occurredAt: '2026-03-02[Asia/Shanghai]' },
  told,
);
const of = (fact: Omit<Fact, 'data'> & { data: object }): RecordedEvent =>
  recorded(`classification-${customerId}`, { ...fact, data: { customerId, ...fact.data } });
const graded = (value: string, reviewDueOn: string, occurredAt: string) =>
  of({ type: 'CustomerClassified', data: { dimension: 'aml-grade', value, source: { kind: 'person' }, reviewDueOn }, occurredAt });
const assessed = (day: string, validUntil: string) =>
  of({
    type: 'CustomerClassified',
    data: { dimension: 'investor-tolerance', value: 'C3', source: { kind: 'person' }, validUntil },
    occurredAt: `${day}[Asia/Shanghai]`,
  });
const fellDue = (why: string, dueOn: string) =>
  of({ type: 'ClassificationFellDue', data: { dimension: 'aml-grade', why, dueOn }, occurredAt: `${dueOn}T00:00:00.000Z` });

function next(...events: readonly RecordedEvent[]): string {
  let row: ClassificationTimerRow | undefined;
  for (const event of events) for (const key of classificationTimers.keys(event)) row = classificationTimers.apply(row, event, key);
  return row?.fires_at == null ? 'nothing' : `${row.dimension} ${row.why} ${row.day} at ${row.fires_at}`;
}

describe('the next timer', () => {
  it('is the first rating of whom a core system reports, once, until there is one', () => {
    const first = 'aml-grade first-rating 2026-03-16 at 2026-03-15T16:00:00.000Z';
    expect(next(reported)).toBe(first);
    expect(next(reported, { ...reported, occurredAt: '2026-03-09[Asia/Shanghai]' })).toBe(first);
    expect(next(reported, fellDue('first-rating', '2026-03-16'))).toBe('nothing');
    expect(next(reported, fellDue('first-rating', '2026-03-16'), reported)).toBe('nothing');
  });
  it('is the review of the grade that stands', () => {
    const high = graded('high', '2026-09-03', '2026-03-03T01:00:00.000Z');
    expect(next(reported, high)).toBe('aml-grade review 2026-09-03 at 2026-09-02T16:00:00.000Z');
    expect(next(reported, high, fellDue('review', '2026-09-03'))).toBe('nothing');
    expect(next(reported, high, fellDue('review', '2026-09-03'), graded('high', '2027-03-10', '2026-09-10T01:00:00.000Z'))).toBe(
      'aml-grade review 2027-03-10 at 2027-03-09T16:00:00.000Z',
    );
  });
  it('is the earliest of all', () => {
    const both = [graded('high', '2026-09-03', '2026-03-03T01:00:00.000Z'), assessed('2025-08-01', '2026-08-01')];
    expect(next(...both)).toBe('investor-tolerance validity 2026-08-01 at 2026-08-01T16:00:00.000Z');
    const expired = of({
      type: 'ClassificationExpired',
      data: { dimension: 'investor-tolerance', validUntil: '2026-08-01' },
      occurredAt: '2026-08-01T16:00:00.000Z',
    });
    expect(next(...both, expired)).toBe('aml-grade review 2026-09-03 at 2026-09-02T16:00:00.000Z');
  });
  it('is of the newest assessment, whatever order they came in', () => {
    expect(next(assessed('2026-02-01', '2027-02-01'), assessed('2026-01-01', '2027-01-01'))).toContain('2027-02-01 at');
  });
  it('is none for a value that holds until further notice', () => {
    expect(next(assessed('2026-01-01', '9999-12-31'))).toBe('nothing');
  });
  it('has nothing to do with a prospect, and with what else befalls a customer', () => {
    expect(classificationTimers.keys(recorded(`customer-${customerId}`, { type: 'CustomerTagged', data: { customerId, tag: 'vip' } }))).toStrictEqual(
      [],
    );
  });
});
