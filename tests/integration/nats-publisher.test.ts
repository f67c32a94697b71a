// The publisher over a real NATS server and a real Postgres: everything, in order, once, as it is written, whatever stops in between.
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstream } from '@nats-io/jetstream';
import { connect, headers, nanos } from '@nats-io/transport-node';
import type { Pool } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Journal, StoredEvent } from '../../src/journal/journal.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { readProgress } from '../../src/processes/nats-checkpoint.ts';
import { NatsPublisher } from '../../src/processes/nats-publisher.ts';
import { NatsStream, streamName } from '../../src/processes/nats-stream.ts';
import { until } from '../support/client.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { MemoryJournal } from '../support/memory-journal.ts';
import { administer, consume, type NatsServer, type ReadMessage, startNats } from '../support/nats.ts';
import { openPostgresJournal } from '../support/postgres-journal.ts';
import { Parcels, toAppend } from '../support/sample-projection.ts';

let nats: NatsServer;
let database: TestDatabase;
let pool: Pool;
let journal: Journal;
let post: Parcels;
let prefix: string;
let stream: string;
const publishers: NatsPublisher[] = [];
const lines: { level: string; message: string }[] = [];
const log = {
  info: (_: object, message: string) => lines.push({ level: 'info', message }),
  warn: (_: object, message: string) => lines.push({ level: 'warn', message }),
  error: (_: object, message: string) => lines.push({ level: 'error', message }),
} as unknown as ConstructorParameters<typeof NatsPublisher>[0]['log'];

beforeAll(async () => {
  nats = await startNats();
});
afterAll(() => nats?.stop());
beforeEach(async () => {
  database = await createTestDatabase();
  pool = createPool({ url: database.url, max: 12, applicationName: 'test', role: 'shiji_app' });
  journal = await openPostgresJournal({ url: database.url, now: Date.now });
  post = new Parcels(journal);
  prefix = `shiji-${randomBytes(4).toString('hex')}`;
  stream = streamName(prefix);
  lines.length = 0;
});
afterEach(async () => {
  await Promise.all(publishers.splice(0).map((publisher) => publisher.stop()));
  await administer(nats.url, (manager) => manager.streams.delete(stream)).catch(() => undefined);
  await journal.close();
  await pool.end();
  await database.drop();
});

async function start({ on = journal, leaseMs = 1_000 }: { on?: Journal; leaseMs?: number } = {}): Promise<NatsPublisher> {
  const publisher = new NatsPublisher({ url: nats.url, journal: on, pool, log, prefix, tuning: { leaseMs, retryMs: 100, saveMs: 50 } });
  await publisher.start();
  publishers.push(publisher);
  return publisher;
}

/** The stream as one finds it that has forgotten the ids of its messages. */
async function makeForgetful(): Promise<void> {
  const config = { name: stream, subjects: [`${prefix}.>`], duplicate_window: nanos(100) };
  await administer(nats.url, (manager) => manager.streams.add(config));
}
const FORGOTTEN_MS = 250;

/** Several streams, side by side, some events each. */
async function write(streams: number, moves = 3): Promise<void> {
  const ids = Array.from({ length: streams }, () => randomUUID());
  await Promise.all(ids.map((id) => post.send(id)));
  for (let turn = 0; turn < moves; turn += 1) await Promise.all(ids.map((id) => post.move(id, `Beijing ${turn}`)));
}

/** Everything there is was published, and the checkpoint says so. */
async function arrived(): Promise<void> {
  await until(async () => (await readProgress(pool, stream, journal)).behind === 0, 25_000);
}

async function written(): Promise<readonly StoredEvent[]> {
  return (await journal.readAll({ after: 0, limit: 100_000 })).events.filter((event) => !event.stream.startsWith('aml-'));
}

/** All messages, by a consumer of its own, after holding them against the journal. */
async function expectAll(durable: string = randomUUID()): Promise<readonly ReadMessage[]> {
  const messages = await consume(nats.url, stream, durable);
  const events = await written();
  expect(messages.map(({ header }) => header('Nats-Msg-Id'))).toStrictEqual(events.map(({ id }) => id));
  expect(messages.map(({ text }) => text)).toStrictEqual(events.map(({ data, metadata }) => `{"data":${data},"metadata":${metadata}}`));
  return messages;
}

const saying = (message: RegExp) => lines.filter((line) => message.test(line.message));

