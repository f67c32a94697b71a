// The HTTP server: Fastify with our limits, problems, headers and routes. What a route may is said by the route (guard.ts), what it
// looks like by openapi.ts. Requests are logged only where they fail, are refused or are slow.
import { type FastifyInstance, fastify, LogController, type RouteOptions } from 'fastify';
import { serializerCompiler } from 'fastify-type-provider-zod';
import { Kysely, PostgresDialect } from 'kysely';
import type { Pool } from 'pg';
import type { AnyCommand } from '../commands/command.ts';
import type { CommandHandler } from '../commands/handler.ts';
import type { EventCodec } from '../journal/codec.ts';
import type { JournalReader } from '../journal/journal.ts';
import type { Opener } from '../journal/sealing.ts';
import type { Logger } from '../logging.ts';
import { servingRequest } from '../postgres/bounded-pool.ts';
import type { Progress } from '../projections/engine/progress.ts';
import type { SearchTokens } from '../projections/engine/search-tokens.ts';
import { type AccessDatabase, accessRoutes } from './access-routes.ts';
import { type AuthOptions, registerAuth } from './auth.ts';
import { commandRoutes } from './command-routes.ts';
import { Cursors } from './cursors.ts';
import { DOCS_PATH, docsRoutes } from './docs-routes.ts';
import { errorHandler, PROBLEM_TYPE, problemOf, send } from './error-handler.ts';
import { type GuardParts, guardFor, publicEntry } from './guard.ts';
import { setSecurityHeaders } from './headers.ts';
import { healthRoutes, Pollers } from './health.ts';
import { journalRoutes } from './journal-routes.ts';
import { parseJson } from './json-body.ts';
import { KnownToBank } from './known-to-bank.ts';
import { ApiMetrics } from './metrics.ts';
import { metricsRoutes } from './metrics-routes.ts';
import type { Operation } from './openapi.ts';
import { PositionTokens } from './position-token.ts';
import { problemRoutes } from './problem-routes.ts';
import { Problem, problemBody } from './problems.ts';
import { projectionRoutes } from './projection-routes.ts';
import { RateLimit } from './rate-limit.ts';
import { PostgresReadRecords, patternOf, ReadRecorder, type ReadRecords } from './read-record.ts';
import type {} from './request.ts';
import { requestIds } from './request-id.ts';
import { Sights } from './sights.ts';
import { SimilarAtEntry } from './similar-at-entry.ts';
import { SlowBodies } from './slow-bodies.ts';
import { TableSlots } from './table-slots.ts';
import { validatorCompiler } from './validation.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * From now on not ready, and each connection ends with its answer; `close` does it as well. Resolves when a balancer that asks
     * /health/ready knows, so that no request comes any more.
     */
    drain(): Promise<void>;
  }
}

/** What routes are made with, ours and those of `ServerParts.routes`. */
export interface Api {
  readonly log: Logger;
  /** Epoch milliseconds by the one clock. */
  readonly now: () => number;
  readonly positions: PositionTokens;
  readonly cursors: Cursors;
  readonly recorder: ReadRecorder;
  readonly tables: TableSlots;
  readonly sights: Sights;
  readonly progress: Pick<Progress, 'waitUntil' | 'describeProjections'>;
  readonly journal: JournalReader;
  readonly codec: EventCodec;
  readonly opener: Opener;
  readonly metrics: ApiMetrics;
}

/** Adds routes, synchronously. */
export type ApiRoutes = (app: FastifyInstance, api: Api) => void;

export interface Limits {
  /** Of JSON. Default 1 MiB. */
  readonly bodyBytes?: number;
  /** For a JSON body to be here whole; default 30 s. */
  readonly bodyMs?: number;
  /** For the headers; default 10 s. */
  readonly headersMs?: number;
  /** For a whole request, a feed's body included; default 15 minutes. */
  readonly requestMs?: number;
  /** Slower answers are logged; default 1 s. */
  readonly slowMs?: number;
}

export interface ServerParts {
  readonly log: Logger;
  readonly auth: AuthOptions;
  /** The master secret, from which the keys of positions, cursors and filter hashes are derived: the same in all processes. */
  readonly secret: Buffer;
  /** Epoch milliseconds by the one clock. */
  readonly now: () => number;
  readonly commands: readonly AnyCommand[];
  readonly handler: Pick<CommandHandler, 'execute'>;
  readonly journal: JournalReader;
  readonly codec: EventCodec;
  readonly opener: Opener;
  readonly progress: Pick<Progress, 'waitUntil' | 'describeProjections' | 'lag'>;
  /** Where the record of reads is. */
  readonly pool: Pool;
  /** By which someone is found who may be the same as a new customer. */
  readonly searchTokens: SearchTokens;
  /** In the pool's database where absent. */
  readonly readRecords?: ReadRecords;
  /** Whether what it needs is there, beside the database, which is always asked. */
  readonly readiness?: readonly (() => Promise<boolean>)[];
  /** Requests a subject and minute; 0 for no limit. */
  readonly rateLimitPerMinute: number;
  readonly routes?: readonly ApiRoutes[];
  readonly metrics?: ApiMetrics;
  readonly limits?: Limits;
}

