// Faults by chance that can be had again: what a test draws comes from the run's seed, which stands in its failure. `npm run chaos` gives
// seed and rounds (tests/fault/chaos.ts); in `npm test` the seed is drawn and rounds are few, under SHIJI_TEST_SIZE=full as stated.
import { randomInt } from 'node:crypto';
import { basename } from 'node:path';
import { expect, it } from 'vitest';
import { isFull } from './cluster.ts';

const MOST_SEED = 2 ** 31;
/** Of this run. */
export const seed = process.env.CHAOS_SEED === undefined ? randomInt(MOST_SEED) : Number(process.env.CHAOS_SEED);

export class Draw {
  #state: number;

  constructor(from: number) {
    this.#state = from >>> 0;
  }

  /** From 0 on, less than 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number, both ends included. */
  between(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  pick<Item>(items: readonly Item[]): Item {
    if (items.length === 0) throw new RangeError('nothing to draw from');
    return items[this.between(0, items.length - 1)] as Item;
  }

  shuffled<Item>(items: readonly Item[]): Item[] {
    return items
      .map((item) => ({ item, place: this.next() }))
      .sort((one, other) => one.place - other.place)
      .map(({ item }) => item);
  }
}

/** How often a fault is done. */
export function roundsOf({ quick, full }: { readonly quick: number; readonly full: number }): number {
  const given = Number(process.env.CHAOS_ROUNDS ?? 0);
  return given > 0 ? given : isFull ? full : quick;
}

/** A test that draws; `withinMs` bounds it. Two of one run draw different things, each the same again under the same seed. */
export function chaos(title: string, withinMs: number, work: (draw: Draw) => Promise<void>): void {
  it(
    title,
    async ({ onTestFailed }) => {
      const scenario = basename(expect.getState().testPath ?? '', '.test.ts');
      const again = `seed ${seed}, again by: npm run chaos -- --seed ${seed} ${scenario}`;
      // Also where time ran out, which no error of ours tells.
      onTestFailed(() => void process.stdout.write(`${title} FAILED, ${again}\n`));
      try {
        await work(new Draw([...title].reduce((mixed, letter) => Math.imul(mixed, 31) + letter.charCodeAt(0), seed)));
      } catch (error) {
        if (error instanceof Error) error.message = `${error.message}\n(${again})`;
        throw error;
      }
    },
    withinMs,
  );
}
