// Lines of a body of any size in constant memory: plain or gzip, with bounds on a line and on what gzip may unfold to.
import { isUtf8 } from 'node:buffer';
import { createGunzip, type Gunzip } from 'node:zlib';
import { codeOf } from '../postgres/sqlstate.ts';

/** A line may be as long as one command's body. */
export const MAX_LINE_BYTES = 1_048_576;
// A real feed compresses 5 to 20 times; a bomb a thousand times.
const MAX_RATIO = 200;
const RATIO_FREE_BYTES = 16_777_216;

export class FeedUnreadable extends Error {
  override readonly name = 'FeedUnreadable';
}

export interface Line {
  /** From 1. */
  readonly number: number;
  readonly text: string;
  /** Why it can't be taken; its text is empty then. */
  readonly problem?: string;
}

/** A body unfolded. @throws FeedUnreadable where it is no gzip, or unfolds to far too much */
export async function* gunzip(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const unzip = createGunzip();
  let taken = 0;
  let given = 0;
  const pump = async (): Promise<void> => {
    try {
      for await (const chunk of body) {
        taken += chunk.length;
        if (unzip.destroyed) return;
        if (!unzip.write(chunk)) await drained(unzip);
      }
      unzip.end();
    } catch (error) {
      unzip.destroy(error as Error);
    }
  };
  // Not waited for: it ends with the body, or at its next chunk where nobody reads on.
  void pump();
  try {
    for await (const chunk of unzip as AsyncIterable<Uint8Array>) {
      given += chunk.length;
      if (given > RATIO_FREE_BYTES && given > taken * MAX_RATIO)
        throw new FeedUnreadable(`the body unfolds to more than ${MAX_RATIO} times its size`);
      yield chunk;
    }
  } catch (cause) {
    if (!codeOf(cause)?.startsWith('Z_')) throw cause;
    throw new FeedUnreadable('the body is not valid gzip', { cause });
  } finally {
    unzip.destroy();
  }
}

/** When there is room again, or nobody reads any more. */
function drained(unzip: Gunzip): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      unzip.off('drain', done);
      unzip.off('close', done);
      resolve();
    };
    unzip.on('drain', done);
    unzip.on('close', done);
  });
}

/** Lines by their numbers, blank ones left out. One that can't be taken comes as its number and what is wrong: it is somebody's to reject. */
export async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<Line> {
  let number = 0;
  // What has come of a line; its pieces are let go where it is too long.
  let pieces: Uint8Array[] = [];
  let length = 0;
  const add = (piece: Uint8Array): void => {
    length += piece.length;
    if (length > MAX_LINE_BYTES) pieces = [];
    else if (piece.length > 0) pieces.push(piece);
  };
  const ended = (): Line => {
    number += 1;
    const line = length > MAX_LINE_BYTES ? { number, text: '', problem: TOO_LONG } : lineOf(number, pieces);
    pieces = [];
    length = 0;
    return line;
  };
  const isBlank = ({ text, problem }: Line): boolean => problem === undefined && text.trim() === '';
  for await (const chunk of body) {
    let from = 0;
    for (let at = chunk.indexOf(LINE_FEED); at !== -1; at = chunk.indexOf(LINE_FEED, from)) {
      add(chunk.subarray(from, at));
      from = at + 1;
      const line = ended();
      if (!isBlank(line)) yield line;
    }
    add(chunk.subarray(from));
  }
  const last = ended();
  if (!isBlank(last)) yield last;
}

const LINE_FEED = 0x0a;
const TOO_LONG = `the line is longer than ${MAX_LINE_BYTES} bytes`;

function lineOf(number: number, pieces: readonly Uint8Array[]): Line {
  const [first, ...more] = pieces;
  const bytes = first === undefined || more.length > 0 ? Buffer.concat(pieces) : Buffer.from(first.buffer, first.byteOffset, first.length);
  // Read in another encoding a name would be kept as something else, for good.
  if (!isUtf8(bytes)) return { number, text: '', problem: 'the line is not UTF-8' };
  const text = bytes.toString();
  return { number, text: number === 1 && text.startsWith('\ufeff') ? text.slice(1) : text };
}
