// What EventStoreDB answered, case by case. The stand-in is held to it, and so is a real node wherever the run finds one: the unmodified
// client asks both.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AllStreamSubscription,
  ANY,
  type AppendExpectedRevision,
  BACKWARDS,
  binaryEvent,
  END,
  EventStoreDBClient,
  eventTypeFilter,
  excludeSystemEvents,
  FORWARDS,
  jsonEvent,
  MaxAppendSizeExceededError,
  NO_STREAM,
  type Position,
  type ResolvedEvent,
  START,
  STREAM_EXISTS,
  StreamDeletedError,
  StreamNotFoundError,
  streamNameFilter,
  UnknownError,
  WrongExpectedVersionError,
} from '@eventstore/db-client';
import sharedPb from '@eventstore/db-client/generated/shared_pb.js';
import { StreamsClient } from '@eventstore/db-client/generated/streams_grpc_pb.js';
import streamsPb, { type BatchAppendResp } from '@eventstore/db-client/generated/streams_pb.js';
import { credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EventStoreDb, startEventStoreDb } from '../support/eventstoredb.ts';

let node: EventStoreDb;
/** Appends by BatchAppend, as the client does without credentials. */
let client: EventStoreDBClient;
/** Appends by Append, as it does with them. */
let single: EventStoreDBClient;

const newStream = (): string => `standin-${randomUUID()}`;
const event = (over: { id?: string; data?: Record<string, number>; type?: string } = {}) =>
  jsonEvent({ id: randomUUID(), type: 'Happened', data: { a: 1 }, ...over });
const events = (count: number) => Array.from({ length: count }, () => event());
const bytes = (count: number) => binaryEvent({ type: 'Bytes', data: new Uint8Array(count) });

async function list(reading: AsyncIterable<ResolvedEvent>): Promise<ResolvedEvent[]> {
  const all: ResolvedEvent[] = [];
  for await (const one of reading) all.push(one);
  return all;
}

const revisions = async (stream: string, options: Parameters<EventStoreDBClient['readStream']>[1] = {}): Promise<number[]> =>
  (await list(client.readStream(stream, options))).map(({ event }) => Number(event?.revision));

/** The conflict an append must meet. */
async function conflict(append: Promise<unknown>): Promise<{ expected: unknown; actual: unknown }> {
  const error = await append.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof WrongExpectedVersionError)) throw new Error('no conflict', { cause: error });
  return { expected: error.expectedVersion, actual: error.actualVersion };
}

const append = (stream: string, what: ReturnType<typeof event> | ReturnType<typeof event>[], expectedRevision: AppendExpectedRevision) =>
  client.appendToStream(stream, what, { expectedRevision });

/** Sends appends to new streams as they are, without waiting, and gives back the first so many answers of the node. */
async function rawAppends(appends: { stream: string; id: string; type: string }[], count: number): Promise<string[]> {
  const raw = new StreamsClient(node.url.replace(/^esdb:\/\/|\?.*$/g, ''), credentials.createInsecure());
  const call = raw.batchAppend();
  const answers: string[] = [];
  const answered = new Promise<void>((resolve, reject) => {
    call.on('error', reject).on('data', (answer: BatchAppendResp) => {
      answers.push(answer.hasSuccess() ? 'success' : (answer.getError()?.getMessage() ?? ''));
      if (answers.length === count) resolve();
    });
  });
  for (const { stream, id, type } of appends) {
    const message = new streamsPb.BatchAppendReq.ProposedMessage().setId(new sharedPb.UUID().setString(id)).setData(Buffer.from('1'));
    message.getMetadataMap().set('type', type).set('content-type', 'application/json');
    const options = new streamsPb.BatchAppendReq.Options()
      .setStreamIdentifier(new sharedPb.StreamIdentifier().setStreamName(Buffer.from(stream)))
      .setNoStream(new sharedPb.Empty());
    const correlation = new sharedPb.UUID().setString(randomUUID());
    call.write(new streamsPb.BatchAppendReq().setCorrelationId(correlation).setOptions(options).setProposedMessagesList([message]).setIsFinal(true));
  }
  await answered;
  call.end();
  raw.close();
  return answers;
}

