// The baseline of `commands-emmett`, a process of its own: the same route, token check and zod schema as the bare route's, and in it the
// same command, decided and evolved by our ticket, through Emmett's CommandHandler on its Postgres store. Emmett at its best: one store
// for each size of pool, its schema there before the first request, no projections.
import { CommandHandler, type Event } from '@event-driven-io/emmett';
import { getPostgreSQLEventStore } from '@event-driven-io/emmett-postgresql';
import pg from 'pg';
import { validatorCompiler } from '../../src/api/validation.ts';
import { createdIdOf, drawCommandId } from '../../src/commands/command-id.ts';
import { openTicket } from '../../src/commands/ticket.ts';
import { isRejection } from '../../src/domain/kernel/decider.ts';
import type { Actor } from '../../src/domain/kernel/event.ts';
import type { TicketFact } from '../../src/domain/ticket/events.ts';
import { type TicketState, ticket } from '../../src/domain/ticket/ticket.ts';
import { bareApp } from './bare-route.ts';
import { serve } from './child.ts';

export interface EmmettRoute {
  readonly databaseUrl: string;
  readonly jwtSecret: string;
  /** Each is a route of its own, `POST /tickets/<pool>`. */
  readonly pools: readonly number[];
  /** The texts of the event that ours appends, sealed: its store is given as many bytes. */
  readonly data: string;
  readonly metadata: string;
}

export interface EmmettRouteStarted {
  readonly url: string;
}

type TicketEvent = Event<TicketFact['type'], Record<string, unknown>, Record<string, unknown>>;

const ACTOR: Actor = { subject: 'bench', role: 'agent' };

if (import.meta.main) serve(start);

async function start({ databaseUrl, jwtSecret, pools, data, metadata }: EmmettRoute): Promise<EmmettRouteStarted> {
  const app = await bareApp(jwtSecret);
  app.setValidatorCompiler(validatorCompiler);
  const written = { data: JSON.parse(data) as Record<string, unknown>, metadata: JSON.parse(metadata) as Record<string, unknown> };
  // What the state needs of an event is not sealed.
  const evolve = (state: TicketState, event: TicketEvent): TicketState => ticket.evolve(state, event as unknown as TicketFact);
  const handle = CommandHandler<TicketState, TicketEvent>({ evolve, initialState: () => ticket.initialState });

  for (const [index, max] of pools.entries()) {
    const pool = new pg.Pool({ connectionString: databaseUrl, max, idleTimeoutMillis: 0 });
    const store = getPostgreSQLEventStore(databaseUrl, { schema: { autoMigration: 'None' }, connectionOptions: { pooled: true, pool } });
    if (index === 0) await store.schema.migrate();
    app.post(`/tickets/${max}`, { schema: { body: openTicket.body } }, async (request, reply) => {
      const id = createdIdOf(drawCommandId(Date.now()));
      const body = request.body as ReturnType<typeof openTicket.body.parse>;
      const context = { id, now: new Date().toISOString(), actor: ACTOR, zone: 'Asia/Shanghai', referred: [] };
      const result = await handle(store, `ticket-${id}`, (state) => {
        const decided = ticket.decide(openTicket.command({ params: {}, body }, context), state);
        if (isRejection(decided)) throw new Error(decided.detail);
        return decided.map(({ type }) => ({ type, ...written }));
      });
      reply.code(201);
      return { id, revision: Number(result.nextExpectedStreamVersion) };
    });
  }
  return { url: await app.listen({ host: '127.0.0.1', port: 0 }) };
}
