// How a customer is classed, dimension by dimension: by a person who may, by a rule, until it is withdrawn or its time is over. The
// dimension's definition, the policy and the day come in with the command.
import type { Decider, Rejection } from '../kernel/decider.ts';
import { dateOf } from '../kernel/source.ts';
import { dayAfter, monthsAfter, startOfDay, timeOf } from './dates.ts';
import type { ClassificationFact, ClassSource, Definition } from './events.ts';
import { type MonthlyAverage, nextTier } from './next-tier.ts';
import { holdsOn, type Standing, standingAfter } from './standing.ts';
import type { TierPolicy } from './tier-events.ts';
import { AML_GRADE, type DueKind, TIER_WATCH, VALUE_TIER, WATCHED } from './vocabulary.ts';

export interface ClassificationState {
  /** By dimension. */
  readonly standings: ReadonlyMap<string, Standing>;
  /** The day of the first rating came without one. */
  readonly firstFellDue: boolean;
}

/** The moment of a command: RFC 3339 UTC, and the day of it in the bank's zone. */
interface Moment {
  readonly now: string;
  readonly today: string;
  readonly zone: string;
}

export interface Defined {
  readonly version: number;
  readonly definition: Definition;
}

export type ClassificationCommand = { readonly customerId: string } & (
  | ({
      readonly do: 'classify';
      readonly dimension: string;
      /** Undefined where there is no such dimension. */
      readonly defined: Defined | undefined;
      readonly value: string;
      readonly reason?: string | undefined;
      readonly since?: string | undefined;
      readonly assessedOn?: string | undefined;
      readonly validUntil?: string | undefined;
      readonly by: string;
      readonly isCustomer: boolean;
    } & Moment)
  | ({
      readonly do: 'withdraw';
      readonly dimension: string;
      readonly defined: Defined | undefined;
      readonly reason: string;
      readonly by: string;
    } & Moment)
  | ({
      readonly do: 'review-tier';
      readonly policyId: string;
      readonly version: number;
      readonly policy: TierPolicy | undefined;
      readonly averages: readonly MonthlyAverage[];
      /** Versions of the dimensions `value-tier` and `tier-watch`. */
      readonly dimensionVersions: readonly [number, number];
    } & Moment)
  | { readonly do: 'expire'; readonly dimension: string; readonly validUntil: string; readonly zone: string }
  | { readonly do: 'fall-due'; readonly dimension: string; readonly why: DueKind; readonly dueOn: string; readonly zone: string }
);
type CommandTo<Do extends ClassificationCommand['do']> = Extract<ClassificationCommand, { do: Do }>;

export type ClassificationRejection =
  | 'DimensionUnknown'
  | 'ClassNotYours'
  | 'ValueUnknown'
  | 'NotACustomer'
  | 'ReasonNeeded'
  | 'AssessmentNeeded'
  | 'DayNotYetCome'
  | 'ValidityTooLong'
  | 'AssessmentTooOld'
  | 'GradeNeeded'
  | 'TierPolicyUnknown';
type Decision = readonly ClassificationFact[] | Rejection<ClassificationRejection>;

export const classification: Decider<ClassificationCommand, ClassificationState, ClassificationFact, ClassificationRejection> = {
  initialState: { standings: new Map(), firstFellDue: false },
  evolve,
  decide,
};

function decide(command: ClassificationCommand, state: ClassificationState): Decision {
  switch (command.do) {
    case 'classify':
      return classify(command, state);
    case 'withdraw':
      return withdraw(command, state);
    case 'review-tier':
      return reviewTier(command, state);
    case 'expire': {
      const { customerId, dimension, validUntil, zone } = command;
      const standing = state.standings.get(dimension);
      if (standing?.ended !== null || standing.validUntil !== validUntil) return [];
      return [fact('ClassificationExpired', { customerId, dimension, validUntil }, startOfDay(dayAfter(validUntil), zone))];
    }
    case 'fall-due': {
      const { customerId, dimension, why, dueOn, zone } = command;
      const standing = state.standings.get(dimension);
      const isOpen =
        why === 'first-rating' ? !standing && !state.firstFellDue : standing?.reviewDueOn === dueOn && !standing.fellDue && standing.ended === null;
      if (!isOpen) return [];
      return [fact('ClassificationFellDue', { customerId, dimension, why, dueOn }, startOfDay(dueOn, zone))];
    }
  }
}

