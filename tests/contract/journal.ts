// What every store of events must keep, whichever it is: each store's test file calls this with a way to open it, and all print the
// same titles. The port is src/journal/journal.ts.
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  APPEND_LIMIT_BYTES,
  type AppendResult,
  AppendTooLarge,
  type EventToAppend,
  type ExpectedRevision,
  type Journal,
  type JournalReader,
  JournalUnavailable,
  type ReadAll,
  type StoredEvent,
} from '../../src/journal/journal.ts';
import { subscribe } from '../../src/journal/subscription.ts';
import { eventsOf, type Load, type StoreAddress, writeLoad, writeLoadElsewhere } from '../support/journal-writer.ts';

export interface OpenedStore {
  readonly journal: Journal;
  /** A second connection. Where absent, the one connection stands for both. */
  readonly another?: () => Promise<Journal>;
  /** Stops the store and starts it again with what it had written; open journals must find back. Where absent, time alone passes. */
  readonly restart?: () => Promise<void>;
  /** How an operating system process of its own opens the store. Where absent (memory), `another` in this process writes instead. */
  readonly address?: StoreAddress;
  /**
   * Holds something open that a careless store would wait for (Postgres: a transaction that has written to another table) and
   * returns how to let go. Where absent, a reader that took one batch and stands still.
   */
  readonly holdOpen?: () => Promise<() => Promise<void>>;
  /** After the journals were closed. */
  readonly close?: () => Promise<void>;
}

const name = (prefix: string): string => `${prefix}${randomBytes(6).toString('hex')}`;
const newStream = (category = 'contract'): string => `${category}-${randomUUID()}`;
const event = (over: Partial<EventToAppend> = {}): EventToAppend => ({ id: randomUUID(), type: 'Tested', data: '{"a":1}', metadata: '{}', ...over });
const eventsOfCount = (count: number): EventToAppend[] => Array.from({ length: count }, () => event());
const ids = (events: readonly EventToAppend[]): string[] => events.map(({ id }) => id);

/** Everything after a position, page by page. */
async function readOn(journal: JournalReader, options: Omit<ReadAll, 'limit'> & { limit?: number }): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  let { after } = options;
  for (;;) {
    const batch = await journal.readAll({ limit: 1_000, ...options, after });
    events.push(...batch.events);
    after = batch.checkpoint;
    if (batch.atEnd) return events;
  }
}

/** The answer of an append that must have been taken. */
function taken(result: AppendResult): Extract<AppendResult, { appended: true }> {
  if (!result.appended) throw new Error(`refused: the stream is at revision ${result.revision}`);
  return result;
}

/** A first answer, without what only some stores can tell. */
function firstAnswer(result: AppendResult): Omit<AppendResult, 'repeated'> {
  const { repeated, ...answer } = taken(result);
  expect(repeated ?? false).toBe(false);
  return answer;
}

/** The answer of a retry: a store that can tell says that it found the events there. */
function again(result: AppendResult): Omit<AppendResult, 'repeated'> {
  const { repeated, ...answer } = taken(result);
  expect(repeated ?? true).toBe(true);
  return answer;
}

/** As callers do: the same again while the store can't be reached. */
async function untilAvailable<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof JournalUnavailable) || attempt >= 100) throw error;
      await sleep(200);
    }
  }
}

/** Follows the journal and keeps what it saw in the order it saw it. */
function follow(journal: JournalReader, options: { after: number; categories?: string[]; types?: string[]; pollMs?: number }) {
  const stopped = new AbortController();
  const seen: StoredEvent[] = [];
  let onSeen = (): void => {};
  const running = (async () => {
    for await (const { events } of subscribe(journal, { limit: 500, ...options, signal: stopped.signal })) {
      seen.push(...events);
      onSeen();
    }
  })();
  return {
    seen,
    /** Waits until so many events were seen. */
    async until(count: number, withinMs = 30_000): Promise<StoredEvent[]> {
      const enough = new Promise<void>((resolve) => {
        onSeen = () => {
          if (seen.length >= count) resolve();
        };
        onSeen();
      });
      await Promise.race([
        enough,
        running,
        sleep(withinMs, undefined, { ref: false }).then(() => {
          throw new Error(`saw ${seen.length} of ${count} events within ${withinMs} ms`);
        }),
      ]);
      return seen;
    },
    async stop(): Promise<void> {
      stopped.abort();
      await running;
    },
  };
}

