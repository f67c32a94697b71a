// Four eyes on any command: what the policy names is not done but proposed, and done as its maker's once another approved it. The one place
// in the way of commands where that is so; it stands before the handler, and feeds, timers and jobs go by it.
import { type ApprovalState, approval, type Maker, type Proposal } from '../domain/approval/approval.ts';
import type { ApprovalFact, ApprovalRule } from '../domain/approval/events.ts';
import { approvalPolicy, type PolicyState, ruleFor } from '../domain/approval/policy.ts';
import type { Actor, RecordedEvent, Scope } from '../domain/kernel/event.ts';
import { Erased, type Personal } from '../domain/kernel/personal.ts';
import type { EventCodec } from '../journal/codec.ts';
import type { Journal } from '../journal/journal.ts';
import type { Opener } from '../journal/sealing.ts';
import { isProposable, recordCarriedOut, recordFailure, requestApproval } from './approval.ts';
import type { AnyCommand, DiffLine } from './command.ts';
import { approvalIdOf, carryOutIdOf } from './command-id.ts';
import type { CommandHandler, CommandRequest, Outcome, Rehearsed } from './handler.ts';
import { emptyStream, NewerEvent, Streams } from './streams.ts';

export interface FourEyesParts {
  readonly handler: Pick<CommandHandler, 'execute' | 'answered' | 'rehearse' | 'commandIdOf'>;
  readonly journal: Journal;
  readonly codec: EventCodec;
  readonly opener: Opener;
  /** Epoch milliseconds by the one clock. */
  readonly now: () => number;
  /** All there are: what was proposed is found among them by its name. */
  readonly commands: readonly AnyCommand[];
}

/** How a granted change stands after it was tried. */
export interface CarriedOut {
  readonly state: ApprovalState;
  /** Of the approval's stream. */
  readonly revision: number;
  /** Of the last event of it. */
  readonly position: number;
}

type Requested = Extract<ApprovalFact, { type: 'ApprovalRequested' }>['data'];
type ApprovalEvent = RecordedEvent & ApprovalFact;

/** A policy that another process published is felt so late at most, by commands that no policy named before. */
const POLICY_MS = 1_000;
const HOUR_MS = 3_600_000;
const POLICY_STREAM = 'policy-approval';
const system: Actor = { subject: 'shiji', role: 'system' };

export class FourEyes implements Pick<CommandHandler, 'execute'> {
  readonly #parts: FourEyesParts;
  readonly #streams: Streams;
  readonly #commands: ReadonlyMap<string, AnyCommand>;
  #policy: { readonly state: PolicyState; readonly readAtMs: number } | undefined;

  constructor(parts: FourEyesParts) {
    this.#parts = parts;
    this.#streams = new Streams(parts.journal, parts.codec);
    this.#commands = new Map(parts.commands.filter(isProposable).map((command) => [command.name, command]));
  }

  /** As the handler, but that what the policy names is proposed. */
  execute(command: AnyCommand, request: CommandRequest): Promise<Outcome> {
    // Most commands are named by no policy, and pay for no look at it.
    const known = this.#policy !== undefined && performance.now() - this.#policy.readAtMs < POLICY_MS ? this.#policy.state : undefined;
    const isFree = !this.#commands.has(command.name) || isExempt(request) || (known !== undefined && !known.everNamed.has(command.name));
    return isFree ? this.#parts.handler.execute(command, request) : this.#executeByPolicy(command, request);
  }

