// Who a firm's beneficial owners are, computed as a proposal from its relations, by the four bases of 受益所有人信息管理办法 article 6 and 7:
// a share in its equity; else in its income or votes; else actual control; and where nobody fits, who manages it day by day.
// A firm of whom nobody recorded income rights or votes has them by equity (公司法 articles 65 and 210).
import { type Controller, controlledBy, votesIn, votesOf } from './control.ts';
import { Fraction, fractionOf, unitsOf, WHOLE } from './fraction.ts';
import { type Holding, ownershipOf } from './ownership.ts';
import { type Link, type Paths, pathsBetween } from './ownership-paths.ts';
import type { OwnerBasis, ShareBasis } from './vocabulary.ts';

export interface RecordedShare {
  /** Of its relation. */
  readonly id: string;
  readonly holder: string;
  readonly firm: string;
  readonly basis: ShareBasis;
  /** Exact decimal text. */
  readonly percent: string;
}

export interface Manager {
  /** Of its relation. */
  readonly id: string;
  readonly party: string;
  /** `senior-manager`, or `legal-representative` where no other is recorded. */
  readonly office: 'senior-manager' | 'legal-representative';
}

export interface OwnershipGraph {
  readonly target: string;
  readonly shares: readonly RecordedShare[];
  readonly controllers: readonly Controller[];
  /** Of the target. */
  readonly managers: readonly Manager[];
  readonly isPerson: (party: string) => boolean;
  /** Exact decimal text; the share itself is enough. */
  readonly threshold: string;
}

export interface PathStep extends Link {
  readonly by: 'share' | 'control' | 'office';
  /** Of a share. */
  readonly percent: string | null;
}

export interface OwnerPath {
  readonly basis: OwnerBasis;
  /** What this way brings; null of control and office. */
  readonly share: Fraction | null;
  readonly steps: readonly PathStep[];
}

export interface ProposedOwner {
  readonly party: string;
  /** The first that fits, and all that do, in the law's order. */
  readonly basis: OwnerBasis;
  readonly bases: readonly OwnerBasis[];
  readonly equity: Fraction;
  readonly income: Fraction;
  readonly voting: Fraction;
  readonly controls: boolean;
  readonly paths: readonly OwnerPath[];
  /** There are more paths, or loops to go round: the figures have them all. */
  readonly more: boolean;
}

export interface OwnerProposal {
  /** By their first basis, then by share; none where nobody is known. */
  readonly owners: readonly ProposedOwner[];
  /** Firms with such a share of whom no holder is recorded: where the ways end before a person. */
  readonly openEnds: readonly { readonly party: string; readonly share: Fraction }[];
  /** Firms of which more than 100 % is recorded. */
  readonly over: readonly { readonly firm: string; readonly basis: ShareBasis; readonly total: Fraction }[];
  /** Loops of firms without a solution: gone through, not round. */
  readonly unsolved: readonly (readonly string[])[];
}

const MOST_PATHS = 10;
const order: readonly OwnerBasis[] = ['equity', 'income', 'voting', 'control', 'manager'];

export function beneficialOwners(graph: OwnershipGraph): OwnerProposal {
  const { target, shares, controllers, isPerson } = graph;
  const threshold = fractionOf(unitsOf(graph.threshold));
  const equityHoldings = holdingsBy('equity', shares);
  const incomeHoldings = holdingsBy('income', shares);
  const voteHoldings = holdingsBy('voting', shares);
  const equity = ownershipOf(target, equityHoldings);
  const income = shares.some(({ basis }) => basis === 'income') ? ownershipOf(target, incomeHoldings) : equity;
  const votes = votesOf(voteHoldings, controllers);
  const links = {
    equity: equityHoldings.map((holding) => stepOf(holding)),
    income: incomeHoldings.map((holding) => stepOf(holding)),
    control: [
      ...voteHoldings.map((holding) => stepOf(holding)),
      ...controllers.map(({ id, controller, firm }): PathStep => ({ id, from: controller, to: firm, by: 'control', percent: null })),
    ],
  };
  const parties = [...new Set([...shares.map(({ holder }) => holder), ...controllers.map(({ controller }) => controller)])].sort();
  const owners = parties.filter(isPerson).flatMap((party): ProposedOwner[] => {
    const controlled = controlledBy(party, votes);
    const share = {
      equity: equity.shares.get(party) ?? Fraction.zero,
      income: income.shares.get(party) ?? Fraction.zero,
      voting: fractionOf(votesIn(target, party, controlled, votes)),
    };
    const controls = controlled.has(target);
    const bases = order.filter((basis) => (basis === 'control' ? controls : basis !== 'manager' && share[basis].compare(threshold) >= 0));
    const [basis] = bases;
    if (basis === undefined) return [];
    const within = links.control.filter(({ from, to }) => (from === party || controlled.has(from)) && (to === target || controlled.has(to)));
    const ways = bases.map((one) => waysBy(one, one === 'equity' || one === 'income' ? links[one] : within, party, target));
    return [{ party, basis, bases, ...share, controls, paths: ways.flatMap(({ paths }) => paths), more: ways.some(({ more }) => more) }];
  });
  const unsolved = [...new Map([...equity.unsolved, ...income.unsolved].map((loop) => [loop.join(), loop])).values()];
  return {
    owners: owners.length > 0 ? owners.sort(byBasis) : managersOf(graph),
    openEnds: openEndsOf(equity.shares, equityHoldings, isPerson, threshold, target),
    over: overOf(shares),
    unsolved,
  };
}

