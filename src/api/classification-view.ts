// How classification is shown: a customer's values with what is due and their history, a list's line, a dimension.
import { z } from 'zod';
import { Definition } from '../domain/classification/events.ts';
import { PersonalValue } from './customer-view.ts';

const Nullable = z.string().nullable();
const Day = z.string().nullable();

const Source = z.strictObject({
  kind: z.enum(['person', 'rule', 'timer']),
  rule: Nullable.meta({ description: 'The policy that led to it, and its version' }),
  version: z.int().nullable(),
  by: z.string().meta({ description: 'Who gave it, or had the rule run' }),
  role: z.string(),
});

const told = {
  source: Source,
  reason: PersonalValue.meta({ description: 'In a person’s words; null as well where the role does not see it' }),
  explanation: Nullable.meta({ description: 'In a rule’s words, with its figures' }),
  assessedOn: Day,
  validUntil: Day.meta({ description: 'The last day on which it holds' }),
  reviewDueOn: Day,
} as const;

export const CustomerClassesAnswer = z.strictObject({
  customer: z.string(),
  items: z
    .array(
      z.strictObject({
        dimension: z.string(),
        name: Nullable,
        value: z.string(),
        valueName: Nullable,
        since: z.string().meta({ description: 'From when on: an instant, or a day with its zone' }),
        ...told,
      }),
    )
    .meta({ description: 'What holds on the day asked about, of the dimensions that the role may read' }),
  due: z
    .array(z.strictObject({ dimension: z.string(), why: z.enum(['first-rating', 'review', 'validity']), dueOn: z.string(), overdue: z.boolean() }))
    .meta({ description: 'By whose end something must be done, the earliest first' }),
  history: z
    .array(
      z.strictObject({
        dimension: z.string(),
        what: z.enum(['classified', 'withdrawn', 'expired', 'fell-due']),
        value: Nullable,
        since: z.string(),
        recordedAt: z.string(),
        ...told,
      }),
    )
    .meta({ description: 'Every change, the last recorded first' }),
  masked: z.array(z.string()),
  asOf: Nullable,
  knownAt: Nullable,
  position: z.string().meta({ description: 'All of it as of this one place in the journal, as `Shiji-Position`' }),
});

export const ClassListItem = z.strictObject({
  customer: z.string(),
  dimension: z.string(),
  value: z.string(),
  since: z.string(),
  assessedOn: Day,
  validUntil: Day,
  reviewDueOn: Day,
  rule: Nullable,
  ruleVersion: z.int().nullable(),
});

export const DimensionItem = z.strictObject({
  code: z.string(),
  version: z.int().meta({ description: '0 for one as it is built in' }),
  ...Definition.shape,
  definedBy: Nullable,
  definedAt: Nullable,
  revision: z.int().nullable().meta({ description: 'For `If-Match`, in quotes; null before it was defined here' }),
});
