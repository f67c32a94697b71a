// Many who ask for a long table and read it a byte a second: memory stays bounded, no snapshot of the database is held for them, and
// others are served. SHIJI_TEST_SIZE=full has several hundred of them, until they are cut off.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { tokenOf, until } from '../../support/client.ts';
import { Cluster, isFull } from '../../support/cluster.ts';
import { SlowReader } from '../../support/slow-reader.ts';
import { caughtUp } from '../../support/whole.ts';

const READERS = isFull ? 400 : 40;
// More of each than the system buffers by itself, some 4 MB.
const TICKETS = isFull ? 60_000 : 8_000;
const SILENT_MS = 60_000;
/** So many tables at once (src/api/table-slots.ts), each a page or two in hand and what the connection keeps. */
const TABLES = 32;
const KB_A_TABLE = 8_192;

it(
  'F24 slow reader of a long answer',
  async () => {
    const cluster = await Cluster.open();
    const readers: SlowReader[] = [];
    try {
      const { url, server, as } = await cluster.start('all', { DATABASE_POOL: '8' });
      const line = {
        type: 'complaint',
        priority: 'high',
        channel: 'web',
        summary: '卡'.repeat(500),
        receivedAt: '2025-11-03T09:00:00Z',
        closed: true,
      };
      const lines = Array.from({ length: TICKETS }, (_, n) => JSON.stringify({ source: { system: 'old', id: `${n}` }, ...line }));
      const brought = await as('integration', 'old').post('/v1/feeds/tickets', lines.join('\n'), { 'content-type': 'application/x-ndjson' });
      expect(brought.body).toMatchObject({ created: TICKETS });
      await caughtUp(cluster.pool);
      const authorization = `Bearer ${tokenOf(cluster.settings.JWT_SECRET ?? '', 'operations', 'olga')}`;
      const rssKb = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1]);
      // One who reads it whole, so that what any such answer takes is there before.
      const whole = await as('operations', 'olga').get<string>('/v1/tickets', { accept: 'text/csv' });
      expect(whole.body.split('\n').length).toBeGreaterThan(TICKETS);
      const before = rssKb();

      for (let n = 0; n < READERS; n += 1) readers.push(new SlowReader(url, '/v1/tickets', { authorization, accept: 'text/csv' }));
      await until(async () => readers.every(({ status }) => status !== undefined));
      const statuses = readers.map(({ status }) => status);
      expect(statuses.filter((status) => status === 200).length).toBe(TABLES);
      expect(statuses.filter((status) => status === 503).length).toBe(READERS - TABLES);
      const oldest: number[] = [];
      const grown: number[] = [];
      for (let look = 0; look < 12; look += 1) {
        await sleep(250);
        const { rows } = await cluster.pool.query<{ seconds: number }>(
          `select coalesce(max(extract(epoch from clock_timestamp() - xact_start)), 0)::float8 as seconds from pg_stat_activity
          where datname = current_database() and application_name = 'shiji'`,
        );
        oldest.push(rows[0]?.seconds ?? 0);
        grown.push(rssKb() - before);
        expect((await as('operations', 'olga').get('/v1/tickets?limit=5')).status).toBe(200);
      }
      process.stdout.write(
        `F24 ${READERS} slow readers: memory +${Math.max(...grown) >> 10} MB, oldest transaction ${Math.max(...oldest).toFixed(1)} s\n`,
      );
      expect(Math.max(...oldest.slice(4))).toBeLessThan(1);
      expect(Math.max(...grown)).toBeLessThan(TABLES * KB_A_TABLE);
      // Whoever comes in the ordinary way finds room again once one is through.
      for (const reader of readers.filter(({ status }) => status === 200).slice(0, 2)) reader.close();
      await until(async () => (await as('operations', 'olga').get('/v1/tickets', { accept: 'text/csv' })).status === 200);
      if (isFull) await until(async () => readers.every(({ ended }) => ended), 2 * SILENT_MS);
    } finally {
      for (const reader of readers) reader.close();
      await cluster.close();
    }
  },
  isFull ? 600_000 : 180_000,
);
