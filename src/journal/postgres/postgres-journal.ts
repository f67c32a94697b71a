// The journal in Postgres: journal.append orders everything by a gapless head row, so `position > checkpoint` is complete by
// construction and readers need no fence. Concurrent appends share one call, one commit and one fsync.
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { takeRows } from '../../postgres/rows.ts';
import { isConnectionLoss } from '../../postgres/sqlstate.ts';
import { GroupCommit } from '../group-commit.ts';
import {
  APPEND_LIMIT_BYTES,
  type AppendResult,
  AppendTooLarge,
  type Batch,
  type EventToAppend,
  type ExpectedRevision,
  type Journal,
  JournalUnavailable,
  type KeyToKeep,
  type ReadAll,
  type ReadStream,
  type StoredEvent,
} from '../journal.ts';
import { byteaArray, int2Array, int4Array, int8Array, textArray, uuidArray } from './binary-array.ts';
import { sliceOf } from './slice.ts';

interface Append {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly events: readonly EventToAppend[];
  readonly key: KeyToKeep | undefined;
}

interface AppendRow {
  readonly appended: boolean;
  readonly repeated: boolean;
  readonly revision: number;
  readonly position: number;
  readonly recorded_at_ms: number;
}

type EventRow = [position: number, stream: string, revision: number, id: string, type: string, recordedAtMs: number, data: string, metadata: string];

const columns = 'e.position, e.stream, e.revision, e.id, e.type, e.recorded_at_ms, e.data, e.metadata';
const statements = {
  append: { name: 'journal/append', text: 'select * from journal.append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)' },
  readAll: { name: 'journal/read-all', text: `select ${columns} from journal.events e where e.position > $1 order by e.position limit $2` },
  // Positions are gapless, so a window of positions is a bound on the work, whatever the filter lets through.
  readFiltered: {
    name: 'journal/read-filtered',
    text: `with h as (select position from journal.head)
           select h.position, ${columns} from h
             left join journal.events e on e.position > $1 and e.position <= $1::bigint + $2
              and ($3::text[] is null or split_part(e.stream, '-', 1) = any($3)) and ($4::text[] is null or e.type = any($4))
            order by e.position`,
  },
  forwards: {
    name: 'journal/stream-forwards',
    text: `select ${columns} from journal.streams s join journal.events e
             on e.stream = s.stream and e.position between s.first_position and s.last_position and e.revision >= $2
            where s.stream = $1 order by e.revision limit $3`,
  },
  backwards: {
    name: 'journal/stream-backwards',
    text: `select ${columns} from journal.streams s join journal.events e
             on e.stream = s.stream and e.position between s.first_position and s.last_position and e.revision <= $2
            where s.stream = $1 order by e.revision desc limit $3`,
  },
  head: { name: 'journal/head', text: 'select position, recorded_at_ms, journal_id from journal.head' },
  positionAt: { name: 'journal/position-at', text: 'select journal.position_at($1) as position' },
};

export interface PostgresJournalOptions {
  readonly pool: pg.Pool;
  /** Epoch milliseconds by the one clock. */
  readonly now: () => number;
  /** Called when the listening connection was lost; it is opened anew by itself, and readers poll meanwhile. */
  readonly onListenLost?: (error: unknown) => void;
  /** Called with how many appends shared a commit. */
  readonly onBatch?: (appends: number) => void;
}

export class PostgresJournal implements Journal {
  readonly chunkWidth = 10_000;
  readonly keepsKeys = true;
  readonly #pool: pg.Pool;
  readonly #now: () => number;
  readonly #appends: GroupCommit<Append, AppendResult>;
  readonly #watchers = new Set<() => void>();
  readonly #onListenLost: (error: unknown) => void;
  readonly #onBatch: (appends: number) => void;
  #listening: Promise<void> | undefined;
  readonly #closing = new AbortController();