/** What counts as held on a basis: what is recorded on it, or for a firm without any, its equity. */
function holdingsBy(basis: ShareBasis, shares: readonly RecordedShare[]): Holding[] {
  const own = new Set(shares.filter((share) => share.basis === basis).map(({ firm }) => firm));
  return shares
    .filter((share) => share.basis === basis || (share.basis === 'equity' && !own.has(share.firm)))
    .map(({ id, holder, firm, percent }) => ({ id, holder, firm, units: unitsOf(percent) }));
}

function stepOf({ id, holder, firm, units }: Holding): PathStep {
  return { id, from: holder, to: firm, by: 'share', percent: fractionOf(units).toPercent() };
}

function waysBy(basis: OwnerBasis, links: readonly PathStep[], party: string, target: string): { paths: OwnerPath[]; more: boolean } {
  const { paths, more }: Paths<PathStep> = pathsBetween(party, target, links, MOST_PATHS);
  const shareOf = (steps: readonly PathStep[]): Fraction | null => {
    if (basis === 'control') return null;
    // Votes pass whole through whom one controls: the last step's are cast.
    const counted = basis === 'voting' ? steps.slice(-1) : steps;
    return counted.reduce((product, { percent }) => product.times(fractionOf(percent === null ? WHOLE : unitsOf(percent))), Fraction.one);
  };
  // A vote is cast by a holding: a step of control at the end is none.
  const counting = basis === 'voting' ? paths.filter((steps) => steps.at(-1)?.by === 'share') : paths;
  return { paths: counting.map((steps) => ({ basis, share: shareOf(steps), steps })), more };
}

/** Where nobody owns or controls it: who manages it day by day, and where nobody is recorded as such, who represents it by law. */
function managersOf({ managers, isPerson, target }: OwnershipGraph): ProposedOwner[] {
  const persons = managers.filter(({ party }) => isPerson(party));
  const senior = persons.filter(({ office }) => office === 'senior-manager');
  const counting = senior.length > 0 ? senior : persons;
  return [...Map.groupBy(counting, ({ party }) => party)]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([party, offices]) => ({
      party,
      basis: 'manager',
      bases: ['manager'],
      equity: Fraction.zero,
      income: Fraction.zero,
      voting: Fraction.zero,
      controls: false,
      paths: offices.map(({ id }) => ({ basis: 'manager', share: null, steps: [{ id, from: party, to: target, by: 'office', percent: null }] })),
      more: false,
    }));
}

function openEndsOf(
  shares: ReadonlyMap<string, Fraction>,
  holdings: readonly Holding[],
  isPerson: (party: string) => boolean,
  threshold: Fraction,
  target: string,
): OwnerProposal['openEnds'] {
  const owned = new Set(holdings.map(({ firm }) => firm));
  return [...shares]
    .filter(([party, share]) => party !== target && !isPerson(party) && !owned.has(party) && share.compare(threshold) >= 0)
    .map(([party, share]) => ({ party, share }))
    .sort((one, other) => other.share.compare(one.share) || (one.party < other.party ? -1 : 1));
}

function overOf(shares: readonly RecordedShare[]): OwnerProposal['over'] {
  return [...Map.groupBy(shares, ({ firm, basis }) => `${firm} ${basis}`).values()]
    .map((some) => ({
      firm: some[0]?.firm ?? '',
      basis: some[0]?.basis ?? 'equity',
      total: fractionOf(some.reduce((sum, { percent }) => sum + unitsOf(percent), 0)),
    }))
    .filter(({ total }) => total.compare(Fraction.one) > 0)
    .sort((one, other) => (one.firm + one.basis < other.firm + other.basis ? -1 : 1));
}

function byBasis(one: ProposedOwner, other: ProposedOwner): number {
  return (
    order.indexOf(one.basis) - order.indexOf(other.basis) ||
    other.equity.compare(one.equity) ||
    other.voting.compare(one.voting) ||
    (one.party < other.party ? -1 : 1)
  );
}
