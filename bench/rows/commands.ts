// `commands`: POST /v1/tickets over HTTP, against a bare route that inserts a row of as many bytes. Product and baseline take turns, so
// that a change of the machine's mood meets both.
import { setTimeout as sleep } from 'node:timers/promises';
import type { BareRoute, BareRouteStarted } from '../support/bare-route.ts';
import { startChild } from '../support/child.ts';
import { CpuUse } from '../support/cpu.ts';
import { type BenchDatabase, createDatabase, startDatabase, withClient } from '../support/database.ts';
import type { HttpLoad, HttpLoadResult } from '../support/http-load.ts';
import { type Measurement, median, medianLatency, shown, shownLatency } from '../support/measurement.ts';
import { caughtUp, databaseOf, jwtSecret, type Product, startProduct, ticketBody, tokenOf } from '../support/product.ts';
import type { Bench } from '../support/row.ts';
import type { Scope } from '../support/scope.ts';

const CONNECTIONS = 64;
const POOLS = [8, 16, 32];
const TIMES_AT_LEAST = 1.6;
/** Writing out what the last round left behind is not the next one's business. */
const SETTLE_MS = 1_000;

export async function commands({ scope, quick, say }: Bench): Promise<Measurement> {
  const rounds = 3;
  const [warmUpSeconds, roundSeconds] = quick ? [2, 2.5] : [5, 9];
  const dataDir = scope.folder();
  const product = await startProduct(scope, { dataDir });
  const load = startChild<HttpLoad, HttpLoadResult>(scope, 'http-load.ts');
  const token = tokenOf('agent');
  const send = (url: string, seconds: number): Promise<HttpLoadResult> =>
    load.ask({ url, token, body: ticketBody, connections: CONNECTIONS, seconds });

  say('warming up');
  await send(`${product.url}/v1/tickets`, warmUpSeconds);
  await caughtUp(product);
  const own = databaseOf(dataDir);
  const event = await lastEvent(own.url);
  const database = await startDatabase(scope);
  const bare = startChild<BareRoute, BareRouteStarted>(scope, 'bare-route.ts');
  const { url: bareUrl } = await bare.ask({ databaseUrl: database.url, jwtSecret, pools: POOLS, ...event });
  const apiOnly = await startApiOnly(scope, database);

  const subjects = [
    { name: 'product', url: `${product.url}/v1/tickets`, cpu: new CpuUse({ server: { pid: product.pid }, Postgres: own, load }) },
    ...POOLS.map((pool) => ({
      name: `bare route, pool of ${pool}`,
      url: `${bareUrl}/rows/${pool}`,
      cpu: new CpuUse({ server: bare, Postgres: database, load }),
    })),
    { name: '--role api', url: `${apiOnly.url}/v1/tickets`, cpu: new CpuUse({ server: { pid: apiOnly.pid }, Postgres: database, load }) },
  ].map((subject) => ({ ...subject, results: [] as HttpLoadResult[] }));
  for (const { url } of subjects.slice(1)) await send(url, warmUpSeconds);

  for (let round = 1; round <= rounds; round += 1) {
    for (const { name, url, cpu, results } of subjects) {
      await sleep(SETTLE_MS);
      cpu.start();
      const result = await send(url, roundSeconds);
      cpu.stop();
      results.push(result);
      say(`round ${round}: ${name} ${shown(result.perSecond)}/s, p99 ${shown(result.latency.p99Ms)} ms`);
      // Else the read models would catch up in the baseline's time.
      if (name === 'product') await caughtUp(product);
    }
  }

  const [ours, ...others] = subjects.map(({ name, cpu, results }) => ({
    name,
    cpu,
    perSecond: median(results.map(({ perSecond }) => perSecond)),
    latency: medianLatency(results.map(({ latency }) => latency)),
  }));
  const [api, ...baselines] = others.reverse();
  const [best] = baselines.sort((a, b) => b.perSecond - a.perSecond);
  if (!ours || !best || !api) throw new Error('a subject is missing');
  const ratio = ours.perSecond / best.perSecond;
  return {
    value: ours.perSecond,
    unit: 'requests/s',
    baseline: best.perSecond,
    ratio,
    target: `≥ ${TIMES_AT_LEAST}×, p99 ≤ its p99`,
    pass: ratio >= TIMES_AT_LEAST && ours.latency.p99Ms <= best.latency.p99Ms,
    latency: ours.latency,
    baselineLatency: best.latency,
    notes: [
      `one process as npm start runs it, projector and timers on; ${CONNECTIONS} connections, ${rounds} rounds of ${roundSeconds} s each in turn, medians`,
      `an event has ${Buffer.byteLength(event.data)} bytes of data and ${Buffer.byteLength(event.metadata)} of metadata; the bare route inserts the like`,
      `baseline: ${baselines.map(({ name, perSecond, latency }) => `${name} ${shown(perSecond)}/s (${shownLatency(latency)})`).join('; ')}`,
      `with --role api (no projector, no timers): ${shown(api.perSecond)}/s, ${shown(api.perSecond / best.perSecond)}×, ${shownLatency(api.latency)}`,
      `processors: product ${ours.cpu.toString()}; ${best.name} ${best.cpu.toString()}; --role api ${api.cpu.toString()}`,
    ],
  };
}

async function startApiOnly(scope: Scope, database: BenchDatabase): Promise<Product> {
  return startProduct(scope, { dataDir: scope.folder(), databaseUrl: await createDatabase(database, 'api_only'), role: 'api' });
}

async function lastEvent(url: string): Promise<{ data: string; metadata: string }> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ data: string; metadata: string }>(
      'select data, metadata from journal.events order by position desc limit 1',
    );
    const [row] = rows;
    if (!row) throw new Error('the product wrote no event');
    return row;
  });
}
