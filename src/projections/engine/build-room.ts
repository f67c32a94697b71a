// Room for the rows that builds hold before they write them, shared: a read model with few leaves its part to one with many.

export class BuildRoom {
  readonly #most: number;
  readonly #held = new Map<object, number>();
  #sum = 0;

  /** @param most rows in memory, over all builds */
  constructor(most: number) {
    this.#most = most;
  }

  /** Says how many rows a build holds now, 0 at its end; whether it may take more before it writes. */
  holds(build: object, rows: number): boolean {
    this.#sum += rows - (this.#held.get(build) ?? 0);
    if (rows === 0) this.#held.delete(build);
    else this.#held.set(build, rows);
    return this.#sum < this.#most;
  }
}
