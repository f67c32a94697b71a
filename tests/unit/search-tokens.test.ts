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

function found(name: string, asked: string): boolean {
  const has = new Set(tokens(name, 'names'));
  const wanted = queryTokens(asked, 'names');
  return wanted.length > 0 && wanted.every((token) => has.has(token));
}

const people = ['张伟', '欧阳娜娜', '单雄信', '曾国藩', '吕布', '阿卜杜拉·买买提', 'Jan Novák', '上海浦东发展银行股份有限公司'];
const searches: readonly (readonly [string, ...(typeof people)[number][]])[] = [
  ['张伟', '张伟'],
  ['张 伟', '张伟'],
  ['伟', '张伟'],
  ['张', '张伟'],
  ['zhang wei', '张伟'],
  ['Zhangwei', '张伟'],
  ['ZW', '张伟'],
  ['伟张'],
  ['欧阳', '欧阳娜娜'],
  ['娜娜', '欧阳娜娜'],
  ['ouyang', '欧阳娜娜'],
  ['nana', '欧阳娜娜'],
  ['ou yang na na', '欧阳娜娜'],
  ['oynn', '欧阳娜娜'],
  ['shan', '单雄信'],
  ['dan', '单雄信'],
  ['shan xiongxin', '单雄信'],
  ['sxx', '单雄信'],
  ['zeng', '曾国藩'],
  ['Zeng Guofan', '曾国藩'],
  ['guofan', '曾国藩'],
  ['zgf', '曾国藩'],
  ['lü', '吕布'],
  ['lv', '吕布'],
  ['Lu\u0308 Bu', '吕布'],
  ['lyu', '吕布'],
  ['lvbu', '吕布'],
  ['阿卜杜拉·买买提', '阿卜杜拉·买买提'],
  ['阿卜杜拉买买提', '阿卜杜拉·买买提'],
  ['买买提', '阿卜杜拉·买买提'],
  ['abudula', '阿卜杜拉·买买提'],
  ['maimaiti', '阿卜杜拉·买买提'],
  ['novák', 'Jan Novák'],
  ['NOVAK jan', 'Jan Novák'],
  ['浦东', '上海浦东发展银行股份有限公司'],
  ['pudong', '上海浦东发展银行股份有限公司'],
  ['wang'],
  ['nov'],
  ['王'],
];

describe('name tokens', () => {
  it.each(searches)('of %s find who is called so, and no one else', (asked, ...expected) => {
    expect(people.filter((name) => found(name, asked))).toStrictEqual(expected);
  });

  it('ask for a two-character name by its one pair', () => {
    expect(queryTokens('张伟', 'names')).toHaveLength(1);
  });

  it('are other numbers than those of words, so that a name in a text does not tell whose it is', () => {
    const words = new Set(tokens('张伟 Jan Novák'));
    expect(tokens('张伟 Jan Novák', 'names').filter((token) => words.has(token))).toStrictEqual([]);
  });

  it('are none for a text without letters', () => {
    expect([tokens('…', 'names'), queryTokens(' ·', 'names')]).toStrictEqual([[], []]);
  });
});

describe('exact tokens', () => {
  it('find the whole value however it is written', () => {
    expect(tokens('11010519491231002x', 'exact')).toStrictEqual(queryTokens('110105 19491231 002X', 'exact'));
    expect(tokens('(010) 6611-0000', 'exact')).toStrictEqual(queryTokens('０１０.6611–0000', 'exact'));
    expect(tokens('11010519491231002X', 'exact')).toHaveLength(1);
  });

  it('find no part of it, and no other', () => {
    const kept = tokens('13800138000', 'exact');
    for (const other of ['1380013800', '3800138000', '+13800138000']) expect(queryTokens(other, 'exact')).not.toStrictEqual(kept);
  });

  it('are other numbers than those of words and names, and none where there is no value', () => {
    const kept = tokens('X13800138000', 'exact');
    expect([tokens('X13800138000'), tokens('X13800138000', 'names')].flat()).not.toContain(kept[0]);
    expect(tokens(' -().', 'exact')).toStrictEqual([]);
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
