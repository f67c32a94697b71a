// How any command becomes events. In order: the stream's past (cached), a retry recognised from the stream's own events, `If-Match`,
// the right to see it, `decide`, append at the revision decided on. A race lost is decided again, unless the caller named a revision.
import { setTimeout as sleep, setImmediate as yieldTurn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { isRejection, type Rejection } from '../domain/kernel/decider.ts';
import type { Actor, Fact } from '../domain/kernel/event.ts';
import { Erased } from '../domain/kernel/personal.ts';
import type { EventCodec, UnknownEvent } from '../journal/codec.ts';
import type { AppendResult, EventToAppend, Journal, StoredEvent } from '../journal/journal.ts';
import { type DataKey, type DrawnKey, KeyDestroyed, type Keyring } from '../journal/keyring.ts';
import type { Opener } from '../journal/sealing.ts';
import type { AnyCommand } from './command.ts';
import { commandIdOf, createdIdOf, drawCommandId } from './command-id.ts';
import { type CachedStream, type CommandTrace, StateCache } from './state-cache.ts';

export interface CommandRequest {
  readonly params: unknown;
  /** Parsed by the declaration's schema, so that its keys stand in the schema's order. */
  readonly body: unknown;
  readonly actor: Actor;
  /** By which way it came in: `rest`, `timer`, `feed:<source>`. */
  readonly channel: string;
  readonly purpose?: string | undefined;
  readonly correlationId: string;
  readonly causationId?: string | undefined;
  /** The caller's `Idempotency-Key`; without one, nothing is a retry. */
  readonly key?: string | undefined;
  /** Whose key it is; the actor's own where absent. A feed's keys are its source's, whoever brings them. */
  readonly keyScope?: string | undefined;
  /** The revision that the caller saw, by `If-Match`. */
  readonly expectedRevision?: number | undefined;
}

export type Outcome =
  /** Done, done before under the same key (`repeated`), or so already (`events` 0). */
  | {
      readonly kind: 'accepted';
      readonly id: string;
      readonly commandId: string;
      readonly created: boolean;
      readonly repeated: boolean;
      readonly events: number;
      readonly revision: number;
      readonly position: number;
    }
  | { readonly kind: 'refused'; readonly rejection: Rejection }
  /** The stream does not stand where `If-Match` said. */
  | { readonly kind: 'moved'; readonly revision: number }
  /** The key was used for another body. */
  | { readonly kind: 'key-reused' }
  | { readonly kind: 'not-found' };

/** A stream kept moving under every one of our tries: the caller may try again. */
export class TooMuchContention extends Error {
  override readonly name = 'TooMuchContention';
}

/** A stream holds an event of a newer program: this one must not decide on it. */
export class NewerEvent extends Error {
  override readonly name = 'NewerEvent';
}

interface Turn {
  readonly over: Promise<void>;
  /** From 0, among turns that follow each other without a pause. */
  readonly number: number;
}

interface Appended {
  readonly result: AppendResult;
  /** The first event as it was sent. */
  readonly sent: EventToAppend;
}

const MAX_TRIES = 100;
// Who has the stream in memory needs one round trip, who lost it two: so the winner of a race would win all of them, and another
// process would only lose, unless the winner stands back now and then.
const TURNS_IN_A_ROW = 8;
const STAND_BACK_MS = 5;
const READ_PAGE = 1_000;

export interface CommandHandlerParts {
  readonly journal: Journal;
  readonly codec: EventCodec;
  readonly keyring: Keyring;
  readonly opener: Opener;
  /** Epoch milliseconds by the one clock. */
  readonly now: () => number;
  readonly onAppended?: (command: AnyCommand, events: number) => void;
}

export class CommandHandler {
  readonly #parts: CommandHandlerParts;
  readonly #cache = new StateCache();
  #inHand = 0;
  /** One command a stream at a time in this process: the rest would only lose the race. */
  readonly #turns = new Map<string, Turn>();

  constructor(parts: CommandHandlerParts) {
    this.#parts = parts;
  }

  /** How many commands are being decided and written. */
  get inHand(): number {
    return this.#inHand;
  }

  async execute(command: AnyCommand, request: CommandRequest): Promise<Outcome> {
    const target = command.target?.(request.params);
    const commandId =
      request.key === undefined
        ? drawCommandId(this.#parts.now())
        : commandIdOf(request.keyScope ?? request.actor.subject, command.name, target ?? '', request.key);
    const id = target ?? createdIdOf(commandId);
    const stream = `${command.category}-${id}`;
    const before = this.#turns.get(stream);
    const number = before ? before.number + 1 : 0;
    const run = before
      ? before.over.then(async () => {
          if (number % TURNS_IN_A_ROW === 0) await sleep(STAND_BACK_MS);
          return this.#run(command, request, commandId, id, stream);
        })
      : this.#run(command, request, commandId, id, stream);
    const turn = { over: run.then(ignore, ignore), number };
    this.#turns.set(stream, turn);
    this.#inHand += 1;
    try {
      return await run;
    } finally {
      this.#inHand -= 1;
      if (this.#turns.get(stream) === turn) this.#turns.delete(stream);
    }
  }

  async #run(command: AnyCommand, request: CommandRequest, commandId: string, id: string, stream: string): Promise<Outcome> {
    const creates = command.target === undefined;
    // A created stream is taken to be new: if it is not, the append says so.
    const cached = this.#cache.get(stream);
    let entry = cached ?? (creates ? emptyOf(command) : await this.#load(command, stream, emptyOf(command), commandId));
    let certain = !cached && !creates;
    const body = JSON.stringify(request.body ?? null);
    for (let attempt = 0; attempt < MAX_TRIES; attempt += 1) {
      const trace = entry.commands.get(commandId);
      if (trace) return this.#again(stream, id, commandId, creates, trace, body);
      const now = new Date(this.#parts.now()).toISOString();
      const verdict = this.#decide(command, request, entry, id, now);
      if (!Array.isArray(verdict) || verdict.length === 0) {
        // Never from a stale past: what stands there now is looked at first.
        if (!certain) {
          const fresh = await this.#load(command, stream, entry, commandId);
          certain = true;
          if (fresh.revision !== entry.revision) {
            entry = fresh;
            continue;
          }
        }
        if (!Array.isArray(verdict)) return verdict as Outcome;
        const { revision, position } = entry;
        return { kind: 'accepted', id, commandId, created: false, repeated: false, events: 0, revision, position };
      }
      const facts = verdict as readonly Fact[];
      let answer: Appended;
      try {
        answer = await this.#append(command, request, commandId, stream, entry, facts, now, body, attempt === 0);
      } catch (error) {
        // Nothing more can be sealed for it, but a retry of what was done before the erasure is still known.
        if (certain || !(error instanceof KeyDestroyed)) throw error;
        entry = await this.#load(command, stream, entry, commandId);
        certain = true;
        continue;
      }
      const { result, sent } = answer;
      if (result.appended) {
        const trace = { firstRevision: entry.revision + 1, lastRevision: result.revision, position: result.position };
        if (result.repeated ?? (request.key !== undefined && !(await this.#isOurs(stream, trace, sent)))) {
          entry = await this.#load(command, stream, entry, commandId);
          const written = entry.commands.get(commandId);
          if (!written) throw new Error(`${stream} does not show the command that it answered`);
          return this.#again(stream, id, commandId, creates, written, body);
        }
        this.#cache.put(stream, advance(command, entry, facts, commandId, trace));
        this.#parts.onAppended?.(command, facts.length);
        return {
          kind: 'accepted',
          id,
          commandId,
          created: creates,
          repeated: false,
          events: facts.length,
          revision: result.revision,
          position: result.position,
        };
      }
      entry = await this.#load(command, stream, entry, commandId);
      certain = true;
      // Others are ahead of us time and again: let them finish their turn.
      if (attempt > 2) await yieldTurn();
    }
    throw new TooMuchContention(`${stream} kept moving`);
  }

  #decide(command: AnyCommand, request: CommandRequest, entry: CachedStream, id: string, now: string): readonly Fact[] | Outcome {
    if (entry.revision >= 0 && command.visibleTo && !command.visibleTo(entry.state, request.actor)) return { kind: 'not-found' };
    if (request.expectedRevision !== undefined && request.expectedRevision !== entry.revision) return { kind: 'moved', revision: entry.revision };
    const decided = command.decider.decide(
      command.command({ params: request.params, body: request.body }, { now, actor: request.actor, id }),
      entry.state,
    );
    if (isRejection(decided)) return { kind: 'refused', rejection: decided };
    return decided as readonly Fact[];
  }

  async #append(
    command: AnyCommand,
    request: CommandRequest,
    commandId: string,
    stream: string,
    entry: CachedStream,
    facts: readonly Fact[],
    now: string,
    body: string,
    mayDraw: boolean,
  ): Promise<Appended> {
    const { codec, keyring, journal } = this.#parts;
    const creates = entry.revision === -1;
    let drawn: DrawnKey | undefined;
    const keys: DataKey[] = [];
    for (const fact of facts) {
      const retention = codec.retentionOf(fact.type);
      // A created stream brings the key of its own along, in the same commit; refused once, the key may be there without the stream.
      if (mayDraw && creates && journal.keepsKeys && fact.subject === undefined && (drawn === undefined || drawn.keep.retention === retention)) {
        drawn ??= await keyring.drawFor(stream, retention);
        keys.push(drawn.key);
        continue;
      }
      const key = keyring.forSealing(fact.subject ?? stream, retention);
      keys.push(key instanceof Promise ? await key : key);
    }
    const events = codec.encode(
      stream,
      facts,
      keys,
      {
        occurredAt: now,
        actor: request.actor,
        channel: request.channel,
        purpose: request.purpose,
        command: { id: commandId, name: command.name, version: command.version },
        correlationId: request.correlationId,
        causationId: request.causationId,
      },
      body,
    );
    const result = await journal.append(stream, creates ? 'no-stream' : entry.revision, events, drawn?.keep);
    if (drawn && result.appended && !result.repeated) keyring.remember(stream, drawn.keep.retention, drawn.key);
    return { result, sent: events[0] as EventToAppend };
  }

  /** Whether an append was written by this call, where the store can't tell: each attempt's body is sealed anew, so its bytes are its own. */
  async #isOurs(stream: string, trace: CommandTrace, sent: EventToAppend): Promise<boolean> {
    const [first] = await this.#parts.journal.readStream(stream, { from: trace.firstRevision, limit: 1 });
    return first?.metadata === sent.metadata;
  }

  /** The first answer again, or the news that the key was used for something else. */
  async #again(stream: string, id: string, commandId: string, created: boolean, trace: CommandTrace, body: string): Promise<Outcome> {
    if (!(await this.#sameBody(stream, trace, body))) return { kind: 'key-reused' };
    return {
      kind: 'accepted',
      id,
      commandId,
      created,
      repeated: true,
      events: trace.lastRevision - trace.firstRevision + 1,
      revision: trace.lastRevision,
      position: trace.position,
    };
  }

  async #sameBody(stream: string, trace: CommandTrace, body: string): Promise<boolean> {
    const { journal, codec, opener } = this.#parts;
    const first = trace.first ?? (await journal.readStream(stream, { from: trace.firstRevision, limit: 1 }))[0];
    trace.first = undefined;
    const sealed = first && codec.bodyOf(first);
    if (!sealed) throw new Error(`${stream} lacks the body of the command at revision ${trace.firstRevision}`);
    const kept = await opener.open(sealed);
    // Erased: that it was this command is still known, what it said is not.
    // The order of keys is nothing that a sender means.
    return kept instanceof Erased || isDeepStrictEqual(kept, JSON.parse(body));
  }

  /** The stream's past, from where an entry ends. */
  async #load(command: AnyCommand, stream: string, from: CachedStream, wanted: string): Promise<CachedStream> {
    const { journal, codec } = this.#parts;
    let { state, revision, position } = from;
    const commands = from.commands;
    for (;;) {
      const page: readonly StoredEvent[] = await journal.readStream(stream, { from: revision + 1, limit: READ_PAGE });
      for (const stored of page) {
        const event = codec.decode(stored);
        if (isUnknown(event)) throw new NewerEvent(`${stream} holds a ${event.type} of version ${event.schema}, which this program does not know`);
        state = command.decider.evolve(state, event);
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
}

function emptyOf(command: AnyCommand): CachedStream {
  return { state: command.decider.initialState, revision: -1, position: 0, commands: new Map() };
}

function advance(command: AnyCommand, entry: CachedStream, facts: readonly Fact[], commandId: string, trace: CommandTrace): CachedStream {
  // Moved in place, not copied: a hot stream remembers thousands, and its commands take turns.
  entry.commands.set(commandId, trace);
  return {
    state: facts.reduce(command.decider.evolve, entry.state),
    revision: trace.lastRevision,
    position: trace.position,
    commands: entry.commands,
  };
}

function isUnknown(event: object): event is UnknownEvent {
  return 'unknown' in event;
}

function ignore(): void {}
