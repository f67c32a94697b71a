// Tier policies as two banks have them: where monthly averages lead, and the words that say why.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { monthsUpTo } from '../../src/domain/classification/dates.ts';
import { monthsNeeded, type NextTier, nextTier } from '../../src/domain/classification/next-tier.ts';
import type { TierPolicy } from '../../src/domain/classification/tier-events.ts';

const YUAN = 100;
const tiers = [
  { value: 'mass', from: 0 },
  { value: 'affluent', from: 50_000 * YUAN },
  { value: 'wealth', from: 500_000 * YUAN },
  { value: 'diamond', from: 3_000_000 * YUAN },
  { value: 'private', from: 6_000_000 * YUAN },
];
/** Up at once; watched after 3 months below, and after 3 more down to the tier of the highest of the six (建行 OCRM). */
const atOnce: TierPolicy = {
  name: 'At once',
  currency: 'CNY',
  tiers,
  up: 'at-once',
  downAfterMonths: 6,
  downTo: 'highest-of-the-months',
  watchAfterMonths: 3,
};
/** Up the month after; down in the 4th month after 3 below, from private banking in the 7th after 6 (渤海银行). */
const nextMonth: TierPolicy = {
  name: 'Next month',
  currency: 'CNY',
  tiers: tiers.map((tier) => (tier.value === 'private' ? { ...tier, downAfterMonths: 6 } : tier)),
  up: 'next-month',
  downAfterMonths: 3,
  downTo: 'last-month',
};

/** Month after month from 2026-01 on, each in yuan, under review by a policy: what changed when. */
function lived(policy: TierPolicy, yuan: readonly (number | null)[]): string[] {
  let now: Parameters<typeof nextTier>[1] = { tier: null, sinceMonth: null, watched: false };
  return yuan.flatMap((_, index) => {
    const month = monthsUpTo('2027-12', 24)[index] ?? '';
    const averages = monthsUpTo(month, monthsNeeded(policy)).map((one) => {
      const at = monthsUpTo('2027-12', 24).indexOf(one);
      const amount = at === -1 ? null : (yuan[at] ?? null);
      return { month: one, average: amount === null ? null : String(amount * YUAN) };
    });
    const next = nextTier(policy, now, averages);
    now = {
      tier: next.tier ?? now.tier,
      sinceMonth: next.since?.slice(0, 7) ?? now.sinceMonth,
      watched: next.watch === null ? now.watched : next.watch === 'begins',
    };
    return [
      ...(next.tier === null ? [] : [`${month}: ${next.change} to ${next.tier} from ${next.since}`]),
      ...(next.watch === null ? [] : [`${month}: watch ${next.watch}`]),
    ];
  });
}

describe('a policy that raises at once and watches before it lowers', () => {
  it('gives a higher tier from the last day of the month that reached it', () => {
    expect(lived(atOnce, [60_000, 3_000_000])).toStrictEqual([
      '2026-01: first to affluent from 2026-01-31',
      '2026-02: up to diamond from 2026-02-28',
    ]);
  });
  it('watches after three months below, and lowers after three more to the tier of the highest of the six', () => {
    expect(lived(atOnce, [3_000_000, 400_000, 600_000, 10_000, 10_000, 499_999, 20_000])).toStrictEqual([
      '2026-01: first to diamond from 2026-01-31',
      '2026-04: watch begins',
      '2026-07: down to wealth from 2026-08-01',
      '2026-07: watch ends',
    ]);
  });
  it('lets one good month undo all that', () => {
    expect(lived(atOnce, [3_000_000, 1, 1, 1, 1, 1, 3_000_000, 1, 1])).toStrictEqual([
      '2026-01: first to diamond from 2026-01-31',
      '2026-04: watch begins',
      '2026-07: watch ends',
    ]);
  });
});

