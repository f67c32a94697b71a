// Results of a feed line by line, on disk while it runs, as NDJSON: a body of any size is answered after it ends from constant memory.
import { createReadStream, createWriteStream, mkdirSync, type ReadStream, type WriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

export interface LineResult {
  readonly line: number;
  readonly outcome: 'created' | 'repeated' | 'rejected';
  /** The id that it has here. */
  readonly id?: string;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
}

export class Spool {
  readonly #file: WriteStream;
  #failure: Error | undefined;

  constructor(path: string) {
    this.#file = createWriteStream(path, { mode: 0o600 });
    this.#file.on('error', (error) => this.#failed(error));
  }

  #failed(error: Error | null | undefined): void {
    this.#failure ??= error ?? undefined;
  }

  /** Also of lines that went well: a source asks which id its record has. Never repeats what the line said. */
  add(result: LineResult): void {
    this.#file.write(`${JSON.stringify(result)}\n`);
  }

  async close(): Promise<void> {
    // Told here first: the event of an error comes after the callback.
    if (!this.#file.destroyed) await new Promise<void>((resolve) => this.#file.end((error?: Error | null) => resolve(this.#failed(error))));
    if (this.#failure) throw new Error('the results of the feed could not be spooled', { cause: this.#failure });
  }
}

/** The folder of the spools. */
export class Spools {
  readonly #folder: string;
  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  open(feedId: string): Spool {
    return new Spool(this.#pathOf(feedId));
  }

  /** Undefined where this process's disk has none. */
  async read(feedId: string): Promise<ReadStream | undefined> {
    const path = this.#pathOf(feedId);
    const found = await stat(path).catch(() => undefined);
    return found && createReadStream(path);
  }

  async remove(feedId: string): Promise<void> {
    await rm(this.#pathOf(feedId), { force: true });
  }

  #pathOf(feedId: string): string {
    return join(this.#folder, `${feedId}.ndjson`);
  }
}
