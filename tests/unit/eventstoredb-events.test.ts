import sharedPb from '@eventstore/db-client/generated/shared_pb.js';
import streamsPb from '@eventstore/db-client/generated/streams_pb.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recordedEvent } from '../../src/journal/eventstoredb/read-response.ts';
import { withoutRecordedAt, withRecordedAt } from '../../src/journal/eventstoredb/recorded-event.ts';
import { type Recorded, RecordingTimes } from '../../src/journal/eventstoredb/recording-times.ts';

describe('the time of recording in the metadata', () => {
  it('leaves one JSON object with the caller’s keys and ours', () => {
    expect(JSON.parse(withRecordedAt('{"$correlationId":"c"}', 7))).toStrictEqual({ $correlationId: 'c', '$shiji.recordedAt': 7 });
    expect(JSON.parse(withRecordedAt('{ }', 7))).toStrictEqual({ '$shiji.recordedAt': 7 });
  });

  it('comes out again and leaves the caller’s text as it was', () => {
    const texts = fc
      .tuple(fc.jsonValue(), fc.constantFrom('', ' ', '\n\t'))
      .map(([value, space]) => `{${space}"a"${space}:${JSON.stringify(value)}${space}}${space}`);
    const empty = fc.constantFrom('{}', '{ }', ' { \n} ', '{"$shiji.recordedAt":1}', '{"a":"\\"$shiji.recordedAt\\":1}"}');
    fc.assert(
      fc.property(fc.oneof(texts, empty), fc.nat({ max: 4_102_444_800_000 }), (metadata, recordedAtMs) => {
        expect(withoutRecordedAt(withRecordedAt(metadata, recordedAtMs))).toStrictEqual({ metadata, recordedAtMs });
      }),
    );
  });

  it('is not found in what others wrote', () => {
    for (const metadata of ['', '{}', '{"a":1}', 'no JSON', '{"x":"\\"$shiji.recordedAt\\":"}']) expect(withoutRecordedAt(metadata)).toBeUndefined();
  });
});

describe('an event read from the node’s message', () => {
  it('is what the generated classes read', () => {
    const text = fc.string({ unit: 'grapheme' });
    fc.assert(
      fc.property(
        fc.uuid(),
        text,
        text,
        fc.nat(),
        fc.nat({ max: 2 ** 40 }),
        fc.uint8Array(),
        fc.uint8Array(),
        (id, stream, type, revision, position, data, metadata) => {
          const recorded = new streamsPb.ReadResp.ReadEvent.RecordedEvent()
            .setId(new sharedPb.UUID().setString(id))
            .setStreamIdentifier(new sharedPb.StreamIdentifier().setStreamName(Buffer.from(stream).toString('base64')))
            .setStreamRevision(`${revision}`)
            .setCommitPosition(`${position}`)
            .setPreparePosition(`${position}`)
            .setData(data)
            .setCustomMetadata(metadata);
          recorded.getMetadataMap().set('content-type', 'application/json').set('type', type).set('created', '17955516655730001');
          const message = new streamsPb.ReadResp().setEvent(new streamsPb.ReadResp.ReadEvent().setEvent(recorded).setCommitPosition(`${position}`));
          const read = recordedEvent(Buffer.from(message.serializeBinary()));
          expect({ ...read, data: [...(read?.data ?? [])], metadata: [...(read?.metadata ?? [])] }).toStrictEqual({
            id,
            stream,
            type,
            revision,
            position,
            createdAtMs: 1_795_551_665_573,
            data: [...data],
            metadata: [...metadata],
          });
        },
      ),
    );
  });

  it('is absent from every other message', () => {
    const caughtUp = new streamsPb.ReadResp().setCaughtUp(new streamsPb.ReadResp.CaughtUp());
    const checkpoint = new streamsPb.ReadResp().setCheckpoint(new streamsPb.ReadResp.Checkpoint().setCommitPosition('7'));
    for (const message of [caughtUp, checkpoint]) expect(recordedEvent(Buffer.from(message.serializeBinary()))).toBeUndefined();
  });

  it('is refused where the message is cut short', () => {
    expect(() => recordedEvent(Buffer.from([10, 200]))).toThrow(RangeError);
  });
});

describe('the position of an instant', () => {
  /** Over a list of times; positions are 10, 20, … */
  function timesOf(recordedAtMs: number[]) {
    let pages = 0;
    const times = new RecordingTimes(async (after, limit) => {
      pages += 1;
      const all: Recorded[] = recordedAtMs.map((time, index) => ({ position: (index + 1) * 10, recordedAtMs: time }));
      const events = all.filter(({ position }) => position > after).slice(0, limit);
      return { events, checkpoint: events.at(-1)?.position ?? after, atEnd: events.length < limit };
    });
    return { times, pages: () => pages };
  }

  it('is the last one up to which nothing was recorded later, also where times fell', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat({ max: 50 }), { maxLength: 30 }),
        fc.array(fc.integer({ min: -1, max: 51 }), { minLength: 1, maxLength: 5 }),
        async (recorded, instants) => {
          const { times } = timesOf(recorded);
          for (const instant of instants) {
            const later = recorded.findIndex((time) => time > instant);
            expect(await times.positionAt(instant)).toBe(10 * (later < 0 ? recorded.length : later));
          }
        },
      ),
    );
  });

  it('reads the journal once and afterwards only what is new', async () => {
    const recorded = Array.from({ length: 20_000 }, (_, index) => index);
    const { times, pages } = timesOf(recorded);
    expect(await times.positionAt(19_999)).toBe(200_000);
    const first = pages();
    for (let more = 20_000; more < 20_050; more += 1) {
      recorded.push(more);
      expect(await times.positionAt(more)).toBe(10 * (more + 1));
    }
    expect(pages() - first).toBeLessThanOrEqual(100);
    expect(await times.positionAt(5_000)).toBe(50_010);
    expect(pages() - first).toBeLessThanOrEqual(103);
  });
});
