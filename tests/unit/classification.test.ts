// Classification by its rules: who gives what, what needs a reason or an assessment, which of two told late counts, what ends.
import { describe, expect, it } from 'vitest';
import { type ClassificationCommand, classification } from '../../src/domain/classification/classification.ts';
import { builtInDimensions, type DefineDimension, definitionOf, dimension } from '../../src/domain/classification/dimensions.ts';
import type { ClassificationFact, Definition } from '../../src/domain/classification/events.ts';
import { firstRatingDueOn } from '../../src/domain/classification/first-rating.ts';
import type { TierPolicy, TierReviewFact } from '../../src/domain/classification/tier-events.ts';
import { tierPolicy } from '../../src/domain/classification/tier-policy.ts';
import { noCounts, tierReview } from '../../src/domain/classification/tier-review.ts';
import { chinaBankCalendar } from '../../src/domain/kernel/calendars/china-bank.ts';
import { given, stateAfter } from '../support/given.ts';

const customerId = '018f3e6a-7c4e-8abc-9def-0123456789c1';
const reviewId = '018f3e6a-7c4e-8abc-9def-0123456789d1';
const subject = `customer-${customerId}`;
const zone = 'Asia/Shanghai';
const moment = { now: '2026-03-03T02:00:00.000Z', today: '2026-03-03', zone };
const builtIn = (code: string): Definition => builtInDimensions.get(code) as Definition;

type Classify = Extract<ClassificationCommand, { do: 'classify' }>;
const classify = (code: string, value: string, by: string, over: Partial<Classify> = {}): ClassificationCommand => ({
  do: 'classify',
  customerId,
  dimension: code,
  value,
  by,
  defined: { version: 0, definition: builtIn(code) },
  isCustomer: true,
  ...moment,
  ...over,
});
const classified = (code: string, value: string, more: object = {}, occurredAt = moment.now): ClassificationFact => ({
  type: 'CustomerClassified',
  data: { customerId, dimension: code, dimensionVersion: 0, value, source: { kind: 'person' }, ...more },
  occurredAt,
  subject,
});
const graded = (value: string, reviewDueOn: string) => classified('aml-grade', value, { reviewDueOn }, '2026-01-05T02:00:00.000Z');

describe('a value given by a person', () => {
  it('holds from now on, where nothing else is said', () => {
    given(classification)
      .when(classify('life-cycle', 'active', 'rm'))
      .emits(classified('life-cycle', 'active'));
  });
  it('is nothing new where it stands so and nothing more is said', () => {
    given(classification, classified('life-cycle', 'active'))
      .when(classify('life-cycle', 'active', 'rm'))
      .emits();
  });
  it('is refused from a role that does not give it, by name', () => {
    given(classification)
      .when(classify('aml-grade', 'low', 'rm'))
      .isRefused('ClassNotYours', 'aml-grade is given by the role risk.');
    given(classification)
      .when(classify('life-cycle', 'lost', 'risk'))
      .isRefused('ClassNotYours', 'life-cycle is given by the role rm or operations.');
  });
  it('is one of the dimension’s', () => {
    given(classification)
      .when(classify('aml-grade', 'extreme', 'risk'))
      .isRefused('ValueUnknown', 'aml-grade has the values low, medium, high.');
    given(classification)
      .when(classify('aml-grade', 'low', 'risk', { defined: undefined }))
      .isRefused('DimensionUnknown');
  });
  it('starts on the day that is named, and on none to come', () => {
    given(classification)
      .when(classify('life-cycle', 'active', 'rm', { since: '2026-03-01' }))
      .emits(classified('life-cycle', 'active', {}, '2026-03-01[Asia/Shanghai]'));
    given(classification)
      .when(classify('life-cycle', 'active', 'rm', { since: '2026-03-04' }))
      .isRefused('DayNotYetCome');
  });
});

