// The clock of a running process set an hour forward and back: order is by position, recording times never fall, who leads is by the
// database's clock, tokens expire by the clock of the process, and each deadline is told once. Needs faketime.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { mintToken } from '../../../src/api/auth.ts';
import { until } from '../../support/client.ts';
import { Cluster, isFull } from '../../support/cluster.ts';
import { FakeClock, withoutFaketime } from '../../support/faketime.ts';
import { canRun } from '../../support/not-run.ts';
import { caughtUp, expectWhole } from '../../support/whole.ts';

const TICKETS = isFull ? 1_000 : 40;
const HOUR = 60;

it('F18 clock jumps of an hour on a running process', async () => {
  if (!canRun('F18', withoutFaketime())) return;
  const clock = new FakeClock();
  const cluster = await Cluster.open();
  try {
    const { url } = await cluster.start('all', clock.env);
    // Beside it one whose clock is right.
    await cluster.start('worker');
    await cluster.start('projector');
    const acknowledged = new Set<string>();
    const tokenOf = (expiresIn: string): string =>
      mintToken({ secret: cluster.settings.JWT_SECRET ?? '', issuer: 'shiji', audience: 'shiji', subject: 'alice', role: 'agent', expiresIn });
    const [short, long] = [tokenOf('30m'), tokenOf('12h')];
    const ask = async (token = long): Promise<Response> =>
      fetch(new URL('/v1/tickets', url), {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ type: 'inquiry', priority: 'urgent', channel: 'wechat', summary: 'Card stolen' }),
      });
    const openTickets = async (): Promise<void> => {
      for (let n = 0; n < TICKETS; n += 1) {
        const answer = await ask();
        expect(answer.status).toBe(201);
        acknowledged.add(`ticket-${((await answer.json()) as { id: string }).id}`);
      }
    };
    const told = async (): Promise<unknown[]> => {
      const { rows } = await cluster.pool.query(
        `select told, count(*)::int as tickets from (
           select stream, string_agg(type, ' ' order by position) filter (where type <> 'TicketOpened') as told from journal.events
            where stream like 'ticket-%' group by stream) t group by told order by told nulls first`,
      );
      return rows;
    };
    const fences = async (): Promise<unknown> =>
      (await cluster.pool.query('select projection, fence from engine.checkpoints order by projection')).rows;

    await openTickets();
    await caughtUp(cluster.pool);
    const fencesBefore = await fences();
    expect((await ask(short)).status).toBe(201);

    // Their quarter of an hour to answer has passed, the four hours to solve have not.
    clock.moveTo(HOUR);
    const warnedAndBreached = { told: 'SlaWarned SlaBreached', tickets: TICKETS + 1 };
    await until(async () => JSON.stringify(await told()) === JSON.stringify([warnedAndBreached]));
    expect((await ask(short)).status).toBe(401);
    await openTickets();

    // Back: our clock stands, and nothing is told again.
    clock.moveTo(0);
    expect((await ask(short)).status).toBe(201);
    await openTickets();
    clock.moveTo(-HOUR);
    // A token of the future opens nothing; who has one from before the jump must wait until the clock is right.
    expect((await ask(tokenOf('12h'))).status).toBe(401);
    await sleep(1_000);
    expect(await told()).toStrictEqual([{ told: null, tickets: 2 * TICKETS + 1 }, warnedAndBreached]);

    clock.moveTo(2 * HOUR);
    await until(async () => JSON.stringify(await told()) === JSON.stringify([{ told: 'SlaWarned SlaBreached', tickets: 3 * TICKETS + 2 }]));
    await caughtUp(cluster.pool);
    expect(await fences()).toStrictEqual(fencesBefore);
    const { rows } = await cluster.pool.query<{ span: number }>(
      'select (max(recorded_at_ms) - min(recorded_at_ms))::float8 / 60000 as span from journal.events',
    );
    expect(rows[0]?.span).toBeGreaterThan(1.9 * HOUR);
    const { rows: streams } = await cluster.pool.query<{ stream: string }>('select stream from journal.streams');
    expect([...acknowledged].filter((stream) => !streams.some((row) => row.stream === stream))).toStrictEqual([]);
    await expectWhole(cluster, []);
  } finally {
    await cluster.close();
    clock.close();
  }
}, 300_000);
