// `view-360-as-of`: a customer's view as of a past day, put together from their own events, against the view now, in turn; and of one
// customer whose account has a hundred thousand transactions.
import { setTimeout as sleep } from 'node:timers/promises';
import { allOpenOn } from '../support/bank-spec.ts';
import { busyBank, viewBank } from '../support/bench-bank.ts';
import { startChild } from '../support/child.ts';
import { CpuUse } from '../support/cpu.ts';
import type { GetLoad, GetLoadResult } from '../support/get-load.ts';
import type { HttpLoad, HttpLoadResult } from '../support/http-load.ts';
import { bringBank } from '../support/imported-bank.ts';
import { type Measurement, medianLatency, shown } from '../support/measurement.ts';
import { databaseOf, startProduct, tokenOf } from '../support/product.ts';
import type { Bench } from '../support/row.ts';

const CONNECTIONS = 8;
const ROUNDS = 3;
const P99_TIMES_AT_MOST = 10;
const BUSY_AT_MOST_MS = 1_000;
const BUSY_VIEWS = 10;
const SETTLE_MS = 1_000;

export async function view360AsOf(bench: Bench): Promise<Measurement> {
  const { scope, quick, say } = bench;
  const [warmUpSeconds, roundSeconds] = quick ? [2, 2.5] : [5, 9];
  const dataDir = scope.folder();
  const product = await startProduct(scope, { dataDir });
  const bank = viewBank(quick);
  const ids = await bringBank(bench, product, bank);
  const busy = busyBank(quick ? 10_000 : 100_000);
  const [busyId] = await bringBank(bench, product, busy);

  const load = startChild<HttpLoad, HttpLoadResult>(scope, 'http-load.ts');
  const token = tokenOf('risk');
  const day = middleOf(allOpenOn(bank), bank.until);
  const send = (query: string, seconds: number): Promise<HttpLoadResult> =>
    load.ask({ url: product.url, token, paths: ids.map((id) => `/v1/customers/${id}/360${query}`), connections: CONNECTIONS, seconds });
  const subjects = [`?asOf=${day}`, ''].map((query) => ({
    query,
    results: [] as HttpLoadResult[],
    cpu: new CpuUse({ server: { pid: product.pid }, Postgres: databaseOf(dataDir), load }),
  }));
  say('warming up');
  for (const { query } of subjects) await send(query, warmUpSeconds);
  for (let round = 1; round <= ROUNDS; round += 1) {
    for (const { query, results, cpu } of subjects) {
      await sleep(SETTLE_MS);
      cpu.start();
      const result = await send(query, roundSeconds);
      cpu.stop();
      results.push(result);
      say(`round ${round}: ${query === '' ? 'now' : `as of ${day}`} ${shown(result.perSecond)}/s, p99 ${shown(result.latency.p99Ms)} ms`);
    }
  }
  await load.end();

  const client = startChild<GetLoad, GetLoadResult>(scope, 'get-load.ts');
  const days = Array.from({ length: BUSY_VIEWS }, (_, index) => dayOf(allOpenOn(busy), busy.until, (index + 1) / BUSY_VIEWS));
  const ofBusy = await client.ask({
    url: product.url,
    token,
    requests: days.map((asOf) => ({ path: `/v1/customers/${busyId}/360?asOf=${asOf}`, kind: 'busy', holding: '"balances":[{' })),
    workers: 1,
  });

  const [past, now] = subjects.map(({ results, cpu }) => ({ cpu, latency: medianLatency(results.map(({ latency }) => latency)) }));
  if (!past || !now) throw new Error('a subject is missing');
  const ratio = past.latency.p99Ms / now.latency.p99Ms;
  return {
    value: past.latency.p99Ms,
    unit: 'ms (p99)',
    baseline: now.latency.p99Ms,
    ratio,
    target: `p99 ≤ ${P99_TIMES_AT_MOST}×; ≤ ${BUSY_AT_MOST_MS / 1_000} s with 100,000 transactions`,
    pass: ratio <= P99_TIMES_AT_MOST && ofBusy.slowestMs <= BUSY_AT_MOST_MS,
    latency: past.latency,
    baselineLatency: now.latency,
    notes: [
      `${ids.length.toLocaleString('en-US')} customers, ${bank.transactions.toLocaleString('en-US')} transactions; as of ${day}; ${CONNECTIONS} connections, ${ROUNDS} rounds of ${roundSeconds} s each in turn, medians`,
      `a customer with ${busy.transactions.toLocaleString('en-US')} transactions as of ${BUSY_VIEWS} days, one request after the other: the slowest ${shown(ofBusy.slowestMs)} ms, half within ${shown(ofBusy.latency.p50Ms)} ms`,
      `processors: as of a day ${past.cpu.toString()}; now ${now.cpu.toString()}`,
    ],
  };
}

function middleOf(from: string, until: string): string {
  return dayOf(from, until, 0.5);
}

/** The day a share of the way between two. */
function dayOf(from: string, until: string, share: number): string {
  const start = Temporal.PlainDate.from(from);
  return start.add({ days: Math.floor(start.until(until).total('days') * share) }).toString();
}
