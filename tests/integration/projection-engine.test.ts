// The projection engine over a real Postgres: exactly once, one runner, one read, poison, unknown, pause, receipts, building, waiting.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Journal, ReadAll, StoredEvent } from '../../src/journal/journal.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { type EngineOptions, ProjectionEngine } from '../../src/projections/engine/engine.ts';
import { JournalMismatch } from '../../src/projections/engine/journal-identity.ts';
import type { EngineLog } from '../../src/projections/engine/observe.ts';
import { Progress, type ProjectionDescription } from '../../src/projections/engine/progress.ts';
import type { Projection } from '../../src/projections/engine/projection.ts';
import { SharedReader } from '../../src/projections/engine/shared-reader.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { MemoryJournal } from '../support/memory-journal.ts';
import { codecOf, newerDefinition, Parcels, parcels, personals, searchTokens, toAppend } from '../support/sample-projection.ts';

let database: TestDatabase;
let pool: Pool;
let journal: MemoryJournal;
let post: Parcels;
const engines: ProjectionEngine[] = [];
const lines: { level: string; message: string; fields: object }[] = [];
const log: EngineLog = {
  info: (fields, message) => lines.push({ level: 'info', message, fields }),
  warn: (fields, message) => lines.push({ level: 'warn', message, fields }),
  error: (fields, message) => lines.push({ level: 'error', message, fields }),
};

beforeEach(async () => {
  database = await createTestDatabase();
  pool = createPool({ url: database.url, max: 12, applicationName: 'test', role: 'shiji_app' });
  journal = new MemoryJournal({ now: Date.now });
  post = new Parcels(journal);
  lines.length = 0;
});
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.stop()));
  await pool.end();
  await database.drop();
});

// Tokens go past 2^53, so no client reads them as numbers.
const COLUMNS = 'id, receiver, search::text[], depot, way, weight, price, moves, is_heavy, sent_on, sent_at';

interface Started {
  readonly projections?: readonly Projection[];
  readonly on?: Journal;
  readonly tuning?: EngineOptions['tuning'];
  readonly knowsLost?: boolean;
  readonly through?: Pool;
  readonly opening?: EngineOptions['personals'];
}

async function start({
  projections = [parcels()],
  on = journal,
  tuning = {},
  knowsLost = false,
  through = pool,
  opening = personals,
}: Started = {}): Promise<ProjectionEngine> {
  const codec = await codecOf(on, knowsLost ? [newerDefinition] : []);
  const engine = new ProjectionEngine({
    journal: on,
    codec,
    projections,
    pool: through,
    personals: opening,
    log,
    now: Date.now,
    tuning: { leaseMs: 1_000, retryMs: 50, pollMs: 20, auditPauseMs: 60_000, ...tuning },
  });
  engines.push(engine);
  await engine.start();
  return engine;
}

async function arrive(engine: ProjectionEngine, names: readonly string[] = ['parcels']): Promise<void> {
  expect(await engine.progress.waitUntil(names, (await journal.head()).position, 5_000)).toBe(true);
}

async function rows(table = 'parcels'): Promise<Record<string, unknown>[]> {
  return (await pool.query(`select ${COLUMNS} from read.${table} order by id`)).rows;
}

async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await holds()) return;
    await sleep(25);
  }
  throw new Error(`not within 5 s: ${what}; log: ${JSON.stringify(lines.slice(-5))}`);
}

/** A projection is described from its first lease on, which a start does not wait for. */
async function statusOf(engine: ProjectionEngine, name = 'parcels') {
  let found: ProjectionDescription | undefined;
  await until(`${name} is described`, async () => {
    found = (await engine.progress.describeProjections()).find((projection) => projection.name === name);
    return found !== undefined;
  });
  return found as unknown as ProjectionDescription;
}

