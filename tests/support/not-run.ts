// What a test needs of the machine and may not find. Where it is missing the test says so and passes; under CI it fails, so that
// nothing is left out unnoticed.
import { onPath } from './program.ts';

/** True where all is there. @throws Error under CI where something is not */
export function canRun(row: string, reason: string | undefined): boolean {
  if (reason === undefined) return true;
  const sentence = `${row} not run: ${reason}`;
  if (process.env.CI === 'true') throw new Error(sentence);
  process.stdout.write(`${sentence}\n`);
  return false;
}

/** Why a program can't be used, for `canRun`. */
export function withoutProgram(name: string): string | undefined {
  if (process.platform !== 'linux') return `${name} works on Linux only`;
  return onPath(name) === undefined ? `${name} is not installed` : undefined;
}

export function withoutRoot(): string | undefined {
  return process.getuid?.() === 0 ? undefined : 'needs root';
}
