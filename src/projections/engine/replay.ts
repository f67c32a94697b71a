// Whole read models as of a day, or as they were known then, in a schema of their own, by the same folds and the build path.
// Side effects can't fire: processes are no projections. How a replay is compared with live is compare.ts.
import type { Pool } from 'pg';
import { asOf, knownAtMs } from '../../domain/kernel/as-of.ts';
import type { RecordedEvent } from '../../domain/kernel/event.ts';
import type { JournalReader } from '../../journal/journal.ts';
import { BEGIN_LONG, inTransaction, readSkips } from './books.ts';
import { BuildPace } from './build-pace.ts';
import { BuildRoom } from './build-room.ts';
import { isRefused, quoted, RowRefused, textArrayLiteral } from './columns.ts';
import { type CarefulFolding, Folder, skipName } from './fold.ts';
import type { Projection } from './projection.ts';
import { type EventDecoder, SharedReader } from './shared-reader.ts';
import { type Personals, TableWriter } from './table-writer.ts';
import { type Entry, type ParkedEvent, Unit } from './unit.ts';

export interface ReplayOptions {
  readonly journal: JournalReader;
  readonly codec: EventDecoder;
  readonly pool: Pool;
  readonly projections: readonly Projection[];
  readonly personals: Personals;
  /** Must not be there yet: `replaySchema(name)`. */
  readonly schema: string;
  /** The bank's IANA zone, which dates are of. */
  readonly bankZone: string;
  /** Events count that occurred by then: a date or an instant. */
  readonly until?: string | undefined;
  /** Events count that were recorded by then: a date (its end in the bank's zone) or an instant. */
  readonly knownAt?: string | undefined;
  /** Nothing after this position; the journal's head where it is absent. */
  readonly toPosition?: number | undefined;
  readonly onProgress?: (progress: ReplayProgress) => void;
  /** Rows in memory before they are written, over all projections; default 60,000. */
  readonly buildRows?: number;
}

export interface ReplayProgress {
  /** Of the projection that is least far. */
  readonly position: number;
  readonly to: number;
}

export interface ReplayedTable {
  readonly projection: string;
  readonly table: string;
  readonly position: number;
  readonly rows: number;
  /** Held back because their fold threw: their rows stand at the event before. */
  readonly parked: readonly ParkedEvent[];
}

/** What stopped a replay: said in one sentence. */
export class ReplayRefused extends Error {
  override readonly name = 'ReplayRefused';
}

/** The schema of a replay's name: `2020-06-30` is in `replay_2020_06_30`. @throws ReplayRefused */
export function replaySchema(name: string): string {
  const schema = `replay_${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_')}`;
  if (!/^replay_[a-z0-9_]{1,50}$/.test(schema) || /^replay_+$/.test(schema))
    throw new ReplayRefused(`${name} can't name a replay: give up to 50 letters, digits and dashes.`);
  return schema;
}

/** Builds all in one go; `Replay` for who wants to go on from there. */
export async function replay(options: ReplayOptions): Promise<readonly ReplayedTable[]> {
  const built = await Replay.open(options);
  try {
    await built.advance();
    return await built.finish();
  } catch (error) {
    await built.drop();
    throw error;
  } finally {
    built.close();
  }
}

export class Replay {
  readonly #options: ReplayOptions;
  readonly #reader: SharedReader;
  readonly #builders: readonly Builder[];
  readonly to: number;

  private constructor(options: ReplayOptions, reader: SharedReader, builders: readonly Builder[], to: number) {
    this.#options = options;
    this.#reader = reader;
    this.#builders = builders;
    this.to = to;
  }

  /** Makes the schema and its empty tables. @throws ReplayRefused */
  static async open(options: ReplayOptions): Promise<Replay> {
    const { journal, codec, pool, projections, schema, bankZone, until, knownAt } = options;
    const counts = until === undefined ? undefined : countsBy(until, bankZone);
    const to = await lastPosition(options, knownAt === undefined ? undefined : timeOf(knownAt, bankZone));
    const { rowCount } = await pool.query('select from pg_namespace where nspname = $1', [schema]);
    if (rowCount !== 0)
      throw new ReplayRefused(`The schema ${schema} is there already: drop that replay first (--drop), or give this one another name.`);
    await pool.query('select engine.create_schema($1)', [schema]);
    const reader = new SharedReader({ journal, codec, categories: [...new Set(projections.flatMap(({ categories }) => categories))] });
    const room = new BuildRoom(options.buildRows ?? 60_000);
    const pace = new BuildPace();
    const builders = projections.map((projection) => new Builder(projection, { ...options, reader, counts, room, pace }));
    const built = new Replay(options, reader, builders, to);
    try {
      await Promise.all(builders.map((builder) => builder.create()));
    } catch (error) {
      await built.drop();
      built.close();
      throw error;
    }
    return built;
  }

