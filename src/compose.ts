// Which parts this process runs, and how they hang together: constructor calls, no container. Starting and stopping is main.ts and lifecycle.ts.
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { AuthOptions } from './api/auth.ts';
import { derivedKey } from './api/derived-key.ts';
import { ApiMetrics } from './api/metrics.ts';
import { contextRoutes } from './api/routes.ts';
import { buildServer } from './api/server.ts';
import { PostgresClaims } from './claims/postgres-claims.ts';
import { rebuildClaims } from './claims/rebuild.ts';
import { type Clock, manualClock, systemClock } from './clock.ts';
import { allCommands } from './commands/all.ts';
import { FourEyes } from './commands/four-eyes.ts';
import { CommandHandler } from './commands/handler.ts';
import type { Config } from './config.ts';
import { eventDefinitions } from './domain/events.ts';
import { FeedRuns } from './feeds/runs.ts';
import { Spools } from './feeds/spool.ts';
import { EventCodec } from './journal/codec.ts';
import { openEventStoreDbJournal } from './journal/eventstoredb/eventstoredb-journal.ts';
import { type Journal, JournalUnavailable } from './journal/journal.ts';
import { Keyring } from './journal/keyring.ts';
import { PostgresJournal } from './journal/postgres/postgres-journal.ts';
import { Opener } from './journal/sealing.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { Http } from './listening.ts';
import { child, type Logger } from './logging.ts';
import { oldestTransactionSeconds } from './postgres/oldest-transaction.ts';
import { APP_ROLE, assertDurable, createPool } from './postgres/pool.ts';
import { ApprovalWorker } from './processes/approvals.ts';
import { classificationTimers } from './processes/classification-timers.ts';
import { enrolmentJobs } from './processes/enrolment-jobs.ts';
import { readProgress } from './processes/nats-checkpoint.ts';
import { NatsPublisher, PREFIX } from './processes/nats-publisher.ts';
import { streamName } from './processes/nats-stream.ts';
import { tagJobs } from './processes/tag-jobs.ts';
import { tierReviews } from './processes/tier-reviews.ts';
import { ticketTimers } from './processes/timers.ts';
import { projections } from './projections/all.ts';
import { LIVE_SCHEMA, ProjectionEngine } from './projections/engine/engine.ts';
import { JournalMismatch } from './projections/engine/journal-identity.ts';
import type { EngineMetrics } from './projections/engine/observe.ts';
import { Progress } from './projections/engine/progress.ts';
import { createSearchTokens, type SearchTokens } from './projections/engine/search-tokens.ts';
import { StartError } from './start-error.ts';

export const roles = ['all', 'api', 'projector', 'worker'] as const;
export type Role = (typeof roles)[number];

/** What is there before any part of ours: checked settings, a migrated database, the secrets. */
export interface Ground {
  readonly role: Role;
  readonly config: Config;
  readonly log: Logger;
  readonly lifecycle: Lifecycle;
  /** For pools: they set the role shiji_app. */
  readonly databaseUrl: string;
  /** For what the role shiji_app may not, such as making schemas. */
  readonly databaseOwnerUrl: string;
  /** Undefined where tokens are checked by JWKS. */
  readonly jwtSecret: string | undefined;
  /** 32 bytes. */
  readonly masterKey: Buffer;
  /** Absolute; undefined with DATABASE_URL, where no folder of ours is needed. */
  readonly dataFolder: string | undefined;
}

