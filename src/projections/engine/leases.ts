// Who runs what: one lease a projection, held by a heartbeat, with a fence that grows at each take. A holder that lost it and does not
// know yet writes nothing: its fence is compared with every checkpoint. Times are the database's, so hosts' clocks don't matter.
import type { Pool, PoolClient } from 'pg';
import { textArrayLiteral } from './columns.ts';

export interface LeasesOptions {
  readonly pool: Pool;
  /** Unique for each process and each of its runs. */
  readonly holder: string;
  /** A dead holder's lease is free after that; default 6 s. */
  readonly ttlMs?: number;
  readonly onLost: (name: string) => void;
  readonly onError: (error: unknown) => void;
}

export class Leases {
  readonly #options: LeasesOptions;
  readonly #ttlMs: number;
  readonly #held = new Map<string, { readonly fence: number; aliveMs: number }>();
  #timer: NodeJS.Timeout | undefined;
  #beating: Promise<void> | undefined;

  constructor(options: LeasesOptions) {
    this.#options = options;
    this.#ttlMs = options.ttlMs ?? 6_000;
  }

  /** The fence, where the lease was free; undefined where another holds it. */
  async take(name: string): Promise<number | undefined> {
    const askedMs = performance.now();
    const { rows } = await this.#options.pool.query<{ fence: string | number }>(
      `insert into engine.leases as l (name, holder, fence, until)
         values ($1, $2, 1, clock_timestamp() + $3 * interval '1 millisecond')
       on conflict (name) do update set holder = excluded.holder, fence = l.fence + 1, until = excluded.until
         where l.until < clock_timestamp()
       returning fence`,
      [name, this.#options.holder, this.#ttlMs],
    );
    const [row] = rows;
    if (!row) return undefined;
    const fence = Number(row.fence);
    this.#hold(name, fence, askedMs);
    return fence;
  }

  holds(name: string): boolean {
    return this.#held.has(name);
  }

  /** Of a lease that this process holds. */
  fenceOf(name: string): number | undefined {
    return this.#held.get(name)?.fence;
  }

  /** Takes the lease away from whoever holds it, in the caller's transaction; `seized` when that is committed. */
  async seize(client: PoolClient, name: string): Promise<number> {
    const { rows } = await client.query<{ fence: string | number }>(
      `insert into engine.leases as l (name, holder, fence, until)
         values ($1, $2, 1, clock_timestamp() + $3 * interval '1 millisecond')
       on conflict (name) do update set holder = excluded.holder, fence = l.fence + 1, until = excluded.until
       returning fence`,
      [name, this.#options.holder, this.#ttlMs],
    );
    return Number(rows[0]?.fence);
  }

  seized(name: string, fence: number): void {
    this.#hold(name, fence, performance.now());
  }

  /** Frees the lease at once, if it is still ours. */
  async release(name: string): Promise<void> {
    const held = this.#held.get(name);
    if (!held) return;
    this.#held.delete(name);
    await this.#options.pool.query(`update engine.leases set until = '-infinity' where name = $1 and holder = $2 and fence = $3`, [
      name,
      this.#options.holder,
      held.fence,
    ]);
  }

  /** Forgets a lease that another has taken; only the one of this fence, where it is given. */
  lose(name: string, fence = this.fenceOf(name)): void {
    if (this.fenceOf(name) === fence && this.#held.delete(name)) this.#options.onLost(name);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#beating;
    await Promise.all([...this.#held.keys()].map((name) => this.release(name)));
  }

  #hold(name: string, fence: number, aliveMs: number): void {
    this.#held.set(name, { fence, aliveMs });
    this.#timer ??= setInterval(() => this.#beat(), Math.max(50, this.#ttlMs / 4)).unref();
  }

  #beat(): void {
    this.#loseUnanswered();
    if (this.#beating || this.#held.size === 0) return;
    this.#beating = this.#renew()
      .catch((error: unknown) => this.#options.onError(error))
      .finally(() => {
        this.#beating = undefined;
        this.#loseUnanswered();
      });
  }

  /** Without an answer for that long, another may have it: better stop by ourselves. At each beat, as a silent link never answers. */
  #loseUnanswered(): void {
    for (const [name, { aliveMs }] of this.#held) if (performance.now() - aliveMs > this.#ttlMs) this.lose(name);
  }

  async #renew(): Promise<void> {
    const askedMs = performance.now();
    const asked = new Map(this.#held);
    const names = [...asked.keys()];
    const { rows } = await this.#options.pool.query<{ name: string; fence: string | number }>({
      name: 'engine/heartbeat',
      text: `update engine.leases set until = clock_timestamp() + $3 * interval '1 millisecond'
              where name = any($1::text[]) and holder = $2 and until > '-infinity' returning name, fence`,
      values: [textArrayLiteral(names), this.#options.holder, this.#ttlMs],
    });
    const renewed = new Map(rows.map((row) => [row.name, Number(row.fence)]));
    for (const [name, held] of asked) {
      // Given back, or seized anew, while the answer was on its way.
      if (this.#held.get(name) !== held) continue;
      if (renewed.get(name) === held.fence) held.aliveMs = askedMs;
      else this.lose(name);
    }
  }
}
