// `view-360`: GET of a customer's whole view, its read record durable before a byte leaves, against a bare route that sends the very same
// JSON from one SELECT by primary key. Product and baseline take turns.
import { setTimeout as sleep } from 'node:timers/promises';
import type { BareView, BareViewStarted } from '../support/bare-view.ts';
import { viewBank } from '../support/bench-bank.ts';
import { startChild } from '../support/child.ts';
import { CpuUse } from '../support/cpu.ts';
import { createDatabase, withClient } from '../support/database.ts';
import type { HttpLoad, HttpLoadResult } from '../support/http-load.ts';
import { bringBank } from '../support/imported-bank.ts';
import { type Measurement, median, medianLatency, shown, shownLatency } from '../support/measurement.ts';
import { databaseOf, jwtSecret, type Product, startProduct, tokenOf } from '../support/product.ts';
import type { Bench } from '../support/row.ts';

const CONNECTIONS = 32;
const POOLS = [8, 16];
const ROUNDS = 3;
const TIMES_AT_LEAST = 0.4;
const P99_TIMES_AT_MOST = 2.5;
const FETCHED_AT_ONCE = 16;
const SETTLE_MS = 1_000;

export async function view360(bench: Bench): Promise<Measurement> {
  const { scope, quick, say } = bench;
  const [warmUpSeconds, roundSeconds] = quick ? [2, 2.5] : [5, 9];
  const dataDir = scope.folder();
  const product = await startProduct(scope, { dataDir });
  const bank = viewBank(quick);
  const ids = await bringBank(bench, product, bank);
  const own = databaseOf(dataDir);
  const answers = await fetchAnswers(product, ids);

  const token = tokenOf('risk');
  const bare = startChild<BareView, BareViewStarted>(scope, 'bare-view.ts');
  const { url: bareUrl } = await bare.ask({ databaseUrl: await createDatabase(own, 'bare'), jwtSecret, pools: POOLS, answers });
  const load = startChild<HttpLoad, HttpLoadResult>(scope, 'http-load.ts');
  const send = (url: string, paths: readonly string[], seconds: number): Promise<HttpLoadResult> =>
    load.ask({ url, token, paths, connections: CONNECTIONS, seconds });

  const subjects = [
    { name: 'product', url: product.url, paths: ids.map(pathOf), cpu: new CpuUse({ server: { pid: product.pid }, Postgres: own, load }) },
    ...POOLS.map((pool) => ({
      name: `bare route, pool of ${pool}`,
      url: bareUrl,
      paths: ids.map((id) => `/${pool}/${id}`),
      cpu: new CpuUse({ server: bare, Postgres: own, load }),
    })),
  ].map((subject) => ({ ...subject, results: [] as HttpLoadResult[] }));
  say('warming up');
  for (const { url, paths } of subjects) await send(url, paths, warmUpSeconds);

  const before = await recordedReads(own.url);
  for (let round = 1; round <= ROUNDS; round += 1) {
    for (const { name, url, paths, cpu, results } of subjects) {
      await sleep(SETTLE_MS);
      cpu.start();
      const result = await send(url, paths, roundSeconds);
      cpu.stop();
      results.push(result);
      say(`round ${round}: ${name} ${shown(result.perSecond)}/s, p99 ${shown(result.latency.p99Ms)} ms`);
    }
  }
  const recorded = (await recordedReads(own.url)) - before;

  const [ours, ...baselines] = subjects.map(({ name, cpu, results }) => ({
    name,
    cpu,
    requests: results.reduce((sum, { requests }) => sum + requests, 0),
    perSecond: median(results.map(({ perSecond }) => perSecond)),
    latency: medianLatency(results.map(({ latency }) => latency)),
  }));
  const [best] = baselines.toSorted((a, b) => b.perSecond - a.perSecond);
  if (!ours || !best) throw new Error('a subject is missing');
  // A request cut off at a round's end may have been recorded without being counted here; never the other way round.
  if (recorded < ours.requests) throw new Error(`${ours.requests} views were shown and ${recorded} recorded`);
  const ratio = ours.perSecond / best.perSecond;
  return {
    value: ours.perSecond,
    unit: 'requests/s',
    baseline: best.perSecond,
    ratio,
    target: `≥ ${TIMES_AT_LEAST}×, p99 ≤ ${P99_TIMES_AT_MOST}× its p99`,
    pass: ratio >= TIMES_AT_LEAST && ours.latency.p99Ms <= P99_TIMES_AT_MOST * best.latency.p99Ms,
    latency: ours.latency,
    baselineLatency: best.latency,
    notes: [
      `${ids.length.toLocaleString('en-US')} customers, ${bank.transactions.toLocaleString('en-US')} transactions, brought over the feed; each connection asks for customers in an order of its own`,
      `one process as npm start runs it; ${CONNECTIONS} connections, ${ROUNDS} rounds of ${roundSeconds} s each in turn, medians; p99 ${shown(ours.latency.p99Ms / best.latency.p99Ms)}× its p99`,
      `an answer has ${shown(median(answers.map(({ body }) => Buffer.byteLength(body))) / 1_000)} kB (median); ${recorded.toLocaleString('en-US')} reads recorded, each committed before its answer`,
      `baseline: ${baselines.map(({ name, perSecond, latency }) => `${name} ${shown(perSecond)}/s (${shownLatency(latency)})`).join('; ')}`,
      `processors: product ${ours.cpu.toString()}; ${best.name} ${best.cpu.toString()}`,
    ],
  };
}

function pathOf(id: string): string {
  return `/v1/customers/${id}/360`;
}

/** What the product says of each, as it says it. */
async function fetchAnswers({ url }: Product, ids: readonly string[]): Promise<{ readonly id: string; readonly body: string }[]> {
  const headers = { authorization: `Bearer ${tokenOf('risk')}` };
  const answers: { id: string; body: string }[] = [];
  for (let from = 0; from < ids.length; from += FETCHED_AT_ONCE)
    answers.push(
      ...(await Promise.all(
        ids.slice(from, from + FETCHED_AT_ONCE).map(async (id) => {
          const answer = await fetch(`${url}${pathOf(id)}`, { headers });
          const body = await answer.text();
          if (answer.status !== 200) throw new Error(`GET ${pathOf(id)}: ${answer.status} ${body}`);
          return { id, body };
        }),
      )),
    );
  return answers;
}

async function recordedReads(url: string): Promise<number> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ count: string }>(
      "select count(*) as count from access.reads where route like '%/360' and outcome = 'shown'",
    );
    return Number(rows[0]?.count);
  });
}
