// `rss-rest`: memory of the server's own process at rest, a while after a second start.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Measurement } from '../support/measurement.ts';
import { startProduct } from '../support/product.ts';
import type { GroupBench } from '../support/row.ts';
import { TICKETS, usedDataFolder } from '../support/second-start.ts';

const AT_MOST_MB = 200;

export async function rssRest({ scope, shared, quick, say }: GroupBench): Promise<Measurement> {
  const restSeconds = quick ? 3 : 10;
  say('a first start');
  const dataDir = await usedDataFolder(shared);
  const product = await startProduct(scope, { dataDir });
  say(`resting for ${restSeconds} s`);
  await sleep(restSeconds * 1_000);
  const value = residentBytes(product.pid) / 1e6;
  return {
    value,
    unit: 'MB',
    target: `≤ ${AT_MOST_MB} MB`,
    pass: value <= AT_MOST_MB,
    notes: [
      `resident set of the node process, ${restSeconds} s after a second start on ${TICKETS.toLocaleString('en-US')} tickets; Postgres' own processes not counted`,
    ],
  };
}

function residentBytes(pid: number): number {
  if (process.platform !== 'linux') return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) * 1_024;
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kibibytes) * 1_024;
}