const REQUEST_MS = 900_000;

/** Listens nowhere yet. `close` drains: no request is cut off. */
export async function buildServer(parts: ServerParts): Promise<FastifyInstance> {
  const { log, commands, limits = {} } = parts;
  const app = bare(parts);
  let draining = false;
  const pollers = new Pollers();
  app.decorate('drain', () => {
    draining = true;
    return pollers.told();
  });
  app.addHook('preClose', (done) => {
    draining = true;
    done();
  });
  app.decorateRequest('actor');
  app.decorateRequest('startedAt', 0);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    let value: unknown;
    try {
      value = parseJson(body as string);
    } catch (error) {
      done(error as Error, undefined);
      return;
    }
    done(null, value);
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(errorHandler(log));

  const authenticator = await registerAuth(app, parts.auth);
  const rateLimit = parts.rateLimitPerMinute > 0 ? new RateLimit(parts.rateLimitPerMinute) : undefined;
  const sights = new Sights(parts.secret);
  const guardParts: GuardParts = { authenticator, rateLimit, sights };
  const slowBodies = new SlowBodies(app.server, limits.bodyMs ?? 30_000);
  const metrics = parts.metrics ?? new ApiMetrics({ lag: () => parts.progress.lag() });
  const operations: Operation[] = [];
  app.addHook('onRoute', (route) => {
    enter(route, guardParts, slowBodies, limits.requestMs ?? REQUEST_MS);
    leave(route, metrics, () => draining, log, limits.slowMs ?? 1_000);
    const { openapi, roles } = route.config ?? {};
    if (openapi !== undefined && route.method !== 'HEAD')
      operations.push({ method: String(route.method), path: patternOf(route.url), roles, description: openapi });
  });
  app.addHook('onClose', (_instance, done) => {
    authenticator.close();
    slowBodies.stop();
    done();
  });
  unknownRoutes(app, metrics);

  const { secret, now, journal, codec, opener, progress, pool } = parts;
  const api: Api = {
    log,
    now,
    positions: new PositionTokens(secret),
    cursors: new Cursors(secret),
    recorder: new ReadRecorder(parts.readRecords ?? new PostgresReadRecords(pool), secret, now),
    tables: new TableSlots(),
    sights,
    progress,
    journal,
    codec,
    opener,
    metrics,
  };
  const readiness = [() => pool.query('select 1').then(() => true), ...(parts.readiness ?? [])];
  healthRoutes(app, { readiness, isDraining: () => draining, pollers });
  metricsRoutes(app, metrics, guardParts);
  problemRoutes(app, commands);
  const similar = new SimilarAtEntry({ ...api, pool, handler: parts.handler, searchTokens: parts.searchTokens });
  app.addHook('onClose', () => similar.rest());
  commandRoutes(app, commands, { ...api, handler: parts.handler, knownToBank: new KnownToBank({ ...api, pool }), similar });
  journalRoutes(app, api);
  projectionRoutes(app, api);
  accessRoutes(app, { ...api, access: new Kysely<AccessDatabase>({ dialect: new PostgresDialect({ pool }) }) });
  for (const addRoutes of parts.routes ?? []) addRoutes(app, api);
  // What was registered with a scope of its own is there only then.
  await app.after();
  await docsRoutes(app, operations);
  await app.ready();
  return app;
}

function bare({ log, limits = {} }: ServerParts): FastifyInstance {
  const app = fastify({
    // No logger a request: a child each is an allocation that nobody reads. Our own lines name the request.
    logger: false,
    logController: new Quiet(log),
    genReqId: requestIds(),
    // What a proxy, or whoever plays one, says of the caller is not believed.
    trustProxy: false,
    bodyLimit: limits.bodyBytes ?? 1_048_576,
    requestTimeout: limits.requestMs ?? REQUEST_MS,
    // Longer than a load balancer keeps a connection, so that it is never us who closes one in use.
    keepAliveTimeout: 75_000,
    // Silence on a connection, in either direction: a reader of a stream that takes nothing is cut off.
    connectionTimeout: 60_000,
    // While closing, what comes on a connection that is still open is answered as ever.
    return503OnClosing: false,
    http: { maxHeaderSize: 16_384, headersTimeout: limits.headersMs ?? 10_000, connectionsCheckingInterval: 2_000 },
    routerOptions: { maxParamLength: 256 },
    frameworkErrors: (error, request, reply) => {
      setSecurityHeaders(reply);
      reply.header('x-request-id', request.id);
      send(reply, request.id, problemOf(error));
    },
    clientErrorHandler: (error, socket) => {
      if (!socket.writable || (error as { code?: string }).code === 'ECONNRESET') {
        socket.destroy();
        return;
      }
      const problem = new Problem(clientErrors[(error as { code?: string }).code ?? ''] ?? 'MalformedRequest');
      const body = problemBody(problem, requestIdOfMalformed);
      socket.write(
        `HTTP/1.1 ${problem.status} ${problem.title}\r\ncontent-type: ${PROBLEM_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\r\n${body}`,
      );
      // Not waited for: a caller that neither reads nor closes would keep the connection.
      socket.destroySoon();
    },
  });
  app.server.maxHeadersCount = 100;
  return app;
}

