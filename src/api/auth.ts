// Who asks, by a JWT (RFC 7519, as access token RFC 9068): one algorithm, issuer, audience, expiry and type checked, claims turned
// into an Actor. Tokens keep real time, also under the manual clock. A token once checked is remembered, so that it costs a look-up.
import jwtPlugin from '@fastify/jwt';
import { createSigner } from 'fast-jwt';
import type { FastifyInstance } from 'fastify';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { BranchCode } from '../domain/customer/vocabulary.ts';
import type { Actor, Scope } from '../domain/kernel/event.ts';
import { Role } from '../domain/kernel/roles.ts';
import { parseJson } from './json-body.ts';
import { Jwks, type JwksAlgorithm } from './jwks.ts';
import { Problem } from './problems.ts';

export interface TokenIssuer {
  readonly issuer: string;
  readonly audience: string;
}

export type AuthOptions = TokenIssuer &
  (
    | { readonly algorithm: 'HS256'; readonly secret: string }
    /** `fetchedAfterMs` is for tests: how long keys serve before they are fetched anew. */
    | { readonly algorithm: JwksAlgorithm; readonly jwksUrl: string; readonly fetchedAfterMs?: number; readonly cooldownMs?: number }
  );

export interface Authenticator {
  /** Who sent this `Authorization` header; a promise only where the issuer's keys must be fetched. @throws Problem */
  actorOf(authorization: string | undefined): Actor | Promise<Actor>;
  close(): void;
}

const MAX_TOKEN_CHARS = 8_192;
const SKEW_MS = 60_000;
/** A token that lives longer was never meant as one. */
const MAX_LIFE_MS = 366 * 24 * 3_600_000;

