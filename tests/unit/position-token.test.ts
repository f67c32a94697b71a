import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PositionTokens } from '../../src/api/position-token.ts';

const tokens = new PositionTokens(Buffer.alloc(32, 3));
const alice = { subject: 'alice', role: 'agent' };
const auditor = { subject: 'ann', role: 'auditor' };

describe('a position token', () => {
  it('opens for its subject, up to 2^48', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 31 }), fc.nat({ max: 2 ** 17 - 1 }), (low, high) => {
        const position = high * 2 ** 31 + low;
        const token = tokens.seal(position, alice);
        expect(token).toMatch(/^[A-Za-z0-9_-]{22}$/);
        expect(tokens.open(token, alice)).toBe(position);
      }),
      { numRuns: 200 },
    );
  });

  it('opens for the subject in another role, in another process with the same secret', () => {
    const token = tokens.seal(5, alice);
    expect(new PositionTokens(Buffer.alloc(32, 3)).open(token, { subject: 'alice', role: 'operations' })).toBe(5);
  });

  it('opens for nobody else, and under no other secret', () => {
    const token = tokens.seal(5, alice);
    expect(tokens.open(token, { subject: 'bob', role: 'agent' })).toBeUndefined();
    expect(new PositionTokens(Buffer.alloc(32, 4)).open(token, alice)).toBeUndefined();
  });

  it('of one position differs each time, so that none can be compared', () => {
    expect(tokens.seal(5, alice)).not.toBe(tokens.seal(5, alice));
  });

  it('is refused where it was made up', () => {
    for (const text of ['', 'p5', '5', 'A'.repeat(22), 'A'.repeat(21), `${tokens.seal(5, alice)}A`, '../..', 'ä'.repeat(22)])
      expect(tokens.open(text, alice)).toBeUndefined();
  });

  it('is plain for those who may see positions, and only taken plain from them', () => {
    expect(tokens.seal(123, auditor)).toBe('p123');
    expect(tokens.open('p123', auditor)).toBe(123);
    expect(tokens.open('p0', auditor)).toBe(0);
    for (const text of ['p', 'p01', 'p-1', 'p1e3', 'p99999999999999999']) expect(tokens.open(text, auditor)).toBeUndefined();
  });
});
