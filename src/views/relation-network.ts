// Who stands around a party, and by which ways two parties are tied. Walked level by level through parties that the reader may see. One
// that they may not see stands in the file of each who is tied to it, by name: it is a leaf there, of that file alone, so that nothing is
// told of what lies behind it, not even that two files name the same one.
import type { RelationEdge, RelationGraph } from './relation-graph.ts';

/** Of some parties those that the reader may see. */
export type Sees = (ids: readonly string[]) => Promise<ReadonlySet<string>>;

export interface NetworkNode {
  /** The party's id, or `via-<relation id>` of one that may not be seen. */
  readonly key: string;
  readonly party: string;
  readonly isSeen: boolean;
  readonly kind: string;
  /** Relations away from where the walk began. */
  readonly depth: number;
}

export interface NetworkEdge {
  readonly edge: RelationEdge;
  /** Keys of `party` and `of`. */
  readonly party: string;
  readonly of: string;
}

export interface Network {
  readonly nodes: readonly NetworkNode[];
  readonly edges: readonly NetworkEdge[];
  /** There is more than was walked. */
  readonly cut: boolean;
}

export interface NetworkLimits {
  readonly depth: number;
  readonly nodes: number;
}

/** A walk's parties and ties so far. */
export class NetworkWalk {
  readonly nodes = new Map<string, NetworkNode>();
  readonly edges: NetworkEdge[] = [];
  cut = false;
  readonly #edgeIds = new Set<string>();
  readonly #leaves = new Map<string, string>();
  readonly #seen: Set<string>;
  readonly #hidden = new Set<string>();
  readonly #sees: Sees;
  readonly #most: number;

  constructor(root: { readonly id: string; readonly kind: string }, sees: Sees, most: number) {
    this.#seen = new Set([root.id]);
    this.#sees = sees;
    this.#most = most;
    this.nodes.set(root.id, { key: root.id, party: root.id, isSeen: true, kind: root.kind, depth: 0 });
  }

  /** Takes in the relations of a level. Gives the parties to go on from. */
  async take(edges: readonly RelationEdge[], depth: number): Promise<string[]> {
    const unknown = new Set(edges.flatMap(({ party, of }) => [party, of]).filter((id) => !this.#seen.has(id) && !this.#hidden.has(id)));
    const seen = await this.#sees([...unknown]);
    for (const id of unknown) (seen.has(id) ? this.#seen : this.#hidden).add(id);
    const onward: string[] = [];
    for (const edge of edges) {
      if (this.#edgeIds.has(edge.id)) continue;
      const party = this.#keyOf(edge.party, edge.of, edge.id);
      const of = this.#keyOf(edge.of, edge.party, edge.id);
      const added = [
        { key: party, party: edge.party, kind: edge.partyKind },
        { key: of, party: edge.of, kind: edge.ofKind },
      ].filter(({ key }) => !this.nodes.has(key));
      if (this.nodes.size + added.length > this.#most) {
        this.cut = true;
        continue;
      }
      for (const node of added) {
        const isSeen = this.#seen.has(node.party);
        this.nodes.set(node.key, { ...node, isSeen, depth });
        if (isSeen) onward.push(node.party);
      }
      this.#edgeIds.add(edge.id);
      this.edges.push({ edge, party, of });
    }
    return onward;
  }

  #keyOf(id: string, inFileOf: string, relationId: string): string {
    if (this.#seen.has(id)) return id;
    const name = `${inFileOf} ${id}`;
    const key = this.#leaves.get(name) ?? `via-${relationId}`;
    this.#leaves.set(name, key);
    return key;
  }

  result(): Network {
    return { nodes: [...this.nodes.values()], edges: this.edges, cut: this.cut };
  }
}

export async function networkAround(
  graph: RelationGraph,
  root: { readonly id: string; readonly kind: string },
  { depth, nodes, types }: NetworkLimits & { readonly types?: readonly string[] | undefined },
  sees: Sees,
): Promise<Network> {
  const walk = new NetworkWalk(root, sees, nodes);
  let frontier = [root.id];
  for (let level = 1; level <= depth && frontier.length > 0; level += 1) {
    const { edges, cut } = await graph.around(frontier, { types });
    if (cut) walk.cut = true;
    frontier = await walk.take(edges, level);
  }
  return walk.result();
}

export interface ShortestPaths {
  /** Ties from the start to the end, each in order. */
  readonly paths: readonly (readonly NetworkEdge[])[];
  readonly nodes: readonly NetworkNode[];
  readonly cut: boolean;
}

/** Every shortest way between two parties through such as the reader may see; none where there is none within the limits. */
export async function shortestPaths(
  graph: RelationGraph,
  root: { readonly id: string; readonly kind: string },
  to: string,
  { depth, nodes, most }: NetworkLimits & { readonly most: number },
  sees: Sees,
): Promise<ShortestPaths> {
  const walk = new NetworkWalk(root, sees, nodes);
  let frontier = [root.id];
  for (let level = 1; level <= depth && frontier.length > 0 && !walk.nodes.has(to); level += 1) {
    const { edges, cut } = await graph.around(frontier);
    if (cut) walk.cut = true;
    frontier = await walk.take(edges, level);
  }
  const { paths, more } = root.id === to ? { paths: [], more: false } : backFrom(to, walk, most);
  const used = new Set([root.id, ...paths.flat().flatMap(({ party, of }) => [party, of])]);
  // Whoever was reached last was not asked for whom they lead to.
  const isShort = frontier.length > 0 && !walk.nodes.has(to);
  return { paths, nodes: [...walk.nodes.values()].filter(({ key }) => used.has(key)), cut: walk.cut || more || isShort };
}

/** Ways from a node back to the root, each step one level nearer. */
function backFrom(to: string, { nodes, edges }: NetworkWalk, most: number): { readonly paths: NetworkEdge[][]; readonly more: boolean } {
  const depthOf = (key: string): number => nodes.get(key)?.depth ?? Number.POSITIVE_INFINITY;
  const ties = Map.groupBy(
    edges.flatMap((tie) => [
      { at: tie.party, next: tie.of, tie },
      { at: tie.of, next: tie.party, tie },
    ]),
    ({ at }) => at,
  );
  let paths: { readonly at: string; readonly path: NetworkEdge[] }[] = nodes.has(to) ? [{ at: to, path: [] }] : [];
  let more = false;
  while (paths[0] !== undefined && depthOf(paths[0].at) > 0) {
    const longer = paths.flatMap(({ at, path }) =>
      (ties.get(at) ?? []).filter(({ next }) => depthOf(next) === depthOf(at) - 1).map(({ next, tie }) => ({ at: next, path: [tie, ...path] })),
    );
    if (longer.length > most) more = true;
    paths = longer.slice(0, most);
  }
  return { paths: paths.map(({ path }) => path), more };
}
