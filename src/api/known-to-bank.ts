// The one declared disclosure across relationship managers: whether an exact document is known to the bank, with no id, name or manager.
// It needs a purpose, is recorded like any read under a mark of its own, and that mark is what the daily limit counts.
import type { Pool } from 'pg';
import { documentNumberOf } from '../domain/customer/documents.ts';
import type { Actor } from '../domain/kernel/event.ts';
import { LIVE_SCHEMA } from '../projections/engine/engine.ts';
import type { SearchTokens } from '../projections/engine/search-tokens.ts';
import { Problem } from './problems.ts';

/** Answers a subject and day, by the bank's own calendar. */
const DAILY_LIMIT = 20;

export interface KnownToBankParts {
  readonly pool: Pool;
  readonly searchTokens: Pick<SearchTokens, 'queryTokens'>;
  readonly now: () => number;
  readonly zone: string;
}

export class KnownToBank {
  /** Among the fields of the record of reads. */
  static readonly MARK = 'document-known-to-bank';
  readonly #parts: KnownToBankParts;

  constructor(parts: KnownToBankParts) {
    this.#parts = parts;
  }

  /** Whether to say that it is known. Without a purpose nothing is said. @throws Problem TooManyRequests, known or not */
  async discloses(document: string, { subject }: Actor, purpose: string | undefined): Promise<boolean> {
    if (purpose === undefined) return false;
    const { pool, searchTokens, now, zone } = this.#parts;
    const midnight = Temporal.Instant.fromEpochMilliseconds(now()).toZonedDateTimeISO(zone).startOfDay();
    const used = await pool.query<{ used: number }>(
      `select count(*)::int as used from access.reads where subject = $1 and read_at >= $2 and fields @> array[$3]::text[]`,
      [subject, midnight.toInstant().toString(), KnownToBank.MARK],
    );
    if ((used.rows[0]?.used ?? 0) >= DAILY_LIMIT) {
      const seconds = Math.ceil((midnight.add({ days: 1 }).epochMilliseconds - now()) / 1_000);
      throw new Problem(
        'TooManyRequests',
        `The ${DAILY_LIMIT} answers a day on documents of others are used up: go on tomorrow, or ask operations.`,
        {
          headers: { 'retry-after': String(seconds) },
        },
      );
    }
    const [token] = searchTokens.queryTokens(documentNumberOf(document), 'exact');
    const known = await pool.query(`select 1 from ${LIVE_SCHEMA}.customers where documents @> array[$1]::bigint[] limit 1`, [token]);
    return known.rowCount === 1;
  }
}
