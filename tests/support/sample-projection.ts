// A small read model and its events, for tests of the projection engine: parcels on their way.
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { defineEvent, type EventDefinition } from '../../src/domain/kernel/event.ts';
import { type Personal, personal, type Sealed } from '../../src/domain/kernel/personal.ts';
import { EventCodec } from '../../src/journal/codec.ts';
import type { EventToAppend, Journal } from '../../src/journal/journal.ts';
import type { Projection, Row } from '../../src/projections/engine/projection.ts';
import { createSearchTokens } from '../../src/projections/engine/search-tokens.ts';

export const definitions = [
  defineEvent('ParcelSent', z.strictObject({ id: z.string(), to: personal(z.string()), weight: z.number() })),
  defineEvent('ParcelMoved', z.strictObject({ id: z.string(), depot: z.string() })),
  defineEvent('ParcelWeighed', z.strictObject({ id: z.string(), weight: z.number() })),
  defineEvent('ParcelDelivered', z.strictObject({ id: z.string() })),
  // Touches two parcels.
  defineEvent('ParcelsSwapped', z.strictObject({ id: z.string(), other: z.string() })),
  defineEvent('ProjectionPaused', z.strictObject({})),
  defineEvent('ProjectionResumed', z.strictObject({})),
  defineEvent('ParkedEventRetried', z.strictObject({ key: z.string() })),
  defineEvent('ParkedEventSkipped', z.strictObject({ key: z.string(), position: z.number() })),
];
export const newerDefinition = defineEvent('ParcelLost', z.strictObject({ id: z.string() }));

interface ParcelData {
  readonly id: string;
  readonly other?: string;
  readonly to?: Personal;
  readonly depot?: string;
  readonly weight?: number;
}

export interface Faults {
  /** Depots at which the fold throws. */
  readonly depots: Set<string>;
}

/** @param faults what the fold throws at, changed by a test to stand for a mended program */
export function parcels(faults: Faults = { depots: new Set() }, options: { name?: string; version?: number } = {}): Projection {
  const { name = 'parcels', version = 1 } = options;
  return {
    name,
    version,
    categories: ['parcel'],
    table: {
      name,
      columns: {
        id: { type: 'text' },
        receiver: { type: 'sealed' },
        search: { type: 'tokens' },
        depot: { type: 'text', nullable: true },
        way: { type: 'text[]' },
        weight: { type: 'integer', nullable: true },
        price: { type: 'numeric' },
        moves: { type: 'bigint' },
        is_heavy: { type: 'boolean' },
        sent_on: { type: 'date' },
        sent_at: { type: 'timestamptz' },
      },
      key: 'id',
      indexes: ['(depot, sent_at, id)', 'using gin (search)'],
    },
    creates: new Set(['ParcelSent']),
    keys: ({ data }) => {
      const { id, other } = data as ParcelData;
      if (id === undefined) throw new Error('an event without a parcel');
      return other === undefined ? [id] : [id, other];
    },
    apply: (row, { type, data, occurredAt }, key): Row | undefined => {
      const { depot, to, weight } = data as ParcelData;
      if (type === 'ParcelSent')
        return {
          id: key,
          receiver: to ?? null,
          search: to === undefined ? [] : [to],
          depot: null,
          way: [],
          weight: weight ?? null,
          price: '12.50',
          moves: 0,
          is_heavy: (weight ?? 0) > 20,
          sent_on: occurredAt.slice(0, 10),
          sent_at: occurredAt,
        };
      if (!row) throw new Error(`there is no parcel for ${type}`);
      if (faults.depots.has(depot ?? '')) throw new Error('this depot is not understood');
      switch (type) {
        case 'ParcelMoved':
          return { ...row, depot: depot ?? null, way: [...(row.way as string[]), depot ?? ''], moves: (row.moves as number) + 1 };
        case 'ParcelWeighed':
          return { ...row, weight: weight ?? null, is_heavy: (weight ?? 0) > 20 };
        case 'ParcelsSwapped':
          return { ...row, moves: (row.moves as number) + 100 };
        case 'ParcelDelivered':
          return undefined;
        default:
          return row;
      }
    },
  };
}

export const searchTokens = createSearchTokens(Buffer.alloc(32, 7));

/** "Seals" by writing the plain text into the envelope, so that a test needs no keys. */
export const personals = {
  openMany: async (values: readonly Sealed[]): Promise<readonly unknown[]> => values.map(({ envelope }) => Buffer.from(envelope, 'hex').toString()),
  tokens: searchTokens.tokens,
};

export function sealed(text: string): { $sealed: string } {
  return { $sealed: Buffer.from(text).toString('hex') };
}

export async function codecOf(journal: Journal, more: readonly EventDefinition[] = []): Promise<EventCodec> {
  return new EventCodec(await journal.identity(), [...definitions, ...more]);
}

export function toAppend(type: string, data: object, occurredAt = '2026-03-03T01:00:00.000Z'): EventToAppend {
  return {
    id: randomUUID(),
    type,
    data: JSON.stringify(data),
    metadata: JSON.stringify({ schema: 1, occurredAt, actor: { subject: 'test', role: 'agent' }, channel: 'rest', bodyHash: '', $correlationId: '' }),
  };
}

/** Appends to parcels' streams and others, knowing their revisions. */
export class Parcels {
  readonly #journal: Journal;
  readonly #revisions = new Map<string, number>();

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** The position of the last event. */
  async append(stream: string, ...events: readonly EventToAppend[]): Promise<number> {
    const result = await this.#journal.append(stream, this.#revisions.get(stream) ?? 'no-stream', events);
    if (!result.appended) throw new Error(`${stream} stands at ${result.revision}`);
    this.#revisions.set(stream, result.revision);
    return result.position;
  }

  send(id: string, occurredAt?: string): Promise<number> {
    return this.append(`parcel-${id}`, toAppend('ParcelSent', { id, to: sealed(`Wang Xiaoming 王小明 ${id}`), weight: 5 }, occurredAt));
  }

  move(id: string, depot: string, occurredAt?: string): Promise<number> {
    return this.append(`parcel-${id}`, toAppend('ParcelMoved', { id, depot }, occurredAt));
  }

  deliver(id: string, occurredAt?: string): Promise<number> {
    return this.append(`parcel-${id}`, toAppend('ParcelDelivered', { id }, occurredAt));
  }
}
