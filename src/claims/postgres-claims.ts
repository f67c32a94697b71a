// Claims in Postgres, on either journal (migrations/0006-claims.sql). A claim is kept as a keyed hash: who has the table and not the key
// can't try documents against it.
import { createHmac } from 'node:crypto';
import type { Pool } from 'pg';
import type { Claims, HeldClaim, LastTaken, TakenClaims } from '../commands/claims.ts';
import type { Claim } from '../commands/command.ts';

const sql = {
  holders: { name: 'claims/holders', text: 'select hash, holder from claims.holders where hash = any($1::bytea[])' },
  take: { name: 'claims/take', text: 'select hash, held_by, taken from claims.take($1, $2::bytea[])' },
  release: {
    name: 'claims/release',
    text: `delete from claims.holders h using unnest($2::bytea[], $3::timestamptz[]) as w(hash, taken_at)
            where h.hash = w.hash and h.taken_at = w.taken_at and h.holder = $1`,
  },
  last: {
    name: 'claims/last',
    text: `select max(taken_at)::text as at, extract(epoch from clock_timestamp() - max(taken_at))::float8 * 1000 as age_ms
             from claims.holders where holder = $1`,
  },
  free: { name: 'claims/free', text: 'delete from claims.holders where holder = $1 and hash = any($2::bytea[])' },
  drop: { name: 'claims/drop', text: 'delete from claims.holders where holder = $1 and taken_at <= $2::timestamptz' },
} as const;

export class PostgresClaims implements Claims {
  readonly #pool: Pool;
  readonly #key: Buffer;

  /** @param key of 32 bytes, the same in every process; another one is another table's (rebuild.ts) */
  constructor(pool: Pool, key: Buffer) {
    if (key.length < 32) throw new RangeError('the key of the claims has at least 32 bytes');
    this.#pool = pool;
    this.#key = key;
  }

  hashOf({ kind, value }: Claim): Buffer {
    return createHmac('sha256', this.#key).update(`${kind}\n${value}`).digest();
  }

  async holderOf(claims: readonly Claim[]): Promise<readonly (string | undefined)[]> {
    if (claims.length === 0) return [];
    const hashes = claims.map((claim) => this.hashOf(claim));
    const { rows } = await this.#pool.query<{ hash: Buffer; holder: string }>({ ...sql.holders, values: [hashes] });
    const holders = new Map(rows.map(({ hash, holder }) => [hash.toString('hex'), holder]));
    return hashes.map((hash) => holders.get(hash.toString('hex')));
  }

  async take(holder: string, claims: readonly Claim[]): Promise<TakenClaims | HeldClaim> {
    const hashes = claims.map((claim) => this.hashOf(claim));
    const distinct = [...new Map(hashes.map((hash) => [hash.toString('hex'), hash])).values()];
    const { rows } = await this.#pool.query<{ hash: Buffer; held_by: string | null; taken: string | null }>({
      ...sql.take,
      values: [holder, distinct],
    });
    const held = rows.find(({ held_by }) => held_by !== null);
    if (held?.held_by) return { heldBy: held.held_by, index: hashes.findIndex((hash) => hash.equals(held.hash)) };
    return { holder, fresh: rows.map(({ hash, taken }) => ({ hash, takenAt: taken ?? '' })) };
  }

  async release({ holder, fresh }: TakenClaims): Promise<void> {
    if (fresh.length === 0) return;
    await this.#pool.query({ ...sql.release, values: [holder, fresh.map(({ hash }) => hash), fresh.map(({ takenAt }) => takenAt)] });
  }

  async lastTaken(holder: string): Promise<LastTaken | undefined> {
    const { rows } = await this.#pool.query<{ at: string | null; age_ms: number | null }>({ ...sql.last, values: [holder] });
    const { at = null, age_ms = null } = rows[0] ?? {};
    return at === null || age_ms === null ? undefined : { at, ageMs: age_ms };
  }

  async free(holder: string, claims: readonly Claim[]): Promise<void> {
    await this.#pool.query({ ...sql.free, values: [holder, claims.map((claim) => this.hashOf(claim))] });
  }

  async drop(holder: string, until: string): Promise<void> {
    await this.#pool.query({ ...sql.drop, values: [holder, until] });
  }
}
