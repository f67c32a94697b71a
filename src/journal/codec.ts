// Between facts and bytes: a fact becomes canonical, sealed JSON with its metadata; a stored event becomes a RecordedEvent, upcast to
// the newest schema version, its personal values as `Sealed`. Metadata is parsed only when something of it is read: most folds never do.
import type { Actor, EventDefinition, Fact, RecordedEvent } from '../domain/kernel/event.ts';
import { Erased, personalPaths, Sealed } from '../domain/kernel/personal.ts';
import type { EventToAppend, StoredEvent } from './journal.ts';
import type { DataKey } from './keyring.ts';
import { commitmentOf, Digest, digest, eventSubkey, seal } from './sealing.ts';

/** A type, or a newer schema version of one, that this program does not know: a newer program wrote it. */
export interface UnknownEvent {
  readonly unknown: true;
  readonly type: string;
  readonly schema: number;
  readonly position: number;
  readonly stream: string;
  readonly revision: number;
  readonly id: string;
}

/** What an append says about all its events. */
export interface Provenance {
  readonly occurredAt: string;
  readonly actor: Actor;
  readonly channel: string;
  readonly purpose?: string | undefined;
  readonly command: { readonly id: string; readonly name: string; readonly version: number };
  readonly correlationId: string;
  readonly causationId?: string | undefined;
}

interface Metadata {
  readonly schema: number;
  readonly occurredAt: string;
  readonly actor: Actor;
  readonly channel: string;
  readonly purpose?: string;
  readonly command: { readonly id: string; readonly name: string; readonly version: number };
  readonly bodyHash: string;
  /** The command's body, sealed, on the first event of the command; its digest where the facts say all that it said. */
  readonly body?: { readonly $sealed: string } | { readonly $digest: string };
  readonly subject?: string;
  readonly $correlationId: string;
  readonly $causationId?: string;
}

interface Compiled {
  readonly definition: EventDefinition;
  /** Personal fields of the data itself. */
  readonly fields: readonly string[];
  /** Those further down. */
  readonly paths: readonly (readonly string[])[];
}

const BODY_FIELD = '$body';

export class EventCodec {
  readonly #journalId: string;
  readonly #types: ReadonlyMap<string, Compiled>;

