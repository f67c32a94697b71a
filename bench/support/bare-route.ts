// The baseline of `commands`, a process of its own: what one would write without any of this. A bare Fastify route, the same JWT
// (checked once, then from @fastify/jwt's cache) and zod schema, and one prepared, pooled INSERT of as many bytes as our event has.
// Where it could be slower or faster it is the faster: synchronous hooks, time-ordered ids, no logging, no security headers.
import jwtPlugin from '@fastify/jwt';
import { type FastifyInstance, fastify } from 'fastify';
import pg from 'pg';
import { validatorCompiler } from '../../src/api/validation.ts';
import { drawCommandId } from '../../src/commands/command-id.ts';
import { openTicket } from '../../src/commands/ticket.ts';
import { serve } from './child.ts';

export interface BareRoute {
  readonly databaseUrl: string;
  readonly jwtSecret: string;
  /** Each is a route of its own, `POST /rows/<pool>`. */
  readonly pools: readonly number[];
  /** The texts of one event of ours, to be inserted as they are: as many bytes, and no better to compress. */
  readonly data: string;
  readonly metadata: string;
}

export interface BareRouteStarted {
  readonly url: string;
}

if (import.meta.main) serve(start);

async function start({ databaseUrl, jwtSecret, pools, data, metadata }: BareRoute): Promise<BareRouteStarted> {
  const setup = new pg.Client({ connectionString: databaseUrl });
  await setup.connect();
  await setup.query('create table rows (id uuid primary key, data text not null, metadata text not null)');
  await setup.end();

  const app = await bareApp(jwtSecret);
  app.setValidatorCompiler(validatorCompiler);
  for (const max of pools) {
    const pool = new pg.Pool({ connectionString: databaseUrl, max, idleTimeoutMillis: 0 });
    app.post(`/rows/${max}`, { schema: { body: openTicket.body } }, async (_request, reply) => {
      const id = drawCommandId(Date.now());
      await pool.query({ name: 'insert', text: 'insert into rows (id, data, metadata) values ($1, $2, $3)', values: [id, data, metadata] });
      reply.code(201);
      return { id };
    });
  }
  return { url: await app.listen({ host: '127.0.0.1', port: 0 }) };
}

/** No route yet, the token checked before each. */
export async function bareApp(jwtSecret: string): Promise<FastifyInstance> {
  const app = fastify({ logger: false });
  await app.register(jwtPlugin, {
    secret: jwtSecret,
    verify: { algorithms: ['HS256'], allowedIss: 'shiji', allowedAud: 'shiji', requiredClaims: ['iss', 'aud', 'exp', 'sub'], cache: true },
  });
  app.addHook('onRequest', (request, _reply, done) => {
    try {
      app.jwt.verify((request.headers.authorization ?? '').slice('Bearer '.length));
      done();
    } catch (error) {
      done(error as Error);
    }
  });
  return app;
}
