import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { problemOf } from '../../src/api/error-handler.ts';
import { parseJson } from '../../src/api/json-body.ts';
import { errorsPage, problemCatalogue } from '../../src/api/problem-routes.ts';
import { notFound, Problem, problemBody } from '../../src/api/problems.ts';
import { refusals } from '../../src/api/refusals.ts';
import { purposeOf } from '../../src/api/request.ts';
import { validationFailed } from '../../src/api/validation.ts';
import { allCommands } from '../../src/commands/all.ts';
import { TooMuchContention } from '../../src/commands/handler.ts';
import { NewerEvent } from '../../src/commands/streams.ts';
import { PersonOrFirmName } from '../../src/domain/customer/names.ts';
import { AppendTooLarge, JournalUnavailable } from '../../src/journal/journal.ts';
import { KeyDestroyed } from '../../src/journal/keyring.ts';
import { projections } from '../../src/projections/all.ts';

const commands = () => allCommands(projections.map(({ name }) => name));

describe('the catalogue of problems', () => {
  it('is what docs/errors.md says', async () => {
    await expect(errorsPage(commands())).toMatchFileSnapshot(join(import.meta.dirname, '../../docs/errors.md'));
  });

  it('has a text for every refusal of a command, and no refusal more', () => {
    const codes = new Set(commands().flatMap(({ rejections }) => Object.keys(rejections)));
    expect(Object.keys(refusals).sort()).toStrictEqual([...codes].sort());
  });

  it('gives each code one meaning', () => {
    const codes = problemCatalogue(commands()).map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
  });
});

describe('a thrown error', () => {
  const cases: [string, unknown, number, string][] = [
    ['the journal that does not answer', new JournalUnavailable('x'), 503, 'Unavailable'],
    ['a lost connection', Object.assign(new Error('x'), { code: 'ECONNREFUSED' }), 503, 'Unavailable'],
    ['a full disk', Object.assign(new Error('x'), { code: '53100' }), 503, 'Unavailable'],
    ['a statement that took too long', Object.assign(new Error('x'), { code: '57014' }), 503, 'Unavailable'],
    ['others ahead all the time', new TooMuchContention('x'), 503, 'TooMuchContention'],
    ['an event of a newer program', new NewerEvent('x'), 503, 'NewerEvent'],
    ['an append too large', new AppendTooLarge(2_000_000), 413, 'PayloadTooLarge'],
    ['a destroyed key', new KeyDestroyed('x'), 410, 'Erased'],
    ['a bug', new TypeError('secret of Mr Li'), 500, 'InternalError'],
    ['something that is no error', 'secret of Mr Li', 500, 'InternalError'],
  ];
  it.each(cases)('of %s is told as it is', (_name, error, status, code) => {
    expect(problemOf(error)).toMatchObject({ status, code });
  });

  it('tells the caller nothing of its inside', () => {
    const body = problemBody(problemOf(new Error('insert into secret', { cause: new Error('Mr Li') })), 'r-1');
    expect(JSON.parse(body)).toStrictEqual({
      type: '/problems/InternalError',
      title: 'Something went wrong on our side',
      status: 500,
      detail: 'The error is logged under the request id in `instance`.',
      instance: 'r-1',
    });
  });

  it('of what is not there is the same text for all', () => {
    expect(problemBody(notFound(), 'r')).toBe(problemBody(new Problem('NotFound'), 'r'));
  });
});

