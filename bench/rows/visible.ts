// `visible`: a command is answered, and a GET with its `Shiji-After` shows what it did; against the same GET, at the same moment, of a
// ticket that was there already. Rounds of both take turns under the same load.
import { startChild } from '../support/child.ts';
import { type Measurement, median, medianLatency, shown, shownLatency } from '../support/measurement.ts';
import { startProduct, ticketBody, tokenOf } from '../support/product.ts';
import type { Bench } from '../support/row.ts';
import type { VisibleLoad, VisibleLoadResult } from '../support/visible-load.ts';

const COMMANDS_A_SECOND = 200;
const MORE_AT_MOST_MS = 25;

export async function visible({ scope, quick, say }: Bench): Promise<Measurement> {
  const [seconds, warmUpSeconds, rounds] = quick ? [1.5, 1.5, 2] : [10, 5, 3];
  const product = await startProduct(scope, { dataDir: scope.folder() });
  const client = startChild<VisibleLoad, VisibleLoadResult>(scope, 'visible-load.ts');
  const run = (after: boolean, forSeconds: number): Promise<VisibleLoadResult> =>
    client.ask({ url: product.url, token: tokenOf('agent'), body: ticketBody, perSecond: COMMANDS_A_SECOND, seconds: forSeconds, after });

  say('warming up');
  await run(true, warmUpSeconds);
  const withAfter: VisibleLoadResult[] = [];
  const without: VisibleLoadResult[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const seen = await run(true, seconds);
    const there = await run(false, seconds);
    withAfter.push(seen);
    without.push(there);
    say(`round ${round}: with Shiji-After p99 ${shown(seen.read.p99Ms)} ms, without ${shown(there.read.p99Ms)} ms`);
  }
  const latency = medianLatency(withAfter.map(({ read }) => read));
  const baselineLatency = medianLatency(without.map(({ read }) => read));
  const command = medianLatency(withAfter.map((round) => round.command));
  const more = median(withAfter.map(({ read }, round) => read.p99Ms - (without[round] as VisibleLoadResult).read.p99Ms));
  return {
    value: latency.p99Ms,
    unit: 'ms (p99)',
    baseline: baselineLatency.p99Ms,
    ratio: latency.p99Ms / baselineLatency.p99Ms,
    target: `p99 ≤ ${MORE_AT_MOST_MS} ms more`,
    pass: more <= MORE_AT_MOST_MS,
    latency,
    baselineLatency,
    notes: [
      `p99 is ${shown(more)} ms more; ${COMMANDS_A_SECOND} commands/s evenly spaced and not held up by answers, ${rounds} rounds of ${seconds} s each in turn, medians`,
      `the commands meanwhile, from when they were due: ${shownLatency(command)}; each GET also records that it was made`,
    ],
  };
}
