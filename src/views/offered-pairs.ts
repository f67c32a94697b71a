// Which possible pairs of a customer are still offered: one that a person found different is not, whichever past is asked about.
import type { Pool } from 'pg';
import { pairOf } from '../domain/matching/pair.ts';
import { codeOf, UNDEFINED_TABLE } from '../postgres/sqlstate.ts';
import { textArrayLiteral } from '../projections/engine/columns.ts';
import { LIVE_SCHEMA } from '../projections/engine/engine.ts';

const different = {
  name: 'views/pairs-found-different',
  text: `select id from ${LIVE_SCHEMA}.pairs where id = any($1::text[]) and status = 'different'`,
};

/** Of the others those that are offered, in their order. */
export async function offeredPairs(pool: Pool, customerId: string, others: readonly string[]): Promise<readonly string[]> {
  if (others.length === 0) return others;
  try {
    const { rows } = await pool.query<{ id: string }>({ ...different, values: [textArrayLiteral(others.map((other) => pairOf(customerId, other)))] });
    const left = new Set(rows.map(({ id }) => id));
    return others.filter((other) => !left.has(pairOf(customerId, other)));
  } catch (error) {
    // Not built yet: nothing was decided that this program could tell.
    if (codeOf(error) === UNDEFINED_TABLE) return others;
    throw error;
  }
}