describe('an AML grade', () => {
  it('brings the day of its review by the level', () => {
    for (const [value, reviewDueOn] of [
      ['high', '2026-09-03'],
      ['medium', '2027-03-03'],
      ['low', '2028-03-03'],
    ] as const)
      given(classification)
        .when(classify('aml-grade', value, 'risk'))
        .emits(classified('aml-grade', value, { reviewDueOn }));
  });
  it('given again is a review done, and the next one counts from it', () => {
    given(classification, graded('high', '2026-07-05'))
      .when(classify('aml-grade', 'high', 'risk'))
      .emits(classified('aml-grade', 'high', { reviewDueOn: '2026-09-03' }));
  });
  it('goes down with a reason, up without', () => {
    given(classification, graded('medium', '2027-01-05'))
      .when(classify('aml-grade', 'low', 'risk'))
      .isRefused('ReasonNeeded');
    given(classification, graded('medium', '2027-01-05'))
      .when(classify('aml-grade', 'low', 'risk', { reason: 'new documents' }))
      .emits(classified('aml-grade', 'low', { reason: 'new documents', reviewDueOn: '2028-03-03' }));
    given(classification, graded('medium', '2027-01-05'))
      .when(classify('aml-grade', 'high', 'risk'))
      .emits(classified('aml-grade', 'high', { reviewDueOn: '2026-09-03' }));
  });
  it('is for customers, and never taken away', () => {
    given(classification)
      .when(classify('aml-grade', 'low', 'risk', { isCustomer: false }))
      .isRefused('NotACustomer');
    const withdraw: ClassificationCommand = {
      do: 'withdraw',
      customerId,
      dimension: 'aml-grade',
      defined: { version: 0, definition: builtIn('aml-grade') },
      reason: 'x',
      by: 'risk',
      ...moment,
    };
    given(classification, graded('low', '2028-01-05')).when(withdraw).isRefused('GradeNeeded');
    given(classification)
      .when(classify('aml-grade', 'high', 'risk', { validUntil: '2026-12-31' }))
      .isRefused('GradeNeeded');
  });
  it('falls due for review once', () => {
    const command: ClassificationCommand = { do: 'fall-due', customerId, dimension: 'aml-grade', why: 'review', dueOn: '2026-07-05', zone };
    const due: ClassificationFact = {
      type: 'ClassificationFellDue',
      data: { customerId, dimension: 'aml-grade', why: 'review', dueOn: '2026-07-05' },
      occurredAt: '2026-07-04T16:00:00.000Z',
      subject,
    };
    given(classification, graded('high', '2026-07-05')).when(command).emits(due);
    given(classification, graded('high', '2026-07-05'), due).when(command).emits();
    given(classification, graded('high', '2026-07-05'), graded('high', '2026-09-03')).when(command).emits();
  });
  it('falls due for the first time once, and not where there is one', () => {
    const command: ClassificationCommand = { do: 'fall-due', customerId, dimension: 'aml-grade', why: 'first-rating', dueOn: '2026-03-17', zone };
    const due: ClassificationFact = {
      type: 'ClassificationFellDue',
      data: { customerId, dimension: 'aml-grade', why: 'first-rating', dueOn: '2026-03-17' },
      occurredAt: '2026-03-16T16:00:00.000Z',
      subject,
    };
    given(classification).when(command).emits(due);
    given(classification, due).when(command).emits();
    given(classification, graded('low', '2028-01-05')).when(command).emits();
  });
});

describe('a tolerance', () => {
  const assess = (value: string, assessedOn?: string, more: Partial<Classify> = {}) =>
    classify('investor-tolerance', value, 'rm', { assessedOn, ...more });
  const assessed = (value: string, assessedOn: string, validUntil: string) =>
    classified('investor-tolerance', value, { assessedOn, validUntil }, `${assessedOn}[Asia/Shanghai]`);

  it('comes from an assessment and holds twelve months from its day on', () => {
    given(classification)
      .when(assess('C3', '2026-01-10'))
      .emits(assessed('C3', '2026-01-10', '2027-01-10'));
    given(classification).when(assess('C3')).isRefused('AssessmentNeeded');
  });
  it('is assessed anew where it would be over already, and holds no longer than it may', () => {
    given(classification).when(assess('C3', '2025-03-02')).isRefused('AssessmentTooOld');
    given(classification)
      .when(assess('C3', '2026-01-10', { validUntil: '2027-01-11' }))
      .isRefused('ValidityTooLong');
    given(classification)
      .when(assess('C3', '2026-01-10', { validUntil: '2026-06-30' }))
      .emits(assessed('C3', '2026-01-10', '2026-06-30'));
  });
  it('told late never overwrites a newer one', () => {
    const state = stateAfter(classification, [assessed('C4', '2026-02-10', '2027-02-10'), assessed('C2', '2026-01-10', '2027-01-10')]);
    expect(state.standings.get('investor-tolerance')).toMatchObject({ value: 'C4', validUntil: '2027-02-10' });
  });
  it('ends the day after its last, once, and not where it was renewed', () => {
    const expire: ClassificationCommand = { do: 'expire', customerId, dimension: 'investor-tolerance', validUntil: '2027-01-10', zone };
    const expired: ClassificationFact = {
      type: 'ClassificationExpired',
      data: { customerId, dimension: 'investor-tolerance', validUntil: '2027-01-10' },
      occurredAt: '2027-01-10T16:00:00.000Z',
      subject,
    };
    const first = assessed('C3', '2026-01-10', '2027-01-10');
    given(classification, first).when(expire).emits(expired);
    given(classification, first, expired).when(expire).emits();
    given(classification, first, assessed('C3', '2026-12-01', '2027-12-01'))
      .when(expire)
      .emits();
    // An assessment of before the end, told after it, still holds.
    const state = stateAfter(classification, [first, expired, assessed('C5', '2026-06-01', '2027-06-01')]);
    expect(state.standings.get('investor-tolerance')).toMatchObject({ value: 'C5', ended: null });
  });
});