const clientErrors = { HPE_HEADER_OVERFLOW: 'HeadersTooLarge', ERR_HTTP_REQUEST_TIMEOUT: 'RequestTimeout' } as const satisfies Record<
  string,
  string
> as Readonly<Record<string, 'HeadersTooLarge' | 'RequestTimeout' | undefined>>;
/** It never became a request, so it has no id. */
const requestIdOfMalformed = 'malformed';

/** Fastify's own lines: only those that say that something is wrong. */
class Quiet extends LogController {
  readonly #log: Logger;
  constructor(log: Logger) {
    super({ disableRequestLogging: true });
    this.#log = log;
  }
  override streamError(error: Error & { code?: string }, request: { id: string }): void {
    if (error.code === 'ERR_STREAM_PREMATURE_CLOSE') this.#log.debug({ reqId: request.id }, 'the caller went away');
    else this.#log.warn({ reqId: request.id, err: error }, 'an answer ended in an error');
  }
}

/** Adds the first hook, by what the route says of itself. */
function enter(route: RouteOptions, guardParts: GuardParts, slowBodies: SlowBodies, longBodyMs: number): void {
  const { roles, public: isPublic, longBody } = route.config ?? {};
  const open = isPublic === true || route.url === DOCS_PATH || route.url.startsWith(`${DOCS_PATH}/`);
  if (open === (roles !== undefined)) throw new Error(`${String(route.method)} ${route.url} must say its roles or that it is public`);
  const entry = roles === undefined ? publicEntry : guardFor(roles, guardParts);
  const first: typeof entry =
    longBody === true
      ? (request, reply, done) => {
          // While what came is being worked through, nothing moves on the connection. An injected request has none.
          request.raw.socket.setTimeout?.(longBodyMs);
          entry(request, reply, done);
        }
      : route.method === 'GET' || route.method === 'HEAD'
        ? entry
        : (request, reply, done) => {
            slowBodies.await(request.raw);
            entry(request, reply, done);
          };
  route.onRequest = [first, ...listOf(route.onRequest)];
  // A feed may wait longer. Not in onRequest: what follows a body that is read is called by its socket.
  if (longBody !== true) route.preValidation = [(_request, _reply, done) => servingRequest(done), ...listOf(route.preValidation)];
}

/** Adds the last hook: headers, figures, the end of the connection while draining. */
function leave(route: RouteOptions, metrics: ApiMetrics, isDraining: () => boolean, log: Logger, slowMs: number): void {
  const meter = metrics.meter(String(route.method), patternOf(route.url));
  const docs = route.url === DOCS_PATH || route.url.startsWith(`${DOCS_PATH}/`);
  route.onSend = [
    ...listOf(route.onSend),
    (request, reply, payload, done) => {
      const csp = docs ? reply.getHeader('content-security-policy') : undefined;
      setSecurityHeaders(reply);
      if (csp !== undefined) reply.header('content-security-policy', csp);
      reply.header('x-request-id', request.id);
      if (isDraining()) reply.header('connection', 'close');
      const tookMs = performance.now() - request.startedAt;
      meter.count(reply.raw.statusCode, tookMs);
      if (tookMs > slowMs)
        log.warn({ reqId: request.id, method: meter.method, route: meter.route, status: reply.statusCode, tookMs: Math.round(tookMs) }, 'slow');
      done(null, payload);
    },
  ];
}

function listOf<Item>(value: Item | Item[] | undefined): Item[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** 404; 405 where the address is known by another method; OPTIONS says which. */
function unknownRoutes(app: FastifyInstance, metrics: ApiMetrics): void {
  const meter = metrics.meter('*', 'unmatched');
  app.setNotFoundHandler((request, reply) => {
    const path = request.raw.url?.split('?', 1)[0] ?? '/';
    const allowed = METHODS.filter((method) => found(app, method, path));
    setSecurityHeaders(reply);
    reply.header('x-request-id', request.id);
    if (request.method === 'OPTIONS' && allowed.length > 0) {
      meter.count(204, 0);
      return reply
        .code(204)
        .header('allow', [...allowed, 'OPTIONS'].join(', '))
        .send();
    }
    const problem =
      allowed.length === 0
        ? new Problem('NotFound')
        : new Problem('MethodNotAllowed', undefined, { headers: { allow: [...allowed, 'OPTIONS'].join(', ') } });
    meter.count(problem.status, 0);
    send(reply, request.id, problem);
    return reply;
  });
}

function found(app: FastifyInstance, method: (typeof METHODS)[number], url: string): boolean {
  try {
    // Null for none, whatever its type says; with the path itself, not the pattern.
    return (app.findRoute({ method, url }) as unknown) !== null;
  } catch {
    return false;
  }
}
