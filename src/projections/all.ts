// Every read model that this program keeps, in one list for the server, replays and comparisons. A new one is a folder, named here.
import type { Projection } from './engine/projection.ts';
import { tickets } from './tickets/tickets.ts';
import { timers } from './timers/timers.ts';

export const projections: readonly Projection[] = [tickets, timers];