beforeAll(async () => {
  node = await startEventStoreDb();
  client = EventStoreDBClient.connectionString(node.url);
  single = EventStoreDBClient.connectionString(node.url.replace('esdb://', 'esdb://admin:changeit@'));
}, 120_000);

afterAll(async () => {
  await client?.dispose();
  await single?.dispose();
  await node?.stop();
}, 60_000);

describe.each([
  ['BatchAppend', () => client],
  ['Append', () => single],
] as const)('EventStoreDB, appending by %s', (_, connection) => {
  it('answers with the last event’s revision and position, commit and prepare alike', async () => {
    const stream = newStream();
    const result = await connection().appendToStream(stream, events(3), { expectedRevision: NO_STREAM });
    expect([result.success, result.nextExpectedRevision]).toStrictEqual([true, 2n]);
    expect(result.position?.commit).toBe(result.position?.prepare);
    const stored = await list(client.readStream(stream));
    expect(stored.at(-1)?.event?.position).toStrictEqual(result.position);
    expect(new Set(stored.map(({ event: one }) => one?.position?.commit)).size).toBe(3);
  });

  it('refuses a wrong expectation and names both sides', async () => {
    const stream = newStream();
    await connection().appendToStream(stream, events(3), { expectedRevision: NO_STREAM });
    const meets = (expectedRevision: AppendExpectedRevision, on = stream) => conflict(connection().appendToStream(on, event(), { expectedRevision }));
    expect(await meets(1n)).toStrictEqual({ expected: 1n, actual: 2n });
    expect(await meets(7n)).toStrictEqual({ expected: 7n, actual: 2n });
    expect(await meets(NO_STREAM)).toStrictEqual({ expected: NO_STREAM, actual: 2n });
    expect(await meets(0n, newStream())).toStrictEqual({ expected: 0n, actual: NO_STREAM });
    expect(await meets(STREAM_EXISTS, newStream())).toStrictEqual({ expected: STREAM_EXISTS, actual: NO_STREAM });
  });

  it('gives the first answer to the same ids under the same number and writes nothing', async () => {
    const stream = newStream();
    const first = events(2);
    const answer = await connection().appendToStream(stream, first, { expectedRevision: NO_STREAM });
    await connection().appendToStream(stream, events(3), { expectedRevision: 1n });
    expect(await connection().appendToStream(stream, first, { expectedRevision: NO_STREAM })).toStrictEqual(answer);
    expect(await connection().appendToStream(stream, first, { expectedRevision: ANY })).toStrictEqual(answer);
    expect(await connection().appendToStream(stream, first, { expectedRevision: STREAM_EXISTS })).toStrictEqual(answer);
    expect(await revisions(stream)).toStrictEqual([0, 1, 2, 3, 4]);
  });

  it('takes 1,048,576 data bytes in one append and no more, whatever the types and metadata', async () => {
    const stream = newStream();
    await connection().appendToStream(stream, bytes(1_048_576), { expectedRevision: NO_STREAM });
    await expect(connection().appendToStream(stream, bytes(1_048_577), { expectedRevision: 0n })).rejects.toThrow(MaxAppendSizeExceededError);
    await connection().appendToStream(stream, [bytes(400_000), bytes(400_000)], { expectedRevision: 0n });
    await expect(connection().appendToStream(stream, [bytes(400_000), bytes(400_000), bytes(400_000)], { expectedRevision: 2n })).rejects.toThrow(
      MaxAppendSizeExceededError,
    );
    expect(await revisions(stream)).toStrictEqual([0, 1, 2]);
  });

  it('refuses an empty stream name and takes $-streams', async () => {
    await expect(connection().appendToStream('', event())).rejects.toThrow(UnknownError);
    expect((await connection().appendToStream(`$${newStream()}`, event())).success).toBe(true);
  });
});

