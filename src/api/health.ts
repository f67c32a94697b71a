// Whether this process lives, and whether it should be sent requests. Asked without a token, so neither tells anything else.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { Problem, RETRY_SOON } from './problems.ts';

export interface HealthParts {
  /** Each resolves to whether its part can serve; a rejection or a second's silence is a no. */
  readonly readiness: readonly (() => Promise<boolean>)[];
  readonly isDraining: () => boolean;
}

const LIMIT_MS = 1_000;
const Live = z.object({ status: z.literal('live') });
const Ready = z.object({ status: z.literal('ready') });

export function healthRoutes(app: FastifyInstance, { readiness, isDraining }: HealthParts): void {
  /** Many probes at once ask the database once. */
  let asking: Promise<boolean> | undefined;
  const isReady = (): Promise<boolean> => {
    asking ??= Promise.all(readiness.map((check) => within(check)))
      .then((answers) => answers.every(Boolean))
      .finally(() => {
        asking = undefined;
      });
    return asking;
  };

  app.get(
    '/health/live',
    {
      config: {
        public: true,
        openapi: {
          kind: 'plain',
          name: 'GetLiveness',
          summary: 'Whether the process answers',
          answers: { 200: { description: 'It does', content: { 'application/json': Live } } },
        },
      },
    },
    (_request, reply) => {
      reply.header('cache-control', 'no-store').header('content-type', 'application/json; charset=utf-8').send('{"status":"live"}');
    },
  );
  app.get(
    '/health/ready',
    {
      config: {
        public: true,
        openapi: {
          kind: 'plain',
          name: 'GetReadiness',
          summary: 'Whether the process takes requests: its database answers, and it is not about to stop',
          answers: { 200: { description: 'It does', content: { 'application/json': Ready } } },
        },
      },
    },
    async (_request, reply) => {
      if (isDraining() || !(await isReady())) throw new Problem('NotReady', undefined, { headers: RETRY_SOON });
      return reply.header('cache-control', 'no-store').header('content-type', 'application/json; charset=utf-8').send('{"status":"ready"}');
    },
  );
}

async function within(check: () => Promise<boolean>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), LIMIT_MS);
  });
  try {
    return await Promise.race([check(), late]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
