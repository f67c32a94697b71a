// Builds that stand near each other read on together: what one of them fetched and decoded is still there for the others. Left to
// themselves the one with the most to write falls behind and reads the whole journal a second time.

/** Further behind than this is another build's business: waiting for it would only make two out of one. */
const NEAR = 50_000;
/** One that is stuck, in a long write or a swap, holds nobody up for longer. */
const WAIT_MOST_MS = 2_000;

export class BuildPace {
  /** After which position each build read last. */
  readonly #readAfter = new Map<object, number>();
  readonly #waiting = new Set<() => void>();

  /** Resolves when every other build nearby has read what this one read last; not for long. */
  async next(build: object, after: number): Promise<void> {
    const before = this.#readAfter.get(build);
    const untilMs = performance.now() + WAIT_MOST_MS;
    while (before !== undefined && this.#isAhead(build, before)) {
      const leftMs = untilMs - performance.now();
      // biome-ignore lint/performance/noAwaitInLoops: looks again whenever another moved
      if (leftMs <= 0 || !(await this.#moved(leftMs))) break;
    }
    this.#readAfter.set(build, after);
    this.#wakeAll();
  }

  /** It waits for something else, or is done. */
  leave(build: object): void {
    if (this.#readAfter.delete(build)) this.#wakeAll();
  }

  #isAhead(build: object, position: number): boolean {
    for (const [other, after] of this.#readAfter) if (other !== build && after < position && after >= position - NEAR) return true;
    return false;
  }

  /** False where nobody moved in that time. */
  #moved(withinMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const wake = (moved: boolean): void => {
        clearTimeout(timer);
        this.#waiting.delete(onMove);
        resolve(moved);
      };
      const onMove = (): void => wake(true);
      const timer = setTimeout(() => wake(false), withinMs);
      this.#waiting.add(onMove);
    });
  }

  #wakeAll(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}