/** Builds the parts and registers how each stops, in the order in which they start. */
export async function compose(ground: Ground): Promise<Http> {
  const { config, lifecycle, role, log, masterKey } = ground;
  const runs = (part: Role): boolean => role === 'all' || role === part;
  const poolOf = (applicationName: string, statementTimeoutMs?: number): Pool => {
    const pool = createPool({
      url: ground.databaseUrl,
      max: config.databasePool,
      applicationName,
      role: APP_ROLE,
      log: child(log, 'postgres'),
      ...(statementTimeoutMs === undefined ? {} : { statementTimeoutMs }),
    });
    lifecycle.onStop(applicationName, () => pool.end());
    return pool;
  };
  const pool = poolOf('shiji');
  await assertDurable(pool);

  const clock = config.clock === 'manual' ? manualClock(0) : systemClock();
  const published = config.natsUrl === undefined ? undefined : () => readProgress(pool, streamName(PREFIX), journal);
  const metrics = new ApiMetrics({ lag: () => progress.lag(), published, oldestTransaction: () => oldestTransactionSeconds(pool) });
  const journal = await openJournal(ground, pool, clock, metrics);
  lifecycle.onStop('journal', () => journal.close());
  const journalId = await journal.identity();
  const keyring = new Keyring(pool, [{ version: config.masterKey.version, key: masterKey }]);
  const opener = new Opener(journalId, keyring);
  const codec = new EventCodec(journalId, eventDefinitions);
  const searchTokens = createSearchTokens(derivedKey(masterKey, 'search tokens'));
  const now = (): number => clock.now();
  const claims = new PostgresClaims(pool, derivedKey(masterKey, 'claims'));
  const handler = new CommandHandler({ journal, codec, keyring, opener, now, zone: config.zone, claims });
  const commands = allCommands(projections.map(({ name }) => name));
  const fourEyes = new FourEyes({ handler, journal, codec, opener, now, commands });
  await setClock(clock, journal, codec);
  const progress = new Progress({ pool, journal, now });

  if (runs('projector'))
    await startProjector(ground, {
      pool: poolOf('shiji-projector', 0),
      journal,
      codec,
      opener,
      searchTokens,
      now,
      progress,
      metrics: metrics.engine,
      isBusy: () => handler.inHand >= BUSY_COMMANDS,
    });
  if (runs('worker')) {
    const workerPool = poolOf('shiji-worker');
    if (config.natsUrl !== undefined) {
      const publisher = new NatsPublisher({ url: config.natsUrl, journal, pool: workerPool, log: child(log, 'publisher') });
      await publisher.start();
      lifecycle.onStop('publisher', () => publisher.stop());
    }
    const worker = ticketTimers({ pool: workerPool, handler, now, log: child(log, 'timers') });
    worker.start();
    lifecycle.onStop('timers', () => worker.stop());
    const jobs = enrolmentJobs({ pool: workerPool, handler, log: child(log, 'enrolment-jobs') });
    jobs.start();
    lifecycle.onStop('enrolment-jobs', () => jobs.stop());
    const approvals = new ApprovalWorker({ pool: workerPool, handler, fourEyes, now, log: child(log, 'approvals') });
    approvals.start();
    lifecycle.onStop('approvals', () => approvals.stop());
    const classTimers = classificationTimers({ pool: workerPool, handler, now, log: child(log, 'classification-timers') });
    classTimers.start();
    lifecycle.onStop('classification-timers', () => classTimers.stop());
    const reviews = tierReviews({ pool: workerPool, handler, journal, codec, log: child(log, 'tier-reviews') });
    reviews.start();
    lifecycle.onStop('tier-reviews', () => reviews.stop());
    const tagging = tagJobs({ pool: workerPool, handler, journal, codec, now, zone: config.zone, log: child(log, 'tag-jobs') });
    tagging.start();
    lifecycle.onStop('tag-jobs', () => tagging.stop());
  }
  // Before anyone is answered: a document that is a customer's already must not be given to another.
  if (runs('api')) await rebuildClaims({ pool, journal, codec, opener, claims });
  const spools = new Spools(join(ground.dataFolder ?? join(tmpdir(), 'shiji'), 'feeds'));
  if (role === 'all' && config.database === undefined) await new FeedRuns(pool).failAbandoned(new Date(now()).toISOString());
  return buildServer({
    log: child(log, 'api'),
    auth: authOf(config, ground.jwtSecret),
    secret: masterKey,
    now,
    commands: runs('api') ? commands : [],
    handler: fourEyes,
    journal,
    codec,
    opener: new Opener(journalId, keyring, REMEMBERED_CHARACTERS),
    progress,
    pool,
    searchTokens,
    rateLimitPerMinute: config.rateLimitPerMinute,
    routes: runs('api')
      ? contextRoutes({
          pool,
          clock,
          zone: config.zone,
          handler: fourEyes,
          fourEyes,
          searchTokens,
          spools,
          customers: { claims, journal, codec, opener },
        })
      : [],
    metrics,
  });
}

