// How any command becomes events. In order: the stream's past (cached), a retry recognised from the stream's own events, the right to
// see it, what it refers to, `If-Match`, `decide`, its claims, append at the revision decided on. A race lost is decided again, unless the
// caller named a revision.
import { setTimeout as sleep, setImmediate as yieldTurn } from 'node:timers/promises';
import { isRejection, type Rejection } from '../domain/kernel/decider.ts';
import type { Actor, Fact } from '../domain/kernel/event.ts';
import type { EventCodec } from '../journal/codec.ts';
import { type AppendResult, AppendTooLarge, type EventToAppend, type Journal } from '../journal/journal.ts';
import { type DataKey, type DrawnKey, KeyDestroyed, type Keyring } from '../journal/keyring.ts';
import type { Opener } from '../journal/sealing.ts';
import { Claiming, type Claims } from './claims.ts';
import type { AnyCommand } from './command.ts';
import { commandIdOf, createdIdOf, drawCommandId } from './command-id.ts';
import { customerHolders } from './customer-holders.ts';
import { lookUp } from './references.ts';
import { hasSameBody, isOurs } from './repetition.ts';
import type { CachedStream, CommandTrace } from './state-cache.ts';
import { emptyStream, Streams } from './streams.ts';

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
const NONE: readonly never[] = [];

export interface CommandHandlerParts {
  readonly journal: Journal;
  readonly codec: EventCodec;
  readonly keyring: Keyring;
  readonly opener: Opener;
  /** Epoch milliseconds by the one clock. */
  readonly now: () => number;
  readonly onAppended?: (command: AnyCommand, events: number) => void;
  /** The bank's IANA zone; Asia/Shanghai where absent. */
  readonly zone?: string;
  /** Where absent, a command with claims throws. */
  readonly claims?: Claims;
  /** How old a claim without its facts must be to be taken over; 3 s where absent. */
  readonly claimPatienceMs?: number;
}

export class CommandHandler {
  readonly #parts: CommandHandlerParts;
  readonly #streams: Streams;
  readonly #zone: string;
  #inHand = 0;
  /** One command a stream at a time in this process: the rest would only lose the race. */
  readonly #turns = new Map<string, Turn>();

  constructor(parts: CommandHandlerParts) {
    this.#parts = parts;
    this.#streams = new Streams(parts.journal, parts.codec);
    this.#zone = parts.zone ?? 'Asia/Shanghai';
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

  #run(command: AnyCommand, request: CommandRequest, commandId: string, id: string, stream: string): Promise<Outcome> {
    const wanted = command.claims?.({ params: request.params, body: request.body }) ?? NONE;
    const claiming = wanted.length === 0 ? undefined : new Claiming(wanted);
    const outcome = this.#attempt(command, request, commandId, id, stream, claiming);
    return claiming ? this.#released(claiming, outcome) : outcome;
  }

  /** Gives the claims back where nothing was written. Where that is not known they stay: a retry finds them its own, another takes them over. */
  async #released(claiming: Claiming, running: Promise<Outcome>): Promise<Outcome> {
    let isUnwritten = false;
    try {
      const outcome = await running;
      isUnwritten = outcome.kind !== 'accepted' || outcome.events === 0;
      return outcome;
    } catch (error) {
      isUnwritten = error instanceof KeyDestroyed || error instanceof AppendTooLarge || error instanceof TooMuchContention;
      throw error;
    } finally {
      if (isUnwritten) await claiming.release(this.#parts.claims);
    }
  }