describe('a request that is not as it must be', () => {
  const schema = z.strictObject({
    priority: z.enum(['high', 'low']),
    'a/b~c': z.string().optional(),
    items: z.array(z.strictObject({ count: z.int().min(1) })).max(2),
    when: z.iso.datetime(),
    either: z.union([z.strictObject({ one: z.string() }), z.strictObject({ two: z.string(), three: z.string() })]).optional(),
  });
  const errorsIn = (value: unknown, part: 'body' | 'query' = 'body') => {
    const result = schema.safeParse(value);
    return result.success ? [] : validationFailed(result.error.issues, part, schema).errors;
  };

  it('is told field by field, with what would be right', () => {
    expect(errorsIn({ priority: 'x', 'a/b~c': 1, items: [{ count: 0 }, {}], when: 'noon' })).toStrictEqual([
      { pointer: '/priority', detail: 'must be one of high, low' },
      { pointer: '/a~1b~0c', detail: 'must be a string' },
      { pointer: '/items/0/count', detail: 'must be at least 1' },
      { pointer: '/items/1/count', detail: 'missing: must be a number' },
      { pointer: '/when', detail: 'must be an instant as RFC 3339 has it, such as 2026-03-03T01:00:00.000Z' },
    ]);
  });

  it('is told in the words of its own schema where that has some', () => {
    const name = z.strictObject({ name: PersonOrFirmName });
    const told = (value: unknown) => validationFailed(name.safeParse(value).error?.issues ?? [], 'body', name).errors;
    expect(told({})).toStrictEqual([{ pointer: '/name', detail: 'missing: give the name as the document has it' }]);
    expect(told({ name: 1 })).toStrictEqual([{ pointer: '/name', detail: 'must be a string' }]);
  });

  it('is told of a list that is too long', () => {
    expect(errorsIn({ priority: 'high', items: [1, 2, 3], when: '2026-03-03T01:00:00Z' })).toContainEqual({
      pointer: '/items',
      detail: 'must have at most 2 items',
    });
  });

  it('has each unknown property named by itself, with the known ones', () => {
    expect(errorsIn({ priority: 'high', items: [{ count: 1, x: 1 }], when: '2026-03-03T01:00:00Z', y: 1, z: 2 })).toStrictEqual([
      { pointer: '/items/0/x', detail: 'unknown: the known ones are count' },
      { pointer: '/y', detail: 'unknown: the known ones are priority, a/b~c, items, when, either' },
      { pointer: '/z', detail: 'unknown: the known ones are priority, a/b~c, items, when, either' },
    ]);
  });

  it('has its parameters told by name', () => {
    expect(errorsIn({ items: [], when: '2026-03-03T01:00:00Z' }, 'query')).toStrictEqual([
      { pointer: 'priority', detail: 'must be one of high, low' },
    ]);
  });

  it('is told of a union by the branch that fits best', () => {
    expect(errorsIn({ priority: 'high', items: [], when: '2026-03-03T01:00:00Z', either: { one: 1 } })).toStrictEqual([
      { pointer: '/either/one', detail: 'must be a string' },
    ]);
  });
});

describe('a JSON body', () => {
  const refused: [string, string][] = [
    ['that is none', '{"a":'],
    ['nested deeper than 32 levels', `${'['.repeat(33)}${']'.repeat(33)}`],
    ['nested 200,000 levels', '['.repeat(200_000)],
    ['with a prototype', '{"__proto__":{"admin":true}}'],
    ['with a prototype written otherwise', '{"\\u005f_proto__":{"admin":true}}'],
    ['with a constructor', '{"a":[{"constructor":1}]}'],
    ['with a name twice', '{"a":1,"b":{"c":1,"c":2}}'],
    ['with a name twice, once escaped', '{"a":1,"\\u0061":2}'],
    ['with 2^53', '{"a":9007199254740993}'],
    ['with a negative number beyond 2^53', '{"a":-9007199254740993}'],
    ['with a number that is infinite', '{"a":1e400}'],
    ['with an exponent beyond 2^53', '{"a":1E30}'],
    ['with a NUL', '{"a":"x\\u0000y"}'],
    ['with half a surrogate pair', '{"a":"\\ud83d"}'],
  ];
  it.each(refused)('%s is refused', (_name, text) => {
    expect(() => parseJson(text)).toThrow(expect.objectContaining({ status: 400, code: 'MalformedRequest' }));
  });

  const accepted: [string, string][] = [
    ['with quotes and colons in strings', '{"a":"x\\":{[,\\\\","b":"c:d"}'],
    ['with the text of an escape', '{"a":"\\\\u0000"}'],
    ['32 levels deep', `${'['.repeat(32)}${']'.repeat(32)}`],
    ['with 2^53 - 1', '{"a":9007199254740991,"b":-9007199254740991,"c":0.1234567890123456789,"d":1e2}'],
    ['with emoji and Chinese', '{"名":"史记 🐉"}'],
    ['of white space around values', ' { "a" : [ 1 , 2 ] } '],
  ];
  it.each(accepted)('%s is taken as JSON.parse has it', (_name, text) => {
    expect(parseJson(text)).toStrictEqual(JSON.parse(text));
  });

  it('that is empty is an empty object', () => {
    expect(parseJson('')).toStrictEqual({});
  });
});

describe('a purpose', () => {
  it('is read in UTF-8, plain or percent-encoded', () => {
    const bytes = Buffer.from('投诉处理').toString('latin1');
    expect(purposeOf({ 'shiji-purpose': bytes })).toBe('投诉处理');
    expect(purposeOf({ 'shiji-purpose': `UTF-8''${encodeURIComponent('投诉处理')}` })).toBe('投诉处理');
    expect(purposeOf({ 'shiji-purpose': ' complaint 12 ' })).toBe('complaint 12');
  });
  it.each(['', 'x'.repeat(201), '\xff', "UTF-8''%E6", 'a\tb'])('of %j is refused', (purpose) => {
    expect(() => purposeOf({ 'shiji-purpose': purpose })).toThrow(expect.objectContaining({ status: 400 }));
  });
});
