// What operators tell a projection. The engine follows these events (projections/engine/); nothing here touches a read model.
import { z } from 'zod';
import { type ProjectionControl, projectionControl, swapWays } from '../domain/projection/control.ts';
import { type AnyCommand, defineCommand } from './command.ts';

const Reason = z.string().trim().min(1).max(500);
const Key = z.string().min(1).max(500);

/** The commands on the read models of these names. */
export function projectionCommands(names: readonly string[]): readonly AnyCommand[] {
  const params = z.strictObject({ projection: z.enum(names) });
  const common = {
    roles: ['administrator'],
    category: 'projection',
    params,
    target: ({ projection }: z.output<typeof params>) => projection,
    decider: projectionControl,
    rejections: {},
  } as const;
  return [
    defineCommand({
      ...common,
      name: 'PauseProjection',
      summary: 'Stop a projection at the end of its batch',
      route: 'POST /v1/projections/{projection}/pause',
      body: z.strictObject({ reason: Reason.optional() }),
      command: ({ params: { projection }, body }): ProjectionControl => ({ do: 'pause', projection, reason: body.reason }),
    }),
    defineCommand({
      ...common,
      name: 'ResumeProjection',
      summary: 'Let a paused projection go on from where it stopped',
      route: 'POST /v1/projections/{projection}/resume',
      body: z.strictObject({}),
      command: ({ params: { projection } }): ProjectionControl => ({ do: 'resume', projection }),
    }),
    defineCommand({
      ...common,
      name: 'RetryParkedEvents',
      summary: "Apply a key's parked events again, in order",
      route: 'POST /v1/projections/{projection}/retry',
      body: z.strictObject({ key: Key }),
      command: ({ params: { projection }, body }): ProjectionControl => ({ do: 'retry', projection, key: body.key }),
    }),
    defineCommand({
      ...common,
      name: 'SkipParkedEvent',
      summary: 'Leave one parked event out of one key for good, and apply those after it',
      route: 'POST /v1/projections/{projection}/skip',
      body: z.strictObject({ key: Key, position: z.int().positive(), reason: Reason }),
      command: ({ params: { projection }, body }): ProjectionControl => ({ do: 'skip', projection, ...body }),
    }),
    defineCommand({
      ...common,
      name: 'RebuildProjection',
      summary: 'Build a projection anew beside the live one, and swap it in when it has caught up or on a word',
      route: 'POST /v1/projections/{projection}/rebuild',
      body: z.strictObject({ swap: z.enum(swapWays).default('auto'), reason: Reason.optional() }),
      command: ({ params: { projection }, body: { swap, reason } }): ProjectionControl => ({ do: 'rebuild', projection, swap, reason }),
    }),
    defineCommand({
      ...common,
      name: 'SwapProjection',
      summary: 'Make the version of a projection that stands by the live one, as soon as it has caught up',
      route: 'POST /v1/projections/{projection}/swap',
      body: z.strictObject({}),
      command: ({ params: { projection } }): ProjectionControl => ({ do: 'swap', projection }),
    }),
    defineCommand({
      ...common,
      name: 'RollBackProjection',
      summary: 'Make the version that was live before the live one again; before a swap, do not swap',
      route: 'POST /v1/projections/{projection}/rollback',
      body: z.strictObject({ reason: Reason.optional() }),
      command: ({ params: { projection }, body }): ProjectionControl => ({ do: 'rollback', projection, reason: body.reason }),
    }),
  ];
}
