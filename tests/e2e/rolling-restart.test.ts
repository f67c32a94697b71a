// A rolling restart under load, behind a balancer that goes by /health/ready: each API in turn by SIGTERM, and the projector by kill -9.
// No request fails for the former; for the latter a read that would be older than its writer's own position is a 503, and nothing is lost.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Balancer } from '../support/balancer.ts';
import { callerOf, until } from '../support/client.ts';
import { Cluster, isFull, type Member } from '../support/cluster.ts';
import { SteadyLoad } from '../support/steady-load.ts';
import { expectWhole } from '../support/whole.ts';

const ROUNDS = isFull ? 10 : 2;

let cluster: Cluster;
let apis: Member[];
let projectors: Member[];
let balancer: Balancer;

beforeAll(async () => {
  cluster = await Cluster.open();
  projectors = [await cluster.start('projector')];
  const [one, other, standby] = await Promise.all([cluster.start('api'), cluster.start('api'), cluster.start('projector')]);
  apis = [one, other];
  projectors.push(standby);
  balancer = await Balancer.open(apis.map(({ url }) => url));
}, 60_000);
afterAll(async () => {
  await balancer?.close();
  await cluster?.close();
}, 60_000);

function startLoad(): SteadyLoad {
  const secret = `${cluster.settings.JWT_SECRET}`;
  const agent = callerOf(balancer.url, { secret }, 'agent', 'alice');
  const operator = callerOf(balancer.url, { secret }, 'operations', 'ops');
  return new SteadyLoad({ agents: () => [agent], operators: () => [operator], clients: 6, pauseMs: 10, readsBack: true });
}

function tell(what: string, load: SteadyLoad): void {
  process.stdout.write(
    `${what}: ${load.acknowledged.length} commands, ${load.reads} reads after them, ${load.failures.length} failed, ` +
      `slowest ${Math.round(load.slowestMs)} ms, ${balancer.refused} connections refused and tried elsewhere\n`,
  );
}

it(
  'of the APIs by SIGTERM fails no request, and each read sees what its caller wrote (E30)',
  async () => {
    const load = startLoad();
    for (let round = 0; round < ROUNDS; round += 1)
      for (const [at, old] of apis.entries()) {
        await sleep(500);
        expect(await cluster.stop(old)).toBe(0);
        balancer.remove(old.url);
        const started = await cluster.start('api');
        apis[at] = started;
        await balancer.add(started.url);
        await until(async () => balancer.isReady(started.url));
      }
    await sleep(500);
    await load.stop();
    tell(`${ROUNDS * apis.length} restarts`, load);
    expect(load.failures).toStrictEqual([]);
    expect(load.stale).toStrictEqual([]);
    expect(load.acknowledged.length).toBeGreaterThan(100);
    await expectWhole(cluster, load.acknowledged);
  },
  ROUNDS * 20_000 + 60_000,
);

it('of the projector by kill -9 loses no position: what is not there yet is a 503, and comes (F13)', async () => {
  const load = startLoad();
  await sleep(1_000);
  await cluster.kill(projectors[0] as Member);
  const before = load.reads;
  await until(async () => load.reads > before + 20);
  await load.stop();
  tell('projector killed', load);
  expect(load.failures.filter((failure) => !/^GET \S+: 503 .*NotYetVisible/.test(failure))).toStrictEqual([]);
  expect(load.stale).toStrictEqual([]);
  await expectWhole(cluster, load.acknowledged);
}, 60_000);
