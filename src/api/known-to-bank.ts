// The one declared disclosure across relationship managers: whether an exact document is known to the bank, with no id, name or manager.
// Two ways lead to it, a search that says its purpose and a registration whose document is taken. Each answer, known or not, is recorded
// like any read under a mark of its own, and those marks are what the daily limit counts.
import type { FastifyRequest } from 'fastify';
import type { Pool, PoolClient } from 'pg';
import { documentNumberOf } from '../domain/customer/documents.ts';
import type { Actor } from '../domain/kernel/event.ts';
import { inTransaction } from '../projections/engine/books.ts';
import { LIVE_SCHEMA } from '../projections/engine/engine.ts';
import type { SearchTokens } from '../projections/engine/search-tokens.ts';
import { Problem } from './problems.ts';
import { insertReads, type ReadRecorder, type ReadRecords } from './read-record.ts';

/** Answers a subject within 24 hours, by the one clock. */
const DAILY_LIMIT = 20;
const DAY_MS = 24 * 3_600_000;

const marks = { known: 'document-known-to-bank', unknown: 'document-not-known-to-bank' } as const;

// As the index has it (migrations/0009-known-to-bank.sql).
const spent = {
  name: 'known-to-bank/spent',
  text: `select (extract(epoch from read_at) * 1000)::float8 as at_ms from access.reads
          where subject = $1 and role = 'rm' and read_at > to_timestamp($2::float8 / 1000)
            and fields && array['${marks.known}', '${marks.unknown}']::text[]
          order by read_at desc offset ${DAILY_LIMIT - 1} limit 1`,
};

export interface KnownToBankParts {
  readonly pool: Pool;
  readonly recorder: Pick<ReadRecorder, 'recordRead'>;
  /** Epoch milliseconds by the one clock. */
  readonly now: () => number;
}

export class KnownToBank {
  readonly #parts: KnownToBankParts;

  constructor(parts: KnownToBankParts) {
    this.#parts = parts;
  }

  /** Whether anyone's document has this number, whoever asks: what is told of it must be recorded by `records`. */
  async isKnown(document: string, searchTokens: Pick<SearchTokens, 'queryTokens'>): Promise<boolean> {
    const [token] = searchTokens.queryTokens(documentNumberOf(document), 'exact');
    const known = await this.#parts.pool.query(`select 1 from ${LIVE_SCHEMA}.customers where documents @> array[$1]::bigint[] limit 1`, [token]);
    return known.rowCount === 1;
  }

  /** The record's fields for an answer. */
  static fieldsOf(isKnown: boolean): readonly string[] {
    return [isKnown ? marks.known : marks.unknown];
  }

  /** Writes an answer's record only within the limit: one at a time a subject, so that no two are the last. */
  readonly records: ReadRecords = {
    write: async (read) => {
      await inTransaction(this.#parts.pool, 'begin', async (client) => {
        await client.query("select pg_advisory_xact_lock(hashtext('known-to-bank'), hashtext($1))", [read.subject]);
        await this.#refuseBeyondLimit(client, read.subject);
        await client.query({ ...insertReads, values: [JSON.stringify([read])] });
      });
    },
  };

  /**
   * Before a registration with documents is tried: a relationship manager whose answers are used up is told so whatever is known.
   * @throws Problem TooManyRequests
   */
  async admit({ subject, role }: Actor): Promise<void> {
    if (role === 'rm') await this.#refuseBeyondLimit(this.#parts.pool, subject);
  }

  /** Before a command is refused because a document is taken. Who sees every customer has no limit. @throws Problem */
  async recordTaken(request: FastifyRequest, purpose: string): Promise<void> {
    const answer = { ids: [], fields: KnownToBank.fieldsOf(true), purpose };
    await this.#parts.recorder.recordRead(request, answer, request.actor.role === 'rm' ? this.records : undefined);
  }

  async #refuseBeyondLimit(db: Pool | PoolClient, subject: string): Promise<void> {
    const nowMs = this.#parts.now();
    const { rows } = await db.query<{ at_ms: number }>({ ...spent, values: [subject, nowMs - DAY_MS] });
    const [first] = rows;
    if (first === undefined) return;
    const seconds = Math.max(1, Math.ceil((first.at_ms + DAY_MS - nowMs) / 1_000));
    const detail = `The ${DAILY_LIMIT} answers a day on documents of others are used up: go on tomorrow, or ask operations.`;
    throw new Problem('TooManyRequests', detail, { headers: { 'retry-after': String(seconds) } });
  }
}
