// What a segment asks of a customer: a typed tree of conditions, up to three levels of groups deep, so that its cost has a bound and each
// node can be told by its place. How it is asked of the read models is views/segment-sql.ts.
import { z } from 'zod';
import { ClassifiedAs } from '../classification/events.ts';

const Few = <Item extends z.ZodType>(item: Item) => z.array(item).min(1).max(50);

const Amounts = {
  currency: z.string().regex(/^[A-Z]{3}$/, 'three capital letters by ISO 4217, such as CNY'),
  /** Minor units, inclusive; `below` exclusive. */
  atLeast: z.int().optional(),
  below: z.int().optional(),
};

const leaves = [
  z.strictObject({ is: z.literal('kind'), value: z.enum(['person', 'organisation']) }),
  z.strictObject({ is: z.literal('standing'), value: z.enum(['prospect', 'customer']) }),
  z.strictObject({ is: z.literal('branch'), in: Few(z.string().min(1).max(32)) }),
  z.strictObject({ is: z.literal('manager'), in: Few(z.string().min(1).max(128)) }),
  z.strictObject({ is: z.literal('tag'), tag: z.string().min(1).max(1_000) }),
  /** One of the values of a dimension, on the day of asking. */
  z.strictObject({ is: z.literal('classification'), dimension: ClassifiedAs.shape.dimension, in: Few(ClassifiedAs.shape.value) }),
  /** Of all open accounts in one currency that they own; what nobody tells counts as 0. */
  z.strictObject({ is: z.literal('balance'), ...Amounts }),
  z.strictObject({ is: z.literal('holds'), thing: z.enum(['account', 'loan', 'card', 'order']), product: z.string().min(1).max(200).optional() }),
  z.strictObject({ is: z.literal('ticket'), type: z.string().min(1).max(50).optional(), waiting: z.boolean().optional() }),
  z.strictObject({ is: z.literal('enrolled'), campaign: z.uuid() }),
] as const;

/** With groups of what `node` is. */
function grouped<Node extends z.ZodType>(node: Node) {
  return [
    ...leaves,
    z.strictObject({ is: z.literal('all'), of: z.array(node).min(1).max(20) }),
    z.strictObject({ is: z.literal('any'), of: z.array(node).min(1).max(20) }),
    z.strictObject({ is: z.literal('not'), of: node }),
  ] as const;
}

const Leaf = z.discriminatedUnion('is', leaves);
const Inner = z.discriminatedUnion('is', grouped(Leaf));
const Middle = z.discriminatedUnion('is', grouped(Inner));
export const Condition = z.discriminatedUnion('is', grouped(Middle));
export type Condition = z.output<typeof Condition>;
type Leaf = z.output<typeof Leaf>;

/** A tree as deep as it likes: what the three levels have in common. */
export type Node = Leaf | { readonly is: 'all' | 'any'; readonly of: readonly Node[] } | { readonly is: 'not'; readonly of: Node };

export interface PlacedNode {
  /** JSON Pointer into the condition; empty for the whole. */
  readonly path: string;
  readonly node: Node;
  /** What stands before it in the groups of `all` around it. */
  readonly before: readonly Node[];
}

export const MOST_NODES = 60;

/** Every node, the whole first. */
export function nodesOf(node: Node, path = '', before: readonly Node[] = []): PlacedNode[] {
  const here = { path, node, before };
  switch (node.is) {
    case 'all':
      return [here, ...node.of.flatMap((one, index) => nodesOf(one, `${path}/of/${index}`, [...before, ...node.of.slice(0, index)]))];
    case 'any':
      return [here, ...node.of.flatMap((one, index) => nodesOf(one, `${path}/of/${index}`, before))];
    case 'not':
      return [here, ...nodesOf(node.of, `${path}/of`, before)];
    default:
      return [here];
  }
}

/** The dimensions that it names, each once. */
export function dimensionsIn(condition: Node): readonly string[] {
  return [...new Set(nodesOf(condition).flatMap(({ node }) => (node.is === 'classification' ? [node.dimension] : [])))];
}

/** A node in words. */
export function inWords(node: Node): string {
  switch (node.is) {
    case 'all':
      return 'all of these';
    case 'any':
      return 'any of these';
    case 'not':
      return 'not this';
    case 'kind':
      return `a ${node.value}`;
    case 'standing':
      return `a ${node.value} of the bank`;
    case 'branch':
      return `in branch ${listed(node.in)}`;
    case 'manager':
      return `managed by ${listed(node.in)}`;
    case 'tag':
      return `tagged ${node.tag}`;
    case 'classification':
      return `${listed(node.in)} by ${node.dimension}`;
    case 'balance': {
      const from = node.atLeast === undefined ? [] : [`at least ${node.atLeast}`];
      const below = node.below === undefined ? [] : [`below ${node.below}`];
      return `a balance in ${node.currency} of ${[...from, ...below].join(' and ') || 'anything'}, in minor units`;
    }
    case 'holds':
      return `holds ${node.thing === 'account' || node.thing === 'order' ? 'an' : 'a'} ${node.thing}${node.product === undefined ? '' : ` ${node.product}`}`;
    case 'ticket':
      return `has a ticket${node.type === undefined ? '' : ` of type ${node.type}`}${node.waiting === true ? ' that waits' : ''}`;
    case 'enrolled':
      return `enrolled in campaign ${node.campaign}`;
  }
}

function listed(items: readonly string[]): string {
  return items.join(', ').replace(/, ([^,]*)$/, ' or $1');
}
