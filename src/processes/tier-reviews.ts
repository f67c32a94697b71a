// Works on tier reviews page by page: monthly averages from the read models, and for each customer a command whose key is the job's and
// theirs, so that a page tried again takes effect once; which tier that leads to is decided by the customer's own stream. A job's row is
// held only by its page's transaction, and the page counts only where the job stood when it began (domain/classification/tier-review.ts).
import { Kysely, PostgresDialect } from 'kysely';
import type { Pool, PoolClient } from 'pg';
import { reviewTier } from '../commands/classification.ts';
import type { AnyCommand } from '../commands/command.ts';
import type { CommandHandler } from '../commands/handler.ts';
import { advanceTierReview, finishTierReview } from '../commands/tier.ts';
import { firstDayAfter, monthsUpTo } from '../domain/classification/dates.ts';
import type { ClassificationFact, classificationEvents } from '../domain/classification/events.ts';
import { type MonthlyAverage, monthsNeeded } from '../domain/classification/next-tier.ts';
import { type Standing, standingAfter } from '../domain/classification/standing.ts';
import type { ReviewCounts, TierPolicy } from '../domain/classification/tier-events.ts';
import { noCounts } from '../domain/classification/tier-review.ts';
import { VALUE_TIER } from '../domain/classification/vocabulary.ts';
import type { RecordedOf } from '../domain/kernel/event.ts';
import type { EventCodec } from '../journal/codec.ts';
import type { JournalReader } from '../journal/journal.ts';
import { KeyDestroyed } from '../journal/keyring.ts';
import type { Logger } from '../logging.ts';
import { type CustomerTables, customersSeenBy } from '../projections/customers/queries.ts';
import { LIVE_SCHEMA } from '../projections/engine/engine.ts';
import { type AverageRow, averagesQuery, type OtherCurrencyRow, otherCurrenciesQuery } from '../projections/holdings/averages.ts';
import type { TierReviewRow } from '../projections/tier-reviews/tier-reviews.ts';
import { allDone } from './all-done.ts';
import { JobPages, PAGE, requesterOf, system } from './job-pages.ts';

interface Job extends Pick<TierReviewRow, 'id' | 'policy_id' | 'version' | 'month' | 'requested_by' | 'role' | 'scope' | 'cursor'> {
  /** JSON of `TierPolicy`. */
  readonly policy: string;
}

const unfinished = {
  name: 'tier-reviews/unfinished',
  text: `select r.id, r.policy_id, r.version, r.month, r.requested_by, r.role, r.scope, r.cursor, p.policy
           from read.tier_reviews r join read.tier_policies p on p.id = r.policy_id || '@' || r.version
          where r.status = 'running' and r.id || '@' || coalesce(r.cursor, '') <> all ($1::text[])
          order by r.requested_at, r.id limit 1 for update of r skip locked`,
};

interface PageBody {
  readonly after: string | null;
  readonly counts: ReviewCounts;
  readonly cursor?: string;
}

/** As `unfinished` spells it. */
const placeOf = ({ id, cursor }: Job): string => `${id}@${cursor ?? ''}`;

type Result = 'first' | 'up' | 'down' | 'unchanged' | 'watched' | 'notCounted' | 'refused';

export interface TierReviewsParts {
  readonly pool: Pool;
  readonly handler: Pick<CommandHandler, 'execute'>;
  readonly journal: Pick<JournalReader, 'readStream'>;
  readonly codec: Pick<EventCodec, 'decode'>;
  readonly log: Logger;
}

/** The worker of them. */
export function tierReviews(parts: TierReviewsParts): JobPages<Job> {
  const { pool, log } = parts;
  const worker = new ReviewPages(parts);
  return new JobPages({ pool, log, what: 'a tier review', unfinished, placeOf, work: (client, job) => worker.work(client, job) });
}

class ReviewPages {
  readonly #parts: TierReviewsParts;
  readonly #db: Kysely<CustomerTables>;

  constructor(parts: TierReviewsParts) {
    this.#parts = parts;
    this.#db = new Kysely<CustomerTables>({ dialect: new PostgresDialect({ pool: parts.pool }) }).withSchema(LIVE_SCHEMA);
  }