describe('folding', () => {
  it('makes the search tokens of a row that is changed while the unit that made it is still being written', async () => {
    await post.send('a');
    await post.move('a', 'Beijing');
    await post.move('a', 'Tianjin');
    const slow = {
      ...personals,
      openMany: async (values: Parameters<typeof personals.openMany>[0]) => sleep(50).then(() => personals.openMany(values)),
    };
    const engine = await start({ tuning: { readEvents: 1 }, opening: slow });
    await arrive(engine);
    const [row] = await rows();
    expect(row).toMatchObject({ depot: 'Tianjin', moves: 2 });
    expect((row as { search: string[] }).search.length).toBeGreaterThan(0);
    expect(lines.filter(({ level }) => level !== 'info')).toEqual([]);
  });

  it('writes what the fold says, opens nothing, and keeps instants, dates, numbers and lists as they were', async () => {
    const engine = await start();
    await post.send('a', '2026-03-03T01:00:00.000Z');
    await post.move('a', 'Bei"jing\\ {1}');
    await post.send('b', '2026-03-03T01:00:00.120Z');
    await post.send('c');
    await post.deliver('c');
    await arrive(engine);
    const [a, b, ...others] = await rows();
    expect(others).toEqual([]);
    expect(a).toMatchObject({
      id: 'a',
      depot: 'Bei"jing\\ {1}',
      way: ['Bei"jing\\ {1}'],
      weight: 5,
      price: '12.50',
      moves: 1,
      is_heavy: false,
      sent_on: '2026-03-03',
      sent_at: '2026-03-03T01:00:00.000Z',
    });
    expect(b).toMatchObject({ sent_at: '2026-03-03T01:00:00.120Z', depot: null, way: [] });
    expect(a?.receiver).toMatch(/^parcel-a \S+ to [0-9a-f]+$/);
    const { rows: found } = await pool.query('select id from read.parcels where search @> $1::bigint[] order by id', [
      searchTokens.queryTokens('小明 wang'),
    ]);
    expect(found.map(({ id }) => id)).toEqual(['a', 'b']);
  });

  it('loads a row back exactly as it wrote it, so that a change of one column changes no other', async () => {
    const engine = await start();
    await post.send('a', '2026-03-03T01:00:00.000Z');
    await post.move('a', '北京\t"x"\n\\N');
    await arrive(engine);
    const [before] = (await pool.query(`select ${COLUMNS}, sent_at::text as at from read.parcels`)).rows;
    await engine.stop();
    const again = await start();
    await post.append('parcel-a', toAppend('ParcelWeighed', { id: 'a', weight: 21 }));
    await arrive(again);
    const [after] = (await pool.query(`select ${COLUMNS}, sent_at::text as at from read.parcels`)).rows;
    expect(after).toEqual({ ...before, weight: 21, is_heavy: true });
  });

  it('folds each event once over restarts, crashes of the writer and redelivery', async () => {
    await post.send('a');
    for (let round = 0; round < 5; round += 1) {
      const engine = await start({ tuning: { readEvents: 3 } });
      for (let move = 0; move < 10; move += 1) await post.move('a', `depot ${round}.${move}`);
      if (round % 2 === 0) await arrive(engine);
      await engine.stop();
    }
    const engine = await start();
    await arrive(engine);
    const [row] = await rows();
    expect(row?.moves).toBe(50);
    expect(row?.way).toEqual(Array.from({ length: 50 }, (_, move) => `depot ${Math.floor(move / 10)}.${move % 10}`));
  });

  it('does not write a row that a fold left as it was', async () => {
    const engine = await start();
    await post.send('a');
    await arrive(engine);
    const [before] = (await pool.query('select xmin::text, ctid::text from read.parcels')).rows;
    await post.append('parcel-a', toAppend('ParcelWeighed', { id: 'a', weight: 5 }));
    await arrive(engine);
    expect((await pool.query('select xmin::text, ctid::text from read.parcels')).rows).toEqual([before]);
  });
});

describe('one runner a projection', () => {
  it('is refused by the checkpoint when another has taken the lease meanwhile', async () => {
    const engine = await start();
    await post.send('a');
    await arrive(engine);
    // As if another process had taken it over and gone on.
    await pool.query(
      `update engine.leases set holder = 'another', fence = fence + 1, until = clock_timestamp() + interval '1 hour' where name = 'parcels'`,
    );
    await pool.query(`update engine.checkpoints set fence = fence + 1 where projection = 'parcels'`);
    const checkpoint = async () => (await pool.query(`select position, fence from engine.checkpoints where projection = 'parcels'`)).rows[0];
    const before = await checkpoint();
    await post.move('a', 'Beijing');
    await sleep(300);
    expect(await checkpoint()).toEqual(before);
    expect((await rows())[0]?.moves).toBe(0);
  });

  it('is taken over within the lease when its process dies, and nothing is folded twice', async () => {
    const dying = createPool({ url: database.url, max: 12, applicationName: 'dying', role: 'shiji_app' });
    const first = await start({ through: dying });
    await post.send('a');
    await arrive(first);
    const second = await start();
    await post.move('a', 'Beijing');
    await arrive(second);
    // From here on it can neither write nor renew nor give back.
    await dying.end();
    await post.move('a', 'Tianjin');
    await until('the other took over', async () => (await rows())[0]?.moves === 2);
    expect(await statusOf(second)).toMatchObject({ status: 'live', lagEvents: 0 });
  });

  it('frees its lease at a clean stop, so that the next starts at once', async () => {
    const first = await start({ tuning: { leaseMs: 60_000 } });
    await post.send('a');
    await arrive(first);
    await first.stop();
    const second = await start({ tuning: { leaseMs: 60_000 } });
    await post.move('a', 'Beijing');
    await arrive(second);
    expect((await rows())[0]?.moves).toBe(1);
  });
});

