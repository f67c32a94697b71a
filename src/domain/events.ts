// Every event type there is: what the journal may hold and this program understands.
import { approvalEvents, policyEvents } from './approval/events.ts';
import { campaignEvents, enrolmentEvents, jobEvents } from './campaign/events.ts';
import { classificationEvents, dimensionEvents } from './classification/events.ts';
import { tierPolicyEvents, tierReviewEvents } from './classification/tier-events.ts';
import { clockEvents } from './clock/clock.ts';
import { consentEvents } from './consent/events.ts';
import { customerEvents } from './customer/events.ts';
import { groupEvents } from './group/events.ts';
import { holdingEvents } from './holding/events.ts';
import type { EventDefinition } from './kernel/event.ts';
import { matchingEvents } from './matching/events.ts';
import { projectionEvents } from './projection/control.ts';
import { ownerEvents, relationEvents, relationTypeEvents } from './relationship/events.ts';
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
  ...relationEvents,
  ...relationTypeEvents,
  ...ownerEvents,
  ...groupEvents,
  ...approvalEvents,
  ...policyEvents,
  ...consentEvents,
  ...matchingEvents,
  ...dimensionEvents,
  ...classificationEvents,
  ...tierPolicyEvents,
  ...tierReviewEvents,
  ...tagEvents,
  ...tagJobEvents,
  ...segmentEvents,
];
