// Retrying and skipping parked events, by an operator's order: the key's events are folded again in their order under the present
// program. The order is done with its rows, in one transaction, so a redelivered one finds nothing left to do.
import type { Pool, PoolClient } from 'pg';
import type { RecordedEvent } from '../../domain/kernel/event.ts';
import type { JournalReader, StoredEvent } from '../../journal/journal.ts';
import { BEGIN, insertParked, inTransaction, readParkedKeys } from './books.ts';
import { checkRow, RowRefused, textArrayLiteral } from './columns.ts';
import { explain, isStreamKey } from './fold.ts';
import type { Projection } from './projection.ts';
import type { EventDecoder } from './shared-reader.ts';
import type { Changes, TableWriter } from './table-writer.ts';
import { chunkOf, Entry, type ParkedEvent, Unit } from './unit.ts';

export interface Order {
  /** Position of the control event that gave it. */
  readonly position: number;
  readonly kind: 'retry' | 'skip';
  readonly key: string;
  /** Of the event to leave out; a skip's. */
  readonly parkedPosition: number | undefined;
}

export async function readOrders(pool: Pool, projection: string): Promise<readonly Order[]> {
  const { rows } = await pool.query<{ position: string | number; kind: Order['kind']; key: string; parked_position: string | number | null }>(
    'select position, kind, key, parked_position from engine.orders where projection = $1 order by position',
    [projection],
  );
  return rows.map(({ position, kind, key, parked_position }) => ({
    position: Number(position),
    kind,
    key,
    parkedPosition: parked_position === null ? undefined : Number(parked_position),
  }));
}

export interface CarryOut {
  readonly order: Order;
  readonly pool: Pool;
  readonly journal: JournalReader;
  readonly codec: EventDecoder;
  readonly projection: Projection;
  /** The name of the checkpoint and of what is parked. Skips go by the projection's name: they hold for every version. */
  readonly book: string;
  readonly writer: TableWriter;
  /** Of the projection's checkpoint, which stays where it is. */
  readonly position: number;
  /** Writes rows and receipts if the checkpoint is ours. */
  readonly commit: (client: PoolClient, unit: Unit, changes: Changes) => Promise<void>;
}

export interface OrderOutcome {
  readonly applied: number;
  readonly stillParked: number;
}

interface ParkedRow {
  readonly position: number;
  readonly stream: string;
  readonly revision: number;
}

export async function carryOut(options: CarryOut): Promise<OrderOutcome> {
  const { order, pool, projection, book, writer, position, journal, commit } = options;
  const parked = await readParked(pool, book, order.key);
  const isParked = parked.some((row) => row.position === order.parkedPosition);
  // Not yet offered: the books are being made again, and what was decided then holds again.
  const skipped =
    order.kind === 'skip' && order.parkedPosition !== undefined && (isParked || order.parkedPosition > position) ? order.parkedPosition : undefined;
  const rest = parked.filter((row) => row.position !== skipped);
  const events = await readEvents(journal, rest);
  const unit = new Unit(position);
  const refold = new Refold(options, unit, new Set(await readParkedKeys(pool, book)));
  let { applied, error } = await refold.run(events);
  let changes: Changes;
  try {
    changes = await writer.changes(unit);
  } catch (failure) {
    if (!(failure instanceof RowRefused)) throw failure;
    // A seal that does not open: nothing of it is kept, and the first stays parked with that reason.
    unit.entries.clear();
    refold.parkedElsewhere.length = 0;
    applied = 0;
    error = explain(failure);
    changes = { fresh: [], changed: [], deleted: [] };
  }
  const done = rest.slice(0, applied).map((row) => row.position);
  const first = rest[applied];
  await inTransaction(pool, BEGIN, async (client) => {
    const unhandled = await stillUnhandled(client, { book, projection: projection.name }, order.key, done);
    const elsewhere = new Set(refold.parkedElsewhere.map(({ event }) => event.position));
    for (const at of done) if (!unhandled.has(at) && !elsewhere.has(at)) unit.receipt(chunkOf(at, journal.chunkWidth)).handled += 1;
    await commit(client, unit, changes);
    await insertParked(client, book, refold.parkedElsewhere);
    await client.query('delete from engine.parked where projection = $1 and key = $2 and position = any($3::bigint[])', [
      book,
      order.key,
      numbers(skipped === undefined ? done : [...done, skipped]),
    ]);
    if (first)
      await client.query('update engine.parked set first = true, error = $4 where projection = $1 and key = $2 and position = $3', [
        book,
        order.key,
        first.position,
        error ?? null,
      ]);
    if (skipped !== undefined)
      await client.query('insert into engine.skips (projection, key, position) values ($1, $2, $3) on conflict do nothing', [
        projection.name,
        order.key,
        skipped,
      ]);
    await client.query('delete from engine.orders where projection = $1 and position = $2', [book, order.position]);
  });
  return { applied, stillParked: rest.length - applied };
}

