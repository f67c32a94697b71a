// strace on running processes: what they ask of the system, in the order in which it happened, and faults put into their calls.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { withoutProgram, withoutRoot } from './not-run.ts';

export const withoutStrace = (): string | undefined => withoutProgram('strace') ?? withoutRoot();

export interface Call {
  readonly pid: number;
  readonly name: string;
  readonly args: string;
  /** What it gave; undefined where it had not come back when tracing ended. */
  readonly result: number | undefined;
  /** Places in the one order of all starts and ends. */
  readonly startedAt: number;
  readonly endedAt: number;
}

export class Strace {
  readonly #folder: string;
  readonly #child: ChildProcess;

  private constructor(folder: string, child: ChildProcess) {
    this.#folder = folder;
    this.#child = child;
  }

  /** Resolves when it holds every process. `options` is what strace takes, as `-e trace=…` and `-e inject=…`. */
  static async attach(pids: readonly number[], options: readonly string[]): Promise<Strace> {
    const folder = mkdtempSync(join(tmpdir(), 'shiji-strace-'));
    const child = spawn('strace', ['-o', join(folder, 'calls'), ...options, ...pids.flatMap((pid) => ['-p', String(pid)])], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
    process.once('exit', () => child.kill('SIGKILL'));
    const strace = new Strace(folder, child);
    const endMs = performance.now() + 10_000;
    while (pids.some((pid) => !said.includes(`Process ${pid} attached`))) {
      if (child.exitCode !== null || performance.now() > endMs) {
        await strace.detach();
        throw new Error(`strace did not attach: ${said}`);
      }
      await sleep(20);
    }
    return strace;
  }

  /** Lets the processes go on as before; gives their calls. */
  async detach(): Promise<readonly Call[]> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = once(this.#child, 'exit');
      this.#child.kill('SIGINT');
      await exited;
    }
    const text = readFileSync(join(this.#folder, 'calls'), 'utf8');
    rmSync(this.#folder, { recursive: true, force: true });
    return parse(text);
  }
}

/** Lines as `12 pwrite64(5, "…", 8192, 0) = 8192`, also in two halves (`<unfinished ...>`, `<... pwrite64 resumed>`). */
function parse(text: string): readonly Call[] {
  const calls: Call[] = [];
  const open = new Map<string, { args: string; startedAt: number }>();
  for (const [at, line] of text.split('\n').entries()) {
    const [, pidText = '', rest = ''] = /^(?:\[pid +)?(\d+)\]? +(.*)$/s.exec(line) ?? [];
    const pid = Number(pidText);
    const resumed = /^<\.\.\. (\w+) resumed>(.*)$/s.exec(rest);
    const started = /^(\w+)\((.*)$/s.exec(rest);
    const name = resumed?.[1] ?? started?.[1];
    if (name === undefined) continue;
    const key = `${pid} ${name}`;
    const before = resumed ? open.get(key) : undefined;
    if (resumed && before === undefined) continue;
    const tail = resumed?.[2] ?? started?.[2] ?? '';
    if (tail.endsWith('<unfinished ...>')) {
      open.set(key, { args: tail, startedAt: at });
      continue;
    }
    open.delete(key);
    const result = /\) += (-?\d+)/.exec(tail)?.[1];
    calls.push({
      pid,
      name,
      args: (before?.args ?? '') + tail,
      result: result === undefined ? undefined : Number(result),
      startedAt: before?.startedAt ?? at,
      endedAt: at,
    });
  }
  return calls;
}