describe('what is published', () => {
  it('is every event but those of aml, in the journal’s order, byte for byte, with its place and a subject to filter by', async () => {
    await write(20);
    await post.append('aml-1', toAppend('SuspicionRaised', { about: 'nobody must know' }));
    await post.append('odd category-1', toAppend('Is.Odd *', { text: '汉字 "quoted" \\ and \u0001' }));
    await start();
    await arrived();
    const messages = await expectAll();
    expect(messages.some(({ text, subject }) => /aml|nobody/i.test(`${text} ${subject}`))).toBe(false);
    const identity = await journal.identity();
    const events = await written();
    for (const [index, { header, text, subject }] of messages.entries()) {
      const event = events[index] as StoredEvent;
      expect([header('Shiji-Journal'), header('Shiji-Stream'), header('Shiji-Type')]).toStrictEqual([identity, event.stream, event.type]);
      expect([Number(header('Shiji-Revision')), Number(header('Shiji-Position'))]).toStrictEqual([event.revision, event.position]);
      expect(Date.parse(header('Shiji-Recorded-At'))).toBe(event.recordedAtMs);
      const bytes = Buffer.from(text);
      const end = 8 + Number(header('Shiji-Data-Bytes'));
      expect([bytes.subarray(8, end).toString(), bytes.subarray(end + 12, -1).toString()]).toStrictEqual([event.data, event.metadata]);
      if (event.type.startsWith('Parcel')) expect(subject).toBe(`${prefix}.parcel.${event.type}`);
    }
    expect(messages.at(-1)?.subject).toBe(`${prefix}.odd_category.Is_Odd__`);
  });

  it('goes into a stream made beforehand with limits of its own, and is refused by one with other subjects', async () => {
    await administer(nats.url, (manager) => manager.streams.add({ name: stream, subjects: ['elsewhere.>'] }));
    await write(1);
    await start();
    await until(async () => saying(/does not take the subjects/).length > 0);
    await sleep(1_000);
    expect(saying(/does not take the subjects/)).toHaveLength(1);
    await administer(nats.url, (manager) => manager.streams.update(stream, { subjects: [`${prefix}.>`], max_msgs: 1_000_000 }));
    await arrived();
    await expectAll();
    expect((await administer(nats.url, (manager) => manager.streams.info(stream))).config.max_msgs).toBe(1_000_000);
  });
});

describe('going on', () => {
  it('after a stop loses nothing and sends nothing twice; a durable consumer keeps its place', async () => {
    await write(10);
    const first = await start();
    await arrived();
    expect(await consume(nats.url, stream, 'reader')).toHaveLength(40);
    await first.stop();
    await write(10);
    await start();
    await arrived();
    const news = await consume(nats.url, stream, 'reader');
    expect(news.map(({ header }) => header('Nats-Msg-Id'))).toStrictEqual((await written()).slice(40).map(({ id }) => id));
    await expectAll();
  });

  it('after the server was away sends all that was written meanwhile, in order, once; and says once that it is away', async ({ skip }) => {
    const { halt, resume } = nats;
    if (!halt || !resume) return skip('not run: the server that NATS_URL names is not ours to stop');
    await makeForgetful();
    await write(10);
    await start();
    await arrived();
    const writing = (async () => {
      for (let turn = 0; turn < 20; turn += 1) await write(20);
    })();
    await halt();
    await writing;
    await sleep(1_500);
    expect(saying(/cannot be published/)).toHaveLength(1);
    await resume();
    await arrived();
    await expectAll();
    expect(saying(/^publishing to NATS/)).toHaveLength(2);
    expect(saying(/cannot be published/)).toHaveLength(1);
  }, 60_000);

  it('after the server hung, with what it takes of that late, is in order and once', async ({ skip }) => {
    const { freeze, thaw } = nats;
    if (!freeze || !thaw) return skip('not run: the server is no process of ours');
    await makeForgetful();
    await write(10);
    await start();
    await arrived();
    freeze();
    await write(50);
    await until(async () => saying(/cannot be published/).length > 0);
    thaw();
    await write(50);
    await arrived();
    await expectAll();
    expect(saying(/cannot be published/)).toHaveLength(1);
  }, 60_000);

  it('after a kill between acknowledgement and checkpoint finds in the stream itself where it was', async () => {
    await makeForgetful();
    await write(5);
    const first = await start();
    await arrived();
    const { rows } = await pool.query('select * from publisher.checkpoints');
    await write(5);
    await arrived();
    await first.stop();
    await putBack(rows[0]);
    await sleep(FORGOTTEN_MS);
    await start();
    await write(1);
    await arrived();
    await expectAll();
  });

  it('where the stream’s last message is not kept sends again, and Nats-Msg-Id is recognised', async () => {
    await write(5);
    const first = await start();
    await arrived();
    const { rows } = await pool.query('select * from publisher.checkpoints');
    await write(5);
    await arrived();
    await first.stop();
    await putBack(rows[0]);
    const { state } = await administer(nats.url, (manager) => manager.streams.info(stream));
    await administer(nats.url, (manager) => manager.streams.deleteMessage(stream, state.last_seq));
    const lost = (await written()).at(-1)?.id;
    await start();
    await write(5);
    await arrived();
    const ids = (await consume(nats.url, stream, 'reader')).map(({ header }) => header('Nats-Msg-Id'));
    expect(ids).toStrictEqual((await written()).map(({ id }) => id).filter((id) => id !== lost));
  });

  it('sends again what the stream has lost, and all of it into a new stream', async () => {
    await makeForgetful();
    await write(5);
    const first = await start();
    await arrived();
    await first.stop();
    await write(5);
    const last = (await written()).at(-1) as StoredEvent;
    // As if the rest had been acknowledged by a server that then lost it.
    await pool.query(
      `update publisher.checkpoints set position = $1, last_event_position = $1, last_event_id = $2, last_event_stream = $3,
              last_event_revision = $4, sequence = sequence + 20`,
      [last.position, last.id, last.stream, last.revision],
    );
    await sleep(FORGOTTEN_MS);
    const second = await start();
    await write(1);
    await arrived();
    await expectAll();
    await second.stop();
    await administer(nats.url, (manager) => manager.streams.delete(stream));
    await start();
    await write(1);
    await arrived();
    await expectAll();
  });

  async function putBack(row: Record<string, unknown>): Promise<void> {
    const columns = ['position', 'last_event_id', 'last_event_position', 'last_event_stream', 'last_event_revision', 'sequence'];
    const values = columns.map((column) => row[column]);
    await pool.query(`update publisher.checkpoints set ${columns.map((column, index) => `${column} = $${index + 1}`).join(', ')}`, values);
  }
});

