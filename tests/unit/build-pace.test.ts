// Builds that stand near each other keep together, and none of them holds up another for ever.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { BuildPace } from '../../src/projections/engine/build-pace.ts';

const isDone = async (promise: Promise<void>): Promise<boolean> => Promise.race([promise.then(() => true), sleep(20).then(() => false)]);

describe('builds that read on together', () => {
  it('wait, a batch ahead at most, for the one that is behind', async () => {
    const pace = new BuildPace();
    const [fast, slow] = [{}, {}];
    await pace.next(fast, 0);
    await pace.next(slow, 0);
    await pace.next(fast, 5_000);
    const ahead = pace.next(fast, 10_000);
    expect(await isDone(ahead)).toBe(false);
    await pace.next(slow, 5_000);
    expect(await isDone(ahead)).toBe(true);
  });

  it('do not wait for one that has left, nor for one far behind', async () => {
    const pace = new BuildPace();
    const [fast, leaves, old] = [{}, {}, {}];
    await pace.next(old, 0);
    await pace.next(leaves, 1_000_000);
    await pace.next(fast, 1_000_000);
    await pace.next(fast, 1_005_000);
    const ahead = pace.next(fast, 1_010_000);
    expect(await isDone(ahead)).toBe(false);
    pace.leave(leaves);
    expect(await isDone(ahead)).toBe(true);
  });

  it('go on in two seconds where another is stuck', async () => {
    const pace = new BuildPace();
    const [fast, stuck] = [{}, {}];
    await pace.next(stuck, 0);
    await pace.next(fast, 0);
    await pace.next(fast, 5_000);
    await pace.next(fast, 10_000);
    expect(await isDone(pace.next(stuck, 5_000))).toBe(true);
  });
});
