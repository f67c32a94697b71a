// The stand-in's events on disk: a line of JSON each, flushed before anyone is answered. Without a folder, nothing is kept.
import { type FileHandle, mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogRecord } from './event-log.ts';

type Line = Omit<LogRecord, 'data' | 'metadata'> & { readonly data: string; readonly metadata: string };

export class LogFile {
  /** What an earlier run wrote. */
  readonly stored: readonly LogRecord[];
  readonly #file: FileHandle | undefined;
  #lines: string[] = [];
  #flushing: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  private constructor(file: FileHandle | undefined, stored: readonly LogRecord[]) {
    this.#file = file;
    this.stored = stored;
  }

  static async open(folder?: string): Promise<LogFile> {
    if (folder === undefined) return new LogFile(undefined, []);
    await mkdir(folder, { recursive: true });
    const path = join(folder, 'events.jsonl');
    const text = await readFile(path, 'utf8').catch(() => '');
    const file = await open(path, 'a');
    // A crash may have left half a line, which nobody was told of.
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    await file.truncate(Buffer.byteLength(whole));
    const lines = whole.split('\n').slice(0, -1);
    return new LogFile(
      file,
      lines.map((text) => {
        const line = JSON.parse(text) as Line;
        return { ...line, data: Buffer.from(line.data, 'base64'), metadata: Buffer.from(line.metadata, 'base64') };
      }),
    );
  }

  write(record: LogRecord): void {
    if (!this.#file) return;
    const line: Line = { ...record, data: Buffer.from(record.data).toString('base64'), metadata: Buffer.from(record.metadata).toString('base64') };
    this.#lines.push(`${JSON.stringify(line)}\n`);
  }

  /** Resolves when all that was written before is durable; flushes that wait for one another are one. */
  flush(): Promise<void> {
    this.#next ??= (this.#flushing ?? new Promise<void>((resolve) => setImmediate(resolve))).then(() => {
      this.#flushing = this.#flush();
      this.#next = undefined;
      return this.#flushing;
    });
    return this.#next;
  }

  async #flush(): Promise<void> {
    const lines = this.#lines;
    this.#lines = [];
    if (this.#file && lines.length > 0) {
      await this.#file.write(lines.join(''));
      await this.#file.datasync();
    }
  }

  async close(): Promise<void> {
    await this.flush();
    await this.#file?.close();
  }
}
