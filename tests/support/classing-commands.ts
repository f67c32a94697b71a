// Commands to the deciders of classes and tiers, tags and segments.
import fc from 'fast-check';
import { classification } from '../../src/domain/classification/classification.ts';
import { builtInDimensions, dimension } from '../../src/domain/classification/dimensions.ts';
import { tierPolicy } from '../../src/domain/classification/tier-policy.ts';
import { tierReview } from '../../src/domain/classification/tier-review.ts';
import { segment } from '../../src/domain/segment/segment.ts';
import { tagEntry } from '../../src/domain/tagging/entry.ts';
import { tagJob } from '../../src/domain/tagging/tag-job.ts';
import {
  type Aggregates,
  type AnyDecider,
  day,
  does,
  id,
  maybe,
  oneOf,
  oneOfAbout,
  other,
  partyKind,
  record,
  staff,
  words,
} from './decider-pools.ts';

const customerId = fc.constant(id);
const zone = 'Asia/Shanghai';
const moments = [
  { now: '2026-01-30T08:00:00.000Z', today: '2026-01-30', zone },
  { now: '2026-02-16T01:30:00.000Z', today: '2026-02-16', zone },
  { now: '2026-03-01T16:00:00.000Z', today: '2026-03-02', zone },
  { now: '2027-03-01T16:00:00.000Z', today: '2027-03-02', zone },
] as const;

const classes = [
  ['value-tier', 'mass', 'wealth'],
  ['tier-watch', 'watched', 'seen'],
  ['aml-grade', 'low', 'high'],
  ['investor-tolerance', 'C1', 'C3'],
  ['unheard-of', 'any'],
] as const;
const valued = classes.flatMap(([code, ...values]) => {
  const definition = builtInDimensions.get(code);
  const who = definition?.assignedBy[0] ?? 'rm';
  return values.map((value) => ({ dimension: code, defined: definition && { version: 0, definition }, value, by: who }));
});
const aboutClass = fc
  .tuple(fc.constantFrom(...valued), fc.constantFrom(...moments), fc.constantFrom({}, {}, {}, { by: 'teller' }))
  .map(([value, moment, by]) => ({ ...value, ...moment, ...by }));

const tiers = fc.constantFrom(
  [
    { value: 'mass', from: 0 },
    { value: 'wealth', from: 1_000 },
  ],
  [
    { value: 'mass', from: 0 },
    { value: 'affluent', from: 500, downAfterMonths: 1 },
    { value: 'wealth', from: 1_000 },
  ],
);
const policyOf = (ofTiers: fc.Arbitrary<unknown>) =>
  record(
    {
      name: words,
      currency: fc.constantFrom('CNY', 'JPY'),
      tiers: ofTiers,
      up: does('at-once', 'next-month'),
      downAfterMonths: fc.constantFrom(1, 2),
      downTo: does('last-month', 'highest-of-the-months'),
    },
    { watchAfterMonths: fc.constant(1) },
  );
const average = fc.constantFrom(null, '0', '600', '1000', '250000');
const averages = fc
  .tuple(
    fc.constantFrom(['2025-11', '2025-12', '2026-01'], ['2025-12', '2026-01', '2026-02'], ['2026-12', '2027-01', '2027-02']),
    average,
    average,
    average,
  )
  .map(([months, ...amounts]) => months.map((month, index) => ({ month, average: amounts[index] ?? null })));

/** Days that the values above may hold until, or are looked at again on. */
const validUntil = fc.constantFrom('2026-12-31', '2027-01-01');
const dueOn = fc.constantFrom('2026-07-01', '2028-01-01');
const classificationCommands = fc.oneof(
  oneOfAbout(
    {
      do: fc.constant('classify'),
      customerId,
      about: aboutClass,
      reason: maybe(words),
      since: fc.option(day, { nil: undefined, freq: 1 }),
      assessedOn: maybe(day),
      validUntil: fc.option(validUntil, { nil: undefined, freq: 1 }),
      isCustomer: fc.constantFrom(true, true, false),
    },
    { do: fc.constant('withdraw'), customerId, about: aboutClass, reason: words },
    {
      do: fc.constant('review-tier'),
      customerId,
      about: fc.constantFrom(...moments),
      policyId: fc.constant('standard'),
      version: fc.constantFrom(1, 2),
      policy: maybe(policyOf(tiers)),
      averages,
      dimensionVersions: fc.constant([0, 1]),
    },
  ),
  oneOf(
    { do: fc.constant('expire'), customerId, dimension: does('investor-tolerance', 'value-tier', 'tier-watch'), validUntil, zone: fc.constant(zone) },
    {
      do: fc.constant('fall-due'),
      customerId,
      dimension: fc.constant('aml-grade'),
      why: does('first-rating', 'review', 'review'),
      dueOn,
      zone: fc.constant(zone),
    },
  ),
);

const value = record({ code: fc.constantFrom('low', 'medium', 'high'), name: words }, { reviewMonths: fc.constantFrom(6, 12, 24) });
const definition = fc.oneof(
  fc.constantFrom(...builtInDimensions.values()),
  record(
    {
      name: words,
      values: fc.array(value, { minLength: 1, maxLength: 5 }),
      assignedBy: fc.subarray(['risk', 'operations']),
      readBy: fc.subarray(['rm', 'auditor']),
      needsAssessment: fc.boolean(),
      downNeedsReason: fc.boolean(),
      customersOnly: fc.boolean(),
    },
    { validMonths: fc.constantFrom(6, 18) },
  ),
);