describe('a value withdrawn', () => {
  const withdraw: ClassificationCommand = {
    do: 'withdraw',
    customerId,
    dimension: 'life-cycle',
    defined: { version: 0, definition: builtIn('life-cycle') },
    reason: 'entered for another',
    by: 'rm',
    ...moment,
  };
  const withdrawn: ClassificationFact = {
    type: 'ClassificationWithdrawn',
    data: { customerId, dimension: 'life-cycle', source: { kind: 'person' }, reason: 'entered for another' },
    occurredAt: moment.now,
    subject,
  };
  const early = classified('life-cycle', 'lost', {}, '2026-03-01[Asia/Shanghai]');
  it('is gone, and can be given anew', () => {
    given(classification, early).when(withdraw).emits(withdrawn);
    given(classification, early, withdrawn).when(withdraw).emits();
    given(classification, early, withdrawn)
      .when(classify('life-cycle', 'lost', 'rm'))
      .emits(classified('life-cycle', 'lost'));
  });
  it('stays gone where an older value is told afterwards', () => {
    const state = stateAfter(classification, [early, withdrawn, classified('life-cycle', 'active', {}, '2026-03-02[Asia/Shanghai]')]);
    expect(state.standings.get('life-cycle')).toMatchObject({ ended: 'withdrawn' });
  });
});

describe('the first rating of a new customer', () => {
  const due = (occurredAt: string, recordedAt: string) => firstRatingDueOn({ occurredAt, recordedAt }, chinaBankCalendar);
  it('is due on the tenth working day, the first not counted, over weekends and holidays', () => {
    expect(due('2026-03-02[Asia/Shanghai]', '2026-03-02T01:00:00.000Z')).toBe('2026-03-16');
    // The spring festival of 2026 is from 15 to 23 February; the Saturdays 14 and 28 make up for it.
    expect(due('2026-02-10[Asia/Shanghai]', '2026-02-10T01:00:00.000Z')).toBe('2026-03-02');
  });
  it('counts from when the bank was told of those who were customers long before', () => {
    expect(due('1995-03-24[Europe/Prague]', '2026-03-02T01:00:00.000Z')).toBe('2026-03-16');
  });
});

