// What a firm's beneficial owners are computed from: whoever holds, controls or manages it, and what holds or controls those, as far as
// the reader may see.
import type { OwnershipGraph, RecordedShare } from '../domain/relationship/beneficial-owners.ts';
import type { Controller } from '../domain/relationship/control.ts';
import type { RelationGraph } from './relation-graph.ts';
import { type NetworkNode, NetworkWalk, type Sees } from './relation-network.ts';

/** Parties looked at, at most, and how long a chain of firms may be. */
const MOST_PARTIES = 500;
const LONGEST_CHAIN = 50;
const onTheWay = ['shareholder', 'actual-controller'] as const;
const offices = ['senior-manager', 'legal-representative'] as const;

export interface OwnerGraph extends Omit<OwnershipGraph, 'threshold'> {
  readonly nodes: ReadonlyMap<string, NetworkNode>;
  /** There is more than was looked at. */
  readonly cut: boolean;
}

export async function ownerGraphOf(graph: RelationGraph, firm: { readonly id: string; readonly kind: string }, sees: Sees): Promise<OwnerGraph> {
  const walk = new NetworkWalk(firm, sees, MOST_PARTIES);
  let frontier = [firm.id];
  for (let level = 1; frontier.length > 0; level += 1) {
    const { edges, cut } = await graph.around(frontier, { types: level === 1 ? [...onTheWay, ...offices] : onTheWay, only: 'into' });
    if (cut || (level > LONGEST_CHAIN && edges.length > 0)) walk.cut = true;
    if (level > LONGEST_CHAIN) break;
    frontier = await walk.take(edges, level);
  }
  const shares: RecordedShare[] = [];
  const controllers: Controller[] = [];
  const managers: OwnershipGraph['managers'][number][] = [];
  for (const { edge, party, of } of walk.edges) {
    const { id, type, version } = edge;
    if (type === 'actual-controller') controllers.push({ id, controller: party, firm: of });
    else if (type === 'senior-manager' || type === 'legal-representative') managers.push({ id, party, office: type });
    else if (version.share !== null) shares.push({ id, holder: party, firm: of, ...version.share });
  }
  const isPerson = (key: string): boolean => walk.nodes.get(key)?.kind === 'person';
  return { target: firm.id, shares, controllers, managers, isPerson, nodes: walk.nodes, cut: walk.cut };
}
