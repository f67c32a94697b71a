// What can have happened to how a customer is classed, and to the dimensions by which: the stored format, for decades. A customer's
// values stand on `classification-<customer id>`, a dimension's definitions on `dimension-<code>`.
import { z } from 'zod';
import { CustomerId } from '../customer/events.ts';
import { defineEvent, type FactOf } from '../kernel/event.ts';
import { personal } from '../kernel/personal.ts';
import { Assigner, ClassReader, DimensionCode, DueKind, ValueCode } from './vocabulary.ts';

/** Grades are kept as identity data is: ten years after the relationship ends (反洗钱法, art. 34). */
const identity = { retention: 'identity' } as const;

export const DimensionValue = z.strictObject({
  code: ValueCode,
  name: z.string(),
  /** Months after which it is to be looked at again. */
  reviewMonths: z.int().optional(),
});

/** What a dimension is, whole. `values` is in order, the lowest first. */
export const Definition = z.strictObject({
  name: z.string(),
  values: z.array(DimensionValue),
  assignedBy: z.array(Assigner),
  readBy: z.array(ClassReader),
  /** Months for which a value holds; for ever where absent. */
  validMonths: z.int().optional(),
  /** The day of an assessment stands with each value. */
  needsAssessment: z.boolean(),
  /** A lower value than the one that stands needs a reason. */
  downNeedsReason: z.boolean(),
  /** Prospects have none. */
  customersOnly: z.boolean(),
});
export type Definition = z.output<typeof Definition>;

/** One value of one dimension, as conditions name it. */
export const ClassifiedAs = z.strictObject({ dimension: DimensionCode, value: ValueCode });

export const DimensionDefined = defineEvent(
  'DimensionDefined',
  z.strictObject({ dimension: DimensionCode, version: z.int(), definition: Definition }),
);

/** A person, or a rule by its id and version. */
export const ClassSource = z.strictObject({ kind: z.enum(['person', 'rule']), rule: z.string().optional(), version: z.int().optional() });
export type ClassSource = z.output<typeof ClassSource>;

/** From `occurredAt` on. Dates are days of the bank's zone. */
export const CustomerClassified = defineEvent(
  'CustomerClassified',
  z.strictObject({
    customerId: CustomerId,
    dimension: DimensionCode,
    /** Of the dimension's definition. */
    dimensionVersion: z.int(),
    value: ValueCode,
    source: ClassSource,
    /** In a person's words. */
    reason: personal(z.string()).optional(),
    /** In a rule's words, with its figures. */
    explanation: z.string().optional(),
    assessedOn: z.iso.date().optional(),
    /** The last day on which it holds. */
    validUntil: z.iso.date().optional(),
    reviewDueOn: z.iso.date().optional(),
  }),
  identity,
);

export const ClassificationWithdrawn = defineEvent(
  'ClassificationWithdrawn',
  z.strictObject({
    customerId: CustomerId,
    dimension: DimensionCode,
    source: ClassSource,
    reason: personal(z.string()).optional(),
    explanation: z.string().optional(),
  }),
  identity,
);

/** The day after `validUntil` came. */
export const ClassificationExpired = defineEvent(
  'ClassificationExpired',
  z.strictObject({ customerId: CustomerId, dimension: DimensionCode, validUntil: z.iso.date() }),
  identity,
);

/** The day came by whose end a rating or a review must be done, and it was not done before. */
export const ClassificationFellDue = defineEvent(
  'ClassificationFellDue',
  z.strictObject({ customerId: CustomerId, dimension: DimensionCode, why: DueKind, dueOn: z.iso.date() }),
  identity,
);

export const dimensionEvents = [DimensionDefined] as const;
export const classificationEvents = [CustomerClassified, ClassificationWithdrawn, ClassificationExpired, ClassificationFellDue] as const;

export type DimensionFact = FactOf<typeof dimensionEvents>;
export type ClassificationFact = FactOf<typeof classificationEvents>;
