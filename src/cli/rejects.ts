// The rejects file of an import.
import { createWriteStream, type WriteStream } from 'node:fs';
import { StartError } from '../start-error.ts';

/** Where a row stands. */
export interface Origin {
  /** Where an import reads several. */
  readonly file?: string;
  readonly line: number;
}

/** Rows that were not taken, by line number (and file) and reason, one JSON a line; made at the first. */
export class Rejects {
  readonly #path: string;
  readonly #strict: boolean;
  #file: WriteStream | undefined;

  constructor(path: string, strict: boolean) {
    this.#path = path;
    this.#strict = strict;
  }

  add({ file, line }: Origin, reasons: readonly string[]): void {
    if (this.#strict)
      throw new StartError(`${file === undefined ? '' : `${file}: `}Line ${line}: ${reasons.join('; ')}. Nothing after it was sent (--strict).`);
    this.#file ??= createWriteStream(this.#path, { mode: 0o600 });
    this.#file.write(`${JSON.stringify({ ...(file === undefined ? {} : { file }), line, reasons })}\n`);
  }

  async close(): Promise<void> {
    const file = this.#file;
    if (file) await new Promise<void>((resolve) => file.end(() => resolve()));
  }
}
