// The journal as auditors read it: whole events, personal values opened or told to be erased, every read recorded. The streams of the
// category aml are nobody's here.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { categoryOf, type RecordedEvent } from '../domain/kernel/event.ts';
import { Erased, Sealed } from '../domain/kernel/personal.ts';
import type { EventCodec, UnknownEvent } from '../journal/codec.ts';
import type { JournalReader, StoredEvent } from '../journal/journal.ts';
import type { Opener } from '../journal/sealing.ts';
import { type ReadRouteParts, readRoute } from './read-route.ts';

export interface JournalRouteParts extends ReadRouteParts {
  readonly journal: JournalReader;
  readonly codec: EventCodec;
  readonly opener: Opener;
}

const HIDDEN: ReadonlySet<string> = new Set(['aml']);

const Person = z.object({ subject: z.string(), role: z.string(), onBehalfOf: z.string().optional() });
const Event = z.object({
  id: z.string(),
  stream: z.string(),
  revision: z.int(),
  position: z.int(),
  type: z.string(),
  schema: z.int(),
  occurredAt: z.string().optional(),
  recordedAt: z.string(),
  actor: Person.optional(),
  channel: z.string().optional(),
  purpose: z.string().optional(),
  command: z.object({ id: z.string(), name: z.string(), version: z.int() }).optional(),
  bodyHash: z.string().optional(),
  correlationId: z.string().optional(),
  causationId: z.string().optional(),
  subject: z.string().optional(),
  data: z.unknown().meta({
    description:
      'As the newest schema version has it; `{"erased": true}` where a personal value is gone; absent where only a newer program knows the type',
  }),
});
type EventShown = z.output<typeof Event>;

const Events = z.object({
  items: z.array(Event),
  next: z.string().nullable().meta({ description: 'The next page’s `after`, null at the end' }),
});

const limit = z.coerce.number().int().min(1).max(500).default(50).meta({ description: 'Most events of one page' });
const name = (what: string) =>
  z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9-]{0,63}$/)
    .optional()
    .meta({ description: what });

/** Events looked at for one page where a filter lets few through; then the page is short and `next` goes on. */
const LOOKED_AT = 20_000;
const BATCH = 1_000;

export function journalRoutes(app: FastifyInstance, parts: JournalRouteParts): void {
  const { journal, codec, opener } = parts;

  readRoute(app, parts, {
    name: 'ListEvents',
    summary: 'The journal in its one order',
    route: 'GET /v1/events',
    roles: ['auditor'],
    query: z.strictObject({
      after: z.coerce.number().int().min(0).default(0).meta({ description: 'The position to go on after: 0, `next`, or an event’s' }),
      category: name('Only streams of this category'),
      type: name('Only events of this type'),
      limit,
    }),
    answer: Events,
    personal: true,
    read: async ({ query, record }) => {
      const found: StoredEvent[] = [];
      let { after } = query;
      let atEnd = false;
      for (let looked = 0; looked < LOOKED_AT && found.length < query.limit && !atEnd; looked += BATCH) {
        const batch = await journal.readAll({
          after,
          limit: query.category === undefined && query.type === undefined ? query.limit - found.length : BATCH,
          ...(query.category === undefined ? {} : { categories: [query.category] }),
          ...(query.type === undefined ? {} : { types: [query.type] }),
        });
        found.push(...batch.events.filter(({ stream }) => !HIDDEN.has(categoryOf(stream))));
        after = batch.checkpoint;
        atEnd = batch.atEnd;
      }
      const shown = found.slice(0, query.limit);
      const cut = found.length > shown.length;
      const items = await opened(shown, codec, opener, record);
      const next = cut ? (shown.at(-1)?.position ?? after) : after;
      return { items, next: cut || !atEnd ? String(next) : null };
    },
  });

  readRoute(app, parts, {
    name: 'GetStream',
    summary: 'One stream from its start',
    route: 'GET /v1/streams/{stream}',
    roles: ['auditor'],
    params: z.strictObject({ stream: z.string().regex(/^[a-z][a-z0-9]*-[A-Za-z0-9._:-]{1,128}$/) }),
    query: z.strictObject({
      after: z.coerce.number().int().min(0).optional().meta({ description: 'The revision to go on after: `next`, or an event’s' }),
      limit,
    }),
    answer: Events,
    personal: true,
    read: async ({ params: { stream }, query, record, denied }) => {
      const hidden = HIDDEN.has(categoryOf(stream));
      const found = hidden ? [] : await journal.readStream(stream, { from: query.after === undefined ? 0 : query.after + 1, limit: query.limit + 1 });
      if (found.length === 0 && query.after === undefined) throw await denied([stream]);
      const shown = found.slice(0, query.limit);
      const items = await opened(shown, codec, opener, record);
      return { items, next: found.length > shown.length ? String(shown.at(-1)?.revision) : null };
    },
  });
}

/** Decoded, recorded as shown, then opened. */
async function opened(
  stored: readonly StoredEvent[],
  codec: EventCodec,
  opener: Opener,
  record: (read: { ids: readonly string[]; fields: readonly string[] }) => Promise<void>,
): Promise<EventShown[]> {
  const events = stored.map((event) => codec.decode(event));
  const sealed: Sealed[] = [];
  const fields = new Set<string>();
  for (const event of events) {
    if ('unknown' in event) continue;
    for (const value of sealedIn(event.data)) {
      sealed.push(value);
      fields.add(`${event.type}.${value.field.replace(/\.\d+(?=\.|$)/g, '.*')}`);
    }
  }
  await record({ ids: [...new Set(stored.map(({ stream }) => stream))], fields: [...fields] });
  const plain = new Map((await opener.openMany(sealed)).map((value, index) => [sealed[index], value]));
  return events.map((event, index) => shownOf(event, stored[index] as StoredEvent, plain));
}

function shownOf(event: RecordedEvent | UnknownEvent, stored: StoredEvent, plain: ReadonlyMap<Sealed | undefined, unknown>): EventShown {
  const { id, stream, revision, position, type, schema } = event;
  const place = { id, stream, revision, position, type, schema, recordedAt: new Date(stored.recordedAtMs).toISOString() };
  if ('unknown' in event) return { ...place, data: undefined };
  const { occurredAt, actor, channel, purpose, command, bodyHash, correlationId, causationId, subject } = event;
  return {
    ...place,
    occurredAt,
    actor: { subject: actor.subject, role: actor.role, ...(actor.onBehalfOf === undefined ? {} : { onBehalfOf: actor.onBehalfOf }) },
    channel,
    purpose,
    command,
    bodyHash,
    correlationId,
    causationId,
    subject,
    data: withPlain(event.data, plain),
  };
}

function* sealedIn(value: unknown): Generator<Sealed> {
  if (value instanceof Sealed) yield value;
  else if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) yield* sealedIn(inner);
}

function withPlain(value: unknown, plain: ReadonlyMap<Sealed | undefined, unknown>): unknown {
  if (value instanceof Sealed) return plain.get(value);
  if (value instanceof Erased || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => withPlain(item, plain));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withPlain(item, plain)]));
}
