// Whether this process lives, and whether it should be sent requests. Asked without a token, so neither tells anything else.
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { Problem, RETRY_SOON } from './problems.ts';

export interface HealthParts {
  /** Each resolves to whether its part can serve; a rejection or a second's silence is a no. */
  readonly readiness: readonly (() => Promise<boolean>)[];
  readonly isDraining: () => boolean;
  readonly pollers: Pollers;
}

const LIMIT_MS = 1_000;
/** Who asks less often is no balancer to wait for. */
const POLLED_MS = 15_000;
const TELL_LIMIT_MS = 5_000;
/** For what was on its way, and for a second balancer to ask as well. */
const ACT_MS = 1_000;
const Live = z.object({ status: z.literal('live') });
const Ready = z.object({ status: z.literal('ready') });

/** Whoever asks /health/ready again and again, to know whom to send requests. */
export class Pollers {
  #askedMs = Number.NEGATIVE_INFINITY;
  #isPolled = false;
  #tell: () => void = () => {};

  asked(): void {
    const now = performance.now();
    this.#isPolled = now - this.#askedMs < POLLED_MS;
    this.#askedMs = now;
    this.#tell();
  }

  /** Resolves when they were told and had time to act upon it, bounded; at once where nobody asks. */
  async told(): Promise<void> {
    if (!this.#isPolled || performance.now() - this.#askedMs > POLLED_MS) return;
    const limit = new AbortController();
    await Promise.race([new Promise<void>((resolve) => (this.#tell = resolve)), sleep(TELL_LIMIT_MS, undefined, { signal: limit.signal })]);
    limit.abort();
    await sleep(ACT_MS);
  }
}

export function healthRoutes(app: FastifyInstance, { readiness, isDraining, pollers }: HealthParts): void {
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
      pollers.asked();
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
