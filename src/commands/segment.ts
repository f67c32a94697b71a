// Commands on segments. The rules are in domain/segment/; who is in one is asked by api/segment-routes.ts.
import { z } from 'zod';
import { type DimensionState, definitionOf } from '../domain/classification/dimensions.ts';
import { Tag, tagOf } from '../domain/customer/tags.ts';
import { Condition, dimensionsIn, type Node, nodesOf } from '../domain/segment/condition.ts';
import { SegmentId } from '../domain/segment/events.ts';
import { type SegmentCommand, type SegmentState, segment, segmentChangedBy } from '../domain/segment/segment.ts';
import { dimensionReference } from './classification.ts';
import { type AnyCommand, type CommandContext, defineCommand } from './command.ts';

const definers = ['rm', 'operations', 'product'] as const;
const segmentParams = z.strictObject({ segmentId: SegmentId });

/** Whose tags are such as customers can have: as they are spelt, others would be no condition any more. */
export const AskedCondition = Condition.superRefine((condition, context) => {
  for (const { path, node } of nodesOf(condition)) {
    const wrong = node.is === 'tag' ? Tag.safeParse(node.tag).error : undefined;
    for (const { message } of wrong?.issues ?? []) context.addIssue({ code: 'custom', message, path: [...path.split('/').slice(1), 'tag'] });
  }
});
const body = z.strictObject({ name: z.string().trim().min(1).max(100), condition: AskedCondition });
type Body = z.output<typeof body>;

const ofSegment = {
  category: 'segment',
  decider: segment,
  roles: definers,
  rejections: { SegmentNotFound: 404, SegmentTooLarge: 422, DimensionUnknown: 422, BoundsReversed: 422 },
} as const;
const onSegment = {
  ...ofSegment,
  params: segmentParams,
  target: ({ segmentId }: z.output<typeof segmentParams>) => segmentId,
  visibleTo: ({ owner }: SegmentState, actor: CommandContext['actor']): boolean => segmentChangedBy(owner, actor),
} as const;
const refersTo = ({ body: { condition } }: { readonly body: Body }) => dimensionsIn(condition).map(dimensionReference);

export const defineSegment = defineCommand({
  ...ofSegment,
  name: 'DefineSegment',
  summary: 'Define a segment of customers by a tree of conditions',
  route: 'POST /v1/segments',
  params: z.strictObject({}),
  body,
  refersTo,
  command: (asked, context): SegmentCommand => ({ do: 'define', segmentId: context.id, ...definition(asked, context) }),
});

export const redefineSegment = defineCommand({
  ...onSegment,
  name: 'RedefineSegment',
  summary: 'Define a segment anew, whole, as its next version',
  route: 'POST /v1/segments/{segmentId}',
  body,
  refersTo,
  command: (asked, context): SegmentCommand => ({ do: 'redefine', segmentId: context.id, ...definition(asked, context) }),
});

export const retireSegment = defineCommand({
  ...onSegment,
  name: 'RetireSegment',
  summary: 'Retire a segment: it is listed no more',
  route: 'DELETE /v1/segments/{segmentId}',
  body: z.strictObject({}),
  command: (_, { id }): SegmentCommand => ({ do: 'retire', segmentId: id }),
});

export const segmentCommands: readonly AnyCommand[] = [defineSegment, redefineSegment, retireSegment];

function definition({ body: { name, condition } }: { readonly body: Body }, { actor, referred }: CommandContext) {
  const codes = dimensionsIn(condition);
  const dimensions = codes.filter((code, index) => isReadBy(actor.role, code, referred[index] as DimensionState));
  return { name, condition: speltCondition(condition), by: { subject: actor.subject, role: actor.role }, dimensions };
}

/** Whether a role may ask by a dimension. Who sees figures and nobody's identity may by any that there is. */
export function isReadBy(role: string, code: string, state: DimensionState): boolean {
  const readBy = definitionOf(code, state)?.definition.readBy;
  return readBy !== undefined && (role === 'product' || readBy.some((one) => one === role));
}

/** With tags as tags are spelt. */
export function speltCondition(condition: Condition): Condition {
  return spelt(condition) as Condition;
}

function spelt(node: Node): Node {
  switch (node.is) {
    case 'all':
    case 'any':
      return { ...node, of: node.of.map(spelt) };
    case 'not':
      return { ...node, of: spelt(node.of) };
    case 'tag':
      return { ...node, tag: tagOf(node.tag) };
    default:
      return node;
  }
}
