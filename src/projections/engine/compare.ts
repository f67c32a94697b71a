// Row by row, a replay against the live read models at the same position. The live projector goes on meanwhile, so live is read in one
// snapshot, with the checkpoint that belongs to it, and the replay is brought to exactly that.
import type { Pool, PoolClient } from 'pg';
import { type Checkpoint, readCheckpoints } from './books.ts';
import { quoted } from './columns.ts';
import type { Projection } from './projection.ts';
import { type Replay, ReplayRefused } from './replay.ts';
import { tableSql } from './table-sql.ts';
import { rawTexts } from './table-writer.ts';
import type { ParkedEvent } from './unit.ts';
import { LIVE_SCHEMA } from './versions.ts';

export interface CellDifference {
  readonly column: string;
  /** As texts; sealed values as they are stored. Null where the cell is. */
  readonly live: string | null;
  readonly replayed: string | null;
}

export interface RowDifference {
  readonly projection: string;
  readonly key: string;
  readonly kind: 'differs' | 'only-live' | 'only-replayed';
  /** The columns that differ; none where one side has no row. */
  readonly cells: readonly CellDifference[];
}

export interface Comparison {
  readonly projection: string;
  readonly position: number;
  readonly rows: number;
  readonly differences: number;
  /** Keys parked in live: their rows are compared as they stand. */
  readonly parkedKeys: readonly string[];
}

const FETCH_ROWS = 2_000;

export interface CompareOptions {
  readonly pool: Pool;
  readonly projections: readonly Projection[];
  readonly replay: Replay;
  readonly schema: string;
  readonly onDifference: (difference: RowDifference) => void;
}

/** Brings the replay to the live checkpoints and compares. @throws ReplayRefused where a read model is not comparable now */
export async function compareWithLive(options: CompareOptions): Promise<readonly Comparison[]> {
  const { pool, projections, replay } = options;
  const names = projections.map(({ name }) => name);
  // The long way first, so that the snapshot, which holds back vacuum, is held for the short rest only.
  await replay.advance(positionsOf(requireComparable(projections, await readCheckpoints(pool, names))));
  const snapshot = await pool.connect();
  try {
    // The tables' locks before the snapshot: a version that is swapped in after it is not in it.
    const tables = projections.map(({ table }) => `${quoted(LIVE_SCHEMA)}.${quoted(table.name)}`);
    await snapshot.query(
      `begin isolation level repeatable read read only; set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0;
       lock table ${tables.join(', ')} in access share mode`,
    );
    const checkpoints = requireComparable(projections, await readCheckpoints(snapshot, names));
    await replay.advance(positionsOf(checkpoints));
    const comparisons: Comparison[] = [];
    for (const projection of projections) {
      const checkpoint = checkpoints.get(projection.name) as Checkpoint;
      // biome-ignore lint/performance/noAwaitInLoops: one snapshot is one connection
      comparisons.push(await compareOne(options, projection, checkpoint, snapshot));
    }
    return comparisons;
  } finally {
    await snapshot.query('rollback').catch(() => {});
    snapshot.release();
  }
}

function requireComparable(projections: readonly Projection[], checkpoints: ReadonlyMap<string, Checkpoint>): ReadonlyMap<string, Checkpoint> {
  for (const { name, version } of projections) {
    const checkpoint = checkpoints.get(name);
    if (!checkpoint || checkpoint.schemaName === '')
      throw new ReplayRefused(`${name} has no live read model yet: start the server, and compare when it is built.`);
    if (checkpoint.version !== version)
      throw new ReplayRefused(
        `${name} is live in version ${checkpoint.version} and this program has ${version}: compare with the program that runs.`,
      );
  }
  return checkpoints;
}

function positionsOf(checkpoints: ReadonlyMap<string, Checkpoint>): ReadonlyMap<string, number> {
  return new Map([...checkpoints].map(([name, { position }]) => [name, position]));
}

