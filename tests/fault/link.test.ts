// The link between an API and its Postgres is slow, sliced, breaks around a commit, or goes half-open: each caller has an answer or a 503
// in time, nobody storms the database, each command is done once, and all is as before once the link is.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect } from 'vitest';
import { chaos, roundsOf } from '../support/chaos.ts';
import { Answers } from '../support/chaos-answers.ts';
import { until } from '../support/client.ts';
import { Cluster, isFull, type Member } from '../support/cluster.ts';
import { SteadyLoad } from '../support/steady-load.ts';
import type { Loss } from '../support/tcp-proxy.ts';
import { expectWhole } from '../support/whole.ts';

/** A statement that counts as lost after its 32 s, then 10 s for a new connection that can't be had either; and some. */
const DEADLINE_MS = 46_000;
const TOXIC_MS = isFull ? 60_000 : 2_500;
/** Longer than a statement may take, in full: then callers are told before the link is back. */
const HALF_OPEN_MS = isFull ? 60_000 : 3_000;
const LOSSES = roundsOf({ quick: 6, full: 100 });
const CLIENTS = 6;
/** A second, by an API whose every try at a connection fails, beside one for each try of its callers. */
const CONNECTIONS = 30;

let cluster: Cluster;
let api: Member;

beforeAll(async () => {
  cluster = await Cluster.open();
  const parts = (['api', 'projector', 'worker'] as const).map((part) => cluster.start(part));
  [api] = (await Promise.all(parts)) as [Member, Member, Member];
}, 60_000);
afterAll(async () => {
  await cluster?.close();
}, 60_000);

interface Loaded {
  readonly load: SteadyLoad;
  readonly answers: Answers;
}

function startLoad(): Loaded {
  const answers = new Answers();
  const [agent, operator] = [answers.watch(api.as('agent', 'alice')), answers.watch(api.as('operations', 'ops'))];
  return { answers, load: new SteadyLoad({ agents: () => [agent], operators: () => [operator], clients: CLIENTS, pauseMs: 10, giveUpMs: 150_000 }) };
}

/** The link is as before: commands flow again, and what was told is so. */
async function expectHealed({ load, answers }: Loaded, what: string): Promise<void> {
  api.link.heal();
  const before = load.acknowledged.length;
  await until(async () => load.acknowledged.length > before + 3 * CLIENTS, DEADLINE_MS);
  await load.stop();
  answers.expectOnlyLater();
  expect(answers.slowestMs).toBeLessThan(DEADLINE_MS);
  const asked = await answers.expectOneResultEach();
  process.stdout.write(
    `${what}: ${load.acknowledged.length} commands acknowledged, ${answers.refused.length} tries told to come back, ${asked} asked for once more, ` +
      `slowest ${Math.round(answers.slowestMs)} ms\n`,
  );
  await expectWhole(cluster, load.acknowledged);
}

chaos('F25 link that is slow, jittery and sliced: every command is answered, in time and with success', TOXIC_MS + 90_000, async (draw) => {
  const loaded = startLoad();
  await sleep(300);
  const toxics = { latencyMs: draw.between(5, 60), jitterMs: draw.between(5, 80), sliceBytes: draw.between(7, 200) };
  api.link.poison(toxics);
  const before = loaded.load.acknowledged.length;
  await sleep(TOXIC_MS);
  expect(loaded.load.acknowledged.length).toBeGreaterThan(before);
  await expectHealed(loaded, `F25 ${JSON.stringify(toxics)}`);
  expect(loaded.answers.refused).toStrictEqual([]);
});

chaos('F25 link that is gone for a while: 503 at once, and the database is not stormed', TOXIC_MS + 90_000, async () => {
  const loaded = startLoad();
  await sleep(300);
  const [tries, connections] = [loaded.answers.told.length, api.link.connections];
  api.link.cut();
  await sleep(TOXIC_MS);
  const told = loaded.answers.told.slice(tries).filter(({ status }) => status === 503);
  const opened = api.link.connections - connections;
  expect(told.length).toBeGreaterThan(CLIENTS);
  expect(Math.max(...told.map(({ tookMs }) => tookMs))).toBeLessThan(2_000);
  expect(opened).toBeLessThan(told.length + (CONNECTIONS * TOXIC_MS) / 1_000);
  await expectHealed(loaded, `F25 cut, ${opened} connections tried beside ${told.length} refusals`);
});

chaos(
  'F26 link reset around a commit, before it, in its middle or before its answer: a retry is done once',
  LOSSES * 10_000 + 60_000,
  async (draw) => {
    const loaded = startLoad();
    const losses: Loss[] = [...draw.shuffled(['before', 'half', 'after'] as const)];
    while (losses.length < LOSSES) losses.push(draw.pick(['before', 'half', 'after']));
    for (const loss of losses.slice(0, LOSSES)) {
      await sleep(draw.between(50, 400));
      const acknowledged = loaded.load.acknowledged.length;
      await api.link.loseNext('journal/append', loss);
      await until(async () => loaded.load.acknowledged.length > acknowledged + CLIENTS);
    }
    await expectHealed(loaded, `F26 ${LOSSES} commits lost on their way`);
    // Each took at least its own batch with it.
    expect(new Set(loaded.answers.refused.map(({ key }) => key)).size).toBeGreaterThanOrEqual(LOSSES);
  },
);

chaos('F26 link half-open: commands arrive and no answer comes; a retry is done once', HALF_OPEN_MS + 120_000, async () => {
  const loaded = startLoad();
  await sleep(500);
  api.link.halfOpen();
  await sleep(HALF_OPEN_MS);
  await expectHealed(loaded, 'F26 half-open');
});
