// The clock, where it is moved by hand: for demos and tests that live a year in a minute.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Clock } from '../clock.ts';
import { moveClock } from '../commands/clock.ts';
import type { CommandHandler } from '../commands/handler.ts';
import { Problem } from './problems.ts';
import { refusalTitle } from './refusals.ts';
import { correlationIdOf, purposeOf } from './request.ts';
import type { Api } from './server.ts';

const ClockAnswer = z.strictObject({ now: z.string(), manual: z.boolean() });

export function clockRoutes(
  app: FastifyInstance,
  _api: Api,
  parts: { readonly clock: Clock; readonly handler: Pick<CommandHandler, 'execute'> },
): void {
  const { clock, handler } = parts;
  const nowOf = (): z.output<typeof ClockAnswer> => ({ now: new Date(clock.now()).toISOString(), manual: clock.manual });

  app.route({
    method: 'GET',
    url: '/v1/clock',
    config: {
      public: true,
      openapi: {
        kind: 'plain',
        name: 'GetClock',
        summary: "The bank's clock, which deadlines go by",
        answers: { 200: { description: 'What it shows', content: { 'application/json': ClockAnswer } } },
      },
    },
    handler: async () => nowOf(),
  });
  if (!clock.manual) return;

  app.route({
    method: 'POST',
    url: '/v1/clock',
    schema: { body: moveClock.body },
    config: {
      roles: moveClock.roles,
      openapi: {
        kind: 'plain',
        name: 'MoveClock',
        summary: 'Move the clock forward; the journal says that it was moved',
        body: { 'application/json': moveClock.body },
        answers: { 200: { description: 'What it shows now', content: { 'application/json': ClockAnswer } } },
        problems: [409],
      },
    },
    handler: async (request) => {
      const body = request.body as z.output<typeof moveClock.body>;
      const outcome = await handler.execute(moveClock, {
        params: {},
        body,
        actor: request.actor,
        channel: 'rest',
        purpose: purposeOf(request.headers),
        correlationId: correlationIdOf(request.headers, request.id),
      });
      if (outcome.kind === 'refused') {
        const { rejected, detail } = outcome.rejection;
        throw new Problem(rejected, detail, { errors: [{ pointer: '/to', detail }] }, { status: 409, title: refusalTitle(rejected) });
      }
      clock.notBefore(Date.parse(body.to));
      return nowOf();
    },
  });
}
