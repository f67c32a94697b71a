// How the read models stand: for operators, and for auditors the receipts that no event was skipped.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Progress } from '../projections/engine/progress.ts';
import { type ReadRouteParts, readRoute } from './read-route.ts';

export interface ProjectionRouteParts extends ReadRouteParts {
  readonly progress: Pick<Progress, 'waitUntil' | 'describeProjections'>;
}

const Diff = z
  .object({
    position: z.int(),
    rows: z.int(),
    differing: z.int(),
    onlyLive: z.int(),
    onlyNext: z.int(),
    columns: z.record(z.string(), z.int()).meta({ description: 'Rows that differ, by column' }),
  })
  .meta({ description: 'What the rows of both versions differ in, compared at one position before a swap' });

const Standby = z
  .object({
    version: z.int(),
    schema: z.string(),
    standing: z.enum(['next', 'kept', 'withdrawn']).meta({ description: 'To be swapped in, live before, or rolled back from' }),
    swap: z.enum(['auto', 'manual', 'rollback']).meta({ description: 'When it is next: once it has caught up, on a word, or back to it' }),
    status: z
      .enum(['building', 'following', 'paused', 'unknown-event', 'unattended'])
      .meta({ description: 'unattended: no program of its version runs' }),
    detail: z.string().optional(),
    position: z.int(),
    lagEvents: z.int(),
    progress: z.number().meta({ description: 'From 0 to 1' }),
    etaSeconds: z.number().optional().meta({ description: "While it is next: until the journal's end, at the pace since it was begun" }),
    parkedKeys: z.int(),
    diff: Diff.optional(),
  })
  .meta({ description: 'The version beside the live one' });

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
  standby: Standby.optional(),
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
