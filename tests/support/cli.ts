// The command-line clients as processes of their own, beside a server on a data folder, or on the database that `env` names.
import { spawn } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

export interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** @param cwd where rejects files are written */
export function runCli(
  name: 'import' | 'replay',
  args: readonly string[],
  { cwd, dataDir, env = {} }: { cwd: string; dataDir: string; env?: Readonly<Record<string, string>> },
): { done: Promise<Run>; kill: () => void } {
  const child = spawn(process.execPath, [join(root, 'src/cli', `${name}.ts`), ...args], {
    cwd,
    env: { PATH: process.env.PATH, SHIJI_DATA: dataDir, ...env },
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  return { done: new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err }))), kill: () => child.kill('SIGKILL') };
}
