// A read model's own fold over a few events, in memory: the rows as the engine would have written them.
import { categoryOf, type RecordedEvent } from '../domain/kernel/event.ts';
import type { Projection, Row } from '../projections/engine/projection.ts';

/** @param events in the journal's order; those of other categories are passed over */
export function foldRows<R extends Row>(projection: Projection<R>, events: readonly RecordedEvent[]): ReadonlyMap<string, R> {
  const rows = new Map<string, R>();
  // As in the engine: a row whose fold throws stands at the event before, and takes no later one.
  const parked = new Set<string>();
  for (const event of events) {
    if (!projection.categories.includes(categoryOf(event.stream))) continue;
    for (const key of projection.keys(event)) {
      if (parked.has(key)) continue;
      try {
        const row = projection.apply(rows.get(key), event, key);
        if (row === undefined) rows.delete(key);
        else rows.set(key, row);
      } catch {
        parked.add(key);
      }
    }
  }
  return rows;
}
