// Operators' commands reach the engine as events of the category `projection`: pause, resume, retry and skip of parked
// events, rebuild, swap and rollback of versions.
// One process at a time follows them and writes what they ask for; the projection's own runners carry it out (heal.ts, versions.ts).
import type { Pool, PoolClient } from 'pg';
import type { JournalReader, StoredEvent } from '../../journal/journal.ts';
import { BEGIN, inTransaction, standbyOf } from './books.ts';
import type { Leases } from './leases.ts';
import type { EngineLog } from './observe.ts';
import type { EventDecoder } from './shared-reader.ts';

export const CONTROL_CATEGORY = 'projection';
const LEASE = '(controls)';
/** Positions passed over without a control event before that is written down: a restart then reads no more than that again. */
const WRITE_DOWN_AFTER = 50_000;
const READ_LIMIT = 10_000;

export interface ControlsOptions {
  readonly journal: JournalReader;
  readonly journalId: string;
  readonly codec: EventDecoder;
  readonly pool: Pool;
  readonly leases: Leases;
  readonly log: EngineLog;
  /** Something was asked of this projection. */
  readonly onControl: (projection: string) => void;
  readonly retryMs: number;
  /** Between two looks at the journal while it moves. */
  readonly pollMs: number;
}

export class Controls {
  readonly #options: ControlsOptions;
  #stopping = false;
  #done: Promise<void> | undefined;
  #wake: () => void = () => {};
  #moved = true;

  constructor(options: ControlsOptions) {
    this.#options = options;
  }

  start(): void {
    this.#done ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wake();
    await this.#done;
  }

  async #run(): Promise<void> {
    const { leases, log, retryMs, journal } = this.#options;
    const unwatch = journal.watch(() => {
      this.#moved = true;
    });
    while (!this.#stopping) {
      try {
        // biome-ignore lint/performance/noAwaitInLoops: the loop of a process's life
        if (leases.holds(LEASE) || (await leases.take(LEASE)) !== undefined) await this.#follow();
        else await this.#rest(retryMs);
      } catch (error) {
        log.warn({ err: error }, 'control events could not be followed; trying again');
        await this.#rest(retryMs);
      }
    }
    unwatch();
    await leases.release(LEASE).catch((error: unknown) => log.warn({ err: error }, 'a lease was not given back'));
  }

  async #follow(): Promise<void> {
    const { journal, pool, leases, pollMs, retryMs } = this.#options;
    let written = await readPosition(pool);
    let after = written;
    let idleMs = 0;
    while (!this.#stopping && leases.holds(LEASE)) {
      if (!this.#moved && idleMs < retryMs) {
        idleMs += pollMs;
        // biome-ignore lint/performance/noAwaitInLoops: a poll
        await this.#rest(pollMs);
        continue;
      }
      this.#moved = false;
      idleMs = 0;
      const batch = await journal.readAll({ after, limit: READ_LIMIT, categories: [CONTROL_CATEGORY] });
      if (batch.events.length > 0 || batch.checkpoint - written >= WRITE_DOWN_AFTER) {
        await this.#act(written, batch.events, batch.checkpoint);
        written = batch.checkpoint;
      }
      after = batch.checkpoint;
      if (!batch.atEnd) this.#moved = true;
      else await this.#rest(pollMs);
    }
  }

  async #act(from: number, events: readonly StoredEvent[], to: number): Promise<void> {
    const { pool, journalId, onControl } = this.#options;
    const touched = new Set<string>();
    await inTransaction(pool, BEGIN, async (client) => {
      const { rowCount } = await client.query('update engine.controls set position = $2, journal_id = $3 where position = $1', [from, to, journalId]);
      if (rowCount === 0) throw new Error('another process follows the control events');
      for (const event of events) {
        // biome-ignore lint/performance/noAwaitInLoops: a handful, in their order
        await this.#apply(client, event);
        touched.add(projectionOf(event));
      }
    });
    for (const projection of touched) onControl(projection);
  }

  async #apply(client: PoolClient, stored: StoredEvent): Promise<void> {
    const event = this.#options.codec.decode(stored);
    if ('unknown' in event) return;
    const projection = projectionOf(stored);
    const { key, position, swap } = event.data as { readonly key?: unknown; readonly position?: unknown; readonly swap?: unknown };
    const names = [projection, standbyOf(projection)];
    switch (event.type) {
      case 'ProjectionPaused':
      case 'ProjectionResumed': {
        const isPaused = event.type === 'ProjectionPaused';
        // Live before what stands by, as a swap locks them.
        await client.query(
          `insert into engine.checkpoints (projection, paused) values ($1, $2) on conflict (projection) do update set paused = excluded.paused`,
          [projection, isPaused],
        );
        await client.query('update engine.checkpoints set paused = $2 where projection = $1', [names[1], isPaused]);
        return;
      }
      case 'ParkedEventRetried':
      case 'ParkedEventSkipped':
        if (typeof key !== 'string') return;
        await client.query(
          `insert into engine.orders (projection, position, kind, key, parked_position)
             select c.name, $2, $3, $4, $5 from unnest(array[$1, $6]) as c(name)
              where c.name = $1 or exists (select from engine.checkpoints where projection = c.name)
           on conflict do nothing`,
          [
            projection,
            stored.position,
            event.type === 'ParkedEventRetried' ? 'retry' : 'skip',
            key,
            typeof position === 'number' ? position : null,
            names[1],
          ],
        );
        return;
      case 'ProjectionRebuildOrdered':
        await client.query('update engine.checkpoints set rebuild = $2 where projection = $1', [projection, swap === 'manual' ? 'manual' : 'auto']);
        return;
      case 'ProjectionSwapOrdered':
        // What waits for it is swapped in, what was withdrawn comes back, and a rollback under way is called off.
        await client.query(
          `update engine.checkpoints
              set standing = case when swap = 'rollback' then 'kept' when standing = 'withdrawn' then 'next' else standing end, swap = 'auto'
            where projection = $1 and standing in ('next', 'withdrawn')`,
          [names[1]],
        );
        return;
      case 'ProjectionRollbackOrdered':
        // To what was live before; or, before a swap, what was to be swapped in is not.
        await client.query(
          `update engine.checkpoints
              set standing = case standing when 'kept' then 'next' else 'withdrawn' end,
                  swap = case standing when 'kept' then 'rollback' else 'auto' end
            where projection = $1 and (standing = 'kept' or standing = 'next' and swap <> 'rollback')`,
          [names[1]],
        );
        return;
      default:
    }
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

function projectionOf({ stream }: StoredEvent): string {
  return stream.slice(CONTROL_CATEGORY.length + 1);
}

/** @throws where the controls were followed in another journal */
async function readPosition(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ position: string | number }>('select position from engine.controls');
  return Number(rows[0]?.position ?? 0);
}
