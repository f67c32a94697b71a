// Commands on how customers are classed and on the dimensions by which. The rules are in domain/classification/; who issues those without
// a route is processes/classification-timers.ts and processes/tier-reviews.ts.
import { z } from 'zod';
import { type ClassificationCommand, classification, type Defined } from '../domain/classification/classification.ts';
import { type DefineDimension, type DimensionState, definitionOf, dimension } from '../domain/classification/dimensions.ts';
import { Definition, DimensionValue } from '../domain/classification/events.ts';
import { Month } from '../domain/classification/tier-events.ts';
import { type TierPolicyState, tierPolicy } from '../domain/classification/tier-policy.ts';
import { DimensionCode, DueKind, TIER_WATCH, VALUE_TIER, ValueCode } from '../domain/classification/vocabulary.ts';
import type { CustomerState } from '../domain/customer/customer.ts';
import { CustomerId } from '../domain/customer/events.ts';
import { CalendarDate } from '../domain/kernel/calendar-date.ts';
import { dateOf } from '../domain/kernel/source.ts';
import { type AnyCommand, type CommandContext, defineCommand, type Reference } from './command.ts';
import { customerReference } from './customer-reference.ts';

const FreeText = (max: number) => z.string().trim().min(1).max(max);
const customerParams = z.strictObject({ customerId: CustomerId });
const target = ({ customerId }: { readonly customerId: string }): string => customerId;

const ofClassification = {
  category: 'classification',
  decider: classification,
  rejections: {
    CustomerNotFound: 404,
    DimensionUnknown: 422,
    ClassNotYours: 403,
    ValueUnknown: 422,
    NotACustomer: 409,
    ReasonNeeded: 422,
    AssessmentNeeded: 422,
    DayNotYetCome: 422,
    ValidityTooLong: 422,
    AssessmentTooOld: 422,
    GradeNeeded: 409,
    TierPolicyUnknown: 422,
  },
} as const;
/** Which of them gives which dimension is the dimension's own. */
const assigners = ['rm', 'teller', 'agent', 'risk', 'operations'] as const;

export const classifyCustomer = defineCommand({
  ...ofClassification,
  name: 'ClassifyCustomer',
  summary: 'Give a customer a value of a dimension: tier, AML grade, tolerance, life cycle, any that is defined',
  route: 'POST /v1/customers/{customerId}/classifications',
  roles: assigners,
  params: customerParams,
  target,
  body: z.strictObject({
    dimension: DimensionCode,
    value: ValueCode,
    reason: FreeText(500).optional(),
    /** Today where left out. */
    since: CalendarDate.optional(),
    assessedOn: CalendarDate.optional(),
    validUntil: CalendarDate.optional(),
  }),
  refersTo: ({ params, body }) => [pathCustomer(params.customerId), dimensionReference(body.dimension)],
  command: ({ body }, context): ClassificationCommand => ({
    do: 'classify',
    customerId: context.id,
    ...body,
    defined: definedIn(body.dimension, context.referred[1]),
    by: context.actor.role,
    isCustomer: ((context.referred[0] as CustomerState | undefined)?.reports.size ?? 0) > 0,
    ...momentOf(context),
  }),
});

const withdrawParams = z.strictObject({ customerId: CustomerId, dimension: DimensionCode });

export const withdrawClassification = defineCommand({
  ...ofClassification,
  name: 'WithdrawClassification',
  summary: 'Take a value of a dimension from a customer',
  route: 'POST /v1/customers/{customerId}/classifications/{dimension}/withdraw',
  roles: assigners,
  params: withdrawParams,
  target,
  body: z.strictObject({ reason: FreeText(500) }),
  refersTo: ({ params }) => [pathCustomer(params.customerId), dimensionReference(params.dimension)],
  command: ({ params, body }, context): ClassificationCommand => ({
    do: 'withdraw',
    customerId: context.id,
    dimension: params.dimension,
    reason: body.reason,
    defined: definedIn(params.dimension, context.referred[1]),
    by: context.actor.role,
    ...momentOf(context),
  }),
});

