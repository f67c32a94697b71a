// Following the journal from a position on, for ever: catches up, then waits to be woken, and polls in case no one wakes it.
// Survives restarts of the store; the reader pulls, so a slow one holds nobody up.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Batch, type JournalReader, JournalUnavailable, type ReadAll } from './journal.ts';

export interface Subscription extends ReadAll {
  readonly signal: AbortSignal;
  /** How long to wait without being woken; default 250 ms. */
  readonly pollMs?: number;
  readonly onUnavailable?: (error: JournalUnavailable) => void;
}

/** Batches with at least one event or an advanced checkpoint, until the signal aborts. */
export async function* subscribe(journal: JournalReader, options: Subscription): AsyncGenerator<Batch> {
  const { signal, pollMs = 250 } = options;
  let { after } = options;
  let wake = (): void => {};
  let woken = false;
  const stop = journal.watch(() => {
    woken = true;
    wake();
  });
  const onAbort = (): void => wake();
  signal.addEventListener('abort', onAbort);
  try {
    let failures = 0;
    while (!signal.aborted) {
      woken = false;
      let batch: Batch | undefined;
      try {
        // biome-ignore lint/performance/noAwaitInLoops: one batch after the other, as the reader takes them
        batch = await journal.readAll({ ...options, after });
        failures = 0;
      } catch (error) {
        if (!(error instanceof JournalUnavailable)) throw error;
        options.onUnavailable?.(error);
        failures += 1;
      }
      if (batch && batch.checkpoint > after) {
        after = batch.checkpoint;
        yield batch;
      }
      if (batch && !batch.atEnd) continue;
      const waitMs = batch ? pollMs : Math.min(5_000, 100 * 2 ** Math.min(failures, 6));
      // What came while the journal was read is not slept over.
      if (signal.aborted || (woken && batch)) continue;
      const aborter = new AbortController();
      await Promise.race([
        new Promise<void>((resolve) => {
          wake = resolve;
        }),
        sleep(waitMs, undefined, { signal: aborter.signal }).catch((error: unknown) => {
          if (!aborter.signal.aborted) throw error;
        }),
      ]);
      aborter.abort();
    }
  } finally {
    stop();
    signal.removeEventListener('abort', onAbort);
  }
}
