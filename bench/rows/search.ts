// `search`: finding a customer among a hundred thousand, against the same searches among ten thousand, on two servers that take turns.
import { setTimeout as sleep } from 'node:timers/promises';
import { startChild } from '../support/child.ts';
import type { GetLoad, GetLoadResult } from '../support/get-load.ts';
import { bringRecords } from '../support/imported-bank.ts';
import { type Measurement, medianLatency, shown, shownLatency } from '../support/measurement.ts';
import { startProduct, tokenOf } from '../support/product.ts';
import type { Bench } from '../support/row.ts';
import { clientRecords, drawClients, searchesFor } from '../support/search-queries.ts';

const SEED = 20260407;
const P95_TIMES_AT_MOST = 1.3;
const WORKERS = 2;
const SETTLE_MS = 1_000;

export async function search(bench: Bench): Promise<Measurement> {
  const { scope, quick, say } = bench;
  const sizes = quick ? [3_000, 300] : [100_000, 10_000];
  const [searches, rounds] = quick ? [300, 2] : [3_000, 3];
  const token = tokenOf('risk');
  const client = startChild<GetLoad, GetLoadResult>(scope, 'get-load.ts');
  const subjects: { size: number; url: string; requests: ReturnType<typeof searchesFor>; results: GetLoadResult[] }[] = [];
  for (const size of sizes) {
    const clients = drawClients(SEED, size);
    const product = await startProduct(scope, { dataDir: scope.folder() });
    await bringRecords(bench, product, `of-${size}`, clientRecords(clients, 'core'));
    subjects.push({ size, url: product.url, requests: searchesFor(clients, SEED + 1, searches), results: [] });
  }
  say('warming up');
  for (const { url, requests } of subjects) await client.ask({ url, token, requests: requests.slice(0, searches / 2), workers: WORKERS });
  for (let round = 1; round <= rounds; round += 1) {
    for (const { size, url, requests, results } of subjects) {
      await sleep(SETTLE_MS);
      const result = await client.ask({ url, token, requests, workers: WORKERS });
      results.push(result);
      say(`round ${round}: among ${size.toLocaleString('en-US')} ${shownLatency(result.latency)}`);
    }
  }

  const [many, few] = subjects.map(({ size, results, requests }) => ({
    size,
    latency: medianLatency(results.map(({ latency }) => latency)),
    kilobytes: (results[0] as GetLoadResult).characters / requests.length / 1_000,
    byKind: Object.keys((results[0] as GetLoadResult).byKind).map((kind) => ({
      kind,
      p95Ms: medianLatency(results.flatMap(({ byKind }) => byKind[kind] ?? [])).p95Ms,
    })),
  }));
  if (!many || !few) throw new Error('a subject is missing');
  const ratio = many.latency.p95Ms / few.latency.p95Ms;
  const perKind = many.byKind.map(
    ({ kind, p95Ms }) => `${kind} ${shown(p95Ms)} (${shown(few.byKind.find((other) => other.kind === kind)?.p95Ms ?? 0)})`,
  );
  return {
    value: many.latency.p95Ms,
    unit: 'ms (p95)',
    baseline: few.latency.p95Ms,
    ratio,
    target: `p95 ≤ ${P95_TIMES_AT_MOST}×`,
    pass: ratio <= P95_TIMES_AT_MOST,
    latency: many.latency,
    baselineLatency: few.latency,
    notes: [
      `${many.size.toLocaleString('en-US')} customers against ${few.size.toLocaleString('en-US')}, names as often as they are met, brought over the feed to a server each; ${WORKERS} searches at a time, ${rounds} rounds of ${searches.toLocaleString('en-US')} each in turn, medians; each search found somebody and is recorded`,
      `p95 by kind in ms, among the fewer in brackets: ${perKind.join(', ')}`,
      `an answer has ${shown(many.kilobytes)} thousand characters on average, ${shown(few.kilobytes)} among the fewer`,
    ],
  };
}
