// The SQL of one read model's table in one schema. Written once a table; what runs on every batch has a prepared name.
import { createHash } from 'node:crypto';
import { asText, columnsOf, type NamedColumn, parameterType, quoted, sqlType } from './columns.ts';
import type { Column, Projection, Table } from './projection.ts';

export interface Statement {
  readonly name: string;
  readonly text: string;
}

export interface TableSql {
  readonly columns: readonly NamedColumn[];
  readonly qualified: string;
  readonly create: string;
  readonly drop: string;
  readonly indexes: readonly string[];
  /** $1: keys, as a text array. Rows as texts, the key first. */
  readonly load: Statement;
  /** $1 on: one array a column, in the columns' order; used where rows are written without a checkpoint. */
  readonly upsert: string;
  readonly remove: string;
  readonly copy: string;
  /** Everything of a live batch at once: see `CommitParameters` for what goes in, `claimed` says whether the checkpoint was ours. */
  readonly commit: Statement;
  /** Every row as texts in the order of its key's bytes. */
  readonly scan: string;
}

/** The first parameters of `commit`; one array a column follows. */
export const COMMIT_PARAMETERS = [
  'projection',
  'from',
  'fence',
  'to',
  'last_event_id',
  'last_event_position',
  'last_event_stream',
  'last_event_revision',
  'chunks',
  'offered',
  'handled',
  'id_sums',
  'deleted',
] as const;

/** A twentieth of it dead, not a fifth, before it is vacuumed (docs/adr/0015). */
const VACUUM =
  'autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 500, autovacuum_analyze_scale_factor = 0.05, autovacuum_analyze_threshold = 1000';

export function tableSql(schema: string, projection: Projection): TableSql {
  const { table } = projection;
  const columns = columnsOf(table);
  const key = columns.find(({ name }) => name === table.key);
  if (!key) throw new Error(`table ${table.name} has no column ${table.key} for its key`);
  const qualified = `${quoted(schema)}.${quoted(table.name)}`;
  const names = columns.map(({ name }) => quoted(name)).join(', ');
  const keyType = sqlType(key.type);
  const texts = columns.map(asText).join(', ');
  const others = columns.filter(({ name }) => name !== table.key).map(({ name }) => `${quoted(name)} = excluded.${quoted(name)}`);
  const onConflict = `on conflict (${quoted(table.key)}) do ${others.length > 0 ? `update set ${others.join(', ')}` : 'nothing'}`;
  const insertFrom = (firstParameter: number): string => {
    const arrays = columns.map(({ type }, index) => `$${firstParameter + index}::${parameterType(type).array}`);
    const cells = columns.map(({ type }, index) => `r.c${index}${parameterType(type).cast}`);
    const aliases = columns.map((_, index) => `c${index}`);
    return `select ${cells.join(', ')} from unnest(${arrays.join(', ')}) as r(${aliases.join(', ')})`;
  };
  const first = COMMIT_PARAMETERS.length + 1;
  return {
    columns,
    qualified,
    create: `create table ${qualified} (${columns
      .map(
        ({ name, type, nullable }) =>
          `${quoted(name)} ${sqlType(type)}${nullable === true ? '' : ' not null'}${name === table.key ? ' primary key' : ''}`,
      )
      // Rows change a few times: room on the page keeps their versions together and the indexes untouched.
      .join(', ')}) with (fillfactor = 90, ${VACUUM})`,
    drop: `drop table if exists ${qualified}`,
    indexes: table.indexes.map((index, number) => `create index if not exists ${quoted(indexName(table, number))} on ${qualified} ${index}`),
    load: named('load', schema, projection, `select ${asText(key)}, ${texts} from ${qualified} where ${quoted(table.key)} = any($1::${keyType}[])`),
    upsert: `insert into ${qualified} (${names}) ${insertFrom(1)} ${onConflict}`,
    remove: `delete from ${qualified} where ${quoted(table.key)} = any($1::${keyType}[])`,
    copy: `copy ${qualified} (${names}) from stdin`,
    commit: named(
      'commit',
      schema,
      projection,
      // set_config(…, true) is `set local`: rows, checkpoint and receipt are lost or kept together, and can be made again, so the answer
      // need not wait for the disk.
      `with asynchronous as materialized (select set_config('synchronous_commit', 'off', true) as setting),
            claimed as (
              update engine.checkpoints
                 set position = $4, updated_at = clock_timestamp(), last_event_id = coalesce($5, last_event_id),
                     last_event_position = coalesce($6, last_event_position), last_event_stream = coalesce($7, last_event_stream),
                     last_event_revision = coalesce($8, last_event_revision)
               where projection = $1 and position = $2 and fence = $3 and not paused returning 1),
            receipts as (
              insert into engine.receipts as s (projection, chunk, offered, handled, id_sum)
                select $1, r.chunk, r.offered, r.handled, r.id_sum
                  from unnest($9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[]) as r(chunk, offered, handled, id_sum)
                 where exists (select from claimed)
              on conflict (projection, chunk) do update
                set offered = s.offered + excluded.offered, handled = s.handled + excluded.handled,
                    id_sum = (s.id_sum + excluded.id_sum) % 281474976710656),
            deleted as (
              delete from ${qualified} where ${quoted(table.key)} = any($13::${keyType}[]) and exists (select from claimed)),
            written as (
              insert into ${qualified} (${names}) ${insertFrom(first)} where exists (select from claimed) ${onConflict})
       select (select setting from asynchronous) as setting, (select count(*)::int from claimed) as claimed`,
    ),
    scan: scanOf(schema, table, columns),
  };
}

/** Every row as texts, its key before the columns, in the order of the key's bytes. */
export function scanOf(schema: string, table: Table, columns: readonly NamedColumn[]): string {
  const key = asText({ name: table.key, ...(table.columns[table.key] as Column) });
  const texts = [`${key} collate "C"`, ...columns.map(asText)].join(', ');
  return `select ${texts} from ${quoted(schema)}.${quoted(table.name)} order by ${key} collate "C"`;
}

/** Another digest is another table: what stands is built anew. */
export function shapeOf(table: Table): string {
  const columns = columnsOf(table).map(({ name, type, nullable }) => [name, type, nullable === true]);
  return createHash('sha256')
    .update(JSON.stringify([table.name, table.key, columns, table.indexes]))
    .digest('hex');
}

function indexName(table: Table, number: number): string {
  return `${table.name.slice(0, 54)}_${number + 1}_index`;
}

/** Postgres cuts a prepared name at 63 bytes, and another text under one name is refused: so the digest stands in it. */
function named(verb: string, schema: string, { name }: Projection, text: string): Statement {
  const digest = createHash('sha256').update(text).digest('base64url').slice(0, 12);
  return { name: `${verb}/${schema.slice(0, 12)}.${name.slice(0, 24)}/${digest}`, text };
}