  async #executeByPolicy(command: AnyCommand, request: CommandRequest): Promise<Outcome> {
    const { handler } = this.#parts;
    const policy = await this.#readPolicy();
    if (!policy.everNamed.has(command.name)) return handler.execute(command, request);
    const asked = { ...request, commandId: handler.commandIdOf(command, request) };
    const approvalId = approvalIdOf(asked.commandId);
    const before = request.key === undefined ? undefined : await handler.answered(requestApproval, requestOf(approvalId, asked));
    if (before) return this.#proposed(before);
    const rule = ruleFor(policy, command.name, request.body);
    if (!rule) return handler.execute(command, asked);
    const rehearsed = await handler.rehearse(command, asked);
    if (rehearsed.kind !== 'would-write') return rehearsed;
    const proposal = this.#proposalOf(command, asked, rehearsed, rule, policy.version);
    return this.#proposed(await handler.execute(requestApproval, requestOf(approvalId, asked, proposal)));
  }

  /** Does what was granted, unless that is done or can't be: any number may try at once, and again. @throws KeyDestroyed */
  async carryOut(approvalId: string): Promise<CarriedOut> {
    const events = await this.#eventsOf(approvalId);
    const standing = standingOf(events);
    const requested = events.find(({ type }) => type === 'ApprovalRequested') as (RecordedEvent & { data: Requested }) | undefined;
    const granted = events.find(({ type }) => type === 'ApprovalGranted');
    if (standing.state.status !== 'granted' || !requested || !granted) return standing;
    const outcome = await this.#run(approvalId, requested, granted.id);
    const request = { params: { approvalId }, actor: system, channel: 'approval', correlationId: requested.correlationId, key: 'once' };
    const recorded =
      typeof outcome === 'string'
        ? await this.#parts.handler.execute(recordFailure, { ...request, body: { why: outcome } })
        : await this.#parts.handler.execute(recordCarriedOut, { ...request, body: outcome });
    // The other of two that tried may have told it otherwise: as it stands is what counts.
    if (recorded.kind !== 'accepted' && recorded.kind !== 'key-reused')
      throw new Error(`what became of approval ${approvalId} was not recorded: ${recorded.kind}`);
    this.#policy = undefined;
    return standingOf(await this.#eventsOf(approvalId));
  }

  /** Where the change stands, or why it can't. */
  async #run(
    approvalId: string,
    { data, channel, purpose, correlationId }: RecordedEvent & { data: Requested },
    causationId: string,
  ): Promise<string | { readonly stream: string; readonly revision: number }> {
    const { command: asked, params, base, maker } = data;
    const command = this.#commands.get(asked.name);
    if (!command || command.version !== asked.version) return 'command-changed';
    const body = await this.#parts.opener.open(data.body as Personal);
    if (body instanceof Erased || typeof body !== 'string') return 'erased';
    const outcome = await this.#parts.handler.execute(command, {
      params,
      body: JSON.parse(body),
      actor: actorOf(maker),
      channel,
      purpose,
      correlationId,
      causationId,
      commandId: carryOutIdOf(approvalId),
      expectedRevision: command.target === undefined ? undefined : base,
    });
    switch (outcome.kind) {
      case 'accepted':
        return { stream: `${command.category}-${outcome.id}`, revision: outcome.revision };
      case 'moved':
        return 'base-moved';
      case 'not-found':
        return 'right-gone';
      case 'refused':
        return outcome.rejection.rejected;
      default:
        throw new Error(`approval ${approvalId} was answered with ${outcome.kind}`);
    }
  }

  #proposalOf(command: AnyCommand, request: CommandRequest, rehearsed: Rehearsed, rule: ApprovalRule, version: number): Proposal {
    const { params, body, actor } = request;
    const diff: readonly DiffLine[] = command.diff?.({ params, body }, rehearsed.state, rehearsed.plain) ?? linesOf(named(command, params), body);
    const { reason } = body as { readonly reason?: unknown };
    return {
      command: { name: command.name, version: command.version },
      ...(command.target === undefined ? {} : { target: rehearsed.stream }),
      base: rehearsed.revision,
      params: params as Record<string, string>,
      body: JSON.stringify(body ?? null),
      diff: diff.map((line) => withoutAbsent({ ...line })),
      maker: withoutAbsent({ ...actor }),
      ...(typeof reason === 'string' ? { reason } : {}),
      ...(command.category === 'customer' && command.target !== undefined ? { customer: rehearsed.id } : {}),
      policy: { id: 'approval', version },
      approvers: rule.approvers,
      expiresAt: new Date(this.#parts.now() + rule.expiresAfterHours * HOUR_MS).toISOString(),
    };
  }

  async #proposed(outcome: Outcome): Promise<Outcome> {
    if (outcome.kind !== 'accepted') return outcome;
    const { id, revision, position } = outcome;
    const stream = `approval-${id}`;
    const { state } = await this.#streams.load(approval, stream, this.#streams.remembered(stream) ?? emptyStream(approval));
    return { kind: 'proposed', id, revision, position, expiresAt: (state as ApprovalState).expiresAt };
  }

  async #readPolicy(): Promise<PolicyState> {
    const readAtMs = performance.now();
    const known = this.#streams.remembered(POLICY_STREAM) ?? emptyStream(approvalPolicy);
    const state = (await this.#streams.load(approvalPolicy, POLICY_STREAM, known)).state as PolicyState;
    this.#policy = { state, readAtMs };
    return state;
  }

  async #eventsOf(approvalId: string): Promise<ApprovalEvent[]> {
    const { journal, codec } = this.#parts;
    return (await journal.readStream(`approval-${approvalId}`)).map((stored) => {
      const event = codec.decode(stored);
      if ('unknown' in event) throw new NewerEvent(`approval-${approvalId} holds a ${event.type}, which this program does not know`);
      return event as ApprovalEvent;
    });
  }
}

/** What systems say is fact already, and what the program does by itself was decided before. */
function isExempt({ actor: { role }, channel }: CommandRequest): boolean {
  return role === 'system' || role === 'integration' || channel.startsWith('feed:');
}

/** `proposal` is left out where it is only asked whether there is one. */
function requestOf(
  approvalId: string,
  { body, actor, channel, purpose, correlationId, causationId }: CommandRequest,
  proposal?: Proposal,
): CommandRequest {
  return { params: { approvalId, proposal }, body, actor, channel, purpose, correlationId, causationId, commandId: approvalId };
}

function standingOf(events: readonly ApprovalEvent[]): CarriedOut {
  const last = events.at(-1);
  return {
    state: events.reduce<ApprovalState>((state, event) => approval.evolve(state, event), approval.initialState),
    revision: last?.revision ?? -1,
    position: last?.position ?? 0,
  };
}

/** Their right as it was when they asked; what may be seen by it is looked at anew. */
export function actorOf({ subject, role, onBehalfOf, scope, sight }: Maker): Actor {
  return {
    subject,
    role,
    ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
    ...(scope === undefined ? {} : { scope: scope as Scope }),
    ...(sight === undefined ? {} : { sight }),
  };
}

/** What the address names beside the target: which tag, which contact. */
function named({ target }: AnyCommand, params: unknown): object {
  return Object.fromEntries(Object.entries(params as object).filter(([, value]) => value !== target?.(params)));
}

/** What was said, field by field, for a command that does not say what it changes. */
function linesOf(address: object, body: unknown): DiffLine[] {
  return Object.entries({ ...address, ...(body as object) }).flatMap(([field, value]) => {
    if (value === undefined || field === 'reason') return [];
    return [{ field, mask: 'hidden', after: typeof value === 'string' ? value : JSON.stringify(value) }];
  });
}

function withoutAbsent<Data extends object>(data: Data): Data {
  return Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined)) as Data;
}
