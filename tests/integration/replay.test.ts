// Replays over a real Postgres: as of a day, as known then, and the comparison with live that finds a changed row and nothing otherwise.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPool } from '../../src/postgres/pool.ts';
import { compareWithLive, type RowDifference } from '../../src/projections/engine/compare.ts';
import { ProjectionEngine } from '../../src/projections/engine/engine.ts';
import {
  dropReplay,
  Replay,
  type ReplayOptions,
  ReplayRefused,
  readReplays,
  recordReplay,
  replay,
  replaySchema,
} from '../../src/projections/engine/replay.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { MemoryJournal } from '../support/memory-journal.ts';
import { codecOf, type Faults, Parcels, parcels, personals, sealed, toAppend } from '../support/sample-projection.ts';

let database: TestDatabase;
let pool: Pool;
let journal: MemoryJournal;
let post: Parcels;
let nowMs = Date.parse('2026-03-01T00:00:00Z');
const engines: ProjectionEngine[] = [];

beforeEach(async () => {
  database = await createTestDatabase();
  pool = createPool({ url: database.url, max: 12, applicationName: 'test', role: 'shiji_app' });
  nowMs = Date.parse('2026-03-01T00:00:00Z');
  journal = new MemoryJournal({ now: () => nowMs });
  post = new Parcels(journal);
});
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.stop()));
  await pool.end();
  await database.drop();
});

async function optionsFor(schema: string, more: Partial<ReplayOptions> = {}): Promise<ReplayOptions> {
  return { journal, codec: await codecOf(journal), pool, projections: [parcels()], personals, schema, bankZone: 'Asia/Shanghai', ...more };
}

async function live(faults?: Faults): Promise<ProjectionEngine> {
  const silent = { info: () => {}, warn: () => {}, error: () => {} };
  const engine = new ProjectionEngine({
    journal,
    codec: await codecOf(journal),
    pool,
    projections: [parcels(faults)],
    personals,
    now: () => nowMs,
    log: silent,
    tuning: { retryMs: 50, pollMs: 20 },
  });
  engines.push(engine);
  await engine.start();
  return engine;
}

async function arrive(engine: ProjectionEngine): Promise<void> {
  expect(await engine.progress.waitUntil(['parcels'], (await journal.head()).position, 5_000)).toBe(true);
}

async function ways(schema: string): Promise<Record<string, string[]>> {
  const { rows } = await pool.query<{ id: string; way: string[] }>(`select id, way from ${schema}.parcels order by id`);
  return Object.fromEntries(rows.map(({ id, way }) => [id, way]));
}

async function compare(schema: string, faults?: Faults) {
  const differences: RowDifference[] = [];
  const projections = [parcels(faults)];
  const built = await Replay.open(await optionsFor(schema, { projections }));
  try {
    const comparisons = await compareWithLive({
      pool,
      projections,
      replay: built,
      schema,
      onDifference: (difference) => differences.push(difference),
    });
    return { comparisons, differences };
  } finally {
    await built.drop();
    built.close();
  }
}

