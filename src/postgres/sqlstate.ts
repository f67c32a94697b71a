// SQLSTATEs that the program acts upon, by name. Source: PostgreSQL, appendix A.

export const RESTRICT_VIOLATION = '23001';
export const UNIQUE_VIOLATION = '23505';
export const DUPLICATE_OBJECT = '42710';
export const UNDEFINED_TABLE = '42P01';
export const UNDEFINED_DATABASE = '3D000';
export const INVALID_PASSWORD = '28P01';
export const INSUFFICIENT_PRIVILEGE = '42501';
export const SERIALIZATION_FAILURE = '40001';
export const DEADLOCK_DETECTED = '40P01';
export const LOCK_NOT_AVAILABLE = '55P03';
export const QUERY_CANCELED = '57014';
export const ADMIN_SHUTDOWN = '57P01';
export const CRASH_SHUTDOWN = '57P02';
export const CANNOT_CONNECT_NOW = '57P03';
export const TOO_MANY_CONNECTIONS = '53300';
/** Also "tuple concurrently updated", which two grants of one role at once give. */
export const INTERNAL_ERROR = 'XX000';

/** The SQLSTATE, or the system's error code (`ECONNREFUSED`), of an error that a query or a connect threw. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
}

const lostSocket = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
const lostServer = new Set([ADMIN_SHUTDOWN, CRASH_SHUTDOWN, CANNOT_CONNECT_NOW]);

// node-postgres gives these no code: pg/lib/client.js and pg-pool/index.js.
const lostMessages = [
  'Connection terminated',
  'Client has encountered a connection error and is not queryable',
  'Client was closed and is not queryable',
  'timeout expired',
  'timeout exceeded when trying to connect',
  'Query read timeout',
];

/**
 * The connection was lost or never made, so whether a statement in flight was done is unknown.
 * Not a full server (53300) and not a cancelled statement: their outcome is known.
 */
export function isConnectionLoss(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  // Node tries each address of a name and gives the failures together.
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.every(isConnectionLoss);
  // A server that goes down by itself says why, such as 58030 for a failed fsync: what it had in hand is recovered or lost.
  if ((error as { severity?: unknown }).severity === 'PANIC') return true;
  const code = codeOf(error);
  if (code !== undefined) return code.startsWith('08') || lostServer.has(code) || lostSocket.has(code);
  return lostMessages.some((message) => error.message.startsWith(message)) || isConnectionLoss(error.cause);
}
