// How a process of ours ends: what was started last stops first, each part in its own time, on SIGTERM, SIGINT (Ctrl-C) or SIGHUP.
//   starting ─► running ─► draining ─► ended, with exit code 0, or 1 where a part could not stop cleanly
// npm ends by SIGTERM itself, so its exit code is never ours, and signalled alone it leaves us running: the banner names our own pid.
import type { Logger } from './logging.ts';

export interface Lifecycle {
  /** Aborted when draining begins: streams and long polls end, workers take no next batch. */
  readonly draining: AbortSignal;
  /** Resolves when someone asked to stop. */
  readonly stopAsked: Promise<void>;
  /**
   * Registers what must stop, after it was started. `stop` bounds itself where it waits for others;
   * `withinMs` (default 30 s) is for when it hangs: it is then left behind and the exit code is 1.
   */
  onStop(name: string, stop: () => Promise<void> | void, withinMs?: number): void;
  /** Registers what must be done, at once and synchronously, before the process dies without draining. */
  onAbandon(abandon: () => void): void;
  /** As if a signal had come. */
  askToStop(reason: string): void;
  /** Runs all stops in reverse order. Gives the exit code. */
  stop(): Promise<number>;
  /** Gives up what was registered by onAbandon. */
  abandon(): void;
}

export function createLifecycle(log: Logger): Lifecycle {
  const controller = new AbortController();
  const asked = Promise.withResolvers<void>();
  const parts: { name: string; stop: () => Promise<void> | void; withinMs: number }[] = [];
  const abandons: (() => void)[] = [];
  return {
    draining: controller.signal,
    stopAsked: asked.promise,
    onStop: (name, stop, withinMs = 30_000) => {
      parts.push({ name, stop, withinMs });
    },
    onAbandon: (abandon) => {
      abandons.push(abandon);
    },
    askToStop: (reason) => {
      if (controller.signal.aborted) return;
      log.info({ reason }, 'draining');
      controller.abort();
      asked.resolve();
    },
    stop: async () => {
      controller.abort();
      let code = 0;
      for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
        const startedMs = performance.now();
        try {
          await within(part.withinMs, part.stop);
          log.debug({ part: part.name, tookMs: Math.round(performance.now() - startedMs) }, 'stopped');
        } catch (error) {
          log.error({ part: part.name, err: error }, 'a part did not stop cleanly');
          code = 1;
        }
      }
      return code;
    },
    abandon: () => {
      for (const abandon of abandons) abandon();
    },
  };
}

async function within(limitMs: number, work: () => Promise<void> | void): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`not stopped within ${limitMs} ms`)), limitMs);
  try {
    await Promise.race([work(), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** One Ctrl-C reaches us twice under npm: from the terminal, and passed on by npm. */
const SAME_KEYPRESS_MS = 1_000;

/** A first signal drains; more are ignored, but a second Ctrl-C ends the process at once with exit code 130. `say` must write synchronously. */
export function drainOnSignals(lifecycle: Lifecycle, say: (sentence: string) => void): void {
  let firstInterruptMs: number | undefined;
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => lifecycle.askToStop(signal));
  process.on('SIGINT', () => {
    if (firstInterruptMs === undefined) {
      firstInterruptMs = performance.now();
      say('Finishing what is under way; Ctrl-C again stops at once.');
      lifecycle.askToStop('SIGINT');
    } else if (performance.now() - firstInterruptMs > SAME_KEYPRESS_MS) {
      say('Stopped at once: requests under way were cut off, what was answered is kept.');
      lifecycle.abandon();
      process.exit(130);
    }
  });
}
