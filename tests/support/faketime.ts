// Another wall clock for a process of its own, moved while it runs; the monotonic clock stays true, as where an operator or NTP sets the time.
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const library = find();

export const withoutFaketime = (): string | undefined => (library === undefined ? 'faketime is not installed' : undefined);

export class FakeClock {
  readonly #folder = mkdtempSync(join(tmpdir(), 'shiji-clock-'));
  readonly #file = join(this.#folder, 'offset');

  constructor() {
    this.moveTo(0);
  }

  /** For the process whose clock this is. */
  get env(): Readonly<Record<string, string>> {
    return {
      LD_PRELOAD: library ?? '',
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      FAKETIME_DONT_RESET: '1',
    };
  }

  /** So far from the true time, at once. */
  moveTo(offsetMinutes: number): void {
    writeFileSync(`${this.#file}.new`, `${offsetMinutes < 0 ? '-' : '+'}${Math.abs(offsetMinutes) * 60}\n`);
    renameSync(`${this.#file}.new`, this.#file);
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Of the threads' own build: V8 and libuv ask from several. */
function find(): string | undefined {
  const root = '/usr/lib';
  if (!existsSync(root)) return undefined;
  return readdirSync(root)
    .flatMap((name) => [join(root, name, 'faketime/libfaketimeMT.so.1'), join(root, 'faketime/libfaketimeMT.so.1')])
    .find((path) => existsSync(path));
}
