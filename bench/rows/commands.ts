// `commands`: POST /v1/tickets over HTTP, against a bare route that inserts a row of as many bytes.
import type { BareRoute, BareRouteStarted } from '../support/bare-route.ts';
import { startChild } from '../support/child.ts';
import { CONNECTIONS, commandServers, ticketsTo } from '../support/command-servers.ts';
import { CpuUse } from '../support/cpu.ts';
import { createDatabase } from '../support/database.ts';
import type { HttpLoad, LoadResult } from '../support/http-load.ts';
import type { Measurement } from '../support/measurement.ts';
import { caughtUp, jwtSecret, ticketBody, tokenOf } from '../support/product.ts';
import type { GroupBench } from '../support/row.ts';
import { against, fastestOf, takeTurns, timesOf, toldFigures, toldTimes } from '../support/turns.ts';

const TIMES_AT_LEAST = 1.6;

export async function commands(bench: GroupBench): Promise<readonly Measurement[]> {
  const { scope, quick, say } = bench;
  const pools = quick ? [16] : [8, 16, 32];
  const times = timesOf(quick);
  const { product, own, database, api, event } = await commandServers(bench);
  const bare = startChild<BareRoute, BareRouteStarted>(scope, 'bare-route.ts');
  const { url: bareUrl } = await bare.ask({ databaseUrl: await createDatabase(database, 'bare'), jwtSecret, pools, ...event });
  const load = startChild<HttpLoad, LoadResult>(scope, 'http-load.ts');
  const token = tokenOf('agent');
  const bares = pools.map((pool) => ({
    name: `bare route, pool of ${pool}`,
    cpu: new CpuUse({ server: bare, Postgres: database, load }),
    run: (seconds: number) => load.ask({ url: `${bareUrl}/rows/${pool}`, token, body: ticketBody, connections: CONNECTIONS, seconds }),
  }));
  for (const { run } of bares) await run(times.warmUpSeconds);

  const [ours, ofApi, ...baselines] = await takeTurns(
    [
      {
        name: 'product',
        cpu: new CpuUse({ server: { pid: product.pid }, Postgres: own, load }),
        run: (seconds) => load.ask(ticketsTo(product.url, seconds)),
        finish: () => caughtUp(product),
      },
      {
        name: '--role api',
        cpu: new CpuUse({ server: { pid: api.pid }, Postgres: database, load }),
        run: (seconds) => load.ask(ticketsTo(api.url, seconds)),
      },
      ...bares,
    ],
    times,
    say,
  );
  const best = fastestOf(baselines);
  if (!ours || !ofApi) throw new Error('a subject is missing');
  const ratio = ours.perSecond / best.perSecond;
  return [
    {
      ...against(best, ours),
      target: `≥ ${TIMES_AT_LEAST}×, p99 ≤ its p99`,
      pass: ratio >= TIMES_AT_LEAST && ours.latency.p99Ms <= best.latency.p99Ms,
      notes: [
        `one process as npm start runs it, projector and timers on; ${CONNECTIONS} connections, ${toldTimes(times)}`,
        `an event has ${Buffer.byteLength(event.data)} bytes of data and ${Buffer.byteLength(event.metadata)} of metadata; the bare route inserts the like`,
        `baseline: ${baselines.map(toldFigures).join('; ')}`,
        `processors: product ${ours.cpu.toString()}; ${best.name} ${best.cpu.toString()}; --role api ${ofApi.cpu.toString()}`,
      ],
    },
    { ...against(best, ofApi), about: '--role api, no projector in the process', target: '–', notes: [] },
  ];
}
