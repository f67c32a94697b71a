// What may be asked of transactions: those of some accounts, newest first, page by page, under a cut of both times.
import type { Pool } from 'pg';
import { quoted, textArrayLiteral } from '../engine/columns.ts';

/** An account, and up to which day its transactions are theirs to see. */
export interface AccountUntil {
  readonly id: string;
  /** `YYYY-MM-DD`, inclusive; null where it has no end. */
  readonly until: string | null;
}

export interface TransactionFilter {
  readonly accounts: readonly AccountUntil[];
  /** Booked from and to these days, inclusive both. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly direction?: string | undefined;
  readonly category?: string | undefined;
  /** The world's time: booked by this day, or started by this instant. */
  readonly bookedBy?: string | undefined;
  readonly startedBy?: string | undefined;
  /** The bank's knowledge: nothing recorded after this position counts. */
  readonly position: number;
  /** Where the page before ended: start (as Postgres prints it) and position. */
  readonly after?: readonly [string, string] | undefined;
  readonly limit: number;
}

/** One more than the limit where more follow; `Row` has the columns asked for, and the keys that `after` takes. */
export async function transactionsOf<Row>(
  pool: Pool,
  schema: string,
  columns: readonly string[],
  { accounts, from, to, direction, category, bookedBy, startedBy, position, after, limit }: TransactionFilter,
): Promise<(Row & { readonly starts_key: string; readonly position_key: string })[]> {
  const { rows } = await pool.query<Row & { starts_key: string; position_key: string }>({
    text: `
    select l.* from unnest($1::text[], $2::text[]) as a(id, until)
      cross join lateral (
        select ${columns.map((column) => `t.${quoted(column)}`).join(', ')}, t.starts_at::text as starts_key, t.position::text as position_key,
               t.starts_at as by_start
          from ${quoted(schema)}.transactions t
         where t.account_id = a.id and t.kind = 'posted' and t.position <= $3 and (t.void_position is null or t.void_position > $3)
           and (a.until = '' or t.booked_on <= nullif(a.until, '')::date)
           and ($4::date is null or t.booked_on >= $4) and ($5::date is null or t.booked_on <= $5)
           and ($6::text is null or t.direction = $6) and ($7::text is null or t.category = $7)
           and ($8::date is null or t.booked_on <= $8) and ($9::timestamptz is null or t.starts_at <= $9)
           and (t.starts_at, t.position) < (coalesce($10::timestamptz, 'infinity'), coalesce($11::bigint, 9223372036854775807))
         order by t.starts_at desc, t.position desc limit $12) l
     order by l.by_start desc, l.position_key::bigint desc limit $12`,
    values: [
      textArrayLiteral(accounts.map(({ id }) => id)),
      textArrayLiteral(accounts.map(({ until }) => until ?? '')),
      position,
      from ?? null,
      to ?? null,
      direction ?? null,
      category ?? null,
      bookedBy ?? null,
      startedBy ?? null,
      after?.[0] ?? null,
      after?.[1] ?? null,
      limit + 1,
    ],
  });
  return rows;
}
