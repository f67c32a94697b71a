// The baseline of `view-360`, a process of its own: a bare Fastify route that sends what a table has by its primary key, one prepared
// SELECT. The table holds the very answers of the product, so both send the same bytes; nothing is recorded, masked or put together.
import pg from 'pg';
import { bareApp } from './bare-route.ts';
import { serve } from './child.ts';

export interface BareView {
  readonly databaseUrl: string;
  readonly jwtSecret: string;
  /** Each is a route of its own, `GET /<pool>/<id>`. */
  readonly pools: readonly number[];
  readonly answers: readonly { readonly id: string; readonly body: string }[];
}

export interface BareViewStarted {
  readonly url: string;
}

const ROWS_A_STATEMENT = 500;

if (import.meta.main) serve(start);

async function start({ databaseUrl, jwtSecret, pools, answers }: BareView): Promise<BareViewStarted> {
  const setup = new pg.Client({ connectionString: databaseUrl });
  await setup.connect();
  await setup.query('create table answers (id uuid primary key, body text not null)');
  for (let from = 0; from < answers.length; from += ROWS_A_STATEMENT) {
    const rows = answers.slice(from, from + ROWS_A_STATEMENT);
    await setup.query('insert into answers (id, body) select * from unnest($1::uuid[], $2::text[])', [
      rows.map(({ id }) => id),
      rows.map(({ body }) => body),
    ]);
  }
  await setup.query('vacuum (analyze) answers');
  await setup.end();

  const app = await bareApp(jwtSecret);
  for (const max of pools) {
    const pool = new pg.Pool({ connectionString: databaseUrl, max, idleTimeoutMillis: 0 });
    app.get<{ Params: { id: string } }>(`/${max}/:id`, async (request, reply) => {
      const { rows } = await pool.query<{ body: string }>({
        name: 'view',
        text: 'select body from answers where id = $1',
        values: [request.params.id],
      });
      const [row] = rows;
      if (!row) return reply.code(404).send();
      return reply.type('application/json; charset=utf-8').send(row.body);
    });
  }
  return { url: await app.listen({ host: '127.0.0.1', port: 0 }) };
}
