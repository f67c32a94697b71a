// What a token says of its reach, and what a sight opens for how long.
import { createSigner } from 'fast-jwt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mintToken } from '../../src/api/auth.ts';
import { Problem } from '../../src/api/problems.ts';
import { Sights } from '../../src/api/sights.ts';
import type { Scope } from '../../src/domain/kernel/event.ts';
import { createTestApi, TEST_ISSUER, TEST_SECRET, type TestApi } from '../support/api-server.ts';

const tang = { subject: 'tang', role: 'teller' };

describe('a sight', () => {
  let now = 0;
  const sights = new Sights(Buffer.alloc(32, 3), () => now);

  it('opens to its customer for a quarter of an hour', () => {
    const sight = sights.seal('customer-1', tang);
    now = 15 * 60_000;
    expect(sights.open(sight, tang)).toBe('customer-1');
    now += 1;
    expect(() => sights.open(sight, tang)).toThrow(Problem);
  });

  it('opens to nobody else, in no other role, on nobody’s behalf, and to no other secret', () => {
    const sight = sights.seal('customer-1', tang);
    for (const other of [
      { ...tang, subject: 'mallory' },
      { ...tang, role: 'agent' },
      { ...tang, onBehalfOf: 'boss' },
    ])
      expect(() => sights.open(sight, other)).toThrow(Problem);
    expect(() => new Sights(Buffer.alloc(32, 4), () => now).open(sight, tang)).toThrow(Problem);
  });

  it('that was altered, cut or made up opens nothing', () => {
    const sight = sights.seal('customer-1', tang);
    const altered = `${sight.slice(0, 20)}${sight[20] === 'A' ? 'B' : 'A'}${sight.slice(21)}`;
    for (const bad of [altered, sight.slice(0, -2), '', 'x', 'ä', 'A'.repeat(400)]) expect(() => sights.open(bad, tang)).toThrow(Problem);
  });
});

describe('the scope of a token', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await createTestApi(undefined);
  });
  afterAll(() => api.close());

  it.each(['branch:', 'branch:3100 ', 'branches:3100', '3100', 'openid profile'])('is refused as %j', async (scope) => {
    const request = { secret: TEST_SECRET, ...TEST_ISSUER, role: 'risk' as const, subject: 'r', expiresIn: '1h' };
    expect(() => mintToken({ ...request, scope: scope as Scope })).toThrow(RangeError);
    const { issuer, audience } = TEST_ISSUER;
    const sign = createSigner({
      ...{ key: TEST_SECRET, algorithm: 'HS256', iss: issuer, aud: audience, sub: 'r', expiresIn: 60_000 },
      header: { alg: 'HS256', typ: 'at+jwt' },
    });
    const answer = await api.app.inject({ url: '/v1/events', headers: { authorization: `Bearer ${sign({ role: 'risk', scope })}` } });
    expect([answer.statusCode, answer.json().detail]).toStrictEqual([401, expect.stringContaining('scope')]);
  });

  it.each([undefined, 'bank', 'branch:3100'] as const)('is taken as %s', async (scope) => {
    const authorization = `Bearer ${api.token('agent', { scope })}`;
    // Known, and refused for its role only.
    expect((await api.app.inject({ url: '/v1/events', headers: { authorization } })).statusCode).toBe(403);
  });

  it('goes with a sight that is checked on every route', async () => {
    const answer = await api.app.inject({ url: '/v1/numbers', headers: { ...api.as('agent'), 'shiji-sight': 'made-up' } });
    expect([answer.statusCode, answer.json().type]).toStrictEqual([403, '/problems/SightInvalid']);
  });
});
