// Two versions of a read model beside each other over a real Postgres: built, compared, swapped, rolled back, by one program and by two,
// while readers look on.
import { setTimeout as sleep } from 'node:timers/promises';
import type { LightMyRequestResponse } from 'fastify';
import pg, { type Pool } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Role } from '../../src/domain/kernel/roles.ts';
import { ProjectionRebuildOrdered, ProjectionRollbackOrdered, ProjectionSwapOrdered } from '../../src/domain/projection/control.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { ProjectionEngine } from '../../src/projections/engine/engine.ts';
import type { EngineLog } from '../../src/projections/engine/observe.ts';
import type { ProjectionDescription, StandbyDescription } from '../../src/projections/engine/progress.ts';
import type { Projection, Row } from '../../src/projections/engine/projection.ts';
import { tickets } from '../../src/projections/tickets/tickets.ts';
import { createTestApi } from '../support/api-server.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { MemoryJournal } from '../support/memory-journal.ts';
import { codecOf, newerDefinition, Parcels, parcels, personals, toAppend } from '../support/sample-projection.ts';

let database: TestDatabase;
let journal: MemoryJournal;
let post: Parcels;
/** The readers', and the tests' own. */
let pool: Pool;
const pools: Pool[] = [];
const engines: ProjectionEngine[] = [];
const lines: { level: string; message: string; fields: object }[] = [];
const log: EngineLog = {
  info: (fields, message) => lines.push({ level: 'info', message, fields }),
  warn: (fields, message) => lines.push({ level: 'warn', message, fields }),
  error: (fields, message) => lines.push({ level: 'error', message, fields }),
};
const orders = [ProjectionRebuildOrdered, ProjectionSwapOrdered, ProjectionRollbackOrdered];
const SWAPPED = 'a version was swapped in: what was live before is kept';

beforeEach(async () => {
  database = await createTestDatabase();
  pool = newPool();
  journal = new MemoryJournal({ now: Date.now });
  post = new Parcels(journal);
  lines.length = 0;
});
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.stop()));
  await Promise.all(pools.splice(0).map((each) => each.end()));
  await database.drop();
});

function newPool(applicationName = 'test'): Pool {
  const made = createPool({ url: database.url, max: 10, applicationName, role: 'shiji_app' });
  pools.push(made);
  return made;
}

/** The next version: it has one column more, and says depots in capitals. */
function second(): Projection {
  const first = parcels();
  return {
    ...first,
    version: 2,
    table: { ...first.table, columns: { ...first.table.columns, label: { type: 'text' } } },
    apply: (row, event, key): Row | undefined => {
      const next = first.apply(row, event, key);
      return next && { ...next, label: `parcel ${key}`, depot: typeof next.depot === 'string' ? next.depot.toUpperCase() : null };
    },
  };
}

/** One program, with connections of its own as another process has. */
async function program(projection: Projection, { knowsLost = false, buildFrom = 10, through = newPool('program') } = {}): Promise<ProjectionEngine> {
  const engine = new ProjectionEngine({
    journal,
    codec: await codecOf(journal, [...orders, ...(knowsLost ? [newerDefinition] : [])]),
    projections: [projection],
    pool: through,
    personals,
    log,
    now: Date.now,
    tuning: { leaseMs: 2_000, retryMs: 40, pollMs: 20, auditPauseMs: 60_000, buildFrom, readEvents: 50, buildRows: 1 },
  });
  engines.push(engine);
  await engine.start();
  return engine;
}

async function arrive(engine: ProjectionEngine): Promise<void> {
  expect(await engine.progress.waitUntil(['parcels'], (await journal.head()).position, 10_000)).toBe(true);
}

async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    if (await holds()) return;
    await sleep(25);
  }
  throw new Error(`not within 15 s: ${what}; log: ${JSON.stringify(lines.slice(-6))}`);
}

async function described(engine = engines[0] as ProjectionEngine): Promise<ProjectionDescription> {
  let found: ProjectionDescription | undefined;
  await until('it is described', async () => {
    [found] = await engine.progress.describeProjections();
    return found !== undefined;
  });
  return found as unknown as ProjectionDescription;
}

