// A projector that freezes in the middle of a transaction of its own, while it begins or builds a read model, is followed within 10 s.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { until } from '../support/client.ts';
import { Cluster } from '../support/cluster.ts';
import { spawnServer } from '../support/server.ts';
import { caughtUp } from '../support/whole.ts';

it('a projector frozen in a transaction of a build is followed by another (E11 F11)', async () => {
  const cluster = await Cluster.open();
  const api = await cluster.start('api');
  const line = { type: 'complaint', priority: 'high', channel: 'web', summary: 'Card lost', receivedAt: '2025-11-03T09:00:00Z', closed: true };
  const lines = Array.from({ length: 12_000 }, (_, n) => JSON.stringify({ source: { system: 'old', id: `${n}` }, ...line }));
  await api.as('integration', 'old').post('/v1/feeds/tickets', lines.join('\n'), { 'content-type': 'application/x-ndjson' });
  const frozen = spawnServer({ dataDir: cluster.folder, env: { ...cluster.settings, DATABASE_POOL: '8' }, args: ['--role', 'projector'] });
  try {
    await sleep(400);
    await until(async () => {
      frozen.kill('SIGCONT');
      await sleep(6);
      frozen.kill('SIGSTOP');
      await sleep(30);
      const { rows } = await cluster.pool.query(
        `select from pg_stat_activity where datname = current_database() and application_name = 'shiji-projector' and state = 'idle in transaction'
            and query like '%engine.checkpoints%'`,
      );
      return rows.length > 0;
    });
    const next = cluster.start('projector');
    next.catch(() => {});
    await caughtUp(cluster.pool, 15_000);
    await next;
    expect(cluster.messagesOf(await next)).toContain('a read model was built');
  } finally {
    frozen.kill('SIGKILL');
    await cluster.close();
  }
}, 90_000);
