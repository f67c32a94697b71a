// A route of each command: headers in, the handler, and its outcome as an answer. The hot path of the product, so nothing here is
// awaited or built that the answer does not need.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AnyCommand } from '../commands/command.ts';
import { registerCustomer } from '../commands/customer.ts';
import type { CommandHandler, CommandRequest, Outcome } from '../commands/handler.ts';
import type { Logger } from '../logging.ts';
import { idempotencyKeyOf, problemOf, revisionIn } from './command-outcomes.ts';
import type { KnownToBank } from './known-to-bank.ts';
import type { PositionTokens } from './position-token.ts';
import { correlationIdOf, purposeOf } from './request.ts';
import type { SimilarAtEntry } from './similar-at-entry.ts';

export interface CommandRouteParts {
  readonly handler: Pick<CommandHandler, 'execute'>;
  readonly positions: PositionTokens;
  readonly log: Logger;
  /** What the refusal of a claim tells of others. */
  readonly knownToBank: Pick<KnownToBank, 'admit' | 'recordTaken'>;
  /** What a registration by staff is surrounded by. */
  readonly similar: Pick<SimilarAtEntry, 'around'>;
}

const JSON_TYPE = 'application/json; charset=utf-8';

export function commandRoutes(app: FastifyInstance, commands: readonly AnyCommand[], parts: CommandRouteParts): void {
  for (const command of commands) if (command.route !== undefined) commandRoute(app, command, command.route, parts);
}

function commandRoute(app: FastifyInstance, command: AnyCommand, route: string, parts: CommandRouteParts): void {
  const { handler, positions, log, similar } = parts;
  const [method = 'POST', path = ''] = route.split(' ');
  const url = path.replace(/\{([A-Za-z]+)\}/g, ':$1');
  const creates = command.target === undefined;
  const plainUrl = !url.includes(':');

  const answer = (reply: FastifyReply, request: FastifyRequest, outcome: Outcome): void => {
    if (outcome.kind === 'proposed') {
      proposed(reply, request, outcome, positions);
      return;
    }
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
      const asked = {
        params: request.params,
        body: request.body,
        actor: request.actor,
        channel: 'rest',
        purpose: purposeOf(headers),
        correlationId: correlationIdOf(headers, request.id),
        key: idempotencyKeyOf(headers),
        expectedRevision: ifMatch === undefined ? undefined : revisionIn(ifMatch, creates),
      };
      const claims = command.claims === undefined ? 0 : command.claims(asked).length;
      const execute = (): Promise<Outcome> => (claims === 0 ? handler.execute(command, asked) : executeClaiming(command, asked, request, parts));
      const executed = command === registerCustomer ? similar.around(asked, request, execute) : execute();
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

/** It waits for another's approval: nothing is done yet. */
function proposed(
  reply: FastifyReply,
  { actor }: FastifyRequest,
  { id, revision, position, expiresAt }: Extract<Outcome, { kind: 'proposed' }>,
  positions: PositionTokens,
): void {
  const href = `/v1/approvals/${id}`;
  reply
    .code(202)
    .header('content-type', JSON_TYPE)
    .header('cache-control', 'no-store')
    .header('etag', `"${revision}"`)
    .header('shiji-position', positions.seal(position, actor))
    .header('location', href)
    .send(JSON.stringify({ approval: id, href, expiresAt }));
}

/** A refused claim tells what the bank knows of others, and is recorded before it leaves. */
async function executeClaiming(
  command: AnyCommand,
  asked: CommandRequest,
  request: FastifyRequest,
  { handler, knownToBank }: CommandRouteParts,
): Promise<Outcome> {
  await knownToBank.admit(request.actor);
  const outcome = await handler.execute(command, asked);
  if (outcome.kind === 'refused' && outcome.rejection.rejected === 'ClaimTaken')
    await knownToBank.recordTaken(request, command.target === undefined ? 'registers a customer' : 'adds a document');
  return outcome;
}

function pathOf(url: string): string {
  const end = url.indexOf('?');
  return end === -1 ? url : url.slice(0, end);
}
