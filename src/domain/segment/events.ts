// Segments: conditions by a name, in versions; the stored format, for decades. Stream `segment-<id>`.
import { z } from 'zod';
import { defineEvent, type FactOf } from '../kernel/event.ts';
import { Condition } from './condition.ts';

export const SegmentId = z.uuid();
const marketing = { retention: 'marketing' } as const;

export const SegmentDefined = defineEvent(
  'SegmentDefined',
  z.strictObject({
    segmentId: SegmentId,
    version: z.int(),
    name: z.string(),
    condition: Condition,
    /** Whose it is: a relationship manager's segments are own ones. */
    definedBy: z.strictObject({ subject: z.string(), role: z.string() }),
  }),
  marketing,
);
export const SegmentRetired = defineEvent('SegmentRetired', z.strictObject({ segmentId: SegmentId }), marketing);

export const segmentEvents = [SegmentDefined, SegmentRetired] as const;
export type SegmentFact = FactOf<typeof segmentEvents>;
