// What becomes of whatever is thrown: a problem for the caller, a line in the log for the operators. Never a catch-all to 4xx: what
// is not known here is a 500, which tells its request id and nothing else.
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { TooMuchContention } from '../commands/handler.ts';
import { NewerEvent } from '../commands/streams.ts';
import { AppendTooLarge, JournalUnavailable } from '../journal/journal.ts';
import { KeyDestroyed } from '../journal/keyring.ts';
import type { Logger } from '../logging.ts';
import { codeOf, DEADLOCK_DETECTED, isConnectionLoss, LOCK_NOT_AVAILABLE, QUERY_CANCELED, SERIALIZATION_FAILURE } from '../postgres/sqlstate.ts';
import { Problem, type ProblemCode, problemBody, RETRY_SOON } from './problems.ts';

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof JournalUnavailable || isConnectionLoss(error) || isOverload(error)) return unavailable('Unavailable', error);
  if (error instanceof TooMuchContention) return unavailable('TooMuchContention', error);
  if (error instanceof NewerEvent) return unavailable('NewerEvent', error);
  if (error instanceof AppendTooLarge)
    return new Problem('PayloadTooLarge', 'What would be recorded is larger than 1 MB: send less at once.', { cause: error });
  if (error instanceof KeyDestroyed) return new Problem('Erased', undefined, { cause: error });
  const code = fromFastify(error);
  if (code !== undefined) return new Problem(code);
  return new Problem('InternalError', 'The error is logged under the request id in `instance`.', { cause: error });
}

function unavailable(code: ProblemCode, cause: unknown): Problem {
  return new Problem(code, undefined, { headers: RETRY_SOON, cause });
}

const busy: ReadonlySet<string | undefined> = new Set([QUERY_CANCELED, LOCK_NOT_AVAILABLE, SERIALIZATION_FAILURE, DEADLOCK_DETECTED]);

/** Our own process has no room: a full disk under the spool of a feed, no descriptor for a file or a connection. */
const noRoom: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE', 'ENOMEM']);

/** The database is there but has no room or time: class 53 is insufficient resources, a full disk among them. */
function isOverload(error: unknown): boolean {
  const code = codeOf(error);
  if (code === undefined) return error instanceof Error && error.cause !== undefined && isOverload(error.cause);
  return busy.has(code) || noRoom.has(code) || /^53[0-9A-Z]{3}$/.test(code);
}

const byStatus: Readonly<Record<number, ProblemCode>> = {
  400: 'MalformedRequest',
  404: 'NotFound',
  408: 'RequestTimeout',
  413: 'PayloadTooLarge',
  414: 'UriTooLong',
  415: 'UnsupportedMediaType',
  503: 'Unavailable',
};

function fromFastify(error: unknown): ProblemCode | undefined {
  const { statusCode, code } = (error ?? {}) as Partial<FastifyError>;
  if (code === 'ECONNRESET' || code === 'ECONNABORTED') return 'MalformedRequest';
  if (statusCode === undefined || !code?.startsWith('FST_')) return undefined;
  return byStatus[statusCode] ?? (statusCode < 500 ? 'MalformedRequest' : undefined);
}

export function errorHandler(log: Logger): (error: unknown, request: FastifyRequest, reply: FastifyReply) => void {
  return (error, request, reply) => {
    const problem = problemOf(error);
    note(log, problem, request);
    send(reply, request.id, problem);
  };
}

export function send(reply: FastifyReply, requestId: string, problem: Problem): void {
  if (problem.headers) reply.headers(problem.headers);
  // A connection whose request was not read to its end can't be used again.
  if (problem.status === 413 || problem.status === 408) reply.header('connection', 'close');
  reply.code(problem.status).header('cache-control', 'no-store').header('content-type', PROBLEM_TYPE).send(problemBody(problem, requestId));
}

function note(log: Logger, problem: Problem, request: FastifyRequest): void {
  const line = { reqId: request.id, subject: request.actor?.subject, code: problem.code, status: problem.status };
  if (problem.status === 500) log.error({ ...line, err: problem.cause }, 'a request failed');
  else if (problem.status > 500) log.warn({ ...line, err: problem.cause }, 'a request could not be served');
  // A client gone wild would fill the log with them.
  else if (problem.status === 429) log.debug(line, 'a request was refused');
  else log.info(line, 'a request was refused');
}
