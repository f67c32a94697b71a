// Who may belong together, from the relations that a reader sees: persons of one household or family by kinship, firms by whoever controls
// them. Each with the relations that say so. A proposal and nothing more: a person forms the group.
import { type Controller, controlledBy, type Votes, votesOf } from '../domain/relationship/control.ts';
import { unitsOf } from '../domain/relationship/fraction.ts';
import { pathsBetween } from '../domain/relationship/ownership-paths.ts';
import type { RelationGraph } from './relation-graph.ts';
import { type NetworkEdge, type NetworkNode, NetworkWalk, networkAround, type Sees } from './relation-network.ts';

export interface ProposedGroup {
  /** Keys of those proposed, the head first: only such as the reader may see. */
  readonly members: readonly string[];
  /** The relations by which each but the head comes in, in order from whom they are found. */
  readonly reasons: ReadonlyMap<string, readonly NetworkEdge[]>;
  readonly nodes: ReadonlyMap<string, NetworkNode>;
  readonly cut: boolean;
}

type Party = { readonly id: string; readonly kind: string };

const MOST_MEMBERS = 100;
/** By kind: which relations tie, and how many of them away. */
const kinship = {
  household: { types: ['spouse', 'parent', 'guardian', 'same-address'], depth: 2 },
  family: { types: ['spouse', 'parent', 'sibling', 'guardian'], depth: 4 },
} as const;
const control = ['shareholder', 'actual-controller'] as const;

export async function proposedKin(graph: RelationGraph, root: Party, kind: keyof typeof kinship, sees: Sees): Promise<ProposedGroup> {
  const { types, depth } = kinship[kind];
  const { nodes, edges, cut } = await networkAround(graph, root, { depth, nodes: MOST_MEMBERS, types }, sees);
  const known = new Map(nodes.map((node) => [node.key, node]));
  const members = nodes.filter((node) => node.isSeen && node.kind === 'person').map(({ key }) => key);
  const ties = edges.flatMap((tie) => [linkOf(tie, tie.party, tie.of), linkOf(tie, tie.of, tie.party)]);
  return { members, reasons: reasonsFor(root.id, members, ties), nodes: known, cut };
}

/** Firms under one control: upward from the firm to whoever controls it and is controlled by nobody, and from there down. */
export async function proposedFirms(graph: RelationGraph, root: Party, sees: Sees): Promise<ProposedGroup> {
  const walk = new NetworkWalk(root, sees, MOST_MEMBERS * 5);
  let frontier = [root.id];
  for (let level = 1; frontier.length > 0; level += 1) {
    const { edges, cut } = await graph.around(frontier, { types: control, only: 'into' });
    if (cut) walk.cut = true;
    frontier = await walk.take(edges, level);
  }
  const upward = votesAmong(walk);
  const controlling = new Map(
    [...walk.nodes.keys()].map((key) => [key, controlledBy(key, upward)] as const).filter(([key, firms]) => key !== root.id && firms.has(root.id)),
  );
  const controlledItself = new Set([...controlling].flatMap(([key, firms]) => [...firms].filter((firm) => firm !== key)));
  const top = [...controlling.keys()].filter((key) => !controlledItself.has(key)).sort()[0] ?? root.id;
  await walkDown(graph, walk, top);
  const controlled = controlledBy(top, votesAmong(walk));
  const members = [top, ...[...controlled].sort()].filter((key) => key !== '' && walk.nodes.get(key)?.isSeen === true);
  const links = walk.edges
    .filter(({ party, of }) => (party === top || controlled.has(party)) && controlled.has(of))
    .map((tie) => linkOf(tie, tie.party, tie.of));
  return { members, reasons: reasonsFor(top, members, links), nodes: walk.nodes, cut: walk.cut };
}

/** From whoever is on top to all that they control: of each firm held also who else holds it, as that decides the votes. */
async function walkDown(graph: RelationGraph, walk: NetworkWalk, top: string): Promise<void> {
  const walked = new Set<string>();
  for (let level = 1; ; level += 1) {
    const next = [top, ...controlledBy(top, votesAmong(walk))].filter((key) => !walked.has(key) && walk.nodes.get(key)?.isSeen === true);
    if (next.length === 0) return;
    for (const key of next) walked.add(key);
    const down = await graph.around(next, { types: control });
    const held = await walk.take(down.edges, level);
    const into = await graph.around(held, { types: control, only: 'into' });
    await walk.take(into.edges, level + 1);
    if (down.cut || into.cut) walk.cut = true;
  }
}

/** Votes are as recorded of a firm, or where nobody recorded any, by equity. */
function votesAmong({ edges }: NetworkWalk): Votes {
  const shares = edges.flatMap(({ edge, party, of }) =>
    edge.version.share === null ? [] : [{ id: edge.id, holder: party, firm: of, ...edge.version.share }],
  );
  const voting = new Set(shares.filter(({ basis }) => basis === 'voting').map(({ firm }) => firm));
  const counting = shares.filter(({ basis, firm }) => basis === (voting.has(firm) ? 'voting' : 'equity'));
  const controllers = edges.flatMap(({ edge, party, of }): Controller[] =>
    edge.type === 'actual-controller' ? [{ id: edge.id, controller: party, firm: of }] : [],
  );
  return votesOf(
    counting.map(({ id, holder, firm, percent }) => ({ id, holder, firm, units: unitsOf(percent) })),
    controllers,
  );
}

function linkOf(tie: NetworkEdge, from: string, to: string) {
  return { id: tie.edge.id, from, to, tie };
}

function reasonsFor(
  head: string,
  members: readonly string[],
  links: readonly ReturnType<typeof linkOf>[],
): ReadonlyMap<string, readonly NetworkEdge[]> {
  return new Map(members.filter((key) => key !== head).map((key) => [key, (pathsBetween(head, key, links, 1).paths[0] ?? []).map(({ tie }) => tie)]));
}