export function journalContract(storeName: string, open: (options: { now: () => number }) => Promise<OpenedStore>): void {
  describe(`the journal in ${storeName}`, { timeout: 60_000 }, () => {
    let store: OpenedStore;
    let journal: Journal;
    let other: Journal;
    /** Added to the store's clock. */
    let clockMs = 0;

    beforeAll(async () => {
      store = await open({ now: () => Date.now() + clockMs });
      journal = store.journal;
      other = store.another ? await store.another() : journal;
    }, 120_000);

    afterAll(async () => {
      if (other !== journal) await other?.close();
      await journal?.close();
      await store?.close?.();
    }, 60_000);

    describe('what is there', () => {
      it('has its head at the last event, and at 0 while there is none', async () => {
        const last = (await readOn(journal, { after: 0 })).at(-1);
        expect(await journal.head()).toStrictEqual({ position: last?.position ?? 0, recordedAtMs: last?.recordedAtMs ?? 0 });
      });

      it('has one identity, the same for all connections', async () => {
        const identity = await journal.identity();
        expect(identity).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
        expect(await Promise.all([journal.identity(), other.identity()])).toStrictEqual([identity, identity]);
      });

      it('groups positions in chunks of a whole width', () => {
        expect(Number.isSafeInteger(journal.chunkWidth) && journal.chunkWidth > 0).toBe(true);
      });
    });

    describe('appending', () => {
      it('starts a stream that is not there', async () => {
        const result = taken(await journal.append(newStream(), 'no-stream', [event()]));
        expect(result.revision).toBe(0);
        expect(result.position).toBeGreaterThan(0);
        expect(Number.isSafeInteger(result.recordedAtMs)).toBe(true);
      });

      it('goes on at a numbered revision and answers with the last event’s revision and position', async () => {
        const stream = newStream();
        const first = taken(await journal.append(stream, 'no-stream', eventsOfCount(2)));
        expect(first.revision).toBe(1);
        const second = taken(await journal.append(stream, 1, eventsOfCount(3)));
        expect(second.revision).toBe(4);
        const stored = await journal.readStream(stream);
        expect(stored.map(({ revision }) => revision)).toStrictEqual([0, 1, 2, 3, 4]);
        expect([stored[1]?.position, stored[4]?.position]).toStrictEqual([first.position, second.position]);
        expect([stored[1]?.recordedAtMs, stored[4]?.recordedAtMs]).toStrictEqual([first.recordedAtMs, second.recordedAtMs]);
      });

      it('refuses no-stream where the stream is there and tells its revision', async () => {
        const stream = newStream();
        await journal.append(stream, 'no-stream', eventsOfCount(3));
        expect(await journal.append(stream, 'no-stream', [event()])).toStrictEqual({ appended: false, revision: 2 });
      });

      it('refuses a revision that the stream has left behind and tells where it is', async () => {
        const stream = newStream();
        await journal.append(stream, 'no-stream', eventsOfCount(3));
        expect(await journal.append(stream, 0, [event()])).toStrictEqual({ appended: false, revision: 2 });
      });

      it('refuses a revision that the stream has not reached and tells where it is', async () => {
        const stream = newStream();
        await journal.append(stream, 'no-stream', eventsOfCount(3));
        expect(await journal.append(stream, 3, [event()])).toStrictEqual({ appended: false, revision: 2 });
      });

      it('refuses a numbered revision of a missing stream and tells -1', async () => {
        expect(await journal.append(newStream(), 0, [event()])).toStrictEqual({ appended: false, revision: -1 });
      });

      it('writes nothing when it refuses', async () => {
        const stream = newStream();
        await journal.append(stream, 'no-stream', [event()]);
        const before = await journal.head();
        await journal.append(stream, 'no-stream', eventsOfCount(2));
        await journal.append(newStream(), 4, eventsOfCount(2));
        expect(await journal.head()).toStrictEqual(before);
        expect(await journal.readStream(stream)).toHaveLength(1);
      });
    });

    describe('appending the same again', () => {
      it('gives the first answer and writes nothing', async () => {
        const stream = newStream();
        const [first, second] = [eventsOfCount(2), eventsOfCount(3)];
        const started = await journal.append(stream, 'no-stream', first);
        const answer = await journal.append(stream, 1, second);
        const before = await journal.head();
        expect(again(await journal.append(stream, 1, second))).toStrictEqual(firstAnswer(answer));
        expect(again(await journal.append(stream, 'no-stream', first))).toStrictEqual(firstAnswer(started));
        expect(await journal.head()).toStrictEqual(before);
        expect(ids(await journal.readStream(stream))).toStrictEqual(ids([...first, ...second]));
      });

      it('gives the first answer also when other events followed', async () => {
        const stream = newStream();
        const events = eventsOfCount(2);
        const answer = await journal.append(stream, 'no-stream', events);
        await sleep(3);
        for (const revision of [1, 2, 3]) taken(await journal.append(stream, revision, [event()]));
        expect(again(await journal.append(stream, 'no-stream', events))).toStrictEqual(firstAnswer(answer));
        expect(await journal.readStream(stream)).toHaveLength(5);
      });

      it('gives the first answer also after the store restarted', async () => {
        const stream = newStream();
        const [events, more] = [eventsOfCount(2), eventsOfCount(1)];
        const answer = await journal.append(stream, 'no-stream', events);
        const moreAnswer = await journal.append(stream, 1, more);
        await store.restart?.();
        expect(again(await untilAvailable(() => journal.append(stream, 'no-stream', events)))).toStrictEqual(firstAnswer(answer));
        expect(again(await untilAvailable(() => journal.append(stream, 1, more)))).toStrictEqual(firstAnswer(moreAnswer));
        expect(await untilAvailable(() => journal.readStream(stream))).toHaveLength(3);
      });

      it('gives the first answer also over another connection, which has read the stream', async () => {
        const stream = newStream();
        const events = eventsOfCount(2);
        const answer = await journal.append(stream, 'no-stream', events);
        await sleep(3);
        await untilAvailable(() => other.readStream(stream));
        expect(again(await untilAvailable(() => other.append(stream, 'no-stream', events)))).toStrictEqual(firstAnswer(answer));
      });

      it('gives one answer to two connections at once and writes once', async () => {
        const stream = newStream();
        const events = eventsOfCount(2);
        const answers = await Promise.all([journal, other, journal, other].map((connection) => connection.append(stream, 'no-stream', events)));
        expect(new Set(answers.map((answer) => `${taken(answer).revision} ${taken(answer).position}`)).size).toBe(1);
        expect(ids(await journal.readStream(stream))).toStrictEqual(ids(events));
      });

      it('takes a part of the first append at its right place', async () => {
        const stream = newStream();
        const events = eventsOfCount(5);
        await journal.append(stream, 'no-stream', events);
        const stored = await journal.readStream(stream);
        const at = (revision: number) => ({
          appended: true,
          revision,
          position: stored[revision]?.position,
          recordedAtMs: stored[revision]?.recordedAtMs,
        });
        expect(again(await journal.append(stream, 1, events.slice(2, 4)))).toStrictEqual(at(3));
        expect(again(await journal.append(stream, 'no-stream', events.slice(0, 1)))).toStrictEqual(at(0));
        expect(await journal.readStream(stream)).toHaveLength(5);
      });

      it('refuses old ids together with new ones', async () => {
        const stream = newStream();
        const events = eventsOfCount(3);
        await journal.append(stream, 'no-stream', events);
        const refused = { appended: false, revision: 2 };
        expect(await journal.append(stream, 'no-stream', [...events, event()])).toStrictEqual(refused);
        expect(await journal.append(stream, 1, [...events.slice(2), event()])).toStrictEqual(refused);
        expect(await journal.append(stream, 'no-stream', [event(), ...events.slice(1)])).toStrictEqual(refused);
        expect(ids(await journal.readStream(stream))).toStrictEqual(ids(events));
      });

      it('refuses the right ids at a wrong revision or in a wrong order', async () => {
        const stream = newStream();
        const events = eventsOfCount(4);
        await journal.append(stream, 'no-stream', events);
        const refused = { appended: false, revision: 3 };
        expect(await journal.append(stream, 'no-stream', events.slice(1, 2))).toStrictEqual(refused);
        expect(await journal.append(stream, 0, events.slice(2, 3))).toStrictEqual(refused);
        expect(await journal.append(stream, 'no-stream', events.slice(0, 2).reverse())).toStrictEqual(refused);
        expect(await journal.append(stream, 7, events.slice(0, 1))).toStrictEqual(refused);
      });

      it('compares ids alone and keeps what was written first', async () => {
        const stream = newStream();
        const first = event();
        const answer = await journal.append(stream, 'no-stream', [first, event()]);
        const again = taken(await journal.append(stream, 'no-stream', [{ ...first, type: 'Other', data: '{"b":2}', metadata: '{"c":3}' }]));
        expect([answer.appended, again.revision]).toStrictEqual([true, 0]);
        expect((await journal.readStream(stream))[0]).toMatchObject(first);
      });

      it('writes the same ids in another stream', async () => {
        const [one, two] = [newStream(), newStream()];
        const events = eventsOfCount(2);
        const first = taken(await journal.append(one, 'no-stream', events));
        const second = taken(await journal.append(two, 'no-stream', events));
        expect(second.position).toBeGreaterThan(first.position);
        expect(ids(await journal.readStream(two))).toStrictEqual(ids(events));
      });
    });

    describe('sizes and texts', () => {
      it('keeps an event of one byte', async () => {
        const stream = newStream();
        await journal.append(stream, 'no-stream', [event({ data: '1' })]);
        expect((await journal.readStream(stream))[0]?.data).toBe('1');
      });

      it('keeps an event of 900 kB', async () => {
        const stream = newStream();
        const data = `"${'记'.repeat(299_999)}x"`;
        expect(Buffer.byteLength(data)).toBe(900_000);
        const { position: after } = await journal.head();
        await journal.append(stream, 'no-stream', [event({ data })]);
        expect((await journal.readStream(stream))[0]?.data).toBe(data);
        expect((await readOn(journal, { after }))[0]?.data).toBe(data);
      });

      it('takes an append at the limit, and one byte more is too large and writes nothing', async () => {
        const stream = newStream();
        const data = (bytes: number): string => `"${'x'.repeat(bytes - 2)}"`;
        expect(
          (await journal.append(stream, 'no-stream', [event({ data: data(APPEND_LIMIT_BYTES - 100) }), event({ data: data(100) })])).appended,
        ).toBe(true);
        const before = await journal.head();
        await expect(journal.append(stream, 1, [event({ data: data(APPEND_LIMIT_BYTES + 1) })])).rejects.toThrow(AppendTooLarge);
        await expect(journal.append(stream, 1, [event({ data: data(600_000) }), event({ data: data(600_000) })])).rejects.toThrow(AppendTooLarge);
        // Bytes are counted, not characters.
        await expect(journal.append(stream, 1, [event({ data: `"${'记'.repeat(400_000)}"` })])).rejects.toThrow(AppendTooLarge);
        expect(await journal.head()).toStrictEqual(before);
        expect((await journal.append(stream, 1, [event()])).appended).toBe(true);
      });

      it('gives data and metadata back byte by byte', async () => {
        const texts = [
          '{}',
          JSON.stringify({ 名: '史记', horse: '🐎', lines: 'a\u2028b\u2029c', quote: '"\\"', nul: '\u0000', tab: '\t', half: '\ud83d' }),
          JSON.stringify({ $correlationId: randomUUID(), $causationId: randomUUID(), actor: { subject: '张三', roles: ['rm'] } }),
          // What no JSON.stringify of ours would write, and must come back all the same.
          '{ "b": 1.0, "a": 1e3, "10": 1, "9": 2, "big": 12345678901234567890, "minus": -0 }',
          '{"a":1,"a":2,"":3,"__proto__":{"x":1}}',
          '{"escaped":"\\u53f2\\/\\u8bb0","solidus":"/"}',
          '{"nested":[{"deep":[[[null,true,false]]]}]}\n',
        ];
        const stream = newStream();
        const events = texts.map((text) => event({ data: text, metadata: text }));
        await journal.append(stream, 'no-stream', events);
        const stored = await journal.readStream(stream);
        expect(stored.map(({ data }) => data)).toStrictEqual(texts);
        expect(stored.map(({ metadata }) => metadata)).toStrictEqual(texts);
        const first = stored[0];
        const read = (await readOn(journal, { after: 0, categories: ['contract'] })).filter((one) => one.stream === first?.stream);
        expect(read).toStrictEqual(stored);
      });

      it('gives any JSON back as it was written', async () => {
        const texts = fc
          .sample(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ stringUnit: 'binary' })), { numRuns: 60, seed: 20260303 })
          .map((value) => JSON.stringify(value));
        const stream = newStream();
        const events = texts.map((text) => event({ data: text, metadata: text }));
        await journal.append(stream, 'no-stream', events);
        expect((await journal.readStream(stream)).map(({ id, type, data, metadata }) => ({ id, type, data, metadata }))).toStrictEqual(events);
      });
    });

    describe('reading a stream', () => {
      it('reads forwards and backwards, from a revision, and no more than asked', async () => {
        const stream = newStream();
        await journal.append(stream, 'no-stream', eventsOfCount(5));
        const revisions = async (options?: Parameters<Journal['readStream']>[1]): Promise<number[]> =>
          (await journal.readStream(stream, options)).map(({ revision }) => revision);
        expect(await revisions()).toStrictEqual([0, 1, 2, 3, 4]);
        expect(await revisions({ limit: 2 })).toStrictEqual([0, 1]);
        expect(await revisions({ from: 3 })).toStrictEqual([3, 4]);
        expect(await revisions({ from: 1, limit: 2 })).toStrictEqual([1, 2]);
        expect(await revisions({ direction: 'backwards' })).toStrictEqual([4, 3, 2, 1, 0]);
        expect(await revisions({ direction: 'backwards', limit: 1 })).toStrictEqual([4]);
        expect(await revisions({ direction: 'backwards', from: 2 })).toStrictEqual([2, 1, 0]);
        expect(await revisions({ direction: 'backwards', from: 3, limit: 2 })).toStrictEqual([3, 2]);
      });

      it('has nothing forwards beyond the end, and starts at the end backwards', async () => {
        const stream = newStream();
        await journal.append(stream, 'no-stream', eventsOfCount(2));
        expect(await journal.readStream(stream, { from: 2 })).toStrictEqual([]);
        expect((await journal.readStream(stream, { from: 9, direction: 'backwards' })).map(({ revision }) => revision)).toStrictEqual([1, 0]);
      });

      it('is empty where there is no such stream', async () => {
        expect(await journal.readStream(newStream())).toStrictEqual([]);
        expect(await journal.readStream(newStream(), { direction: 'backwards', limit: 1 })).toStrictEqual([]);
        expect(await journal.readStream(newStream(), { from: 3 })).toStrictEqual([]);
      });

      it('sees its own writes at once, on every connection', async () => {
        const stream = newStream();
        const events = eventsOfCount(2);
        await journal.append(stream, 'no-stream', events);
        expect(ids(await other.readStream(stream))).toStrictEqual(ids(events));
      });
    });

    describe('reading everything', () => {
      /** Six events of two categories and two types, interleaved, after what was there before. */
      async function interleaved() {
        const [a, b] = [name('cata'), name('catb')];
        const { position: after } = await journal.head();
        const written: StoredEvent[] = [];
        for (const [category, type] of [
          [a, 'Red'],
          [b, 'Red'],
          [a, 'Blue'],
          [b, 'Blue'],
          [a, 'Red'],
          [b, 'Blue'],
        ] as const) {
          const one = { ...event({ type }), stream: newStream(category), revision: 0 };
          const { position, recordedAtMs } = taken(await journal.append(one.stream, 'no-stream', [one]));
          written.push({ ...one, position, recordedAtMs });
        }
        return { a, b, after, written };
      }

      it('goes strictly by position, with every event whole', async () => {
        const { after, written } = await interleaved();
        const events = await readOn(journal, { after });
        expect(events).toStrictEqual(written);
        expect(events.every(({ position }, index) => position > (events[index - 1]?.position ?? after))).toBe(true);
      });

      it('lets through the categories asked for, the types asked for, and both', async () => {
        const { a, b, after, written } = await interleaved();
        const colours = async (filter: Pick<ReadAll, 'categories' | 'types'>): Promise<string[]> => ids(await readOn(journal, { after, ...filter }));
        const wanted = (keep: (one: StoredEvent) => boolean): string[] => ids(written.filter(keep));
        expect(await colours({ categories: [a] })).toStrictEqual(wanted(({ stream }) => stream.startsWith(a)));
        expect(await colours({ categories: [a, b] })).toStrictEqual(ids(written));
        expect(await colours({ categories: [a, b], types: ['Blue'] })).toStrictEqual(wanted(({ type }) => type === 'Blue'));
        expect(await colours({ categories: [b], types: ['Red'] })).toStrictEqual(
          wanted(({ stream, type }) => stream.startsWith(b) && type === 'Red'),
        );
        expect(await colours({ types: ['Red'] })).toStrictEqual(wanted(({ type }) => type === 'Red'));
        expect(await colours({ categories: [name('none')] })).toStrictEqual([]);
      });

      it('takes the category up to the first hyphen and no further', async () => {
        const category = name('cat');
        const { position: after } = await journal.head();
        const events = eventsOfCount(3);
        for (const [index, stream] of [`${category}-one-two`, `${category}x-one`, `${category}`].entries()) {
          await journal.append(stream, 'no-stream', events.slice(index, index + 1));
        }
        expect(ids(await readOn(journal, { after, categories: [category] }))).toStrictEqual([events[0]?.id, events[2]?.id]);
      });

      it('looks at no more events than the limit, filtered ones included, and its checkpoint goes past them', async () => {
        const { b, after, written } = await interleaved();
        const first = await journal.readAll({ after, limit: 2, categories: [b] });
        expect([ids(first.events), first.checkpoint, first.atEnd]).toStrictEqual([ids(written.slice(1, 2)), written[1]?.position, false]);
        const blank = await journal.readAll({ after, limit: 1, categories: [b] });
        expect([blank.events, blank.checkpoint]).toStrictEqual([[], written[0]?.position]);
        const next = await journal.readAll({ after: blank.checkpoint, limit: 1, categories: [b] });
        expect(ids(next.events)).toStrictEqual(ids(written.slice(1, 2)));
        const none = await journal.readAll({ after, limit: 100, categories: [name('none')] });
        expect([none.events, none.checkpoint >= (written[5]?.position ?? Number.NaN), none.atEnd]).toStrictEqual([[], true, true]);
      });

      it('gives the same events whatever the page', async () => {
        const { after, written } = await interleaved();
        for (const limit of [1, 2, 3, 5, 7]) expect(ids(await readOn(journal, { after, limit }))).toStrictEqual(ids(written));
      });

      it('is at the end where nothing follows, and its checkpoint stays', async () => {
        const { after, written } = await interleaved();
        expect((await journal.readAll({ after, limit: 3 })).atEnd).toBe(false);
        const whole = await journal.readAll({ after, limit: 100 });
        expect([whole.events.length, whole.atEnd]).toStrictEqual([6, true]);
        const beyond = await journal.readAll({ after: whole.checkpoint, limit: 100 });
        expect(beyond).toStrictEqual({ events: [], checkpoint: beyond.checkpoint, atEnd: true });
        expect(beyond.checkpoint).toBeGreaterThanOrEqual(written[5]?.position ?? Number.NaN);
      });

      it('finds from any checkpoint what is written after it', async () => {
        await journal.append(newStream(), 'no-stream', [event()]);
        const { checkpoint } = await journal.readAll({ after: (await journal.head()).position, limit: 10 });
        const one = event();
        await journal.append(newStream(), 'no-stream', [one]);
        expect(ids(await readOn(journal, { after: checkpoint }))).toStrictEqual([one.id]);
      });

      it('shows nothing of the store’s own housekeeping', async () => {
        const events = await readOn(journal, { after: 0 });
        expect(events.filter(({ stream, type }) => stream.startsWith('$') || type.startsWith('$') || stream.startsWith('shiji_'))).toStrictEqual([]);
      });
    });

    describe('time', () => {
      it('has a head that moves with every append', async () => {
        const { position, recordedAtMs } = taken(await journal.append(newStream(), 'no-stream', eventsOfCount(2)));
        expect(await journal.head()).toStrictEqual({ position, recordedAtMs });
        expect(await other.head()).toStrictEqual({ position, recordedAtMs });
      });

      it('never records a time before an earlier position’s, also where the clock falls', async () => {
        const before = await journal.head();
        clockMs = -60_000;
        try {
          for (let round = 0; round < 3; round += 1) {
            const results = await Promise.all(Array.from({ length: 5 }, () => journal.append(newStream(), 'no-stream', [event()])));
            for (const result of results) expect(taken(result).recordedAtMs).toBeGreaterThanOrEqual(before.recordedAtMs);
          }
        } finally {
          clockMs = 0;
        }
        await Promise.all(Array.from({ length: 20 }, () => journal.append(newStream(), 'no-stream', [event()])));
        const times = (await readOn(journal, { after: before.position })).map(({ recordedAtMs }) => recordedAtMs);
        expect(times).toStrictEqual([...times].sort((x, y) => x - y));
      });

      it('knows the last position recorded at or before an instant', async () => {
        const written: Extract<AppendResult, { appended: true }>[] = [];
        for (let turn = 0; turn < 4; turn += 1) {
          await sleep(5);
          written.push(taken(await journal.append(newStream(), 'no-stream', eventsOfCount(2))));
        }
        await sleep(5);
        for (const [index, { position, recordedAtMs }] of written.entries()) {
          expect(await journal.positionAt(recordedAtMs)).toBe(position);
          const next = written[index + 1];
          if (next) expect(await journal.positionAt(next.recordedAtMs - 1)).toBe(position);
        }
        expect(await journal.positionAt(Date.now() + 3_600_000)).toBe(written.at(-1)?.position);
        expect(await journal.positionAt(1)).toBe(0);
        await sleep(5);
        const later = taken(await journal.append(newStream(), 'no-stream', [event()]));
        expect(await journal.positionAt(later.recordedAtMs)).toBe(later.position);
        expect(await other.positionAt(later.recordedAtMs - 1)).toBe(written.at(-1)?.position);
      });
    });

    describe('following', () => {
      it('catches up from a position and then sees what comes, each once and in order', async () => {
        const category = name('follow');
        const { position } = await journal.head();
        const events = eventsOfCount(8);
        for (const one of events.slice(0, 4)) await journal.append(newStream(category), 'no-stream', [one]);
        const follower = follow(journal, { after: position, categories: [category] });
        try {
          await follower.until(4);
          for (const one of events.slice(4)) await other.append(newStream(category), 'no-stream', [one]);
          expect(ids(await follower.until(8))).toStrictEqual(ids(events));
        } finally {
          await follower.stop();
        }
      });

      it('wakes a follower long before it would look again', async () => {
        const category = name('wake');
        const follower = follow(journal, { after: (await journal.head()).position, categories: [category], pollMs: 600_000 });
        try {
          await sleep(300);
          const one = event();
          await other.append(newStream(category), 'no-stream', [one]);
          expect(ids(await follower.until(1, 5_000))).toStrictEqual([one.id]);
        } finally {
          await follower.stop();
        }
      });

      it('goes on after the store restarted, without a loss or a repetition', async () => {
        const category = name('restart');
        const follower = follow(journal, { after: (await journal.head()).position, categories: [category], pollMs: 100 });
        try {
          const events = eventsOfCount(6);
          const streams = events.map(() => newStream(category));
          const append = async (index: number): Promise<void> => {
            await untilAvailable(() => journal.append(streams[index] ?? '', 'no-stream', events.slice(index, index + 1)));
          };
          for (const index of [0, 1, 2]) await append(index);
          await follower.until(3);
          await store.restart?.();
          for (const index of [3, 4, 5]) await append(index);
          expect(ids(await follower.until(6))).toStrictEqual(ids(events));
        } finally {
          await follower.stop();
        }
      });

      it('is woken again after the store restarted', async () => {
        const category = name('rewake');
        const follower = follow(journal, { after: (await journal.head()).position, categories: [category], pollMs: 600_000 });
        try {
          await sleep(200);
          await store.restart?.();
          const one = event();
          const stream = newStream(category);
          await untilAvailable(() => journal.append(stream, 'no-stream', [one]));
          expect(ids(await follower.until(1, 20_000))).toStrictEqual([one.id]);
        } finally {
          await follower.stop();
        }
      });

      it('keeps its identity over a restart', async () => {
        const before = await untilAvailable(() => journal.identity());
        await store.restart?.();
        const after = await untilAvailable(async () => [await journal.identity(), await other.identity()]);
        expect(after).toStrictEqual([before, before]);
      });
    });

    describe('many at once', () => {
      it('lets exactly one of 100 writers have each revision of a stream', async () => {
        const stream = newStream();
        let waiting = eventsOfCount(100).map((one, index) => ({ one, connection: index % 2 === 0 ? journal : other }));
        for (let round = 0; waiting.length > 0; round += 1) {
          const expected: ExpectedRevision = round === 0 ? 'no-stream' : round - 1;
          const results = await Promise.all(waiting.map(({ one, connection }) => connection.append(stream, expected, [one])));
          expect(results.filter(({ appended }) => appended)).toHaveLength(1);
          expect(new Set(results.map(({ revision }) => revision))).toStrictEqual(new Set([round]));
          waiting = waiting.filter((_, index) => !results[index]?.appended);
        }
        const stored = await journal.readStream(stream);
        expect(stored.map(({ revision }) => revision)).toStrictEqual(Array.from({ length: 100 }, (_, revision) => revision));
        expect(new Set(ids(stored)).size).toBe(100);
      });

      /** Runs writers beside a tailing reader; what it saw must be what is there in the end: no hole was filled in behind it. */
      async function written(load: Load, count: number, write: () => Promise<void>): Promise<void> {
        const { position: after } = await journal.head();
        const follower = follow(other, { after, categories: [load.category], pollMs: 20 });
        try {
          await Promise.all([write(), follower.until(count)]);
          await sleep(50);
        } finally {
          await follower.stop();
        }
        const stored = await readOn(journal, { after, categories: [load.category] });
        expect(stored).toHaveLength(count);
        expect(new Set(ids(stored)).size).toBe(count);
        expect(follower.seen.map(({ position, id }) => `${position} ${id}`)).toStrictEqual(stored.map(({ position, id }) => `${position} ${id}`));
        expect(stored.every(({ position }, index) => position > (stored[index - 1]?.position ?? after))).toBe(true);
        for (const events of Map.groupBy(stored, ({ stream }) => stream).values()) {
          expect(events.map(({ revision }) => revision)).toStrictEqual(events.map((_, revision) => revision));
        }
      }

      it('shows a reader who keeps up with 32 writers every event once, in order, and never fills in a hole', async () => {
        const load = { category: name('many'), writers: 32, appends: 30 };
        await written(load, eventsOf(load), () => writeLoad(journal, load));
      });

      it('does the same for writers on two connections', async () => {
        const load = { category: name('two'), writers: 16, appends: 30 };
        await written(load, 2 * eventsOf(load), async () => {
          await Promise.all([writeLoad(journal, load), writeLoad(other, load)]);
        });
      });

      it('does the same for writers in two processes', async () => {
        const load = { category: name('processes'), writers: 16, appends: 30 };
        const { address } = store;
        const elsewhere = address ? () => writeLoadElsewhere(address, load) : () => writeLoad(other, load);
        await written(load, 2 * eventsOf(load), async () => {
          await Promise.all([writeLoad(journal, load), elsewhere()]);
        });
      });

      it('stalls neither writers nor readers while something is held open', async () => {
        const letGo = store.holdOpen ? await store.holdOpen() : await standStill(other);
        try {
          const load = { category: name('held'), writers: 8, appends: 6 };
          const startedAt = performance.now();
          await written(load, eventsOf(load), () => writeLoad(journal, load));
          expect(performance.now() - startedAt).toBeLessThan(15_000);
        } finally {
          await letGo();
        }
      });
    });

    /** A reader that took one batch and asks for no more. */
    async function standStill(reader: JournalReader): Promise<() => Promise<void>> {
      const stopped = new AbortController();
      const following = subscribe(reader, { after: 0, limit: 1, signal: stopped.signal });
      await following.next();
      return async () => {
        stopped.abort();
        await following.return(undefined);
      };
    }
  });
}
