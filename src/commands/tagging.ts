// Commands on the vocabulary of tags and on jobs that tag or untag many. The rules are in domain/tagging/, who works on jobs is
// processes/tag-jobs.ts; one customer's tags are commands/customer.ts.
import { z } from 'zod';
import type { DimensionState } from '../domain/classification/dimensions.ts';
import { CustomerId } from '../domain/customer/events.ts';
import { Tag } from '../domain/customer/tags.ts';
import { CalendarDate } from '../domain/kernel/calendar-date.ts';
import { dateOf } from '../domain/kernel/source.ts';
import { dimensionsIn, MOST_NODES, nodesOf } from '../domain/segment/condition.ts';
import { type TagEntryCommand, type TagEntryState, tagEntry } from '../domain/tagging/entry.ts';
import { TagAction, TagCounts, TagFilter, TagJobId } from '../domain/tagging/events.ts';
import { type TagJobCommand, tagJob, tagJobVisibleTo } from '../domain/tagging/tag-job.ts';
import { dimensionReference } from './classification.ts';
import { type AnyCommand, type CommandContext, defineCommand, type Reference } from './command.ts';
import { sourceIdOf } from './command-id.ts';
import { AskedCondition, isReadBy, speltCondition } from './segment.ts';

const FreeText = (max: number) => z.string().trim().min(1).max(max);
const nothing = z.strictObject({});

/** The id of a tag's entry in the vocabulary. */
export function tagIdOf(tag: string): string {
  return sourceIdOf('tag', 'vocabulary', tag);
}

const tagParams = z.strictObject({ tag: Tag });
const onTag = {
  category: 'tag',
  decider: tagEntry,
  roles: ['operations'],
  rejections: { TagNotFound: 404 },
  params: tagParams,
  target: ({ tag }: z.output<typeof tagParams>) => tagIdOf(tag),
} as const;

