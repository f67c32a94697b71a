// The links of every process, to Postgres and to NATS, stop one by one and come free in another order, under load ("swizzle-clog"):
// once all are free, nothing is stuck: commands, read models, timers and what is published go on, each once.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect } from 'vitest';
import { chaos, roundsOf } from '../support/chaos.ts';
import { Answers } from '../support/chaos-answers.ts';
import { until } from '../support/client.ts';
import { Cluster, type Member } from '../support/cluster.ts';
import { consume, type NatsServer, startNats } from '../support/nats.ts';
import { SteadyLoad } from '../support/steady-load.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';
import { caughtUp, expectWhole } from '../support/whole.ts';

const ROUNDS = roundsOf({ quick: 1, full: 12 });
const FREE_WITHIN_MS = 60_000;

let cluster: Cluster;
let apis: Member[];
let nats: NatsServer;
let natsLink: TcpProxy;
let links: { readonly name: string; readonly link: TcpProxy }[];

beforeAll(async () => {
  nats = await startNats();
  const { hostname, port } = new URL(nats.url);
  natsLink = await TcpProxy.open({ host: hostname, port: Number(port) });
  cluster = await Cluster.open();
  const env = { NATS_URL: `nats://127.0.0.1:${natsLink.port}` };
  const parts = (['api', 'api', 'projector', 'worker'] as const).map((part) => cluster.start(part, env));
  const members = await Promise.all(parts);
  apis = members.slice(0, 2);
  links = [...members.map(({ part, link }, at) => ({ name: `${part} ${at}`, link })), { name: 'nats', link: natsLink }];
}, 90_000);
afterAll(async () => {
  await cluster?.close();
  await natsLink?.close();
  await nats?.stop();
}, 60_000);

/** Tickets whose four deadlines are long past: timers fire as soon as they are seen. */
async function bringDueTickets(round: number): Promise<void> {
  const lines = Array.from({ length: 50 }, (_, n) =>
    JSON.stringify({
      source: { system: 'old', id: `${round}-${n}` },
      type: 'complaint',
      priority: 'high',
      channel: 'web',
      summary: 'Card lost',
      receivedAt: '2025-11-03T09:00:00Z',
      closed: false,
    }),
  );
  const headers = { 'content-type': 'application/x-ndjson' };
  const answer = await apis[0]?.as('integration', 'old').post('/v1/feeds/tickets', lines.join('\n'), headers);
  expect(answer?.body).toMatchObject({ status: 'finished', created: 50 });
}

chaos(
  'F31 links stopped one by one and freed in random order: no queue is stuck, everything is done and published once',
  ROUNDS * 90_000 + 60_000,
  async (draw) => {
    const answers = new Answers();
    const agents = apis.map((api) => answers.watch(api.as('agent', 'alice')));
    const operators = apis.map((api) => answers.watch(api.as('operations', 'ops')));
    const load = new SteadyLoad({ agents: () => agents, operators: () => operators, clients: 6, pauseMs: 20, giveUpMs: 150_000 });
    for (let round = 0; round < ROUNDS; round += 1) {
      await bringDueTickets(round);
      for (const { link } of draw.shuffled(links)) {
        link[draw.pick(['freeze', 'freeze', 'halfOpen', 'cut'] as const)]();
        await sleep(draw.between(100, 500));
      }
      for (const { link } of draw.shuffled(links)) {
        link.heal();
        await sleep(draw.between(100, 500));
      }
      // Of each client's turn at each API.
      const before = load.acknowledged.length;
      await until(async () => load.acknowledged.length > before + 30, FREE_WITHIN_MS);
      // The tickets are in the read model first, or no timer is due yet.
      await caughtUp(cluster.pool, FREE_WITHIN_MS);
      await until(async () => (await cluster.pool.query('select from read.timers where fires_at < now()')).rowCount === 0, FREE_WITHIN_MS);
    }
    await load.stop();
    await caughtUp(cluster.pool, FREE_WITHIN_MS);
    answers.expectOnlyLater();
    const asked = await answers.expectOneResultEach();
    process.stdout.write(
      `F31 ${ROUNDS} rounds over ${links.length} links: ${load.acknowledged.length} commands acknowledged, ${answers.refused.length} tries told ` +
        `to come back, ${asked} asked for once more, slowest answer ${Math.round(answers.slowestMs)} ms\n`,
    );
    await expectPublished();
    await expectWhole(cluster, load.acknowledged);
  },
);

/** Every event, once, in the journal's order within its stream. */
async function expectPublished(): Promise<void> {
  const { rows } = await cluster.pool.query<{ id: string; stream: string }>('select id, stream from journal.events order by position');
  const published = new Map<string, string[]>();
  const [stream] = await until(async () => {
    const { rows: at } = await cluster.pool.query<{ stream: string; position: number }>(
      'select name as stream, position::int from publisher.checkpoints',
    );
    return at[0] && at[0].position >= rows.length && [at[0].stream];
  }, FREE_WITHIN_MS);
  for (const message of await consume(nats.url, stream, 'chaos')) {
    const ids = published.get(message.subject) ?? [];
    ids.push(message.header('Nats-Msg-Id'));
    published.set(message.subject, ids);
  }
  expect([...published.values()].flat().toSorted()).toStrictEqual(rows.map(({ id }) => id).toSorted());
}
