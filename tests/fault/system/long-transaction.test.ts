// A transaction that someone leaves open shows in the figures for Prometheus, whoever has it.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Cluster } from '../../support/cluster.ts';

it('F10 long transaction: its age is a figure to alarm by, and falls when it ends', async () => {
  const cluster = await Cluster.open();
  try {
    const { url } = await cluster.start('all');
    const oldest = async (): Promise<number> => {
      const text = await (await fetch(new URL('/metrics', url))).text();
      return Number(/^shiji_database_oldest_transaction_seconds (\S+)$/m.exec(text)?.[1]);
    };
    expect(await oldest()).toBeLessThan(1.5);
    const other = await cluster.pool.connect();
    await other.query('begin; select 1');
    await sleep(2_000);
    expect(await oldest()).toBeGreaterThanOrEqual(2);
    await other.query('rollback');
    other.release();
    expect(await oldest()).toBeLessThan(1.5);
  } finally {
    await cluster.close();
  }
}, 60_000);
