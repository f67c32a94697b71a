// Streams as commands see them: folded, remembered, and read on from where the memory ends.
import type { Fact } from '../domain/kernel/event.ts';
import type { EventCodec, UnknownEvent } from '../journal/codec.ts';
import type { JournalReader, StoredEvent } from '../journal/journal.ts';
import type { Reference } from './command.ts';
import { type CachedStream, type CommandTrace, StateCache } from './state-cache.ts';

/** A stream holds an event of a newer program: this one must not decide on it. */
export class NewerEvent extends Error {
  override readonly name = 'NewerEvent';
}

/** How the events of a category are folded. */
export type Folding = Reference['decider'];

const READ_PAGE = 1_000;

export class Streams {
  readonly #journal: Pick<JournalReader, 'readStream'>;
  readonly #codec: EventCodec;
  readonly #cache = new StateCache();

  constructor(journal: Pick<JournalReader, 'readStream'>, codec: EventCodec) {
    this.#journal = journal;
    this.#codec = codec;
  }

  /** As far as it is remembered: perhaps not all that is there by now. */
  remembered(stream: string): CachedStream | undefined {
    return this.#cache.get(stream);
  }

  /** The stream's past, from where an entry ends; the first event of the `wanted` command stays with its trace. */
  async load({ evolve }: Folding, stream: string, from: CachedStream, wanted?: string): Promise<CachedStream> {
    let { state, revision, position } = from;
    const commands = from.commands;
    for (;;) {
      const page: readonly StoredEvent[] = await this.#journal.readStream(stream, { from: revision + 1, limit: READ_PAGE });
      for (const stored of page) {
        const event = this.#codec.decode(stored);
        if (isUnknown(event)) throw new NewerEvent(`${stream} holds a ${event.type} of version ${event.schema}, which this program does not know`);
        state = evolve(state, event);
        revision = event.revision;
        position = event.position;
        const known = commands.get(event.command.id);
        const first = known ? known.first : event.command.id === wanted ? stored : undefined;
        commands.set(event.command.id, { firstRevision: known?.firstRevision ?? revision, lastRevision: revision, position, first });
      }
      if (page.length < READ_PAGE) break;
    }
    const entry = { state, revision, position, commands };
    if (revision >= 0) this.#cache.put(stream, entry);
    return entry;
  }

  /** Remembers what was just appended after an entry. */
  advance({ evolve }: Folding, stream: string, entry: CachedStream, facts: readonly Fact[], commandId: string, trace: CommandTrace): void {
    // Moved in place, not copied: a hot stream remembers thousands, and its commands take turns.
    entry.commands.set(commandId, trace);
    const { lastRevision: revision, position } = trace;
    this.#cache.put(stream, { state: facts.reduce(evolve, entry.state), revision, position, commands: entry.commands });
  }
}

export function emptyStream({ initialState }: Folding): CachedStream {
  return { state: initialState, revision: -1, position: 0, commands: new Map() };
}

function isUnknown(event: object): event is UnknownEvent {
  return 'unknown' in event;
}
