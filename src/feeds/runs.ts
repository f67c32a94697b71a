// The runs of feeds in Postgres: how far each got, also after a restart.
import type { Pool } from 'pg';

export interface FeedRun {
  readonly id: string;
  readonly kind: string;
  readonly subject: string;
  readonly status: 'running' | 'finished' | 'failed';
  readonly lines: number;
  readonly created: number;
  readonly repeated: number;
  readonly rejected: number;
  /** Of the last event that it brought or met again; 0 for none. */
  readonly position: number;
  readonly detail: string | null;
  readonly started_at: string;
  readonly updated_at: string;
}

const columns = 'id, kind, subject, status, lines, created, repeated, rejected, position, detail, started_at, updated_at';

export class FeedRuns {
  readonly #pool: Pool;
  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async save(run: FeedRun): Promise<void> {
    await this.#pool.query(
      `insert into feeds.runs (${columns}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
       on conflict (id) do update set status = $4, lines = $5, created = $6, repeated = $7, rejected = $8, position = $9, detail = $10, updated_at = $12`,
      valuesOf(run),
    );
  }

  async find(id: string): Promise<FeedRun | undefined> {
    const { rows } = await this.#pool.query<FeedRun>(`select ${columns} from feeds.runs where id = $1`, [id]);
    return rows[0];
  }

  async newestOf(subject: string): Promise<FeedRun[]> {
    const { rows } = await this.#pool.query<FeedRun>(`select ${columns} from feeds.runs where subject = $1 order by started_at desc, id limit 100`, [
      subject,
    ]);
    return rows;
  }

  /** What a dead process left running ends as failed: its lines are in the journal or not, and sending it again settles it. */
  async failAbandoned(at: string): Promise<void> {
    await this.#pool.query("update feeds.runs set status = 'failed', detail = 'the server stopped', updated_at = $1 where status = 'running'", [at]);
  }
}

function valuesOf(run: FeedRun): unknown[] {
  return [
    run.id,
    run.kind,
    run.subject,
    run.status,
    run.lines,
    run.created,
    run.repeated,
    run.rejected,
    run.position,
    run.detail,
    run.started_at,
    run.updated_at,
  ];
}
