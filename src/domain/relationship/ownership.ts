// How much of one firm every holder has in the end: what is held multiplies along a path and adds over paths, and loops of firms that
// hold one another are the exact solution of their equations, which is the limit of going round for ever.
import { Fraction, fractionOf, WHOLE } from './fraction.ts';
import { solve } from './linear-system.ts';

export interface Holding {
  /** Of its relation. */
  readonly id: string;
  readonly holder: string;
  readonly firm: string;
  /** Of the firm, in millionths of a percent. */
  readonly units: number;
}

export interface Ownership {
  /** Of the target, by holder; who has none is not in it. A firm that holds itself through others is in it as well. */
  readonly shares: ReadonlyMap<string, Fraction>;
  /** Loops that have no solution: no one outside holds anything of them, or more than 100 % is recorded. They are not gone round. */
  readonly unsolved: readonly (readonly string[])[];
}

/** Firms that hold one another, at most: the exact solution of more would take too long to wait for. */
export const LARGEST_LOOP = 60;

/** @param holdings of which those that do not lead to the target don't matter */
export function ownershipOf(target: string, holdings: readonly Holding[]): Ownership {
  const byFirm = Map.groupBy(holdings, ({ firm }) => firm);
  const leading = reaching(target, byFirm);
  // Summed between each two, so that the order of the holdings changes nothing.
  const held = new Map<string, Map<string, number>>();
  for (const { holder, firm, units } of holdings) {
    if (!leading.has(firm)) continue;
    const firms = held.get(holder) ?? new Map<string, number>();
    held.set(holder, firms.set(firm, (firms.get(firm) ?? 0) + units));
  }
  /** How much of the target the whole of each firm brings. */
  const whole = new Map<string, Fraction>();
  const unsolved: (readonly string[])[] = [];
  const own = (firm: string): Fraction => (firm === target ? Fraction.one : Fraction.zero);
  const outside = (firm: string, loop: ReadonlySet<string>): Fraction =>
    sum(
      [...(held.get(firm) ?? [])]
        .filter(([next]) => !loop.has(next))
        .map(([next, units]) => fractionOf(units).times(whole.get(next) ?? Fraction.zero)),
    );
  for (const loop of loopsOf([...leading].sort(), (firm) => [...(held.get(firm)?.keys() ?? [])].sort())) {
    const inLoop = new Set(loop);
    const base = new Map(loop.map((firm) => [firm, own(firm).plus(outside(firm, inLoop))]));
    const solved = loop.length === 1 ? base : solveLoop(loop, base, held);
    if (solved === undefined) unsolved.push([...loop].sort());
    for (const [firm, fraction] of solved ?? base) whole.set(firm, fraction);
  }
  const shares = new Map<string, Fraction>();
  for (const [holder, firms] of held) {
    const share = sum([...firms].map(([firm, units]) => fractionOf(units).times(whole.get(firm) ?? Fraction.zero)));
    if (!share.isZero) shares.set(holder, share);
  }
  return { shares, unsolved };
}

/** Every firm that holds something of the target, whatever the way; the target as well. */
function reaching(target: string, byFirm: ReadonlyMap<string, readonly Holding[]>): ReadonlySet<string> {
  const found = new Set([target]);
  for (const firm of found) for (const { holder } of byFirm.get(firm) ?? []) found.add(holder);
  return found;
}

/** What each firm of a loop brings as a whole; undefined where going round does not come to an end. */
function solveLoop(
  loop: readonly string[],
  base: ReadonlyMap<string, Fraction>,
  held: ReadonlyMap<string, ReadonlyMap<string, number>>,
): ReadonlyMap<string, Fraction> | undefined {
  if (loop.length > LARGEST_LOOP) return undefined;
  const rows = loop.map((firm, row) => {
    const { numerator, denominator } = (base.get(firm) ?? Fraction.zero).reduced();
    const coefficients = loop.map((next, column) => BigInt((row === column ? WHOLE : 0) - (held.get(firm)?.get(next) ?? 0)) * denominator);
    return [...coefficients, BigInt(WHOLE) * numerator];
  });
  const solution = solve(rows);
  // Shares are never negative, so a negative solution is that of a series without an end (Perron and Frobenius).
  if (solution === undefined || solution.some((fraction) => fraction.isNegative)) return undefined;
  return new Map(loop.map((firm, index) => [firm, (solution[index] as Fraction).reduced()]));
}

/** Strongly connected components, each after those that it leads to (Tarjan). */
function loopsOf(firms: readonly string[], next: (firm: string) => readonly string[]): string[][] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const onStack = new Set<string>();
  const loops: string[][] = [];
  for (const start of firms) {
    if (order.has(start)) continue;
    // By hand, not by recursion: a chain may be longer than the call stack.
    const path: { readonly firm: string; readonly rest: string[] }[] = [];
    const enter = (firm: string): void => {
      order.set(firm, order.size);
      lowest.set(firm, order.size - 1);
      stack.push(firm);
      onStack.add(firm);
      path.push({ firm, rest: [...next(firm)] });
    };
    enter(start);
    for (let at = path.at(-1); at !== undefined; at = path.at(-1)) {
      const { firm, rest } = at;
      const following = rest.pop();
      if (following !== undefined) {
        if (!order.has(following)) enter(following);
        else if (onStack.has(following)) lowest.set(firm, Math.min(lowest.get(firm) ?? 0, order.get(following) ?? 0));
        continue;
      }
      path.pop();
      const above = path.at(-1)?.firm;
      if (above !== undefined) lowest.set(above, Math.min(lowest.get(above) ?? 0, lowest.get(firm) ?? 0));
      if (lowest.get(firm) !== order.get(firm)) continue;
      const loop = stack.splice(stack.lastIndexOf(firm));
      for (const member of loop) onStack.delete(member);
      loops.push(loop);
    }
  }
  return loops;
}

function sum(fractions: readonly Fraction[]): Fraction {
  return fractions.reduce((total, fraction) => total.plus(fraction), Fraction.zero);
}