export const defineTag = defineCommand({
  ...onTag,
  name: 'DefineTag',
  summary: 'Take a tag into the vocabulary, or change its entry, whole',
  route: 'POST /v1/tags/{tag}',
  body: z.strictObject({
    colour: z
      .string()
      .regex(/^#[0-9a-f]{6}$/i, 'a colour such as #d4af37')
      .toLowerCase()
      .optional(),
    group: FreeText(64).optional(),
    owner: FreeText(128).optional(),
    description: FreeText(500).optional(),
    expiresOn: CalendarDate.optional(),
  }),
  command: ({ params, body }): TagEntryCommand => ({ do: 'define', tag: params.tag, entry: body }),
});

export const retireTag = defineCommand({
  ...onTag,
  name: 'RetireTag',
  summary: 'Take a tag out of the vocabulary; customers keep it as a free tag',
  route: 'DELETE /v1/tags/{tag}',
  body: nothing,
  command: ({ params }): TagEntryCommand => ({ do: 'retire', tag: params.tag }),
});

const ofJob = {
  category: 'tagjob',
  decider: tagJob,
  rejections: { TagExpired: 409, DimensionUnknown: 422, TagJobNotFound: 404, TagJobOver: 409, TagJobRunning: 409 },
} as const;
const requesters = ['rm', 'operations'] as const;

const BoundedCondition = AskedCondition.refine((condition) => nodesOf(condition).length <= MOST_NODES, `at most ${MOST_NODES} conditions and groups`);

/** Whose sight the job has is the actor's. */
export const requestTagJob = defineCommand({
  ...ofJob,
  name: 'RequestTagJob',
  summary: 'Have all customers tagged, or untagged, that match and that you may see',
  route: 'POST /v1/tag-jobs',
  roles: requesters,
  params: nothing,
  body: z.strictObject({ action: TagAction, tag: Tag, filter: TagFilter.extend({ tag: Tag.optional(), condition: BoundedCondition.optional() }) }),
  refersTo: ({ body }) => [tagReference(body.tag), ...dimensionsOf(body.filter).map(dimensionReference)],
  command: ({ body }, context): TagJobCommand => {
    const [entry, ...dimensions] = context.referred as [TagEntryState, ...DimensionState[]];
    const { condition, ...filter } = body.filter;
    return {
      do: 'request',
      jobId: context.id,
      ...body,
      filter: condition === undefined ? filter : { ...filter, condition: speltCondition(condition) },
      requestedBy: requesterOf(context),
      entry: entry.entry,
      readsDimensions: dimensionsOf(body.filter).every((code, index) => isReadBy(context.actor.role, code, dimensions[index] as DimensionState)),
      today: dateOf(context.now, context.zone),
    };
  },
});

const jobParams = z.strictObject({ jobId: TagJobId });
const onJob = {
  ...ofJob,
  params: jobParams,
  target: ({ jobId }: z.output<typeof jobParams>) => jobId,
  visibleTo: tagJobVisibleTo,
} as const;

export const cancelTagJob = defineCommand({
  ...onJob,
  name: 'CancelTagJob',
  summary: 'Stop a tag job after the page in hand; what it did stays until it is undone',
  route: 'POST /v1/tag-jobs/{jobId}/cancel',
  roles: requesters,
  body: nothing,
  command: (_, { id }): TagJobCommand => ({ do: 'cancel', jobId: id }),
});

export const undoTagJob = defineCommand({
  ...onJob,
  name: 'UndoTagJob',
  summary: 'Take back what a tag job did, but for customers whose tag was touched since: those are listed',
  route: 'POST /v1/tag-jobs/{jobId}/undo',
  roles: requesters,
  body: nothing,
  command: (_, context): TagJobCommand => ({ do: 'undo', jobId: context.id, requestedBy: requesterOf(context) }),
});

const bySystem = { ...onJob, roles: ['system'] } as const;

export const planTagPage = defineCommand({
  ...bySystem,
  name: 'PlanTagPage',
  summary: 'Record whom the next page of a tag job is of',
  body: z.strictObject({ after: CustomerId.nullable(), customers: z.array(CustomerId) }),
  command: ({ params, body }): TagJobCommand => ({ do: 'plan', ...params, ...body }),
});

export const finishTagPage = defineCommand({
  ...bySystem,
  name: 'FinishTagPage',
  summary: 'Record what became of a page of a tag job',
  body: z.strictObject({ cursor: CustomerId, counts: TagCounts }),
  command: ({ params, body }): TagJobCommand => ({ do: 'page-done', ...params, ...body }),
});

export const finishTagJob = defineCommand({
  ...bySystem,
  name: 'FinishTagJob',
  summary: 'Record that a tag job has no page left',
  body: z.strictObject({ after: CustomerId.nullable() }),
  command: ({ params, body }): TagJobCommand => ({ do: 'finish', ...params, ...body }),
});

export const advanceTagUndo = defineCommand({
  ...bySystem,
  name: 'AdvanceTagUndo',
  summary: 'Record what became of a page whose tags are taken back',
  body: z.strictObject({ after: z.int(), through: z.int(), restored: z.int(), kept: z.array(CustomerId), refused: z.int() }),
  command: ({ params, body }): TagJobCommand => ({ do: 'advance-undo', ...params, ...body }),
});

export const finishTagUndo = defineCommand({
  ...bySystem,
  name: 'FinishTagUndo',
  summary: 'Record that a tag job is undone',
  body: z.strictObject({ after: z.int() }),
  command: ({ params, body }): TagJobCommand => ({ do: 'finish-undo', ...params, ...body }),
});

export const taggingCommands: readonly AnyCommand[] = [
  defineTag,
  retireTag,
  requestTagJob,
  cancelTagJob,
  undoTagJob,
  planTagPage,
  finishTagPage,
  finishTagJob,
  advanceTagUndo,
  finishTagUndo,
];

/** Always there: a tag that is none of the vocabulary is a free one. */
function tagReference(tag: string): Reference {
  return {
    category: 'tag',
    id: tagIdOf(tag),
    decider: tagEntry,
    isThere: () => true,
    otherwise: { rejected: 'TagNotFound', detail: 'There is no such tag in the vocabulary.' },
  };
}

function dimensionsOf({ condition }: TagFilter): readonly string[] {
  return condition === undefined ? [] : dimensionsIn(condition);
}

function requesterOf({ actor: { subject, role, scope } }: CommandContext) {
  return { subject, role, scope };
}
