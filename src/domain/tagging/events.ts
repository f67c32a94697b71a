// The vocabulary of tags, and jobs that tag or untag many: the stored format, for decades. An entry stands on `tag-<id>`, its id made from
// the tag (`tagIdOf`); a job on `tagjob-<id>`. The tags themselves stand on each customer's own stream.
import { z } from 'zod';
import { CustomerFilter } from '../campaign/events.ts';
import { CustomerId } from '../customer/events.ts';
import { defineEvent, type FactOf } from '../kernel/event.ts';
import { SegmentDefined } from '../segment/events.ts';

const marketing = { retention: 'marketing' } as const;
export const TagJobId = z.uuid();

export const TagEntry = z.strictObject({
  /** `#rrggbb` in small letters. */
  colour: z.string().optional(),
  group: z.string().optional(),
  /** Who answers for it: a subject or a department, in the bank's words. */
  owner: z.string().optional(),
  description: z.string().optional(),
  /** The last day on which many may be given it. */
  expiresOn: z.iso.date().optional(),
});
export type TagEntry = z.output<typeof TagEntry>;

/** Whole: a later one replaces an earlier one. */
export const TagDefined = defineEvent('TagDefined', z.strictObject({ tag: z.string(), entry: TagEntry }), marketing);
/** No longer of the vocabulary; customers keep it as a free tag. */
export const TagRetired = defineEvent('TagRetired', z.strictObject({ tag: z.string() }), marketing);

/** Which customers; all that is given must hold. */
export const TagFilter = CustomerFilter.extend({
  standing: z.enum(['prospect', 'customer']).optional(),
  /** As segments have it, on the day of each page. */
  condition: SegmentDefined.data.shape.condition.optional(),
});
export type TagFilter = z.output<typeof TagFilter>;

export const TagAction = z.enum(['tag', 'untag']);
export type TagAction = z.output<typeof TagAction>;

const Requester = z.strictObject({ subject: z.string(), role: z.string(), scope: z.string().optional() });

export const TagJobRequested = defineEvent(
  'TagJobRequested',
  z.strictObject({
    jobId: TagJobId,
    action: TagAction,
    tag: z.string(),
    filter: TagFilter,
    /** Whose sight it has. */
    requestedBy: Requester,
  }),
  marketing,
);
/** Written before the page is worked on, so that whatever became of it an undo knows whom to look at. `cursor` is its last customer. */
export const TagPagePlanned = defineEvent(
  'TagPagePlanned',
  z.strictObject({ jobId: TagJobId, cursor: CustomerId, customers: z.array(CustomerId) }),
  marketing,
);
/** Since the job's start. */
export const TagCounts = z.strictObject({ changed: z.int(), already: z.int(), refused: z.int() });
export type TagCounts = z.output<typeof TagCounts>;
export const TagPageDone = defineEvent('TagPageDone', z.strictObject({ jobId: TagJobId, cursor: CustomerId, counts: TagCounts }), marketing);
export const TagJobFinished = defineEvent('TagJobFinished', z.strictObject({ jobId: TagJobId }), marketing);
export const TagJobCancelled = defineEvent('TagJobCancelled', z.strictObject({ jobId: TagJobId }), marketing);

export const TagUndoRequested = defineEvent('TagUndoRequested', z.strictObject({ jobId: TagJobId, requestedBy: Requester }), marketing);
/** One planned page, named by its revision: who were as the job left them are restored, who were touched since are kept as they are. */
export const TagUndoAdvanced = defineEvent(
  'TagUndoAdvanced',
  z.strictObject({ jobId: TagJobId, through: z.int(), restored: z.int(), kept: z.array(CustomerId), refused: z.int() }),
  marketing,
);
export const TagUndoFinished = defineEvent('TagUndoFinished', z.strictObject({ jobId: TagJobId }), marketing);

export const tagEvents = [TagDefined, TagRetired] as const;
export const tagJobEvents = [
  TagJobRequested,
  TagPagePlanned,
  TagPageDone,
  TagJobFinished,
  TagJobCancelled,
  TagUndoRequested,
  TagUndoAdvanced,
  TagUndoFinished,
] as const;

export type TagFact = FactOf<typeof tagEvents>;
export type TagJobFact = FactOf<typeof tagJobEvents>;
