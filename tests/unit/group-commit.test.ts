import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GroupCommit } from '../../src/journal/group-commit.ts';

/** A group commit whose batches end only when told to. */
function held(maxBatch = 100) {
  const batches: { items: readonly number[]; end: () => void; fail: (error: Error) => void }[] = [];
  const group = new GroupCommit<number, string>({
    maxBatch,
    send: (items) =>
      new Promise((resolve, reject) => {
        batches.push({ items, end: () => resolve(items.map((item) => `r${item}`)), fail: reject });
      }),
  });
  return { group, batches };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('group commit', () => {
  it('sends calls of one turn of the event loop together and gives each its own result', async () => {
    const { group, batches } = held();
    const answers = Promise.all([group.run(1), group.run(2), group.run(3)]);
    await turn();
    expect(batches.map(({ items }) => items)).toStrictEqual([[1, 2, 3]]);
    batches[0]?.end();
    expect(await answers).toStrictEqual(['r1', 'r2', 'r3']);
  });

  it('keeps one batch in flight and gathers the next meanwhile, in order of arrival', async () => {
    const { group, batches } = held();
    const first = group.run(1);
    await turn();
    const rest = Promise.all([group.run(2), group.run(3)]);
    await sleep(5);
    expect(batches).toHaveLength(1);
    batches[0]?.end();
    await first;
    expect(batches.map(({ items }) => items)).toStrictEqual([[1], [2, 3]]);
    batches[1]?.end();
    expect(await rest).toStrictEqual(['r2', 'r3']);
  });

  it('sends the next batch before it hands out the answers of the last', async () => {
    const { group, batches } = held();
    const first = group.run(1);
    await turn();
    const second = group.run(2);
    let sentByThen = 0;
    const answered = first.then(() => {
      sentByThen = batches.length;
    });
    batches[0]?.end();
    await answered;
    expect(sentByThen).toBe(2);
    batches[1]?.end();
    await second;
  });

  it('never sends more than the bound at once', async () => {
    const { group, batches } = held(2);
    const answers = Promise.all([1, 2, 3, 4, 5].map((item) => group.run(item)));
    for (const index of [0, 1, 2]) {
      await turn();
      batches[index]?.end();
      await turn();
    }
    expect(await answers).toStrictEqual(['r1', 'r2', 'r3', 'r4', 'r5']);
    expect(batches.map(({ items }) => items)).toStrictEqual([[1, 2], [3, 4], [5]]);
  });

  it('fails the calls of a failed batch and no others', async () => {
    const { group, batches } = held(2);
    const answers = Promise.allSettled([1, 2, 3].map((item) => group.run(item)));
    await turn();
    batches[0]?.fail(new Error('lost'));
    await turn();
    batches[1]?.end();
    expect((await answers).map((answer) => (answer.status === 'fulfilled' ? answer.value : (answer.reason as Error).message))).toStrictEqual([
      'lost',
      'lost',
      'r3',
    ]);
  });

  it('fails the batch where send throws at once or answers too few, and goes on', async () => {
    let call = 0;
    const group = new GroupCommit<number, number>({
      maxBatch: 1,
      send: (items) => {
        call += 1;
        if (call === 1) throw new Error('not sent');
        return Promise.resolve(call === 2 ? [] : items);
      },
    });
    await expect(group.run(1)).rejects.toThrow('not sent');
    await expect(group.run(2)).rejects.toThrow('a batch of 1 items was answered by 0 results');
    expect(await group.run(3)).toBe(3);
  });

  it('rests only when everything handed in has its answer', async () => {
    const { group, batches } = held();
    await group.rest();
    let answered = false;
    const answer = group.run(1).then(() => {
      answered = true;
    });
    const rested = group.rest().then(() => answered);
    await turn();
    batches[0]?.end();
    await answer;
    expect(await rested).toBe(true);
  });

  it('refuses a bound under one', () => {
    expect(() => new GroupCommit({ maxBatch: 0, send: async () => [] })).toThrow(RangeError);
  });

  it('loses, doubles and reorders nothing, however calls and failures fall', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 5 }), fc.array(fc.tuple(fc.boolean(), fc.boolean()), { maxLength: 30 }), async (maxBatch, calls) => {
        const sent: number[] = [];
        let inFlight = 0;
        const group = new GroupCommit<{ index: number; fails: boolean }, number>({
          maxBatch,
          send: async (items) => {
            inFlight += 1;
            expect(inFlight).toBe(1);
            expect(items.length).toBeLessThanOrEqual(maxBatch);
            sent.push(...items.map(({ index }) => index));
            await turn();
            inFlight -= 1;
            if (items.some(({ fails }) => fails)) throw new Error('lost');
            return items.map(({ index }) => index);
          },
        });
        const answers: Promise<number | 'lost'>[] = [];
        for (const [index, [fails, pause]] of calls.entries()) {
          answers.push(group.run({ index, fails }).catch(() => 'lost' as const));
          if (pause) await turn();
        }
        const settled = await Promise.all(answers);
        expect(sent).toStrictEqual(calls.map((_, index) => index));
        for (const [index, [fails]] of calls.entries()) expect(fails ? ['lost'] : [index, 'lost']).toContain(settled[index]);
      }),
      { numRuns: 50 },
    );
  });
});