  async work(client: PoolClient, job: Job): Promise<undefined> {
    const customers = await this.#customersOf(client, job);
    const { averages, others } = await figuresOf(client, job, customers);
    // Side by side: they share the journal's commits.
    const results = await allDone(customers.map((customer) => this.#review(job, customer, averages.get(customer) ?? [])));
    const body = { after: job.cursor, counts: countsOf(results, others) };
    const cursor = customers.at(-1);
    if (customers.length < PAGE || cursor === undefined) await this.#record(finishTierReview, job, body);
    else await this.#record(advanceTierReview, job, { ...body, cursor });
  }

  /** By id, the customers after the cursor that the requester may see. */
  async #customersOf(client: PoolClient, job: Job): Promise<readonly string[]> {
    let query = customersSeenBy(this.#db, requesterOf(job), { standing: 'customer' }).clearSelect().select('id');
    if (job.cursor !== null) query = query.where('id', '>', job.cursor);
    const { sql, parameters } = query.orderBy('id').limit(PAGE).compile();
    // On the connection that holds the row: one connection a worker, so a pool of them can't run dry on itself.
    const { rows } = await client.query<{ id: string }>(sql, [...parameters]);
    return rows.map(({ id }) => id);
  }

  async #review(job: Job, customerId: string, known: readonly AverageRow[]): Promise<Result> {
    const policy = JSON.parse(job.policy) as TierPolicy;
    const byMonth = new Map(known.map(({ month, average }) => [month, average]));
    const averages: MonthlyAverage[] = monthsUpTo(job.month, monthsNeeded(policy)).map((month) => ({ month, average: byMonth.get(month) ?? null }));
    const key = `${job.id}/${customerId}`;
    try {
      const outcome = await this.#parts.handler.execute(reviewTier, {
        params: { customerId },
        body: { policy: job.policy_id, version: job.version, averages },
        // The requester's, since the right to see is theirs and not the program's.
        actor: requesterOf(job),
        channel: 'job',
        correlationId: job.id,
        key,
      });
      if (outcome.kind !== 'accepted' && outcome.kind !== 'key-reused') return 'refused';
      // Read from the stream: a page that is tried again counts as what it did the first time.
      const mayHave = outcome.kind === 'key-reused' || outcome.events > 0;
      const changed = mayHave ? await this.#changeBy(job, customerId) : undefined;
      return changed ?? (averages.at(-1)?.average === null ? 'notCounted' : 'unchanged');
    } catch (error) {
      if (error instanceof KeyDestroyed) return 'refused';
      throw error;
    }
  }

  /** What this job changed of a customer; undefined where nothing. */
  async #changeBy(job: Job, customerId: string): Promise<Result | undefined> {
    const policy = JSON.parse(job.policy) as TierPolicy;
    const rank = (value: string): number => policy.tiers.findIndex((tier) => tier.value === value);
    let standing: Standing | undefined;
    let result: Result | undefined;
    for (const stored of await this.#parts.journal.readStream(`classification-${customerId}`)) {
      const event = this.#parts.codec.decode(stored);
      if ('unknown' in event) continue;
      const fact = event as RecordedOf<typeof classificationEvents>;
      const isOurs = fact.correlationId === job.id && fact.type === 'CustomerClassified';
      if (fact.data.dimension === VALUE_TIER) {
        if (isOurs) result = standing?.ended !== null ? 'first' : rank(fact.data.value) > rank(standing.value) ? 'up' : 'down';
        standing = standingAfter(standing, fact as ClassificationFact);
      } else if (isOurs) result ??= 'watched';
    }
    return result;
  }

  async #record(command: AnyCommand, job: Job, body: PageBody): Promise<void> {
    const outcome = await this.#parts.handler.execute(command, {
      params: { reviewId: job.id },
      body,
      actor: system,
      channel: 'job',
      correlationId: job.id,
      key: `after ${body.after ?? 'the start'}`,
    });
    // A key that was used says that another worker did the same page and counted otherwise: then it counts as that one said.
    if (outcome.kind !== 'accepted' && outcome.kind !== 'key-reused')
      throw new Error(`${command.name} of review ${job.id} was not taken: ${outcome.kind}`);
  }
}

interface Figures {
  readonly averages: ReadonlyMap<string, readonly AverageRow[]>;
  readonly others: readonly OtherCurrencyRow[];
}

async function figuresOf(client: PoolClient, job: Job, customers: readonly string[]): Promise<Figures> {
  const policy = JSON.parse(job.policy) as TierPolicy;
  const [first = job.month] = monthsUpTo(job.month, monthsNeeded(policy));
  const window = { from: `${first}-01`, to: firstDayAfter(job.month) };
  const known = await client.query<AverageRow>(averagesQuery(customers, policy.currency, window));
  const others = await client.query<OtherCurrencyRow>(otherCurrenciesQuery(customers, policy.currency, window));
  return { averages: Map.groupBy(known.rows, ({ customer_id }) => customer_id), others: others.rows };
}

function countsOf(results: readonly Result[], others: readonly OtherCurrencyRow[]): ReviewCounts {
  const otherCurrencies: Record<string, number> = {};
  for (const { currency, accounts } of others) otherCurrencies[currency] = (otherCurrencies[currency] ?? 0) + accounts;
  const counts = { ...noCounts, otherCurrencies };
  for (const result of results) {
    counts[result] += 1;
    if (result === 'watched') counts.unchanged += 1;
  }
  return counts;
}
