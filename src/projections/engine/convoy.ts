// Commands first: in a burst of them the projections of the same process go in convoy. Each waits until all have written what they read,
// then all rest as long as the slowest worked, and read on together, so that what they read is fetched and decoded once for all.
const REST_MOST_MS = 100;
/** One that is stuck holds nobody up for longer. */
const WAIT_MOST_MS = 200;

export class Convoy {
  readonly #members = new Set<string>();
  readonly #waiting = new Map<string, () => void>();
  #slowestMs = 0;
  #departure: NodeJS.Timeout | undefined;

  join(name: string): void {
    this.#members.add(name);
  }

  leave(name: string): void {
    this.#members.delete(name);
    this.#release(name);
    this.#departWhenAllAreHere();
  }

  /** Resolves when the convoy moves on, or at `wake`. */
  arrive(name: string, tookMs: number): Promise<void> {
    this.#slowestMs = Math.max(this.#slowestMs, tookMs);
    return new Promise((resolve) => {
      this.#waiting.set(name, resolve);
      this.#departure ??= setTimeout(() => this.#depart(), WAIT_MOST_MS);
      this.#departWhenAllAreHere();
    });
  }

  /** One of them has something else to look at. */
  wake(name: string): void {
    this.#release(name);
  }

  #departWhenAllAreHere(): void {
    if (this.#waiting.size === 0 || this.#waiting.size < this.#members.size) return;
    clearTimeout(this.#departure);
    this.#departure = setTimeout(() => this.#depart(), Math.min(REST_MOST_MS, this.#slowestMs));
  }

  #depart(): void {
    clearTimeout(this.#departure);
    this.#departure = undefined;
    this.#slowestMs = 0;
    for (const name of [...this.#waiting.keys()]) this.#release(name);
  }

  #release(name: string): void {
    const resolve = this.#waiting.get(name);
    this.#waiting.delete(name);
    resolve?.();
  }
}
