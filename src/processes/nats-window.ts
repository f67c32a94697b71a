// How much is under way at once: enough to hide the round trip, little enough to hold in memory and to hold up no command: sending one takes
// some 3 ms of the process. Windows of 500 were not faster.
import type { StoredEvent } from '../journal/journal.ts';

const WINDOW_EVENTS = 100;
/** Characters of data and metadata; one event alone may have more. */
const WINDOW_CHARACTERS = 4_000_000;

/** The events in their order, cut into windows. */
export function* windowsOf(events: readonly StoredEvent[]): Generator<readonly StoredEvent[]> {
  let from = 0;
  let characters = 0;
  for (const [index, { data, metadata }] of events.entries()) {
    const more = data.length + metadata.length;
    if (index > from && (index - from === WINDOW_EVENTS || characters + more > WINDOW_CHARACTERS)) {
      yield events.slice(from, index);
      from = index;
      characters = 0;
    }
    characters += more;
  }
  if (from < events.length) yield events.slice(from);
}
