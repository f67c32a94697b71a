// Which tier monthly averages lead to, and why, in words: a tier policy as a function.
import { firstDayAfter, lastDayOf } from './dates.ts';
import type { TierPolicy } from './tier-events.ts';

/** What was held on average over a month's days, minor units of the policy's currency as decimal text; null where nobody knows. */
export interface MonthlyAverage {
  readonly month: string;
  readonly average: string | null;
}

export interface TierNow {
  /** Null before the first. */
  readonly tier: string | null;
  /** The month in which it began; months before it don't count against it. */
  readonly sinceMonth: string | null;
  readonly watched: boolean;
}

export interface NextTier {
  readonly change: 'first' | 'up' | 'down' | 'none' | 'not-counted';
  /** Where it changes, the new one and its first day. */
  readonly tier: string | null;
  readonly since: string | null;
  readonly watch: 'begins' | 'ends' | null;
  readonly explanation: string;
}

/** How many months a policy looks back on. */
export function monthsNeeded({ tiers, downAfterMonths, watchAfterMonths = 1 }: TierPolicy): number {
  return Math.max(downAfterMonths, watchAfterMonths, ...tiers.map((tier) => tier.downAfterMonths ?? 1));
}

/** @param averages the earliest first, the month under review last */
export function nextTier(policy: TierPolicy, now: TierNow, averages: readonly MonthlyAverage[]): NextTier {
  const { tiers, currency } = policy;
  const none = { tier: null, since: null, watch: null } as const;
  const last = averages.at(-1);
  if (last === undefined || last.average === null)
    return { ...none, change: 'not-counted', explanation: `No balance in ${currency} is known for ${last?.month ?? 'the month'}: not counted.` };
  const { month, average } = last;
  const told = `The average of ${month} is ${inWords(average, currency)}`;
  const reached = rankOf(policy, average);
  const reachedTier = tiers[reached];
  const standing = tiers.findIndex(({ value }) => value === now.tier);
  if (reachedTier === undefined) return { ...none, change: 'not-counted', explanation: `${told}: the policy has no tier for it.` };
  if (now.tier !== null && standing === -1)
    return { ...none, change: 'none', explanation: `${told}; ${now.tier} is no tier of this policy, so it stays until it is changed by hand.` };
  const enough = `at least the ${inWords(String(reachedTier.from), currency)} of ${reachedTier.value}`;
  if (now.tier === null || reached > standing) {
    const since = policy.up === 'at-once' ? lastDayOf(month) : firstDayAfter(month);
    const change = now.tier === null ? 'first' : 'up';
    return { change, tier: reachedTier.value, since, watch: now.watched ? 'ends' : null, explanation: `${told}, ${enough}.` };
  }
  if (reached === standing) {
    return { ...none, change: 'none', watch: now.watched ? 'ends' : null, explanation: `${told}, ${enough}: it stays.` };
  }
  return below(policy, now, averages, standing, told);
}

function below(policy: TierPolicy, now: TierNow, averages: readonly MonthlyAverage[], standing: number, told: string): NextTier {
  const { tiers, currency, downTo, watchAfterMonths } = policy;
  const tier = tiers[standing] as TierPolicy['tiers'][number];
  const run = monthsBelow(policy, now, averages, standing);
  const needed = tier.downAfterMonths ?? policy.downAfterMonths;
  const counted = `${told}, below the ${inWords(String(tier.from), currency)} of ${tier.value}: ${run.length} of ${needed} months in a row`;
  if (run.length >= needed) {
    const judged = downTo === 'last-month' ? run.slice(-1) : run.slice(-needed);
    const left = Math.max(...judged.map((average) => rankOf(policy, average)));
    const value = (tiers[left] as TierPolicy['tiers'][number]).value;
    const by = downTo === 'last-month' ? 'the last of them' : `the highest of ${needed} months`;
    const since = firstDayAfter(averages.at(-1)?.month ?? '');
    return { change: 'down', tier: value, since, watch: now.watched ? 'ends' : null, explanation: `${counted}. ${value} is the tier of ${by}.` };
  }
  const begins = watchAfterMonths !== undefined && run.length >= watchAfterMonths && !now.watched;
  return {
    change: 'none',
    tier: null,
    since: null,
    watch: begins ? 'begins' : null,
    explanation: `${counted}: it stays${begins ? ', watched' : ''}.`,
  };
}

/** The known averages below a tier that end with the last month, without a gap and none from before it began. */
function monthsBelow(policy: TierPolicy, { sinceMonth }: TierNow, averages: readonly MonthlyAverage[], standing: number): readonly string[] {
  const run: string[] = [];
  for (const { month, average } of averages.toReversed()) {
    if (average === null || (sinceMonth !== null && month < sinceMonth) || rankOf(policy, average) >= standing) break;
    run.unshift(average);
  }
  return run;
}

/** The place of the highest tier that an amount reaches. */
function rankOf({ tiers }: TierPolicy, average: string): number {
  return tiers.findLastIndex(({ from }) => BigInt(average) >= BigInt(from));
}

/** `1,234.50 CNY` */
function inWords(minorUnits: string, currency: string): string {
  const digits = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
  const padded = minorUnits.padStart(digits + 1, '0');
  const whole = padded.slice(0, padded.length - digits).replace(/\B(?=(\d{3})+$)/g, ',');
  return `${whole}${digits === 0 ? '' : `.${padded.slice(-digits)}`} ${currency}`;
}
