// Proof that no event was skipped: each projection's receipts are compared with the journal's own sums, chunk by chunk.
// Only closed chunks, which neither the journal nor the projection adds to any more.
import type { Pool } from 'pg';
import { categoryOf } from '../../domain/kernel/event.ts';
import type { JournalReader } from '../../journal/journal.ts';
import { textArrayLiteral } from './columns.ts';
import type { Leases } from './leases.ts';
import type { EngineLog, EngineMetrics } from './observe.ts';
import type { Projection } from './projection.ts';
import { chunkOf, ID_SUM_MODULUS } from './unit.ts';

export interface Audit {
  readonly projection: string;
  readonly chunk: number;
  /** First and last position of the chunk. */
  readonly from: number;
  readonly to: number;
  /** Events of its categories that the projection was given. */
  readonly offered: number;
  /** That the journal has. */
  readonly expected: number;
  /** Whether the ids' sums agree as well. */
  readonly hashEqual: boolean;
  readonly equal: boolean;
}

export interface AuditorOptions {
  readonly journal: JournalReader;
  readonly pool: Pool;
  readonly projections: readonly Pick<Projection, 'name' | 'categories'>[];
  readonly leases: Leases;
  readonly log: EngineLog;
  readonly metrics: EngineMetrics;
  /** Between two chunks that were not audited yet; default 500 ms. Those that were come again at a twentieth of that rate. */
  readonly pauseMs?: number;
}

interface Sum {
  count: number;
  idSum: number;
}

const LEASE = '(auditor)';
// Small, so that a server at rest stays small: nothing waits for the auditor.
const READ_LIMIT = 500;

export class ReceiptAuditor {
  readonly #options: AuditorOptions;
  readonly #categories: readonly string[];
  #stopping = false;
  #done: Promise<void> | undefined;
  #wake: () => void = () => {};
  #again = 0;

  constructor(options: AuditorOptions) {
    this.#options = options;
    this.#categories = [...new Set(options.projections.flatMap(({ categories }) => categories))];
  }

  /** Audits in the background from now on. */
  start(): void {
    this.#done ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wake();
    await this.#done;
  }

  /** Audits all closed chunks, or those from one to another, now. */
  async audit(from = 0, to = Number.POSITIVE_INFINITY): Promise<readonly Audit[]> {
    const last = Math.min(to, (await this.#closedChunks()) - 1);
    const audits: Audit[] = [];
    // biome-ignore lint/performance/noAwaitInLoops: in order, so that each chunk's start is known
    for (let chunk = from; chunk <= last; chunk += 1) audits.push(...(await this.auditChunk(chunk)));
    return audits;
  }

  /** One chunk, for every projection that is past it. */
  async auditChunk(chunk: number): Promise<readonly Audit[]> {
    const { journal, pool, projections, metrics, log } = this.#options;
    const width = journal.chunkWidth;
    const sums = await this.#sumsOf(chunk);
    const { rows } = await pool.query<{ projection: string; offered: string | number; id_sum: string | number }>(
      `select c.projection, coalesce(r.offered, 0) as offered, coalesce(r.id_sum, 0) as id_sum
         from engine.checkpoints c left join engine.receipts r on r.projection = c.projection and r.chunk = $1
        where c.position >= $2 and c.projection = any($3::text[])`,
      [chunk, (chunk + 1) * width, textArrayLiteral(projections.map(({ name }) => name))],
    );
    const categories = new Map(projections.map((projection) => [projection.name, projection.categories]));
    const found = rows.map(({ projection, offered, id_sum }) => {
      const expected = totalOf(categories.get(projection) ?? [], sums);
      const hashEqual = Number(id_sum) === expected.idSum;
      const audit: Audit = {
        projection,
        chunk,
        from: chunk * width + 1,
        to: (chunk + 1) * width,
        offered: Number(offered),
        expected: expected.count,
        hashEqual,
        equal: hashEqual && Number(offered) === expected.count,
      };
      return { audit, offeredSum: Number(id_sum), expectedSum: expected.idSum };
    });
    const of = (value: (item: (typeof found)[number]) => string | number | boolean): string =>
      textArrayLiteral(found.map((item) => String(value(item))));
    await pool.query(
      `insert into engine.audits as a (projection, chunk, expected, expected_sum, offered, offered_sum, equal)
         select u.projection, $1, u.expected, u.expected_sum, u.offered, u.offered_sum, u.equal
           from unnest($2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::boolean[])
             as u(projection, expected, expected_sum, offered, offered_sum, equal)
       on conflict (projection, chunk) do update
         set expected = excluded.expected, expected_sum = excluded.expected_sum, offered = excluded.offered,
             offered_sum = excluded.offered_sum, equal = excluded.equal, audited_at = clock_timestamp()`,
      [
        chunk,
        of(({ audit }) => audit.projection),
        of(({ audit }) => audit.expected),
        of(({ expectedSum }) => expectedSum),
        of(({ audit }) => audit.offered),
        of(({ offeredSum }) => offeredSum),
        of(({ audit }) => audit.equal),
      ],
    );
    for (const { audit } of found) {
      metrics.audited(audit.projection, audit.equal);
      if (!audit.equal) log.error({ ...audit }, 'a receipt differs from the journal: events were skipped or given twice');
    }
    return found.map(({ audit }) => audit);
  }

  /** The journal's own count and sum of ids a category. */
  async #sumsOf(chunk: number): Promise<ReadonlyMap<string, Sum>> {
    const { journal, pool } = this.#options;
    const width = journal.chunkWidth;
    const first = chunk * width + 1;
    const last = (chunk + 1) * width;
    const sums = new Map<string, Sum>();
    let after = await this.#startOf(chunk);
    let start = after;
    for (let isOver = false; !isOver; ) {
      // biome-ignore lint/performance/noAwaitInLoops: one window after the other
      const batch = await journal.readAll({ after, limit: Math.min(READ_LIMIT, Math.max(1, last - after)), categories: this.#categories });
      for (const { stream, id, position } of batch.events) {
        if (position > last) break;
        start = position;
        if (position < first) continue;
        const category = categoryOf(stream);
        const sum = sums.get(category) ?? { count: 0, idSum: 0 };
        sum.count += 1;
        sum.idSum = (sum.idSum + Number.parseInt(id.slice(24), 16)) % ID_SUM_MODULUS;
        sums.set(category, sum);
      }
      isOver = batch.atEnd || batch.checkpoint >= last;
      after = batch.checkpoint;
      if (after <= last) start = after;
    }
    await pool.query('insert into engine.chunk_starts (chunk, after_position) values ($1, $2) on conflict do nothing', [chunk + 1, start]);
    return sums;
  }

  /** A position that the journal gave, at or before the chunk's first. */
  async #startOf(chunk: number): Promise<number> {
    if (chunk === 0) return 0;
    const { rows } = await this.#options.pool.query<{ after_position: string | number }>(
      'select after_position from engine.chunk_starts where chunk <= $1 order by chunk desc limit 1',
      [chunk],
    );
    return Number(rows[0]?.after_position ?? 0);
  }

  async #closedChunks(): Promise<number> {
    const { pool, journal, projections } = this.#options;
    const { rows } = await pool.query<{ position: string | number | null }>(
      'select max(position) as position from engine.checkpoints where projection = any($1::text[])',
      [textArrayLiteral(projections.map(({ name }) => name))],
    );
    return chunkOf(Number(rows[0]?.position ?? 0) + 1, journal.chunkWidth);
  }

