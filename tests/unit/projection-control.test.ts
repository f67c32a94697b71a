// What operators tell a projection. What the engine does about it is in tests/integration/.
import { describe, it } from 'vitest';
import { type ProjectionFact, projectionControl } from '../../src/domain/projection/control.ts';
import { given } from '../support/given.ts';

const projection = 'tickets';
const pause = { do: 'pause', projection, reason: 'index rebuilt' } as const;
const resume = { do: 'resume', projection } as const;
const paused: ProjectionFact = { type: 'ProjectionPaused', data: { projection, reason: 'index rebuilt' } };
const resumed: ProjectionFact = { type: 'ProjectionResumed', data: { projection } };

describe('a projection’s controls', () => {
  it('pause one that runs, with the reason, and emit nothing for one that is paused', () => {
    given(projectionControl).when(pause).emits(paused);
    given(projectionControl, paused).when(pause).emits();
  });
  it('resume one that is paused, and emit nothing for one that runs', () => {
    given(projectionControl, paused).when(resume).emits(resumed);
    given(projectionControl).when(resume).emits();
    given(projectionControl, paused, resumed).when(resume).emits();
    given(projectionControl, paused, resumed).when(pause).emits(paused);
  });
  it('order a retry of a key each time they are asked', () => {
    const retried: ProjectionFact = { type: 'ParkedEventRetried', data: { projection, key: 'k1' } };
    given(projectionControl).when({ do: 'retry', projection, key: 'k1' }).emits(retried);
    given(projectionControl, retried).when({ do: 'retry', projection, key: 'k1' }).emits(retried);
  });
  it('order one event to be skipped for one key, also while paused', () => {
    const data = { projection, key: 'k1', position: 17, reason: 'a typing error of 2019' };
    given(projectionControl, paused)
      .when({ do: 'skip', ...data })
      .emits({ type: 'ParkedEventSkipped', data });
  });
  it('order a rebuild, a swap and a rollback each time they are asked, also while paused', () => {
    const rebuild = { projection, swap: 'manual', reason: 'a row was forged' } as const;
    given(projectionControl, paused)
      .when({ do: 'rebuild', ...rebuild })
      .emits({ type: 'ProjectionRebuildOrdered', data: rebuild });
    const swapped: ProjectionFact = { type: 'ProjectionSwapOrdered', data: { projection } };
    given(projectionControl, swapped).when({ do: 'swap', projection }).emits(swapped);
    const rolledBack: ProjectionFact = { type: 'ProjectionRollbackOrdered', data: { projection, reason: 'wrong sums' } };
    given(projectionControl, rolledBack).when({ do: 'rollback', projection, reason: 'wrong sums' }).emits(rolledBack);
  });
});
