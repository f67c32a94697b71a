// Two workers and timers that are long due: whoever dies, freezes or is cut off with timers in hand, each deadline is told once.
// SHIJI_TEST_SIZE=full fires more of them.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/client.ts';
import { Cluster, isFull, type Member } from '../support/cluster.ts';
import { caughtUp, expectWhole } from '../support/whole.ts';

const TAKEN_OVER_MS = 10_000;
const TICKETS = isFull ? 5_000 : 600;

let cluster: Cluster;
let api: Member;
let workers: Member[];

beforeAll(async () => {
  cluster = await Cluster.open();
  const parts = (['api', 'worker', 'worker', 'projector'] as const).map((part) => cluster.start(part));
  const [first, ...others] = (await Promise.all(parts)) as [Member, Member, Member, Member];
  api = first;
  workers = others.slice(0, 2);
}, 60_000);
afterAll(async () => {
  await cluster?.close();
}, 60_000);

describe('of two workers', () => {
  const fired = async (): Promise<number> => {
    const { rows } = await cluster.pool.query<{ n: number }>(
      `select count(*)::int as n from journal.events where type = any('{SlaWarned,SlaBreached}')`,
    );
    return rows[0]?.n ?? 0;
  };

  /** Tickets whose four deadlines are long past, while nobody fires any. */
  async function bringTickets(batch: string): Promise<void> {
    const lines = Array.from({ length: TICKETS }, (_, n) =>
      JSON.stringify({
        source: { system: 'old', id: `${batch}-${n}` },
        type: 'complaint',
        priority: 'high',
        channel: 'web',
        summary: 'Card lost',
        receivedAt: '2025-11-03T09:00:00Z',
        closed: false,
      }),
    );
    const answer = await api.as('integration', 'old').post('/v1/feeds/tickets', lines.join('\n'), { 'content-type': 'application/x-ndjson' });
    expect(answer.body).toMatchObject({ status: 'finished', created: TICKETS });
    await caughtUp(cluster.pool);
  }

  /** Every deadline was told once, muted since it was long past, and no timer is left. */
  async function expectOnce(): Promise<void> {
    await caughtUp(cluster.pool);
    const { rows } = await cluster.pool.query<{ told: string; tickets: number }>(
      `select told, count(*)::int as tickets from (
         select stream, string_agg(type || ':' || coalesce(data::json ->> 'muted', ''), ' ' order by type) as told
           from journal.events where type = any('{SlaWarned,SlaBreached}') group by stream) t group by told`,
    );
    const told = 'SlaBreached:true SlaBreached:true SlaWarned:true SlaWarned:true';
    expect(rows).toStrictEqual([{ told, tickets: (await fired()) / 4 }]);
    await until(async () => (await cluster.pool.query('select from read.timers where fires_at < $1', [new Date().toISOString()])).rowCount === 0);
  }

  /** Frozen in the middle of a batch, whose rows it holds. */
  async function freezeWithTimers({ server }: Member): Promise<void> {
    await until(async () => {
      server.kill('SIGCONT');
      await sleep(20);
      server.kill('SIGSTOP');
      await sleep(50);
      const { rows } = await cluster.pool.query<{ n: number }>(
        `select count(*)::int as n from pg_stat_activity
          where datname = current_database() and application_name = 'shiji-worker' and state = 'idle in transaction' and query like '%read.timers%'`,
      );
      return rows[0]?.n === 1;
    });
  }

  it('one is killed with timers in hand: each deadline is told once (E29 F12)', async () => {
    const [killed, other] = workers as [Member, Member];
    for (const { server } of workers) server.kill('SIGSTOP');
    await bringTickets('killed');
    await freezeWithTimers(killed);
    await cluster.kill(killed);
    const atKill = await fired();
    expect(atKill).toBeLessThan(4 * TICKETS);
    other.server.kill('SIGCONT');
    const sinceMs = performance.now();
    await until(async () => (await fired()) === 4 * TICKETS, TAKEN_OVER_MS + TICKETS * 10);
    process.stdout.write(`worker killed after ${atKill} of ${4 * TICKETS} timers: the rest fired in ${Math.round(performance.now() - sinceMs)} ms\n`);
    await expectOnce();
    workers = [other];
  }, 90_000);

  it('one is frozen with timers in hand: another fires them within 10 s, each deadline is told once (E11 F10)', async () => {
    const [frozen] = workers as [Member];
    const before = await fired();
    frozen.server.kill('SIGSTOP');
    await bringTickets('frozen');
    await freezeWithTimers(frozen);
    expect(await fired()).toBeLessThan(before + 4 * TICKETS);
    const sinceMs = performance.now();
    const other = await cluster.start('worker');
    await until(async () => (await fired()) === before + 4 * TICKETS, TAKEN_OVER_MS + TICKETS * 10);
    process.stdout.write(`worker frozen: the rest fired in ${Math.round(performance.now() - sinceMs)} ms\n`);
    frozen.server.kill('SIGCONT');
    await sleep(1_000);
    await expectOnce();
    expect(await cluster.stop(other)).toBe(0);
  }, 90_000);

  it('one whose link is cut with timers in hand lives, and goes on when it is back (F25 F26)', async () => {
    const [cut] = workers as [Member];
    const before = await fired();
    cut.server.kill('SIGSTOP');
    await bringTickets('cut');
    await freezeWithTimers(cut);
    cut.link.cut();
    cut.server.kill('SIGCONT');
    await sleep(500);
    expect(cut.server.stderr()).not.toContain('a bug ends the process');
    cut.link.heal();
    await until(async () => (await fired()) === before + 4 * TICKETS, TAKEN_OVER_MS + TICKETS * 10);
    await expectOnce();
    await expectWhole(cluster, []);
  }, 90_000);
});
