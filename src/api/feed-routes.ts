// Feeds over HTTP: NDJSON of any size in, answered after the body ends; progress, and results line by line, for whoever brought it.
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { CommandHandler } from '../commands/handler.ts';
import type { Actor } from '../domain/kernel/event.ts';
import { type FeedKind, runFeed } from '../feeds/feed.ts';
import { FeedUnreadable, gunzip, linesOf } from '../feeds/lines.ts';
import type { FeedRun, FeedRuns } from '../feeds/runs.ts';
import type { Spools } from '../feeds/spool.ts';
import { waitForAfter } from './after.ts';
import { notFound, Problem } from './problems.ts';
import { pageAnswer, readRoute } from './read-route.ts';
import { badHeader, correlationIdOf, purposeOf } from './request.ts';
import type { Api } from './server.ts';

export interface FeedRouteParts {
  readonly handler: Pick<CommandHandler, 'execute'>;
  readonly runs: FeedRuns;
  readonly spools: Spools;
  readonly kinds: readonly FeedKind[];
  /** What a feed's records are shown by. */
  readonly projections: readonly string[];
}

const NDJSON = 'application/x-ndjson';
const bringers = ['integration'] as const;
const readers = ['integration', 'auditor'] as const;

const RunAnswer = z.strictObject({
  id: z.uuid(),
  kind: z.string(),
  status: z.enum(['running', 'finished', 'failed']),
  lines: z.int(),
  created: z.int(),
  repeated: z.int().meta({ description: 'Brought before, with the same content' }),
  rejected: z.int(),
  detail: z.string().nullable(),
  startedAt: z.string(),
  updatedAt: z.string(),
  results: z.string().meta({ description: 'Where each line’s outcome is told, as NDJSON' }),
});
const params = z.strictObject({ feedId: z.uuid() });
const resultsQuery = z.strictObject({ outcome: z.enum(['created', 'repeated', 'rejected']).optional() });

export function feedRoutes(app: FastifyInstance, api: Api, parts: FeedRouteParts): void {
  const { runs, spools, kinds, handler, projections } = parts;
  const { now, positions } = api;

  app.register((scope, _options, done) => {
    // The body stays a stream: it is read line by line while it comes.
    scope.addContentTypeParser([NDJSON, 'application/ndjson'], (_request, payload, parsed) => parsed(null, payload));
    for (const kind of kinds)
      scope.route({
        method: 'POST',
        url: `/v1/feeds/${kind.kind}`,
        config: {
          roles: bringers,
          longBody: true,
          openapi: {
            kind: 'plain',
            name: `Feed${inOneWord(kind.kind)}`,
            summary: `Bring what another system says of ${kind.kind}, one JSON a line; sent again, what is there already stays as it is`,
            body: { [NDJSON]: kind.line },
            answers: { 200: { description: 'The feed was read to its end', content: { 'application/json': RunAnswer } } },
            problems: [400, 415],
          },
        },
        handler: (request, reply) => bring(kind, request, reply),
      });
    done();
  });

  readRoute(app, api, {
    name: 'ListFeeds',
    summary: 'The feeds one has brought, the newest first',
    route: 'GET /v1/feeds',
    roles: bringers,
    answer: pageAnswer(RunAnswer),
    projections,
    personal: false,
    read: async ({ actor }) => ({ items: (await runs.newestOf(actor.subject)).map(toAnswer), next: null }),
  });

  readRoute(app, api, {
    name: 'GetFeed',
    summary: 'How far a feed is',
    route: 'GET /v1/feeds/{feedId}',
    roles: readers,
    params,
    answer: RunAnswer,
    projections,
    personal: false,
    read: async ({ params: { feedId }, actor }) => toAnswer(await runSeenBy(feedId, actor)),
  });

  app.route({
    method: 'GET',
    url: '/v1/feeds/:feedId/results',
    schema: { params, querystring: resultsQuery },
    config: {
      roles: readers,
      openapi: {
        kind: 'plain',
        name: 'GetFeedResults',
        summary: 'What became of each line of a feed',
        params,
        query: resultsQuery,
        answers: { 200: { description: 'One result a line', content: { [NDJSON]: undefined } } },
        problems: [404],
      },
    },
    handler: async (request, reply) => {
      const { feedId } = request.params as z.output<typeof params>;
      const { outcome } = request.query as z.output<typeof resultsQuery>;
      await runSeenBy(feedId, request.actor);
      const after = request.headers['shiji-after'];
      if (after !== undefined) await waitForAfter(after, request.actor, projections, api);
      const results = await spools.read(feedId);
      if (!results) throw notFound();
      reply.header('content-type', NDJSON).header('cache-control', 'no-store');
      return reply.send(outcome === undefined ? results : Readable.from(onlyOf(results, outcome), { objectMode: false }));
    },
  });

  async function bring(kind: FeedKind, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const encoding = request.headers['content-encoding'] ?? 'identity';
    if (encoding !== 'identity' && encoding !== 'gzip') throw badHeader('Content-Encoding', 'is gzip, or left out');
    const id = randomUUID();
    const body = request.body as AsyncIterable<Uint8Array>;
    const run = await runFeed(
      { handler, runs, now },
      {
        id,
        kind,
        lines: linesOf(encoding === 'gzip' ? gunzip(body) : body),
        actor: request.actor,
        purpose: purposeOf(request.headers),
        correlationId: correlationIdOf(request.headers, request.id),
        spool: spools.open(id),
      },
    ).catch((error: unknown) => {
      if (error instanceof FeedUnreadable) throw new Problem('MalformedRequest', `The feed stopped: ${error.message}.`, { cause: error });
      throw error;
    });
    reply.header('cache-control', 'no-store');
    if (run.position > 0) reply.header('shiji-position', positions.seal(run.position, request.actor));
    return reply.type('application/json; charset=utf-8').send(JSON.stringify(toAnswer(run)));
  }

  async function runSeenBy(feedId: string, actor: Actor): Promise<FeedRun> {
    const run = await runs.find(feedId);
    if (!run || (actor.role === 'integration' && run.subject !== actor.subject)) throw notFound();
    return run;
  }
}

function toAnswer(run: FeedRun): z.output<typeof RunAnswer> {
  const { id, kind, status, lines, created, repeated, rejected, detail } = run;
  return {
    id,
    kind,
    status,
    lines,
    created,
    repeated,
    rejected,
    detail,
    startedAt: run.started_at,
    updatedAt: run.updated_at,
    results: `/v1/feeds/${id}/results`,
  };
}

/** `core-banking` → `CoreBanking` */
function inOneWord(kind: string): string {
  return kind.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
}

async function* onlyOf(results: AsyncIterable<Uint8Array>, outcome: string): AsyncGenerator<string> {
  const wanted = `"outcome":"${outcome}"`;
  for await (const { text } of linesOf(results)) if (text.includes(wanted)) yield `${text}\n`;
}
