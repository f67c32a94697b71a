// What a command comes to on its stream as it is known: hidden, refused by what it refers to, moved since it was read, or decided. Writes
// and claims nothing (handler.ts does).
import { isRejection } from '../domain/kernel/decider.ts';
import type { Fact } from '../domain/kernel/event.ts';
import { type Personal, type Plain, Sealed, unopened } from '../domain/kernel/personal.ts';
import type { Opener } from '../journal/sealing.ts';
import type { AnyCommand, Reference } from './command.ts';
import type { CommandRequest, Outcome } from './handler.ts';
import { lookUp } from './references.ts';
import type { CachedStream } from './state-cache.ts';
import type { Streams } from './streams.ts';

/** What was decided and when, with what was opened for it; or the answer. */
export type Verdict = { readonly facts: readonly Fact[]; readonly now: string; readonly plain: Plain } | Outcome;

export interface DecidingParts {
  readonly opener: Opener;
  /** Epoch milliseconds by the one clock. */
  readonly now: () => number;
  readonly zone?: string;
}

const NONE: readonly never[] = [];

export class Deciding {
  readonly #streams: Streams;
  readonly #parts: DecidingParts;
  readonly #zone: string;

  constructor(streams: Streams, parts: DecidingParts) {
    this.#streams = streams;
    this.#parts = parts;
    this.#zone = parts.zone ?? 'Asia/Shanghai';
  }

  /** A promise only where something has to be looked at first. */
  verdict(command: AnyCommand, request: CommandRequest, entry: CachedStream, id: string): Verdict | Promise<Verdict> {
    if (isHidden(command, request, entry, id)) return { kind: 'not-found' };
    const references = command.refersTo?.({ params: request.params, body: request.body, state: entry.state }) ?? NONE;
    if (references.length === 0 && command.opens === undefined)
      return moved(request, entry) ?? this.#decide(command, request, entry, id, NONE, unopened);
    return this.#verdictOn(command, request, entry, id, references);
  }

  async #verdictOn(
    command: AnyCommand,
    request: CommandRequest,
    entry: CachedStream,
    id: string,
    references: readonly Reference[],
  ): Promise<Verdict> {
    const referred = await lookUp({ streams: this.#streams, opener: this.#parts.opener }, references, request.actor);
    if (isRejection(referred)) return { kind: 'refused', rejection: referred };
    const plain = await plainOf(this.#parts.opener, command.opens?.(entry.state) ?? NONE);
    return moved(request, entry) ?? this.#decide(command, request, entry, id, referred, plain);
  }

  #decide(
    command: AnyCommand,
    { params, body, actor }: CommandRequest,
    entry: CachedStream,
    id: string,
    referred: readonly unknown[],
    plain: Plain,
  ): Verdict {
    const now = new Date(this.#parts.now()).toISOString();
    const decided = command.decider.decide(command.command({ params, body }, { now, actor, id, zone: this.#zone, referred, plain }), entry.state);
    if (isRejection(decided)) return { kind: 'refused', rejection: decided };
    return { facts: decided as readonly Fact[], now, plain };
  }
}

/** Some values opened, to be read wherever they stand. */
export async function plainOf(opener: Pick<Opener, 'openMany'>, values: Iterable<Personal>): Promise<Plain> {
  const sealed = [...values].filter((value) => value instanceof Sealed);
  if (sealed.length === 0) return unopened;
  const texts = await opener.openMany(sealed);
  const known = new Map<unknown, unknown>(sealed.map((value, index) => [value, texts[index]]));
  return (value) => unopened((value instanceof Sealed ? known.get(value) : value) as Personal);
}

function isHidden(command: AnyCommand, { actor, params }: CommandRequest, entry: CachedStream, id: string): boolean {
  return entry.revision >= 0 && command.visibleTo !== undefined && !command.visibleTo(entry.state, actor, id, params);
}

/** After what it refers to: whoever may not see that is not told how the stream stands. */
function moved({ expectedRevision }: CommandRequest, { revision }: CachedStream): Outcome | undefined {
  return expectedRevision === undefined || expectedRevision === revision ? undefined : { kind: 'moved', revision };
}
