// Draws by a seed, so that what the bench generates is the same each time: mulberry32, whose whole state is 32 bits.
export class Draw {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** From 0 to below 1. */
  share(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  below(limit: number): number {
    return Math.floor(this.share() * limit);
  }

  of<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item;
  }

  /** So many different ones of them, or all where they are fewer. */
  some<Item>(items: readonly Item[], count: number): Item[] {
    const left = [...items];
    const taken: Item[] = [];
    while (taken.length < count && left.length > 0) {
      const at = this.below(left.length);
      taken.push(left[at] as Item);
      left[at] = left.at(-1) as Item;
      left.pop();
    }
    return taken;
  }
}

/** Draws an item as often as its weight says. */
export class Weighted<Item> {
  readonly #items: readonly Item[];
  /** Sums of the weights up to each item. */
  readonly #sums: Float64Array;
  readonly #total: number;

  constructor(weights: readonly (readonly [Item, number])[]) {
    if (weights.length === 0) throw new RangeError('a draw of no items');
    let sum = 0;
    this.#items = weights.map(([item]) => item);
    this.#sums = Float64Array.from(weights, ([, weight]) => (sum += weight));
    this.#total = sum;
  }

  draw(draw: Draw): Item {
    const wanted = draw.share() * this.#total;
    let low = 0;
    let high = this.#sums.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#sums[middle] as number) > wanted) high = middle;
      else low = middle + 1;
    }
    return this.#items[low] as Item;
  }
}