  constructor(options: PostgresJournalOptions) {
    this.#pool = options.pool;
    this.#now = options.now;
    this.#onListenLost = options.onListenLost ?? ((): void => {});
    this.#onBatch = options.onBatch ?? ((): void => {});
    this.#appends = new GroupCommit({ maxBatch: 256, send: (batch) => this.#sendBatch(batch) });
  }

  async append(stream: string, expected: ExpectedRevision, events: readonly EventToAppend[], key?: KeyToKeep): Promise<AppendResult> {
    let bytes = 0;
    for (const event of events) bytes += Buffer.byteLength(event.data);
    if (bytes > APPEND_LIMIT_BYTES) throw new AppendTooLarge(bytes);
    return this.#appends.run({ stream, expected, events, key });
  }

  /** A batch takes one append a stream at a time; what is left over goes in further calls. */
  async #sendBatch(batch: readonly Append[]): Promise<AppendResult[]> {
    const results: AppendResult[] = new Array(batch.length);
    let rest = batch.map((append, index) => ({ append, index }));
    while (rest.length > 0) {
      const taken = new Set<string>();
      const now: typeof rest = [];
      const later: typeof rest = [];
      let bytes = 0;
      for (const item of rest) {
        for (const event of item.append.events) bytes += event.data.length;
        // Bounded in bytes too: 256 appends of 1 MB would be one statement of 256 MB.
        if (taken.has(item.append.stream) || (now.length > 0 && bytes > 8_000_000)) later.push(item);
        else {
          taken.add(item.append.stream);
          now.push(item);
        }
      }
      // biome-ignore lint/performance/noAwaitInLoops: a stream's second append waits for its first
      const rows = await this.#call(now.map((item) => item.append));
      now.forEach((item, at) => {
        const row = rows[at] as AppendRow;
        results[item.index] = row.appended
          ? { appended: true, revision: row.revision, position: row.position, recordedAtMs: row.recorded_at_ms, repeated: row.repeated }
          : { appended: false, revision: row.revision };
      });
      rest = later;
    }
    this.#onBatch(batch.length);
    for (const watcher of this.#watchers) watcher();
    return results;
  }

  async #call(appends: readonly Append[]): Promise<AppendRow[]> {
    const events = appends.flatMap((append) => append.events);
    const keys = appends.flatMap(({ key }, at) => (key ? [{ append: at + 1, ...key }] : []));
    const values = [
      this.#now(),
      textArray(appends.map((append) => append.stream)),
      int2Array(appends.map((append) => sliceOf(append.stream))),
      int4Array(appends.map((append) => (append.expected === 'no-stream' ? -1 : append.expected))),
      int4Array(appends.map((append) => append.events.length)),
      int4Array(appends.flatMap((append, at) => append.events.map(() => at + 1))),
      int4Array(appends.flatMap((append) => append.events.map((_, place) => place))),
      uuidArray(events.map((event) => event.id)),
      textArray(events.map((event) => event.type)),
      textArray(events.map((event) => event.data)),
      textArray(events.map((event) => event.metadata)),
      int4Array(keys.map((key) => key.append)),
      int8Array(keys.map((key) => key.id)),
      textArray(keys.map((key) => key.retention)),
      int2Array(keys.map((key) => key.masterVersion)),
      byteaArray(keys.map((key) => key.wrapped)),
    ];
    return (await this.#query<AppendRow>({ ...statements.append, values })).rows;
  }

  async readStream(stream: string, options: ReadStream = {}): Promise<readonly StoredEvent[]> {
    const backwards = options.direction === 'backwards';
    const from = options.from ?? (backwards ? 2_147_483_647 : 0);
    const rows = await this.#rows<EventRow>(backwards ? statements.backwards : statements.forwards, [stream, from, options.limit ?? null]);
    return rows.map((row) => toEvent(row));
  }

