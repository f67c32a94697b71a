// Every event type there is: what the journal may hold and this program understands.
import { campaignEvents, enrolmentEvents, jobEvents } from './campaign/events.ts';
import { clockEvents } from './clock/clock.ts';
import { consentEvents } from './consent/events.ts';
import { customerEvents } from './customer/events.ts';
import { holdingEvents } from './holding/events.ts';
import type { EventDefinition } from './kernel/event.ts';
import { matchingEvents } from './matching/events.ts';
import { projectionEvents } from './projection/control.ts';
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
  ...consentEvents,
  ...matchingEvents,
];