const isLive = (version: number) => async () => (await described()).version === version;
const order = (type: string, data: object = {}) => post.append('projection-parcels', toAppend(type, { projection: 'parcels', ...data }));
const depots = async (): Promise<unknown[]> => (await pool.query('select depot from read.parcels order by id')).rows.map(({ depot }) => depot);
const swaps = (): number => lines.filter(({ message }) => message === SWAPPED).length;
const wrong = () => lines.filter(({ level }) => level === 'error');

async function sendMany(count: number, from = 0): Promise<void> {
  for (let parcel = from; parcel < from + count; parcel += 1) await post.send(`p${String(parcel).padStart(5, '0')}`);
}

/** Commands and readers until it is stopped: each reader asks again and again, and what it sees may never go back. */
function load(readingBy: readonly ProjectionEngine[]): { stop(): Promise<{ reads: number; waits: number }> } {
  let going = true;
  let reads = 0;
  let waits = 0;
  let sent = 0;
  const look = async (): Promise<{ position: number; rows: number }> => {
    const { rows } = await pool.query({
      name: 'look',
      text: `select (select position from engine.checkpoints where projection = 'parcels')::int as position, count(*)::int as rows from read.parcels`,
    });
    return rows[0];
  };
  const reader = async (): Promise<void> => {
    let before = { position: 0, rows: 1 };
    while (going) {
      const now = await look();
      expect(now.position).toBeGreaterThanOrEqual(before.position);
      expect(now.rows).toBeGreaterThanOrEqual(before.rows);
      before = now;
      reads += 1;
    }
  };
  /** `Shiji-After`, as the API does it. */
  const writer = async (): Promise<void> => {
    while (going) {
      const id = `load${String(sent).padStart(6, '0')}`;
      sent += 1;
      const position = await post.send(id);
      for (const { progress } of readingBy) {
        expect(await progress.waitUntil(['parcels'], position, 5_000)).toBe(true);
        const { rowCount } = await pool.query({ name: 'one', text: 'select depot from read.parcels where id = $1', values: [id] });
        expect(rowCount).toBe(1);
        waits += 1;
      }
    }
  };
  const all = Promise.all([reader(), reader(), reader(), writer()]);
  // A failure is told where it is stopped.
  all.catch(() => {});
  return {
    stop: async () => {
      going = false;
      await all;
      return { reads, waits };
    },
  };
}

