// `ready`: how long a second start takes, from the process to the banner and a ready health.
import { type Measurement, median, shown } from '../support/measurement.ts';
import { startProduct } from '../support/product.ts';
import type { GroupBench } from '../support/row.ts';
import { TICKETS, usedDataFolder } from '../support/second-start.ts';

const AT_MOST_S = 5;

export async function ready({ scope, shared, quick, say }: GroupBench): Promise<Measurement> {
  const starts = quick ? 2 : 3;
  say('a first start');
  const dataDir = await usedDataFolder(shared);
  const seconds: number[] = [];
  for (let start = 1; start <= starts; start += 1) {
    const product = await startProduct(scope, { dataDir });
    seconds.push(product.readyMs / 1_000);
    await product.stop();
    say(`start ${start + 1}: ${shown(product.readyMs / 1_000)} s`);
  }
  const value = median(seconds);
  return {
    value,
    unit: 's',
    target: `≤ ${AT_MOST_S} s`,
    pass: value <= AT_MOST_S,
    notes: [`node src/main.ts, its Postgres included, on a folder with ${TICKETS.toLocaleString('en-US')} tickets; median of ${starts} starts`],
  };
}
