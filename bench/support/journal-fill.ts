// Fills a fresh journal with generated events, as a bank's months leave them: encoded and sealed by the product's codec, under a data
// key for each ticket, and copied in beside journal.append, which would take minutes a million.
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { eventDefinitions } from '../../src/domain/events.ts';
import { EventCodec } from '../../src/journal/codec.ts';
import { type DrawnKey, Keyring } from '../../src/journal/keyring.ts';
import { sliceOf } from '../../src/journal/postgres/slice.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { withClient } from './database.ts';
import { ticketLives } from './ticket-lives.ts';

export interface FillOptions {
  /** The owner's, of a migrated database with an empty journal. */
  readonly url: string;
  /** 32 bytes. */
  readonly masterKey: Buffer;
  readonly seed: number;
  readonly events: number;
  readonly onProgress: (written: number) => void;
}

/** A stream's guard row, and the key it was created with. */
interface Stream {
  readonly name: string;
  readonly key: DrawnKey;
  readonly firstPosition: number;
  lastPosition: number;
  revision: number;
}

const PARTITION = 5_000_000;
const EVENTS_A_DAY = 10_000;
const DAY_MS = 86_400_000;
const PIECE_CHARACTERS = 256 * 1_024;

/** @returns the journal's last position */
export async function fillJournal(options: FillOptions): Promise<number> {
  const pool = createPool({ url: options.url, max: 1, applicationName: 'shiji-bench', role: null });
  try {
    const keyring = new Keyring(pool, [{ version: 1, key: options.masterKey }]);
    return await withClient(options.url, (client) => fill(client, keyring, options));
  } finally {
    await pool.end();
  }
}

async function fill(client: pg.Client, keyring: Keyring, { seed, events, onProgress }: FillOptions): Promise<number> {
  const { rows } = await client.query<{ journal_id: string }>('select journal_id from journal.head');
  const codec = new EventCodec(rows[0]?.journal_id ?? '', eventDefinitions);
  for (let from = PARTITION; from <= events + PARTITION; from += PARTITION) await client.query('select journal.add_partition($1)', [from]);
  const streams = new Map<string, Stream>();
  let position = 0;
  let recordedAtMs = 0;
  // They end about now.
  const fromMs = Date.now() - Math.ceil(events / EVENTS_A_DAY + 7) * DAY_MS;

  async function* eventLines(): AsyncGenerator<string> {
    for (const step of ticketLives({ seed, events, fromMs })) {
      let stream = streams.get(step.stream);
      if (!stream) {
        const key = await keyring.drawFor(step.stream, codec.retentionOf(step.facts[0]?.type ?? ''));
        stream = { name: step.stream, key, firstPosition: position + 1, lastPosition: position, revision: -1 };
        streams.set(step.stream, stream);
      }
      const { key } = stream.key;
      const provenance = {
        occurredAt: new Date(step.atMs).toISOString(),
        actor: step.actor,
        channel: 'rest',
        command: { id: step.commandId, name: step.command.name, version: step.command.version },
        correlationId: step.commandId,
      };
      recordedAtMs = step.atMs;
      for (const event of codec.encode(
        step.stream,
        step.facts,
        step.facts.map(() => key),
        provenance,
        JSON.stringify(step.body),
      )) {
        position += 1;
        stream.revision += 1;
        stream.lastPosition = position;
        yield line([position, step.stream, stream.revision, event.id, event.type, recordedAtMs, event.data, event.metadata]);
        if (position % 50_000 === 0) onProgress(position);
      }
    }
  }
  await copy(client, 'journal.events (position, stream, revision, id, type, recorded_at_ms, data, metadata)', eventLines());
  await copy(client, 'journal.streams (stream, slice, revision, first_position, last_position)', guardLines(streams.values()));
  await copy(client, 'keys.data_keys (id, subject, retention, master_version, wrapped)', keyLines(streams.values()));
  await client.query('update journal.head set position = $1, recorded_at_ms = $2', [position, recordedAtMs]);
  await client.query('vacuum (analyze) journal.events, journal.streams, keys.data_keys');
  return position;
}

function* guardLines(streams: Iterable<Stream>): Generator<string> {
  for (const { name, revision, firstPosition, lastPosition } of streams) yield line([name, sliceOf(name), revision, firstPosition, lastPosition]);
}

function* keyLines(streams: Iterable<Stream>): Generator<string> {
  for (const { name, key } of streams) {
    const { id, retention, masterVersion, wrapped } = key.keep;
    yield line([id, name, retention, masterVersion, `\\x${wrapped.toString('hex')}`]);
  }
}

/** One line of COPY's text format; JSON and hex hold no control characters, so only backslashes need care. */
function line(cells: readonly (string | number)[]): string {
  return `${cells.map((cell) => (typeof cell === 'string' ? cell.replaceAll('\\', '\\\\') : cell)).join('\t')}\n`;
}

async function copy(client: pg.Client, into: string, lines: AsyncIterable<string> | Iterable<string>): Promise<void> {
  async function* pieces(): AsyncGenerator<string> {
    let piece = '';
    for await (const one of lines) {
      piece += one;
      if (piece.length < PIECE_CHARACTERS) continue;
      yield piece;
      piece = '';
    }
    if (piece !== '') yield piece;
  }
  await pipeline(Readable.from(pieces(), { objectMode: false }), client.query(copyFrom(`copy ${into} from stdin`)));
}
