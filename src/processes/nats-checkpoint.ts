// How far the journal was published: saved after the stream acknowledged, so it may be behind the stream, and is then corrected by it.
import type { Pool } from 'pg';
import type { JournalReader } from '../journal/journal.ts';
import type { PublishedEvent } from './nats-message.ts';

export interface Checkpoint {
  readonly journalId: string;
  /** Everything up to here is published, or not for publishing. */
  readonly position: number;
  readonly last: PublishedEvent | undefined;
  /** The stream's last sequence then. */
  readonly sequence: number;
  readonly streamCreated: string;
}

/** What was published is of another journal than the one at hand. The message is the one sentence an operator gets. */
export class OtherJournal extends Error {
  override readonly name = 'OtherJournal';
}

/** Another process publishes now. */
export class Superseded extends Error {
  override readonly name = 'Superseded';
}

interface Row {
  readonly journal_id: string;
  readonly position: string | number;
  readonly last_event_id: string | null;
  readonly last_event_position: string | number | null;
  readonly last_event_stream: string | null;
  readonly last_event_revision: number | null;
  readonly sequence: string | number;
  readonly stream_created: string;
}

export async function readCheckpoint(pool: Pool, name: string): Promise<Checkpoint | undefined> {
  const { rows } = await pool.query<Row>('select * from publisher.checkpoints where name = $1', [name]);
  const [row] = rows;
  if (!row) return undefined;
  const last =
    row.last_event_id === null
      ? undefined
      : {
          journalId: row.journal_id,
          id: row.last_event_id,
          stream: row.last_event_stream ?? '',
          revision: Number(row.last_event_revision),
          position: Number(row.last_event_position),
        };
  return { journalId: row.journal_id, position: Number(row.position), last, sequence: Number(row.sequence), streamCreated: row.stream_created };
}

/** @throws Superseded where another has published under a newer lease */
export async function saveCheckpoint(pool: Pool, name: string, fence: number, checkpoint: Checkpoint): Promise<void> {
  const { journalId, position, last, sequence, streamCreated } = checkpoint;
  const { rowCount } = await pool.query({
    name: 'publisher/save',
    text: `insert into publisher.checkpoints as c (name, fence, journal_id, position, last_event_id, last_event_position,
                  last_event_stream, last_event_revision, sequence, stream_created)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
           on conflict (name) do update
              set fence = excluded.fence, journal_id = excluded.journal_id, position = excluded.position,
                  last_event_id = excluded.last_event_id, last_event_position = excluded.last_event_position,
                  last_event_stream = excluded.last_event_stream, last_event_revision = excluded.last_event_revision,
                  sequence = excluded.sequence, stream_created = excluded.stream_created, updated_at = clock_timestamp()
            where c.fence <= excluded.fence`,
    values: [
      name,
      fence,
      journalId,
      position,
      last?.id ?? null,
      last?.position ?? null,
      last?.stream ?? null,
      last?.revision ?? null,
      sequence,
      streamCreated,
    ],
  });
  if (rowCount === 0) throw new Superseded('another process publishes under a newer lease');
}

/**
 * @param what where that was found, to be named in the sentence
 * @throws OtherJournal where that event can't have been published from this journal
 */
export async function assertPublishedFrom(journal: JournalReader, what: string, remedy: string, published: Published): Promise<void> {
  const { journalId, position, last } = published;
  const identity = await journal.identity();
  if (journalId !== identity) throw new OtherJournal(`${what} is of the journal ${journalId}, and this is ${identity}: ${remedy}.`);
  const head = await journal.head();
  if (head.position < position) throw new OtherJournal(`${what} is at position ${position}, and this journal ends at ${head.position}: ${remedy}.`);
  if (!last) return;
  const [found] = await journal.readStream(last.stream, { from: last.revision, limit: 1 });
  if (found?.id !== last.id || found.position !== last.position)
    throw new OtherJournal(`${what} is at event ${last.id}, position ${last.position}, and this journal has another there: ${remedy}.`);
}

type Published = Pick<Checkpoint, 'journalId' | 'position' | 'last'>;

/** For metrics: how far, and how many positions are behind that. */
export async function readProgress(
  pool: Pool,
  name: string,
  journal: Pick<JournalReader, 'head'>,
): Promise<{ readonly position: number; readonly behind: number }> {
  // The head after the checkpoint: a lag is never below zero.
  const position = (await readCheckpoint(pool, name))?.position ?? 0;
  return { position, behind: Math.max(0, (await journal.head()).position - position) };
}
