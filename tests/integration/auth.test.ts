import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, type JWTPayload, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuthOptions } from '../../src/api/auth.ts';
import { createTestApi, MemoryReadRecords, TEST_ISSUER, TEST_SECRET, type TestApi } from '../support/api-server.ts';

const key = Buffer.from(TEST_SECRET);
const now = () => Math.floor(Date.now() / 1_000);
const claims = (more: Record<string, unknown> = {}): JWTPayload => ({
  iss: 'shiji',
  aud: 'shiji',
  sub: 'alice',
  role: 'auditor',
  exp: now() + 600,
  ...more,
});
const header = { alg: 'HS256', typ: 'at+jwt' };
const part = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
/** Signed as it stands, so that header and payload may be anything. */
const raw = (head: unknown, payload: unknown, secret: Buffer | string = key) => {
  const input = `${part(head)}.${part(payload)}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
};

/** Asks for something that needs no database. */
const ask = async (api: TestApi, token: string | undefined, scheme = 'Bearer ') =>
  api.app.inject({ method: 'GET', url: '/v1/projections', headers: token === undefined ? {} : { authorization: `${scheme}${token}` } });

describe('a token signed with the secret', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await createTestApi(undefined, { readRecords: new MemoryReadRecords() });
  });
  afterAll(() => api.close());

  it('lets in whoever it says', async () => {
    expect((await ask(api, raw(header, claims()))).statusCode).toBe(200);
    expect((await ask(api, raw({ alg: 'HS256', typ: 'JWT' }, claims({ aud: ['other', 'shiji'] })), 'bearer ')).statusCode).toBe(200);
    expect((await ask(api, raw({ alg: 'HS256', typ: 'application/at+jwt' }, claims({ nbf: now() + 30, iat: now() + 30 })))).statusCode).toBe(200);
    expect((await ask(api, api.token('auditor'))).statusCode).toBe(200);
  });

  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const publicPem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const attacks: [string, () => string | undefined][] = [
    ['none at all', () => undefined],
    ['an empty one', () => ''],
    ['D65 alg none', () => `${part({ alg: 'none', typ: 'JWT' })}.${part(claims())}.`],
    ['D65 alg none with a signature', () => raw({ alg: 'none', typ: 'JWT' }, claims())],
    ['D65 alg nOnE', () => `${part({ alg: 'nOnE', typ: 'JWT' })}.${part(claims())}.`],
    ['D65 alg hs256', () => raw({ alg: 'hs256', typ: 'JWT' }, claims())],
    ['D65 alg HS384 with the same secret', () => raw({ alg: 'HS384', typ: 'JWT' }, claims())],
    ['D65 HS256 with an RSA public key as its secret', () => raw(header, claims(), publicPem)],
    ['D65 no alg', () => raw({ typ: 'JWT' }, claims())],
    ['D67 jku', () => raw({ ...header, jku: 'http://127.0.0.1:1/jwks.json' }, claims())],
    ['D67 x5u', () => raw({ ...header, x5u: 'http://127.0.0.1:1/cert' }, claims())],
    ['D67 jwk', () => raw({ ...header, jwk: { kty: 'oct', k: part('x') } }, claims())],
    ['D67 x5c', () => raw({ ...header, x5c: ['MIIB'] }, claims())],
    ['D68 expired', () => raw(header, claims({ exp: now() - 1 }))],
    ['D68 without an expiry', () => raw(header, claims({ exp: undefined }))],
    ['D68 an expiry that is a text', () => raw(header, claims({ exp: String(now() + 600) }))],
    ['D68 an expiry with a fraction', () => raw(header, claims({ exp: now() + 600.5 }))],
    ['D68 a huge expiry', () => raw(header, claims({ exp: 9e15 }))],
    ['D68 an infinite expiry', () => raw(header, JSON.stringify(claims()).replace(/"exp":\d+/, '"exp":1e999'))],
    ['D68 a negative expiry', () => raw(header, claims({ exp: -1 }))],
    ['D68 not before in two minutes', () => raw(header, claims({ nbf: now() + 120 }))],
    ['D68 issued in two minutes', () => raw(header, claims({ iat: now() + 120 }))],
    ['D68 issued by a text', () => raw(header, claims({ iat: 'now' as unknown as number }))],
    ['D69 another audience', () => raw(header, claims({ aud: 'other' }))],
    ['D69 no audience', () => raw(header, claims({ aud: undefined }))],
    ['D69 another issuer', () => raw(header, claims({ iss: 'other' }))],
    ['D69 no issuer', () => raw(header, claims({ iss: undefined }))],
    ['D69 another type', () => raw({ ...header, typ: 'logout+jwt' }, claims())],
    ['D69 no type', () => raw({ alg: 'HS256' }, claims())],
    ['D69 an ID token', () => raw({ ...header, typ: 'JWT' }, claims({ nonce: 'n-1' }))],
    ['D70 an unknown crit', () => raw({ ...header, crit: ['exp2'], exp2: 1 }, claims())],
    ['D70 an empty crit', () => raw({ ...header, crit: [] }, claims())],
    ['D70 a claim twice', () => raw(header, JSON.stringify(claims()).replace('{', '{"role":"administrator",'))],
    ['D70 a header twice', () => raw('{"alg":"none","alg":"HS256","typ":"JWT"}', claims())],
    ['D70 1 MB of token', () => raw(header, claims({ x: 'x'.repeat(1_000_000) }))],
    ['D70 9 kB of token', () => raw(header, claims({ x: 'x'.repeat(9_000) }))],
    ['D70 bad base64url', () => `${raw(header, claims()).slice(0, -3)}+/=`],
    ['D70 an empty signature', () => `${part(header)}.${part(claims())}.`],
    ['D70 a changed signature', () => `${raw(header, claims()).slice(0, -6)}AAAAAA`],
    ['D70 two parts', () => `${part(header)}.${part(claims())}`],
    ['D70 five parts', () => `${raw(header, claims())}.a.b`],
    ['D70 a payload that is a list', () => raw(header, '[1]')],
    ['D70 a payload that is no JSON', () => raw(header, 'x')],
    ['no subject', () => raw(header, claims({ sub: undefined }))],
    ['a subject with a line break', () => raw(header, claims({ sub: 'alice\nOpenTicket' }))],
    ['a subject of 129 characters', () => raw(header, claims({ sub: 'a'.repeat(129) }))],
    ['no role', () => raw(header, claims({ role: undefined }))],
    ['a role that is none', () => raw(header, claims({ role: 'root' }))],
    ['the role of the program itself', () => raw(header, claims({ role: 'system' }))],
    ['two roles', () => raw(header, claims({ role: ['auditor', 'administrator'] }))],
    ['a prototype for a role', () => raw(header, '{"__proto__":{"role":"auditor"},"iss":"shiji","aud":"shiji","sub":"alice","exp":9999999999}')],
    ['another secret', () => raw(header, claims(), 'another secret of 32 bytes or more')],
  ];
  it.each(attacks)('is refused: %s', async (_name, token) => {
    // Above the limit of all headers the server does not even read it.
    const text = token();
    const answer = await ask(api, text);
    expect(answer.statusCode).toBe(401);
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer realm="shiji"/);
    expect(answer.json()).toMatchObject({ type: '/problems/Unauthenticated', status: 401 });
  });

  it('is refused under another scheme, and from a query or a cookie', async () => {
    const token = raw(header, claims());
    expect((await ask(api, token, 'Basic ')).statusCode).toBe(401);
    expect(
      (await api.app.inject({ method: 'GET', url: `/v1/projections?access_token=${token}`, headers: { cookie: `token=${token}` } })).statusCode,
    ).toBe(401);
  });

  it('is refused once it is expired, also when it was known before', async () => {
    const token = raw(header, claims({ exp: now() + 2 }));
    expect((await ask(api, token)).statusCode).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    const answer = await ask(api, token);
    expect(answer.statusCode).toBe(401);
    expect(answer.json()).toMatchObject({ detail: 'The token is expired: get a new one.' });
  });

  it('says on whose behalf its subject acts', async () => {
    const reads = new MemoryReadRecords();
    const other = await createTestApi(undefined, { readRecords: reads });
    const events = (token: string) => other.app.inject({ method: 'GET', url: '/v1/events', headers: { authorization: `Bearer ${token}` } });
    expect((await events(other.token('auditor', { subject: 'ann', onBehalfOf: 'firm-7' }))).statusCode).toBe(200);
    expect((await events(raw(header, claims({ sub: 'customer-1', act: { sub: 'mobile-bank' } })))).statusCode).toBe(200);
    expect((await events(raw(header, claims({ act: 'mobile-bank' })))).statusCode).toBe(401);
    expect(reads.reads.map(({ subject, onBehalfOf }) => ({ subject, onBehalfOf }))).toStrictEqual([
      { subject: 'ann', onBehalfOf: 'firm-7' },
      { subject: 'mobile-bank', onBehalfOf: 'customer-1' },
    ]);
    await other.close();
  });
});

/** An issuer of tokens with keys that can be changed, and that can be down. */
class Issuer {
  readonly server: Server;
  keys: Record<string, unknown>[] = [];
  fetches = 0;
  down = false;
  constructor() {
    this.server = createServer((_request, response) => {
      this.fetches += 1;
      if (this.down) {
        response.writeHead(500).end('down');
        return;
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: this.keys }));
    });
  }
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/jwks.json`;
  }
}

