// Works on enrolment jobs page by page: each customer by a command whose key is the job's and theirs, so that a page tried again takes
// effect once. A job's row is held only by its page's transaction, so a dead worker's come free at once; the page counts only where the
// job stood when it began (domain/campaign/enrolment-job.ts), so that a row that lags behind does no harm.
import { Kysely, PostgresDialect } from 'kysely';
import { LRUCache } from 'lru-cache';
import type { Pool, PoolClient } from 'pg';
import { advanceEnrolment, enrolCustomer, finishEnrolment } from '../commands/campaign.ts';
import type { AnyCommand } from '../commands/command.ts';
import type { CommandHandler, Outcome } from '../commands/handler.ts';
import type { JobCounts } from '../domain/campaign/enrolment-job.ts';
import type { CustomerFilter } from '../domain/campaign/events.ts';
import type { Actor, Scope } from '../domain/kernel/event.ts';
import { KeyDestroyed } from '../journal/keyring.ts';
import type { Logger } from '../logging.ts';
import { type CustomerTables, customersSeenBy } from '../projections/customers/queries.ts';
import { LIVE_SCHEMA } from '../projections/engine/engine.ts';
import type { JobRow } from '../projections/jobs/jobs.ts';
import { Rounds } from './rounds.ts';

interface Job extends Pick<JobRow, 'id' | 'campaign_id' | 'filter' | 'requested_by' | 'role' | 'scope' | 'cursor'> {
  readonly campaign_closed: boolean;
}

const unfinished = {
  name: 'enrolment-jobs/unfinished',
  text: `select id, campaign_id, filter, requested_by, role, scope, cursor,
                exists (select from read.campaigns where campaigns.id = jobs.campaign_id and campaigns.status = 'closed') as campaign_closed
           from read.jobs
          where status = 'running' and id || '@' || coalesce(cursor, '') <> all ($1::text[])
          order by requested_at, id limit 1 for update skip locked`,
};

interface PageBody {
  readonly after: string | null;
  readonly counts: JobCounts;
  readonly cursor?: string;
  readonly detail?: string;
}

const system: Actor = { subject: 'shiji', role: 'system' };
const PAGE = 200;
/** A page that failed waits, so that other jobs go on. */
const RETRY_MS = 2_000;
const CLOSED = 'The campaign was closed before all were enrolled.';

export interface EnrolmentJobsParts {
  readonly pool: Pool;
  readonly handler: Pick<CommandHandler, 'execute'>;
  readonly log: Logger;
}

export class EnrolmentJobs {
  readonly #parts: EnrolmentJobsParts;
  readonly #db: Kysely<CustomerTables>;
  // Pages that are done and whose row has yet to move on, and pages that failed a moment ago; forgotten soon, as a try more does no harm.
  readonly #aside = new LRUCache<string, true>({ max: 10_000, ttl: 30_000 });
  readonly #rounds: Rounds;

  constructor(parts: EnrolmentJobsParts) {
    this.#parts = parts;
    this.#rounds = new Rounds({
      work: () => this.workOnPage(),
      onError: (error) => parts.log.warn({ err: error }, 'an enrolment job could not go on and will be tried again'),
    });
    this.#db = new Kysely<CustomerTables>({ dialect: new PostgresDialect({ pool: parts.pool }) }).withSchema(LIVE_SCHEMA);
  }

  start(): void {
    this.#rounds.start();
  }

  /** Ends after what is in hand. */
  stop(): Promise<void> {
    return this.#rounds.stop();
  }

  /** Works on the next page of the job that has waited longest; says whether there was one. */
  async workOnPage(): Promise<boolean> {
    const client = await this.#parts.pool.connect();
    try {
      await client.query('begin');
      const { rows } = await client.query<Job>({ ...unfinished, values: [[...this.#aside.keys()]] });
      const [job] = rows;
      if (job) await this.#page(client, job);
      await client.query('commit');
      client.release();
      return job !== undefined;
    } catch (error) {
      client.release(true);
      throw error;
    }
  }

  async #page(client: PoolClient, job: Job): Promise<void> {
    const place = `${job.id}@${job.cursor ?? ''}`;
    try {
      const customers = job.campaign_closed ? [] : await this.#customersOf(client, job);
      // Side by side: they share the journal's commits.
      const results = await Promise.all(customers.map((customer) => this.#enrol(job, customer)));
      const count = (wanted: string): number => results.filter((result) => result === wanted).length;
      const counts: JobCounts = { enrolled: count('enrolled'), already: count('already'), refused: count('refused') };
      const body = { after: job.cursor, counts };
      const cursor = customers.at(-1);
      if (job.campaign_closed || results.includes('closed')) await this.#record(finishEnrolment, job, { ...body, detail: CLOSED });
      else if (customers.length < PAGE || cursor === undefined) await this.#record(finishEnrolment, job, body);
      else await this.#record(advanceEnrolment, job, { ...body, cursor });
      this.#aside.set(place, true);
    } catch (error) {
      this.#aside.set(place, true, { ttl: RETRY_MS });
      throw error;
    }
  }

  /** By id, those after the cursor that match and that the requester may see. */
  async #customersOf(client: PoolClient, job: Job): Promise<readonly string[]> {
    const { kind, tag, branch, manager } = JSON.parse(job.filter) as CustomerFilter;
    let query = customersSeenBy(this.#db, requesterOf(job), { kind, tag, branch, manager }).clearSelect().select('id');
    if (job.cursor !== null) query = query.where('id', '>', job.cursor);
    const { sql, parameters } = query.orderBy('id').limit(PAGE).compile();
    // On the connection that holds the row: one connection a worker, so a pool of them can't run dry on itself.
    const { rows } = await client.query<{ id: string }>(sql, [...parameters]);
    return rows.map(({ id }) => id);
  }

  async #enrol(job: Job, customerId: string): Promise<'enrolled' | 'already' | 'refused' | 'closed'> {
    let outcome: Outcome;
    try {
      outcome = await this.#parts.handler.execute(enrolCustomer, {
        params: { campaignId: job.campaign_id, customerId },
        body: { job: job.id },
        // The requester's, since the right to see is theirs and not the program's.
        actor: requesterOf(job),
        channel: 'job',
        correlationId: job.id,
        key: `${job.id}/${customerId}`,
      });
    } catch (error) {
      if (error instanceof KeyDestroyed) return 'refused';
      throw error;
    }
    // Done before by this job counts as done by it: its events are those of the first time.
    if (outcome.kind === 'accepted') return outcome.events > 0 ? 'enrolled' : 'already';
    return outcome.kind === 'refused' && outcome.rejection.rejected === 'CampaignNotRunning' ? 'closed' : 'refused';
  }

  async #record(command: AnyCommand, job: Job, body: PageBody): Promise<void> {
    const outcome = await this.#parts.handler.execute(command, {
      params: { jobId: job.id },
      body,
      actor: system,
      channel: 'job',
      correlationId: job.id,
      key: `after ${body.after ?? 'the start'}`,
    });
    // A key that was used says that another worker did the same page and counted otherwise: then it counts as that one said.
    if (outcome.kind !== 'accepted' && outcome.kind !== 'key-reused')
      throw new Error(`${command.name} of job ${job.id} was not taken: ${outcome.kind}`);
  }
}

function requesterOf({ requested_by: subject, role, scope }: Job): Actor {
  return scope === null ? { subject, role } : { subject, role, scope: scope as Scope };
}
