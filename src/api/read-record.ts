// The record of reads: who was shown which personal data, written durably before its bytes leave, or they don't. Concurrent reads
// share a commit. What was searched for is kept as names of parameters and a keyed hash: free text never stands here in clear,
// and a hash without a key would be guessed. The table only grows (migrations/0004-access.sql), in partitions that are made ahead
// (0013-reads-partitioned.sql); access-routes.ts shows it.
import { createHmac } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Pool } from 'pg';
import { GroupCommit } from '../journal/group-commit.ts';
import { codeOf } from '../postgres/sqlstate.ts';
import { derivedKey } from './derived-key.ts';
import { Problem, RETRY_SOON } from './problems.ts';
import { correlationIdOf, purposeOf } from './request.ts';

export interface Read {
  /** Epoch milliseconds by the one clock. */
  readonly atMs: number;
  readonly subject: string;
  readonly role: string;
  readonly onBehalfOf: string | null;
  readonly method: string;
  /** The route's pattern, `/v1/tickets/{id}`. */
  readonly route: string;
  /** What or whom it was about: of a list, every item. */
  readonly ids: readonly string[];
  /** Names of the personal fields in the answer. */
  readonly fields: readonly string[];
  readonly purpose: string | null;
  readonly outcome: 'shown' | 'denied';
  readonly requestId: string;
  readonly correlationId: string;
  /** Names of the query's parameters. */
  readonly filter: readonly string[];
  /** HMAC of the query, so that two reads can be told to have asked the same. */
  readonly filterHash: string | null;
}

export interface ReadRecords {
  /** Resolves when it is written for good. */
  write(read: Read): Promise<void>;
}

export const insertReads = {
  name: 'access/record-reads',
  text: `with written as (
         insert into access.reads (read_at, subject, role, on_behalf_of, method, route, ids, fields, purpose, outcome, request_id, correlation_id, filter, filter_hash)
         select to_timestamp(r."atMs" / 1000.0), r.subject, r.role, r."onBehalfOf", r.method, r.route, r.ids, r.fields, r.purpose, r.outcome, r."requestId",
                r."correlationId", r.filter, r."filterHash"
           from json_to_recordset($1) as r("atMs" double precision, subject text, role text, "onBehalfOf" text, method text, route text, ids text[],
                fields text[], purpose text, outcome text, "requestId" text, "correlationId" text, filter text[], "filterHash" text)
         returning id) select max(id)::float8 as last from written`,
};

/** Reads between two looks whether the partition after the next is there: many before it is needed. */
const LOOK_EACH = 250_000;

export class PostgresReadRecords implements ReadRecords {
  readonly #pool: Pool;
  readonly #commits: GroupCommit<Read, undefined>;
  #looked: number | undefined;

  constructor(pool: Pool) {
    this.#pool = pool;
    this.#commits = new GroupCommit({
      maxBatch: 256,
      send: async (reads) => {
        this.#lookAhead(await this.#insert(reads));
        return reads.map(() => undefined);
      },
    });
  }

  async write(read: Read): Promise<void> {
    await this.#commits.run(read);
  }

  /** When all reads handed in are written. */
  rest(): Promise<void> {
    return this.#commits.rest();
  }

  /** The last one's id. */
  async #insert(reads: readonly Read[]): Promise<number> {
    const insert = () => this.#pool.query<{ last: number }>({ ...insertReads, values: [JSON.stringify(reads)] });
    const { rows } = await insert().catch(async (error: unknown) => {
      if (codeOf(error) !== CHECK_VIOLATION) throw error;
      // No partition, as every try before was in vain: better wait than refuse.
      await this.#pool.query('select access.add_partitions(true)');
      return insert();
    });
    return rows[0]?.last ?? 0;
  }

  #lookAhead(last: number): void {
    const look = Math.floor(last / LOOK_EACH);
    if (look === this.#looked) return;
    this.#looked = look;
    // What fails is tried again at the next look, by whoever comes to it.
    this.#pool.query('select access.add_partitions(false)').catch(() => undefined);
  }
}

/** Of Postgres, also where no partition takes a row. */
const CHECK_VIOLATION = '23514';

export interface ReadOf {
  readonly ids: readonly string[];
  readonly fields: readonly string[];
  readonly outcome?: Read['outcome'];
  /** Where the caller says none. */
  readonly purpose?: string;
  /** What was asked for, where it stands in a body and not in the query. */
  readonly asked?: object;
}

/** Records reads of requests. */
export class ReadRecorder {
  readonly #records: ReadRecords;
  readonly #nowMs: () => number;
  readonly #hashKey: Buffer;

  constructor(records: ReadRecords, secret: Buffer, nowMs: () => number) {
    this.#records = records;
    this.#nowMs = nowMs;
    this.#hashKey = derivedKey(secret, 'read record filter');
  }

  /**
   * To be awaited before anything of it is sent.
   * @param records where it is written, if not where all are
   * @throws Problem ReadRecordUnavailable, or what `records` throws as a Problem
   */
  async recordRead(request: FastifyRequest, { ids, fields, outcome = 'shown', purpose, asked }: ReadOf, records = this.#records): Promise<void> {
    const { actor, headers } = request;
    const filter = Object.entries((asked ?? request.query ?? {}) as Record<string, unknown>).filter(([name]) => name !== 'cursor');
    const read: Read = {
      atMs: this.#nowMs(),
      subject: actor.subject,
      role: actor.role,
      onBehalfOf: actor.onBehalfOf ?? null,
      method: request.method,
      route: patternOf(request.routeOptions.url ?? ''),
      ids,
      fields,
      purpose: purposeOf(headers) ?? purpose ?? null,
      outcome,
      requestId: request.id,
      correlationId: correlationIdOf(headers, request.id),
      filter: filter.map(([name]) => name),
      filterHash: filter.length === 0 ? null : createHmac('sha256', this.#hashKey).update(JSON.stringify(filter)).digest('base64url'),
    };
    try {
      await records.write(read);
    } catch (cause) {
      if (cause instanceof Problem) throw cause;
      throw new Problem('ReadRecordUnavailable', undefined, { headers: RETRY_SOON, cause });
    }
  }
}

/** Fastify's `/v1/tickets/:id` as OpenAPI and our own declarations write it. */
export function patternOf(url: string): string {
  return url.replace(/:([A-Za-z]+)/g, '{$1}');
}
