// The claims' table by itself: what is kept, what is given back, and that nobody waits for ever.
import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PostgresClaims } from '../../src/claims/postgres-claims.ts';
import type { TakenClaims } from '../../src/commands/claims.ts';
import type { Claim } from '../../src/commands/command.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let pool: Pool;
let claims: PostgresClaims;
beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool({ url: database.url, max: 8, applicationName: 'shiji-test', role: 'shiji_app' });
  claims = new PostgresClaims(pool, Buffer.alloc(32, 7));
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const claim = (): Claim => ({ kind: 'document', value: `passport|CN|${randomUUID()}` });
const taken = async (holder: string, wanted: readonly Claim[]): Promise<TakenClaims> => {
  const taking = await claims.take(holder, wanted);
  if ('heldBy' in taking) throw new Error(`held by ${taking.heldBy}`);
  return taking;
};

describe('a claim', () => {
  it('stands in the table as a hash that another key makes otherwise', async () => {
    const one = claim();
    await taken('a', [one]);
    const { rows } = await pool.query<{ row: string }>(`select h::text || encode(h.hash, 'escape') as row from claims.holders h where holder = 'a'`);
    expect(rows).toHaveLength(1);
    expect(rows[0]?.row).not.toContain(one.value);
    expect(await new PostgresClaims(pool, Buffer.alloc(32, 8)).holderOf([one])).toStrictEqual([undefined]);
    expect(await claims.holderOf([{ ...one, kind: 'source' }, one])).toStrictEqual([undefined, 'a']);
    expect(() => new PostgresClaims(pool, Buffer.alloc(16))).toThrow('32 bytes');
  });

  it('of another takes nothing, and says which one it was', async () => {
    const [free, held] = [claim(), claim()];
    await taken('b', [held]);
    expect(await claims.take('c', [free, held])).toStrictEqual({ heldBy: 'b', index: 1 });
    expect(await claims.holderOf([free, held])).toStrictEqual([undefined, 'b']);
  });

  it('asked for twice in one breath, or again, is had once', async () => {
    const one = claim();
    expect((await taken('d', [one, one])).fresh).toHaveLength(1);
    expect((await taken('d', [one])).fresh).toHaveLength(0);
  });

  it('is given back only by the taking that got it', async () => {
    const [one, two] = [claim(), claim()];
    await taken('e', [one]);
    const second = await taken('e', [one, two]);
    await claims.release(second);
    expect(await claims.holderOf([one, two])).toStrictEqual(['e', undefined]);
    const third = await taken('e', [two]);
    await taken('e', [two]);
    await claims.release(third);
    expect(await claims.holderOf([two])).toStrictEqual(['e']);
  });

  it('that was taken anew since is not freed with those from before', async () => {
    const [old, renewed] = [claim(), claim()];
    await taken('f', [old, renewed]);
    const last = await claims.lastTaken('f');
    expect(last?.ageMs).toBeGreaterThanOrEqual(0);
    await taken('f', [renewed]);
    await claims.drop('f', last?.at ?? '');
    expect(await claims.holderOf([old, renewed])).toStrictEqual([undefined, 'f']);
    expect(await claims.lastTaken('nobody')).toBeUndefined();
  });

  it('is had by one of two who want the same ones the other way round, time and again', async () => {
    for (let turn = 0; turn < 60; turn += 1) {
      const wanted = [claim(), claim(), claim()];
      const takings = await Promise.all(
        Array.from({ length: 8 }, (_, index) => claims.take(`${turn}-${index}`, index % 2 ? wanted : wanted.toReversed())),
      );
      const winners = takings.filter((taking) => 'fresh' in taking);
      expect(winners).toHaveLength(1);
      const holders = new Set(await claims.holderOf(wanted));
      expect([...holders]).toStrictEqual([winners[0] && 'holder' in winners[0] ? winners[0].holder : undefined]);
    }
  });
});
