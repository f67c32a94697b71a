// GET /v1/customers/{customerId}/beneficial-owners: who owns or controls a firm in the end, as computed from its relations, beside who a
// person confirmed, as of any day. Computed is a proposal and nothing more. Confirming is a command.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { beneficialOwners, type OwnerProposal } from '../domain/relationship/beneficial-owners.ts';
import type { Fraction } from '../domain/relationship/fraction.ts';
import { ownerThresholdOn } from '../domain/relationship/owner-threshold.ts';
import { type Confirmation, confirmationsOf } from '../views/owner-confirmations.ts';
import { type OwnerGraph, ownerGraphOf } from '../views/owner-graph.ts';
import { relationProjections } from '../views/relation-graph.ts';
import type { NetworkNode } from '../views/relation-network.ts';
import type { CustomerAccess } from './customer-access.ts';
import { customerParams, customerReaders } from './customer-route-parts.ts';
import { PersonalValue } from './customer-view.ts';
import { readRoute } from './read-route.ts';
import {
  fieldsFor,
  momentAnswer,
  momentParameters,
  openAt,
  Party,
  partyShown,
  type RelationRouteParts,
  seesWholeBank,
  showingFor,
} from './relation-route-parts.ts';

const Percent = z.string().meta({ description: 'Rounded to six decimals; thresholds are compared exactly' });
const Exact = z.string().nullable().meta({ description: 'Of one, as a fraction; null where it is too long to read' });
const Step = z.strictObject({
  relation: z.string(),
  from: z.string(),
  to: z.string(),
  by: z.enum(['share', 'control', 'office']),
  percent: z.string().nullable(),
});
const Owner = z.strictObject({
  party: z.string(),
  basis: z.string().meta({ description: 'The first that fits: `equity`, `income`, `voting`, `control`; `manager` where nobody fits' }),
  bases: z.array(z.string()),
  equity: Percent,
  income: Percent,
  voting: Percent,
  exact: z.strictObject({ equity: Exact, income: Exact, voting: Exact }),
  controls: z.boolean().meta({ description: 'Has the whole, by more than half of the votes at each step, or as the actual controller' }),
  paths: z.array(z.strictObject({ basis: z.string(), percent: z.string().nullable(), steps: z.array(Step) })),
  more: z.boolean().meta({ description: 'There are more paths; the figures have all of them, loops included' }),
});
const Proposal = z.strictObject({
  applies: z.boolean().meta({ description: 'Not of a person' }),
  owners: z.array(Owner),
  openEnds: z
    .array(z.strictObject({ party: z.string(), percent: Percent }))
    .meta({ description: 'Firms with such a share of whom no holder is known here: the way ends before a person' }),
  over: z
    .array(z.strictObject({ party: z.string(), basis: z.string(), percent: Percent }))
    .meta({ description: 'Of whom more than 100 % is recorded' }),
  unsolved: z.array(z.array(z.string())).meta({ description: 'Firms that hold one another without a solution: gone through, not round' }),
  cut: z.boolean().meta({ description: 'There is more than was looked at' }),
});
const Confirmed = z.strictObject({
  revision: z.int(),
  from: z.string().meta({ description: 'Since when they are' }),
  owners: z.array(z.strictObject({ party: z.string(), basis: z.string(), percent: z.string().nullable(), relation: z.string().nullable() })),
  methods: z.array(z.string()),
  evidence: PersonalValue,
  reviewDueOn: z.string(),
  overdue: z.boolean().meta({ description: 'Whether the review is past due on the day' }),
  confirmedBy: z.string(),
  confirmedAs: z.string(),
  confirmedAt: z.string(),
});

const EXACT_LENGTH = 60;