const BEARER = /^Bearer ([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/i;

/** Names of people and machines as issuers write them, and nothing that a log, a path or a separator could be confused by. */
export const Subject = z.string().regex(/^[A-Za-z0-9._~@:+/=|-]{1,128}$/);

const Header = z.object({ alg: z.string(), typ: z.string(), kid: z.string().min(1).max(256).optional() });
/** Where a key or a rule would come from the token itself. */
const REFUSED_HEADERS = ['jku', 'x5u', 'jwk', 'x5c', 'crit', 'b64', 'zip'];

/** How far a role reaches: the whole bank, or one branch. */
export const ScopeClaim = z.templateLiteral(['branch:', BranchCode]).or(z.literal('bank'));

const Seconds = z.int().nonnegative();
const Claims = z.object({
  sub: Subject,
  role: Role,
  exp: Seconds,
  nbf: Seconds.optional(),
  iat: Seconds.optional(),
  on_behalf_of: Subject.optional(),
  scope: ScopeClaim.optional(),
  // RFC 8693: `sub` is whom it is for, `act.sub` who acts.
  act: z.object({ sub: Subject }).optional(),
  // Marks of an OpenID ID token, which proves a login to a client and opens nothing.
  nonce: z.undefined().optional(),
  at_hash: z.undefined().optional(),
});

interface Checked {
  readonly actor: Actor;
  readonly expiresAtMs: number;
}

export async function registerAuth(app: FastifyInstance, options: AuthOptions): Promise<Authenticator> {
  const { algorithm, issuer, audience } = options;
  await app.register(jwtPlugin, {
    // With JWKS each call brings its key.
    secret: options.algorithm === 'HS256' ? options.secret : { public: () => Promise.reject(new Error('no key was given')) },
    verify: {
      algorithms: [algorithm],
      allowedIss: issuer,
      allowedAud: audience,
      requiredClaims: ['iss', 'aud', 'exp', 'sub'],
      clockTolerance: SKEW_MS,
      cache: false,
    },
  });
  const checked = new LRUCache<string, Checked>({
    max: 10_000,
    maxSize: 8_000_000,
    sizeCalculation: (_checked, authorization) => authorization.length,
  });
  const jwks = options.algorithm === 'HS256' ? undefined : new Jwks({ ...options, onChange: () => checked.clear() });

  const check = (authorization: string, payload: unknown): Actor => {
    const result = actorIn(payload);
    checked.set(authorization, result);
    return result.actor;
  };
  const verify = (token: string, key?: string): unknown => {
    try {
      return app.jwt.verify(token, key === undefined ? undefined : { key });
    } catch (cause) {
      throw invalid('its signature, issuer, audience or time is not accepted', cause);
    }
  };
  return {
    actorOf: (authorization) => {
      if (authorization === undefined) throw missing();
      jwks?.freshen();
      const known = checked.get(authorization);
      if (known !== undefined) {
        if (known.expiresAtMs > Date.now()) return known.actor;
        throw expired();
      }
      const token = tokenIn(authorization);
      const { kid } = headerOf(token, algorithm);
      if (jwks === undefined) return check(authorization, verify(token));
      const key = jwks.key(kid);
      if (key === undefined) throw invalid('its key is not one of the issuer');
      if (typeof key === 'string') return check(authorization, verify(token, key));
      return key.then((fetched) => {
        if (fetched === undefined) throw invalid('its key is not one of the issuer');
        return check(authorization, verify(token, fetched));
      });
    },
    close: () => jwks?.close(),
  };
}

function tokenIn(authorization: string): string {
  if (authorization.length > MAX_TOKEN_CHARS + 7) throw invalid('it is longer than 8 kB');
  const parts = BEARER.exec(authorization);
  if (!parts) throw missing();
  // Twice the same claim can be read in two ways: our parser refuses it, the library's takes the last.
  for (const part of [parts[1], parts[2]]) parsed(part ?? '');
  return authorization.slice(7);
}

function headerOf(token: string, algorithm: string): { kid?: string | undefined } {
  const header = Header.safeParse(parsed(token.slice(0, token.indexOf('.'))));
  if (!header.success) throw invalid('its header is not that of an access token');
  const { alg, typ, kid } = header.data;
  if (alg !== algorithm) throw invalid(`its algorithm is not ${algorithm}`);
  if (!/^(application\/)?(at\+jwt|jwt)$/i.test(typ)) throw invalid('its type is neither at+jwt nor JWT');
  const names = parsed(token.slice(0, token.indexOf('.'))) as object;
  if (REFUSED_HEADERS.some((name) => name in names)) throw invalid(`its header has one of ${REFUSED_HEADERS.join(', ')}`);
  return { kid };
}

function parsed(part: string): unknown {
  try {
    const value = parseJson(Buffer.from(part, 'base64url').toString());
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch {
    // Told below, alike for all.
  }
  throw invalid('it is malformed');
}

/** Claims whose signature, issuer and audience are checked. */
function actorIn(payload: unknown): Checked {
  const claims = Claims.safeParse(payload);
  if (!claims.success) {
    const names = new Set(claims.error.issues.map(({ path }) => String(path[0])));
    throw invalid(`its claims ${[...names].join(', ')} are missing or not accepted`);
  }
  const { sub, role, exp, nbf = 0, iat = 0, on_behalf_of: principal, act, scope } = claims.data;
  const now = Date.now();
  const expiresAtMs = exp * 1_000;
  if (expiresAtMs <= now) throw expired();
  if (expiresAtMs > now + MAX_LIFE_MS) throw invalid('it lives longer than a year');
  if (nbf * 1_000 > now + SKEW_MS || iat * 1_000 > now + SKEW_MS) throw invalid('it is from the future');
  if (act !== undefined && principal !== undefined) throw invalid('its claims act and on_behalf_of say it twice');
  const onBehalfOf = act === undefined ? principal : sub;
  const subject = act === undefined ? sub : act.sub;
  const actor: Actor = {
    subject,
    role,
    ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
    ...(scope === undefined ? {} : { scope: scope as Scope }),
  };
  return { actor, expiresAtMs };
}

function missing(): Problem {
  return new Problem('Unauthenticated', undefined, { headers: { 'www-authenticate': 'Bearer realm="shiji"' } });
}

function expired(): Problem {
  return new Problem('Unauthenticated', 'The token is expired: get a new one.', { headers: { 'www-authenticate': INVALID } });
}

function invalid(why: string, cause?: unknown): Problem {
  return new Problem('Unauthenticated', `The token is not valid: ${why}.`, { headers: { 'www-authenticate': INVALID }, cause });
}

const INVALID = 'Bearer realm="shiji", error="invalid_token"';

export interface TokenRequest extends TokenIssuer {
  readonly secret: string;
  readonly subject: string;
  readonly role: Role;
  readonly onBehalfOf?: string | undefined;
  /** The role's own reach where absent. */
  readonly scope?: Scope | undefined;
  /** `90s`, `30m`, `12h`, `7d`: at most a year. */
  readonly expiresIn: string;
}

/**
 * A token that a server with the same secret, issuer and audience accepts.
 * @throws RangeError where it would not: a life or a subject that is none
 */
export function mintToken({ secret, issuer, audience, subject, role, onBehalfOf, scope, expiresIn }: TokenRequest): string {
  for (const name of [subject, onBehalfOf]) {
    if (name !== undefined && !Subject.safeParse(name).success) throw new RangeError('a subject has 1 to 128 letters, digits and ._~@:+/=|-');
  }
  if (scope !== undefined && !ScopeClaim.safeParse(scope).success) throw new RangeError('a scope is bank, or branch: and a branch code');
  const lifeMs = durationMs(expiresIn);
  const sign = createSigner({
    key: secret,
    algorithm: 'HS256',
    iss: issuer,
    aud: audience,
    sub: subject,
    expiresIn: lifeMs,
    header: { alg: 'HS256', typ: 'at+jwt' },
  });
  return sign({ role, ...(onBehalfOf === undefined ? {} : { on_behalf_of: onBehalfOf }), ...(scope === undefined ? {} : { scope }) });
}

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function durationMs(duration: string): number {
  const [, count, unit] = /^([1-9][0-9]{0,7})([smhd])$/.exec(duration) ?? [];
  const ms = Number(count) * (unitMs[unit ?? ''] ?? Number.NaN);
  if (!(ms <= MAX_LIFE_MS)) throw new RangeError('a token lives for a time such as 30m, 12h or 7d, at most 366d');
  return ms;
}
