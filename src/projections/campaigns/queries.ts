// What may be asked of the campaign list. Campaigns are the bank's own, so every reader sees every one; whose enrolments are counted is
// enrolments/queries.ts.
import { type Kysely, type SelectQueryBuilder, sql } from 'kysely';
import type { CampaignRow } from './campaigns.ts';

export interface CampaignTables {
  campaigns: CampaignRow;
}

export interface CampaignFilter {
  readonly status?: string | undefined;
  /** A part of the name, whatever its case. */
  readonly q?: string | undefined;
}

/** The campaigns that match; unordered. */
export function campaignsOf(db: Kysely<CampaignTables>, { status, q }: CampaignFilter): SelectQueryBuilder<CampaignTables, 'campaigns', CampaignRow> {
  let query = db.selectFrom('campaigns').selectAll();
  if (status !== undefined) query = query.where('status', '=', status);
  // Not `ilike`: what is looked for may hold its wildcards.
  if (q !== undefined) query = query.where(sql<boolean>`strpos(lower(name), lower(${q})) > 0`);
  return query;
}

export async function campaignOf(db: Kysely<CampaignTables>, id: string): Promise<CampaignRow | undefined> {
  return db.selectFrom('campaigns').selectAll().where('id', '=', id).executeTakeFirst();
}
