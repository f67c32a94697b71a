// What every worker does between its starts and stops: round after round while there is something to do, then a look now and then.
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 250;

export interface RoundsOptions {
  /** One round; false where there was nothing to do. */
  readonly work: () => Promise<boolean>;
  /** A round that failed is tried again. */
  readonly onError: (error: unknown) => void;
}

export class Rounds {
  readonly #options: RoundsOptions;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(options: RoundsOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Ends after the round in hand. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      let worked = false;
      try {
        worked = await this.#options.work();
      } catch (error) {
        this.#options.onError(error);
      }
      if (!worked) await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}
