// Lines of a body of any size in constant memory: plain or gzip, with bounds on a line and on what gzip may unfold to.
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

function isTooLong(text: string): boolean {
  return text.length > MAX_LINE_BYTES || (text.length * 3 > MAX_LINE_BYTES && Buffer.byteLength(text) > MAX_LINE_BYTES);
}

/** Lines by their numbers, blank ones left out. A line over the bound comes as its number and an empty text: it is somebody's to reject. */
export async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<Line> {
  const decoder = new TextDecoder('utf-8', { fatal: false });
  let rest = '';
  let number = 0;
  let skipping = false;
  for await (const chunk of body) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = parts.pop() ?? '';
    for (const text of parts) {
      number += 1;
      if (skipping || isTooLong(text)) yield { number, text: '' };
      else if (text.trim() !== '') yield { number, text };
      skipping = false;
    }
    if (rest.length > MAX_LINE_BYTES) {
      rest = '';
      skipping = true;
    }
  }
  rest += decoder.decode();
  if (skipping || isTooLong(rest)) yield { number: number + 1, text: '' };
  else if (rest.trim() !== '') yield { number: number + 1, text: rest };
}