  async #attempt(
    command: AnyCommand,
    request: CommandRequest,
    commandId: string,
    id: string,
    stream: string,
    claiming: Claiming | undefined,
  ): Promise<Outcome> {
    const creates = command.target === undefined;
    // A created stream is taken to be new: if it is not, the append says so.
    const assumesNew = creates || command.assumesNew === true;
    const remembered = this.#streams.remembered(stream);
    let entry = remembered ?? emptyStream(command.decider);
    let certain = !remembered && !assumesNew;
    if (certain) entry = await this.#load(command, stream, entry, commandId);
    const body = JSON.stringify(request.body ?? null);
    for (let attempt = 0; attempt < MAX_TRIES; attempt += 1) {
      const trace = entry.commands.get(commandId);
      if (trace) return this.#again(stream, id, commandId, creates, trace, body);
      const now = new Date(this.#parts.now()).toISOString();
      let verdict: readonly Fact[] | Outcome | undefined = isHidden(command, request, entry, id) ? { kind: 'not-found' } : undefined;
      if (verdict === undefined) {
        const references = command.refersTo?.({ params: request.params, body: request.body }) ?? NONE;
        const referred =
          references.length === 0 ? NONE : await lookUp({ streams: this.#streams, opener: this.#parts.opener }, references, request.actor);
        if (isRejection(referred)) verdict = { kind: 'refused', rejection: referred };
        else verdict = moved(request, entry) ?? this.#decide(command, request, entry, id, now, referred);
      }
      if (claiming && Array.isArray(verdict) && verdict.length > 0) verdict = (await this.#claim(claiming, id, request)) ?? verdict;
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
        if (result.repeated ?? (request.key !== undefined && !(await isOurs(this.#parts, stream, trace, sent)))) {
          entry = await this.#load(command, stream, entry, commandId);
          const written = entry.commands.get(commandId);
          if (!written) throw new Error(`${stream} does not show the command that it answered`);
          return this.#again(stream, id, commandId, creates, written, body);
        }
        // What a feed brings once is not asked for again: remembered, it would only crowd out what is.
        if (!command.assumesNew) this.#streams.advance(command.decider, stream, entry, facts, commandId, trace);
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

  /** The first answer again, or the news that the key was used for something else. */
  async #again(stream: string, id: string, commandId: string, created: boolean, trace: CommandTrace, body: string): Promise<Outcome> {
    if (!(await hasSameBody(this.#parts, stream, trace, body))) return { kind: 'key-reused' };
    const { firstRevision, lastRevision: revision, position } = trace;
    return { kind: 'accepted', id, commandId, created, repeated: true, events: revision - firstRevision + 1, revision, position };
  }

  #load(command: AnyCommand, stream: string, from: CachedStream, wanted: string): Promise<CachedStream> {
    return this.#streams.load(command.decider, stream, from, wanted);
  }

  #decide(
    command: AnyCommand,
    { params, body, actor }: CommandRequest,
    entry: CachedStream,
    id: string,
    now: string,
    referred: readonly unknown[],
  ): readonly Fact[] | Outcome {
    const decided = command.decider.decide(command.command({ params, body }, { now, actor, id, zone: this.#zone, referred }), entry.state);
    if (isRejection(decided)) return { kind: 'refused', rejection: decided };
    return decided as readonly Fact[];
  }

  /** The refusal where another has one of them. */
  async #claim(claiming: Claiming, id: string, { correlationId }: CommandRequest): Promise<Outcome | undefined> {
    const { claims, journal, claimPatienceMs: patienceMs } = this.#parts;
    if (!claims) throw new Error('a command with claims was given to a handler without any');
    const taken = await claiming.take({ claims, holders: customerHolders(this, journal, correlationId), patienceMs }, id);
    return taken && { kind: 'refused', rejection: taken };
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
        actor: keptActor(request.actor),
        channel: request.channel,
        purpose: request.purpose,
        command: { id: commandId, name: command.name, version: command.version },
        correlationId: request.correlationId,
        causationId: request.causationId,
      },
      body,
      command.keepsBody,
    );
    const result = await journal.append(stream, creates ? 'no-stream' : entry.revision, events, drawn?.keep);
    if (drawn && result.appended && !result.repeated) keyring.remember(stream, drawn.keep.retention, drawn.key);
    return { result, sent: events[0] as EventToAppend };
  }
}

/** As events keep it: how far someone's sight reached is no part of what they did. */
function keptActor(actor: Actor): Actor {
  if (actor.scope === undefined && actor.sight === undefined) return actor;
  const { scope: _, sight: _sight, ...kept } = actor;
  return kept;
}

function isHidden(command: AnyCommand, { actor }: CommandRequest, entry: CachedStream, id: string): boolean {
  return entry.revision >= 0 && command.visibleTo !== undefined && !command.visibleTo(entry.state, actor, id);
}

/** After what it refers to: whoever may not see that is not told how the stream stands. */
function moved({ expectedRevision }: CommandRequest, { revision }: CachedStream): Outcome | undefined {
  return expectedRevision === undefined || expectedRevision === revision ? undefined : { kind: 'moved', revision };
}

function ignore(): void {}
