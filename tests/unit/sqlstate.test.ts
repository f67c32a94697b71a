import { describe, expect, it } from 'vitest';
import { isConnectionLoss } from '../../src/postgres/sqlstate.ts';

const withCode = (code: string) => Object.assign(new Error('x'), { code });

describe('a lost connection', () => {
  it.each(['08006', '57P01', '57P03', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE'])('is %s', (code) => {
    expect(isConnectionLoss(withCode(code))).toBe(true);
  });

  it.each(['23505', '53300', '57014', '40001', 'ENOENT'])('is not %s', (code) => {
    expect(isConnectionLoss(withCode(code))).toBe(false);
  });

  it('is what node-postgres says without a code, what a name with several addresses gives, and what is wrapped', () => {
    expect(isConnectionLoss(new Error('Connection terminated unexpectedly'))).toBe(true);
    expect(isConnectionLoss(new AggregateError([withCode('ECONNREFUSED'), withCode('EHOSTUNREACH')]))).toBe(true);
    expect(isConnectionLoss(new Error('append failed', { cause: withCode('57P01') }))).toBe(true);
    expect(isConnectionLoss('Connection terminated')).toBe(false);
  });
});
