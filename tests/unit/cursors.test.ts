import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CursorBinding, Cursors } from '../../src/api/cursors.ts';

const secret = Buffer.alloc(32, 7);
const binding: CursorBinding = { actor: { subject: 'alice', role: 'agent' }, route: '/v1/tickets', filter: '[["status","open"]]', sort: 'due_at' };

describe('a cursor', () => {
  it('gives back what it was made of, whatever that was', () => {
    const cursors = new Cursors(secret);
    fc.assert(
      fc.property(fc.array(fc.option(fc.string({ unit: 'grapheme' })), { minLength: 1, maxLength: 4 }), (values) => {
        expect(cursors.open(cursors.seal(values, binding), binding)).toStrictEqual(values);
      }),
      { numRuns: 100 },
    );
  });

  it('shows nothing of the values in it', () => {
    const cursor = new Cursors(secret).seal(['13800138000'], binding);
    expect(Buffer.from(cursor, 'base64url').toString('latin1')).not.toContain('13800138000');
  });

  const others: [string, CursorBinding][] = [
    ['another subject', { ...binding, actor: { subject: 'bob', role: 'agent' } }],
    ['another role', { ...binding, actor: { subject: 'alice', role: 'operations' } }],
    ['someone it acts for', { ...binding, actor: { subject: 'alice', role: 'agent', onBehalfOf: 'bob' } }],
    ['another route', { ...binding, route: '/v1/customers' }],
    ['another filter', { ...binding, filter: '[]' }],
    ['another sort', { ...binding, sort: 'id' }],
  ];
  it.each(others)('does not open for %s (F80)', (_name, other) => {
    const cursors = new Cursors(secret);
    expect(() => cursors.open(cursors.seal(['1'], binding), other)).toThrow(expect.objectContaining({ status: 400, code: 'InvalidCursor' }));
  });

  it('does not open when any byte of it was changed, or some are missing', () => {
    const cursors = new Cursors(secret);
    const bytes = Buffer.from(cursors.seal(['1', null], binding), 'base64url');
    for (let at = 0; at < bytes.length; at += 1) {
      const forged = Buffer.from(bytes);
      forged[at] = (forged[at] ?? 0) ^ 1;
      expect(() => cursors.open(forged.toString('base64url'), binding)).toThrow(expect.objectContaining({ code: 'InvalidCursor' }));
      expect(() => cursors.open(bytes.subarray(0, at).toString('base64url'), binding)).toThrow(expect.objectContaining({ code: 'InvalidCursor' }));
    }
  });

  it('does not open under another secret, and no text is taken for one', () => {
    const cursor = new Cursors(Buffer.alloc(32, 8)).seal(['1'], binding);
    for (const text of [cursor, '', 'null', '../../etc/passwd', "' or 1=1 --", 'x'.repeat(5_000)])
      expect(() => new Cursors(secret).open(text, binding)).toThrow(expect.objectContaining({ code: 'InvalidCursor' }));
  });

  it('lives for 24 hours', () => {
    let now = 0;
    const cursors = new Cursors(secret, () => now);
    const cursor = cursors.seal(['1'], binding);
    now = 24 * 3_600_000;
    expect(cursors.open(cursor, binding)).toStrictEqual(['1']);
    now += 1;
    expect(() => cursors.open(cursor, binding)).toThrow(
      expect.objectContaining({ detail: 'The cursor is older than 24 hours: start the list anew.' }),
    );
  });
});
