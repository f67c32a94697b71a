// Which position an instant had: the node can't tell, so times are read from the events themselves, once, and remembered sparsely.

/** One event as far as times go. */
export interface Recorded {
  readonly position: number;
  readonly recordedAtMs: number;
}

export interface RecordedPage {
  readonly events: readonly Recorded[];
  /** Where to go on. */
  readonly checkpoint: number;
  readonly atEnd: boolean;
}

interface Milestone {
  readonly checkpoint: number;
  /** The last event of ours up to the checkpoint, 0 where there is none. */
  readonly position: number;
  /** The latest time up to the checkpoint. */
  readonly latestMs: number;
}

const PAGE = 2_000;

export class RecordingTimes {
  readonly #readPage: (after: number, limit: number) => Promise<RecordedPage>;
  /** One about every page of events, rising in both position and time; the first is the journal's start. */
  readonly #milestones: Milestone[] = [{ checkpoint: 0, position: 0, latestMs: 0 }];
  #turn: Promise<unknown> = Promise.resolve();

  constructor(readPage: (after: number, limit: number) => Promise<RecordedPage>) {
    this.#readPage = readPage;
  }

  /** The last position p such that nothing up to p was recorded after the instant. */
  positionAt(instantMs: number): Promise<number> {
    // One at a time: they build on the same milestones.
    const answer = this.#turn.then(() => this.#positionAt(instantMs));
    this.#turn = answer.catch(() => {});
    return answer;
  }

  async #positionAt(instantMs: number): Promise<number> {
    const known = this.#milestones.findLast(({ latestMs }) => latestMs <= instantMs);
    if (!known) return 0;
    let start: Milestone = known;
    for (;;) {
      let { position, latestMs } = start;
      // biome-ignore lint/performance/noAwaitInLoops: pages follow one another
      const { events, checkpoint, atEnd } = await this.#readPage(start.checkpoint, PAGE);
      for (const event of events) {
        if (event.recordedAtMs > instantMs) return position;
        position = event.position;
        latestMs = Math.max(latestMs, event.recordedAtMs);
      }
      const reached = { checkpoint, position, latestMs };
      this.#remember(start, reached, events.length);
      if (atEnd) return position;
      start = reached;
    }
  }

  /** Only what goes on from the last one; a short page moves that on rather than adding another, but for the journal's start. */
  #remember(start: Milestone, reached: Milestone, events: number): void {
    if (this.#milestones.at(-1) !== start || reached.checkpoint === start.checkpoint) return;
    if (events < PAGE / 2 && this.#milestones.length > 1) this.#milestones.pop();
    this.#milestones.push(reached);
  }
}