describe('a token of an issuer with JWKS', () => {
  const issuer = new Issuer();
  let url = '';
  const apis: TestApi[] = [];
  beforeAll(async () => {
    url = await issuer.start();
  });
  afterAll(async () => {
    await Promise.all(apis.map((api) => api.close()));
    issuer.server.close();
  });

  const keyPair = async (kid: string, type: 'rsa' | 'ec' = 'rsa') => {
    const pair = type === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ec', { namedCurve: 'P-256' });
    return {
      kid,
      privateKey: pair.privateKey,
      jwk: { ...(await exportJWK(pair.publicKey)), kid, use: 'sig', alg: type === 'rsa' ? 'RS256' : 'ES256' },
    };
  };
  const sign = (pair: { kid: string; privateKey: KeyObject }, alg = 'RS256', more: Record<string, unknown> = {}) =>
    new SignJWT(claims(more)).setProtectedHeader({ alg, typ: 'at+jwt', kid: pair.kid }).sign(pair.privateKey);
  const start = async (options: { algorithm?: 'RS256' | 'ES256'; fetchedAfterMs?: number; cooldownMs?: number } = {}) => {
    const auth: AuthOptions = { algorithm: 'RS256', jwksUrl: url, ...TEST_ISSUER, ...options };
    const api = await createTestApi(undefined, { auth, readRecords: new MemoryReadRecords() });
    apis.push(api);
    issuer.fetches = 0;
    issuer.down = false;
    return api;
  };

  it('lets in by RS256 and by ES256, each where it is the one', async () => {
    const [rsa, ec] = await Promise.all([keyPair('rsa-1'), keyPair('ec-1', 'ec')]);
    issuer.keys = [rsa.jwk, ec.jwk];
    const byRsa = await start();
    const byEc = await start({ algorithm: 'ES256' });
    expect((await ask(byRsa, await sign(rsa))).statusCode).toBe(200);
    expect((await ask(byRsa, await sign(ec, 'ES256'))).statusCode).toBe(401);
    expect((await ask(byEc, await sign(ec, 'ES256'))).statusCode).toBe(200);
    expect((await ask(byEc, await sign(rsa))).statusCode).toBe(401);
    // D65: the public key is no secret.
    const pem = issuer.keys.length > 0 ? JSON.stringify(rsa.jwk) : '';
    expect((await ask(byRsa, raw({ ...header, kid: 'rsa-1' }, claims(), pem))).statusCode).toBe(401);
  });

  it('is refused without a kid, with a kid that is a path, and with the kid of another key (D66)', async () => {
    const [one, two] = await Promise.all([keyPair('one'), keyPair('two')]);
    issuer.keys = [one.jwk, two.jwk];
    const api = await start();
    expect((await ask(api, await sign(one))).statusCode).toBe(200);
    expect((await ask(api, await sign({ kid: 'two', privateKey: one.privateKey }))).statusCode).toBe(401);
    for (const kid of ['../../../../dev/null', "' or '1'='1", 'http://127.0.0.1:1/k', '__proto__', 'constructor', 'x'.repeat(300)])
      expect((await ask(api, await sign({ kid, privateKey: one.privateKey }))).statusCode).toBe(401);
    const noKid = await new SignJWT(claims()).setProtectedHeader({ alg: 'RS256', typ: 'at+jwt' }).sign(one.privateKey);
    expect((await ask(api, noKid)).statusCode).toBe(401);
  });

  it('takes a new key within the cooldown, serves on while the issuer is down, and refuses a withdrawn key (D71)', async () => {
    const [old, fresh] = await Promise.all([keyPair('old'), keyPair('fresh')]);
    issuer.keys = [old.jwk];
    const api = await start({ cooldownMs: 200, fetchedAfterMs: 400 });
    const oldToken = await sign(old);
    expect((await ask(api, oldToken)).statusCode).toBe(200);
    issuer.keys = [old.jwk, fresh.jwk];
    await new Promise((resolve) => setTimeout(resolve, 220));
    expect((await ask(api, await sign(fresh))).statusCode).toBe(200);

    issuer.down = true;
    await new Promise((resolve) => setTimeout(resolve, 420));
    expect((await ask(api, oldToken)).statusCode).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 220));
    expect((await ask(api, await sign(fresh, 'RS256', { jti: '2' }))).statusCode).toBe(200);

    issuer.down = false;
    issuer.keys = [fresh.jwk];
    await expect.poll(async () => (await ask(api, oldToken)).statusCode, { timeout: 3_000, interval: 100 }).toBe(401);
    expect((await ask(api, await sign(fresh))).statusCode).toBe(200);
  });

  it('with unknown kids by the thousand is fetched for once a cooldown (D72)', async () => {
    const known = await keyPair('known');
    issuer.keys = [known.jwk];
    const api = await start();
    expect((await ask(api, await sign(known))).statusCode).toBe(200);
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, (_, index) => ask(api, `${part({ alg: 'RS256', typ: 'JWT', kid: `random-${index}` })}.${part(claims())}.AAAA`)),
    );
    expect(new Set(answers.map(({ statusCode }) => statusCode))).toStrictEqual(new Set([401]));
    expect(issuer.fetches).toBe(1);
  });

  it('can not be checked where the issuer never answered: 503, not 401', async () => {
    const known = await keyPair('known');
    const api = await start();
    issuer.down = true;
    const answer = await ask(api, await sign(known));
    expect(answer.statusCode).toBe(503);
    expect(answer.headers['retry-after']).toBe('1');
  });

  it('is never fetched for from where the token says (D67)', async () => {
    let outbound = 0;
    const trap = createServer((_request, response) => {
      outbound += 1;
      response.end('{}');
    });
    await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve));
    const trapUrl = `http://127.0.0.1:${(trap.address() as AddressInfo).port}/jwks.json`;
    const attacker = await keyPair('attacker');
    const api = await start();
    for (const more of [{ jku: trapUrl }, { x5u: trapUrl }, { jwk: attacker.jwk }]) {
      const token = await new SignJWT(claims()).setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: 'attacker', ...more }).sign(attacker.privateKey);
      expect((await ask(api, token)).statusCode).toBe(401);
    }
    expect(outbound).toBe(0);
    trap.close();
  });
});

