// `commands-eventstoredb`: POST /v1/tickets with the journal in EventStoreDB, against the node client's own single appends of the same
// bytes. It writes to the node that EVENTSTOREDB_URL names and can take nothing back: give it an empty one that is thrown away after.
import { setTimeout as sleep } from 'node:timers/promises';
import { BACKWARDS, END, EventStoreDBClient, type ResolvedEvent } from '@eventstore/db-client';
import { startChild } from '../support/child.ts';
import { CONNECTIONS, ticketsTo } from '../support/command-servers.ts';
import { CpuUse } from '../support/cpu.ts';
import { startDatabase } from '../support/database.ts';
import type { EventStoreDbLoad } from '../support/eventstoredb-load.ts';
import type { HttpLoad, LoadResult } from '../support/http-load.ts';
import { type Measurement, shown } from '../support/measurement.ts';
import { startProduct } from '../support/product.ts';
import { projected } from '../support/projected.ts';
import type { Bench, NotRun } from '../support/row.ts';
import { against, mediansOf, timesOf, toldTimes } from '../support/turns.ts';

const TIMES_AT_LEAST = 0.8;
/** Of the node's newest events: its own are told apart, and one of ours is among them. */
const LOOKED_AT = 1_000;

type TicketOpened = Pick<EventStoreDbLoad, 'type' | 'data' | 'metadata'>;

export async function commandsEventStoreDb(bench: Bench): Promise<readonly Measurement[] | NotRun> {
  const url = process.env.EVENTSTOREDB_URL;
  if (url === undefined || url === '') return { notRun: 'EVENTSTOREDB_URL is not set' };
  const { scope, quick, say } = bench;
  const times = timesOf(quick);
  if ((await newestOf(url)).length > 0) throw new Error('the node that EVENTSTOREDB_URL names has events: the bench wants an empty one');
  const database = await startDatabase(scope);
  const load = startChild<HttpLoad, LoadResult>(scope, 'http-load.ts');
  const appends = startChild<EventStoreDbLoad, LoadResult>(scope, 'eventstoredb-load.ts');
  let event: TicketOpened | undefined;

  // Each has the node for itself: a server that reads along would take its share of what is appended beside it.
  const serve = async (role: 'api' | undefined, cpus: CpuUse[]): Promise<LoadResult> => {
    const product = await startProduct(scope, {
      dataDir: scope.folder(),
      databaseUrl: database.url,
      env: { JOURNAL: 'eventstoredb', EVENTSTOREDB_URL: url },
      ...(role === undefined ? {} : { role }),
    });
    await load.ask(ticketsTo(product.url, times.warmUpSeconds));
    if (role === undefined) await projected(product);
    const cpu = new CpuUse({ server: { pid: product.pid }, Postgres: database, load });
    cpus.push(cpu);
    await sleep(times.settleMs);
    cpu.start();
    const result = await load.ask(ticketsTo(product.url, times.roundSeconds));
    cpu.stop();
    event ??= await ticketOpened(url);
    await product.stop();
    return result;
  };

  const subjects: { name: string; run: (cpus: CpuUse[]) => Promise<LoadResult>; results: LoadResult[]; cpus: CpuUse[] }[] = [
    { name: 'product', run: (cpus) => serve(undefined, cpus), results: [], cpus: [] },
    { name: '--role api', run: (cpus) => serve('api', cpus), results: [], cpus: [] },
    {
      name: 'appends of the client',
      run: async (cpus) => {
        const ask = (seconds: number): Promise<LoadResult> => appends.ask({ url, ...(event as TicketOpened), inFlight: CONNECTIONS, seconds });
        await ask(times.warmUpSeconds);
        const cpu = new CpuUse({ client: appends });
        cpus.push(cpu);
        await sleep(times.settleMs);
        cpu.start();
        const result = await ask(times.roundSeconds);
        cpu.stop();
        return result;
      },
      results: [],
      cpus: [],
    },
  ];
  for (let round = 1; round <= times.rounds; round += 1)
    for (const { name, run, results, cpus } of subjects) {
      const result = await run(cpus);
      results.push(result);
      say(`round ${round}: ${name} ${shown(result.perSecond)}/s, p99 ${shown(result.latency.p99Ms)} ms`);
    }

  const [ours, ofApi, baseline] = subjects.map(({ name, results, cpus }) => ({ name, cpu: cpus.at(-1) as CpuUse, ...mediansOf(results) }));
  if (!ours || !ofApi || !baseline) throw new Error('a subject is missing');
  const { data, metadata } = event as unknown as TicketOpened;
  return [
    {
      ...against(baseline, ours),
      target: `≥ ${TIMES_AT_LEAST}×`,
      pass: ours.perSecond / baseline.perSecond >= TIMES_AT_LEAST,
      notes: [
        `one process, projector and timers on, the journal in the node that EVENTSTOREDB_URL names; ${CONNECTIONS} connections, ${toldTimes(times)}, each server started for its round alone`,
        `baseline: @eventstore/db-client, appendToStream of one event to a new stream, expectedRevision NO_STREAM, ${CONNECTIONS} in flight; ${JSON.stringify(data).length} bytes of data, ${JSON.stringify(metadata).length} of metadata, as ours`,
        `processors of the last round, the node counted with others: product ${ours.cpu.toString()}; --role api ${ofApi.cpu.toString()}; ${baseline.name} ${baseline.cpu.toString()}`,
      ],
    },
    { ...against(baseline, ofApi), about: '--role api, no projector in the process', target: '–', notes: [] },
  ];
}

/** Its newest events but for those that the node keeps about itself. */
async function newestOf(url: string): Promise<ResolvedEvent[]> {
  const client = EventStoreDBClient.connectionString(url);
  try {
    const found: ResolvedEvent[] = [];
    for await (const resolved of client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: LOOKED_AT }))
      if (resolved.event && !resolved.event.type.startsWith('$') && !resolved.event.streamId.startsWith('$')) found.push(resolved as ResolvedEvent);
    return found;
  } finally {
    await client.dispose();
  }
}

async function ticketOpened(url: string): Promise<TicketOpened> {
  for (const { event } of await newestOf(url))
    if (event?.type === 'TicketOpened')
      return { type: event.type, data: event.data as TicketOpened['data'], metadata: event.metadata as TicketOpened['metadata'] };
  throw new Error('the product appended no ticket');
}