  constructor(journalId: string, definitions: readonly EventDefinition[]) {
    this.#journalId = journalId;
    this.#types = new Map(definitions.map((definition) => [definition.type, compile(definition)]));
    if (this.#types.size !== definitions.length) throw new Error('two event definitions share a type');
  }

  /** The retention class that an event type's personal fields are sealed under. */
  retentionOf(type: string): string {
    return this.#compiled(type).definition.retention;
  }

  knows(type: string): boolean {
    return this.#types.has(type);
  }

  /**
   * The events of one command, with ids derived from the command's. `body` is the command's canonical JSON; it is sealed beside the
   * first event, and its commitment, the same in each, is the body hash: no one can guess a body from it.
   * @param keepsBody false: a digest stands in its place, for facts that say all that it says
   */
  encode(stream: string, facts: readonly Fact[], keys: readonly DataKey[], provenance: Provenance, body: string, keepsBody = true): EventToAppend[] {
    let bodyHash = '';
    return facts.map((fact, index) => {
      const { definition, fields, paths } = this.#compiled(fact.type);
      const key = keys[index] as DataKey;
      const id = eventIdOf(provenance.command.id, index);
      const subkey = index === 0 || fields.length + paths.length > 0 ? eventSubkey(key, id) : undefined;
      const sealField = (field: string, json: string): string => seal(this.#journalId, key, subkey as Buffer, stream, id, field, json);
      let keptBody: Metadata['body'];
      if (index === 0) {
        const text = keepsBody ? sealField(BODY_FIELD, body) : digest(key, subkey as Buffer, body);
        keptBody = keepsBody ? { $sealed: text } : { $digest: text };
        bodyHash = commitmentOf(text);
      }
      let data = fact.data;
      if (fields.length > 0) {
        const copy = { ...(data as Record<string, unknown>) };
        for (const field of fields) if (isThere(copy[field])) copy[field] = { $sealed: sealField(field, JSON.stringify(copy[field])) };
        data = copy;
      }
      for (const path of paths) data = mapAt(data, path, (value, field) => ({ $sealed: sealField(field, JSON.stringify(value)) }), '');
      const metadata: Metadata = {
        schema: definition.schema,
        occurredAt: fact.occurredAt ?? provenance.occurredAt,
        actor: provenance.actor,
        channel: provenance.channel,
        ...(provenance.purpose === undefined ? {} : { purpose: provenance.purpose }),
        command: provenance.command,
        bodyHash,
        ...(keptBody === undefined ? {} : { body: keptBody }),
        ...(fact.subject === undefined ? {} : { subject: fact.subject }),
        $correlationId: provenance.correlationId,
        ...(provenance.causationId === undefined ? {} : { $causationId: provenance.causationId }),
      };
      return { id, type: fact.type, data: JSON.stringify(data), metadata: JSON.stringify(metadata) };
    });
  }

  decode(stored: StoredEvent): RecordedEvent | UnknownEvent {
    const compiled = this.#types.get(stored.type);
    const event = new DecodedEvent(stored);
    // Every definition is at version 1 until it has an upcast, so the version is looked at only where it can matter.
    if (!compiled) return unknown(stored, event.schema);
    const newest = compiled.definition.schema;
    const schema = schemaOf(stored.metadata);
    if (schema > newest) return unknown(stored, schema);
    let data = JSON.parse(stored.data) as Record<string, unknown>;
    // Before an upcast moves them: what is sealed is bound to the path at which it was written.
    if (schema < newest) data = asSealed(data, stored, '') as Record<string, unknown>;
    for (let version = schema; version < newest; version += 1) {
      const upcast = compiled.definition.upcasts[version];
      if (!upcast) throw new Error(`${stored.type} has no upcast from version ${version}`);
      data = upcast(data);
    }
    // The data is fresh from the parser, so its own fields are changed in place: a rebuild decodes every event there is.
    for (const field of compiled.fields) {
      const value = data[field];
      if (isSealed(value)) data[field] = new Sealed(stored.stream, stored.id, field, value.$sealed);
    }
    for (const path of compiled.paths)
      data = mapAt(
        data,
        path,
        (value, field) => (isSealed(value) ? new Sealed(stored.stream, stored.id, field, value.$sealed) : value),
        '',
      ) as Record<string, unknown>;
    event.data = data;
    return event;
  }

  /** The body of a command as it is kept, found on its first event. */
  bodyOf(stored: StoredEvent): Sealed | Digest | undefined {
    const { body } = JSON.parse(stored.metadata) as Metadata;
    if (body === undefined) return undefined;
    return '$digest' in body ? new Digest(stored.id, body.$digest) : new Sealed(stored.stream, stored.id, BODY_FIELD, body.$sealed);
  }

  #compiled(type: string): Compiled {
    const compiled = this.#types.get(type);
    if (!compiled) throw new Error(`${type} is no event of this program`);
    return compiled;
  }
}

class DecodedEvent implements RecordedEvent {
  readonly id: string;
  readonly stream: string;
  readonly revision: number;
  readonly position: number;
  readonly type: string;
  data: unknown = undefined;
  readonly #recordedAtMs: number;
  readonly #metadataJson: string;
  #metadata: Metadata | undefined;

  constructor(stored: StoredEvent) {
    this.id = stored.id;
    this.stream = stored.stream;
    this.revision = stored.revision;
    this.position = stored.position;
    this.type = stored.type;
    this.#recordedAtMs = stored.recordedAtMs;
    this.#metadataJson = stored.metadata;
  }

  get #meta(): Metadata {
    this.#metadata ??= JSON.parse(this.#metadataJson) as Metadata;
    return this.#metadata;
  }

