// Row by row, a replay against the live read models at the same position. The live projector goes on meanwhile, so live is read in one
// snapshot, with the checkpoint that belongs to it, and the replay is brought to exactly that.
import type { Pool, PoolClient } from 'pg';
import { type Checkpoint, readCheckpoints } from './books.ts';
import type { Projection } from './projection.ts';
import { type Replay, ReplayRefused } from './replay.ts';
import { tableSql } from './table-sql.ts';
import { rawTexts } from './table-writer.ts';
import type { ParkedEvent } from './unit.ts';

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
    await snapshot.query(
      'begin isolation level repeatable read read only; set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0',
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
    const live = rowsOf(snapshot, tableSql(checkpoint.schemaName, projection).scan);
    const replayed = rowsOf(other, tableSql(schema, projection).scan);
    const columns = tableSql(schema, projection).columns.map(({ name }) => name);
    let rows = 0;
    let differences = 0;
    for await (const [left, right] of inStep(live, replayed)) {
      rows += 1;
      const difference = differenceOf(projection.name, columns, left, right);
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

type Texts = readonly (string | null)[];

async function* rowsOf(client: PoolClient, scan: string): AsyncGenerator<Texts> {
  await client.query(`declare scan no scroll cursor for ${scan}`);
  for (;;) {
    // biome-ignore lint/performance/noAwaitInLoops: a cursor
    const { rows } = await client.query<(string | null)[]>({ text: `fetch ${FETCH_ROWS} from scan`, rowMode: 'array', types: rawTexts });
    yield* rows;
    if (rows.length < FETCH_ROWS) break;
  }
  await client.query('close scan');
}

/** Rows of both sides by key; one is undefined where only the other has it. Keys come in the order of their bytes. */
async function* inStep(left: AsyncGenerator<Texts>, right: AsyncGenerator<Texts>): AsyncGenerator<[Texts | undefined, Texts | undefined]> {
  let [a, b] = await Promise.all([left.next(), right.next()]);
  while (!a.done || !b.done) {
    const order = a.done ? 1 : b.done ? -1 : compareBytes(a.value[0] as string, b.value[0] as string);
    yield [order <= 0 && !a.done ? a.value : undefined, order >= 0 && !b.done ? b.value : undefined];
    // biome-ignore lint/performance/noAwaitInLoops: both sides in step
    [a, b] = await Promise.all([order <= 0 ? left.next() : a, order >= 0 ? right.next() : b]);
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