describe('EventStoreDB, appending the same again', () => {
  it('compares ids alone and keeps the old data', async () => {
    const stream = newStream();
    const first = event();
    await append(stream, [first, event()], NO_STREAM);
    expect((await append(stream, event({ id: first.id, data: { b: 2 }, type: 'Other' }), NO_STREAM)).nextExpectedRevision).toBe(0n);
    expect((await list(client.readStream(stream)))[0]?.event?.data).toStrictEqual({ a: 1 });
  });

  it('takes a part at its right place and refuses it at another', async () => {
    const stream = newStream();
    const first = events(4);
    await append(stream, first, NO_STREAM);
    expect((await append(stream, first.slice(2, 3), 1n)).nextExpectedRevision).toBe(2n);
    expect(await conflict(append(stream, first.slice(2, 3), 0n))).toStrictEqual({ expected: 0n, actual: 3n });
    expect(await conflict(append(stream, first.slice(0, 2).reverse(), NO_STREAM))).toStrictEqual({ expected: NO_STREAM, actual: 3n });
  });

  it('refuses old and new ids together, under a number and under ANY', async () => {
    const stream = newStream();
    const first = events(2);
    await append(stream, first, NO_STREAM);
    expect(await conflict(append(stream, [...first, event()], NO_STREAM))).toStrictEqual({ expected: NO_STREAM, actual: 1n });
    expect(await conflict(append(stream, [...first, event()], ANY))).toStrictEqual({ expected: ANY, actual: 1n });
  });

  it('writes new and old ids under ANY, and an old id at the head', async () => {
    const stream = newStream();
    const first = events(2);
    await append(stream, first, NO_STREAM);
    expect((await append(stream, [event(), ...first.slice(0, 1)], ANY)).nextExpectedRevision).toBe(3n);
    expect((await append(stream, first.slice(1), 3n)).nextExpectedRevision).toBe(4n);
  });

  it('compares loosely under ANY: another order and a gap do', async () => {
    const stream = newStream();
    const first = events(4);
    await append(stream, first, NO_STREAM);
    expect(
      (
        await append(
          stream,
          [first[2], first[1]].filter((one) => one !== undefined),
          ANY,
        )
      ).nextExpectedRevision,
    ).toBe(1n);
    expect(
      (
        await append(
          stream,
          [first[1], first[3]].filter((one) => one !== undefined),
          ANY,
        )
      ).nextExpectedRevision,
    ).toBe(3n);
    expect(await revisions(stream)).toHaveLength(4);
  });

  it('writes one id twice in one append, and the same ids in another stream', async () => {
    const [stream, other] = [newStream(), newStream()];
    const one = event();
    expect((await append(stream, [one, one], NO_STREAM)).nextExpectedRevision).toBe(1n);
    expect((await append(other, [one], NO_STREAM)).nextExpectedRevision).toBe(0n);
    expect([await revisions(stream), await revisions(other)]).toStrictEqual([[0, 1], [0]]);
  });

  it('takes an append of nothing, checks its revision and creates no stream', async () => {
    const stream = newStream();
    expect((await append(stream, [], NO_STREAM)).success).toBe(true);
    await expect(list(client.readStream(stream))).rejects.toThrow(StreamNotFoundError);
    await append(stream, events(2), NO_STREAM);
    expect((await append(stream, [], 1n)).nextExpectedRevision).toBe(1n);
    expect(await conflict(append(stream, [], 0n))).toStrictEqual({ expected: 0n, actual: 1n });
  });

  it('recognises numbers for ever and ANY until the node restarts', async () => {
    const stream = newStream();
    const first = events(3);
    const answer = await append(stream, first, NO_STREAM);
    await node.restart?.();
    // A client of its own: the old one's connection has died.
    const after = EventStoreDBClient.connectionString(node.url);
    expect(await after.appendToStream(stream, first, { expectedRevision: NO_STREAM })).toStrictEqual(answer);
    const again = await after.appendToStream(stream, first.slice(0, 1), { expectedRevision: ANY });
    expect(again.nextExpectedRevision).toBe(node.restart ? 3n : 0n);
    await after.dispose();
    await list(client.readStream(stream, { maxCount: 1 })).catch(() => {});
    await single.appendToStream(newStream(), event()).catch(() => {});
  });

  it('lets a repetition that comes before the first is written run into the write timeout', async () => {
    const [stream, id] = [newStream(), randomUUID()];
    const answers = await rawAppends(
      [
        { stream, id, type: 'Twice' },
        { stream, id, type: 'Twice' },
      ],
      2,
    );
    // Where the first was quick enough, the second is recognised.
    expect(['success Timeout', 'success success']).toContain(answers.join(' '));
    if (node.kind === 'stand-in') expect(answers[1]).toBe('Timeout');
  }, 20_000);

  it('answers an append with an empty type twice, which no client expects: refused at once, timed out after the write timeout', async () => {
    expect(await rawAppends([{ stream: newStream(), id: randomUUID(), type: '' }], 2)).toStrictEqual(['BadRequest', 'Timeout']);
    await expect(single.appendToStream(newStream(), event({ type: '' }))).rejects.toThrow(UnknownError);
  }, 20_000);
});

