// Lines of a feed's body: cut anywhere, of any length, packed or not, without more memory than a line.
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FeedUnreadable, gunzip, type Line, linesOf, MAX_LINE_BYTES } from '../../src/feeds/lines.ts';

/** A body as a connection gives it: in pieces of so many bytes. */
async function* piecesOf(body: string | Uint8Array, bytes = 65_536): AsyncGenerator<Uint8Array> {
  const whole = typeof body === 'string' ? Buffer.from(body) : body;
  for (let at = 0; at < whole.length; at += bytes) {
    await turn();
    yield whole.subarray(at, at + bytes);
  }
}

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const list: Item[] = [];
  for await (const item of items) list.push(item);
  return list;
}

const texts = async (body: string | Uint8Array, bytes?: number): Promise<string[]> =>
  (await all(linesOf(piecesOf(body, bytes)))).map(({ text }) => text);

describe('lines of a body', () => {
  it('are the same wherever the body is cut, also within a character', async () => {
    const body = '{"摘要":"卡被吞 🐎"}\n{"b":2}\n{"ü":"ß"}';
    const expected = ['{"摘要":"卡被吞 🐎"}', '{"b":2}', '{"ü":"ß"}'];
    for (const bytes of [1, 2, 3, 4, 5, 7, 64]) expect(await texts(body, bytes)).toStrictEqual(expected);
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => text.trim() === text && !/[\n\r\u2028\ufeff]/.test(text)),
          { minLength: 1, maxLength: 5 },
        ),
        fc.integer({ min: 1, max: 9 }),
        async (list, bytes) => {
          expect(await texts(list.join('\n'), bytes)).toStrictEqual(list);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('have the numbers that an editor would show, blank ones counted and left out', async () => {
    expect(await all(linesOf(piecesOf('{"a":1}\n\n  \n{"b":2}\n')))).toStrictEqual([
      { number: 1, text: '{"a":1}' },
      { number: 4, text: '{"b":2}' },
    ]);
  });

  it('may end as on Windows', async () => {
    const lines = await all(linesOf(piecesOf('{"a":1}\r\n\r\n{"b":2}\r\n', 8)));
    expect(lines.map(({ number, text }) => [number, JSON.parse(text)])).toStrictEqual([
      [1, { a: 1 }],
      [3, { b: 2 }],
    ]);
  });

  it('need no line end at the last, and no byte order mark at the first', async () => {
    expect(await texts('\ufeff{"a":1}\n{"b":2}')).toStrictEqual(['{"a":1}', '{"b":2}']);
    expect(await texts('')).toStrictEqual([]);
    expect(await texts('\n')).toStrictEqual([]);
  });

  it('come as a number and nothing where they are too long, and the next is whole again', async () => {
    const long = 'x'.repeat(MAX_LINE_BYTES + 1);
    const problem = 'the line is longer than 1048576 bytes';
    const expected = [
      { number: 1, text: 'a' },
      { number: 2, text: '', problem },
      { number: 3, text: 'b' },
      { number: 4, text: '', problem },
    ];
    for (const bytes of [4_096, 65_536, 10 * MAX_LINE_BYTES])
      expect(await all(linesOf(piecesOf(`a\n${long}\nb\n${long}`, bytes)))).toStrictEqual(expected);
    expect(await all(linesOf(piecesOf(`${'x'.repeat(3 * MAX_LINE_BYTES)}`)))).toStrictEqual([{ number: 1, text: '', problem }]);
  });

  it('may have exactly the longest length, counted in bytes', async () => {
    const longest = 'x'.repeat(MAX_LINE_BYTES);
    expect((await texts(`${longest}\nb`)).map((text) => text.length)).toStrictEqual([MAX_LINE_BYTES, 1]);
    const chinese = '记'.repeat(Math.floor(MAX_LINE_BYTES / 3));
    expect((await texts(`${chinese}\n${chinese}记\n${chinese}`)).map((text) => text.length)).toStrictEqual([chinese.length, 0, chinese.length]);
    expect((await texts(`b\n${chinese}记`)).map((text) => text.length)).toStrictEqual([1, 0]);
  });

  it('are told apart where they are in another encoding than UTF-8, and the next is whole again', async () => {
    const body = Buffer.concat([Buffer.from('{"name":"王"}\n{"name":"'), Buffer.from([0xcd, 0xf5]), Buffer.from('"}\n{"name":"\ufffd"}\n')]);
    for (const bytes of [1, 3, 64])
      expect(await all(linesOf(piecesOf(body, bytes)))).toStrictEqual([
        { number: 1, text: '{"name":"王"}' },
        { number: 2, text: '', problem: 'the line is not UTF-8' },
        { number: 3, text: '{"name":"\ufffd"}' },
      ]);
  });

  it('hold no more than a line in memory', async () => {
    let read = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (; read < 400; read += 1) yield Buffer.from(`${read}\n`.repeat(1_000));
    }
    for await (const { number } of linesOf(endless())) {
      if (number === 2_500) break;
      expect(read).toBeLessThan(4);
    }
    expect(read).toBeLessThan(4);
  });
});

