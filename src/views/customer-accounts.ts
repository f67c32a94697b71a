// Whose transactions belong to a customer: those of accounts that are or were theirs, by ownership or mandate; of what is over, only up to
// its end, so that nobody sees what the next owner does.
import type { Pool } from 'pg';
import { quoted, textArrayLiteral } from '../projections/engine/columns.ts';
import { LIVE_SCHEMA } from '../projections/engine/engine.ts';
import type { Progress } from '../projections/engine/progress.ts';
import type { AccountUntil } from '../projections/transactions/queries.ts';
import { SETTLE_MS, ViewNotSettled, viewedProjections } from './live.ts';
import { type PastParts, pastFold, type TwoTimes } from './past.ts';

export interface CustomerAccounts {
  readonly position: number;
  readonly accounts: readonly AccountUntil[];
}

interface Ownership {
  readonly account_id: string;
  readonly status: string | null;
  readonly until: string | null;
}

/** Now, or in a replay's schema at its position. Undefined where there is no such customer. */
export async function accountsNow(
  { pool, progress }: { readonly pool: Pool; readonly progress: Pick<Progress, 'waitUntil'> },
  customerId: string,
  replay?: { readonly schema: string; readonly position: number },
): Promise<CustomerAccounts | undefined> {
  const schema = quoted(replay?.schema ?? LIVE_SCHEMA);
  const { rows } = await pool.query<{ position: number; furthest: number; known: boolean; ownerships: Ownership[] }>(
    `with customer as materialized (select refs, position from ${schema}.customers where id = $1),
          own as materialized (select account_id, status, until, position from ${schema}.holdings
                                where kind = 'ownership' and customer_ref = any((select refs from customer)::text[]))
     select coalesce($2::bigint, (select min(position) from engine.checkpoints where projection = any($3::text[]))) as position,
            greatest((select position from customer), (select max(position) from own), 0) as furthest,
            exists (select from customer) as known, (select coalesce(json_agg(o), '[]') from own o) as ownerships`,
    [customerId, replay?.position ?? null, textArrayLiteral(viewedProjections)],
  );
  const [found] = rows;
  if (!found?.known) return undefined;
  if (replay === undefined && found.furthest > found.position && !(await progress.waitUntil(viewedProjections, found.furthest, SETTLE_MS)))
    throw new ViewNotSettled('the read models of a customer are not at one position');
  return { position: Math.max(found.position, replay ? 0 : found.furthest), accounts: accountsOf(found.ownerships) };
}

/** As of a moment of both times. */
export async function accountsPast(parts: PastParts, customerId: string, times: TwoTimes): Promise<CustomerAccounts | undefined> {
  const past = await pastFold(parts, customerId, times);
  return past && { position: past.known, accounts: accountsOf(past.own.filter(({ kind }) => kind === 'ownership')) };
}

/** Each account once, with the latest end; none where any ownership goes on. */
export function accountsOf(ownerships: readonly Ownership[]): AccountUntil[] {
  return [...Map.groupBy(ownerships, ({ account_id }) => account_id)].map(([id, all]) => {
    if (all.some(({ status }) => status === 'current')) return { id, until: null };
    return {
      id,
      until:
        all
          .map(({ until }) => until ?? '0001-01-01')
          .sort()
          .at(-1) ?? null,
    };
  });
}
