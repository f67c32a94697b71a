// Checkpoints of projections that a stretch of the journal held nothing for: those that move at the same time move by one statement, so
// that a read model costs nothing where it has nothing to do.
import type { Pool } from 'pg';
import { GroupCommit } from '../../journal/group-commit.ts';
import type { StoredEvent } from '../../journal/journal.ts';
import { textArrayLiteral } from './columns.ts';

export interface IdleAdvance {
  readonly projection: string;
  readonly fence: number;
  readonly from: number;
  readonly to: number;
  readonly last: StoredEvent | undefined;
}

const MOST_AT_ONCE = 256;
// The checkpoint can be made again from the journal, so the answer need not wait for the disk.
const advance = {
  name: 'engine/idle-checkpoints',
  text: `with asynchronous as materialized (select set_config('synchronous_commit', 'off', true) as setting),
      moved as (
        update engine.checkpoints c
           set position = a.to_position, updated_at = clock_timestamp(), last_event_id = coalesce(a.id, last_event_id),
               last_event_position = coalesce(a.position, last_event_position), last_event_stream = coalesce(a.stream, last_event_stream),
               last_event_revision = coalesce(a.revision, last_event_revision)
          from unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::uuid[], $6::bigint[], $7::text[], $8::int[])
                 as a(projection, fence, from_position, to_position, id, position, stream, revision)
         where c.projection = a.projection and c.position = a.from_position and c.fence = a.fence and not c.paused
        returning c.projection)
    select (select setting from asynchronous) as setting, array(select projection from moved) as moved`,
};

export class IdleCheckpoints {
  readonly #commits: GroupCommit<IdleAdvance, boolean>;

  constructor(pool: Pool) {
    this.#commits = new GroupCommit({ maxBatch: MOST_AT_ONCE, send: (advances) => move(pool, advances) });
  }

  /** False where the checkpoint was not where it was left: it is not ours any more, or paused. */
  advance(advance: IdleAdvance): Promise<boolean> {
    return this.#commits.run(advance);
  }
}

async function move(pool: Pool, advances: readonly IdleAdvance[]): Promise<boolean[]> {
  // In one order everywhere: two processes would wait for each other's rows.
  const sorted = [...advances].sort((one, other) => (one.projection < other.projection ? -1 : 1));
  const list = (cell: (advance: IdleAdvance) => string | number | undefined): string => `{${sorted.map((each) => cell(each) ?? 'NULL').join(',')}}`;
  const { rows } = await pool.query<{ moved: string[] }>({
    ...advance,
    values: [
      textArrayLiteral(sorted.map(({ projection }) => projection)),
      list(({ fence }) => fence),
      list(({ from }) => from),
      list(({ to }) => to),
      list(({ last }) => last?.id),
      list(({ last }) => last?.position),
      sorted.map(({ last }) => last?.stream ?? null),
      list(({ last }) => last?.revision),
    ],
  });
  const moved = new Set(rows[0]?.moved);
  return advances.map(({ projection }) => moved.has(projection));
}