describe('EventStoreDB, reading', () => {
  it('reads a stream both ways, from a revision on, inclusive', async () => {
    const stream = newStream();
    await append(stream, events(5), NO_STREAM);
    expect(await revisions(stream, { fromRevision: 2n, maxCount: 2 })).toStrictEqual([2, 3]);
    expect(await revisions(stream, { fromRevision: 9n })).toStrictEqual([]);
    expect(await revisions(stream, { direction: BACKWARDS, fromRevision: END, maxCount: 2 })).toStrictEqual([4, 3]);
    expect(await revisions(stream, { direction: BACKWARDS, fromRevision: 2n })).toStrictEqual([2, 1, 0]);
    expect(await revisions(stream, { direction: BACKWARDS, fromRevision: 9n, maxCount: 1 })).toStrictEqual([4]);
    expect(await revisions(stream, { direction: BACKWARDS, fromRevision: START })).toStrictEqual([0]);
  });

  it('finds no missing stream, and has no page of nothing nor one forwards from the end', async () => {
    const stream = newStream();
    await expect(revisions(stream)).rejects.toThrow(StreamNotFoundError);
    await append(stream, events(2), NO_STREAM);
    await expect(revisions(stream, { maxCount: 0 })).rejects.toThrow('Unexpected ReadStreamResult: Error');
    await expect(revisions(stream, { direction: BACKWARDS, fromRevision: END, maxCount: 0 })).rejects.toThrow('Unexpected ReadStreamResult: Error');
    await expect(revisions(stream, { direction: FORWARDS, fromRevision: END })).rejects.toThrow('Unexpected ReadStreamResult: Error');
  });

  it('reads $all from a position on, inclusive forwards and exclusive backwards, and refuses what is no position', async () => {
    const stream = newStream();
    await append(stream, events(4), NO_STREAM);
    const positions = (await list(client.readStream(stream))).map(({ event: one }) => one?.position).filter((one) => one !== undefined);
    const third = positions[2] as Position;
    const from = async (options: Parameters<EventStoreDBClient['readAll']>[0]) =>
      (await list(client.readAll(options))).map(({ event: one }) => one?.position);
    expect(await from({ fromPosition: third, maxCount: 2 })).toStrictEqual(positions.slice(2, 4));
    expect(await from({ fromPosition: third, maxCount: 2, direction: BACKWARDS })).toStrictEqual([positions[1], positions[0]]);
    expect(await from({ fromPosition: END, maxCount: 2, direction: BACKWARDS })).toStrictEqual([positions[3], positions[2]]);
    expect(await from({ fromPosition: END, maxCount: 2 })).toStrictEqual([]);
    const beyond = third.commit + 1_000_000_000n;
    expect(await from({ fromPosition: { commit: beyond, prepare: beyond }, maxCount: 2 })).toStrictEqual([]);
    const between = third.commit + 1n;
    await expect(from({ fromPosition: { commit: between, prepare: between }, maxCount: 2 })).rejects.toThrow('Unexpected ReadAllResult: Error');
  });

  it('shows system events in $all', async () => {
    const [first] = await list(client.readAll({ maxCount: 1 }));
    expect(first?.event?.streamId.startsWith('$')).toBe(true);
  });

  it('gives back what was written, JSON and bytes, metadata and unicode', async () => {
    const stream = newStream();
    const json = jsonEvent({ type: '开户', data: { 名: '史记🐎' }, metadata: { 谁: '张三' } });
    const binary = binaryEvent({ type: 'Bytes', data: Uint8Array.of(0, 255, 128) });
    await client.appendToStream(stream, [json, binary]);
    const [one, two] = await list(client.readStream(stream));
    expect(one?.event).toMatchObject({ id: json.id, type: '开户', isJson: true, data: { 名: '史记🐎' }, metadata: { 谁: '张三' }, streamId: stream });
    expect(two?.event).toMatchObject({ isJson: false, data: Uint8Array.of(0, 255, 128) });
    expect(Math.abs((one?.event?.created.getTime() ?? 0) - Date.now())).toBeLessThan(60_000);
  });
});