  /** Folds up to the replay's end, or each projection up to a position of its own. */
  async advance(to: ReadonlyMap<string, number> = new Map()): Promise<void> {
    const { onProgress } = this.#options;
    const furthest = Math.max(0, ...this.#builders.map(({ projection }) => to.get(projection.name) ?? this.to));
    const tell = (): void => onProgress?.({ position: Math.min(...this.#builders.map(({ position }) => position)), to: furthest });
    // One that fails ends the others at their next batch, and they are done before this answers.
    const ended = await Promise.allSettled(
      this.#builders.map(async (builder) => {
        try {
          await builder.advance(to.get(builder.projection.name) ?? this.to, tell);
        } catch (error) {
          this.abort();
          throw error;
        }
      }),
    );
    const failed = ended.find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
    tell();
  }

  /** Ends `advance` at the next batch. */
  abort(): void {
    for (const builder of this.#builders) builder.abort();
  }

  /** Indexes the tables and counts their rows. */
  finish(): Promise<readonly ReplayedTable[]> {
    return Promise.all(this.#builders.map((builder) => builder.finish()));
  }

  async drop(): Promise<void> {
    await dropSchema(this.#options.pool, this.#options.schema);
  }

  close(): void {
    this.#reader.close();
  }
}

/** Writes down a finished replay, so that GETs can be served from it. */
export async function recordReplay(
  pool: Pool,
  recorded: {
    name: string;
    schema: string;
    projections: readonly string[];
    until?: string | undefined;
    knownAt?: string | undefined;
    position: number;
  },
): Promise<void> {
  await pool.query('insert into engine.replays (name, schema_name, projections, until, known_at, position) values ($1, $2, $3::text[], $4, $5, $6)', [
    recorded.name,
    recorded.schema,
    textArrayLiteral(recorded.projections),
    recorded.until ?? null,
    recorded.knownAt ?? null,
    recorded.position,
  ]);
}

export interface RecordedReplay {
  readonly name: string;
  readonly schema: string;
  readonly projections: readonly string[];
  readonly until: string | undefined;
  readonly knownAt: string | undefined;
  readonly position: number;
  readonly builtAt: string;
}

/** Finished replays, the newest first; one by name where given. */
export async function readReplays(pool: Pool, name?: string): Promise<readonly RecordedReplay[]> {
  const { rows } = await pool.query<{
    name: string;
    schema_name: string;
    projections: string[];
    until: string | null;
    known_at: string | null;
    position: number;
    built_at: string;
  }>(
    `select name, schema_name, projections, until, known_at, position, built_at
       from engine.replays where $1::text is null or name = $1 order by built_at desc, name`,
    [name ?? null],
  );
  return rows.map((row) => ({
    name: row.name,
    schema: row.schema_name,
    projections: row.projections,
    until: row.until ?? undefined,
    knownAt: row.known_at ?? undefined,
    position: Number(row.position),
    builtAt: row.built_at,
  }));
}

/** Removes a replay by its name; false where there was none. */
export async function dropReplay(pool: Pool, name: string): Promise<boolean> {
  const schema = replaySchema(name);
  const { rowCount: there } = await pool.query('select from pg_namespace where nspname = $1', [schema]);
  const { rowCount: recorded } = await pool.query('delete from engine.replays where schema_name = $1', [schema]);
  await dropSchema(pool, schema);
  return (there ?? 0) + (recorded ?? 0) > 0;
}

async function dropSchema(pool: Pool, schema: string): Promise<void> {
  await pool.query(`drop schema if exists ${quoted(schema)} cascade`);
}

function countsBy(until: string, bankZone: string): (event: RecordedEvent) => boolean {
  try {
    const counts = asOf(until, bankZone);
    return ({ occurredAt }) => counts(occurredAt);
  } catch (cause) {
    throw new ReplayRefused(`${until} is no time: give a date such as 2020-06-30 or an instant such as 2020-06-30T09:00:00Z.`, { cause });
  }
}

function timeOf(knownAt: string, bankZone: string): number {
  try {
    return knownAtMs(knownAt, bankZone);
  } catch (cause) {
    throw new ReplayRefused(`${knownAt} is no time: give a date such as 2020-06-30 or an instant such as 2020-06-30T09:00:00Z.`, { cause });
  }
}

async function lastPosition({ journal, toPosition }: ReplayOptions, knownAt: number | undefined): Promise<number> {
  const head = (await journal.head()).position;
  const known = knownAt === undefined ? head : await journal.positionAt(knownAt);
  return Math.min(head, known, toPosition ?? head);
}

interface BuilderOptions extends ReplayOptions {
  readonly reader: SharedReader;
  readonly counts: ((event: RecordedEvent) => boolean) | undefined;
  readonly room: BuildRoom;
  readonly pace: BuildPace;
}

class Builder {
  readonly projection: Projection;
  /** Written up to there. */
  position = 0;
  readonly #options: BuilderOptions;
  readonly #writer: TableWriter;
  readonly #parked: ParkedEvent[] = [];
  #careful: (CarefulFolding & { readonly until: number }) | undefined;
  #aborted = false;

  constructor(projection: Projection, options: BuilderOptions) {
    this.projection = projection;
    this.#options = options;
    this.#writer = new TableWriter({ ...options, projection });
  }

  async create(): Promise<void> {
    await this.#options.pool.query(this.#writer.sql.create);
  }

  abort(): void {
    this.#aborted = true;
  }

  async advance(to: number, tell: () => void): Promise<void> {
    let refusals = 0;
    while (this.position < to) {
      const from = this.position;
      try {
        // biome-ignore lint/performance/noAwaitInLoops: again only where rows were refused
        await this.#advance(to, tell);
      } catch (error) {
        if (!isRefused(error) || !this.#careful || (refusals > 2 && this.position === from)) throw error;
        refusals += 1;
        const broken = error instanceof RowRefused ? error.brokenSeals : [];
        this.#careful = { ...this.#careful, brokenSeals: new Set([...this.#careful.brokenSeals, ...broken]) };
      }
    }
  }

  /** To the end, or to the end of a careful stretch. */
  async #advance(to: number, tell: () => void): Promise<void> {
    const { reader, room, pace } = this.#options;
    const folder = await this.#newFolder();
    let unit = new Unit(this.position);
    let earlier: ReadonlyMap<string, Entry> | undefined;
    let writing: Promise<void> = Promise.resolve();
    let failure: unknown;
    try {
      while (unit.to < to) {
        // biome-ignore lint/performance/noAwaitInLoops: batches come one after the other
        await pace.next(this, unit.to);
        const batch = await reader.batch(unit.to);
        if (!batch || this.#aborted) throw new ReplayRefused('The replay was stopped.');
        const unknown = await folder.fold(batch, unit, earlier, to);
        if (unknown)
          throw new ReplayRefused(
            `${unknown.type}, schema ${unknown.schema}, at position ${unknown.position} is unknown to this program: replay with the newer one that wrote it.`,
          );
        const isOver = unit.to >= to || unit.to >= (this.#careful?.until ?? Number.POSITIVE_INFINITY);
        if (!isOver && room.holds(this, unit.entries.size)) continue;
        if (isOver) room.holds(this, 0);
        await writing;
        if (failure !== undefined) throw failure;
        const filled = unit;
        writing = this.#write(filled).then(tell, (error: unknown) => {
          failure = error;
        });
        earlier = filled.entries;
        unit = new Unit(filled.to);
        if (this.#careful && isOver) {
          await writing;
          if (failure === undefined) this.#careful = undefined;
          break;
        }
      }
    } finally {
      pace.leave(this);
      await writing;
    }
    if (failure !== undefined) throw failure;
  }

  async #write(unit: Unit): Promise<void> {
    try {
      const changes = await this.#writer.changes(unit);
      await inTransaction(this.#options.pool, BEGIN_LONG, async (client) => {
        await this.#writer.upsert(client, changes);
        await this.#writer.copy(client, changes.fresh);
      });
    } catch (error) {
      if (isRefused(error)) this.#careful ??= { until: unit.to, brokenSeals: new Set() };
      throw error;
    }
    this.#parked.push(...unit.parked);
    this.position = unit.to;
  }

  async finish(): Promise<ReplayedTable> {
    const { pool } = this.#options;
    const { sql } = this.#writer;
    const rows = await inTransaction(pool, BEGIN_LONG, async (client) => {
      await client.query(sql.indexes.join('; '));
      await client.query(`analyze ${sql.qualified}`);
      return (await client.query<{ rows: number }>(`select count(*)::int as rows from ${sql.qualified}`)).rows[0]?.rows ?? 0;
    });
    return { projection: this.projection.name, table: this.projection.table.name, position: this.position, rows, parked: this.#parked };
  }

  async #newFolder(): Promise<Folder> {
    const { pool, reader, journal, counts } = this.#options;
    const skips = await readSkips(pool, this.projection.name);
    return new Folder({
      projection: this.projection,
      categories: reader.categories,
      chunkWidth: journal.chunkWidth,
      load: (keys) => this.#writer.load(keys),
      parked: this.#parked.map(({ key }) => key),
      skips: new Set(skips.map(({ position, key }) => skipName(position, key))),
      ...(counts === undefined ? {} : { counts }),
      careful: this.#careful,
    });
  }
}
