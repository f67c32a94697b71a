// Moving the bank's clock by hand: only where it is manual (api/clock.ts has the route, clock.ts the clock).
import { z } from 'zod';
import { bankClock } from '../domain/clock/clock.ts';
import { defineCommand } from './command.ts';

// Deadlines are computed by calendars that end with the century, and the clock never goes back.
const Instant = z
  .string()
  .regex(/^20\d\d-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/, 'an RFC 3339 instant of this century such as 2026-03-03T09:00:00Z')
  .refine((text) => !Number.isNaN(Date.parse(text)), 'an RFC 3339 instant of this century such as 2026-03-03T09:00:00Z');

export const moveClock = defineCommand({
  name: 'MoveClock',
  summary: 'Move the clock forward',
  roles: ['administrator'],
  category: 'clock',
  params: z.strictObject({}),
  target: () => 'bank',
  body: z.strictObject({ to: Instant }),
  decider: bankClock,
  rejections: { ClockOnlyForward: 409 },
  command: ({ body }, { now }) => ({ to: new Date(Date.parse(body.to)).toISOString(), now }),
});