describe('a policy that raises the month after', () => {
  it('gives a higher tier from the first day of the next month', () => {
    expect(lived(nextMonth, [60_000, 500_000])).toStrictEqual([
      '2026-01: first to affluent from 2026-02-01',
      '2026-02: up to wealth from 2026-03-01',
    ]);
  });
  it('lowers in the fourth month after three below', () => {
    expect(lived(nextMonth, [500_000, 499_999, 60_000, 49_999])).toStrictEqual([
      '2026-01: first to wealth from 2026-02-01',
      '2026-04: down to mass from 2026-05-01',
    ]);
  });
  it('lowers private banking in the seventh month after six', () => {
    expect(lived(nextMonth, [6_000_000, 5, 5, 5, 5, 5, 5_999_999])).toStrictEqual([
      '2026-01: first to private from 2026-02-01',
      '2026-07: down to diamond from 2026-08-01',
    ]);
  });
  it('counts no month before the tier began, and none across a month that nobody knows', () => {
    expect(lived(nextMonth, [500_000, 1, 1, null, 1, 1])).toStrictEqual(['2026-01: first to wealth from 2026-02-01']);
    const now = { tier: 'wealth', sinceMonth: '2026-03', watched: false };
    const averages = ['2026-01', '2026-02', '2026-03'].map((month) => ({ month, average: '1' }));
    expect(nextTier(nextMonth, now, averages).change).toBe('none');
  });
});

describe('the words of a review', () => {
  const at = (now: Partial<Parameters<typeof nextTier>[1]>, ...averages: (string | null)[]): NextTier =>
    nextTier(
      nextMonth,
      { tier: null, sinceMonth: null, watched: false, ...now },
      averages.map((average, index) => ({ month: `2026-0${index + 1}`, average })),
    );
  it('say what was reached, and of how much', () => {
    expect(at({}, '50000000').explanation).toBe('The average of 2026-01 is 500,000.00 CNY, at least the 500,000.00 CNY of wealth.');
    expect(at({ tier: 'wealth' }, '123', '50000001').explanation).toBe(
      'The average of 2026-02 is 500,000.01 CNY, at least the 500,000.00 CNY of wealth: it stays.',
    );
  });
  it('count the months below', () => {
    expect(at({ tier: 'wealth' }, '50000000', '4', '3').explanation).toBe(
      'The average of 2026-03 is 0.03 CNY, below the 500,000.00 CNY of wealth: 2 of 3 months in a row: it stays.',
    );
    expect(at({ tier: 'wealth' }, '5', '4', '3').explanation).toBe(
      'The average of 2026-03 is 0.03 CNY, below the 500,000.00 CNY of wealth: 3 of 3 months in a row. mass is the tier of the last of them.',
    );
  });
  it('tell what is not counted, and a tier of another policy', () => {
    expect(at({}, null)).toMatchObject({ change: 'not-counted', explanation: 'No balance in CNY is known for 2026-01: not counted.' });
    expect(at({ tier: 'platinum' }, '5')).toMatchObject({ change: 'none', tier: null });
  });
  it('know currencies without minor units', () => {
    const yen = nextTier({ ...nextMonth, currency: 'JPY' }, { tier: null, sinceMonth: null, watched: false }, [
      { month: '2026-01', average: '1234' },
    ]);
    expect(yen.explanation).toBe('The average of 2026-01 is 1,234 JPY, at least the 0 JPY of mass.');
  });
});

it('never lowers before its months are over, and never raises to what was not reached', () => {
  const amounts = fc.array(fc.option(fc.constantFrom(0, 49_999, 50_000, 499_999, 500_000, 2_999_999, 3_000_000, 6_000_000), { freq: 8 }), {
    minLength: 1,
    maxLength: 24,
  });
  fc.assert(
    fc.property(fc.constantFrom(atOnce, nextMonth), amounts, (policy, yuan) => {
      const rank = (value: string): number => tiers.findIndex((tier) => tier.value === value);
      let standing = -1;
      let began = 0;
      for (const line of lived(policy, yuan)) {
        const found = /^(\S+): (first|up|down) to (\S+)/.exec(line);
        if (!found) continue;
        const [, month = '', change, tier = ''] = found;
        const index = monthsUpTo('2027-12', 24).indexOf(month);
        const reached = tiers.findLastIndex(({ from }) => (yuan[index] ?? -1) * YUAN >= from);
        if (change === 'down') {
          expect(rank(tier)).toBeLessThan(standing);
          const needed = policy.tiers[standing]?.downAfterMonths ?? policy.downAfterMonths;
          expect(index - began).toBeGreaterThanOrEqual(needed);
        } else expect(rank(tier)).toBe(reached);
        standing = rank(tier);
        began = index;
      }
    }),
  );
});