describe('a dimension', () => {
  const define = (code: string, over: Partial<Definition>, by: DefineDimension['by'] = 'operations'): DefineDimension => ({
    dimension: code,
    definition: { ...(builtInDimensions.get(code) ?? builtIn('behaviour')), ...over },
    by,
  });
  it('is defined in versions, and as it stands gives nothing new', () => {
    const first = define('channel', { name: 'Channel' });
    const defined = { type: 'DimensionDefined', data: { dimension: 'channel', version: 1, definition: first.definition } } as const;
    given(dimension).when(first).emits(defined);
    given(dimension, defined).when(first).emits();
    const second = define('channel', { name: 'Way' });
    given(dimension, defined)
      .when(second)
      .emits({ type: 'DimensionDefined', data: { dimension: 'channel', version: 2, definition: second.definition } });
    expect(definitionOf('channel', stateAfter(dimension, [defined]))).toStrictEqual({ version: 1, definition: first.definition });
    expect(definitionOf('channel', dimension.initialState)).toBeUndefined();
    given(dimension).when(define('behaviour', {})).emits();
  });
  it('of grades is risk’s, the rest operations’', () => {
    given(dimension)
      .when(define('aml-grade', { name: 'Grade' }))
      .isRefused('DimensionNotYours');
    given(dimension)
      .when(define('channel', {}, 'risk'))
      .isRefused('DimensionNotYours');
  });
  const grade = (code: string, reviewMonths: number) => ({ code, name: code, reviewMonths });
  it.each<[string, Partial<Definition>, string]>([
    ['two grades', { values: [grade('low', 12), grade('high', 6)] }, '/values'],
    ['a highest grade reviewed after 7 months', { values: [grade('low', 24), grade('medium', 12), grade('high', 7)] }, '/values/2/reviewMonths'],
    ['a grade reviewed less than half as often', { values: [grade('low', 24), grade('medium', 11), grade('high', 5)] }, '/values/1/reviewMonths'],
    ['grades given by managers', { assignedBy: ['risk', 'rm'] }, '/assignedBy'],
    ['grades lowered without a reason', { downNeedsReason: false }, '/downNeedsReason'],
    ['grades that end by themselves', { validMonths: 12 }, '/validMonths'],
  ])('with %s is against the law', (_what, over, pointer) => {
    const command = define('aml-grade', over, 'risk');
    given(dimension).when(command).isRefused('DimensionAgainstLaw');
    expect(dimension.decide(command, dimension.initialState)).toMatchObject({ pointer });
  });
  it('of five grades as banks have them is in order', () => {
    const values = [grade('minimal', 48), grade('low', 36), grade('medium', 24), grade('high', 12), grade('extreme', 6)];
    const command = define('aml-grade', { values }, 'risk');
    given(dimension)
      .when(command)
      .emits({ type: 'DimensionDefined', data: { dimension: 'aml-grade', version: 1, definition: command.definition } });
  });
  it('of tolerance has five levels and a year', () => {
    given(dimension)
      .when(define('investor-tolerance', { values: builtIn('investor-tolerance').values.slice(1) }))
      .isRefused('DimensionAgainstLaw');
    given(dimension)
      .when(define('investor-tolerance', { validMonths: 13 }))
      .isRefused('DimensionAgainstLaw');
  });
});

const policy: TierPolicy = {
  name: 'Standard',
  currency: 'CNY',
  tiers: [
    { value: 'mass', from: 0 },
    { value: 'wealth', from: 100 },
  ],
  up: 'next-month',
  downAfterMonths: 1,
  downTo: 'last-month',
};

describe('a tier policy', () => {
  const publish = (over: Partial<TierPolicy> = {}) => ({ policyId: 'standard', policy: { ...policy, ...over }, tiers: builtIn('value-tier') });
  it('is published in versions', () => {
    const first = { type: 'TierPolicyPublished', data: { policyId: 'standard', version: 1, policy } } as const;
    given(tierPolicy).when(publish()).emits(first);
    given(tierPolicy, first).when(publish()).emits();
    given(tierPolicy, first)
      .when(publish({ name: 'Other' }))
      .emits({ type: 'TierPolicyPublished', data: { policyId: 'standard', version: 2, policy: { ...policy, name: 'Other' } } });
  });
  it('has the tiers that there are, in their order, from 0 on', () => {
    const tiersOf = (...all: [string, number][]) => publish({ tiers: all.map(([value, from]) => ({ value, from })) });
    given(tierPolicy)
      .when(tiersOf(['mass', 0], ['gold', 5]))
      .isRefused('TierUnknown');
    given(tierPolicy)
      .when(tiersOf(['mass', 5]))
      .isRefused('TiersOutOfOrder');
    given(tierPolicy)
      .when(tiersOf(['mass', 0], ['wealth', 5], ['affluent', 9]))
      .isRefused('TiersOutOfOrder');
    given(tierPolicy)
      .when(tiersOf(['mass', 0], ['wealth', 5], ['private', 5]))
      .isRefused('TiersOutOfOrder');
  });
});

