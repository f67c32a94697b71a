// Every answer that is no success, RFC 9457: code → status, title, what the caller can do. `type` is `/problems/<code>`, which
// is served (problem-routes.ts) and stands in docs/errors.md. Refusals of commands bring their status from the declaration and
// their texts from refusals.ts. Validation is validation.ts, what becomes of a thrown error is error-handler.ts.

export interface ProblemType {
  readonly status: number;
  readonly title: string;
  /** What the caller can do about it. */
  readonly remedy: string;
}

export const problems = {
  MalformedRequest: {
    status: 400,
    title: 'The request is malformed',
    remedy: 'Send well-formed HTTP, and JSON as RFC 8259 has it: one value a name, at most 32 levels deep, whole numbers up to 2^53.',
  },
  ValidationFailed: {
    status: 400,
    title: 'Something in the request is not as it must be',
    remedy: 'Correct what `errors` lists: a JSON Pointer for a field of the body, a name for a parameter or header.',
  },
  InvalidCursor: {
    status: 400,
    title: 'The cursor does not continue this list',
    remedy: 'Use `next` of the page before, as the same subject and role, with the same filter and sort, within 24 hours; or start without a cursor.',
  },
  InvalidPosition: {
    status: 400,
    title: 'The position is not one that was given to you',
    remedy: 'Send in `Shiji-After` what `Shiji-Position` of one of your own commands said.',
  },
  Unauthenticated: {
    status: 401,
    title: 'A valid token is needed',
    remedy: 'Send `Authorization: Bearer <token>` with a token that is not expired, from the issuer and for the audience of this server.',
  },
  Forbidden: { status: 403, title: 'Your role may not do this', remedy: 'Ask with a token of one of the roles that `detail` names.' },
  SightInvalid: {
    status: 403,
    title: 'The sight is not valid, or no more',
    remedy: 'Find the customer anew by exact document, phone or card (`GET /v1/customers`): the answer brings a `sight` for a quarter of an hour.',
  },
  NotFound: {
    status: 404,
    title: 'There is no such thing',
    remedy: 'Check the address; what you may not see is told the same way as what is not there.',
  },
  MethodNotAllowed: { status: 405, title: 'This address does not take this method', remedy: 'Use one of the methods in the header `Allow`.' },
  NotAcceptable: {
    status: 406,
    title: 'There is no answer in the form asked for',
    remedy: 'Ask for `application/json`; `text/csv` where the reference says so.',
  },
  RequestTimeout: { status: 408, title: 'The request took too long to arrive', remedy: 'Send it again, faster.' },
  SimilarCustomers: {
    status: 409,
    title: 'A customer like this one is here already',
    remedy: 'Look at `similar`: go on with that customer, or send it again with `confirmNotDuplicate` and a reason.',
  },
  Erased: { status: 410, title: 'The personal data of this subject was erased', remedy: 'Nothing more can be recorded about this subject.' },
  PreconditionFailed: {
    status: 412,
    title: 'It has changed since you read it',
    remedy: 'Read it again and decide anew; the current revision is in `ETag`.',
  },
  PayloadTooLarge: {
    status: 413,
    title: 'The request is too large',
    remedy: 'Send less at once: a body of at most 1 MiB, and events of at most 1 MB.',
  },
  UriTooLong: { status: 414, title: 'A part of the address is too long', remedy: 'Shorten it.' },
  UnsupportedMediaType: { status: 415, title: 'The body is not in a form that this address takes', remedy: 'Send `Content-Type: application/json`.' },
  KeyReused: {
    status: 422,
    title: 'The idempotency key was used for another request',
    remedy: 'Use a fresh `Idempotency-Key` for each new intent, and the same one only to repeat the very same request.',
  },
  TooManyRequests: { status: 429, title: 'Too many requests', remedy: 'Wait as long as `Retry-After` says.' },
  HeadersTooLarge: { status: 431, title: 'The headers are too large', remedy: 'Send headers of at most 16 KiB.' },
  InternalError: {
    status: 500,
    title: 'Something went wrong on our side',
    remedy: 'Try again later; tell the operators the request id in `instance` if it stays.',
  },
  Unavailable: {
    status: 503,
    title: 'The store does not answer',
    remedy: 'Try again after `Retry-After`, a command with the same `Idempotency-Key`: it may have been done.',
  },
  TooMuchContention: { status: 503, title: 'Others kept changing the same thing', remedy: 'Try again after `Retry-After`.' },
  NewerEvent: {
    status: 503,
    title: 'This server is older than the data',
    remedy: 'Try again after `Retry-After`: another server of the cluster, or its next version, can do it.',
  },
  NotYetVisible: { status: 503, title: 'What you wrote is not visible yet', remedy: 'Try again after `Retry-After`, or leave out `Shiji-After`.' },
  ReadRecordUnavailable: {
    status: 503,
    title: 'The read could not be recorded',
    remedy: 'Try again after `Retry-After`: personal data is not shown without a record of it.',
  },
  TokenKeysUnavailable: {
    status: 503,
    title: 'The token can not be checked now',
    remedy: 'Try again after `Retry-After`: the keys of the token issuer can not be fetched.',
  },
  NotReady: { status: 503, title: 'This server takes no requests now', remedy: 'Ask another server, or try again after `Retry-After`.' },
} as const satisfies Record<string, ProblemType>;

export type ProblemCode = keyof typeof problems;

/** One thing that is wrong: a JSON Pointer into the body, or the name of a query parameter, path parameter or header. */
export interface FieldError {
  readonly pointer: string;
  readonly detail: string;
}

export interface ProblemOptions {
  readonly errors?: readonly FieldError[] | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
  /** Further members of the body (RFC 9457, 3.2). */
  readonly members?: Readonly<Record<string, unknown>> | undefined;
}

/** Thrown, or given to `reply.send`, for any answer that is no success. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: string;
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly errors: readonly FieldError[] | undefined;
  readonly headers: Readonly<Record<string, string>> | undefined;
  readonly members: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ProblemCode, detail?: string, options?: ProblemOptions);
  constructor(code: string, detail: string, options: ProblemOptions, type: Pick<ProblemType, 'status' | 'title'>);
  constructor(code: string, detail?: string, options: ProblemOptions = {}, type?: Pick<ProblemType, 'status' | 'title'>) {
    super(code, options.cause === undefined ? undefined : { cause: options.cause });
    const { status, title } = type ?? problems[code as ProblemCode];
    this.code = code;
    this.status = status;
    this.title = title;
    this.detail = detail ?? problems[code as ProblemCode].remedy;
    this.errors = options.errors;
    this.headers = options.headers;
    this.members = options.members;
  }
}

/** Try again soon: a database that restarts is back within seconds. */
export const RETRY_SOON = { 'retry-after': '1' } as const;

/** The one text of every 404, so that what is hidden and what is not there can't be told apart. */
export function notFound(): Problem {
  return new Problem('NotFound');
}

/** The body of an `application/problem+json` answer. */
export function problemBody(problem: Problem, requestId: string): string {
  return JSON.stringify({
    type: `/problems/${problem.code}`,
    title: problem.title,
    status: problem.status,
    detail: problem.detail,
    instance: requestId,
    errors: problem.errors,
    ...problem.members,
  });
}