describe('a new version', () => {
  it('is built beside the old one by the same program, which reads the old one with its new columns empty until the swap', async () => {
    const old = await program(parcels());
    await sendMany(120);
    await post.move('p00003', 'Beijing');
    await arrive(old);
    await old.stop();
    const next = await program(second());
    const { rows } = await pool.query('select label from read.parcels limit 1');
    expect(['', 'parcel p00000']).toContain(rows[0]?.label);
    const position = await post.move('p00004', 'Tianjin');
    expect(await next.progress.waitUntil(['parcels'], position, 10_000)).toBe(true);
    expect((await described(next)).version).toBe(2);
    expect((await depots()).filter(Boolean)).toEqual(['BEIJING', 'TIANJIN']);
    expect((await pool.query(`select count(*)::int as n from read.parcels where label = 'parcel ' || id`)).rows[0].n).toBe(120);
    expect(await described(next)).toMatchObject({
      schema: 'read',
      status: 'live',
      standby: { version: 1, schema: 'kept_parcels_v1', standing: 'kept', position: 121 },
    });
    const { fields } = lines.find(({ message }) => message === 'a version was compared with the live one') ?? {};
    expect(fields).toMatchObject({ rows: 120, differing: 1, onlyLive: 0, onlyNext: 0, columns: { depot: 1 } });
    expect((await next.auditor.audit()).every(({ equal }) => equal)).toBe(true);
    expect(wrong()).toEqual([]);
  });

  it('comes in under load with two programs, without a failed read, an empty or an older one; the old program keeps its own warm', async () => {
    const old = await program(parcels());
    await sendMany(1_500);
    await arrive(old);
    const running = load([old]);
    const next = await program(second());
    const both = load([next]);
    await until('version 2 is live', isLive(2));
    await sleep(500);
    const [one, other] = [await running.stop(), await both.stop()];
    expect(one.reads + other.reads).toBeGreaterThan(50);
    expect(one.waits + other.waits).toBeGreaterThan(20);
    await arrive(next);
    await until('the old one is followed', async () => {
      const { standby } = await described(next);
      return standby?.lagEvents === 0 && standby.status === 'following';
    });
    expect(await described(next)).toMatchObject({ version: 2, lagEvents: 0, standby: { version: 1, standing: 'kept' } });
    expect(swaps()).toBe(1);
    expect(wrong()).toEqual([]);
  });

  it('is built on by another program of its version when the first dies, from where it was', async () => {
    const old = await program(parcels());
    await sendMany(1_200);
    await arrive(old);
    const dying = newPool();
    await program(second(), { through: dying });
    await until('it is being built', async () => ((await described()).standby?.position ?? 0) > 100);
    pools.splice(pools.indexOf(dying), 1);
    await dying.end();
    const reached = (await described()).standby?.position ?? 0;
    const another = await program(second());
    await until('version 2 is live', isLive(2));
    await arrive(another);
    expect(reached).toBeGreaterThan(100);
    expect(lines.filter(({ message }) => message.startsWith('a read model is built anew'))).toHaveLength(1);
    expect((await another.auditor.audit()).every(({ equal }) => equal)).toBe(true);
  });

  it('is rebuilt while the old program keeps the one before warm, which then goes', async () => {
    const old = await program(parcels());
    await sendMany(100);
    await arrive(old);
    const next = await program(second());
    await until('version 2 is live', isLive(2));
    await until('the old one is followed', async () => (await described()).standby?.status === 'following');
    const running = load([old, next]);
    for (let round = 1; round <= 3; round += 1) {
      await order('ProjectionRebuildOrdered');
      await until(`rebuild ${round}`, () => swaps() === 1 + round);
    }
    await running.stop();
    expect(await described()).toMatchObject({ version: 2, standby: { version: 2, standing: 'kept' } });
    expect((await pool.query(`select nspname from pg_namespace where nspname ~ '^(build|kept)_'`)).rows).toEqual([{ nspname: 'kept_parcels_v2' }]);
    expect(wrong()).toEqual([]);
  });

  it('is rolled back from as soon as the old program has caught up, stays away, and comes back on a word', async () => {
    const old = await program(parcels());
    await sendMany(60);
    await post.move('p00001', 'Beijing');
    await arrive(old);
    const next = await program(second());
    await until('version 2 is live', isLive(2));
    const running = load([old, next]);
    await order('ProjectionRollbackOrdered', { reason: 'capitals' });
    await until('version 1 is live', isLive(1));
    expect((await depots()).filter(Boolean)).toEqual(['Beijing']);
    await sleep(400);
    expect(await described()).toMatchObject({ version: 1, standby: { version: 2, standing: 'withdrawn' } });
    await order('ProjectionSwapOrdered');
    await until('version 2 is live', isLive(2));
    await running.stop();
    expect(await described()).toMatchObject({ standby: { version: 1, standing: 'kept' } });
    expect(swaps()).toBe(3);
    expect(wrong()).toEqual([]);
  });

  it('is not rolled back to an older state: the order waits for a program that can bring the old one up to it', async () => {
    const old = await program(parcels());
    await sendMany(60);
    await arrive(old);
    await old.stop();
    const next = await program(second());
    await until('version 2 is live', async () => (await described(next)).version === 2);
    await post.send('later');
    await arrive(next);
    await order('ProjectionRollbackOrdered');
    await until('the order is noted', async () => (await described(next)).standby?.swap === 'rollback');
    await sleep(300);
    expect(await described(next)).toMatchObject({ version: 2, standby: { version: 1, standing: 'next', status: 'unattended', position: 60 } });
    await next.stop();
    const again = await program(parcels());
    await until('version 1 is live', async () => (await described(again)).version === 1);
    expect((await pool.query(`select from read.parcels where id = 'later'`)).rowCount).toBe(1);
    expect(wrong()).toEqual([]);
  });

  it('that differs in its shape alone waits until no program runs the live one, and is not swapped back and forth', async () => {
    const old = await program(parcels());
    await sendMany(30);
    await arrive(old);
    const other = await program({ ...second(), version: 1 });
    await sleep(400);
    expect((await described(other)).standby).toBeUndefined();
    await old.stop();
    await until('it is swapped in', () => swaps() === 1);
    expect((await pool.query(`select count(*)::int as n from read.parcels where label <> ''`)).rows[0].n).toBe(30);
    const again = await program(parcels());
    await until('the old one is followed', async () => (await described(again)).standby?.status === 'following');
    await sleep(300);
    expect(swaps()).toBe(1);
    expect(wrong()).toEqual([]);
  });

  it('takes over from a program that stands before an event it does not know', async () => {
    const old = await program(parcels());
    await sendMany(20);
    await arrive(old);
    await post.append('parcel-p00001', toAppend('ParcelLost', { id: 'p00001' }));
    await until('it stands', async () => (await described(old)).status === 'unknown-event');
    const position = await post.send('after');
    expect(await old.progress.waitUntil(['parcels'], position, 100)).toBe(false);
    const next = await program(second(), { knowsLost: true });
    expect(await next.progress.waitUntil(['parcels'], position, 10_000)).toBe(true);
    expect(await old.progress.waitUntil(['parcels'], position, 10_000)).toBe(true);
    expect(await described(next)).toMatchObject({ version: 2, status: 'live' });
  });
});

