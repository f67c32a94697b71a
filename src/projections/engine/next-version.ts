// What a version that stands by has before it: to meet live where that stands, to be compared with it there, to catch up, to be swapped in.
import type { Checkpoint } from './books.ts';

/** So near to live, holding up its writer for the rest is not noticed. */
export const MEETING_EVENTS = 5_000;

export class NextVersion {
  /** Nothing after this position is folded before the rows were compared; no bound where that is done, or there is nothing to compare. */
  readonly until: number | undefined;
  /** Whether it is swapped in as soon as it is at the journal's end. */
  readonly swaps: boolean;

  private constructor(until: number | undefined, swaps: boolean) {
    this.until = until;
    this.swaps = swaps;
  }

  static of(standby: Checkpoint, live: Checkpoint | undefined): NextVersion | undefined {
    if (standby.standing !== 'next' || !live) return undefined;
    // What is rolled back to was live and was seen; what is ahead of a live that stands still can't be compared any more.
    const isCompared = standby.swap === 'rollback' || standby.diff !== undefined || standby.position > live.position;
    return isCompared ? new NextVersion(undefined, standby.swap !== 'manual') : new NextVersion(live.position, false);
  }

  meetsAt(position: number): boolean {
    return this.until !== undefined && position >= this.until;
  }
}

/** One after the other: each holds a lock while it needs connections, and the pool is bounded. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  take<Result>(run: () => Promise<Result>): Promise<Result> {
    const turn = this.#last.then(run, run);
    this.#last = turn.catch(() => {});
    return turn;
  }
}
