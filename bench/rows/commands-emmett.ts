// `commands-emmett`: POST /v1/tickets over HTTP, against the same command through Emmett's CommandHandler on its Postgres store.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startChild } from '../support/child.ts';
import { CONNECTIONS, commandServers, ticketsTo } from '../support/command-servers.ts';
import { CpuUse } from '../support/cpu.ts';
import { createDatabase } from '../support/database.ts';
import type { EmmettRoute, EmmettRouteStarted } from '../support/emmett-route.ts';
import type { HttpLoad, LoadResult } from '../support/http-load.ts';
import type { Measurement } from '../support/measurement.ts';
import { caughtUp, jwtSecret, ticketBody, tokenOf } from '../support/product.ts';
import type { GroupBench } from '../support/row.ts';
import { against, fastestOf, takeTurns, timesOf, toldFigures, toldTimes } from '../support/turns.ts';

const TIMES_AT_LEAST = 6;

export async function commandsEmmett(bench: GroupBench): Promise<readonly Measurement[]> {
  const { scope, quick, say } = bench;
  const pools = quick ? [16] : [8, 16, 32];
  const times = timesOf(quick);
  const { product, own, database, api, event } = await commandServers(bench);
  const emmett = startChild<EmmettRoute, EmmettRouteStarted>(scope, 'emmett-route.ts');
  const { url: emmettUrl } = await emmett.ask({ databaseUrl: await createDatabase(database, 'emmett'), jwtSecret, pools, ...event });
  const load = startChild<HttpLoad, LoadResult>(scope, 'http-load.ts');
  const token = tokenOf('agent');
  const emmetts = pools.map((pool) => ({
    name: `Emmett, pool of ${pool}`,
    cpu: new CpuUse({ server: emmett, Postgres: database, load }),
    run: (seconds: number) => load.ask({ url: `${emmettUrl}/tickets/${pool}`, token, body: ticketBody, connections: CONNECTIONS, seconds }),
  }));
  for (const { run } of emmetts) await run(times.warmUpSeconds);

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
      ...emmetts,
    ],
    times,
    say,
  );
  const best = fastestOf(baselines);
  if (!ours || !ofApi) throw new Error('a subject is missing');
  return [
    {
      ...against(best, ours),
      target: `≥ ${TIMES_AT_LEAST}×`,
      pass: ours.perSecond / best.perSecond >= TIMES_AT_LEAST,
      notes: [
        `one process as npm start runs it, projector and timers on; ${CONNECTIONS} connections, ${toldTimes(times)}`,
        `@event-driven-io/emmett-postgresql ${emmettVersion()}, CommandHandler on getPostgreSQLEventStore: the same route, token check and body, decided and evolved by the same decider, events of as many bytes`,
        'what it does not do: it does not enforce STREAM_DOES_NOT_EXIST, seals nothing, has no idempotency key, no command body kept, no gapless order, no read models: the figures compare speed, not guarantees',
        `baseline: ${baselines.map(toldFigures).join('; ')}`,
        `processors: product ${ours.cpu.toString()}; ${best.name} ${best.cpu.toString()}; --role api ${ofApi.cpu.toString()}`,
      ],
    },
    { ...against(best, ofApi), about: '--role api, no projector in the process', target: '–', notes: [] },
  ];
}

function emmettVersion(): string {
  const file = join(import.meta.dirname, '../../node_modules/@event-driven-io/emmett-postgresql/package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
