// How the read models stand: for operators, and for auditors the receipts that no event was skipped.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Progress } from '../projections/engine/progress.ts';
import { type ReadRouteParts, readRoute } from './read-route.ts';

export interface ProjectionRouteParts extends ReadRouteParts {
  readonly progress: Pick<Progress, 'waitUntil' | 'describeProjections'>;
}

const Projection = z.object({
  name: z.string(),
  version: z.int(),
  schema: z.string(),
  status: z.enum(['building', 'live', 'paused', 'unknown-event']),
  detail: z.string().optional(),
  position: z.int().meta({ description: 'Where in the journal it is' }),
  lagEvents: z.int(),
  lagSeconds: z.number(),
  parkedKeys: z.int().meta({ description: 'Rows set aside because an event of theirs could not be handled' }),
  receipts: z
    .object({ chunks: z.int(), verified: z.int(), mismatched: z.int() })
    .meta({ description: 'Proof that no event was skipped, chunk by chunk' }),
  eventsPerSecond: z.number().optional().meta({ description: 'While it is being built' }),
});

export function projectionRoutes(app: FastifyInstance, parts: ProjectionRouteParts): void {
  readRoute(app, parts, {
    name: 'ListProjections',
    summary: 'The read models, how far they are and what is wrong with them',
    route: 'GET /v1/projections',
    roles: ['administrator', 'auditor', 'operations'],
    answer: z.object({ items: z.array(Projection), next: z.null() }),
    personal: false,
    read: async () => {
      const described = await parts.progress.describeProjections();
      return { items: described.map((projection) => ({ ...projection })), next: null };
    },
  });
}
