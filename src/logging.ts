// Logs: JSON lines on stderr, so that the banner (and a token, and a report) stands alone on stdout.
// Serializers choose fields, so that a new field of a customer or of a database error can't leak into a log.
import { type DestinationStream, type Logger, pino } from 'pino';

export type { Logger } from 'pino';

export interface LoggerOptions {
  readonly level: string;
  /** Where the lines go; stderr where absent. */
  readonly destination?: DestinationStream;
}

/** The root logger, one a process. Request and correlation ids are added by the API's children. */
export function createLogger({ level, destination }: LoggerOptions): Logger {
  return pino(
    {
      level,
      // No host name: whoever collects logs adds its own.
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers,
    },
    destination ?? standardError(),
  );
}

function standardError(): DestinationStream {
  const destination = pino.destination({ fd: 2, sync: false });
  // A terminal that was closed must not end a server that drains.
  destination.on('error', () => {});
  return destination;
}

/** The logger of one subsystem. */
export function child(log: Logger, subsystem: string): Logger {
  return log.child({ subsystem });
}

/** Resolves when all lines are written: before the process exits by its own will. */
export function flush(log: Logger): Promise<void> {
  return new Promise((resolve) => log.flush(() => resolve()));
}

const serializers = {
  err: describeError,
  req: (value: unknown) => pick(value, ['id', 'method']),
  res: (value: unknown) => pick(value, ['statusCode']),
  customer: identifierOf,
  account: identifierOf,
  ticket: identifierOf,
  event: (value: unknown) => pick(value, ['id', 'type', 'stream', 'revision', 'position']),
  command: (value: unknown) => pick(value, ['id', 'name']),
};

function identifierOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>).id : value;
}

function pick(value: unknown, fields: readonly string[]): Record<string, unknown> {
  const chosen: Record<string, unknown> = {};
  if (typeof value !== 'object' || value === null) return chosen;
  for (const field of fields) chosen[field] = (value as Record<string, unknown>)[field];
  return chosen;
}

interface ErrorLine {
  type: string;
  message: string;
  code?: string;
  constraint?: string;
  /** Frames only: the first line of a stack repeats the message. */
  stack?: string;
  cause?: ErrorLine;
}

/** An error without what databases and parsers put beside it: `detail` and some messages quote the values they choked on. */
function describeError(error: unknown): ErrorLine {
  if (!(error instanceof Error)) return { type: typeof error, message: 'thrown, but no Error' };
  const { code, constraint } = error as { code?: unknown; constraint?: unknown };
  const frames = error.stack?.split('\n').filter((line) => line.startsWith('    at '));
  return {
    type: error.name,
    message: safeMessage(error, code),
    ...(typeof code === 'string' && { code }),
    ...(typeof constraint === 'string' && { constraint }),
    ...(frames?.length && { stack: frames.join('\n') }),
    ...(error.cause !== undefined && { cause: describeError(error.cause) }),
  };
}

function safeMessage(error: Error, code: unknown): string {
  // Class 22, data exceptions: `invalid input syntax for type integer: "<the value>"`.
  if (typeof code === 'string' && /^22[0-9A-Z]{3}$/.test(code)) return `data exception ${code}, its value withheld`;
  // `Unexpected token 'x', "<the text>" is not valid JSON`.
  if (error instanceof SyntaxError && error.message.includes('JSON')) return 'malformed JSON';
  return error.message;
}
