// Tells watchers that the journal may have grown, by a subscription that is opened again whenever it breaks. A hint, never the truth.
import { setTimeout as sleep } from 'node:timers/promises';
import { JournalUnavailable } from '../journal.ts';

/** Listens until its signal aborts; rejects when it listens no more. */
type Listen = (onMessage: () => void, signal: AbortSignal) => Promise<void>;

export class WakeUps {
  readonly #listen: Listen;
  readonly #onBroken: (error: JournalUnavailable) => void;
  readonly #watchers = new Set<() => void>();
  /** Present while anyone watches. */
  #listening: AbortController | undefined;
  #isDue = false;

  constructor({ listen, onBroken }: { listen: Listen; onBroken: (error: JournalUnavailable) => void }) {
    this.#listen = listen;
    this.#onBroken = onBroken;
  }

  watch(onChange: () => void): () => void {
    // Wrapped, so that the same function may watch twice.
    const watcher = (): void => onChange();
    this.#watchers.add(watcher);
    if (!this.#listening) {
      this.#listening = new AbortController();
      void this.#keepListening(this.#listening.signal);
    }
    return () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size === 0) this.#stop();
    };
  }

  /** Many messages of one turn of the event loop wake once. */
  wake(): void {
    if (this.#isDue || this.#watchers.size === 0) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      for (const watcher of this.#watchers) watcher();
    });
  }

  close(): void {
    this.#watchers.clear();
    this.#stop();
  }

  #stop(): void {
    this.#listening?.abort();
    this.#listening = undefined;
  }

  async #keepListening(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      try {
        // biome-ignore lint/performance/noAwaitInLoops: one subscription after the other
        await this.#listen(() => {
          failures = 0;
          this.wake();
        }, signal);
      } catch (cause) {
        if (signal.aborted) return;
        if (failures === 0) this.#onBroken(new JournalUnavailable('the wake-up subscription broke', { cause }));
        failures += 1;
      }
      await sleep(Math.min(5_000, 100 * 2 ** Math.min(failures, 6)), undefined, { signal, ref: false }).catch(() => {});
    }
  }
}
