// Every command there is. One with a `route` becomes a route of the API by standing here (api/command-routes.ts).
import { moveClock } from './clock.ts';
import type { AnyCommand } from './command.ts';
import { pauseProjection, resumeProjection, retryParked, skipParked } from './projection.ts';
import {
  assignTicket,
  closeTicket,
  importTicket,
  openTicket,
  recordBreach,
  reopenTicket,
  resolveTicket,
  startTicket,
  warnOfDeadline,
} from './ticket.ts';

export const commands: readonly AnyCommand[] = [
  openTicket,
  assignTicket,
  startTicket,
  resolveTicket,
  reopenTicket,
  closeTicket,
  importTicket,
  warnOfDeadline,
  recordBreach,
  pauseProjection,
  resumeProjection,
  retryParked,
  skipParked,
  moveClock,
];
