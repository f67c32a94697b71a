// The tags there are: those of the vocabulary, and those that customers have whom the reader may see, with how many have each.
import { type Kysely, type SelectQueryBuilder, type SqlBool, sql } from 'kysely';
import type { TagRow } from './tags.ts';

export interface TagTables {
  tags: TagRow;
}

export interface UsedTag extends Pick<TagRow, 'colour' | 'owner' | 'description' | 'expires_on'> {
  readonly tag: string;
  readonly tag_group: string | null;
  /** Of its entry; null for a free tag. */
  readonly revision: number | null;
  readonly customers: number;
}

export interface TagsAsked {
  /** A beginning of the tag. */
  readonly q?: string | undefined;
  readonly group?: string | undefined;
  /** Those of the vocabulary alone, or free ones alone. */
  readonly defined?: boolean | undefined;
}

/**
 * Unordered.
 * @param used a query of the column `tag`, a row for each customer that counts and tag of theirs
 */
export function usedTags(
  db: Kysely<TagTables>,
  used: SelectQueryBuilder<never, never, { tag: string }>,
  { q, group, defined }: TagsAsked,
): SelectQueryBuilder<{ used_tags: UsedTag }, 'used_tags', UsedTag> {
  const all = sql<UsedTag>`(
    select coalesce(t.tag, u.tag) as tag, t.colour, t.tag_group, t.owner, t.description, t.expires_on, t.revision, coalesce(u.customers, 0)::int as customers
      from ${sql.table('read.tags')} t full join (select tag, count(*) as customers from (${used}) one group by tag) u on u.tag = t.tag)`;
  let query = db.selectFrom(all.as('used_tags')).selectAll() as unknown as SelectQueryBuilder<{ used_tags: UsedTag }, 'used_tags', UsedTag>;
  if (q !== undefined) query = query.where(sql<SqlBool>`starts_with(tag, ${q})`);
  if (group !== undefined) query = query.where('tag_group', '=', group);
  if (defined !== undefined) query = query.where('revision', defined ? 'is not' : 'is', null);
  return query;
}