async function compareOne(options: CompareOptions, projection: Projection, checkpoint: Checkpoint, snapshot: PoolClient): Promise<Comparison> {
  const { pool, schema, onDifference } = options;
  const parked = await snapshot.query<{ key: string }>('select key from engine.parked where projection = $1 and first order by key', [
    projection.name,
  ]);
  const other = await pool.connect();
  try {
    await other.query('begin read only; set local statement_timeout = 0');
    let rows = 0;
    let differences = 0;
    const compared = compareTables({
      projection: projection.name,
      columns: tableSql(schema, projection).columns.map(({ name }) => name),
      live: { client: snapshot, scan: tableSql(checkpoint.schemaName, projection).scan },
      other: { client: other, scan: tableSql(schema, projection).scan },
    });
    for await (const difference of compared) {
      rows += 1;
      if (!difference) continue;
      differences += 1;
      onDifference(difference);
    }
    return { projection: projection.name, position: checkpoint.position, rows, differences, parkedKeys: parked.rows.map(({ key }) => key) };
  } finally {
    await other.query('rollback').catch(() => {});
    other.release();
  }
}

export interface Scanned {
  /** In a transaction. Both sides may share one. */
  readonly client: PoolClient;
  readonly scan: string;
}

export interface TablePair {
  readonly projection: string;
  /** Those that both scans have, in their order. */
  readonly columns: readonly string[];
  readonly live: Scanned;
  readonly other: Scanned;
}

/** One item a row that either side has: the difference, or undefined where both are equal. */
export async function* compareTables({ projection, columns, live, other }: TablePair): AsyncGenerator<RowDifference | undefined> {
  for await (const [left, right] of inStep(rowsOf(live, 'live_scan'), rowsOf(other, 'other_scan')))
    yield differenceOf(projection, columns, left, right);
}

type Texts = readonly (string | null)[];

async function* rowsOf({ client, scan }: Scanned, cursor: string): AsyncGenerator<Texts> {
  await client.query(`declare ${cursor} no scroll cursor for ${scan}`);
  for (;;) {
    // biome-ignore lint/performance/noAwaitInLoops: a cursor
    const { rows } = await client.query<(string | null)[]>({ text: `fetch ${FETCH_ROWS} from ${cursor}`, rowMode: 'array', types: rawTexts });
    yield* rows;
    if (rows.length < FETCH_ROWS) break;
  }
  await client.query(`close ${cursor}`);
}

/** Rows of both sides by key; one is undefined where only the other has it. Keys come in the order of their bytes. */
async function* inStep(left: AsyncGenerator<Texts>, right: AsyncGenerator<Texts>): AsyncGenerator<[Texts | undefined, Texts | undefined]> {
  // One after the other: both may come over one connection.
  let a = await left.next();
  let b = await right.next();
  while (!a.done || !b.done) {
    const order = a.done ? 1 : b.done ? -1 : compareBytes(a.value[0] as string, b.value[0] as string);
    yield [order <= 0 && !a.done ? a.value : undefined, order >= 0 && !b.done ? b.value : undefined];
    // biome-ignore lint/performance/noAwaitInLoops: both sides in step
    if (order <= 0) a = await left.next();
    if (order >= 0) b = await right.next();
  }
}

function compareBytes(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function differenceOf(
  projection: string,
  columns: readonly string[],
  live: Texts | undefined,
  replayed: Texts | undefined,
): RowDifference | undefined {
  const key = (live ?? replayed)?.[0] as string;
  if (!live) return { projection, key, kind: 'only-replayed', cells: [] };
  if (!replayed) return { projection, key, kind: 'only-live', cells: [] };
  const cells: CellDifference[] = [];
  // The key stands before the columns.
  for (let index = 0; index < columns.length; index += 1) {
    const left = live[index + 1] ?? null;
    const right = replayed[index + 1] ?? null;
    if (left !== right) cells.push({ column: columns[index] as string, live: left, replayed: right });
  }
  return cells.length === 0 ? undefined : { projection, key, kind: 'differs', cells };
}

/** The keys that a replay itself had to park. */
export function keysOf(parked: readonly ParkedEvent[]): readonly string[] {
  return [...new Set(parked.map(({ key }) => key))].sort();
}