/** Issued for one customer at a time by the worker of a review, whose requester's right to see is asked. */
export const reviewTier = defineCommand({
  ...ofClassification,
  name: 'ReviewTier',
  summary: 'Give a customer the tier that monthly averages lead to',
  roles: ['operations'],
  params: customerParams,
  target,
  body: z.strictObject({
    policy: z.string(),
    version: z.int(),
    averages: z.array(z.strictObject({ month: Month, average: z.string().nullable() })),
  }),
  refersTo: ({ params, body }) => [
    pathCustomer(params.customerId),
    policyReference(body.policy),
    dimensionReference(VALUE_TIER),
    dimensionReference(TIER_WATCH),
  ],
  command: ({ body }, context): ClassificationCommand => {
    const [, policy, ...dimensions] = context.referred as [unknown, TierPolicyState, DimensionState, DimensionState];
    return {
      do: 'review-tier',
      customerId: context.id,
      policyId: body.policy,
      version: body.version,
      policy: policy.versions[body.version - 1],
      averages: body.averages,
      dimensionVersions: [dimensions[0].version, dimensions[1].version],
      ...momentOf(context),
    };
  },
});

export const expireClassification = defineCommand({
  ...ofClassification,
  name: 'ExpireClassification',
  summary: 'Record that the time of a value is over',
  roles: ['system'],
  params: customerParams,
  target,
  body: z.strictObject({ dimension: DimensionCode, validUntil: z.iso.date() }),
  command: ({ body }, { id, zone }): ClassificationCommand => ({ do: 'expire', customerId: id, ...body, zone }),
});

export const markClassificationDue = defineCommand({
  ...ofClassification,
  name: 'MarkClassificationDue',
  summary: 'Record that the day of a first rating or of a review came',
  roles: ['system'],
  params: customerParams,
  target,
  body: z.strictObject({ dimension: DimensionCode, why: DueKind, dueOn: z.iso.date() }),
  command: ({ body }, { id, zone }): ClassificationCommand => ({ do: 'fall-due', customerId: id, ...body, zone }),
});

const unique = <Item>(items: readonly Item[]): boolean => new Set(items).size === items.length;
const dimensionParams = z.strictObject({ dimension: DimensionCode });

export const defineDimension = defineCommand({
  name: 'DefineDimension',
  summary: 'Define a dimension, or a new version of one, whole; risk defines aml-grade, operations the rest',
  route: 'POST /v1/dimensions/{dimension}',
  roles: ['operations', 'risk'],
  params: dimensionParams,
  target: ({ dimension: code }) => code,
  category: 'dimension',
  decider: dimension,
  rejections: { DimensionNotYours: 403, DimensionAgainstLaw: 422 },
  body: z.strictObject({
    name: FreeText(100),
    values: z
      .array(DimensionValue.extend({ name: FreeText(100), reviewMonths: z.int().min(1).max(120).optional() }))
      .min(1)
      .max(50)
      .refine((values) => unique(values.map(({ code }) => code)), 'names a value twice: each code must be there once'),
    assignedBy: Definition.shape.assignedBy.max(5).refine(unique, 'names a role twice'),
    readBy: Definition.shape.readBy.min(1).max(6).refine(unique, 'names a role twice'),
    validMonths: z.int().min(1).max(120).optional(),
    needsAssessment: z.boolean().default(false),
    downNeedsReason: z.boolean().default(false),
    customersOnly: z.boolean().default(false),
  }),
  command: ({ body }, { id, actor }): DefineDimension => ({ dimension: id, definition: body, by: actor.role }),
});

export const classificationCommands: readonly AnyCommand[] = [
  classifyCustomer,
  withdrawClassification,
  reviewTier,
  expireClassification,
  markClassificationDue,
  defineDimension,
];

/** The customer that the path names: hidden and missing are one answer. */
function pathCustomer(customerId: string): Reference {
  return { ...customerReference(customerId, ''), otherwise: { rejected: 'CustomerNotFound', detail: 'There is no such customer.' } };
}

/** Always there: whether it is defined is the decision's to say. */
export function dimensionReference(code: string): Reference {
  return { category: 'dimension', id: code, decider: dimension, isThere: () => true, otherwise: unreachable };
}

export function policyReference(policyId: string): Reference {
  return { category: 'tierpolicy', id: policyId, decider: tierPolicy, isThere: () => true, otherwise: unreachable };
}
const unreachable = { rejected: 'DimensionUnknown', detail: 'There is no such dimension.' } as const;

function definedIn(code: string, state: unknown): Defined | undefined {
  return definitionOf(code, state as DimensionState);
}

function momentOf({ now, zone }: CommandContext) {
  return { now, today: dateOf(now, zone), zone };
}
