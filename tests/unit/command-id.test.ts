// Ids that a retry finds again: the same for the same question under the same key, another for any other.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { commandIdOf, createdIdOf, drawCommandId } from '../../src/commands/command-id.ts';
import { eventIdOf } from '../../src/journal/codec.ts';

const uuid8 = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const asked = { subject: 'chen', command: 'AssignTicket', target: 't1', key: 'k1' };
const idOf = (over: Partial<typeof asked> = {}): string => {
  const { subject, command, target, key } = { ...asked, ...over };
  return commandIdOf(subject, command, target, key);
};
const words = fc.string({ minLength: 1, maxLength: 40 }).filter((text) => !text.includes('\n'));

describe('a command’s id', () => {
  it('stays what it was in the first version, because keys of the past must be found', () => {
    expect(idOf()).toBe('6efcc4e1-458a-8d7b-9688-5ef15355ab40');
    expect(idOf({ key: '018f3e6a-7c4e-7abc-9def-0123456789ab' })).toBe('018f3e6a-7c4e-8c9f-9139-d66b1d252b50');
  });
  it('is another for another subject, command, target or key', () => {
    const others = [
      {},
      { subject: 'dai' },
      { command: 'StartTicket' },
      { target: 't2' },
      { key: 'k2' },
      { subject: 'chenA', command: 'ssignTicket' },
    ];
    expect(new Set(others.map(idOf)).size).toBe(others.length);
  });
  it('is a UUID that schemas take, the same each time', () => {
    fc.assert(
      fc.property(words, words, words, fc.oneof(words, fc.uuid({ version: 7 })), (subject, command, target, key) => {
        const id = commandIdOf(subject, command, target, key);
        expect(id).toMatch(uuid8);
        expect(z.uuid().parse(id)).toBe(id);
        expect(commandIdOf(subject, command, target, key)).toBe(id);
      }),
    );
  });
  it('keeps the time of a UUIDv7 key in front, whatever its case, and of no other', () => {
    fc.assert(
      fc.property(fc.uuid({ version: 7 }), (key) => {
        expect(idOf({ key }).slice(0, 13)).toBe(key.slice(0, 13));
        expect(idOf({ key: key.toUpperCase() }).slice(0, 13)).toBe(key.slice(0, 13));
      }),
    );
    const four = '018f3e6a-7c4e-4abc-9def-0123456789ab';
    expect(idOf({ key: four }).slice(0, 13)).not.toBe(four.slice(0, 13));
  });
  it('is drawn anew where there is no key, in order of time', () => {
    const [early, late, other] = [drawCommandId(1_790_000_000_000), drawCommandId(1_790_000_000_001.7), drawCommandId(1_790_000_000_001)];
    expect([early < late, late === other]).toStrictEqual([true, false]);
    expect(late.slice(0, 13)).toBe(other.slice(0, 13));
    expect(late).toMatch(uuid8);
    expect(Number.parseInt(late.replaceAll('-', '').slice(0, 12), 16)).toBe(1_790_000_000_001);
  });
});

describe('what derives from a command’s id', () => {
  it('is a UUID of its own for the created stream and for each event', () => {
    fc.assert(
      fc.property(words, fc.oneof(words, fc.uuid({ version: 7 })), (subject, key) => {
        const id = commandIdOf(subject, 'OpenTicket', '', key);
        const derived = [id, createdIdOf(id), ...Array.from({ length: 100 }, (_, index) => eventIdOf(id, index))];
        expect(new Set(derived).size).toBe(derived.length);
        for (const one of derived) expect(one).toMatch(uuid8);
        expect(new Set(derived.map((one) => one.slice(0, 13)))).toStrictEqual(new Set([id.slice(0, 13)]));
      }),
    );
  });
});
