// What an event is: its definition (the contract that lives for decades), the fact as a decider states it,
// and the fact as the journal gives it back.
import type { z } from 'zod';

/** Who did it: the token's subject in one role, and on whose behalf where that is someone else. */
export interface Actor {
  readonly subject: string;
  readonly role: string;
  readonly onBehalfOf?: string;
  /** How far the role reaches; the role's own reach where absent. Not kept with events. */
  readonly scope?: Scope;
  /** The one customer that they have in front of them, by a sight token (api/sights.ts). Not kept with events. */
  readonly sight?: string;
}

/** `bank`, or one branch by its code: `branch:3100`. A relationship manager's reach is own customers whatever it says. */
export type Scope = 'bank' | `branch:${string}`;

/** A fact as a decider states it. Time and identity of the record are the journal's business. */
export interface Fact<Type extends string = string, Data = unknown> {
  readonly type: Type;
  readonly data: Data;
  /** When it was so in the world, RFC 3339 (an instant in UTC, or a date where no time is known); the command's time where absent. Only feeds and timers set it. */
  readonly occurredAt?: string;
  /** The customer or account it is about (`customer-<id>`); its key seals the personal fields. Where absent, the stream's own key does. */
  readonly subject?: string;
}

/** A fact as the journal keeps it: see the event contract in docs/architecture.md. */
export interface RecordedEvent<Type extends string = string, Data = unknown> {
  readonly id: string;
  readonly stream: string;
  /** 0 for the first event of its stream. */
  readonly revision: number;
  /** Place in the one global order, strictly increasing; 0 is before everything. */
  readonly position: number;
  readonly type: Type;
  readonly schema: number;
  readonly occurredAt: string;
  /** When the journal took it, RFC 3339 UTC with milliseconds; never falls with position. */
  readonly recordedAt: string;
  readonly actor: Actor;
  /** By which way it came in: `rest`, `timer`, `feed:<source>`. */
  readonly channel: string;
  readonly purpose?: string | undefined;
  readonly command: { readonly id: string; readonly name: string; readonly version: number };
  readonly bodyHash: string;
  readonly correlationId: string;
  readonly causationId?: string | undefined;
  readonly subject?: string | undefined;
  readonly data: Data;
}

/** One event type of a context, as its newest schema version has it. Older versions are upcast on read (journal/codec.ts). */
export interface EventDefinition<Type extends string = string, Schema extends z.ZodType = z.ZodType> {
  readonly type: Type;
  readonly schema: number;
  readonly data: Schema;
  /** How long the law or the bank keeps it: personal fields are sealed with a key per subject and class, so that one class can be erased alone. */
  readonly retention: string;
  /** From older versions to the next: `{ 1: (data of version 1) => data of version 2 }`. */
  readonly upcasts: Readonly<Record<number, (data: Record<string, unknown>) => Record<string, unknown>>>;
}

/** Defines an event type. The names here are the stored format: never rename, only add versions with an upcast. */
export function defineEvent<Type extends string, Schema extends z.ZodType>(
  type: Type,
  data: Schema,
  options: { schema?: number; retention?: string; upcasts?: EventDefinition['upcasts'] } = {},
): EventDefinition<Type, Schema> {
  return { type, data, schema: options.schema ?? 1, retention: options.retention ?? 'service', upcasts: options.upcasts ?? {} };
}

/** The union of facts that a list of definitions allows. */
export type FactOf<Definitions extends readonly EventDefinition[]> = {
  [Index in keyof Definitions]: Definitions[Index] extends EventDefinition<infer Type, infer Schema> ? Fact<Type, z.output<Schema>> : never;
}[number];

/** The union of recorded events that a list of definitions allows. */
export type RecordedOf<Definitions extends readonly EventDefinition[]> = {
  [Index in keyof Definitions]: Definitions[Index] extends EventDefinition<infer Type, infer Schema> ? RecordedEvent<Type, z.output<Schema>> : never;
}[number];

/** The part of a stream's name before the first `-`: `ticket-018f…` is in `ticket`. */
export function categoryOf(stream: string): string {
  const dash = stream.indexOf('-');
  return dash === -1 ? stream : stream.slice(0, dash);
}
