// Every event type there is: what the journal may hold and this program understands.
import { campaignEvents, enrolmentEvents, jobEvents } from './campaign/events.ts';
import { classificationEvents, dimensionEvents } from './classification/events.ts';
import { tierPolicyEvents, tierReviewEvents } from './classification/tier-events.ts';
import { clockEvents } from './clock/clock.ts';
import { customerEvents } from './customer/events.ts';
import { holdingEvents } from './holding/events.ts';
import type { EventDefinition } from './kernel/event.ts';
import { projectionEvents } from './projection/control.ts';
import { segmentEvents } from './segment/events.ts';
import { tagEvents, tagJobEvents } from './tagging/events.ts';
import { ticketEvents } from './ticket/events.ts';

export const eventDefinitions: readonly EventDefinition[] = [
  ...ticketEvents,
  ...customerEvents,
  ...holdingEvents,
  ...campaignEvents,
  ...enrolmentEvents,
  ...jobEvents,
  ...projectionEvents,
  ...clockEvents,
  ...dimensionEvents,
  ...classificationEvents,
  ...tierPolicyEvents,
  ...tierReviewEvents,
  ...tagEvents,
  ...tagJobEvents,
  ...segmentEvents,
];
