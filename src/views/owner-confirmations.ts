// Who a firm's beneficial owners are as persons confirmed: what counts on a day is the newest day's confirmation that is not after it, and
// of the same day the one confirmed last.
import type { Pool } from 'pg';
import { LIVE_SCHEMA } from '../projections/engine/engine.ts';
import type { ConfirmedOwnerCell } from '../projections/owner-confirmations/owner-confirmations.ts';

export interface Confirmation {
  readonly revision: number;
  /** `YYYY-MM-DD` */
  readonly from: string;
  readonly owners: readonly { readonly party: string; readonly basis: string; readonly percent: string | null; readonly relation: string | null }[];
  readonly methods: string[];
  /** A sealed line. */
  readonly evidence: string | null;
  readonly reviewDueOn: string;
  readonly confirmedBy: string;
  readonly confirmedAs: string;
  readonly confirmedAt: string;
}

interface StoredConfirmation {
  readonly from_on: string;
  readonly owners: string;
  readonly methods: string[];
  readonly evidence: string | null;
  readonly review_due_on: string;
  readonly confirmed_by: string;
  readonly confirmed_role: string;
  readonly confirmed_at: string;
  readonly revision: number;
}

const statement = {
  name: 'views/owner-confirmations',
  text: `select from_on, owners, methods, evidence, review_due_on, confirmed_by, confirmed_role, confirmed_at, revision
           from ${LIVE_SCHEMA}.owner_confirmations where customer_id = $1 and position <= $2
          order by from_on desc, position desc`,
};

/** The first whose day is not after the one asked about is the one that counts. */
export async function confirmationsOf(pool: Pool, customerId: string, known: number): Promise<readonly Confirmation[]> {
  const { rows } = await pool.query<StoredConfirmation>({ ...statement, values: [customerId, known] });
  return rows.map((row) => ({
    revision: row.revision,
    from: row.from_on,
    owners: (JSON.parse(row.owners) as ConfirmedOwnerCell[]).map(({ party, basis, percent = null, relation = null }) => ({
      ...{ party, basis, percent, relation },
    })),
    methods: row.methods,
    evidence: row.evidence,
    reviewDueOn: row.review_due_on,
    confirmedBy: row.confirmed_by,
    confirmedAs: row.confirmed_role,
    confirmedAt: row.confirmed_at,
  }));
}