function classify(command: CommandTo<'classify'>, { standings }: ClassificationState): Decision {
  const { customerId, dimension, defined, value, reason, since, assessedOn, by, today } = command;
  if (defined === undefined) return unknownDimension;
  const { definition, version } = defined;
  const values = definition.values.map(({ code }) => code);
  const rank = values.indexOf(value);
  if (!definition.assignedBy.some((role) => role === by)) return notYours(dimension, definition);
  if (rank === -1) return { rejected: 'ValueUnknown', detail: `${dimension} has the values ${values.join(', ')}.`, pointer: '/value' };
  if (definition.customersOnly && !command.isCustomer)
    return { rejected: 'NotACustomer', detail: `${definition.name} is for customers: this is a prospect, without a relationship with the bank.` };
  if (dimension === AML_GRADE && command.validUntil !== undefined)
    return { rejected: 'GradeNeeded', detail: 'A grade holds until another is given: leave its last day out.', pointer: '/validUntil' };
  const standing = standings.get(dimension);
  const stands = standing && holdsOn(standing, today) ? standing : undefined;
  const before = stands ? values.indexOf(stands.value) : -1;
  // Where the value that stands is no longer one, nobody can tell up from down.
  if (definition.downNeedsReason && reason === undefined && stands && (before === -1 || rank < before))
    return { rejected: 'ReasonNeeded', detail: `A lower value than ${stands.value} needs a reason.`, pointer: '/reason' };
  const days = daysOf(command, definition);
  if ('rejected' in days) return days;
  const reviewMonths = definition.values[rank]?.reviewMonths;
  const saysMore = reason !== undefined || assessedOn !== undefined || since !== undefined || command.validUntil !== undefined;
  if (stands?.value === value && !saysMore && reviewMonths === undefined) return [];
  return [
    fact(
      'CustomerClassified',
      withoutAbsent({
        customerId,
        dimension,
        dimensionVersion: version,
        value,
        source: { kind: 'person' } as const,
        reason,
        assessedOn,
        validUntil: days.validUntil,
        reviewDueOn: reviewMonths === undefined ? undefined : monthsAfter(days.from, reviewMonths),
      }),
      timeOf(days.from, command),
    ),
  ];
}

/** The first and the last day of a new value. */
function daysOf(
  { since, assessedOn, validUntil, today, dimension }: CommandTo<'classify'>,
  { needsAssessment, validMonths }: Definition,
): { readonly from: string; readonly validUntil: string | undefined } | Rejection<ClassificationRejection> {
  if (needsAssessment && assessedOn === undefined)
    return { rejected: 'AssessmentNeeded', detail: `${dimension} comes from an assessment: give its day.`, pointer: '/assessedOn' };
  for (const [name, day] of [
    ['assessedOn', assessedOn],
    ['since', since],
  ] as const)
    if (day !== undefined && day > today)
      return { rejected: 'DayNotYetCome', detail: `Today is ${today}: give that day or one before.`, pointer: `/${name}` };
  const from = assessedOn ?? since ?? today;
  const last = validMonths === undefined ? undefined : monthsAfter(from, validMonths);
  if (last !== undefined && last < today)
    return {
      rejected: 'AssessmentTooOld',
      detail: `It would have held until ${last}: what is older than ${validMonths} months is assessed anew.`,
      pointer: assessedOn === undefined ? '/since' : '/assessedOn',
    };
  if (validUntil !== undefined && (validUntil < today || (last !== undefined && validUntil > last)))
    return { rejected: 'ValidityTooLong', detail: `Give a day from ${today}${last === undefined ? ' on' : ` to ${last}`}.`, pointer: '/validUntil' };
  return { from, validUntil: validUntil ?? last };
}

