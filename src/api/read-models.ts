// Which tables a read looks at: the live ones, or those of a replay by its name.
import { Kysely, PostgresDialect } from 'kysely';
import type { Pool } from 'pg';
import { LIVE_SCHEMA } from '../projections/engine/engine.ts';
import { badHeader } from './request.ts';

export class ReadModels {
  readonly #pool: Pool;
  // biome-ignore lint/suspicious/noExplicitAny: each read names its own tables
  readonly #db: Kysely<any>;

  constructor(pool: Pool) {
    this.#pool = pool;
    this.#db = new Kysely({ dialect: new PostgresDialect({ pool }) });
  }

  /** @throws Problem where there is no such replay */
  async of<Tables>(replay: string | undefined): Promise<Kysely<Tables>> {
    if (replay === undefined) return this.#db.withSchema(LIVE_SCHEMA) as Kysely<Tables>;
    const { rows } = await this.#pool.query<{ schema_name: string }>('select schema_name from engine.replays where name = $1', [replay]);
    if (!rows[0]) throw badHeader('replay', 'is the name of a replay that npm run replay has built');
    return this.#db.withSchema(rows[0].schema_name) as Kysely<Tables>;
  }
}