describe('a packed body', { timeout: 5_000 }, () => {
  const unpacked = async (body: Uint8Array, bytes?: number): Promise<Line[]> => all(linesOf(gunzip(piecesOf(body, bytes))));

  it('unfolds, whatever pieces it comes in', async () => {
    const body = Array.from({ length: 5_000 }, (_, n) => `{"n":${n},"text":"史记 ${n * 7919}"}`).join('\n');
    for (const bytes of [100, 65_536]) {
      const lines = await unpacked(gzipSync(body), bytes);
      expect([lines.length, lines.at(-1)?.text]).toStrictEqual([5_000, `{"n":4999,"text":"史记 ${4_999 * 7_919}"}`]);
    }
  });

  it('that is none is refused in a sentence, however long it is', async () => {
    for (const body of ['{"a":1}\n', '{"a":1}\n'.repeat(100_000)]) {
      await expect(unpacked(Buffer.from(body), 1_000)).rejects.toThrow(new FeedUnreadable('the body is not valid gzip'));
    }
  });

  it('that ends too soon or is damaged is refused', async () => {
    const whole = gzipSync(Array.from({ length: 20_000 }, (_, n) => `${n * 7_919}`).join('\n'));
    await expect(unpacked(whole.subarray(0, whole.length - 20))).rejects.toThrow(FeedUnreadable);
    const damaged = Buffer.from(whole);
    damaged.fill(0, 20_000, 20_400);
    await expect(unpacked(damaged, 1_000)).rejects.toThrow(FeedUnreadable);
  });

  it('that unfolds to far too much is refused long before it is unfolded', async () => {
    const bomb = gzipSync(Buffer.alloc(200_000_000, 'x'));
    let given = 0;
    const unfold = async (): Promise<void> => {
      for await (const chunk of gunzip(piecesOf(bomb, 2_000))) given += chunk.length;
    };
    await expect(unfold()).rejects.toThrow(new FeedUnreadable('the body unfolds to more than 200 times its size'));
    expect(given).toBeLessThan(60_000_000);
  });

  it('may repeat itself much where it is small', async () => {
    expect((await unpacked(gzipSync(`${'x'.repeat(MAX_LINE_BYTES)}\n`.repeat(10)))).length).toBe(10);
  });

  it('can be left in the middle', async () => {
    const body = gzipSync(Buffer.from(Array.from({ length: 300_000 }, (_, n) => `${n * 7_919}`).join('\n')));
    let isReleased = false;
    async function* watched(): AsyncGenerator<Uint8Array> {
      try {
        yield* piecesOf(body, 10_000);
      } finally {
        isReleased = true;
      }
    }
    for await (const { number } of linesOf(gunzip(watched()))) if (number === 3) break;
    await expect.poll(() => isReleased).toBe(true);
    // Also where the sender has gone quiet.
    async function* stalling(): AsyncGenerator<Uint8Array> {
      yield body.subarray(0, 200_000);
      await sleep(60_000, undefined, { ref: false });
    }
    for await (const { number } of linesOf(gunzip(stalling()))) if (number === 3) break;
  });

  it('that breaks off on the way is not called bad gzip', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield gzipSync('{"a":1}\n').subarray(0, 10);
      throw new Error('the connection was cut');
    }
    await expect(all(gunzip(broken()))).rejects.toThrow(new Error('the connection was cut'));
  });
});