class Refold {
  readonly parkedElsewhere: ParkedEvent[] = [];
  readonly #options: CarryOut;
  readonly #unit: Unit;
  readonly #parkedKeys: Set<string>;

  constructor(options: CarryOut, unit: Unit, parkedKeys: Set<string>) {
    this.#options = options;
    this.#unit = unit;
    this.#parkedKeys = parkedKeys;
  }

  /** How many of the events went through, and why the next did not. */
  async run(events: readonly StoredEvent[]): Promise<{ applied: number; error?: string }> {
    const { order, codec, projection } = this.#options;
    const decoded: { readonly stored: StoredEvent; readonly event: RecordedEvent; readonly keys: readonly string[] }[] = [];
    let error: string | undefined;
    for (const stored of events) {
      try {
        const event = codec.decode(stored);
        if ('unknown' in event) throw new Error(`${event.type} is unknown to this program`);
        decoded.push({ stored, event, keys: isStreamKey(order.key) ? projection.keys(event) : [order.key] });
      } catch (failure) {
        error = explain(failure);
        break;
      }
    }
    await this.#load(new Set(decoded.flatMap(({ keys }) => keys)));
    let applied = 0;
    for (const { stored, event, keys } of decoded) {
      for (const key of keys) {
        const failure = this.#apply(key, event, stored);
        if (failure !== undefined) return { applied, error: failure };
      }
      applied += 1;
    }
    return error === undefined ? { applied } : { applied, error };
  }

  async #load(keys: ReadonlySet<string>): Promise<void> {
    const rows = await this.#options.writer.load([...keys]);
    for (const key of keys) this.#unit.entries.set(key, new Entry(key, rows.get(key), false));
  }

  /** Why the event stays parked under the order's key; a row of another key that fails is parked under its own. */
  #apply(key: string, event: RecordedEvent, stored: StoredEvent): string | undefined {
    const { order, projection, writer } = this.#options;
    const entry = this.#unit.entries.get(key) as Entry;
    if (key !== order.key && this.#parkedKeys.has(key)) {
      this.parkedElsewhere.push({ key, event: stored, error: null });
      return undefined;
    }
    try {
      const row = projection.apply(entry.row, event, key);
      if (row !== undefined) checkRow(projection.table, writer.sql.columns, key, row, new Set());
      entry.row = row;
      return undefined;
    } catch (failure) {
      const error = explain(failure);
      if (key === order.key) return error;
      this.#parkedKeys.add(key);
      this.parkedElsewhere.push({ key, event: stored, error });
      return undefined;
    }
  }
}

async function readParked(pool: Pool, projection: string, key: string): Promise<readonly ParkedRow[]> {
  const { rows } = await pool.query<{ position: string | number; stream: string; revision: number }>(
    'select position, stream, revision from engine.parked where projection = $1 and key = $2 order by position',
    [projection, key],
  );
  return rows.map(({ position, stream, revision }) => ({ position: Number(position), stream, revision }));
}

/** One read a stream. */
async function readEvents(journal: JournalReader, rows: readonly ParkedRow[]): Promise<readonly StoredEvent[]> {
  const streams = Map.groupBy(rows, ({ stream }) => stream);
  const found = new Map<string, StoredEvent>();
  await Promise.all(
    [...streams].map(async ([stream, ofStream]) => {
      const from = Math.min(...ofStream.map(({ revision }) => revision));
      const to = Math.max(...ofStream.map(({ revision }) => revision));
      for (const event of await journal.readStream(stream, { from, limit: to - from + 1 })) found.set(`${stream} ${event.revision}`, event);
    }),
  );
  return rows.map(({ stream, revision }) => {
    const event = found.get(`${stream} ${revision}`);
    if (!event) throw new Error(`a parked event is not in the journal: revision ${revision} of ${stream}`);
    return event;
  });
}

/** Of these events, those that another key still waits for, or that were left out for one. */
async function stillUnhandled(
  client: PoolClient,
  { book, projection }: { readonly book: string; readonly projection: string },
  key: string,
  positions: readonly number[],
): Promise<ReadonlySet<number>> {
  const { rows } = await client.query<{ position: string | number }>(
    `select position from engine.parked where projection = $1 and key <> $2 and position = any($3::bigint[])
     union select position from engine.skips where projection = $4 and position = any($3::bigint[])`,
    [book, key, numbers(positions), projection],
  );
  return new Set(rows.map(({ position }) => Number(position)));
}

function numbers(values: readonly number[]): string {
  return textArrayLiteral(values.map(String));
}
