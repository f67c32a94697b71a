// Beneficial owners by their bases, and the arithmetic beneath them: exact, against the sum over all paths where nothing goes round, and
// against the limit of going round for ever where something does.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { beneficialOwners, type OwnershipGraph, type RecordedShare } from '../../src/domain/relationship/beneficial-owners.ts';
import { Fraction, fractionOf, unitsOf } from '../../src/domain/relationship/fraction.ts';
import { solve } from '../../src/domain/relationship/linear-system.ts';
import { type Holding, ownershipOf } from '../../src/domain/relationship/ownership.ts';
import { pathsBetween } from '../../src/domain/relationship/ownership-paths.ts';
import type { ShareBasis } from '../../src/domain/relationship/vocabulary.ts';

let ids = 0;
const share = (holder: string, firm: string, percent: string, basis: ShareBasis = 'equity'): RecordedShare => {
  ids += 1;
  return { id: `r${ids}`, holder, firm, percent, basis };
};
/** Persons have names in lower case, firms in capitals. */
const isPerson = (party: string): boolean => party === party.toLowerCase();
const graph = (shares: readonly RecordedShare[], over: Partial<OwnershipGraph> = {}): OwnershipGraph => ({
  target: 'T',
  shares,
  controllers: [],
  managers: [],
  isPerson,
  threshold: '25',
  ...over,
});
const ownersOf = (shares: readonly RecordedShare[], over: Partial<OwnershipGraph> = {}) =>
  beneficialOwners(graph(shares, over)).owners.map(({ party, bases, equity }) => [party, bases.join(' '), equity.toPercent()]);

