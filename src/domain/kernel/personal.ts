// Personal values inside events: marked once in the event's zod schema, sealed before they are written,
// carried sealed through the projections and opened only where an answer needs them (journal/sealing.ts).
import { z } from 'zod';

/** A personal value as the journal keeps it. It names what its ciphertext is bound to, so that it opens wherever it is carried. */
export class Sealed {
  readonly stream: string;
  readonly eventId: string;
  /** Path of the field in the event's data, such as `contacts.0.value`. */
  readonly field: string;
  /** `<key id>.<key version>.<base64url of nonce, ciphertext and tag>.<base64url commitment>` */
  readonly envelope: string;

  constructor(stream: string, eventId: string, field: string, envelope: string) {
    this.stream = stream;
    this.eventId = eventId;
    this.field = field;
    this.envelope = envelope;
  }

  /** One line for a read model's column; `Sealed.parse` reads it back. */
  toString(): string {
    return `${this.stream} ${this.eventId} ${this.field} ${this.envelope}`;
  }

  static parse(line: string): Sealed {
    // A field's path may hold the keys of a record, and so spaces; the others never do.
    const [stream = '', eventId = '', ...rest] = line.split(' ');
    const envelope = rest.pop() ?? '';
    return new Sealed(stream, eventId, rest.join(' '), envelope);
  }
}

/** What a reader gets where the key was destroyed: that there was a value, and that it is gone for good. */
export class Erased {
  toJSON(): { erased: true } {
    return { erased: true };
  }
}

/** A personal value in an event: plain when just decided or opened, sealed as read from the journal, erased when its key is gone. */
export type Personal<Value = string> = Value | Sealed | Erased;

/** Personal values opened for a decision that compares them: null where one was erased. They come in with the command. */
export type Plain = (value: Personal) => string | null;

/** Where nothing was opened: only what is plain already is known. */
export const unopened: Plain = (value) => (typeof value === 'string' ? value : null);

/** Schemas without fields of their own. */
const plain = [z.ZodString, z.ZodStringFormat, z.ZodNumber, z.ZodBoolean, z.ZodEnum, z.ZodLiteral, z.ZodNull, z.ZodTemplateLiteral] as const;

const marked = z.registry<{ personal: true }>();

/** Marks a field of an event as personal: it is sealed with the key of the event's subject before it is written. */
export function personal<Schema extends z.ZodType>(schema: Schema): z.ZodType<Personal<z.output<Schema>>> {
  marked.add(schema, { personal: true });
  return schema as unknown as z.ZodType<Personal<z.output<Schema>>>;
}

/**
 * Paths of the personal fields of an event's data; `*` stands for each element of an array or value of a record.
 * @throws Error at a schema that it can't see into: a marked field behind it would be written in the clear
 */
export function personalPaths(schema: z.ZodType, path: readonly string[] = []): readonly (readonly string[])[] {
  // `get`, not `has`: a described or refined copy of a marked schema stays marked.
  if (marked.get(schema)?.personal) return [path];
  if (schema instanceof z.ZodObject)
    return Object.entries(schema.shape).flatMap(([name, field]) => personalPaths(field as z.ZodType, [...path, name]));
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault || schema instanceof z.ZodReadonly)
    return personalPaths(schema.unwrap() as z.ZodType, path);
  if (schema instanceof z.ZodArray) return personalPaths(schema.element as z.ZodType, [...path, '*']);
  if (schema instanceof z.ZodRecord) return personalPaths(schema.valueType as z.ZodType, [...path, '*']);
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => personalPaths(option as z.ZodType, path));
  if (plain.some((kind) => schema instanceof kind)) return [];
  throw new Error(`${path.join('.')}: an event's schema can't hold a ${schema.constructor.name}`);
}
