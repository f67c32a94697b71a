// The parameters by which a read chooses its moment: both times, or a replay. They exclude one another.
import type { Pool } from 'pg';
import { type RecordedReplay, readReplays } from '../projections/engine/replay.ts';
import { ViewNotSettled, viewedProjections } from '../views/live.ts';
import { UnknownPast } from '../views/past.ts';
import { Problem, RETRY_SOON } from './problems.ts';
import { badHeader } from './request.ts';
import { replayParameter, timeParameter } from './ticket-routes.ts';

export const timesParameters = {
  asOf: timeParameter("The world's time: a date counts whole, in the source's zone where an event has one"),
  knownAt: timeParameter("The bank's knowledge: what had been recorded by then"),
  replay: replayParameter,
} as const;

export interface Times {
  readonly asOf?: string | undefined;
  readonly knownAt?: string | undefined;
  readonly replay?: string | undefined;
}

/** The replay asked for; undefined where none was. @throws Problem */
export async function replayOf(pool: Pool, { replay, asOf, knownAt }: Times): Promise<RecordedReplay | undefined> {
  if (replay === undefined) return undefined;
  if (asOf !== undefined || knownAt !== undefined) throw badHeader('replay', 'stands alone: a replay has its own asOf and knownAt');
  const [found] = await readReplays(pool, replay);
  if (!found) throw badHeader('replay', 'is the name of a replay that npm run replay has built');
  const missing = viewedProjections.filter((name) => !found.projections.includes(name));
  if (missing.length > 0) throw badHeader('replay', `is of a replay with all of a customer; this one is without ${missing.join(', ')}`);
  return found;
}

/** What goes wrong with a view, as a problem. */
export function asProblem(error: unknown): unknown {
  if (error instanceof ViewNotSettled)
    return new Problem('NotYetVisible', 'The read models are catching up: try again after `Retry-After`.', { headers: RETRY_SOON, cause: error });
  return error instanceof UnknownPast ? new Problem('NewerEvent', undefined, { headers: RETRY_SOON, cause: error }) : error;
}
