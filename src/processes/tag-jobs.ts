// Works on tag jobs page by page: whom a page is of is recorded before it is worked on, and each customer's command has a key of the job's
// and theirs, so that a page tried again is the same page and takes effect once. An undo goes through the pages that were planned, and
// takes back what a customer's own stream shows to be the job's and untouched since. A job's row is held only by its page's transaction.
import { Kysely, PostgresDialect, type SqlBool, sql } from 'kysely';
import type { Pool, PoolClient } from 'pg';
import type { AnyCommand } from '../commands/command.ts';
import { tagCustomer, untagCustomer } from '../commands/customer.ts';
import type { CommandHandler, Outcome } from '../commands/handler.ts';
import { advanceTagUndo, finishTagJob, finishTagPage, finishTagUndo, planTagPage } from '../commands/tagging.ts';
import type { customerEvents } from '../domain/customer/events.ts';
import type { Actor, RecordedOf } from '../domain/kernel/event.ts';
import { dateOf } from '../domain/kernel/source.ts';
import type { TagFilter, tagJobEvents } from '../domain/tagging/events.ts';
import type { EventCodec } from '../journal/codec.ts';
import type { JournalReader } from '../journal/journal.ts';
import { KeyDestroyed } from '../journal/keyring.ts';
import type { Logger } from '../logging.ts';
import { type CustomerTables, customersSeenBy } from '../projections/customers/queries.ts';
import { LIVE_SCHEMA } from '../projections/engine/engine.ts';
import type { TagJobRow } from '../projections/tag-jobs/tag-jobs.ts';
import { conditionSql } from '../views/segment-sql.ts';
import { allDone } from './all-done.ts';
import { JobPages, PAGE, requesterOf, system } from './job-pages.ts';

const columns = [
  'id',
  'action',
  'tag',
  'filter',
  'status',
  'requested_by',
  'role',
  'scope',
  'undone_by',
  'cursor',
  'page',
  'undone_through',
] as const;
type Job = Pick<TagJobRow, (typeof columns)[number]>;

/** Where a job stands: what was done there waits for its row to go on. */
const PLACE = "id || '@' || status || '@' || coalesce(cursor, '') || '@' || cardinality(page) || '@' || undone_through";
function placeOf({ id, status, cursor, page, undone_through }: Job): string {
  return `${id}@${status}@${cursor ?? ''}@${page.length}@${undone_through}`;
}
const unfinished = {
  name: 'tag-jobs/unfinished',
  text: `select ${columns.join(', ')} from read.tag_jobs
          where status in ('running', 'undoing') and ${PLACE} <> all ($1::text[])
          order by requested_at, id limit 1 for update skip locked`,
};

const UNDO_TRIES = 20;
const STREAM_PAGE = 100;

export interface TagJobsParts {
  readonly pool: Pool;
  readonly handler: Pick<CommandHandler, 'execute'>;
  readonly journal: Pick<JournalReader, 'readStream'>;
  readonly codec: Pick<EventCodec, 'decode'>;
  /** Epoch milliseconds by the one clock. */
  readonly now: () => number;
  /** The bank's IANA zone. */
  readonly zone: string;
  readonly log: Logger;
}

/** The worker of them. */
export function tagJobs(parts: TagJobsParts): JobPages<Job> {
  const { pool, log } = parts;
  const worker = new TagPages(parts);
  return new JobPages({ pool, log, what: 'a tag job', unfinished, placeOf, work: (client, job) => worker.work(client, job) });
}

class TagPages {
  readonly #parts: TagJobsParts;
  readonly #db: Kysely<CustomerTables>;

  constructor(parts: TagJobsParts) {
    this.#parts = parts;
    this.#db = new Kysely<CustomerTables>({ dialect: new PostgresDialect({ pool: parts.pool }) }).withSchema(LIVE_SCHEMA);
  }

  async work(client: PoolClient, job: Job): Promise<Job | undefined> {
    if (job.status === 'undoing') await this.#undoPage(job);
    else if (job.page.length > 0) await this.#doPage(job, job.page);
    else return this.#planPage(client, job);
    return undefined;
  }