describe('a role', () => {
  it('may do what is for it and nothing else, whatever headers say (F93)', async () => {
    const api = await createTestApi(undefined, { readRecords: new MemoryReadRecords() });
    const forged = {
      'x-user': 'root',
      'x-forwarded-user': 'root',
      'x-forwarded-for': '10.0.0.1',
      'shiji-role': 'auditor',
      'x-http-method-override': 'GET',
    };
    const answer = await api.app.inject({ method: 'GET', url: '/v1/events', headers: { ...api.as('agent'), ...forged } });
    expect(answer.statusCode).toBe(403);
    expect(answer.json()).toMatchObject({ detail: 'This is for the role auditor.' });
    await api.close();
  });

  it('is asked too often: 429 with Retry-After, each subject by itself', async () => {
    // 12 a minute: a burst of one.
    const api = await createTestApi(undefined, { rateLimitPerMinute: 12, readRecords: new MemoryReadRecords() });
    const get = (subject: string) => api.app.inject({ method: 'GET', url: '/v1/projections', headers: api.as('auditor', subject) });
    expect((await get('ann')).statusCode).toBe(200);
    const refused = await get('ann');
    expect(refused.statusCode).toBe(429);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect((await get('bob')).statusCode).toBe(200);
    await api.close();
  });
});
