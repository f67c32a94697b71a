// The real server as a process of its own: `node src/main.ts` on a data folder, as npm start runs it.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

const main = join(import.meta.dirname, '../../src/main.ts');

export interface ServerProcess {
  readonly pid: number;
  /** Resolves with the address when the banner is out; rejects where the process ends before. */
  readonly ready: Promise<string>;
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  stdout(): string;
  stderr(): string;
  kill(signal: NodeJS.Signals): void;
}

export interface ServerOptions {
  readonly dataDir: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
}

/** Starts on a free port, unless `env` names one. Whoever starts it ends it. */
export function spawnServer({ dataDir, env = {}, args = [] }: ServerOptions): ServerProcess {
  // Nothing of the developer's own settings; PATH finds setpriv and the like.
  const inherited = { PATH: process.env.PATH ?? '' };
  const child: ChildProcess = spawn(process.execPath, ['--max-semi-space-size=32', '--max-old-space-size=1536', main, ...args], {
    env: { ...inherited, SHIJI_DATA: dataDir, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  const ready = Promise.withResolvers<string>();
  ready.promise.catch(() => {});
  const ended = Promise.withResolvers<number | NodeJS.Signals>();
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString('utf8');
    const address = /Address +(\S+)/.exec(stdout)?.[1];
    if (address !== undefined && stdout.endsWith('\n\n')) ready.resolve(address);
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString('utf8');
  });
  child.once('close', (code, signal) => {
    ready.reject(new Error(`the server ended before it was ready: ${stderr}`));
    ended.resolve(code ?? signal ?? 1);
  });
  return {
    pid: child.pid ?? 0,
    ready: ready.promise,
    ended: ended.promise,
    stdout: () => stdout,
    stderr: () => stderr,
    kill: (signal) => {
      child.kill(signal);
    },
  };
}
