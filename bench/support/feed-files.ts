// Lines of a feed as gzip files, one a request, ready before anything is measured: making them takes nothing from whoever is.
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

const PIECE_CHARACTERS = 256 * 1_024;

export interface FeedFiles {
  readonly paths: readonly string[];
  readonly lines: number;
}

/** @param records objects, each a line */
export async function writeFeedFiles(
  folder: string,
  name: string,
  records: Iterable<object> | AsyncIterable<object>,
  linesAFile: number,
): Promise<FeedFiles> {
  const paths: string[] = [];
  let lines = 0;
  const source = Symbol.asyncIterator in records ? records[Symbol.asyncIterator]() : records[Symbol.iterator]();
  let next = await source.next();
  async function* oneFile(): AsyncGenerator<string> {
    let piece = '';
    for (let count = 0; count < linesAFile && !next.done; count += 1) {
      piece += `${JSON.stringify(next.value)}\n`;
      lines += 1;
      next = await source.next();
      if (piece.length < PIECE_CHARACTERS) continue;
      yield piece;
      piece = '';
    }
    if (piece !== '') yield piece;
  }
  while (!next.done) {
    const path = join(folder, `${name}-${paths.length + 1}.ndjson.gz`);
    await pipeline(Readable.from(oneFile(), { objectMode: false }), createGzip({ level: 1 }), createWriteStream(path));
    paths.push(path);
  }
  return { paths, lines };
}
