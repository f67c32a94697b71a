// How any command becomes events. In order: the stream's past (cached), a retry recognised from the stream's own events, the right to
// see it, what it refers to, `If-Match`, `decide`, its claims, append at the revision decided on. A race lost is decided again, unless the
// caller named a revision.
import { setTimeout as sleep, setImmediate as yieldTurn } from 'node:timers/promises';
import type { Rejection } from '../domain/kernel/decider.ts';
import type { Actor, Fact } from '../domain/kernel/event.ts';
import type { Plain } from '../domain/kernel/personal.ts';
import type { EventCodec } from '../journal/codec.ts';
import { type AppendResult, AppendTooLarge, type EventToAppend, type Journal } from '../journal/journal.ts';
import { type DataKey, type DrawnKey, KeyDestroyed, type Keyring } from '../journal/keyring.ts';
import type { Opener } from '../journal/sealing.ts';
import { Claiming, type Claims, refusedByAnother, type Taking } from './claims.ts';
import type { AnyCommand, Claim } from './command.ts';
import { commandIdOf, createdIdOf, drawCommandId } from './command-id.ts';
import { customerHolders } from './customer-holders.ts';
import { Deciding } from './deciding.ts';
import { handOver } from './hand-over.ts';
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
  /** The command's id where something else gives it than the key: what was approved is carried out under one of its own. */
  readonly commandId?: string | undefined;
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
  /** It waits for another's approval (four-eyes.ts): `id` is the approval's, and nothing else was written. */
  | { readonly kind: 'proposed'; readonly id: string; readonly revision: number; readonly position: number; readonly expiresAt: string }
  | { readonly kind: 'refused'; readonly rejection: Rejection }
  /** The stream does not stand where `If-Match` said. */
  | { readonly kind: 'moved'; readonly revision: number }
  /** The key was used for another body. */
  | { readonly kind: 'key-reused' }
  | { readonly kind: 'not-found' };

