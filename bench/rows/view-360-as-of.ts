// `view-360-as-of`: a customer's view as of a past day, put together from their own events, against the view now, in turn; and of one
// customer whose account has a hundred thousand transactions.
import { allOpenOn } from '../support/bank-spec.ts';
import { busyBank } from '../support/bench-bank.ts';
import { startChild } from '../support/child.ts';
import { CpuUse } from '../support/cpu.ts';
import type { GetLoad, GetLoadResult } from '../support/get-load.ts';
import type { HttpLoad, LoadResult } from '../support/http-load.ts';
import { bringBank } from '../support/imported-bank.ts';
import { type Measurement, shown } from '../support/measurement.ts';
import { tokenOf } from '../support/product.ts';
import type { GroupBench } from '../support/row.ts';
import { takeTurns, timesOf, toldTimes } from '../support/turns.ts';
import { viewedBank } from '../support/viewed-bank.ts';

const CONNECTIONS = 8;
const P99_TIMES_AT_MOST = 10;
const BUSY_AT_MOST_MS = 1_000;
const BUSY_VIEWS = 10;

export async function view360AsOf(bench: GroupBench): Promise<Measurement> {
  const { scope, quick, say } = bench;
  const times = timesOf(quick);
  const { product, own, bank, ids } = await viewedBank(bench);
  const busy = busyBank(quick ? 5_000 : 100_000);
  const [busyId] = await bringBank(bench, product, busy);

  const load = startChild<HttpLoad, LoadResult>(scope, 'http-load.ts');
  const token = tokenOf('risk');
  const day = dayOf(allOpenOn(bank), bank.until, 0.5);
  const subjects = [`?asOf=${day}`, ''].map((query) => ({
    name: query === '' ? 'now' : `as of ${day}`,
    cpu: new CpuUse({ server: { pid: product.pid }, Postgres: own, load }),
    run: (seconds: number) =>
      load.ask({ url: product.url, token, paths: ids.map((id) => `/v1/customers/${id}/360${query}`), connections: CONNECTIONS, seconds }),
  }));
  say('warming up');
  for (const { run } of subjects) await run(times.warmUpSeconds);
  const [past, now] = await takeTurns(subjects, times, say);
  await load.end();

  const client = startChild<GetLoad, GetLoadResult>(scope, 'get-load.ts');
  const days = Array.from({ length: BUSY_VIEWS }, (_, index) => dayOf(allOpenOn(busy), busy.until, (index + 1) / BUSY_VIEWS));
  const ofBusy = await client.ask({
    url: product.url,
    token,
    requests: days.map((asOf) => ({ path: `/v1/customers/${busyId}/360?asOf=${asOf}`, kind: 'busy', holding: '"balances":[{' })),
    workers: 1,
  });

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
      `${ids.length.toLocaleString('en-US')} customers, ${bank.transactions.toLocaleString('en-US')} transactions; as of ${day}; ${CONNECTIONS} connections, ${toldTimes(times)}`,
      `a customer with ${busy.transactions.toLocaleString('en-US')} transactions as of ${BUSY_VIEWS} days, one request after the other: the slowest ${shown(ofBusy.slowestMs)} ms, half within ${shown(ofBusy.latency.p50Ms)} ms`,
      `processors: as of a day ${past.cpu.toString()}; now ${now.cpu.toString()}`,
    ],
  };
}

/** The day a share of the way between two. */
function dayOf(from: string, until: string, share: number): string {
  const start = Temporal.PlainDate.from(from);
  return start.add({ days: Math.floor(start.until(until).total('days') * share) }).toString();
}