describe('a replay', () => {
  it('holds what had occurred by a date, in the zone of the bank or of the fact', async () => {
    await post.send('a', '2026-03-01T01:00:00.000Z');
    // Still the 2nd in Shanghai; the next no more.
    await post.move('a', 'Beijing', '2026-03-02T15:59:59.999Z');
    await post.move('a', 'Tianjin', '2026-03-02T16:00:00.000Z');
    await post.move('a', 'New York', '2026-03-02T23:00:00-05:00[America/New_York]');
    await post.move('a', 'Boston', '2026-03-02[America/New_York]');
    await post.send('late', '2026-03-05T00:00:00.000Z');
    const [table] = await replay(await optionsFor('replay_a', { until: '2026-03-02' }));
    expect(table).toMatchObject({ projection: 'parcels', rows: 1, position: 6, parked: [] });
    expect(await ways('replay_a')).toEqual({ a: ['Beijing', 'New York', 'Boston'] });
    await replay(await optionsFor('replay_b', { until: '2026-03-02T16:00:00Z' }));
    expect(await ways('replay_b')).toEqual({ a: ['Beijing', 'Tianjin', 'Boston'] });
  });

  it('holds what was known by a date, whenever it occurred', async () => {
    await post.send('a', '2026-02-01T01:00:00.000Z');
    nowMs = Date.parse('2026-03-03T12:00:00Z');
    await post.move('a', 'Beijing', '2026-02-02T01:00:00.000Z');
    nowMs = Date.parse('2026-03-03T16:00:00Z');
    await post.move('a', 'Tianjin', '2026-02-02T02:00:00.000Z');
    await replay(await optionsFor('replay_a', { knownAt: '2026-03-03' }));
    expect(await ways('replay_a')).toEqual({ a: ['Beijing'] });
    await replay(await optionsFor('replay_b', { knownAt: '2026-03-03T11:59:59Z', until: '2026-03-31' }));
    expect(await ways('replay_b')).toEqual({ a: [] });
    await replay(await optionsFor('replay_c', { toPosition: 2 }));
    expect(await ways('replay_c')).toEqual({ a: ['Beijing'] });
  });

  it('tells how far it is, writes in pieces, and has the indexes of the live one', async () => {
    for (let parcel = 0; parcel < 1_500; parcel += 1) await post.send(`p${String(parcel).padStart(4, '0')}`);
    for (let parcel = 0; parcel < 1_500; parcel += 3) await post.move(`p${String(parcel).padStart(4, '0')}`, 'Beijing');
    const told: number[] = [];
    const [table] = await replay(await optionsFor('replay_a', { buildRows: 1_000, onProgress: ({ position }) => told.push(position) }));
    expect(table?.rows).toBe(1_500);
    expect(told.at(-1)).toBe(2_000);
    const { rows } = await pool.query(`select count(*)::int as indexes from pg_indexes where schemaname = 'replay_a'`);
    expect(rows[0]?.indexes).toBe(3);
  });

  it('is refused in one sentence under a name that is taken, for what is no time, and before an unknown event', async () => {
    await post.send('a');
    await replay(await optionsFor('replay_a'));
    await expect(replay(await optionsFor('replay_a'))).rejects.toThrow(/^The schema replay_a is there already: drop that replay first \(--drop\)/);
    await expect(replay(await optionsFor('replay_b', { until: 'soon' }))).rejects.toThrow(ReplayRefused);
    await post.append('parcel-a', toAppend('ParcelLost', { id: 'a' }));
    await expect(replay(await optionsFor('replay_b'))).rejects.toThrow(/ParcelLost, schema 1, at position 2 is unknown/);
    const { rows } = await pool.query(`select nspname from pg_namespace where nspname like 'replay%'`);
    expect(rows).toEqual([{ nspname: 'replay_a' }]);
  });

  it('is found by its name until it is dropped', async () => {
    await post.send('a');
    const schema = replaySchema('2026-03-01');
    expect(schema).toBe('replay_2026_03_01');
    await replay(await optionsFor(schema, { until: '2026-03-01' }));
    await recordReplay(pool, { name: '2026-03-01', schema, projections: ['parcels'], until: '2026-03-01', position: 1 });
    expect(await readReplays(pool, '2026-03-01')).toMatchObject([
      { schema, projections: ['parcels'], until: '2026-03-01', knownAt: undefined, position: 1 },
    ]);
    expect(await dropReplay(pool, '2026-03-01')).toBe(true);
    expect(await dropReplay(pool, '2026-03-01')).toBe(false);
    expect(await readReplays(pool)).toEqual([]);
    expect(() => replaySchema('…')).toThrow(ReplayRefused);
  });

  it('parks what the fold throws at, and goes on with the rest', async () => {
    await post.send('a');
    await post.append('parcel-bad', toAppend('ParcelSent', { id: 'bad', to: sealed('x'), weight: 2 ** 40 }));
    await post.move('a', 'Atlantis');
    await post.send('b');
    const [table] = await replay(await optionsFor('replay_a', { projections: [parcels({ depots: new Set(['Atlantis']) })] }));
    expect(table?.rows).toBe(2);
    expect(table?.parked.map(({ key }) => key).sort()).toEqual(['a', 'bad']);
  });
});

describe('comparing with live', () => {
  it('finds nothing where nothing was changed, also while live goes on', async () => {
    const engine = await live();
    for (let parcel = 0; parcel < 50; parcel += 1) await post.send(`p${parcel}`);
    await post.send('王');
    await arrive(engine);
    let going = true;
    const writing = (async () => {
      for (let move = 0; going; move += 1) {
        await post.move(`p${move % 50}`, `depot ${move}`);
        await sleep(1);
      }
    })();
    const { comparisons, differences } = await compare('replay_compare');
    going = false;
    await writing;
    expect(differences).toEqual([]);
    expect(comparisons).toMatchObject([{ projection: 'parcels', differences: 0, rows: 51, parkedKeys: [] }]);
  });

  it('names each row that was changed, removed or added, its columns and both values', async () => {
    const engine = await live();
    for (const id of ['a', 'b', 'c', 'é', '𠮷']) await post.send(id);
    await arrive(engine);
    await pool.query(`update read.parcels set depot = 'forged', weight = 6 where id = 'b'`);
    await pool.query(`delete from read.parcels where id = 'c'`);
    await pool.query(`insert into read.parcels (id, receiver, search, way, price, moves, is_heavy, sent_on, sent_at)
                      select 'added', receiver, search, way, price, moves, is_heavy, sent_on, sent_at from read.parcels where id = 'a'`);
    const { comparisons, differences } = await compare('replay_compare');
    expect(differences).toEqual([
      { projection: 'parcels', key: 'added', kind: 'only-live', cells: [] },
      {
        projection: 'parcels',
        key: 'b',
        kind: 'differs',
        cells: [
          { column: 'depot', live: 'forged', replayed: null },
          { column: 'weight', live: '6', replayed: '5' },
        ],
      },
      { projection: 'parcels', key: 'c', kind: 'only-replayed', cells: [] },
    ]);
    expect(comparisons).toMatchObject([{ differences: 3, rows: 6 }]);
  });

  it('reports parked keys, whose rows stand alike on both sides', async () => {
    const faults = { depots: new Set(['Atlantis']) };
    const engine = await live(faults);
    await post.send('a');
    await post.move('a', 'Beijing');
    await post.move('a', 'Atlantis');
    await post.move('a', 'Tianjin');
    await arrive(engine);
    expect(await compare('replay_compare', faults)).toMatchObject({ differences: [], comparisons: [{ parkedKeys: ['a'] }] });
  });
});