  async readAll(options: ReadAll): Promise<Batch> {
    const { after, limit } = options;
    if (!options.categories && !options.types) {
      // One more than asked for tells whether it goes on.
      const rows = await this.#rows<EventRow>(statements.readAll, [after, limit + 1]);
      const atEnd = rows.length <= limit;
      if (!atEnd) rows.pop();
      const events = rows.map((row) => toEvent(row));
      return { events, checkpoint: events.at(-1)?.position ?? after, atEnd };
    }
    const rows = await this.#rows<[head: number, ...EventRow]>(statements.readFiltered, [
      after,
      limit,
      options.categories ?? null,
      options.types ?? null,
    ]);
    const head = rows[0]?.[0] ?? 0;
    // The filter leaves one row of nulls beside the head where nothing matched.
    const events = rows.filter((row) => row[1] !== null).map((row) => toEvent(row.slice(1) as EventRow));
    return { events, checkpoint: Math.max(after, Math.min(after + limit, head)), atEnd: after + limit >= head };
  }

  async identity(): Promise<string> {
    const { rows } = await this.#query<{ journal_id: string }>({ ...statements.head, values: [] });
    return (rows[0] as { journal_id: string }).journal_id;
  }

  async head(): Promise<{ position: number; recordedAtMs: number }> {
    const { rows } = await this.#query<{ position: number; recorded_at_ms: number }>({ ...statements.head, values: [] });
    const head = rows[0] as { position: number; recorded_at_ms: number };
    return { position: head.position, recordedAtMs: head.recorded_at_ms };
  }

  async positionAt(recordedAtMs: number): Promise<number> {
    const { rows } = await this.#query<{ position: number }>({ ...statements.positionAt, values: [Math.floor(recordedAtMs)] });
    return (rows[0] as { position: number }).position;
  }

  watch(onChange: () => void): () => void {
    this.#watchers.add(onChange);
    this.#listening ??= this.#listen();
    return () => this.#watchers.delete(onChange);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#listening;
  }

  /** Hears of appends by other processes; lost with its server, it comes back by itself. */
  async #listen(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const client = new pg.Client(this.#pool.options as pg.ClientConfig);
      const lost = new Promise<unknown>((resolve) => {
        client.on('error', resolve);
        client.on('end', () => resolve(new Error('the connection ended')));
        signal.addEventListener('abort', () => resolve(undefined), { once: true });
      });
      client.on('notification', () => {
        for (const watcher of this.#watchers) watcher();
      });
      try {
        // biome-ignore lint/performance/noAwaitInLoops: one connection for the journal's life, opened anew when lost
        await client.connect();
        await client.query('listen journal');
        for (const watcher of this.#watchers) watcher();
        const error = await lost;
        if (!signal.aborted) this.#onListenLost(error);
      } catch (error) {
        if (!signal.aborted) this.#onListenLost(error);
      }
      await client.end().catch((error: unknown) => this.#onListenLost(error));
      if (!signal.aborted) await sleep(500, undefined, { signal }).catch(() => undefined);
    }
  }

  async #rows<Values extends unknown[]>(statement: { name: string; text: string }, values: unknown[]): Promise<Values[]> {
    const result = await asUnavailable(() => this.#pool.query<Values>({ ...statement, values, rowMode: 'array' }));
    return takeRows(result);
  }

  #query<Result extends pg.QueryResultRow>(statement: { name: string; text: string; values: unknown[] }): Promise<pg.QueryResult<Result>> {
    return asUnavailable(() => this.#pool.query<Result>(statement));
  }
}

async function asUnavailable<Result>(run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (cause) {
    if (isConnectionLoss(cause)) throw new JournalUnavailable('the journal in Postgres does not answer', { cause });
    throw cause;
  }
}

function toEvent(row: EventRow): StoredEvent {
  return { position: row[0], stream: row[1], revision: row[2], id: row[3], type: row[4], recordedAtMs: row[5], data: row[6], metadata: row[7] };
}