describe('beneficial owners', () => {
  it('have at least 25 % of the equity, itself enough', () => {
    expect(ownersOf([share('wang', 'T', '25'), share('li', 'T', '24.999999'), share('zhao', 'T', '50.000001')])).toEqual([
      ['zhao', 'equity income voting control', '50.000001'],
      ['wang', 'equity income voting', '25'],
    ]);
  });

  it('have it along a path, and over all of them together', () => {
    const shares = [share('wang', 'A', '50'), share('A', 'T', '30'), share('wang', 'B', '40'), share('B', 'T', '25'), share('li', 'T', '45')];
    const { owners } = beneficialOwners(graph(shares));
    const wang = owners.find(({ party }) => party === 'wang');
    expect(wang?.equity.toPercent()).toBe('25');
    expect(wang?.paths.filter(({ basis }) => basis === 'equity').map((path) => [path.share?.toPercent(), path.steps.map(({ to }) => to)])).toEqual([
      ['15', ['A', 'T']],
      ['10', ['B', 'T']],
    ]);
  });

  it('are found through a loop, all that goes round included', () => {
    // A and T hold one another: what is 40 % outright is two thirds of T.
    const shares = [share('wang', 'T', '40'), share('A', 'T', '40'), share('T', 'A', '100'), share('li', 'T', '20')];
    const proposal = beneficialOwners(graph(shares));
    expect(proposal.owners.map(({ party, equity }) => [party, String(equity)])).toEqual([
      ['wang', '2/3'],
      ['li', '1/3'],
    ]);
    expect(proposal.unsolved).toEqual([]);
  });

  it('are exact where a float is not', () => {
    // 1/3 of 75 % can not be written in decimals: 33.333333 % of it is just below a quarter.
    const shares = [share('wang', 'A', '33.333333'), share('A', 'T', '75'), share('li', 'B', '50'), share('B', 'T', '50')];
    expect(ownersOf(shares).map(([party]) => party)).toEqual(['li']);
  });

  it('have votes whole through whom they control, where their part of the equity is small', () => {
    const shares = [share('wang', 'A', '51'), share('A', 'B', '51'), share('B', 'T', '30'), share('li', 'A', '49')];
    const [wang, ...others] = beneficialOwners(graph(shares)).owners;
    expect(others).toEqual([]);
    expect(wang).toMatchObject({ party: 'wang', basis: 'voting', bases: ['voting'], controls: false });
    expect([wang?.equity.toPercent(), wang?.voting.toPercent()]).toEqual(['7.803', '30']);
    expect(wang?.paths.map(({ steps }) => steps.map(({ to }) => to))).toEqual([['A', 'B', 'T']]);
  });

  it('control by what those whom they control hold together', () => {
    const shares = [share('wang', 'A', '60'), share('wang', 'B', '60'), share('A', 'T', '30'), share('B', 'T', '21')];
    expect(beneficialOwners(graph(shares)).owners[0]).toMatchObject({ party: 'wang', bases: ['equity', 'income', 'voting', 'control'] });
    expect(beneficialOwners(graph([share('wang', 'A', '50'), share('A', 'T', '100')])).owners[0]?.bases).toEqual(['equity', 'income']);
  });

  it('have income or votes by what is recorded of them, and else by equity', () => {
    const shares = [share('wang', 'T', '10'), share('wang', 'T', '30', 'income'), share('li', 'T', '90'), share('zhao', 'T', '26', 'voting')];
    expect(ownersOf(shares)).toEqual([
      ['li', 'equity', '90'],
      ['wang', 'income', '10'],
      ['zhao', 'voting', '0'],
    ]);
  });

  it('control as actual controllers, also of a firm on the way', () => {
    const controllers = [
      { id: 'c1', controller: 'wang', firm: 'A' },
      { id: 'c2', controller: 'A', firm: 'T' },
    ];
    const [wang] = beneficialOwners(graph([], { controllers })).owners;
    expect(wang).toMatchObject({ party: 'wang', basis: 'control', bases: ['control'] });
    expect(wang?.paths[0]?.steps.map(({ id }) => id)).toEqual(['c1', 'c2']);
  });

  it('are who manages it where nobody fits, and who represents it where no manager is recorded', () => {
    const small = [1, 2, 3, 4, 5].map((one) => share(`p${one}`, 'T', '20'));
    const legal = { id: 'm1', party: 'sun', office: 'legal-representative' } as const;
    const senior = { id: 'm2', party: 'qian', office: 'senior-manager' } as const;
    expect(ownersOf(small, { managers: [legal, senior] })).toEqual([['qian', 'manager', '0']]);
    expect(ownersOf(small, { managers: [legal] })).toEqual([['sun', 'manager', '0']]);
    expect(ownersOf([share('wang', 'T', '30')], { managers: [legal, senior] }).map(([party]) => party)).toEqual(['wang']);
  });

  it('tell where the ways end before a person, what is over 100 %, and what has no solution', () => {
    const ends = beneficialOwners(graph([share('A', 'T', '60'), share('B', 'T', '10'), share('wang', 'T', '40')]));
    expect(ends.openEnds.map(({ party, share: part }) => [party, part.toPercent()])).toEqual([['A', '60']]);
    expect(ends.over.map(({ firm, basis, total }) => [firm, basis, total.toPercent()])).toEqual([['T', 'equity', '110']]);
    // A and B own one another whole: nobody holds anything of them.
    const closed = [share('A', 'B', '100'), share('B', 'A', '100'), share('B', 'T', '60'), share('wang', 'T', '40')];
    const proposal = beneficialOwners(graph(closed));
    expect(proposal.unsolved).toEqual([['A', 'B']]);
    expect(proposal.owners.map(({ party, equity }) => [party, equity.toPercent()])).toEqual([['wang', '40']]);
  });

  it('are the same in whatever order the relations come', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('p', 'q', 'A', 'B', 'C', 'T'), fc.constantFrom('A', 'B', 'C', 'T'), fc.integer({ min: 1, max: 100 })), {
          maxLength: 12,
        }),
        fc.infiniteStream(fc.nat()),
        (edges, keys) => {
          const shares = edges
            .filter(([holder, firm]) => holder !== firm)
            .map(([holder, firm, percent], index): RecordedShare => ({ id: `r${index}`, holder, firm, percent: `${percent}`, basis: 'equity' }));
          const shuffled = shares.map((one) => ({ one, key: keys.next().value })).sort((one, other) => Number(one.key) - Number(other.key));
          const text = (proposal: object): string => JSON.stringify(proposal, (_key, value) => (value instanceof Fraction ? String(value) : value));
          expect(text(beneficialOwners(graph(shuffled.map(({ one }) => one))))).toBe(text(beneficialOwners(graph(shares))));
        },
      ),
      { numRuns: 300 },
    );
  });
});