describe('one read for all', () => {
  it('reads and decodes the journal once for those that stand together, and for itself where one lags', async () => {
    for (let parcel = 0; parcel < 40; parcel += 1) await post.send(`p${parcel}`);
    const reads: number[] = [];
    let decodes = 0;
    const counting: Journal = Object.assign(journal.another(), {
      readAll: (options: ReadAll) => {
        reads.push(options.after);
        return journal.readAll(options);
      },
    });
    const codec = await codecOf(journal);
    const decode = (stored: StoredEvent) => {
      decodes += 1;
      return codec.decode(stored);
    };
    const reader = new SharedReader({ journal: counting, codec: { decode }, categories: ['parcel'], limit: 10 });
    const follow = async (): Promise<void> => {
      for (let at = 0; at < 40; ) at = (await reader.batch(at))?.checkpoint ?? 40;
    };
    await Promise.all([follow(), follow(), follow(), follow()]);
    expect(reads).toEqual([0, 10, 20, 30]);
    expect(decodes).toBe(40);
    await Promise.all([reader.batch(5), reader.batch(5)]);
    expect(reads.slice(4)).toEqual([5, 15]);
    reader.close();
  });

  it('serves any number of read models', async () => {
    for (let parcel = 0; parcel < 40; parcel += 1) await post.send(`p${parcel}`);
    const names = ['one', 'two', 'three', 'four'];
    const engine = await start({ projections: names.map((name) => parcels(undefined, { name })), tuning: { readEvents: 10 } });
    await arrive(engine, names);
    for (const name of names) expect(await rows(name)).toHaveLength(40);
  });
});