function withdraw(command: CommandTo<'withdraw'>, { standings }: ClassificationState): Decision {
  const { customerId, dimension, defined, reason, by, now, today } = command;
  if (defined === undefined) return unknownDimension;
  if (!defined.definition.assignedBy.some((role) => role === by)) return notYours(dimension, defined.definition);
  if (dimension === AML_GRADE)
    return { rejected: 'GradeNeeded', detail: 'A customer is never without a grade once they have one: give another instead.' };
  const standing = standings.get(dimension);
  if (!standing || !holdsOn(standing, today)) return [];
  return [fact('ClassificationWithdrawn', { customerId, dimension, source: { kind: 'person' }, reason }, now)];
}

function reviewTier(command: CommandTo<'review-tier'>, { standings }: ClassificationState): Decision {
  const { customerId, policyId, version, policy, averages, dimensionVersions, today, zone } = command;
  if (policy === undefined) return { rejected: 'TierPolicyUnknown', detail: 'There is no such version of a tier policy.' };
  const [tier, watch] = [VALUE_TIER, TIER_WATCH].map((code) => {
    const standing = standings.get(code);
    return standing && holdsOn(standing, today) ? standing : undefined;
  });
  const next = nextTier(
    policy,
    { tier: tier?.value ?? null, sinceMonth: tier ? dateOf(tier.since, zone).slice(0, 7) : null, watched: watch !== undefined },
    averages,
  );
  const { explanation } = next;
  const source: ClassSource = { kind: 'rule', rule: policyId, version };
  const facts: ClassificationFact[] = [];
  // What was told since of a later day stands: a month reviewed late changes nothing before it.
  if (next.tier !== null && next.since !== null && (tier === undefined || startOfDay(next.since, zone) > tier.startsAt))
    facts.push(
      fact(
        'CustomerClassified',
        { customerId, dimension: VALUE_TIER, dimensionVersion: dimensionVersions[0], value: next.tier, source, explanation },
        `${next.since}[${zone}]`,
      ),
    );
  if (next.tier !== null && facts.length === 0) return [];
  if (next.watch === 'begins')
    facts.push(
      fact(
        'CustomerClassified',
        { customerId, dimension: TIER_WATCH, dimensionVersion: dimensionVersions[1], value: WATCHED, source, explanation },
        command.now,
      ),
    );
  if (next.watch === 'ends') facts.push(fact('ClassificationWithdrawn', { customerId, dimension: TIER_WATCH, source, explanation }, command.now));
  return facts;
}

function evolve(state: ClassificationState, event: ClassificationFact): ClassificationState {
  const { dimension } = event.data;
  const standing = standingAfter(state.standings.get(dimension), event);
  const standings = standing ? new Map([...state.standings, [dimension, standing]]) : state.standings;
  const isFirst = event.type === 'ClassificationFellDue' && event.data.why === 'first-rating';
  return { standings, firstFellDue: state.firstFellDue || isFirst };
}

const unknownDimension = {
  rejected: 'DimensionUnknown',
  detail: 'There is no such dimension: those there are stand under /v1/dimensions.',
  pointer: '/dimension',
} as const;

function notYours(dimension: string, { assignedBy }: Definition): Rejection<ClassificationRejection> {
  const who = assignedBy.length === 0 ? 'rules alone' : `the role ${assignedBy.join(', ').replace(/, ([^,]*)$/, ' or $1')}`;
  return { rejected: 'ClassNotYours', detail: `${dimension} is given by ${who}.` };
}

function fact<Type extends ClassificationFact['type']>(
  type: Type,
  data: Extract<ClassificationFact, { type: Type }>['data'],
  occurredAt: string,
): ClassificationFact {
  return { type, data, occurredAt, subject: `customer-${data.customerId}` } as ClassificationFact;
}

/** Absent members are left out, as JSON would, so that a fact just decided equals the one read back. */
function withoutAbsent<Data extends object>(data: Data): { [Name in keyof Data]: Exclude<Data[Name], undefined> } {
  return Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Data]: Exclude<Data[Name], undefined>;
  };
}