describe('a rebuild', () => {
  it('of the same version mends what was forged, shows it before, and waits for a word where it is told to', async () => {
    const engine = await program(parcels());
    await sendMany(80);
    await arrive(engine);
    await pool.query(`update read.parcels set depot = 'forged', weight = 6 where id = 'p00007'`);
    await pool.query(`delete from read.parcels where id = 'p00008'`);
    await order('ProjectionRebuildOrdered', { swap: 'manual' });
    await until('it is compared', async () => (await described()).standby?.diff !== undefined);
    await post.send('later');
    await arrive(engine);
    await until('it follows', async () => (await described()).standby?.lagEvents === 0);
    expect(await described()).toMatchObject({
      version: 1,
      standby: {
        version: 1,
        schema: 'build_parcels_v1',
        standing: 'next',
        swap: 'manual',
        status: 'following',
        progress: 1,
        etaSeconds: 0,
        diff: { rows: 80, differing: 1, onlyLive: 0, onlyNext: 1, columns: { depot: 1, weight: 1 } },
      },
    });
    expect(await depots()).toContain('forged');
    await order('ProjectionSwapOrdered');
    await until('it is swapped in', () => swaps() === 1);
    await arrive(engine);
    expect(await depots()).toHaveLength(81);
    expect(await depots()).not.toContain('forged');
    // The one before is of this program's version as well, so it is followed; going back gives back what it held.
    const position = await post.send('latest');
    await until('the other is followed', async () => ((await described()).standby?.position ?? 0) >= position);
    await order('ProjectionRollbackOrdered');
    await until('it is rolled back', () => swaps() === 2);
    expect(await depots()).toContain('forged');
    expect(await described()).toMatchObject({ schema: 'read', standby: { standing: 'withdrawn', schema: 'kept_parcels_v1_other' } });
    await order('ProjectionRebuildOrdered');
    await until('it is rebuilt', () => swaps() === 3);
    expect(await depots()).not.toContain('forged');
    expect(wrong()).toEqual([]);
  });

  it('goes on under load, again and again', async () => {
    const engine = await program(parcels());
    await sendMany(400);
    await arrive(engine);
    const running = load([engine]);
    for (let round = 1; round <= 3; round += 1) {
      await order('ProjectionRebuildOrdered');
      await until(`rebuild ${round}`, () => swaps() === round);
    }
    const { waits } = await running.stop();
    expect(waits).toBeGreaterThan(10);
    await arrive(engine);
    expect(lines.filter(({ message }) => message === 'a version was compared with the live one')).toHaveLength(3);
    for (const { fields } of lines.filter(({ message }) => message === 'a version was compared with the live one'))
      expect(fields).toMatchObject({ differing: 0, onlyLive: 0, onlyNext: 0 });
    expect((await engine.auditor.audit()).every(({ equal }) => equal)).toBe(true);
    expect(wrong()).toEqual([]);
  });

  it('does not hold up readers while one of them stays in the table, and is swapped in when that one is done', async () => {
    const engine = await program(parcels());
    await sendMany(30);
    await arrive(engine);
    const slow = await pool.connect();
    await slow.query('begin');
    await slow.query('select from read.parcels');
    await order('ProjectionRebuildOrdered');
    await until('it was tried', () => lines.some(({ message }) => message === 'a version could not meet the live one yet'));
    const running = load([engine]);
    await sleep(1_500);
    const { reads, waits } = await running.stop();
    expect(reads).toBeGreaterThan(20);
    expect(waits).toBeGreaterThan(3);
    expect(swaps()).toBe(0);
    await slow.query('commit');
    slow.release();
    await until('it is swapped in', () => swaps() === 1);
    expect(wrong()).toEqual([]);
  });

  it('that is not wanted any more is not swapped in', async () => {
    const engine = await program(parcels());
    await sendMany(30);
    await arrive(engine);
    await order('ProjectionRebuildOrdered', { swap: 'manual' });
    await until('it waits', async () => (await described()).standby?.diff !== undefined);
    await order('ProjectionRollbackOrdered');
    await until('it is withdrawn', async () => (await described()).standby?.standing === 'withdrawn');
    await sleep(300);
    expect(swaps()).toBe(0);
  });

  it('comes through when the connections of the programs are cut at any moment', async () => {
    const [one, other] = [await program(parcels()), await program(parcels())];
    await sendMany(200);
    await arrive(one);
    const running = load([one, other]);
    const cutter = new pg.Client({ connectionString: database.ownerUrl });
    await cutter.connect();
    for (let round = 1; round <= 4; round += 1) {
      await order('ProjectionRebuildOrdered');
      for (let cut = 0; cut < 15; cut += 1) {
        await sleep(20 + ((cut * 37 + round * 11) % 40));
        await cutter.query(
          `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'program' and datname = current_database()
            order by (state = 'idle in transaction') desc, query_start desc limit 1`,
        );
      }
      await until(`rebuild ${round}`, () => swaps() >= round);
    }
    await cutter.end();
    await running.stop();
    await arrive(one);
    // One more, undisturbed, finds every row as it should be.
    lines.length = 0;
    await order('ProjectionRebuildOrdered');
    await until('the last rebuild', () => swaps() > 0);
    const { fields } = lines.find(({ message }) => message === 'a version was compared with the live one') ?? {};
    expect(fields).toMatchObject({ differing: 0, onlyLive: 0, onlyNext: 0 });
    expect((await one.auditor.audit()).every(({ equal }) => equal)).toBe(true);
  });

  it('stands still while its projection is paused', async () => {
    const engine = await program(parcels());
    await sendMany(30);
    await arrive(engine);
    await post.append('projection-parcels', toAppend('ProjectionPaused', {}));
    await until('it is paused', async () => (await described()).status === 'paused');
    await order('ProjectionRebuildOrdered');
    await until('it is begun', async () => (await described()).standby?.status === 'paused');
    await sleep(200);
    expect((await described()).standby?.position).toBe(0);
    await post.append('projection-parcels', toAppend('ProjectionResumed', {}));
    await until('it is swapped in', () => swaps() === 1);
    expect(wrong()).toEqual([]);
  });
});