  get recordedAt(): string {
    return new Date(this.#recordedAtMs).toISOString();
  }
  get schema(): number {
    return this.#meta.schema;
  }
  get occurredAt(): string {
    return this.#metadata?.occurredAt ?? occurredAtOf(this.#metadataJson) ?? this.#meta.occurredAt;
  }
  get actor(): Actor {
    return this.#meta.actor;
  }
  get channel(): string {
    return this.#meta.channel;
  }
  get purpose(): string | undefined {
    return this.#meta.purpose;
  }
  get command(): Metadata['command'] {
    return this.#meta.command;
  }
  get bodyHash(): string {
    return this.#meta.bodyHash;
  }
  get correlationId(): string {
    return this.#meta.$correlationId;
  }
  get causationId(): string | undefined {
    return this.#meta.$causationId;
  }
  get subject(): string | undefined {
    return this.#meta.subject;
  }
}

/** The id of a command's event at an index: the command's id with its last 16 bits moved by one more than the index. */
export function eventIdOf(commandId: string, index: number): string {
  const last = (Number.parseInt(commandId.slice(-4), 16) + index + 1) & 0xffff;
  return commandId.slice(0, -4) + last.toString(16).padStart(4, '0');
}

/** `schema` is the first key of the metadata that we write, so it is read without parsing the rest. */
function schemaOf(metadata: string): number {
  if (metadata.startsWith(SCHEMA)) return Number.parseInt(metadata.slice(SCHEMA.length, SCHEMA.length + 6), 10);
  return (JSON.parse(metadata) as Metadata).schema;
}

/** The second key of the metadata that we write, as nearly every fold asks for it. Undefined where it stands otherwise. */
function occurredAtOf(metadata: string): string | undefined {
  const from = metadata.indexOf(OCCURRED_AT, SCHEMA.length);
  // Within the first bytes, behind a schema version: not the same words in a later value.
  if (from < 0 || from > SCHEMA.length + 6 || !metadata.startsWith(SCHEMA)) return undefined;
  const start = from + OCCURRED_AT.length;
  const end = metadata.indexOf('"', start);
  // Parsed, as a slice would keep the whole metadata in memory for as long as a row that holds it.
  return metadata.lastIndexOf('\\', end) < start ? (JSON.parse(metadata.slice(start - 1, end + 1)) as string) : undefined;
}

const SCHEMA = '{"schema":';
const OCCURRED_AT = ',"occurredAt":"';

function unknown(stored: StoredEvent, schema: number): UnknownEvent {
  const { type, position, stream, revision, id } = stored;
  return { unknown: true, type, schema, position, stream, revision, id };
}

function compile(definition: EventDefinition): Compiled {
  const all = personalPaths(definition.data);
  const isOwn = (path: readonly string[]): boolean => path.length === 1 && path[0] !== '*';
  return { definition, fields: all.filter(isOwn).map(([field = '']) => field), paths: all.filter((path) => !isOwn(path)) };
}

/** What is absent, null or erased already is nothing to seal. */
function isThere(value: unknown): boolean {
  return value !== undefined && value !== null && !(value instanceof Erased);
}

function isSealed(value: unknown): value is { readonly $sealed: string } {
  return typeof value === 'object' && value !== null && typeof (value as { $sealed?: unknown }).$sealed === 'string';
}

/** Data with every sealed value in it as `Sealed`, by its own path. */
function asSealed(data: unknown, stored: StoredEvent, field: string): unknown {
  if (typeof data !== 'object' || data === null) return data;
  if (isSealed(data)) return new Sealed(stored.stream, stored.id, field, data.$sealed);
  const at = (name: string | number): string => (field === '' ? `${name}` : `${field}.${name}`);
  if (Array.isArray(data)) return data.map((item, index) => asSealed(item, stored, at(index)));
  return Object.fromEntries(Object.entries(data).map(([name, item]) => [name, asSealed(item, stored, at(name))]));
}

/** Data with every value at a path replaced; what is absent or null stays so. Copies only along the path. */
function mapAt(data: unknown, path: readonly string[], change: (value: unknown, field: string) => unknown, field: string): unknown {
  if (data === undefined || data === null) return data;
  const [head, ...rest] = path;
  if (head === undefined) return data instanceof Erased ? data : change(data, field);
  const at = (name: string | number): string => (field === '' ? `${name}` : `${field}.${name}`);
  if (head === '*') {
    if (Array.isArray(data)) return data.map((item, index) => mapAt(item, rest, change, at(index)));
    return Object.fromEntries(Object.entries(data).map(([name, item]) => [name, mapAt(item, rest, change, at(name))]));
  }
  const object = data as Record<string, unknown>;
  if (object[head] === undefined || object[head] === null) return data;
  return { ...object, [head]: mapAt(object[head], rest, change, at(head)) };
}