const reviewCounts = fc.record({
  first: fc.nat(9),
  up: fc.nat(9),
  down: fc.nat(9),
  unchanged: fc.nat(9),
  watched: fc.nat(9),
  notCounted: fc.nat(9),
  refused: fc.nat(9),
  otherCurrencies: fc.constantFrom({}, { USD: 1 }, { USD: 2, EUR: 1 }),
});
const requester = fc.record({ subject: staff, role: fc.constantFrom('rm', 'operations'), scope: maybe(fc.constant('bank')) });
const after = fc.option(other, { freq: 1 });
const reviewId = fc.constant(id);

const tag = fc.constant('VIP');
const entry = record(
  {},
  {
    colour: fc.constantFrom('#d4af37', '#000000'),
    group: words,
    owner: staff,
    description: words,
    expiresOn: fc.constantFrom('2026-01-15', '2026-12-31'),
  },
);

const leaf = fc.oneof(
  record({ is: fc.constant('kind'), value: partyKind }),
  record({ is: fc.constant('tag'), tag: words }),
  record({ is: fc.constant('classification'), dimension: does('value-tier', 'behaviour'), in: fc.constantFrom(['mass'], ['mass', 'wealth']) }),
  record({ is: fc.constant('balance'), currency: fc.constant('CNY') }, { atLeast: fc.constantFrom(0, 100), below: fc.constantFrom(100, 200) }),
  record({ is: fc.constant('ticket') }, { type: fc.constant('complaint'), waiting: fc.boolean() }),
);
const many = {
  is: 'any',
  of: Array.from({ length: 20 }, () => ({ is: 'all', of: Array.from({ length: 20 }, () => ({ is: 'kind', value: 'person' })) })),
};
const condition = fc.oneof(
  { weight: 6, arbitrary: leaf },
  { weight: 3, arbitrary: record({ is: does('all', 'any'), of: fc.array(leaf, { minLength: 1, maxLength: 3 }) }) },
  { weight: 2, arbitrary: record({ is: fc.constant('not'), of: leaf }) },
  { weight: 1, arbitrary: fc.constant(many) },
);
const segmentId = fc.constant(id);

const jobId = fc.constant(id);
const tagFilter = record({}, { tag: words, kind: partyKind, standing: does('prospect', 'customer'), condition: leaf });
const tagCounts = fc.record({ changed: fc.nat(9), already: fc.nat(9), refused: fc.nat(9) });
const revision = fc.constantFrom(-1, -1, 1);
const tagJobCommands = oneOf(
  {
    do: fc.constant('request'),
    jobId,
    action: does('tag', 'untag'),
    tag,
    filter: tagFilter,
    requestedBy: requester,
    entry: maybe(entry),
    readsDimensions: fc.constantFrom(true, true, false),
    today: day,
  },
  { do: fc.constant('plan'), jobId, after, customers: fc.array(other, { maxLength: 2 }) },
  { do: fc.constant('page-done'), jobId, cursor: other, counts: tagCounts },
  { do: fc.constant('finish'), jobId, after },
  { do: fc.constant('cancel'), jobId },
  { do: fc.constant('undo'), jobId, requestedBy: requester },
  {
    do: fc.constant('advance-undo'),
    jobId,
    after: revision,
    through: fc.constantFrom(1, 2),
    restored: fc.nat(9),
    kept: fc.array(other, { maxLength: 2 }),
    refused: fc.nat(9),
  },
  { do: fc.constant('finish-undo'), jobId, after: revision },
);

export const classingAggregates: Aggregates = {
  classification: [classification as AnyDecider, classificationCommands],
  dimension: [
    dimension as AnyDecider,
    fc.record({ dimension: does('aml-grade', 'investor-tolerance', 'behaviour', 'own'), definition, by: does('risk', 'operations') }),
  ],
  'tier policy': [
    tierPolicy as AnyDecider,
    fc.record({
      policyId: fc.constant('standard'),
      policy: policyOf(fc.oneof(tiers, fc.array(record({ value: does('mass', 'wealth', 'none'), from: fc.constantFrom(0, 500) }), { maxLength: 2 }))),
      tiers: fc.constant(builtInDimensions.get('value-tier')),
    }),
  ],
  'tier review': [
    tierReview as AnyDecider,
    oneOf(
      {
        do: fc.constant('request'),
        reviewId,
        policyId: fc.constant('standard'),
        version: fc.nat(2),
        month: does('2025-12', '2026-02'),
        requestedBy: requester,
        today: day,
      },
      { do: fc.constant('advance'), reviewId, cursor: other, after, counts: reviewCounts },
      { do: fc.constant('finish'), reviewId, after, counts: reviewCounts },
    ),
  ],
  'tag of the vocabulary': [tagEntry as AnyDecider, oneOf({ do: fc.constant('define'), tag, entry }, { do: fc.constant('retire'), tag })],
  'tag job': [tagJob as AnyDecider, tagJobCommands],
  segment: [
    segment as AnyDecider,
    oneOf(
      {
        do: does('define', 'redefine'),
        segmentId,
        name: words,
        condition,
        by: fc.record({ subject: staff, role: fc.constantFrom('rm', 'operations'), scope: maybe(fc.constant('bank')) }),
        dimensions: fc.subarray(['value-tier', 'behaviour']),
      },
      { do: fc.constant('retire'), segmentId },
    ),
  ],
};