export function beneficialOwnerRoutes(app: FastifyInstance, parts: RelationRouteParts, access: CustomerAccess): void {
  const { positions, pool } = parts;

  readRoute(app, parts, {
    name: 'GetBeneficialOwners',
    summary: 'Who owns or controls a firm in the end: computed as a proposal, and as a person confirmed it',
    route: 'GET /v1/customers/{customerId}/beneficial-owners',
    roles: customerReaders,
    params: customerParams,
    query: z.strictObject(momentParameters),
    answer: z.strictObject({
      customer: z.string(),
      day: z.string(),
      threshold: z.strictObject({ percent: z.string(), from: z.string(), law: z.string() }),
      covers: z.enum(['whole-bank', 'visible']).meta({ description: '`visible`: computed from what you may see alone' }),
      proposal: Proposal,
      confirmed: Confirmed.nullable().meta({ description: 'What counts on the day' }),
      agrees: z.boolean().nullable().meta({ description: 'Whether those proposed are those confirmed; null where nobody confirmed' }),
      confirmations: z.array(Confirmed).meta({ description: 'All of them, the newest first' }),
      parties: z.array(Party).meta({ description: 'Whoever is named above' }),
      ...momentAnswer,
    }),
    projections: relationProjections,
    personal: true,
    read: async ({ params: { customerId }, query, actor, record, denied, etag }) => {
      const opened = await openAt(parts, access, customerId, query, actor);
      if (!opened) throw await denied([customerId]);
      const { moment, graph, root, sees } = opened;
      const threshold = ownerThresholdOn(moment.day);
      const [owners, confirmations] = await Promise.all([ownerGraphOf(graph, root, sees), confirmationsOf(pool, customerId, moment.known)]);
      const proposal = beneficialOwners({ ...owners, threshold: threshold.percent });
      const confirmed = confirmations.find(({ from }) => from <= moment.day);
      const named = await partiesNamed(owners, proposal, confirmations, sees);
      const ids = [...named.values()].map(({ party }) => party);
      const [{ showing, nameOf }] = await Promise.all([
        showingFor(
          parts,
          ids,
          moment,
          actor,
          confirmations.map(({ evidence }) => evidence),
        ),
        record({ ids: [...new Set([customerId, ...ids])], fields: fieldsFor(actor, ['name', 'evidence']) }),
      ]);
      const shown = ({ evidence, owners: some, ...confirmation }: Confirmation): z.output<typeof Confirmed> => ({
        ...confirmation,
        owners: some.map(({ party, basis, percent, relation }, index) => ({
          party: confirmedKey(confirmation.revision, index, party, named),
          ...{ basis, percent, relation },
        })),
        evidence: showing.text('evidence', 'hidden', evidence),
        overdue: confirmation.reviewDueOn < moment.day,
      });
      const newest = Math.max(-1, ...confirmations.map(({ revision }) => revision));
      if (newest >= 0) etag(newest);
      return {
        customer: customerId,
        day: moment.day,
        threshold: { ...threshold },
        covers: seesWholeBank(actor) ? ('whole-bank' as const) : ('visible' as const),
        proposal: { applies: root.kind === 'organisation', ...proposalShown(proposal), cut: owners.cut },
        confirmed: confirmed ? shown(confirmed) : null,
        agrees: confirmed ? agree(proposal, owners, confirmed) : null,
        confirmations: confirmations.toSorted((one, other) => other.revision - one.revision).map(shown),
        parties: [...named.values()].map((node) => partyShown(node, nameOf)),
        asOf: query.asOf ?? null,
        knownAt: query.knownAt ?? null,
        position: positions.seal(moment.known, actor),
      };
    },
  });
}

function proposalShown({ owners, openEnds, over, unsolved }: OwnerProposal): Omit<z.output<typeof Proposal>, 'applies' | 'cut'> {
  return {
    owners: owners.map(({ party, basis, bases, equity, income, voting, controls, paths, more }) => ({
      ...{ party, basis, bases: [...bases] },
      equity: equity.toPercent(),
      income: income.toPercent(),
      voting: voting.toPercent(),
      exact: { equity: exactOf(equity), income: exactOf(income), voting: exactOf(voting) },
      controls,
      paths: paths.map((path) => ({
        basis: path.basis,
        percent: path.share?.toPercent() ?? null,
        steps: path.steps.map(({ id: relation, from, to, by, percent }) => ({ relation, from, to, by, percent })),
      })),
      more,
    })),
    openEnds: openEnds.map(({ party, share }) => ({ party, percent: share.toPercent() })),
    over: over.map(({ firm: party, basis, total }) => ({ party, basis, percent: total.toPercent() })),
    unsolved: unsolved.map((loop) => [...loop]),
  };
}

function exactOf(fraction: Fraction): string | null {
  const text = String(fraction);
  return text.length > EXACT_LENGTH ? null : text;
}

/** By key: those of the proposal and its paths, and those confirmed. Who may not be seen has a key of this answer alone. */
async function partiesNamed(
  { nodes, target }: OwnerGraph,
  { owners, openEnds, over, unsolved }: OwnerProposal,
  confirmations: readonly Confirmation[],
  sees: (ids: readonly string[]) => Promise<ReadonlySet<string>>,
): Promise<ReadonlyMap<string, NetworkNode>> {
  const keys = new Set([
    target,
    ...owners.flatMap(({ party, paths }) => [party, ...paths.flatMap(({ steps }) => steps.flatMap(({ from, to }) => [from, to]))]),
    ...openEnds.map(({ party }) => party),
    ...over.map(({ firm }) => firm),
    ...unsolved.flat(),
  ]);
  const named = new Map([...keys].flatMap((key) => (nodes.has(key) ? [[key, nodes.get(key) as NetworkNode] as const] : [])));
  const seen = await sees([...new Set(confirmations.flatMap(({ owners: some }) => some.map(({ party }) => party)))]);
  for (const { revision, owners: some } of confirmations)
    for (const [index, { party }] of some.entries()) {
      const isSeen = seen.has(party);
      const key = isSeen ? party : hiddenKey(revision, index);
      if (!named.has(key)) named.set(key, { key, party, isSeen, kind: 'person', depth: 0 });
    }
  return named;
}

function confirmedKey(revision: number, index: number, party: string, named: ReadonlyMap<string, NetworkNode>): string {
  return named.get(hiddenKey(revision, index))?.key ?? party;
}

function hiddenKey(revision: number, index: number): string {
  return `confirmed-${revision}-${index}`;
}

function agree({ owners }: OwnerProposal, { nodes }: OwnerGraph, confirmed: Confirmation): boolean {
  const proposed = new Set(owners.map(({ party }) => nodes.get(party)?.party ?? party));
  return new Set(confirmed.owners.map(({ party }) => party)).symmetricDifference(proposed).size === 0;
}
