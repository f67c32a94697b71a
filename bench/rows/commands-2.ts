// `commands-2`: the load spread over two API processes on one database, against all of it on one process on a database of its own.
import { startChild } from '../support/child.ts';
import { benchDatabase, CONNECTIONS, ticketsTo } from '../support/command-servers.ts';
import { CpuUse } from '../support/cpu.ts';
import { createDatabase } from '../support/database.ts';
import type { HttpLoad, LoadResult } from '../support/http-load.ts';
import { type Measurement, shown } from '../support/measurement.ts';
import { type Product, startProduct } from '../support/product.ts';
import type { GroupBench } from '../support/row.ts';
import { against, takeTurns, timesOf, toldTimes } from '../support/turns.ts';

const TIMES_AT_LEAST = 0.9;
const P99_TIMES_AT_MOST = 1.5;

export async function commands2(bench: GroupBench): Promise<Measurement> {
  const { scope, quick, say } = bench;
  const times = timesOf(quick);
  const database = await benchDatabase(bench);
  const startOn = (databaseUrl: string): Promise<Product> => startProduct(scope, { dataDir: scope.folder(), databaseUrl, role: 'api' });
  const alone = await startOn(await createDatabase(database, 'one_api'));
  const shared = await createDatabase(database, 'two_apis');
  const [first, second] = await Promise.all([startOn(shared), startOn(shared)]);
  const load = startChild<HttpLoad, LoadResult>(scope, 'http-load.ts');
  const subjects = [
    {
      name: 'two processes',
      cpu: new CpuUse({ one: { pid: first.pid }, other: { pid: second.pid }, Postgres: database, load }),
      run: (seconds: number) => load.ask(ticketsTo([first.url, second.url], seconds)),
    },
    {
      name: 'one process',
      cpu: new CpuUse({ server: { pid: alone.pid }, Postgres: database, load }),
      run: (seconds: number) => load.ask(ticketsTo(alone.url, seconds)),
    },
  ];
  say('warming up');
  for (const { run } of subjects) await run(times.warmUpSeconds);
  const [two, one] = await takeTurns(subjects, times, say);
  if (!two || !one) throw new Error('a subject is missing');
  const p99Times = two.latency.p99Ms / one.latency.p99Ms;
  return {
    ...against(one, two),
    target: `≥ ${TIMES_AT_LEAST}×, p99 ≤ ${P99_TIMES_AT_MOST}×`,
    pass: two.perSecond / one.perSecond >= TIMES_AT_LEAST && p99Times <= P99_TIMES_AT_MOST,
    notes: [
      `--role api each; ${CONNECTIONS} connections, half of them at each of two, or all at one; ${toldTimes(times)}; p99 ${shown(p99Times)}× its p99`,
      'both databases on one Postgres, each empty at the start',
      `processors: two ${two.cpu.toString()}; one ${one.cpu.toString()}`,
    ],
  };
}
