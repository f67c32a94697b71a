// kill -9 of the projector at random points, from its start to the middle of a batch, under commands, with little to do in each batch and
// with thousands of events in arrears: what it leaves behind goes on to what a replay gives.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect } from 'vitest';
import { projections } from '../../src/projections/all.ts';
import { chaos, roundsOf } from '../support/chaos.ts';
import { Cluster, type Member } from '../support/cluster.ts';
import { SteadyLoad } from '../support/steady-load.ts';
import { caughtUp, expectWhole } from '../support/whole.ts';

const KILLS = roundsOf({ quick: 12, full: 500 });
/** Between two looks at the whole. */
const LOOK_EVERY = 100;
const ARREARS = 400;

let cluster: Cluster;
let api: Member;
// Starts are most of the time: Node keeps what it compiled, for those that end by themselves.
let env: Record<string, string>;

beforeAll(async () => {
  cluster = await Cluster.open();
  env = { NODE_COMPILE_CACHE: join(cluster.folder, 'compiled'), LOG_LEVEL: 'error' };
  const members = await Promise.all([cluster.start('api', env), cluster.start('worker', env), cluster.start('projector', env)]);
  api = members[0] as Member;
  await cluster.stop(members[2] as Member);
}, 60_000);
afterAll(async () => {
  await cluster?.close();
}, 60_000);

/** True as soon as a batch is being written, false where none is within the time. */
async function inBatch(withinMs: number): Promise<boolean> {
  const endMs = performance.now() + withinMs;
  while (performance.now() < endMs) {
    const { rowCount } = await cluster.pool.query({
      name: 'in-batch',
      text: `select from pg_stat_activity where application_name = 'shiji-projector' and datname = current_database()
                and state = 'active' and query like '%engine.receipts%'`,
    });
    if (rowCount !== 0) return true;
  }
  return false;
}

/** Tickets with deadlines to come, all at once. */
async function bringArrears(round: number): Promise<void> {
  const lines = Array.from({ length: ARREARS }, (_, n) =>
    JSON.stringify({
      source: { system: 'old', id: `${round}-${n}` },
      type: 'complaint',
      priority: 'low',
      channel: 'web',
      summary: 'Card lost',
      receivedAt: new Date().toISOString(),
      closed: false,
    }),
  );
  const headers = { 'content-type': 'application/x-ndjson' };
  const answer = await api.as('integration', 'old').post('/v1/feeds/tickets', lines.join('\n'), headers);
  expect(answer.body).toMatchObject({ status: 'finished', created: ARREARS });
}

chaos(
  'F13 projector killed mid-batch, at random points: the read models converge to a replay, receipts to the journal',
  KILLS * 6_000 + 120_000,
  async (draw) => {
    const callers = { agents: [api.as('agent', 'alice')], operators: [api.as('operations', 'ops')] };
    const startLoad = (): SteadyLoad => new SteadyLoad({ agents: () => callers.agents, operators: () => callers.operators, clients: 3, pauseMs: 10 });
    let load = startLoad();
    let midBatch = 0;
    for (let round = 1; round <= KILLS; round += 1) {
      if (draw.next() < 0.3) await bringArrears(round);
      const projector = await cluster.start('projector', env);
      await sleep(draw.between(0, 200));
      // Some of them wherever they are, most in the middle of a batch.
      if (draw.next() < 0.7 && (await inBatch(1_000))) midBatch += 1;
      await cluster.kill(projector);
      // A dead holder's leases run out after seconds: 500 of those would be an hour. The fence rises as it would then.
      await cluster.pool.query('update engine.leases set until = clock_timestamp() where name = any($1)', [projections.map(({ name }) => name)]);
      if (round % LOOK_EVERY !== 0 && round !== KILLS) continue;
      await load.stop();
      expect(load.failures).toStrictEqual([]);
      const last = await cluster.start('projector', env);
      await caughtUp(cluster.pool, 60_000);
      await expectWhole(cluster, load.acknowledged);
      await cluster.stop(last);
      if (round < KILLS) load = startLoad();
    }
    process.stdout.write(`F13 ${KILLS} kills of the projector, ${midBatch} of them seen in a batch\n`);
    expect(midBatch).toBeGreaterThan(0);
  },
);