const holdings = (edges: readonly (readonly [string, string, number])[]): Holding[] =>
  edges.map(([holder, firm, units], index) => ({ id: `r${index}`, holder, firm, units }));

/** Up to `rounds` steps, summed as fractions: all there is where nothing goes round. */
function series(target: string, edges: readonly Holding[], rounds: number): ReadonlyMap<string, Fraction> {
  const total = new Map<string, Fraction>();
  let level = new Map([[target, Fraction.one]]);
  for (let round = 0; round < rounds && level.size > 0; round += 1) {
    const next = new Map<string, Fraction>();
    for (const { holder, firm, units } of edges) {
      const whole = level.get(firm);
      if (whole) next.set(holder, (next.get(holder) ?? Fraction.zero).plus(whole.times(fractionOf(units))));
    }
    for (const [holder, fraction] of next) total.set(holder, (total.get(holder) ?? Fraction.zero).plus(fraction));
    level = next;
  }
  return total;
}

describe('ownership', () => {
  const firms = ['T', 'A', 'B', 'C', 'D', 'E'];

  it('is the sum over all paths where nothing goes round', () => {
    const edge = fc.tuple(fc.nat(7), fc.nat(5), fc.integer({ min: 1, max: 100_000_000 }));
    fc.assert(
      fc.property(fc.array(edge, { maxLength: 16 }), (drawn) => {
        // A holder comes after its firm, so there is no way back.
        const acyclic = holdings(
          drawn
            .filter(([holder, firm]) => holder > firm)
            .map(([holder, firm, units]) => [firms[holder] ?? `p${holder}`, firms[firm] as string, units]),
        );
        const { shares, unsolved } = ownershipOf('T', acyclic);
        expect(unsolved).toEqual([]);
        const expected = [...series('T', acyclic, 10)].map(([holder, fraction]) => [holder, String(fraction)]);
        expect([...shares].map(([holder, fraction]) => [holder, String(fraction)]).sort()).toEqual(expected.sort());
      }),
      { numRuns: 500 },
    );
  });

  it('is the limit of going round for ever where something does', () => {
    const edge = fc.tuple(fc.nat(7), fc.nat(4), fc.integer({ min: 1, max: 20 }));
    fc.assert(
      fc.property(fc.array(edge, { minLength: 4, maxLength: 14 }), (drawn) => {
        const sums = new Map<number, number>();
        // At most 80 % of each firm, so that the series comes to an end.
        const cyclic = holdings(
          drawn
            .filter(([holder, firm, percent]) => {
              const sum = (sums.get(firm) ?? 0) + percent;
              if (holder === firm || sum > 80) return false;
              sums.set(firm, sum);
              return true;
            })
            .map(([holder, firm, percent]) => [firms[holder] ?? `p${holder}`, firms[firm] as string, percent * 1_000_000]),
        );
        const { shares, unsolved } = ownershipOf('T', cyclic);
        expect(unsolved).toEqual([]);
        // 0.8 to the 160th is below the sixteenth place.
        const limit = floatSeries('T', cyclic, 160);
        for (const [holder, fraction] of shares) expect(numberOf(fraction)).toBeCloseTo(limit.get(holder) ?? 0, 12);
        expect(new Set(shares.keys())).toEqual(new Set(limit.keys()));
      }),
      { numRuns: 500 },
    );
  });

  it('of a long chain and of a ring of fifty comes within a second', () => {
    const chain = holdings(Array.from({ length: 3_000 }, (_, index) => [`F${index + 1}`, index === 0 ? 'T' : `F${index}`, 100_000_000]));
    expect(String(ownershipOf('T', chain).shares.get('F3000'))).toBe('1/1');
    const ring = holdings(
      Array.from(
        { length: 50 },
        (_, index) =>
          [
            [`F${(index + 1) % 50}`, `F${index}`, 33_333_333],
            [`F${(index + 7) % 50}`, `F${index}`, 12_345_678],
            ['p', `F${index}`, 54_320_989],
          ] as [string, string, number][],
      ).flat(),
    );
    const startedMs = performance.now();
    const { shares, unsolved } = ownershipOf('F0', ring);
    expect(unsolved).toEqual([]);
    // All of it is theirs in the end.
    expect(String(shares.get('p'))).toBe('1/1');
    expect(performance.now() - startedMs).toBeLessThan(1_000);
  });
});

