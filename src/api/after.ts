// `Shiji-After`: a read waits until the read models it looks at have got to where the caller's own command is.
import type { Actor } from '../domain/kernel/event.ts';
import type { Progress } from '../projections/engine/progress.ts';
import type { PositionTokens } from './position-token.ts';
import { Problem, RETRY_SOON } from './problems.ts';

/** Longer than any healthy lag, shorter than a caller's patience. */
export const AFTER_LIMIT_MS = 5_000;

export interface AfterParts {
  readonly positions: PositionTokens;
  readonly progress: Pick<Progress, 'waitUntil'>;
}

/** @throws Problem InvalidPosition where the token is not the caller's, NotYetVisible past the bound */
export async function waitForAfter(
  header: string | string[],
  actor: Actor,
  projections: readonly string[],
  { positions, progress }: AfterParts,
): Promise<void> {
  const position = positions.open(String(header), actor);
  if (position === undefined) throw new Problem('InvalidPosition');
  if (projections.length === 0) return;
  const arrived = await progress.waitUntil(projections, position, AFTER_LIMIT_MS);
  if (!arrived) throw new Problem('NotYetVisible', undefined, { headers: RETRY_SOON });
}
