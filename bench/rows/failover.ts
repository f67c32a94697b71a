// `failover`: of two projectors on one database the one that works is killed under a light load, again and again, the other one's
// successor started meanwhile; how long until the one left has committed all that was written when the kill was, and more.
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { projections } from '../../src/projections/all.ts';
import { startChild } from '../support/child.ts';
import { benchDatabase } from '../support/command-servers.ts';
import { createDatabase, withClient } from '../support/database.ts';
import { type Measurement, median, shown } from '../support/measurement.ts';
import { type Product, startProduct, ticketBody, tokenOf } from '../support/product.ts';
import type { GroupBench } from '../support/row.ts';
import type { SteadyLoad, SteadyLoadResult } from '../support/steady-load.ts';

const AT_MOST_S = 10;
const COMMANDS_A_SECOND = 50;
const POLL_MS = 20;
const WITHIN_MS = 60_000;
const names = projections.map(({ name }) => name);

export async function failover(bench: GroupBench): Promise<Measurement> {
  const { scope, quick, say } = bench;
  const kills = quick ? 2 : 5;
  const databaseUrl = await createDatabase(await benchDatabase(bench), 'failover');
  const start = (role: 'api' | 'projector'): Promise<Product> => startProduct(scope, { dataDir: scope.folder(), databaseUrl, role });
  return withClient(databaseUrl, async (client) => {
    // The first has all leases before another asks for one; whoever takes over has them all too.
    let working = await start('projector');
    await until('the first projector has all leases', async () => (await holderOf(client)) !== undefined);
    const [second, api] = await Promise.all([start('projector'), start('api')]);
    let waiting = second;
    const load = startChild<SteadyLoad, SteadyLoadResult | undefined>(scope, 'steady-load.ts');
    await load.ask({ url: `${api.url}/v1/tickets`, token: tokenOf('agent'), body: ticketBody, perSecond: COMMANDS_A_SECOND });
    const seconds: number[] = [];
    for (let kill = 1; kill <= kills; kill += 1) {
      const holder = await until('one projector has all leases', () => holderOf(client));
      process.kill(working.pid, 'SIGKILL');
      const killedMs = performance.now();
      const head = await headOf(client);
      await until('another went on', () => wentOn(client, holder, head));
      seconds.push((performance.now() - killedMs) / 1_000);
      say(`kill ${kill}: another went on after ${shown(seconds.at(-1) ?? 0)} s`);
      working = waiting;
      if (kill < kills) waiting = await start('projector');
    }
    const commands = await load.ask({ stop: true });
    if (!commands) throw new Error('the load did not tell what it sent');
    const value = Math.max(...seconds);
    return {
      value,
      unit: 's (slowest)',
      target: `≤ ${AT_MOST_S} s`,
      pass: value <= AT_MOST_S,
      latency: commands.latency,
      notes: [
        `two processes with --role projector, one with --role api, ${COMMANDS_A_SECOND} commands/s; kill -9 of the one that holds all leases, ${kills} times: ${seconds.map(shown).join(', ')} s, half within ${shown(median(seconds))} s`,
        `from the kill until each of the ${names.length} read models was committed by the other process past the journal's head at the kill`,
        `the latencies are those of the ${commands.requests.toLocaleString('en-US')} commands meanwhile, from when they were due; none failed`,
      ],
    };
  });
}

/** Undefined unless one process holds the lease of each read model. */
async function holderOf(client: pg.Client): Promise<string | undefined> {
  const { rows } = await client.query<{ holder: string; leases: number }>(
    'select holder, count(*)::int as leases from engine.leases where name = any($1) and until > clock_timestamp() group by holder',
    [names],
  );
  return rows.find(({ leases }) => leases === names.length)?.holder;
}

/** A statement of the dead one may still have been under way: only what stands under another's lease counts. */
async function wentOn(client: pg.Client, holder: string, head: number): Promise<boolean> {
  const { rows } = await client.query<{ count: number }>(
    `select count(*)::int as count from engine.checkpoints c join engine.leases l on l.name = c.projection
      where c.projection = any($1) and c.fence = l.fence and l.holder <> $2 and c.position > $3`,
    [names, holder, head],
  );
  return rows[0]?.count === names.length;
}

async function headOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ position: string }>('select position from journal.head');
  return Number(rows[0]?.position);
}

async function until<Found>(what: string, look: () => Promise<Found | false | undefined>): Promise<Found> {
  for (const startedMs = performance.now(); performance.now() - startedMs < WITHIN_MS; await sleep(POLL_MS)) {
    const found = await look();
    if (found !== false && found !== undefined) return found;
  }
  throw new Error(`not within ${WITHIN_MS / 1_000} s: ${what}`);
}