describe('a tier given by a rule', () => {
  const review = (month: string, average: string | null, over: Partial<Extract<ClassificationCommand, { do: 'review-tier' }>> = {}) =>
    ({
      do: 'review-tier',
      customerId,
      policyId: 'standard',
      version: 2,
      policy,
      averages: [{ month, average }],
      dimensionVersions: [0, 0],
      ...moment,
      ...over,
    }) satisfies ClassificationCommand;
  const source = { kind: 'rule', rule: 'standard', version: 2 } as const;
  it('names the policy, its version and its figures', () => {
    given(classification)
      .when(review('2026-02', '100'))
      .emits({
        type: 'CustomerClassified',
        data: {
          customerId,
          dimension: 'value-tier',
          dimensionVersion: 0,
          value: 'wealth',
          source,
          explanation: 'The average of 2026-02 is 1.00 CNY, at least the 1.00 CNY of wealth.',
        },
        occurredAt: '2026-03-01[Asia/Shanghai]',
        subject,
      });
    given(classification).when(review('2026-02', null)).emits();
    given(classification)
      .when(review('2026-02', '1', { policy: undefined }))
      .isRefused('TierPolicyUnknown');
  });
  it('of a month reviewed late changes nothing that was told of a later day', () => {
    const byHand = classified('value-tier', 'mass', {}, '2026-03-02T02:00:00.000Z');
    given(classification, byHand).when(review('2026-01', '100')).emits();
    given(classification, byHand).when(review('2026-02', '100')).emits();
  });
  it('watches, and stops watching, by the same rule', () => {
    const slow: TierPolicy = { ...policy, downAfterMonths: 3, watchAfterMonths: 1 };
    const wealth = classified('value-tier', 'wealth', {}, '2026-01-01[Asia/Shanghai]');
    const watched: ClassificationFact = {
      type: 'CustomerClassified',
      data: {
        customerId,
        dimension: 'tier-watch',
        dimensionVersion: 0,
        value: 'watched',
        source,
        explanation: 'The average of 2026-02 is 0.99 CNY, below the 1.00 CNY of wealth: 1 of 3 months in a row: it stays, watched.',
      },
      occurredAt: moment.now,
      subject,
    };
    given(classification, wealth)
      .when(review('2026-02', '99', { policy: slow }))
      .emits(watched);
    given(classification, wealth, watched)
      .when(review('2026-02', '99', { policy: slow }))
      .emits();
    given(classification, wealth, watched)
      .when(review('2026-02', '100', { policy: slow }))
      .emits({
        type: 'ClassificationWithdrawn',
        data: {
          customerId,
          dimension: 'tier-watch',
          source,
          explanation: 'The average of 2026-02 is 1.00 CNY, at least the 1.00 CNY of wealth: it stays.',
        },
        occurredAt: moment.now,
        subject,
      });
  });
});

describe('a tier review', () => {
  const requestedBy = { subject: 'ops', role: 'operations' };
  const request = { do: 'request', reviewId, policyId: 'standard', version: 2, month: '2026-02', requestedBy, today: '2026-03-03' } as const;
  const requested: TierReviewFact = {
    type: 'TierReviewRequested',
    data: { reviewId, policyId: 'standard', version: 2, month: '2026-02', requestedBy },
  };
  const counts = { ...noCounts, up: 2, otherCurrencies: { USD: 1 } };
  it('is of a month that is over, by a policy that is there', () => {
    given(tierReview).when(request).emits(requested);
    given(tierReview, requested).when(request).emits();
    given(tierReview)
      .when({ ...request, month: '2026-03' })
      .isRefused('MonthNotOver');
    given(tierReview)
      .when({ ...request, month: '2026-02', today: '2026-02-28' })
      .isRefused('MonthNotOver');
    given(tierReview)
      .when({ ...request, version: 0 })
      .isRefused('TierPolicyUnknown');
  });
  it('counts a page once, where it began', () => {
    const page = { do: 'advance', reviewId, after: null, cursor: customerId, counts } as const;
    const advanced: TierReviewFact = { type: 'TierReviewAdvanced', data: { reviewId, cursor: customerId, counts } };
    given(tierReview, requested).when(page).emits(advanced);
    given(tierReview, requested, advanced).when(page).emits();
    given(tierReview, requested, advanced)
      .when({ do: 'finish', reviewId, after: customerId, counts: { ...noCounts, down: 1, otherCurrencies: { EUR: 1, USD: 2 } } })
      .emits({ type: 'TierReviewFinished', data: { reviewId, counts: { ...counts, down: 1, otherCurrencies: { EUR: 1, USD: 3 } } } });
    given(tierReview).when(page).isRefused('TierReviewNotFound');
  });
});
