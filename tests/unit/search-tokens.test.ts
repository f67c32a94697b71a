import { describe, expect, it } from 'vitest';
import { createSearchTokens, terms } from '../../src/projections/engine/search-tokens.ts';

const key = Buffer.alloc(32, 1);
const { tokens, queryTokens } = createSearchTokens(key);

function matches(kept: string, asked: string): boolean {
  const has = new Set(tokens(kept));
  return queryTokens(asked).every((token) => has.has(token));
}

describe('the terms of a text', () => {
  it('are its words in lower case, whatever stands between them', () => {
    expect(terms("Wire-transfer FAILED, 3rd time!\n(Zoë's)")).toEqual(['wire', 'transfer', 'failed', '3rd', 'time', 'zoë', 's']);
  });

  it('are pairs of neighbours where a script has no spaces, beside the words of others', () => {
    expect(terms('王小明 vip客户')).toEqual(['王小', '小明', 'vip', '客户']);
    expect(terms('王')).toEqual(['王']);
    expect(terms('𠮷野家')).toEqual(['𠮷野', '野家']);
  });

  it('are the same for forms that only look different', () => {
    expect(terms('ＡＢＣ１２３')).toEqual(terms('abc123'));
    expect(terms('e\u0301tude')).toEqual(terms('étude'));
  });
});

describe('search tokens', () => {
  it('find a text by some of its words, and not by others', () => {
    expect(matches('王小明 opened an account', '小明')).toBe(true);
    expect(matches('王小明 opened an account', 'Account 王小明')).toBe(true);
    expect(matches('王小明 opened an account', '小王')).toBe(false);
    expect(matches('欧阳娜娜', '阳娜')).toBe(true);
  });

  it('fit a bigint, are each once, and say nothing without the key', () => {
    const found = tokens('one two one 三四 five');
    expect(found).toHaveLength(4);
    for (const token of found) expect(BigInt(token) >= 0n && BigInt(token) < 2n ** 63n).toBe(true);
    expect(createSearchTokens(Buffer.alloc(32, 2)).tokens('one')).not.toEqual(tokens('one'));
    expect(tokens('one')).toEqual(createSearchTokens(key).tokens('ONE'));
  });

  it('are none for a text without words', () => {
    expect(tokens(' …!\t')).toEqual([]);
  });

  it('want a key of 32 bytes', () => {
    expect(() => createSearchTokens(Buffer.alloc(16))).toThrow(RangeError);
  });
});
