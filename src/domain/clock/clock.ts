// The bank's clock where it is moved by hand (SHIJI_CLOCK=manual): it only moves forward, and the journal says that it was moved.
import { z } from 'zod';
import type { Decider } from '../kernel/decider.ts';
import { defineEvent, type FactOf } from '../kernel/event.ts';

export const ClockMoved = defineEvent('ClockMoved', z.strictObject({ from: z.string(), to: z.string() }));
export const clockEvents = [ClockMoved] as const;
type ClockFact = FactOf<typeof clockEvents>;

export interface MoveClock {
  /** RFC 3339 UTC with milliseconds. */
  readonly to: string;
  readonly now: string;
}

export const bankClock: Decider<MoveClock, null, ClockFact, 'ClockOnlyForward'> = {
  initialState: null,
  evolve: (state) => state,
  decide: ({ to, now }) => {
    if (to < now) return { rejected: 'ClockOnlyForward', detail: `The clock stands at ${now} and only moves forward.`, pointer: '/to' };
    return to === now ? [] : [{ type: 'ClockMoved', data: { from: now, to } }];
  },
};
