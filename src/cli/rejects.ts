// The rejects file of an import.
import { createWriteStream, type WriteStream } from 'node:fs';
import { StartError } from '../start-error.ts';

/** Rows that were not taken, by line number and reason, one JSON a line; made at the first. */
export class Rejects {
  readonly #path: string;
  readonly #strict: boolean;
  #file: WriteStream | undefined;

  constructor(path: string, strict: boolean) {
    this.#path = path;
    this.#strict = strict;
  }

  add(line: number, reasons: readonly string[]): void {
    if (this.#strict) throw new StartError(`Line ${line}: ${reasons.join('; ')}. Nothing after it was sent (--strict).`);
    this.#file ??= createWriteStream(this.#path, { mode: 0o600 });
    this.#file.write(`${JSON.stringify({ line, reasons })}\n`);
  }

  async close(): Promise<void> {
    const file = this.#file;
    if (file) await new Promise<void>((resolve) => file.end(() => resolve()));
  }
}