/** Collects what a subscription says. */
function collect(subscription: AllStreamSubscription | ReturnType<EventStoreDBClient['subscribeToStream']>) {
  const said: string[] = [];
  const data: ResolvedEvent[] = [];
  let error: unknown;
  subscription
    .on('confirmation', () => said.push('confirmation'))
    .on('caughtUp', () => said.push('caughtUp'))
    .on('data', (one: ResolvedEvent) => {
      said.push('event');
      data.push(one);
    })
    .on('error', (reason) => {
      error = reason;
    });
  const until = async (holds: () => boolean): Promise<void> => {
    for (const startedAt = performance.now(); !holds(); await sleep(5)) {
      if (performance.now() - startedAt > 10_000) throw new Error(`said only ${said.join(' ')}`, { cause: error });
    }
  };
  return { said, data, until, error: () => error, ids: () => data.map(({ event: one }) => one?.id), stop: () => subscription.unsubscribe() };
}

describe('EventStoreDB, subscriptions', () => {
  it('confirms, catches up from the start, says so and goes on live', async () => {
    const stream = newStream();
    const first = events(3);
    await append(stream, first, NO_STREAM);
    const seen = collect(client.subscribeToStream(stream));
    await seen.until(() => seen.said.includes('caughtUp'));
    expect(seen.said).toStrictEqual(['confirmation', 'event', 'event', 'event', 'caughtUp']);
    const more = events(2);
    await append(stream, more, 2n);
    await seen.until(() => seen.data.length === 5);
    expect(seen.ids()).toStrictEqual([...first, ...more].map(({ id }) => id));
    await seen.stop();
  });

  it('starts after the revision and after the position named', async () => {
    const stream = newStream();
    await append(stream, events(3), NO_STREAM);
    const [, second, third] = await list(client.readStream(stream));
    const onStream = collect(client.subscribeToStream(stream, { fromRevision: 1n }));
    const onAll = collect(
      client.subscribeToAll({ fromPosition: second?.event?.position as Position, filter: streamNameFilter({ prefixes: [stream] }) }),
    );
    await onStream.until(() => onStream.said.includes('caughtUp'));
    await onAll.until(() => onAll.said.includes('caughtUp'));
    expect([onStream.ids(), onAll.ids()]).toStrictEqual([[third?.event?.id], [third?.event?.id]]);
    await onStream.stop();
    await onAll.stop();
  });

  it('says that it caught up from the end at once, and from the start of a missing stream when that has come', async () => {
    const missing = newStream();
    const fromStart = collect(client.subscribeToStream(missing, { fromRevision: START }));
    const fromEnd = collect(client.subscribeToStream(missing, { fromRevision: END }));
    const onAll = collect(client.subscribeToAll({ fromPosition: END, filter: excludeSystemEvents() }));
    await fromEnd.until(() => fromEnd.said.includes('caughtUp'));
    await onAll.until(() => onAll.said.includes('caughtUp'));
    await sleep(200);
    expect(fromStart.said).toStrictEqual(['confirmation']);
    const one = event();
    await append(missing, one, NO_STREAM);
    await fromStart.until(() => fromStart.said.includes('caughtUp'));
    await fromEnd.until(() => fromEnd.data.length === 1);
    await onAll.until(() => onAll.ids().includes(one.id));
    expect([fromStart.said, fromStart.ids(), fromEnd.ids()]).toStrictEqual([['confirmation', 'event', 'caughtUp'], [one.id], [one.id]]);
    await fromStart.stop();
    await fromEnd.stop();
    await onAll.stop();
  });

  it('gives checkpoints while it filters, from which nothing is lost', async () => {
    const [type, stream] = [`Rare${randomUUID()}`, newStream()];
    const before = (await list(client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1 })))[0]?.event?.position as Position;
    const filler = events(200);
    await append(stream, filler, NO_STREAM);
    const checkpoints: Position[] = [];
    const filter = eventTypeFilter({
      prefixes: [type],
      maxSearchWindow: 32,
      checkpointInterval: 1,
      checkpointReached: (_subscription, position) => void checkpoints.push(position),
    });
    const seen = collect(client.subscribeToAll({ fromPosition: before, filter }));
    await seen.until(() => seen.said.includes('caughtUp'));
    // While catching up they have no prepare position.
    expect(checkpoints.length).toBeGreaterThanOrEqual(4);
    expect(checkpoints.some(({ prepare }) => prepare === 0n)).toBe(true);
    const caughtUpAt = checkpoints.length;
    for (let revision = 199n; revision < 299n; revision += 1n) await append(stream, event(), revision);
    await sleep(200);
    const live = checkpoints.slice(caughtUpAt);
    expect(live.length).toBeGreaterThanOrEqual(2);
    expect(live.every(({ commit, prepare }) => commit === prepare)).toBe(true);
    const rare = event({ type });
    await append(stream, rare, 299n);
    await seen.until(() => seen.data.length === 1);
    await seen.stop();
    for (const fromPosition of [checkpoints[1], checkpoints.at(-1)]) {
      const again = collect(client.subscribeToAll({ fromPosition: fromPosition as Position, filter: eventTypeFilter({ prefixes: [type] }) }));
      await again.until(() => again.data.length === 1);
      expect(again.ids()).toStrictEqual([rare.id]);
      await again.stop();
    }
  });
});

