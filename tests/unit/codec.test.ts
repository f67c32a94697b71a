// Between facts and bytes: what is personal is not in them, what was written stays readable, and who did what is beside it.
import { randomBytes, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { eventDefinitions } from '../../src/domain/events.ts';
import { defineEvent, type Fact, type RecordedEvent } from '../../src/domain/kernel/event.ts';
import { Erased, personal, personalPaths, Sealed } from '../../src/domain/kernel/personal.ts';
import { EventCodec, eventIdOf, type Provenance } from '../../src/journal/codec.ts';
import type { EventToAppend, StoredEvent } from '../../src/journal/journal.ts';
import type { DataKey, Keyring } from '../../src/journal/keyring.ts';
import { type Digest, Opener } from '../../src/journal/sealing.ts';

const journalId = '11111111-1111-4111-8111-111111111111';
const stream = 'sample-018f3e6a-7c4e-8abc-9def-0123456789a1';
const key: DataKey = { id: 12, version: 1, key: randomBytes(32) };
/** Keys at hand, where the real ones are in Postgres (tests/integration/sealing.test.ts). */
const opener = new Opener(journalId, { forOpening: async () => new Map([[key.id, key]]) } as unknown as Keyring);

const Sampled = defineEvent(
  'Sampled',
  z.strictObject({
    id: z.string(),
    name: personal(z.string()),
    note: personal(z.string()).optional(),
    alias: personal(z.string()).nullable(),
    contact: z.strictObject({ phone: personal(z.string()), kind: z.enum(['home', 'work']) }).readonly(),
    addresses: z.array(z.strictObject({ street: personal(z.string()), city: z.string() })),
    tags: z.array(personal(z.string())),
    answers: z.record(z.string(), personal(z.string())),
    details: personal(z.record(z.string(), z.string())),
    born: personal(z.strictObject({ year: z.int(), leap: z.boolean() })),
    amountMinor: z.int(),
  }),
);
const Noted = defineEvent('Noted', z.strictObject({ text: z.string() }), { retention: 'credit' });
const codec = new EventCodec(journalId, [Sampled, Noted]);

const sample = {
  id: 's1',
  name: '张三',
  alias: null,
  contact: { phone: '138 0013 8000', kind: 'work' },
  addresses: [
    { street: 'Nanjing Road 1', city: 'Shanghai' },
    { street: '"quoted\\" 街 🐎', city: 'Xi’an' },
  ],
  tags: ['vip', ''],
  answers: { 'mother’s maiden name': 'Li', pet: 'Rex' },
  details: { occupation: 'baker', '9': 'nine' },
  born: { year: 1980, leap: true },
  amountMinor: 1_250,
} as const;

const provenance: Provenance = {
  occurredAt: '2026-03-03T12:00:00.000Z',
  actor: { subject: 'chen', role: 'agent' },
  channel: 'rest',
  command: { id: '018f3e6a-7c4e-8c9f-9139-d66b1d252b50', name: 'TakeSample', version: 3 },
  correlationId: 'c-1',
};
const fact = (data: unknown = sample, over: Partial<Fact> = {}): Fact => ({ type: 'Sampled', data, ...over });

function encode(facts: readonly Fact[], over: Partial<Provenance> = {}, body = '{"a":1}'): EventToAppend[] {
  return codec.encode(
    stream,
    facts,
    facts.map(() => key),
    { ...provenance, ...over },
    body,
  );
}

const stored = (event: EventToAppend | undefined, over: Partial<StoredEvent> = {}): StoredEvent => ({
  ...(event as EventToAppend),
  stream,
  revision: 4,
  position: 17,
  recordedAtMs: Date.UTC(2026, 2, 3, 12, 0, 1, 5),
  ...over,
});

const decoded = (event: StoredEvent, by: EventCodec = codec): RecordedEvent => {
  const recorded = by.decode(event);
  if ('unknown' in recorded) throw new Error(`${event.type} is unknown`);
  return recorded;
};

/** Data with every sealed value opened. */
async function opened(data: unknown): Promise<unknown> {
  if (data instanceof Sealed) return opener.open(data);
  if (Array.isArray(data)) return Promise.all(data.map(opened));
  if (typeof data !== 'object' || data === null) return data;
  return Object.fromEntries(await Promise.all(Object.entries(data).map(async ([name, item]) => [name, await opened(item)])));
}

describe('an event’s data', () => {
  it('comes back whole, its personal values sealed under the paths at which they stand', async () => {
    const { data } = decoded(stored(encode([fact()])[0]));
    const fields: string[] = [];
    JSON.stringify(data, (_, value: unknown) => {
      if (value instanceof Sealed) fields.push(value.field);
      return value;
    });
    expect(fields).toStrictEqual([
      'name',
      'contact.phone',
      'addresses.0.street',
      'addresses.1.street',
      'tags.0',
      'tags.1',
      'answers.mother’s maiden name',
      'answers.pet',
      'details',
      'born',
    ]);
    expect(data).toMatchObject({
      id: 's1',
      alias: null,
      contact: { kind: 'work' },
      addresses: [{ city: 'Shanghai' }, { city: 'Xi’an' }],
      amountMinor: 1_250,
    });
    expect(await opened(data)).toStrictEqual(sample);
  });

  it('comes back whole from the one line that a read model keeps of a sealed value', async () => {
    const { data } = decoded(stored(encode([fact()])[0]));
    const { answers } = data as { answers: Record<string, Sealed> };
    const sealed = answers['mother’s maiden name'] as Sealed;
    expect(Sealed.parse(sealed.toString())).toStrictEqual(sealed);
    expect(await opener.open(Sealed.parse(sealed.toString()))).toBe('Li');
  });

  it('has no plain text of a personal value or of the command’s body in its bytes', () => {
    // A canary of letters that neither base64 nor anything else beside it can make by chance.
    const canary = fc.array(fc.constantFrom('鹦', '鹉', '雀', '莺'), { minLength: 8, maxLength: 20 }).map((letters) => letters.join(''));
    fc.assert(
      fc.property(fc.array(canary, { minLength: 8, maxLength: 8 }), ([a, b, c, d, e, f, g, h]) => {
        const told = {
          ...sample,
          name: a,
          note: b,
          contact: { phone: c, kind: 'home' },
          addresses: [{ street: d, city: 'x' }],
          tags: [e],
          answers: { q: f },
          details: { [`${g}`]: g },
        };
        for (const event of encode([fact(told), fact({ ...told, name: h })], {}, JSON.stringify({ a, h }))) {
          const bytes = `${event.data}${event.metadata}`;
          for (const word of [a, b, c, d, e, f, g, h] as string[]) {
            for (const form of [
              word,
              Buffer.from(word).toString('base64url').slice(0, 20),
              Buffer.from(word).toString('hex'),
              JSON.stringify(word).slice(1, -1),
            ]) {
              expect(bytes.includes(form)).toBe(false);
            }
          }
          expect(bytes).not.toMatch(/[鹦鹉雀莺]/);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('has no two ciphertexts alike for one text', () => {
    const texts = encode([fact(), fact()]).flatMap(({ data }) => [...data.matchAll(/"\$sealed":"([^"]+)"/g)].map((match) => match[1]));
    expect(texts.length).toBe(20);
    expect(new Set(texts).size).toBe(20);
  });

  it('keeps an erased value as one that was there', () => {
    const { data } = decoded(stored(encode([fact({ ...sample, name: new Erased() })])[0]));
    expect((data as { name: unknown }).name).toStrictEqual({ erased: true });
  });

  it('is refused for a type of another program', () => {
    expect(() => encode([fact({}, { type: 'Elsewhere' })])).toThrow('Elsewhere is no event of this program');
  });
});

describe('what is personal in a schema', () => {
  it('is found behind everything that may wrap it', () => {
    const field = personal(z.string());
    const paths = (schema: z.ZodType): string[] => personalPaths(schema).map((path) => path.join('.'));
    expect(paths(z.strictObject({ a: field.optional(), b: field.nullable(), c: field.readonly(), d: z.array(field).readonly() }))).toStrictEqual([
      'a',
      'b',
      'c',
      'd.*',
    ]);
    expect(paths(z.strictObject({ a: z.strictObject({ b: field }).readonly().optional() }))).toStrictEqual(['a.b']);
    expect(paths(z.discriminatedUnion('t', [z.strictObject({ t: z.literal('x'), a: field }), z.strictObject({ t: z.literal('y') })]))).toStrictEqual([
      'a',
    ]);
  });
  it('stays marked in a described copy', () => {
    expect(personalPaths(z.strictObject({ a: personal(z.string()).describe('the name') }))).toStrictEqual([['a']]);
  });
  it('can’t hide behind a schema that is not looked into', () => {
    const hidden = z.strictObject({ a: z.strictObject({ b: z.tuple([personal(z.string())]) }) });
    expect(() => personalPaths(hidden)).toThrow('a.b: an event’s schema can’t hold a ZodTuple'.replaceAll('’', "'"));
    expect(() => new EventCodec(journalId, [defineEvent('Hidden', z.strictObject({ a: z.any() }))])).toThrow('ZodAny');
  });
  it('is what a reader of the bank’s events would call so', () => {
    const paths = eventDefinitions.flatMap(({ type, data }) => personalPaths(data).map((path) => `${type}.${path.join('.')}`));
    expect(paths.sort()).toStrictEqual([
      'AccountReported.number',
      'ApprovalRejected.reason',
      'ApprovalRequested.body',
      'ApprovalRequested.diff.*.after',
      'ApprovalRequested.diff.*.before',
      'ApprovalRequested.reason',
      'BeneficialOwnersConfirmed.evidence',
      'CardReported.number',
      'ClassificationWithdrawn.reason',
      'ConsentGiven.evidence',
      'ConsentGiven.guardian.name',
      'ConsentRefused.evidence',
      'ConsentRefused.reason',
      'ConsentWithdrawn.reason',
      'ContactAdded.value',
      'CustomerAssigned.reason',
      'CustomerClassified.reason',
      'CustomerRegistered.contacts.*.value',
      'CustomerRegistered.documents.*.number',
      'CustomerRegistered.name',
      'CustomerReported.birthDate',
      'CustomerReported.contacts.*.value',
      'CustomerReported.documents.*.number',
      'CustomerReported.name',
      'CustomerReported.sex',
      'DocumentAdded.number',
      'DocumentAdded.reason',
      'DocumentRenewed.reason',
      'DocumentWithdrawn.reason',
      'GroupDissolved.reason',
      'GroupFormed.name',
      'GroupFormed.reason',
      'GroupMemberAdded.reason',
      'GroupMemberRemoved.reason',
      'GroupSplit.reason',
      'GroupsMerged.reason',
      'NameCorrected.name',
      'NameCorrected.reason',
      'PairDecided.reason',
      'RelationCorrected.reason',
      'RelationEnded.reason',
      'RelationRecorded.source.reference',
      'RelationTypeRetired.reason',
      'RelationVerified.evidence',
      'RelationVoided.reason',
      'SimilarityFound.denied.reason',
      'StandingOrderReported.counterparty.account',
      'StandingOrderReported.counterparty.name',
      'TicketImported.description',
      'TicketImported.details',
      'TicketImported.summary',
      'TicketOpened.description',
      'TicketOpened.summary',
      'TicketReopened.reason',
      'TicketResolved.resolution',
      'TransactionPosted.counterparty.account',
      'TransactionPosted.counterparty.name',
      'TransactionPosted.description',
      'TransactionVoided.reason',
    ]);
  });
});

describe('what stands beside an event', () => {
  it('is all that the contract names, and nothing else', () => {
    const over = { purpose: 'complaint handling', causationId: 'e-9', actor: { subject: 'chen', role: 'rm', onBehalfOf: 'dai' } };
    const [first] = encode([fact(sample, { occurredAt: '2026-03-01', subject: 'customer-7' })], over);
    const recorded = decoded(stored(first));
    const {
      id,
      type,
      schema,
      occurredAt,
      recordedAt,
      actor,
      channel,
      purpose,
      command,
      bodyHash,
      correlationId,
      causationId,
      subject,
      revision,
      position,
    } = recorded;
    expect({
      id,
      type,
      schema,
      occurredAt,
      recordedAt,
      actor,
      channel,
      purpose,
      command,
      correlationId,
      causationId,
      subject,
      revision,
      position,
      stream: recorded.stream,
    }).toStrictEqual({
      id: eventIdOf(provenance.command.id, 0),
      type: 'Sampled',
      schema: 1,
      occurredAt: '2026-03-01',
      recordedAt: '2026-03-03T12:00:01.005Z',
      actor: over.actor,
      channel: 'rest',
      purpose: 'complaint handling',
      command: provenance.command,
      correlationId: 'c-1',
      causationId: 'e-9',
      subject: 'customer-7',
      revision: 4,
      position: 17,
      stream,
    });
    const metadata = JSON.parse(first?.metadata ?? '') as object;
    expect(metadata).toMatchObject({ $correlationId: 'c-1', $causationId: 'e-9', bodyHash });
    expect(Object.keys(metadata)).toStrictEqual([
      'schema',
      'occurredAt',
      'actor',
      'channel',
      'purpose',
      'command',
      'bodyHash',
      'body',
      'subject',
      '$correlationId',
      '$causationId',
    ]);
  });

  it('leaves out what was not given, and takes the command’s time for the fact’s', () => {
    const [, second] = encode([fact(), fact()]);
    const recorded = decoded(stored(second));
    expect([recorded.purpose, recorded.causationId, recorded.subject, recorded.occurredAt]).toStrictEqual([
      undefined,
      undefined,
      undefined,
      provenance.occurredAt,
    ]);
    expect(Object.keys(JSON.parse(second?.metadata ?? '') as object)).toStrictEqual([
      'schema',
      'occurredAt',
      'actor',
      'channel',
      'command',
      'bodyHash',
      '$correlationId',
    ]);
  });

  it('has an id that derives from the command’s and the event’s place', () => {
    const facts = [fact(), fact(), fact()];
    const expected = [0, 1, 2].map((index) => eventIdOf(provenance.command.id, index));
    expect(encode(facts).map(({ id }) => id)).toStrictEqual(expected);
    expect(encode(facts, { actor: { subject: 'dai', role: 'rm' } }, '{"b":2}').map(({ id }) => id)).toStrictEqual(expected);
    expect(encode(facts, { command: { ...provenance.command, id: randomUUID() } }).map(({ id }) => id)).not.toContain(expected[0]);
  });
});

describe('a command’s body', () => {
  const body = '{"type":"complaint","summary":"卡被吞"}';
  const hashes = (events: readonly EventToAppend[]): string[] => events.map((event) => decoded(stored(event)).bodyHash);

  it('is sealed beside the first event alone', async () => {
    const [first, second] = encode([fact(), fact()], {}, body);
    const sealed = codec.bodyOf(stored(first));
    expect(await opener.open(sealed as Sealed)).toStrictEqual(JSON.parse(body));
    expect(codec.bodyOf(stored(second))).toBeUndefined();
  });

  it('has a hash that is the same in each event, and the commitment beside the sealed body', () => {
    const events = encode([fact(), { type: 'Noted', data: { text: 'x' } }, fact()], {}, body);
    const [hash, ...others] = hashes(events);
    expect(hash).toMatch(/^[\w-]{43}$/);
    expect(others).toStrictEqual([hash, hash]);
    expect((codec.bodyOf(stored(events[0])) as Sealed).envelope.endsWith(`.${hash}`)).toBe(true);
  });

  it('has another hash each time it is written, so that nobody can guess it', () => {
    expect(hashes(encode([fact()], {}, body))).not.toStrictEqual(hashes(encode([fact()], {}, body)));
  });

  it('leaves a digest where the facts say it all: the same text is known by it, another is not, and no text stands in it', async () => {
    const [first, second] = codec.encode(stream, [fact(), fact()], [key, key], provenance, body, false);
    const digest = codec.bodyOf(stored(first)) as Digest;
    expect(await opener.matches(digest, body)).toBe(true);
    expect(await opener.matches(digest, body.replace('吞', '坏'))).toBe(false);
    expect(first?.metadata).not.toContain('卡被吞');
    expect(codec.bodyOf(stored(second))).toBeUndefined();
    const [again] = codec.encode(stream, [fact()], [key], provenance, body, false);
    expect(again?.metadata).not.toBe(first?.metadata);
  });
});

describe('an event of another version', () => {
  const bank = new EventCodec(journalId, eventDefinitions);
  // As version 1 of the program wrote it. Never change these bytes.
  const assignedV1: StoredEvent = {
    id: '018f3e6a-7c4e-8c9f-9139-d66b1d252b51',
    stream: 'ticket-018f3e6a-7c4e-8c9f-9139-d66b1d25ab50',
    revision: 1,
    position: 2,
    type: 'TicketAssigned',
    recordedAtMs: 1_790_000_000_000,
    data: '{"ticketId":"018f3e6a-7c4e-8c9f-9139-d66b1d25ab50","to":"dai"}',
    metadata:
      '{"schema":1,"occurredAt":"2026-03-03T12:00:00.000Z","actor":{"subject":"chen","role":"agent"},"channel":"rest","command":{"id":"018f3e6a-7c4e-8c9f-9139-d66b1d252b50","name":"AssignTicket","version":1},"bodyHash":"47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU","$correlationId":"c-1"}',
  };
  const assignee = { ticketId: '018f3e6a-7c4e-8c9f-9139-d66b1d25ab50', assignee: 'dai' };

  it('is read as the newest, and still says which it was', () => {
    const event = decoded(assignedV1, bank);
    expect([event.data, event.schema]).toStrictEqual([assignee, 1]);
  });
  it('is not touched where it is the newest', () => {
    const v2 = { ...assignedV1, data: JSON.stringify(assignee), metadata: assignedV1.metadata.replace('"schema":1', '"schema":2') };
    expect(decoded(v2, bank).data).toStrictEqual(assignee);
    // However the metadata was laid out.
    const reordered = { ...v2, metadata: '{ "channel": "rest", "schema": 2 }' };
    expect(decoded(reordered, bank).data).toStrictEqual(assignee);
  });
  it('comes back as unknown where a newer program wrote it', () => {
    const { type, position, revision, id } = assignedV1;
    const unknown = { unknown: true, type, position, stream: assignedV1.stream, revision, id };
    expect(bank.decode({ ...assignedV1, metadata: assignedV1.metadata.replace('"schema":1', '"schema":3') })).toStrictEqual({
      ...unknown,
      schema: 3,
    });
    expect(bank.decode({ ...assignedV1, metadata: assignedV1.metadata.replace('"schema":1', '"schema":12') })).toStrictEqual({
      ...unknown,
      schema: 12,
    });
    expect(bank.decode({ ...assignedV1, type: 'TicketTeleported' })).toStrictEqual({ ...unknown, type: 'TicketTeleported', schema: 1 });
    expect([bank.knows('TicketAssigned'), bank.knows('TicketTeleported')]).toStrictEqual([true, false]);
  });
  it('is an error where a version between has no upcast', () => {
    const Gap = defineEvent('TicketAssigned', z.strictObject({ assignee: z.string() }), { schema: 3, upcasts: { 1: (data) => data } });
    expect(() => new EventCodec(journalId, [Gap]).decode(assignedV1)).toThrow('TicketAssigned has no upcast from version 2');
  });
  it('opens also where an upcast gave a personal value another name', async () => {
    const old = new EventCodec(journalId, [
      defineEvent('Named', z.strictObject({ name: personal(z.string()), list: z.array(personal(z.string())) })),
    ]);
    const renamed = defineEvent('Named', z.strictObject({ party: z.strictObject({ fullName: personal(z.string()) }), first: personal(z.string()) }), {
      schema: 2,
      upcasts: { 1: ({ name, list }) => ({ party: { fullName: name }, first: (list as unknown[])[0] }) },
    });
    const [event] = old.encode(stream, [{ type: 'Named', data: { name: '张三', list: ['a', 'b'] } }], [key], provenance, 'null');
    const { data } = decoded(stored(event), new EventCodec(journalId, [renamed]));
    expect(await opened(data)).toStrictEqual({ party: { fullName: '张三' }, first: 'a' });
  });
});

describe('the definitions', () => {
  it('name each type once', () => {
    expect(() => new EventCodec(journalId, [Sampled, Sampled])).toThrow('two event definitions share a type');
  });
  it('say under which class a type’s personal values are kept', () => {
    expect([codec.retentionOf('Sampled'), codec.retentionOf('Noted')]).toStrictEqual(['service', 'credit']);
  });
});

describe('the time of an event', () => {
  const timed = (metadata: string): unknown => {
    const stored = {
      position: 1,
      stream,
      revision: 0,
      id: '018f3e6a-7c4e-8c9f-9139-d66b1d252b51',
      type: 'Noted',
      recordedAtMs: 0,
      data: '{"text":"x"}',
      metadata,
    };
    return (codec.decode(stored as StoredEvent) as RecordedEvent).occurredAt;
  };

  it('is what the metadata says, in whatever order and spelling it stands', () => {
    expect(timed('{"schema":1,"occurredAt":"2026-03-03T12:00:00.000Z","channel":"rest"}')).toBe('2026-03-03T12:00:00.000Z');
    expect(timed('{"schema":1,"occurredAt":"2026-03-03"}')).toBe('2026-03-03');
    expect(timed('{"channel":"rest","occurredAt":"2026-03-03","schema":1}')).toBe('2026-03-03');
    expect(timed('{"schema":1,"channel":"a,\\"occurredAt\\":\\"1999-01-01\\"","occurredAt":"2026-03-03"}')).toBe('2026-03-03');
    expect(timed('{"schema":1,"actor":{"subject":"s","occurredAt":"1999-01-01"},"occurredAt":"2026-03-03"}')).toBe('2026-03-03');
    expect(timed('{ "schema": 1, "occurredAt": "2026-03-03" }')).toBe('2026-03-03');
    expect(timed('{"schema":1,"occurredAt":"2026\\u002d03-03"}')).toBe('2026-03-03');
  });
});
