// A route of each command: headers in, the handler, and its outcome as an answer. The hot path of the product, so nothing here is
// awaited or built that the answer does not need.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AnyCommand } from '../commands/command.ts';
import type { CommandHandler, Outcome } from '../commands/handler.ts';
import type { Logger } from '../logging.ts';
import { idempotencyKeyOf, problemOf } from './command-outcomes.ts';
import type { PositionTokens } from './position-token.ts';
import { badHeader, correlationIdOf, purposeOf } from './request.ts';

export interface CommandRouteParts {
  readonly handler: Pick<CommandHandler, 'execute'>;
  readonly positions: PositionTokens;
  readonly log: Logger;
}

const ETAG = /^"(0|[1-9][0-9]{0,9})"$/;
const JSON_TYPE = 'application/json; charset=utf-8';

export function commandRoutes(app: FastifyInstance, commands: readonly AnyCommand[], parts: CommandRouteParts): void {
  for (const command of commands) if (command.route !== undefined) commandRoute(app, command, command.route, parts);
}

function commandRoute(app: FastifyInstance, command: AnyCommand, route: string, { handler, positions, log }: CommandRouteParts): void {
  const [method = 'POST', path = ''] = route.split(' ');
  const url = path.replace(/\{([A-Za-z]+)\}/g, ':$1');
  const creates = command.target === undefined;
  const plainUrl = !url.includes(':');

  const answer = (reply: FastifyReply, request: FastifyRequest, outcome: Outcome): void => {
    if (outcome.kind !== 'accepted') {
      reply.send(problemOf(command, outcome));
      return;
    }
    const { id, revision, position, created } = outcome;
    reply
      .header('content-type', JSON_TYPE)
      .header('cache-control', 'no-store')
      .header('etag', `"${revision}"`)
      .header('shiji-position', positions.seal(position, request.actor));
    // An id that was drawn is a UUID; one from the path is what its schema let through.
    const location = created ? `${plainUrl ? url : pathOf(request.raw.url ?? '')}/${encodeURIComponent(id)}` : undefined;
    if (location !== undefined) reply.code(201).header('location', location);
    reply.send(JSON.stringify({ id, revision }));
    if (debugs) log.debug({ reqId: request.id, command: command.name, revision, repeated: outcome.repeated }, 'a command was done');
  };
  const debugs = log.isLevelEnabled('debug');

  app.route({
    method: method as 'POST' | 'DELETE',
    url,
    schema: { params: command.params, body: command.body },
    config: {
      roles: command.roles,
      openapi: { kind: 'command', command, params: command.params, body: command.body },
    },
    handler: (request, reply) => {
      const { headers } = request.raw;
      const ifMatch = headers['if-match'];
      const executed = handler.execute(command, {
        params: request.params,
        body: request.body,
        actor: request.actor,
        channel: 'rest',
        purpose: purposeOf(headers),
        correlationId: correlationIdOf(headers, request.id),
        key: idempotencyKeyOf(headers),
        expectedRevision: ifMatch === undefined ? undefined : revisionIn(ifMatch, creates),
      });
      // Not returned: Fastify would wrap a promise that is only there to be waited for.
      executed.then(
        (outcome) => {
          try {
            answer(reply, request, outcome);
          } catch (error) {
            reply.send(error);
          }
        },
        (error: unknown) => {
          reply.send(error instanceof Error ? error : new Error('thrown, but no Error', { cause: error }));
        },
      );
    },
  });
}

function revisionIn(ifMatch: string, creates: boolean): number {
  if (creates) throw badHeader('If-Match', 'is for what is there already: leave it out to create something');
  const etag = ETAG.exec(ifMatch);
  if (!etag) throw badHeader('If-Match', 'is one ETag of a command or a read, in quotes, such as "3"; not a list, not a weak one, not *');
  return Number(etag[1]);
}

function pathOf(url: string): string {
  const end = url.indexOf('?');
  return end === -1 ? url : url.slice(0, end);
}
