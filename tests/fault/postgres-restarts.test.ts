// A Postgres that is not ours to start goes down at once and comes back, again and again, under each part as a process of its own.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect } from 'vitest';
import { chaos, roundsOf } from '../support/chaos.ts';
import { Answers } from '../support/chaos-answers.ts';
import { until } from '../support/client.ts';
import { type NodeMember, PgNode } from '../support/pg-node.ts';
import { SteadyLoad } from '../support/steady-load.ts';
import { expectWhole } from '../support/whole.ts';

/** Every 5 s for 10 minutes, in full. */
const RESTARTS = roundsOf({ quick: 3, full: 120 });
const EVERY_MS = 5_000;
const BACK_WITHIN_MS = 30_000;

let node: PgNode;
let apis: NodeMember[];

beforeAll(async () => {
  node = await PgNode.open();
  const first = await node.start('api');
  const [other] = await Promise.all([node.start('api'), node.start('projector'), node.start('worker')]);
  apis = [first, other as NodeMember];
}, 90_000);
afterAll(async () => {
  await node?.close();
}, 60_000);

/** As by pg_ctl restart -m immediate: nothing is written out, all is recovered. */
async function restartAtOnce(): Promise<void> {
  const [postmaster = 0] = node.processes;
  process.kill(postmaster, 'SIGQUIT');
  await until(async () => !isThere(postmaster));
  await node.restart();
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

chaos(
  'F28 Postgres restarts in a loop: the history stays linear, nothing acknowledged is lost, each command is done once',
  RESTARTS * (EVERY_MS + BACK_WITHIN_MS) + 60_000,
  async (draw) => {
    const answers = new Answers();
    const agents = apis.map((api) => answers.watch(api.as('agent', 'alice')));
    const operators = apis.map((api) => answers.watch(api.as('operations', 'ops')));
    const load = new SteadyLoad({ agents: () => agents, operators: () => operators, clients: 6, pauseMs: 10, giveUpMs: 60_000 });
    for (let round = 0; round < RESTARTS; round += 1) {
      const startedMs = performance.now();
      await sleep(draw.between(200, 1_000));
      const before = load.acknowledged.length;
      await restartAtOnce();
      await until(async () => load.acknowledged.length > before + 20, BACK_WITHIN_MS);
      await sleep(EVERY_MS - (performance.now() - startedMs));
    }
    await load.stop();
    answers.expectOnlyLater();
    const asked = await answers.expectOneResultEach();
    process.stdout.write(
      `F28 ${RESTARTS} restarts at once: ${load.acknowledged.length} commands acknowledged, ${answers.refused.length} tries told to come back, ` +
        `${asked} asked for once more, slowest answer ${Math.round(answers.slowestMs)} ms\n`,
    );
    expect(asked).toBeGreaterThan(0);
    await expectWhole(node, load.acknowledged);
  },
);
