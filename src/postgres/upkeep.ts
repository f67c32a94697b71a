// Starts the embedded Postgres again where it ended by itself: killed, or gone down over a disk that was full while it recovered.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../logging.ts';

export interface UpkeepParts {
  isThere(): Promise<boolean>;
  /** Resolves when it takes sessions; rejects with why it can't. */
  start(): Promise<void>;
  readonly log: Logger;
}

const LOOK_MS = 500;
/** Between tries that fail, so that a cause that stays does not fill the log. */
const MOST_MS = 5_000;

export class Upkeep {
  readonly #parts: UpkeepParts;
  readonly #stopping = new AbortController();
  readonly #done: Promise<void>;

  constructor(parts: UpkeepParts) {
    this.#parts = parts;
    this.#done = this.#look();
  }

  /** After a start that is under way: from then on nobody starts it again. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#done;
  }

  async #look(): Promise<void> {
    const { isThere, start, log } = this.#parts;
    const { signal } = this.#stopping;
    let restMs = LOOK_MS;
    while (!signal.aborted) {
      await sleep(restMs, undefined, { signal, ref: false }).catch(() => undefined);
      try {
        if (signal.aborted || (await isThere())) continue;
        log.error('the embedded Postgres ended by itself and is started again');
        await start();
        restMs = LOOK_MS;
        log.info('the embedded Postgres is back');
      } catch (error) {
        log.error({ err: error }, 'the embedded Postgres could not be started again and will be tried again');
        restMs = Math.min(MOST_MS, restMs * 2);
      }
    }
  }
}