describe('a poison event', () => {
  it('parks its row alone, keeps the order behind it, and holds up no other', async () => {
    const faults = { depots: new Set(['Atlantis']) };
    const engine = await start({ projections: [parcels(faults)] });
    await post.send('a');
    await post.send('b');
    await post.move('a', 'Beijing');
    const poison = await post.move('a', 'Atlantis');
    await post.move('b', 'Beijing');
    await post.move('a', 'Tianjin');
    await arrive(engine);
    await post.move('a', 'Shanghai');
    await post.move('b', 'Shanghai');
    await arrive(engine);
    expect(await rows()).toMatchObject([
      { id: 'a', way: ['Beijing'] },
      { id: 'b', way: ['Beijing', 'Shanghai'] },
    ]);
    const { rows: parked } = await pool.query('select key, position, first, error from engine.parked order by position');
    expect(parked).toMatchObject([
      { key: 'a', position: poison, first: true, error: 'Error: this depot is not understood' },
      { key: 'a', first: false, error: null },
      { key: 'a', first: false, error: null },
    ]);
    expect(await statusOf(engine)).toMatchObject({ status: 'live', parkedKeys: 1, lagEvents: 0 });
    const [receipt] = (await pool.query('select offered, handled from engine.receipts')).rows;
    expect(receipt).toEqual({ offered: 8, handled: 5 });
  });

  it('goes through in order when it is retried under a mended program, however often that is asked', async () => {
    const faults = { depots: new Set(['Atlantis']) };
    const engine = await start({ projections: [parcels(faults)] });
    await post.send('a');
    await post.move('a', 'Atlantis');
    await post.move('a', 'Tianjin');
    await arrive(engine);
    await post.append('projection-parcels', toAppend('ParkedEventRetried', { key: 'a' }));
    await until('the retry was carried out', () => lines.some(({ message }) => message.startsWith('an order')));
    expect((await rows())[0]?.way).toEqual([]);
    expect((await pool.query('select first from engine.parked order by position')).rows).toEqual([{ first: true }, { first: false }]);

    faults.depots.clear();
    await post.append('projection-parcels', toAppend('ParkedEventRetried', { key: 'a' }), toAppend('ParkedEventRetried', { key: 'a' }));
    await until('nothing is parked', async () => (await pool.query('select from engine.parked')).rowCount === 0);
    await post.move('a', 'Shanghai');
    await arrive(engine);
    await until('all moves are there', async () => (await rows())[0]?.moves === 3);
    expect((await rows())[0]?.way).toEqual(['Atlantis', 'Tianjin', 'Shanghai']);
    expect((await pool.query('select offered, handled from engine.receipts')).rows).toEqual([{ offered: 4, handled: 4 }]);
  });

  it('is left out alone when it is skipped, and stays out of a rebuild', async () => {
    const faults = { depots: new Set(['Atlantis']) };
    const engine = await start({ projections: [parcels(faults)] });
    await post.send('a');
    const poison = await post.move('a', 'Atlantis');
    await post.move('a', 'Tianjin');
    await arrive(engine);
    await post.append('projection-parcels', toAppend('ParkedEventSkipped', { key: 'a', position: poison }));
    await until('nothing is parked', async () => (await pool.query('select from engine.parked')).rowCount === 0);
    expect((await rows())[0]?.way).toEqual(['Tianjin']);
    await engine.stop();
    const rebuilt = await start({ projections: [parcels({ depots: new Set() }, { version: 2 })] });
    await arrive(rebuilt);
    expect((await rows())[0]?.way).toEqual(['Tianjin']);
    expect((await pool.query('select offered, handled from engine.receipts')).rows).toEqual([{ offered: 3, handled: 2 }]);
  });

  it('parks each row of an event that touches two, and its stream where the rows can not be told', async () => {
    const engine = await start();
    await post.send('a');
    await post.append('parcel-a', toAppend('ParcelsSwapped', { id: 'a', other: 'missing' }));
    await post.append('parcel-odd', toAppend('ParcelMoved', {}), toAppend('ParcelSent', { id: 'odd', weight: 1 }));
    await post.send('b');
    await arrive(engine);
    expect(await rows()).toMatchObject([{ id: 'a', moves: 100 }, { id: 'b' }]);
    const { rows: parked } = await pool.query('select key, first from engine.parked order by position, key');
    expect(parked).toEqual([
      { key: 'missing', first: true },
      { key: 'stream:parcel-odd', first: true },
      { key: 'stream:parcel-odd', first: false },
    ]);
  });

  it('is found when it is Postgres that refuses the row', async () => {
    const engine = await start();
    await post.send('a');
    await post.send('b');
    await arrive(engine);
    await post.append('parcel-a', toAppend('ParcelWeighed', { id: 'a', weight: 1.5 }));
    await post.move('b', 'Beijing');
    await post.append('parcel-a', toAppend('ParcelMoved', { id: 'a', depot: 'nul \u0000' }));
    await arrive(engine);
    await post.move('b', 'Tianjin');
    await arrive(engine);
    expect(await rows()).toMatchObject([
      { id: 'a', weight: 5, moves: 0 },
      { id: 'b', moves: 2 },
    ]);
    expect((await pool.query('select key, error from engine.parked where first')).rows).toEqual([
      { key: 'a', error: 'RowRefused: column weight holds no integer' },
    ]);
  });
});

describe('an unknown event', () => {
  it('stops the projection before it, without being poison, until a program that knows it starts', async () => {
    const old = await start();
    await post.send('a');
    await post.append('parcel-a', toAppend('ParcelLost', { id: 'a' }));
    await post.move('a', 'Beijing');
    await until('it stands', async () => (await statusOf(old)).status === 'unknown-event');
    expect(await statusOf(old)).toMatchObject({ position: 1, lagEvents: 2, parkedKeys: 0 });
    expect((await statusOf(old)).detail).toMatch(/^ParcelLost, schema 1, at position 2 /);
    const newer = await start({ knowsLost: true });
    await arrive(newer);
    expect(await statusOf(newer)).toMatchObject({ status: 'live', detail: undefined });
    expect((await rows())[0]?.moves).toBe(1);
  });
});

