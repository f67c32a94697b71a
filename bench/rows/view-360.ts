// `view-360`: GET of a customer's whole view, its read record durable before a byte leaves, against a bare route that sends the very same
// JSON from one SELECT by primary key.
import type { BareView, BareViewStarted } from '../support/bare-view.ts';
import { startChild } from '../support/child.ts';
import { CpuUse } from '../support/cpu.ts';
import { createDatabase, withClient } from '../support/database.ts';
import type { HttpLoad, LoadResult } from '../support/http-load.ts';
import { type Measurement, median, shown } from '../support/measurement.ts';
import { jwtSecret, type Product, tokenOf } from '../support/product.ts';
import type { GroupBench } from '../support/row.ts';
import { against, fastestOf, takeTurns, timesOf, toldFigures, toldTimes } from '../support/turns.ts';
import { viewedBank } from '../support/viewed-bank.ts';

const CONNECTIONS = 32;
const TIMES_AT_LEAST = 0.4;
const P99_TIMES_AT_MOST = 2.5;
const FETCHED_AT_ONCE = 16;

export async function view360(bench: GroupBench): Promise<Measurement> {
  const { scope, quick, say } = bench;
  const pools = quick ? [16] : [8, 16];
  const times = timesOf(quick);
  const { product, own, bank, ids } = await viewedBank(bench);
  const answers = await fetchAnswers(product, ids);

  const token = tokenOf('risk');
  const bare = startChild<BareView, BareViewStarted>(scope, 'bare-view.ts');
  const { url: bareUrl } = await bare.ask({ databaseUrl: await createDatabase(own, 'bare'), jwtSecret, pools, answers });
  const load = startChild<HttpLoad, LoadResult>(scope, 'http-load.ts');
  const get = (url: string, paths: readonly string[]) => (seconds: number) => load.ask({ url, token, paths, connections: CONNECTIONS, seconds });
  const subjects = [
    { name: 'product', cpu: new CpuUse({ server: { pid: product.pid }, Postgres: own, load }), run: get(product.url, ids.map(pathOf)) },
    ...pools.map((pool) => ({
      name: `bare route, pool of ${pool}`,
      cpu: new CpuUse({ server: bare, Postgres: own, load }),
      run: get(
        bareUrl,
        ids.map((id) => `/${pool}/${id}`),
      ),
    })),
  ];
  say('warming up');
  for (const { run } of subjects) await run(times.warmUpSeconds);

  const before = await recordedReads(own.url);
  const [ours, ...baselines] = await takeTurns(subjects, times, say);
  const recorded = (await recordedReads(own.url)) - before;
  const best = fastestOf(baselines);
  if (!ours) throw new Error('a subject is missing');
  // A request cut off at a round's end may have been recorded without being counted here; never the other way round.
  if (recorded < ours.requests) throw new Error(`${ours.requests} views were shown and ${recorded} recorded`);
  const p99Times = ours.latency.p99Ms / best.latency.p99Ms;
  return {
    ...against(best, ours),
    target: `≥ ${TIMES_AT_LEAST}×, p99 ≤ ${P99_TIMES_AT_MOST}× its p99`,
    pass: ours.perSecond / best.perSecond >= TIMES_AT_LEAST && p99Times <= P99_TIMES_AT_MOST,
    notes: [
      `${ids.length.toLocaleString('en-US')} customers, ${bank.transactions.toLocaleString('en-US')} transactions, brought over the feed; each connection asks for customers in an order of its own`,
      `one process as npm start runs it; ${CONNECTIONS} connections, ${toldTimes(times)}; p99 ${shown(p99Times)}× its p99`,
      `an answer has ${shown(median(answers.map(({ body }) => Buffer.byteLength(body))) / 1_000)} kB (median); ${recorded.toLocaleString('en-US')} reads recorded, each committed before its answer`,
      `baseline: ${baselines.map(toldFigures).join('; ')}`,
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
