// A small file system in memory, to be filled: a disk of so many megabytes, and a ballast that takes what is left of it.
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../../src/postgres/sqlstate.ts';
import { withoutProgram, withoutRoot } from './not-run.ts';

export const withoutTmpfs = (): string | undefined => withoutProgram('mount') ?? withoutRoot() ?? unmountable();

export class SmallDisk {
  readonly path: string;
  readonly #unmount = (): void => void execFileSync('umount', ['-l', this.path]);

  /** Mounted on a folder that is made. */
  constructor(path: string, megabytes: number) {
    this.path = path;
    mkdirSync(path, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0711`, 'shiji-test', path]);
    process.once('exit', this.#unmount);
  }

  /** Until there is no room for one byte more. */
  fill(): void {
    const file = openSync(join(this.path, 'ballast'), 'a');
    try {
      for (const size of [1 << 20, 1 << 12, 1]) write(file, Buffer.alloc(size, 1));
    } finally {
      closeSync(file);
    }
  }

  free(): void {
    rmSync(join(this.path, 'ballast'), { force: true });
  }

  close(): void {
    process.off('exit', this.#unmount);
    this.#unmount();
  }
}

function write(file: number, block: Buffer): void {
  for (;;) {
    try {
      writeSync(file, block);
    } catch (error) {
      if (codeOf(error) === 'ENOSPC') return;
      throw error;
    }
  }
}

function unmountable(): string | undefined {
  const path = '/tmp/shiji-tmpfs-probe';
  try {
    mkdirSync(path, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'shiji-test', path], { stdio: 'pipe' });
    execFileSync('umount', [path]);
    return undefined;
  } catch {
    return 'no tmpfs can be mounted here';
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}
