// A CSV file of an import, plain or gzip, row by row in constant memory; its header is looked at first.
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse';
import { StartError } from '../start-error.ts';

/** Cells by column; a row that is too short lacks some. */
export type CsvRecord<Column extends string> = Readonly<Partial<Record<Column, string>>>;

export interface CsvRow<Column extends string> {
  readonly record: CsvRecord<Column>;
  /** In the file, from 1; the header's own counts. */
  readonly line: number;
}

export interface CsvDescription<Column extends string> {
  readonly columns: readonly Column[];
  readonly delimiter: ',' | ';';
  /** `The file` or its name, and what it must be: for whoever brought another one. */
  readonly called: string;
  readonly mustBe: string;
}

export class CsvFile<Column extends string> {
  readonly #path: string;
  readonly #description: CsvDescription<Column>;
  #bytesRead = 0;

  constructor(path: string, description: CsvDescription<Column>) {
    this.#path = path;
    this.#description = description;
  }

  /** Of the file as it lies on disk. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** @throws StartError where columns are missing */
  async *rows(): AsyncGenerator<CsvRow<Column>> {
    const source = createReadStream(this.#path);
    const text = this.#path.endsWith('.gz') ? source.pipe(createGunzip()) : source;
    const parser = parse({
      columns: (header: string[]) => this.#checked(header),
      delimiter: this.#description.delimiter,
      info: true,
      bom: true,
      relax_column_count: true,
      skip_empty_lines: true,
    });
    for (const stream of new Set([source, text])) stream.on('error', (error: Error) => parser.destroy(error));
    const parsed = text.pipe(parser) as AsyncIterable<{ record: CsvRecord<Column>; info: { lines: number } }>;
    try {
      for await (const { record, info } of parsed) {
        this.#bytesRead = Math.max(this.#bytesRead, source.bytesRead);
        yield { record, line: info.lines };
      }
    } finally {
      source.destroy();
    }
  }

  #checked(header: string[]): string[] {
    const { columns, called, mustBe } = this.#description;
    const missing = columns.filter((column) => !header.includes(column));
    if (missing.length > 0)
      throw new StartError(`${called} lacks the column${missing.length > 1 ? 's' : ''} ${missing.join(', ')}: it must be ${mustBe}.`);
    return header;
  }
}
