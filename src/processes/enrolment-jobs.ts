// Works on enrolment jobs page by page: each customer by a command whose key is the job's and theirs, so that a page tried again takes
// effect once. A job's row is held only by its page's transaction, so a dead worker's come free at once; the page counts only where the
// job stood when it began (domain/campaign/enrolment-job.ts), so that a row that lags behind does no harm.
import { Kysely, PostgresDialect } from 'kysely';
import type { Pool, PoolClient } from 'pg';
import { advanceEnrolment, enrolCustomer, finishEnrolment } from '../commands/campaign.ts';
import type { AnyCommand } from '../commands/command.ts';
import type { CommandHandler, Outcome } from '../commands/handler.ts';
import type { JobCounts } from '../domain/campaign/enrolment-job.ts';
import type { CustomerFilter } from '../domain/campaign/events.ts';
import { KeyDestroyed } from '../journal/keyring.ts';
import type { Logger } from '../logging.ts';
import { type CustomerTables, customersSeenBy } from '../projections/customers/queries.ts';
import { LIVE_SCHEMA } from '../projections/engine/engine.ts';
import type { JobRow } from '../projections/jobs/jobs.ts';
import { allDone } from './all-done.ts';
import { JobPages, PAGE, requesterOf, system } from './job-pages.ts';

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

/** As `unfinished` spells it. */
const placeOf = ({ id, cursor }: Job): string => `${id}@${cursor ?? ''}`;
const CLOSED = 'The campaign was closed before all were enrolled.';

export interface EnrolmentJobsParts {
  readonly pool: Pool;
  readonly handler: Pick<CommandHandler, 'execute'>;
  readonly log: Logger;
}

/** The worker of them. */
export function enrolmentJobs(parts: EnrolmentJobsParts): JobPages<Job> {
  const { pool, log } = parts;
  const worker = new EnrolmentPages(parts);
  return new JobPages({ pool, log, what: 'an enrolment job', unfinished, placeOf, work: (client, job) => worker.work(client, job) });
}

class EnrolmentPages {
  readonly #parts: EnrolmentJobsParts;
  readonly #db: Kysely<CustomerTables>;

  constructor(parts: EnrolmentJobsParts) {
    this.#parts = parts;
    this.#db = new Kysely<CustomerTables>({ dialect: new PostgresDialect({ pool: parts.pool }) }).withSchema(LIVE_SCHEMA);
  }

  async work(client: PoolClient, job: Job): Promise<undefined> {
    const customers = job.campaign_closed ? [] : await this.#customersOf(client, job);
    // Side by side: they share the journal's commits.
    const results = await allDone(customers.map((customer) => this.#enrol(job, customer)));
    const count = (wanted: string): number => results.filter((result) => result === wanted).length;
    const counts: JobCounts = { enrolled: count('enrolled'), already: count('already'), refused: count('refused') };
    const body = { after: job.cursor, counts };
    const cursor = customers.at(-1);
    if (job.campaign_closed || results.includes('closed')) await this.#record(finishEnrolment, job, { ...body, detail: CLOSED });
    else if (customers.length < PAGE || cursor === undefined) await this.#record(finishEnrolment, job, body);
    else await this.#record(advanceEnrolment, job, { ...body, cursor });
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