async function openJournal({ config, log }: Ground, pool: Pool, clock: Clock, metrics: ApiMetrics): Promise<Journal> {
  const journalLog = child(log, 'journal');
  if (config.journal.store === 'postgres')
    return new PostgresJournal({
      pool,
      now: clock.now,
      onListenLost: (error) => journalLog.warn({ err: error }, 'the listening connection was lost'),
      onBatch: (appends) => metrics.journalBatch(appends),
    });
  try {
    return await openEventStoreDbJournal({ url: config.journal.url, now: clock.now, log: journalLog });
  } catch (cause) {
    if (cause instanceof JournalUnavailable) throw new StartError('EventStoreDB does not answer: start it, or correct EVENTSTOREDB_URL.', { cause });
    throw cause;
  }
}

/** The clock never shows what is before the last record; by hand it goes on from where it stood. */
async function setClock(clock: Clock, journal: Journal, codec: EventCodec): Promise<void> {
  const head = await journal.head();
  clock.notBefore(head.recordedAtMs);
  if (!clock.manual) return;
  const [last] = await journal.readStream('clock-bank', { direction: 'backwards', limit: 1 });
  const moved = last && codec.decode(last);
  if (moved && 'data' in moved) clock.notBefore(Date.parse((moved.data as { to: string }).to));
  if (head.position === 0) clock.notBefore(Date.now());
}

/** Of opened texts, for the API's readers. */
const REMEMBERED_CHARACTERS = 8_000_000;
/** So many commands at once are a burst: the projector of the same process steps back. */
const BUSY_COMMANDS = 16;
/** Longer than a dead holder's lease lasts. */
const TABLES_MS = 15_000;

interface ProjectorParts {
  readonly pool: Pool;
  readonly journal: Journal;
  readonly codec: EventCodec;
  readonly opener: Opener;
  readonly searchTokens: SearchTokens;
  readonly now: () => number;
  readonly progress: Progress;
  readonly metrics: EngineMetrics;
  readonly isBusy: () => boolean;
}

async function startProjector({ log, lifecycle }: Ground, parts: ProjectorParts): Promise<void> {
  const { opener, searchTokens } = parts;
  const engine = new ProjectionEngine({
    ...parts,
    projections,
    personals: { openMany: (values) => opener.openMany(values), tokens: searchTokens.tokens },
    log: child(log, 'projections'),
  });
  try {
    await engine.start();
  } catch (error) {
    if (error instanceof JournalMismatch) throw new StartError(error.message, { cause: error });
    throw error;
  }
  lifecycle.onStop('projections', () => engine.stop());
  // Their tables are there, made by this process or by another, before anyone asks for them.
  const waitedMs = performance.now();
  while (!(await haveTables(parts.progress)) && performance.now() - waitedMs < TABLES_MS) await sleep(20);
}

async function haveTables(progress: Progress): Promise<boolean> {
  const described = new Map((await progress.describeProjections()).map(({ name, schema }) => [name, schema]));
  return projections.every(({ name }) => described.get(name) === LIVE_SCHEMA);
}

function authOf({ jwt }: Config, secret: string | undefined): AuthOptions {
  const { issuer, audience, algorithm, jwksUrl } = jwt;
  if (algorithm === 'HS256') {
    if (secret === undefined) throw new StartError('HS256 tokens need JWT_SECRET: set it, or JWT_JWKS_URL for tokens of an issuer.');
    return { algorithm, issuer, audience, secret };
  }
  if (jwksUrl === undefined) throw new StartError(`${algorithm} tokens need JWT_JWKS_URL: where the issuer's keys are.`);
  return { algorithm, issuer, audience, jwksUrl };
}
