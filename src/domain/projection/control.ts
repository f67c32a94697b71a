// What operators tell a projection, as events, so that the record says who paused what and which event was skipped by whom.
import { z } from 'zod';
import type { Decider } from '../kernel/decider.ts';
import { defineEvent, type FactOf } from '../kernel/event.ts';

export const ProjectionPaused = defineEvent('ProjectionPaused', z.strictObject({ projection: z.string(), reason: z.string().optional() }));
export const ProjectionResumed = defineEvent('ProjectionResumed', z.strictObject({ projection: z.string() }));
/** The events parked for one key are to be applied again, in order. */
export const ParkedEventRetried = defineEvent('ParkedEventRetried', z.strictObject({ projection: z.string(), key: z.string() }));
/** One parked event is left out for good, for one key; those after it are applied. */
export const ParkedEventSkipped = defineEvent(
  'ParkedEventSkipped',
  z.strictObject({ projection: z.string(), key: z.string(), position: z.int(), reason: z.string() }),
);
/** How a version comes in: as soon as it has caught up, or on an operator's word. */
export const swapWays = ['auto', 'manual'] as const;
export type SwapWay = (typeof swapWays)[number];
/** The read model is to be built anew beside the live one. */
export const ProjectionRebuildOrdered = defineEvent(
  'ProjectionRebuildOrdered',
  z.strictObject({ projection: z.string(), swap: z.enum(swapWays), reason: z.string().optional() }),
);
/** The version that stands by is to become the live one. */
export const ProjectionSwapOrdered = defineEvent('ProjectionSwapOrdered', z.strictObject({ projection: z.string() }));
/** The version that was live before is to be so again. */
export const ProjectionRollbackOrdered = defineEvent(
  'ProjectionRollbackOrdered',
  z.strictObject({ projection: z.string(), reason: z.string().optional() }),
);
export const projectionEvents = [
  ProjectionPaused,
  ProjectionResumed,
  ParkedEventRetried,
  ParkedEventSkipped,
  ProjectionRebuildOrdered,
  ProjectionSwapOrdered,
  ProjectionRollbackOrdered,
] as const;
export type ProjectionFact = FactOf<typeof projectionEvents>;

export interface ProjectionControlState {
  readonly paused: boolean;
}

export type ProjectionControl =
  | { readonly do: 'pause'; readonly projection: string; readonly reason?: string | undefined }
  | { readonly do: 'resume'; readonly projection: string }
  | { readonly do: 'retry'; readonly projection: string; readonly key: string }
  | { readonly do: 'skip'; readonly projection: string; readonly key: string; readonly position: number; readonly reason: string }
  | { readonly do: 'rebuild'; readonly projection: string; readonly swap: SwapWay; readonly reason?: string | undefined }
  | { readonly do: 'swap'; readonly projection: string }
  | { readonly do: 'rollback'; readonly projection: string; readonly reason?: string | undefined };

export const projectionControl: Decider<ProjectionControl, ProjectionControlState, ProjectionFact, never> = {
  initialState: { paused: false },
  evolve: (state, fact) => {
    if (fact.type === 'ProjectionPaused') return { paused: true };
    if (fact.type === 'ProjectionResumed') return { paused: false };
    return state;
  },
  decide: (command, { paused }) => {
    const { do: action, ...data } = command;
    switch (action) {
      case 'pause':
        return paused ? [] : [{ type: 'ProjectionPaused', data } as ProjectionFact];
      case 'resume':
        return paused ? [{ type: 'ProjectionResumed', data } as ProjectionFact] : [];
      case 'retry':
        return [{ type: 'ParkedEventRetried', data } as ProjectionFact];
      case 'skip':
        return [{ type: 'ParkedEventSkipped', data } as ProjectionFact];
      case 'rebuild':
        return [{ type: 'ProjectionRebuildOrdered', data } as ProjectionFact];
      case 'swap':
        return [{ type: 'ProjectionSwapOrdered', data } as ProjectionFact];
      case 'rollback':
        return [{ type: 'ProjectionRollbackOrdered', data } as ProjectionFact];
    }
  },
};