describe('several publishers', () => {
  it('take turns: one works, the others stand by and go on when it stops', async () => {
    const all = [await start(), await start(), await start()];
    await write(20);
    await arrived();
    await until(async () => saying(/standing by/).length === 2);
    expect(saying(/^publishing to NATS/)).toHaveLength(1);
    for (const publisher of all.slice(0, 2)) {
      await publisher.stop();
      await write(10);
      await arrived();
    }
    await expectAll();
  });

  it('keep the order even where two believe that the lease is theirs', async () => {
    await makeForgetful();
    const all = [await start({ leaseMs: 60_000 }), await start({ leaseMs: 60_000 }), await start({ leaseMs: 60_000 })];
    const writing = write(150, 10);
    let taken = 0;
    const taking = (async () => {
      // Whoever holds it is not told for a quarter of a minute.
      for (; taken < 15; taken += 1) {
        await pool.query(`update engine.leases set until = '-infinity' where name = $1`, [`publisher ${stream}`]);
        await sleep(100);
      }
    })();
    await Promise.all([writing, taking]);
    await arrived();
    const messages = await expectAll();
    expect(messages).toHaveLength(150 * 11);
    expect(saying(/^publishing to NATS/).length).toBeGreaterThan(1);
    expect(all).toHaveLength(3);
  }, 60_000);
});

it('one who was superseded finds no place in the stream, nor does what follows a lost message', async () => {
  await makeForgetful();
  await write(2, 2);
  const events = await written();
  const identity = await journal.identity();
  const connection = await connect({ servers: nats.url.replace('nats://', '') });
  const [late, other] = [await NatsStream.open(connection, prefix), await NatsStream.open(connection, prefix)];
  expect(await late.end()).toMatchObject({ sequence: 0, last: undefined });
  expect(await other.send(events.slice(0, 4), identity, 0)).toStrictEqual({ acknowledged: 4, sequence: 4, failure: undefined });
  await sleep(FORGOTTEN_MS);
  expect(await late.send(events.slice(0, 2), identity, 0)).toMatchObject({ acknowledged: 0, sequence: 0, failure: { code: 10_071 } });
  expect(await other.send(events.slice(5), identity, 5)).toMatchObject({ acknowledged: 0, sequence: 5, failure: { code: 10_071 } });
  expect(await other.end()).toMatchObject({ sequence: 4, last: { id: events[3]?.id, position: events[3]?.position } });
  await connection.close();
});

describe('another journal', () => {
  it('than the checkpoint’s is refused at start in one sentence', async () => {
    await write(2);
    const first = await start();
    await arrived();
    await first.stop();
    const other = new MemoryJournal({ now: Date.now });
    await expect(start({ on: other })).rejects.toThrow(
      expect.objectContaining({
        name: 'StartError',
        message: expect.stringMatching(/^What was published to the NATS stream .* is of the journal .*, and this is .*: connect the journal .*\.$/),
      }),
    );
  });

  it('than the stream’s is published nothing of, and that is said once', async () => {
    await write(2);
    const first = await start();
    await arrived();
    await first.stop();
    await pool.query('delete from publisher.checkpoints');
    const other = new MemoryJournal({ now: Date.now });
    await new Parcels(other).send('strange');
    const second = await start({ on: other });
    await until(async () => saying(/The last message of the NATS stream .* is of the journal/).length > 0);
    await sleep(1_000);
    expect(lines.filter(({ level }) => level === 'error')).toHaveLength(1);
    await second.stop();
    await expectAll();
  });
});

it('a second message of an event’s id is not taken by the stream', async () => {
  await write(1);
  await start();
  await arrived();
  const [first] = await written();
  const connection = await connect({ servers: nats.url.replace('nats://', '') });
  const again = headers();
  again.set('Nats-Msg-Id', (first as StoredEvent).id);
  const ack = await jetstream(connection).publish(`${prefix}.parcel.ParcelSent`, 'again', { headers: again });
  await connection.close();
  expect(ack.duplicate).toBe(true);
  await expectAll();
});