  async #planPage(client: PoolClient, job: Job): Promise<Job | undefined> {
    const customers = await this.#customersOf(client, job);
    if (customers.length === 0) {
      await this.#record(finishTagJob, job, { after: job.cursor }, `end after ${job.cursor ?? 'the start'}`);
      return undefined;
    }
    const planned = await this.#record(planTagPage, job, { after: job.cursor, customers }, `plan after ${job.cursor ?? 'the start'}`);
    // Who planned it works on it at once; else the row will say whom it is of.
    if (planned.kind !== 'accepted' || planned.events === 0 || planned.repeated) return undefined;
    await this.#doPage(job, customers);
    return { ...job, page: customers };
  }

  /** By id, those after the cursor that match and that the requester may see. */
  async #customersOf(client: PoolClient, job: Job): Promise<readonly string[]> {
    const { condition, ...filter } = JSON.parse(job.filter) as TagFilter;
    let query = customersSeenBy(this.#db, requesterOf(job), filter).clearSelect().select('id');
    if (job.action === 'untag') query = query.where(sql<SqlBool>`tags @> ${[job.tag]}::text[]`);
    if (condition !== undefined) {
      const today = dateOf(new Date(this.#parts.now()).toISOString(), this.#parts.zone);
      query = query.where(conditionSql(condition, today));
    }
    if (job.cursor !== null) query = query.where('id', '>', job.cursor);
    const { sql: text, parameters } = query.orderBy('id').limit(PAGE).compile();
    // On the connection that holds the row: one connection a worker, so a pool of them can't run dry on itself.
    const { rows } = await client.query<{ id: string }>(text, [...parameters]);
    return rows.map(({ id }) => id);
  }

  async #doPage(job: Job, customers: readonly string[]): Promise<void> {
    // Side by side: they share the journal's commits.
    const results = await allDone(customers.map((customerId) => this.#change(job, customerId)));
    const count = (wanted: string): number => results.filter((result) => result === wanted).length;
    const counts = { changed: count('changed'), already: count('already'), refused: count('refused') };
    const cursor = customers.at(-1);
    await this.#record(finishTagPage, job, { cursor, counts }, `page to ${cursor}`);
  }

  async #change(job: Job, customerId: string): Promise<'changed' | 'already' | 'refused'> {
    const outcome = await this.#tagOrUntag(job.action === 'tag', job, customerId, requesterOf(job), job.id);
    if (outcome?.kind !== 'accepted') return 'refused';
    // Done before by this job counts as done by it: its events are those of the first time.
    return outcome.events > 0 ? 'changed' : 'already';
  }

  /** The next planned page after those that are undone. */
  async #undoPage(job: Job): Promise<void> {
    const page = await this.#plannedAfter(job);
    const after = job.undone_through;
    if (page === undefined) {
      await this.#record(finishTagUndo, job, { after }, 'undone');
      return;
    }
    const results = await allDone(page.customers.map((customerId) => this.#takeBack(job, customerId)));
    const count = (wanted: string): number => results.filter((result) => result === wanted).length;
    const kept = page.customers.filter((_, index) => results[index] === 'kept');
    const body = { after, through: page.revision, restored: count('restored'), kept, refused: count('refused') };
    await this.#record(advanceTagUndo, job, body, `undo to ${page.revision}`);
  }

  async #plannedAfter(job: Job): Promise<{ readonly revision: number; readonly customers: readonly string[] } | undefined> {
    const { journal, codec } = this.#parts;
    for (let from = job.undone_through + 1; ; from += STREAM_PAGE) {
      const page = await journal.readStream(`tagjob-${job.id}`, { from, limit: STREAM_PAGE });
      for (const stored of page) {
        const event = codec.decode(stored) as RecordedOf<typeof tagJobEvents>;
        if (event.type === 'TagPagePlanned') return { revision: event.revision, customers: event.data.customers };
      }
      if (page.length < STREAM_PAGE) return undefined;
    }
  }

  /** `nothing` where the job did nothing to them. The stream is asked, and the taking back holds only where it has not moved since. */
  async #takeBack(job: Job, customerId: string): Promise<'restored' | 'kept' | 'refused' | 'nothing'> {
    const undo = `${job.id}/undo`;
    for (let attempt = 0; attempt < UNDO_TRIES; attempt += 1) {
      const { last, revision } = await this.#lastChange(customerId, job);
      if (last === undefined) return 'nothing';
      if (last === undo) return 'restored';
      if (last !== job.id) return 'kept';
      const outcome = await this.#tagOrUntag(job.action === 'untag', job, customerId, undoerOf(job), undo, revision);
      if (outcome?.kind === 'accepted') return 'restored';
      if (outcome?.kind !== 'moved') return 'refused';
    }
    return 'kept';
  }

  /** By whom the tag was last given or taken, where the job had ever a part in it: the event's correlation. And where the stream stands. */
  async #lastChange(customerId: string, job: Job): Promise<{ readonly last: string | undefined; readonly revision: number }> {
    const { journal, codec } = this.#parts;
    let isOurs = false;
    let last: string | undefined;
    let revision = -1;
    for (const stored of await journal.readStream(`customer-${customerId}`)) {
      revision = stored.revision;
      if (stored.type !== 'CustomerTagged' && stored.type !== 'CustomerUntagged') continue;
      const event = codec.decode(stored) as RecordedOf<typeof customerEvents>;
      if ((event.data as { readonly tag: string }).tag !== job.tag) continue;
      last = event.correlationId;
      isOurs ||= event.channel === 'job' && event.correlationId === job.id;
    }
    return { last: isOurs ? last : undefined, revision };
  }

  /** Undefined where their key was destroyed. */
  async #tagOrUntag(
    tags: boolean,
    { id, tag }: Job,
    customerId: string,
    actor: Actor,
    correlationId: string,
    expectedRevision?: number,
  ): Promise<Outcome | undefined> {
    try {
      return await this.#parts.handler.execute(tags ? tagCustomer : untagCustomer, {
        params: tags ? { customerId } : { customerId, tag },
        body: tags ? { tag } : {},
        // The requester's, since the right to see is theirs and not the program's.
        actor,
        channel: 'job',
        correlationId,
        key: `${id}/${correlationId === id ? 'do' : 'undo'}/${customerId}`,
        expectedRevision,
      });
    } catch (error) {
      if (error instanceof KeyDestroyed) return undefined;
      throw error;
    }
  }

  async #record(command: AnyCommand, job: Job, body: unknown, key: string): Promise<Outcome> {
    const outcome = await this.#parts.handler.execute(command, {
      params: { jobId: job.id },
      body,
      actor: system,
      channel: 'job',
      correlationId: job.id,
      key,
    });
    // A key that was used says that another worker did the same and said otherwise: then it is as that one said.
    if (outcome.kind !== 'accepted' && outcome.kind !== 'key-reused')
      throw new Error(`${command.name} of tag job ${job.id} was not taken: ${outcome.kind}`);
    return outcome;
  }
}

function undoerOf({ undone_by }: Job): Actor {
  return JSON.parse(undone_by ?? '{}') as Actor;
}
