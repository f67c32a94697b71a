// A command is one declaration: its route, OpenAPI entry, roles, body, stream, decider and refusals. handler.ts runs any of them,
// api/command-routes.ts makes each a route, docs/errors.md lists the refusals.
import type { z } from 'zod';
import type { MaskKind } from '../domain/customer/masks.ts';
import type { Decider, Rejection } from '../domain/kernel/decider.ts';
import type { Actor } from '../domain/kernel/event.ts';
import type { Personal, Plain } from '../domain/kernel/personal.ts';
import type { ActingRole } from '../domain/kernel/roles.ts';

/** What decides a command besides its body and the stream's past: it goes into the command, so that a rehearsal decides alike. */
export interface CommandContext {
  /** RFC 3339 UTC with milliseconds, by the one clock. */
  readonly now: string;
  readonly actor: Actor;
  /** The aggregate's id: given by the path, or derived from the command's for one that is created. */
  readonly id: string;
  /** The bank's IANA zone. */
  readonly zone: string;
  /** States of what the command refers to, in the order of `refersTo`. */
  readonly referred: readonly unknown[];
  /** Opens what `opens` named of the state; there for a command that names something. */
  readonly plain?: Plain;
}

/** One line of what a command would change, for whoever approves it (domain/approval/). Text of any value; absent where there is none. */
export interface DiffLine {
  readonly field: string;
  /** How it is shown to whom may not see it. */
  readonly mask: MaskKind;
  readonly before?: string | undefined;
  readonly after?: string | undefined;
}

/** Something outside the command's own stream that it names: looked at before `decide`, never written. */
export interface Reference {
  /** Category and id make its stream. */
  readonly category: string;
  readonly id: string;
  readonly decider: Pick<AnyDecider, 'initialState' | 'evolve'>;
  /** Whether it is there at all, and for this actor; missing and hidden are one answer. */
  readonly isThere: (state: unknown, actor: Actor) => boolean;
  /** What must be there for this actor as well, or it is not. */
  readonly within?: (state: unknown) => readonly Reference[];
  /** Where personal values of it decide: what `command` is given in the place of its state. Erased values open to undefined. */
  readonly opened?: (state: unknown, open: (value: Personal) => Promise<string | undefined>) => Promise<unknown>;
  /** The answer where it is not. */
  readonly otherwise: Rejection;
}

/** A value that only one holder (a stream) may have: claimed before the facts that say so are appended (claims.ts). */
export interface Claim {
  readonly kind: 'document' | 'source';
  /** Canonical text; only a keyed hash of it is kept. */
  readonly value: string;
  /** JSON Pointer of the field in the command's body, where it is not one of `documents`. */
  readonly pointer?: string;
}

// biome-ignore lint/suspicious/noExplicitAny: whatever a decider decides on, the declaration takes from it
type AnyDecider = Decider<any, any, any, any>;
type CommandOf<D> = D extends Decider<infer Command, infer _S, infer _F, infer _C> ? Command : never;
type StateOf<D> = D extends Decider<infer _, infer State, infer _F, infer _C> ? State : never;
type CodeOf<D> = D extends Decider<infer _, infer _S, infer _F, infer Code> ? Code : never;

export interface CommandDraft<Params, Body, D extends AnyDecider> {
  /** Imperative: `OpenTicket`. */
  readonly name: string;
  /** Of the body: together with the name it says how a kept one is read. 1 where absent. */
  readonly version?: number;
  readonly summary: string;
  /** `POST /v1/tickets/{ticketId}/assign`; absent where only the program itself issues it, or another route does. */
  readonly route?: `${'POST' | 'DELETE'} /v1/${string}`;
  readonly roles: readonly ActingRole[];
  readonly params: z.ZodType<Params>;
  readonly body: z.ZodType<Body>;
  /** The category of the stream: its name is `<category>-<id>`. */
  readonly category: string;
  /** The aggregate's id from the path; absent for a command that creates one. */
  readonly target?: (params: Params) => string;
  readonly decider: D;
  /** HTTP status of each refusal. */
  readonly rejections: Readonly<Record<CodeOf<D>, number>>;
  /** Row-level right by the aggregate's own state; where false the answer is that there is no such thing. */
  readonly visibleTo?: (state: StateOf<D>, actor: Actor, id: string, params: Params) => boolean;
  /** With `target`: the stream is taken to be new, so that a feed's new fact costs no look; if it is not, the append says so. */
  readonly assumesNew?: true;
  /** False where the facts say all that the body says, and it has no open map: a digest of it is kept in its place. */
  readonly keepsBody?: false;
  /** `state` is the stream's own, as far as it is read. */
  readonly refersTo?: (input: { readonly params: Params; readonly body: Body; readonly state: StateOf<D> }) => readonly Reference[];
  /** What the command must be the only one to have. A claim that another holds is refused as `ClaimTaken`, which the rejections name. */
  readonly claims?: (input: { readonly params: Params; readonly body: Body }) => readonly Claim[];
  /** Personal values of the state that the decision compares, `frees` or `diff` tell: opened before. */
  readonly opens?: (state: StateOf<D>) => Iterable<Personal>;
  /** Claims of the holder's that the command, once it stands, gives up. */
  readonly frees?: (input: { readonly params: Params; readonly body: Body }, state: StateOf<D>, plain: Plain) => readonly Claim[];
  /** What it changes, for an approver; the body's own fields where absent (four-eyes.ts). */
  readonly diff?: (input: { readonly params: Params; readonly body: Body }, state: StateOf<D>, plain: Plain) => readonly DiffLine[];
  readonly command: (input: { readonly params: Params; readonly body: Body }, context: CommandContext) => CommandOf<D>;
}

export interface CommandDeclaration<Params, Body, D extends AnyDecider> extends CommandDraft<Params, Body, D> {
  readonly version: number;
}

/** A command whose types are its own business. */
// biome-ignore lint/suspicious/noExplicitAny: the handler takes declarations of every type, each consistent in itself
export type AnyCommand = CommandDeclaration<any, any, any>;

export function defineCommand<Params, Body, D extends AnyDecider>(draft: CommandDraft<Params, Body, D>): CommandDeclaration<Params, Body, D> {
  return { version: 1, ...draft };
}