/** What a command would be decided on, where it would write something. */
export interface Rehearsed {
  readonly kind: 'would-write';
  readonly id: string;
  readonly stream: string;
  /** -1 for a stream that is not there. */
  readonly revision: number;
  readonly state: unknown;
  readonly plain: Plain;
}

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
  readonly #deciding: Deciding;
  #inHand = 0;
  /** One command a stream at a time in this process: the rest would only lose the race. */
  readonly #turns = new Map<string, Turn>();

  constructor(parts: CommandHandlerParts) {
    this.#parts = parts;
    this.#streams = new Streams(parts.journal, parts.codec);
    this.#deciding = new Deciding(this.#streams, parts);
  }

  /** How many commands are being decided and written. */
  get inHand(): number {
    return this.#inHand;
  }

  async execute(command: AnyCommand, request: CommandRequest): Promise<Outcome> {
    const { commandId, id, stream } = this.#named(command, request);
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

  /** The id of a command, as `execute` has it; one that is drawn is another each time. */
  commandIdOf(command: AnyCommand, { commandId, key, keyScope, actor, params }: CommandRequest): string {
    if (commandId !== undefined) return commandId;
    if (key === undefined) return drawCommandId(this.#parts.now());
    return commandIdOf(keyScope ?? actor.subject, command.name, askedOf(command, command.target?.(params), params), key);
  }

  /** The first answer again where the stream has this command already, or the news that its key was used for something else. */
  async answered(command: AnyCommand, request: CommandRequest): Promise<Outcome | undefined> {
    const { commandId, id, stream } = this.#named(command, request);
    const entry = await this.#load(command, stream, this.#streams.remembered(stream) ?? emptyStream(command.decider), commandId);
    const trace = entry.commands.get(commandId);
    return trace && this.#again(stream, id, commandId, command.target === undefined, trace, JSON.stringify(request.body ?? null));
  }

  /** Decides without writing or claiming anything: the answer that it would get, or what it would be decided on. */
  async rehearse(command: AnyCommand, request: CommandRequest): Promise<Outcome | Rehearsed> {
    const { commandId, id, stream } = this.#named(command, request);
    const entry = await this.#load(command, stream, this.#streams.remembered(stream) ?? emptyStream(command.decider), commandId);
    const trace = entry.commands.get(commandId);
    if (trace) return this.#again(stream, id, commandId, command.target === undefined, trace, JSON.stringify(request.body ?? null));
    const verdict = await this.#deciding.verdict(command, request, entry, id);
    if (!('facts' in verdict)) return verdict;
    const { revision, position } = entry;
    if (verdict.facts.length === 0) return { kind: 'accepted', id, commandId, created: false, repeated: false, events: 0, revision, position };
    const wanted = command.claims?.({ params: request.params, body: request.body }) ?? NONE;
    const taken = wanted.length === 0 ? undefined : await refusedByAnother(this.#claiming(request), id, wanted);
    if (taken) return { kind: 'refused', rejection: taken };
    return { kind: 'would-write', id, stream, revision, state: entry.state, plain: verdict.plain };
  }

  #named(command: AnyCommand, request: CommandRequest): { readonly commandId: string; readonly id: string; readonly stream: string } {
    const commandId = this.commandIdOf(command, request);
    const id = command.target?.(request.params) ?? createdIdOf(commandId);
    return { commandId, id, stream: `${command.category}-${id}` };
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
      const deciding = this.#deciding.verdict(command, request, entry, id);
      let verdict = deciding instanceof Promise ? await deciding : deciding;
      if (claiming && 'facts' in verdict && verdict.facts.length > 0) verdict = (await this.#claim(claiming, id, request)) ?? verdict;
      if (!('facts' in verdict) || verdict.facts.length === 0) {
        // Never from a stale past: what stands there now is looked at first.
        if (!certain) {
          const fresh = await this.#load(command, stream, entry, commandId);
          certain = true;
          if (fresh.revision !== entry.revision) {
            entry = fresh;
            continue;
          }
        }
        if (!('facts' in verdict)) return verdict;
        const { revision, position } = entry;
        return { kind: 'accepted', id, commandId, created: false, repeated: false, events: 0, revision, position };
      }
      const { facts, now, plain } = verdict;
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
        const mayRepeat = request.key !== undefined || request.commandId !== undefined;
        if (result.repeated ?? (mayRepeat && !(await isOurs(this.#parts, stream, trace, sent)))) {
          entry = await this.#load(command, stream, entry, commandId);
          const written = entry.commands.get(commandId);
          if (!written) throw new Error(`${stream} does not show the command that it answered`);
          return this.#again(stream, id, commandId, creates, written, body);
        }
        const before = entry.state;
        // What a feed brings once is not asked for again: remembered, it would only crowd out what is.
        if (!command.assumesNew) this.#streams.advance(command.decider, stream, entry, facts, commandId, trace);
        this.#parts.onAppended?.(command, facts.length);
        const freed = command.frees?.({ params: request.params, body: request.body }, before, plain) ?? NONE;
        if (freed.length > 0) await this.#free(id, freed);
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

  /** The refusal where another has one of them. */
  async #claim(claiming: Claiming, id: string, request: CommandRequest): Promise<Outcome | undefined> {
    const taken = await claiming.take(this.#claiming(request), id);
    return taken && { kind: 'refused', rejection: taken };
  }

  async #free(id: string, freed: readonly Claim[]): Promise<void> {
    const { claims } = this.#parts;
    if (!claims) return;
    await claims.free(id, freed);
    await handOver({ ...this.#parts, claims }, id, freed);
  }

  #claiming({ correlationId }: CommandRequest): Taking {
    const { claims, journal, claimPatienceMs: patienceMs } = this.#parts;
    if (!claims) throw new Error('a command with claims was given to a handler without any');
    return { claims, holders: customerHolders(this, journal, correlationId), patienceMs };
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

/** All that the path names, not the stream alone: one key on two tags of a customer asks for two things. */
function askedOf({ route }: AnyCommand, target: string | undefined, params: unknown): string {
  if (target === undefined || route === undefined) return target ?? '';
  const others = Object.values(params as object).filter((value) => value !== target);
  return others.length === 0 ? target : `${target} ${JSON.stringify(others)}`;
}

/** As events keep it: how far someone's sight reached is no part of what they did. */
function keptActor(actor: Actor): Actor {
  if (actor.scope === undefined && actor.sight === undefined) return actor;
  const { scope: _, sight: _sight, ...kept } = actor;
  return kept;
}

function ignore(): void {}