describe('EventStoreDB, deleting', () => {
  it('hides a deleted stream, goes on with its revisions and keeps the old events in $all', async () => {
    const stream = newStream();
    const first = events(2);
    const { position } = await append(stream, first, NO_STREAM);
    await client.deleteStream(stream, { expectedRevision: 1n });
    await expect(revisions(stream)).rejects.toThrow(StreamNotFoundError);
    await expect(append(stream, event(), STREAM_EXISTS)).rejects.toThrow(StreamDeletedError);
    await client.deleteStream(stream, { expectedRevision: ANY });
    expect(await conflict(append(stream, event(), 5n))).toStrictEqual({ expected: 5n, actual: 1n });
    expect((await append(stream, event(), NO_STREAM)).nextExpectedRevision).toBe(2n);
    expect(await revisions(stream)).toStrictEqual([2]);
    expect((await client.getStreamMetadata(stream)).metadata).toMatchObject({ truncateBefore: 2 });
    const [old] = await list(client.readAll({ fromPosition: position as Position, maxCount: 1 }));
    expect(old?.event?.id).toBe(first[1]?.id);
  });

  it('recognises the first ids after a deletion, without a position', async () => {
    const stream = newStream();
    const first = events(2);
    await append(stream, first, NO_STREAM);
    await client.deleteStream(stream);
    const again = await append(stream, first, NO_STREAM);
    expect(again).toStrictEqual({ success: true, nextExpectedRevision: again.nextExpectedRevision, position: undefined });
    await expect(revisions(stream)).rejects.toThrow(StreamNotFoundError);
  });

  it('refuses to delete what is not there or stands elsewhere', async () => {
    const stream = newStream();
    await expect(client.deleteStream(stream, { expectedRevision: ANY })).rejects.toThrow(WrongExpectedVersionError);
    await append(stream, events(3), NO_STREAM);
    await expect(client.deleteStream(stream, { expectedRevision: 0n })).rejects.toThrow('Expected version: 0, Actual version: 2');
    expect(await revisions(stream)).toStrictEqual([0, 1, 2]);
  });

  it('keeps a tombstone for ever, for reads, appends, deletions and metadata', async () => {
    const stream = newStream();
    await append(stream, events(2), NO_STREAM);
    const seen = collect(client.subscribeToStream(stream));
    await seen.until(() => seen.said.includes('caughtUp'));
    await client.tombstoneStream(stream, { expectedRevision: 1n });
    await seen.until(() => seen.error() !== undefined);
    expect(seen.error()).toBeInstanceOf(StreamDeletedError);
    for (const refused of [
      () => revisions(stream),
      () => append(stream, event(), NO_STREAM),
      () => append(stream, event(), ANY),
      () => append(stream, event(), 1n),
      () => single.appendToStream(stream, event()),
      () => client.deleteStream(stream),
      () => client.tombstoneStream(stream),
      () => client.setStreamMetadata(stream, { maxCount: 1 }),
      () => client.getStreamMetadata(stream),
    ]) {
      await expect(refused()).rejects.toThrow(StreamDeletedError);
    }
    const late = collect(client.subscribeToStream(stream));
    await late.until(() => late.error() !== undefined);
    expect(late.error()).toBeInstanceOf(StreamDeletedError);
  });

  it('puts a tombstone where no stream was, and over a deleted one', async () => {
    const [missing, deleted] = [newStream(), newStream()];
    await client.tombstoneStream(missing);
    await expect(append(missing, event(), NO_STREAM)).rejects.toThrow(StreamDeletedError);
    await append(deleted, events(2), NO_STREAM);
    await client.deleteStream(deleted);
    await client.tombstoneStream(deleted);
    await expect(revisions(deleted)).rejects.toThrow(StreamDeletedError);
  });

  it('applies a stream’s bounds when it is read', async () => {
    const stream = newStream();
    await append(stream, events(5), NO_STREAM);
    await client.setStreamMetadata(stream, { maxCount: 2 });
    expect(await revisions(stream)).toStrictEqual([3, 4]);
    expect(await revisions(stream, { fromRevision: 0n, maxCount: 2 })).toStrictEqual([3, 4]);
    await client.setStreamMetadata(stream, { truncateBefore: 1 });
    expect(await revisions(stream)).toStrictEqual([1, 2, 3, 4]);
    await client.setStreamMetadata(stream, { truncateBefore: 100 });
    await append(stream, event(), 4n);
    expect(await revisions(stream)).toStrictEqual([]);
  });
});
