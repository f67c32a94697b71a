// What a row starts and makes, taken away again at its end, whatever the end was: done, failed, out of time, or Ctrl-C.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Longest that one part may take to end before it is left to what follows. */
const END_MS = 40_000;

export class Scope {
  readonly #ends: (() => Promise<void> | void)[] = [];
  #ended: Promise<void> | undefined;

  /** A temporary folder, never one of a real start. A Postgres that was left running in it is stopped before it goes. */
  folder(): string {
    this.#assertOpen();
    const path = mkdtempSync(join(tmpdir(), 'shiji-bench-'));
    this.onEnd(async () => {
      await stopPostgresIn(path);
      rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    });
    return path;
  }

  /** What was started last ends first. */
  onEnd(end: () => Promise<void> | void): void {
    if (this.#ended !== undefined) {
      // Started while all was ending: it ends at once.
      void Promise.resolve(end());
      this.#assertOpen();
    }
    this.#ends.push(end);
  }

  end(): Promise<void> {
    this.#ended ??= this.#end();
    return this.#ended;
  }

  async #end(): Promise<void> {
    for (let end = this.#ends.pop(); end !== undefined; end = this.#ends.pop()) {
      try {
        await Promise.race([end(), sleep(END_MS, undefined, { ref: false })]);
      } catch (error) {
        process.stderr.write(`A part of the bench did not end cleanly: ${error instanceof Error ? error.message : String(error)}\n`);
      }
    }
  }

  #assertOpen(): void {
    if (this.#ended !== undefined) throw new Error('the bench is ending');
  }
}

/** For when whoever should have stopped it is gone: the cluster is about to be removed, so it need not end gently. */
async function stopPostgresIn(folder: string): Promise<void> {
  const pid = postmasterOf(folder);
  if (pid === undefined) return;
  for (const signal of ['SIGQUIT', 'SIGKILL'] as const) {
    for (let tries = 0; tries < 50; tries += 1) {
      try {
        process.kill(pid, tries === 0 ? signal : 0);
      } catch {
        return;
      }
      await sleep(100);
    }
  }
}

/** The process id of the Postgres that runs in a data folder; undefined where none does. */
export function postmasterOf(dataDir: string): number | undefined {
  try {
    const pid = Number(readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0]);
    return pid > 1 ? pid : undefined;
  } catch {
    return undefined;
  }
}
