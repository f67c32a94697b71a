// kill -9 of the postmaster, or of one of its processes, under commands: ours starts it again, says 503 with Retry-After until then, and
// what was acknowledged is in the journal once.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect } from 'vitest';
import { chaos, roundsOf } from '../support/chaos.ts';
import { Answers } from '../support/chaos-answers.ts';
import { EmbeddedServer, kill } from '../support/chaos-server.ts';
import { until } from '../support/client.ts';
import { SteadyLoad } from '../support/steady-load.ts';
import { caughtUp, expectWhole } from '../support/whole.ts';

const KILLS = roundsOf({ quick: 3, full: 20 });
const BACK_WITHIN_MS = 30_000;
const CAUGHT_UP_WITHIN_MS = 10_000;

let server: EmbeddedServer;

beforeAll(async () => {
  server = await EmbeddedServer.open();
}, 60_000);
afterAll(async () => {
  await server?.close();
}, 60_000);

chaos(
  'F28 F25 Postgres killed under commands: 503 with Retry-After while it is away, it comes back by itself, each command is done once',
  KILLS * 35_000 + 60_000,
  async (draw) => {
    const answers = new Answers();
    const [agent, operator] = [answers.watch(server.as('agent', 'alice')), answers.watch(server.as('operations', 'ops'))];
    const load = new SteadyLoad({ agents: () => [agent], operators: () => [operator], clients: 8, pauseMs: 5, giveUpMs: 60_000 });
    const slowest = { postmaster: 0, process: 0 };
    for (let round = 0; round < KILLS; round += 1) {
      await sleep(draw.between(300, 1_500));
      // The first takes the whole server, so that every run has both.
      const victim = round === 0 || draw.next() < 0.5 ? 'postmaster' : 'process';
      const [before, refusedBefore] = [load.acknowledged.length, answers.refused.length];
      expect(kill(victim === 'postmaster' ? server.postmaster : draw.pick(server.backends))).toBe(true);
      const killedMs = performance.now();
      await until(async () => answers.refused.length > refusedBefore, BACK_WITHIN_MS);
      await until(async () => load.acknowledged.length > before + 40, BACK_WITHIN_MS);
      slowest[victim] = Math.max(slowest[victim], performance.now() - killedMs);
    }
    await load.stop();
    answers.expectOnlyLater();
    const asked = await answers.expectOneResultEach();
    process.stdout.write(
      `F28 ${KILLS} kills of Postgres: ${load.acknowledged.length} commands acknowledged, ${answers.refused.length} tries were told to come back, ` +
        `${asked} asked for once more; back after ${Math.round(slowest.postmaster)} ms (postmaster), ${Math.round(slowest.process)} ms (a process)\n`,
    );
    expect(asked).toBeGreaterThan(0);
    // Those that had nothing to do as well: each looks again soon, however often it was in vain, and says no more that it fails.
    await caughtUp(server.pool, CAUGHT_UP_WITHIN_MS);
    const { rows } = await server.pool.query('select projection, detail from engine.checkpoints where detail is not null');
    expect(rows).toStrictEqual([]);
    await expectWhole(server, load.acknowledged);
  },
);
