// Gathers concurrent calls into batches, one batch in flight at a time, so that they share a round trip and a flush (measured:
// see docs/adr/0002 for two). What a batch does is the store’s business: `send`.

export interface GroupCommitOptions<Item, Result> {
  readonly maxBatch: number;
  /** One result per item, in the items' order. Where it throws, every item of this batch fails with that error, and no other. */
  readonly send: (items: readonly Item[]) => Promise<readonly Result[]>;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * States: resting (nothing waits), gathering (a batch leaves when this turn of the event loop has been read out), in flight.
 * No delay is ever added: a lone call leaves in its own turn, and what came while a batch was in flight leaves when that one ends.
 */
export class GroupCommit<Item, Result> {
  readonly #maxBatch: number;
  readonly #send: (items: readonly Item[]) => Promise<readonly Result[]>;
  /** In order of arrival; empty while resting. */
  #waiting: Waiting<Item, Result>[] = [];
  #resting = true;
  #onRest: (() => void)[] = [];

  constructor({ maxBatch, send }: GroupCommitOptions<Item, Result>) {
    if (!Number.isSafeInteger(maxBatch) || maxBatch < 1) throw new RangeError(`maxBatch is a whole number from 1 on, not ${maxBatch}`);
    this.#maxBatch = maxBatch;
    this.#send = send;
  }

  run(item: Item): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (!this.#resting) return;
      this.#resting = false;
      // All requests that the event loop already holds come before an immediate, and so into this batch.
      setImmediate(() => this.#leave());
    });
  }

  /** When everything handed in has its answer: before closing what `send` writes to. */
  async rest(): Promise<void> {
    if (this.#resting) return;
    await new Promise<void>((resolve) => {
      this.#onRest.push(resolve);
    });
  }

  #leave(): void {
    const batch = this.#waiting.splice(0, this.#maxBatch);
    if (batch.length > 0) {
      void this.#fly(batch);
      return;
    }
    this.#resting = true;
    const onRest = this.#onRest;
    this.#onRest = [];
    for (const resolve of onRest) resolve();
  }

  async #fly(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    let settle: () => void;
    try {
      const results = await this.#send(batch.map(({ item }) => item));
      if (results.length !== batch.length) throw new Error(`a batch of ${batch.length} items was answered by ${results.length} results`);
      settle = () => {
        for (const [index, result] of results.entries()) batch[index]?.resolve(result);
      };
    } catch (error) {
      settle = () => {
        for (const { reject } of batch) reject(error);
      };
    }
    // The next batch leaves before the answers are handed out: the store works while the callers go on.
    this.#leave();
    settle();
  }
}