describe('control events', () => {
  it('pause a projection and let it go on where it was', async () => {
    const engine = await start();
    await post.send('a');
    await arrive(engine);
    await post.append('projection-parcels', toAppend('ProjectionPaused', {}));
    await until('it is paused', async () => (await statusOf(engine)).status === 'paused');
    const position = await post.move('a', 'Beijing');
    expect(await engine.progress.waitUntil(['parcels'], position, 200)).toBe(false);
    expect((await rows())[0]?.moves).toBe(0);
    await post.append('projection-parcels', toAppend('ProjectionResumed', {}));
    expect(await engine.progress.waitUntil(['parcels'], position, 5_000)).toBe(true);
    expect(await statusOf(engine)).toMatchObject({ status: 'live' });
  });

  it('hold from the start for a program that starts later', async () => {
    await post.append('projection-parcels', toAppend('ProjectionPaused', {}));
    const first = await start();
    await until('it is paused', async () => (await statusOf(first)).status === 'paused');
    await first.stop();
    const position = await post.send('a');
    const second = await start();
    expect(await second.progress.waitUntil(['parcels'], position, 200)).toBe(false);
  });
});

describe('receipts', () => {
  // Chunks of 10 positions, so that a test fills some.
  const narrow = (): Journal => Object.defineProperty(journal, 'chunkWidth', { value: 10 });

  it("equal the journal's own sums", async () => {
    const engine = await start({ on: narrow(), tuning: { readEvents: 7 } });
    for (let parcel = 0; parcel < 34; parcel += 1) {
      await post.send(`p${parcel}`);
      if (parcel % 5 === 0) await post.append(`other-${parcel}`, toAppend('ParcelSent', { id: `o${parcel}` }));
    }
    await arrive(engine);
    const audits = await engine.auditor.audit();
    expect(audits).toHaveLength(4);
    expect(audits.every(({ equal, offered, expected }) => equal && offered === expected && offered < 10)).toBe(true);
    expect((await statusOf(engine)).receipts).toEqual({ chunks: 5, verified: 4, mismatched: 0 });
  });

  it('name the chunk of a batch that was skipped, and of an effect that was deleted', async () => {
    const engine = await start({ on: narrow() });
    for (let parcel = 0; parcel < 12; parcel += 1) await post.send(`p${parcel}`);
    await arrive(engine);
    await engine.stop();
    for (let parcel = 12; parcel < 24; parcel += 1) await post.send(`p${parcel}`);
    await pool.query(`update engine.checkpoints set position = 18 where projection = 'parcels'`);
    const again = await start({ on: journal });
    for (let parcel = 24; parcel < 41; parcel += 1) await post.send(`p${parcel}`);
    await arrive(again);
    expect((await again.auditor.audit()).filter(({ equal }) => !equal)).toMatchObject([
      { projection: 'parcels', chunk: 1, from: 11, to: 20, offered: 4, expected: 10 },
    ]);
    await pool.query(`delete from engine.receipts where chunk = 3`);
    const audits = await again.auditor.audit();
    expect(audits.filter(({ equal }) => !equal).map(({ chunk, hashEqual }) => ({ chunk, hashEqual }))).toEqual([
      { chunk: 1, hashEqual: false },
      { chunk: 3, hashEqual: false },
    ]);
    expect((await statusOf(again)).receipts).toMatchObject({ verified: 2, mismatched: 2 });
  });

  it('are audited in the background', async () => {
    const engine = await start({ on: narrow(), tuning: { auditPauseMs: 10 } });
    for (let parcel = 0; parcel < 31; parcel += 1) await post.send(`p${parcel}`);
    await until('three chunks are verified', async () => (await statusOf(engine)).receipts.verified === 3);
  });
});

describe('the journal', () => {
  it('is refused in one sentence where it is another, shorter, or has another event at the checkpoint', async () => {
    const engine = await start();
    await post.send('a');
    await post.send('b');
    await arrive(engine);
    await engine.stop();
    const another = new MemoryJournal({ now: Date.now });
    await expect(start({ on: another })).rejects.toThrow(JournalMismatch);
    await expect(start({ on: another })).rejects.toThrow(/^The read model parcels was made from the journal \S+, and this is \S+: [^.]+\.$/);

    const sameName = (other: MemoryJournal): Journal =>
      new Proxy(other, {
        get: (target, name) =>
          name === 'identity'
            ? () => journal.identity()
            : typeof target[name as keyof MemoryJournal] === 'function'
              ? (target[name as 'head'] as () => unknown).bind(target)
              : target[name as keyof MemoryJournal],
      });
    await new Parcels(another).send('a');
    await expect(start({ on: sameName(another) })).rejects.toThrow(/stands at position 2, and this journal ends at 1/);
    await new Parcels(another).send('c');
    await expect(start({ on: sameName(another) })).rejects.toThrow(/saw event \S+ at position 2, and this journal has another there/);
  });
});

