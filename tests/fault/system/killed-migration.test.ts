// A migration whose connection dies at a statement of its file: nothing of the file stays, and the next start brings the same schema as if
// nothing had been. One statement of each file, drawn; all of them under SHIJI_TEST_SIZE=full.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrate } from '../../../src/postgres/migrate.ts';
import { isFull } from '../../support/cluster.ts';
import { createTestDatabase } from '../../support/database.ts';

const released = join(import.meta.dirname, '../../../src/postgres/migrations');
const files = readdirSync(released).filter((name) => name.endsWith('.sql'));
const KILL = 'select pg_terminate_backend(pg_backend_pid());';

/** Statements as Postgres would part them: a semicolon within quotes, a body or a comment ends none. */
function statementsOf(sql: string): string[] {
  const parts = sql.match(/(?:--[^\n]*|\$(\w*)\$[\s\S]*?\$\1\$|'(?:[^']|'')*'|[^;])+;?/g) ?? [];
  return parts.filter((part) => part.replace(/--[^\n]*/g, '').trim() !== '');
}

async function looking<T>(url: string, look: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await look(client);
  } finally {
    await client.end();
  }
}

/** Everything that migrations make, as text: relations, columns, constraints, indexes, functions, triggers, rights. */
async function schemaOf(url: string): Promise<string> {
  const { rows } = await looking(url, (client) =>
    client.query<{ line: string }>(`
      with ours as (select oid, nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema')
      select line from (
        select format('relation %s.%s %s %s', nspname, relname, relkind, relacl) as line from pg_class c join ours n on n.oid = relnamespace
        union all select format('column %s %s %s %s %s', attrelid::regclass, attnum, attname, atttypid::regtype, attnotnull)
          from pg_attribute join pg_class c on c.oid = attrelid join ours n on n.oid = relnamespace where attnum > 0
        union all select format('constraint %s %s', conrelid::regclass, pg_get_constraintdef(k.oid)) from pg_constraint k join ours n on n.oid = connamespace
        union all select format('index %s', indexdef) from pg_indexes where schemaname in (select nspname from ours)
        union all select format('function %s %s', pg_get_functiondef(p.oid), proacl) from pg_proc p join ours n on n.oid = pronamespace where prokind = 'f' and probin is null
        union all select format('trigger %s', pg_get_triggerdef(t.oid)) from pg_trigger t where not tgisinternal
        union all select format('schema %s %s', nspname, nspacl) from pg_namespace where oid in (select oid from ours)
      ) lines order by line`),
  );
  return rows.map(({ line }) => line).join('\n');
}

describe('F29 a migration killed at a statement', () => {
  let expected: string;

  beforeAll(async () => {
    const database = await createTestDatabase({ migrated: false });
    await migrate({ url: database.ownerUrl });
    expected = await schemaOf(database.ownerUrl);
    await database.drop();
    expect(expected.split('\n').length).toBeGreaterThan(100);
  });
  const folder = mkdtempSync(join(tmpdir(), 'shiji-killed-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(files)(
    'of %s leaves nothing of it, and the next start completes',
    async (file) => {
      const statements = statementsOf(readFileSync(join(released, file), 'utf8'));
      // Also after the last one, before its row in the table of migrations.
      const all = Array.from({ length: statements.length + 1 }, (_, before) => before);
      const drawn = isFull ? all : [all[Math.floor(Math.random() * all.length)] as number];
      for (const before of drawn) {
        const told = `${file}, killed before statement ${before + 1} of ${statements.length}`;
        const own = join(folder, `${file}-${before}`);
        cpSync(released, own, { recursive: true });
        for (const later of files.filter((name) => name > file)) rmSync(join(own, later));
        writeFileSync(join(own, file), [...statements.slice(0, before), KILL, ...statements.slice(before)].join('\n'));
        const database = await createTestDatabase({ migrated: false });
        await expect(migrate({ url: database.ownerUrl, folder: own }), told).rejects.toThrow(`the migration ${file} failed`);
        const version = await looking(
          database.ownerUrl,
          async (client) => (await client.query('select max(number) as version from migrations')).rows,
        );
        expect(version, told).toStrictEqual([{ version: Number(file.slice(0, 4)) - 1 || null }]);
        await migrate({ url: database.ownerUrl });
        expect(await schemaOf(database.ownerUrl), told).toBe(expected);
        await database.drop();
      }
    },
    isFull ? 600_000 : 60_000,
  );
});