  async #run(): Promise<void> {
    const { leases, log } = this.#options;
    // A timer of more than 2^31 ms would fire at once.
    const pauseMs = Math.min(this.#options.pauseMs ?? 500, 60_000_000);
    while (!this.#stopping) {
      let pause = pauseMs * 20;
      try {
        // biome-ignore lint/performance/noAwaitInLoops: the loop of a process's life
        if (leases.holds(LEASE) || (await leases.take(LEASE)) !== undefined) {
          const next = await this.#nextNew();
          if (next !== undefined) {
            await this.auditChunk(next);
            pause = pauseMs;
          } else {
            const closed = await this.#closedChunks();
            if (closed > 0) await this.auditChunk(this.#again % closed);
            this.#again += 1;
          }
        }
      } catch (error) {
        log.warn({ err: error }, 'a chunk could not be audited; trying again');
      }
      await this.#rest(pause);
    }
    await leases.release(LEASE).catch((error: unknown) => log.warn({ err: error }, 'a lease was not given back'));
  }

  /** The lowest chunk that some projection is past and was never audited for. */
  async #nextNew(): Promise<number | undefined> {
    const { pool, journal, projections } = this.#options;
    const { rows } = await pool.query<{ next: string | number | null }>(
      `select min(p.next) as next
         from (select coalesce((select max(a.chunk) + 1 from engine.audits a where a.projection = c.projection), 0) as next,
                      c.position / $1::bigint as closed
                 from engine.checkpoints c where c.projection = any($2::text[])) p
        where p.next < p.closed`,
      [journal.chunkWidth, textArrayLiteral(projections.map(({ name }) => name))],
    );
    const next = rows[0]?.next ?? null;
    return next === null ? undefined : Number(next);
  }

  #rest(ms: number): Promise<void> {
    if (this.#stopping) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function totalOf(categories: readonly string[], sums: ReadonlyMap<string, Sum>): Sum {
  const total = { count: 0, idSum: 0 };
  for (const category of categories) {
    const sum = sums.get(category);
    if (!sum) continue;
    total.count += sum.count;
    total.idSum = (total.idSum + sum.idSum) % ID_SUM_MODULUS;
  }
  return total;
}