describe('building', () => {
  it('by COPY gives the same rows, indexes and receipts as following live', async () => {
    const live = await start({ projections: [parcels(undefined, { name: 'live' })] });
    for (let parcel = 0; parcel < 60; parcel += 1) await post.send(`p${parcel}`);
    await arrive(live, ['live']);
    for (let parcel = 0; parcel < 60; parcel += 1) await post.move(`p${parcel}`, `back\\slash\ttab\nline ${parcel}`);
    for (let parcel = 0; parcel < 60; parcel += 7) await post.deliver(`p${parcel}`);
    for (let parcel = 1; parcel < 60; parcel += 7) await post.move(`p${parcel}`, 'Xi’an 西安');
    await arrive(live, ['live']);
    await live.stop();
    const built = await start({ projections: [parcels(undefined, { name: 'built' })], tuning: { buildFrom: 50, buildRows: 1, readEvents: 13 } });
    await arrive(built, ['built']);
    await until('it is built', async () => (await statusOf(built, 'built')).status === 'live');
    expect(lines.some(({ message }) => message === 'a read model was built')).toBe(true);
    const liveRows = await rows('live');
    expect(liveRows).toHaveLength(51);
    expect(await rows('built')).toEqual(liveRows);
    const of = async (sql: string) => (await pool.query(sql)).rows;
    const receipts = (name: string) => of(`select chunk, offered, handled, id_sum from engine.receipts where projection = '${name}' order by chunk`);
    expect(await receipts('built')).toEqual(await receipts('live'));
    const indexes = (name: string) =>
      of(`select replace(indexdef, '${name}', '') as def from pg_indexes where schemaname = 'read' and tablename = '${name}' order by 1`);
    expect(await indexes('built')).toEqual(await indexes('live'));
  });

  it('is begun anew where the version is another, and says so', async () => {
    const engine = await start();
    await post.send('a');
    await arrive(engine);
    await engine.stop();
    await pool.query('update read.parcels set depot = $1', ['stale']);
    const next = await start({ projections: [parcels(undefined, { version: 2 })] });
    await until('it is built anew', async () => (await statusOf(next)).version === 2);
    await arrive(next);
    expect((await rows())[0]?.depot).toBeNull();
    expect(lines).toContainEqual(expect.objectContaining({ fields: { projection: 'parcels', fromVersion: 1, toVersion: 2 } }));
  });

  it('finds the row at fault also where COPY refuses it', async () => {
    for (let parcel = 0; parcel < 60; parcel += 1) await post.send(`p${parcel}`);
    await post.append('parcel-bad', toAppend('ParcelSent', { id: 'bad', to: { $sealed: '00' }, weight: 2 ** 40 }));
    const engine = await start({ tuning: { buildFrom: 10 } });
    await arrive(engine);
    await until('it is built', async () => (await statusOf(engine)).status === 'live');
    expect(await rows()).toHaveLength(60);
    expect((await pool.query('select key from engine.parked')).rows).toEqual([{ key: 'bad' }]);
  });
});

describe('waiting for a position', () => {
  it('ends when the rows are there, by this process or another, and is bounded', async () => {
    const engine = await start({ tuning: { pollMs: 60_000 } });
    const elsewhere = new Progress({ pool, journal, now: Date.now });
    await post.send('a');
    await arrive(engine);
    const waits = [engine.progress, elsewhere].map((progress) => progress.waitUntil(['parcels'], 2, 5_000));
    await post.move('a', 'Beijing');
    expect(await Promise.all(waits)).toEqual([true, true]);
    expect((await rows())[0]?.moves).toBe(1);
    const startedMs = performance.now();
    expect(await Promise.all([engine.progress, elsewhere].map((progress) => progress.waitUntil(['parcels'], 3, 100)))).toEqual([false, false]);
    expect(performance.now() - startedMs).toBeLessThan(1_000);
  });

  it('passes over events of other categories', async () => {
    const engine = await start();
    await post.append('other-1', toAppend('Whatever', {}));
    await arrive(engine);
    expect(await engine.progress.lag()).toEqual([{ projection: 'parcels', position: 1, events: 0, seconds: 0 }]);
  });
});