function floatSeries(target: string, edges: readonly Holding[], rounds: number): ReadonlyMap<string, number> {
  const total = new Map<string, number>();
  let level = new Map([[target, 1]]);
  for (let round = 0; round < rounds; round += 1) {
    const next = new Map<string, number>();
    for (const { holder, firm, units } of edges) {
      const whole = level.get(firm);
      if (whole !== undefined) next.set(holder, (next.get(holder) ?? 0) + (whole * units) / 100_000_000);
    }
    for (const [holder, part] of next) total.set(holder, (total.get(holder) ?? 0) + part);
    level = next;
  }
  return total;
}

function numberOf({ numerator, denominator }: Fraction): number {
  return Number((numerator * 10n ** 18n) / denominator) / 1e18;
}

describe('exact numbers', () => {
  it('solve what has one solution, and say where there is none', () => {
    expect(
      solve([
        [2n, 1n, 5n],
        [1n, 3n, 10n],
      ])?.map(String),
    ).toEqual(['1/1', '3/1']);
    expect(
      solve([
        [0n, 1n, 2n],
        [1n, 0n, 3n],
      ])?.map(String),
    ).toEqual(['3/1', '2/1']);
    expect(
      solve([
        [1n, -1n, 0n],
        [-1n, 1n, 1n],
      ]),
    ).toBeUndefined();
  });
  it('solve any regular system (by putting the solution in)', () => {
    const row = fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 5, maxLength: 5 });
    fc.assert(
      fc.property(fc.array(row, { minLength: 4, maxLength: 4 }), (drawn) => {
        const rows = drawn.map((cells) => cells.map(BigInt));
        const solution = solve(rows);
        for (const cells of solution ? rows : []) {
          const left = (solution ?? []).reduce((sum, value, index) => sum.plus(value.times(Fraction.of(cells[index] ?? 0n, 1n))), Fraction.zero);
          expect(left.compare(Fraction.of(cells[4] ?? 0n, 1n))).toBe(0);
        }
      }),
    );
  });
  it('are told as percentages', () => {
    expect(
      [Fraction.of(1n, 3n), Fraction.of(2n, 3n), Fraction.of(1n, 4n), Fraction.zero, Fraction.of(11n, 10n)].map((one) => one.toPercent()),
    ).toEqual(['33.333333', '66.666667', '25', '0', '110']);
    expect(unitsOf('33.5')).toBe(33_500_000);
    expect(() => unitsOf('1e2')).toThrow(RangeError);
  });
});

describe('paths', () => {
  it('are the shortest first, each firm once, and no more than asked for', () => {
    const links = [
      ['a', 'x', 'y'],
      ['b', 'y', 'z'],
      ['c', 'x', 'z'],
      ['d', 'y', 'x'],
      ['e', 'x', 'z'],
    ].map(([id, from, to]) => ({ id: id as string, from: from as string, to: to as string }));
    expect(pathsBetween('x', 'z', links, 5).paths.map((path) => path.map(({ id }) => id).join())).toEqual(['c', 'e', 'a,b']);
    expect(pathsBetween('x', 'z', links, 2)).toMatchObject({ more: true });
    expect(pathsBetween('z', 'x', links, 5)).toEqual({ paths: [], more: false });
  });
  it('give up on a thicket instead of walking it', () => {
    const names = Array.from({ length: 40 }, (_, index) => `F${index}`);
    const links = names.flatMap((from) => names.filter((to) => to !== from).map((to) => ({ id: `${from}-${to}`, from, to })));
    const startedMs = performance.now();
    const { paths, more } = pathsBetween('F0', 'F1', links, 10);
    expect(paths[0]?.map(({ id }) => id)).toEqual(['F0-F1']);
    expect(more).toBe(true);
    expect(performance.now() - startedMs).toBeLessThan(500);
  });
});
