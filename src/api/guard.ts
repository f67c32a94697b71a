// What every request passes first, in one synchronous hook a route: who asks, whether that role may, whether not too often, and whom
// they have in front of them (sights.ts).
// A route says its roles in its options; one that says neither roles nor `public` keeps the server from starting.
import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify';
import type { Actor } from '../domain/kernel/event.ts';
import type { ActingRole } from '../domain/kernel/roles.ts';
import type { Authenticator } from './auth.ts';
import { Problem } from './problems.ts';
import type { RateLimit } from './rate-limit.ts';
import { SIGHT_HEADER, type Sights } from './sights.ts';

export type OnRequest = (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction) => void;

export interface GuardParts {
  readonly authenticator: Authenticator;
  readonly rateLimit: RateLimit | undefined;
  readonly sights: Sights;
}

export function guardFor(roles: readonly ActingRole[], { authenticator, rateLimit, sights }: GuardParts): OnRequest {
  const allowed: ReadonlySet<string> = new Set(roles);
  const detail = `This is for the role ${roles
    .filter((role) => role !== 'system')
    .join(', ')
    .replace(/, ([^,]*)$/, ' or $1')}.`;
  const admit = (request: FastifyRequest, actor: Actor): Problem | undefined => {
    request.actor = actor;
    if (!allowed.has(actor.role)) return new Problem('Forbidden', detail);
    const refused = rateLimit?.take(actor.subject);
    const sight = request.raw.headers[SIGHT_HEADER];
    if (refused !== undefined || sight === undefined) return refused;
    try {
      // Another object: the token's actor is remembered, and the sight is this request's alone.
      request.actor = { ...actor, sight: sights.open(String(sight), actor) };
    } catch (error) {
      if (error instanceof Problem) return error;
      throw error;
    }
    return undefined;
  };
  return (request, _reply, done) => {
    request.startedAt = performance.now();
    let actor: Actor | Promise<Actor>;
    try {
      actor = authenticator.actorOf(request.raw.headers.authorization);
    } catch (error) {
      done(error as Error);
      return;
    }
    if (actor instanceof Promise) actor.then((known) => done(admit(request, known)), done);
    else done(admit(request, actor));
  };
}

export const publicEntry: OnRequest = (request, _reply, done) => {
  request.startedAt = performance.now();
  done();
};
