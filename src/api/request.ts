// What we add to Fastify's requests and route options, and what is read from headers alike on every route.
import type { Actor } from '../domain/kernel/event.ts';
import type { ActingRole } from '../domain/kernel/roles.ts';
import type { OperationDescription } from './openapi.ts';
import { Problem } from './problems.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks. Set on every route but the public ones. */
    actor: Actor;
    /** `performance.now()` when the request's headers were in. */
    startedAt: number;
  }
  interface FastifyContextConfig {
    /** Who may ask; every route has either this or `public`. */
    roles?: readonly ActingRole[];
    /** Asked without a token. */
    public?: true;
    /** A body that may take as long as it keeps coming (feeds). */
    longBody?: true;
    /** How it stands in the OpenAPI document; absent where it doesn't. */
    openapi?: OperationDescription;
  }
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** A short token that is safe to log and to send back. */
const SHORT_TOKEN = /^[A-Za-z0-9._-]{1,64}$/;

export function shortToken(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' && SHORT_TOKEN.test(header) ? header : undefined;
}

/** The caller's `X-Correlation-Id`, or the request's own id. */
export function correlationIdOf(headers: Headers, requestId: string): string {
  const given = headers['x-correlation-id'];
  return given === undefined ? requestId : (shortToken(given) ?? requestId);
}

const PURPOSE_LIMIT = 200;

/** Why, in the caller's words. UTF-8 in the header, or percent-encoded as RFC 8187 has it (`UTF-8''%E6%8A%95…`), as a browser must. @throws Problem */
export function purposeOf(headers: Headers): string | undefined {
  const given = headers['shiji-purpose'];
  if (given === undefined) return undefined;
  let purpose = String(given);
  try {
    if (/^utf-8''/i.test(purpose)) purpose = decodeURIComponent(purpose.slice(7));
    // Node decodes headers as Latin-1, one character a byte.
    else if (/[\x80-\xff]/.test(purpose)) purpose = utf8.decode(Buffer.from(purpose, 'latin1'));
  } catch {
    throw badHeader('Shiji-Purpose', "is UTF-8, plain or percent-encoded after UTF-8''");
  }
  purpose = purpose.trim();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is refused
  if (purpose.length === 0 || purpose.length > PURPOSE_LIMIT || /[\x00-\x1f\x7f]/.test(purpose))
    throw badHeader('Shiji-Purpose', `has 1 to ${PURPOSE_LIMIT} characters and no control characters`);
  return purpose;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** A 400 about one header; `right` goes on after its name: "is a …". */
export function badHeader(name: string, right: string): Problem {
  return new Problem('ValidationFailed', undefined, { errors: [{ pointer: name, detail: `${name} ${right}` }] });
}
