// Every event type there is: what the journal may hold and this program understands.
import { clockEvents } from './clock/clock.ts';
import type { EventDefinition } from './kernel/event.ts';
import { projectionEvents } from './projection/control.ts';
import { ticketEvents } from './ticket/events.ts';

export const eventDefinitions: readonly EventDefinition[] = [...ticketEvents, ...projectionEvents, ...clockEvents];
