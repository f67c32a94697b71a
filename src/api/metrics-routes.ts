// GET /metrics: from this machine without a token, as Prometheus beside it asks; from elsewhere, and through any proxy, with the role
// administrator or operations. It holds counts and times and no id.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type GuardParts, guardFor } from './guard.ts';
import type { ApiMetrics } from './metrics.ts';

const LOOPBACK: ReadonlySet<string | undefined> = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1']);
const PROXY_HEADERS = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'];

export function metricsRoutes(app: FastifyInstance, metrics: ApiMetrics, parts: GuardParts): void {
  const guard = guardFor(['administrator', 'operations'], parts);
  app.get(
    '/metrics',
    {
      config: {
        public: true,
        openapi: {
          kind: 'plain',
          name: 'GetMetrics',
          summary: 'Figures for Prometheus; without a token from this machine only, else for administrator and operations',
          answers: { 200: { description: 'As Prometheus reads them', content: { 'text/plain': undefined } } },
          problems: [401, 403, 429],
        },
      },
      onRequest: (request, reply, done) => {
        if (isLocal(request)) done();
        else guard(request, reply, done);
      },
    },
    async (_request, reply) => {
      const text = await metrics.registry.metrics();
      return reply.header('cache-control', 'no-store').header('content-type', metrics.registry.contentType).send(text);
    },
  );
}

function isLocal(request: FastifyRequest): boolean {
  return LOOPBACK.has(request.socket.remoteAddress) && !PROXY_HEADERS.some((name) => request.headers[name] !== undefined);
}
