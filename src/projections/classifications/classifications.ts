// How customers are classed now: one row a customer and dimension, by the same fold as decisions and pasts (domain/classification/).
// What is over by its day alone is told apart when asked for.
import type { ClassificationFact, classificationEvents } from '../../domain/classification/events.ts';
import { type Standing, standingAfter } from '../../domain/classification/standing.ts';
import { chinaBankCalendar } from '../../domain/kernel/calendars/china-bank.ts';
import type { RecordedOf } from '../../domain/kernel/event.ts';
import { dateOf } from '../../domain/kernel/source.ts';
import type { Projection } from '../engine/projection.ts';

export type ClassificationRow = {
  /** `<customer id>/<dimension>` */
  readonly id: string;
  readonly customer_id: string;
  readonly dimension: string;
  /** Null where it was withdrawn or is over. */
  readonly value: string | null;
  /** The day of the bank's zone from which on, and the last day; days are `YYYY-MM-DD`. */
  readonly since_on: string;
  readonly valid_until: string | null;
  readonly review_due_on: string | null;
  readonly assessed_on: string | null;
  /** The rule that gave it and its version; null for a person's. */
  readonly rule: string | null;
  readonly rule_version: number | null;
  /** JSON of `Standing`. */
  readonly standing: string;
  /** Of the last event that touched the row. */
  readonly position: number;
};

export const classifications: Projection<ClassificationRow> = {
  name: 'classifications',
  version: 1,
  categories: ['classification'],
  table: {
    name: 'classifications',
    key: 'id',
    columns: {
      id: { type: 'text' },
      customer_id: { type: 'text' },
      dimension: { type: 'text' },
      value: { type: 'text', nullable: true },
      since_on: { type: 'date' },
      valid_until: { type: 'date', nullable: true },
      review_due_on: { type: 'date', nullable: true },
      assessed_on: { type: 'date', nullable: true },
      rule: { type: 'text', nullable: true },
      rule_version: { type: 'integer', nullable: true },
      standing: { type: 'text' },
      position: { type: 'bigint' },
    },
    indexes: ['(customer_id)', '(dimension, value, customer_id)'],
  },
  creates: new Set(),
  keys: (recorded) => {
    const { data } = recorded as RecordedOf<typeof classificationEvents>;
    return [`${data.customerId}/${data.dimension}`];
  },
  apply: (row, recorded, key) => {
    const event = recorded as RecordedOf<typeof classificationEvents>;
    const before = row && (JSON.parse(row.standing) as Standing);
    const standing = standingAfter(before, event as ClassificationFact);
    // The day of a first rating can come before there is one.
    if (standing === undefined) return undefined;
    const { value, since, validUntil, reviewDueOn, assessedOn, source, ended } = standing;
    return {
      id: key,
      customer_id: event.data.customerId,
      dimension: event.data.dimension,
      value: ended === null ? value : null,
      since_on: dateOf(since, chinaBankCalendar.zone),
      valid_until: validUntil,
      review_due_on: ended === null ? reviewDueOn : null,
      assessed_on: assessedOn,
      rule: source.rule ?? null,
      rule_version: source.version ?? null,
      standing: JSON.stringify(standing),
      position: event.position,
    };
  },
};