describe('Postgres', () => {
  it.each(['prepared', 'unnamed', 'plain'])('shows a %s statement that waited for a swap the new table, whole', async (kind) => {
    const waiting = await pool.connect();
    const swapping = await pool.connect();
    const text = kind === 'plain' ? 'select count(*)::int as rows from read.things' : 'select count(*)::int as rows from read.things where id > $1';
    const ask = async (): Promise<number> => {
      const { rows } = await waiting.query(kind === 'plain' ? text : { ...(kind === 'prepared' ? { name: 'things' } : {}), text, values: [0] });
      return rows[0].rows;
    };
    await pool.query('create table read.things (id int); insert into read.things values (1)');
    // Often enough for a plan that is kept.
    for (let time = 0; time < 8; time += 1) expect(await ask()).toBe(1);
    await swapping.query('begin; lock table read.things in access exclusive mode');
    const answer = ask();
    await until('it waits', async () => (await pool.query(`select from pg_locks where not granted`)).rowCount !== 0);
    await swapping.query(`alter table read.things rename to things_before; create table read.things (id int);
      insert into read.things select generate_series(1, 100); commit`);
    expect(await answer).toBe(100);
    waiting.release();
    swapping.release();
  });
});

describe('over HTTP', () => {
  it('tickets are rebuilt, swapped and rolled back under load, each reader seeing what it wrote', async () => {
    const api = await createTestApi(database, { contexts: true });
    let going = true;
    const call = async (role: Role, url: string, payload?: object, after?: string): Promise<LightMyRequestResponse> => {
      const headers = { ...api.as(role), ...(after === undefined ? {} : { 'shiji-after': after }) };
      const answer = await api.app.inject(payload ? { method: 'POST', url, payload, headers } : { url, headers });
      expect([200, 201], `${url}: ${answer.body}`).toContain(answer.statusCode);
      return answer;
    };
    const open = () => call('agent', '/v1/tickets', { type: 'inquiry', priority: 'normal', channel: 'counter', summary: 'Opening hours' });
    const standby = async () => {
      const { items } = (await call('administrator', '/v1/projections')).json() as { items: { name: string; standby?: StandbyDescription }[] };
      return items.find(({ name }) => name === 'tickets')?.standby;
    };
    let asked = 0;
    const writer = async (): Promise<void> => {
      while (going) {
        const opened = await open();
        const url = `/v1/tickets/${opened.json().id}`;
        await call('agent', url, undefined, String(opened.headers['shiji-position']));
        asked += 1;
      }
    };
    const reader = async (): Promise<void> => {
      while (going) {
        expect((await call('auditor', '/v1/tickets?limit=5')).json().items).toHaveLength(5);
        asked += 1;
        await sleep(1);
      }
    };
    try {
      let last = '';
      for (let ticket = 0; ticket < 30; ticket += 1) last = String((await open()).headers['shiji-position']);
      await call('agent', '/v1/tickets?limit=1', undefined, last);
      const running = Promise.all([writer(), writer(), reader()]);
      running.catch(() => {});
      await call('administrator', '/v1/projections/tickets/rebuild', { swap: 'manual', reason: 'a try' });
      await until('it is compared', async () => (await standby())?.diff !== undefined);
      expect(await standby()).toMatchObject({ standing: 'next', version: tickets.version, diff: { differing: 0, onlyLive: 0, onlyNext: 0 } });
      await call('administrator', '/v1/projections/tickets/swap', {});
      await until('it is swapped in', async () => (await standby())?.standing === 'kept');
      await call('administrator', '/v1/projections/tickets/rollback', { reason: 'a try' });
      await until('it is rolled back', async () => (await standby())?.standing === 'withdrawn');
      going = false;
      await running;
      expect(asked).toBeGreaterThan(30);
      expect(api.lines.filter((line) => (JSON.parse(line) as { level: string }).level === 'error')).toEqual([]);
      const refused = await api.app.inject({ method: 'POST', url: '/v1/projections/tickets/rebuild', payload: {}, headers: api.as('agent') });
      expect(refused.statusCode).toBe(403);
    } finally {
      going = false;
      await api.close();
    }
  });
});
