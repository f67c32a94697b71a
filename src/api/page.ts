// One page of a list by keyset: the rows after the last one's sort values, so that no row is skipped or shown twice while others
// come and go, and a late page costs what the first does. Null sorts as Postgres has it, above every value.
import { type SelectQueryBuilder, sql } from 'kysely';
import { z } from 'zod';
import type { SortValues } from './cursors.ts';

export interface SortColumn {
  /** As SQL names it: `id`, `ticket.due_at`. */
  readonly column: string;
  readonly direction: 'asc' | 'desc';
  readonly nullable?: true;
}

/** Parameters of every list; spread into its query schema. */
export const pageParameters = {
  limit: z.coerce.number().int().min(1).max(500).default(50).meta({ description: 'Most items of one page' }),
  cursor: z.string().min(1).max(4096).optional().meta({ description: '`next` of the page before' }),
  count: z
    .enum(['true', 'false'])
    .default('false')
    .transform((count) => count === 'true')
    .meta({ description: 'Whether to tell the total as well' }),
};

export interface PageParameters {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly count: boolean;
}

export interface PageOf<Row> {
  readonly items: readonly Row[];
  /** Sort values of the last row where more follow. */
  readonly next: SortValues | undefined;
  readonly total: number | undefined;
}

export interface PageRequest<DB, TB extends keyof DB, Row> {
  /** Without order and limit. With `count`, without grouping. */
  readonly query: SelectQueryBuilder<DB, TB, Row>;
  /** The last column is unique and never null. */
  readonly sort: readonly [SortColumn, ...SortColumn[]];
  readonly limit: number;
  readonly after?: SortValues | undefined;
  readonly count: boolean;
}

export async function pageOf<DB, TB extends keyof DB, Row>({ query, sort, limit, after, count }: PageRequest<DB, TB, Row>): Promise<PageOf<Row>> {
  let paged = after === undefined ? query : query.where(isAfter(sort, after));
  for (const { column, direction } of sort) paged = paged.orderBy(sql`${sql.ref(column)} ${direction === 'asc' ? sql`asc` : sql`desc`}`);
  const keyed = paged
    // As text, so that a cursor holds each value exactly: a timestamp read by us has lost its microseconds.
    .select(sort.map(({ column }, index) => sql<string | null>`${sql.ref(column)}::text`.as(`${KEY}${index}`)))
    .limit(limit + 1);
  const [rows, total] = await Promise.all([keyed.execute(), count ? countOf(query) : undefined]);
  const shown = rows.slice(0, limit) as Record<string, unknown>[];
  const last = rows.length > limit ? shown.at(-1) : undefined;
  const next = last && sort.map((_, index) => last[`${KEY}${index}`] as string | null);
  for (const row of shown) for (const index of sort.keys()) delete row[`${KEY}${index}`];
  return { items: shown as Row[], next, total };
}

const KEY = 'page_key_';

async function countOf<DB, TB extends keyof DB, Row>(query: SelectQueryBuilder<DB, TB, Row>): Promise<number> {
  const row = await query.clearSelect().select(sql<string>`count(*)::text`.as('total')).executeTakeFirstOrThrow();
  return Number((row as { total: string }).total);
}

function isAfter(sort: readonly SortColumn[], values: SortValues) {
  const [first] = sort;
  const plain = sort.every(({ nullable, direction }) => !nullable && direction === first?.direction);
  if (plain) {
    // One comparison of rows: an index serves it as a range.
    const columns = sql.join(sort.map(({ column }) => sql.ref(column)));
    return sql<boolean>`(${columns}) ${first?.direction === 'asc' ? sql`>` : sql`<`} (${sql.join(values)})`;
  }
  const branches = sort.map(
    (_, index) =>
      sql`(${sql.join([...sort.slice(0, index).map(equalTo(values)), beyond(sort[index] as SortColumn, values[index] ?? null)], sql` and `)})`,
  );
  const either = sql`(${sql.join(branches, sql` or `)})`;
  if (first === undefined || first.nullable) return sql<boolean>`${either}`;
  // Follows from the rest, and lets an index on the first column start at the right place.
  return sql<boolean>`${sql.ref(first.column)} ${first.direction === 'asc' ? sql`>=` : sql`<=`} ${values[0]} and ${either}`;
}

function equalTo(values: SortValues) {
  return ({ column }: SortColumn, index: number) =>
    values[index] === null ? sql`${sql.ref(column)} is null` : sql`${sql.ref(column)} = ${values[index]}`;
}

function beyond({ column, direction, nullable }: SortColumn, value: string | null) {
  const ref = sql.ref(column);
  if (direction === 'asc') {
    if (value === null) return sql`false`;
    return nullable ? sql`(${ref} > ${value} or ${ref} is null)` : sql`${ref} > ${value}`;
  }
  return value === null ? sql`${ref} is not null` : sql`${ref} < ${value}`;
}
