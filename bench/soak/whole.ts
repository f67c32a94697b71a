// The check at the end: the journal dense and ordered, every acknowledged command in it and no event twice, receipts equal to the journal's
// own sums, and every read model equal to a replay of everything.
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { projections } from '../../src/projections/all.ts';
import { runCli } from '../../tests/support/cli.ts';
import { withClient } from '../support/database.ts';
import { databaseOf, jwtSecret, masterKey } from '../support/product.ts';
import type { Scope } from '../support/scope.ts';
import type { Verdict } from './verdicts.ts';

const CAUGHT_UP_WITHIN_MS = 60_000;

export async function judgeWhole(scope: Scope, dataDir: string, acknowledged: ReadonlyMap<string, number>): Promise<Verdict[]> {
  const { url } = databaseOf(dataDir);
  return withClient(url, async (client) => [
    await caughtUp(client),
    await dense(client),
    await allThere(client, acknowledged),
    await receiptsEqual(client),
    await replayEqual(scope, dataDir, url),
  ]);
}

async function caughtUp(client: pg.Client): Promise<Verdict> {
  const untilMs = performance.now() + CAUGHT_UP_WITHIN_MS;
  for (;;) {
    const { rows } = await client.query<{ there: number; parked: number }>(
      `select count(*)::int as there, (select count(*)::int from engine.parked) as parked
         from engine.checkpoints c, journal.head h where c.projection = any($1) and c.position >= h.position`,
      [projections.map(({ name }) => name)],
    );
    const { there = 0, parked = 0 } = rows[0] ?? {};
    if (there < projections.length && performance.now() < untilMs) {
      await sleep(100);
      continue;
    }
    return verdict(
      'read models at the end of the journal',
      `${there} of ${projections.length}, ${parked} events parked`,
      there === projections.length && parked === 0,
    );
  }
}

async function dense(client: pg.Client): Promise<Verdict> {
  const { rows } = await client.query<{ events: number; holes: number; falling: number; broken: number; twice: number }>(
    `with e as (select position, stream, revision, id, recorded_at_ms, lag(recorded_at_ms) over (order by position) as before from journal.events)
     select count(*)::int as events, (select position from journal.head)::int - count(*)::int as holes,
            (count(*) filter (where recorded_at_ms < before))::int as falling, (count(*) - count(distinct id))::int as twice,
            (select count(*)::int from (select from e group by stream having count(*) <> max(revision) + 1) b) as broken
       from e`,
  );
  const { events = 0, holes = 0, falling = 0, twice = 0, broken = 0 } = rows[0] ?? {};
  const figure = `${events.toLocaleString('en-US')} events: ${holes} holes, ${falling} times that fall, ${broken} streams with a hole, ${twice} twice`;
  return verdict('the journal dense and ordered', figure, holes + falling + broken + twice === 0 && events > 0);
}

/** A timer may have added to a stream since. */
async function allThere(client: pg.Client, acknowledged: ReadonlyMap<string, number>): Promise<Verdict> {
  const { rows } = await client.query<{ stream: string; revision: number }>(
    'select stream, max(revision)::int as revision from journal.events where stream = any($1) group by stream',
    [[...acknowledged.keys()]],
  );
  const last = new Map(rows.map(({ stream, revision }) => [stream, revision]));
  const lost = [...acknowledged].filter(([stream, revision]) => (last.get(stream) ?? -1) < revision);
  const figure = `${lost.length} of ${acknowledged.size.toLocaleString('en-US')} streams ${lost.length > 0 ? `(${lost.slice(0, 3).join('; ')})` : ''}`;
  return verdict('acknowledged commands missing', figure.trim(), lost.length === 0 && acknowledged.size > 0);
}

/** Also of the chunk that is still open, which the auditor does not look at yet. */
async function receiptsEqual(client: pg.Client): Promise<Verdict> {
  const unequal: string[] = [];
  for (const { name, categories } of projections) {
    const { rows } = await client.query<{ equal: boolean }>(
      `select (select (coalesce(sum(offered), 0), coalesce(sum(id_sum), 0) % 281474976710656) from engine.receipts where projection = $1)
            = (select (count(*)::numeric, coalesce(sum(('x' || right(id::text, 12))::bit(48)::bigint), 0) % 281474976710656)
                 from journal.events where split_part(stream, '-', 1) = any($2)) as equal`,
      [name, categories],
    );
    if (rows[0]?.equal !== true) unequal.push(name);
  }
  return verdict(
    'receipts equal to the journal',
    unequal.length === 0 ? `of ${projections.length} read models` : `not of ${unequal.join(', ')}`,
    unequal.length === 0,
  );
}

async function replayEqual(scope: Scope, dataDir: string, url: string): Promise<Verdict> {
  const replay = runCli('replay', ['--compare'], {
    cwd: dataDir,
    dataDir,
    env: { DATABASE_URL: url, JWT_SECRET: jwtSecret, SHIJI_MASTER_KEY: masterKey, DATABASE_POOL: '4' },
  });
  scope.onEnd(() => replay.kill());
  const { code, out, err } = await replay.done;
  const differing = out.split('\n').filter((line) => /differ\.|only in|live and/.test(line));
  const figure = code === 0 ? 'no row differs' : `${differing.slice(0, 3).join('; ')} ${err.slice(0, 300)}`.trim();
  return verdict('read models equal to a replay', figure, code === 0);
}

function verdict(what: string, figure: string, isGood: boolean): Verdict {
  return { what, figure, bound: '', outcome: isGood ? 'pass' : 'FAIL' };
}
