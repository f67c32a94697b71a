// That the names and searches of the bench are spread as in life: else a search would be measured among customers that nobody has.
import { describe, expect, it } from 'vitest';
import { drawName, fullName, initialsOf, pinyinOf } from '../../bench/support/chinese-names.ts';
import { Draw, Weighted } from '../../bench/support/draw.ts';
import { drawPerson } from '../../bench/support/identity.ts';
import { clientRecords, drawClients, searchesFor } from '../../bench/support/search-queries.ts';
import { CoreBankingLine } from '../../src/feeds/core-banking-lines.ts';

describe('generated names', () => {
  const draw = new Draw(11);
  const names = Array.from({ length: 20_000 }, () => drawName(draw));
  const share = (holds: (name: (typeof names)[number]) => boolean): number => names.filter(holds).length / names.length;

  it('have surnames by their share, and mostly two given characters of thousands', () => {
    expect(share(({ surname }) => surname === '王')).toBeCloseTo(0.09, 1);
    expect(share(({ surname }) => surname === '欧阳')).toBeGreaterThan(0);
    expect(share(({ surname }) => surname === '欧阳')).toBeLessThan(0.01);
    expect(share(({ given }) => given.length === 1)).toBeCloseTo(0.14, 1);
    expect(share(({ given }) => [...given].length <= 2)).toBe(1);
    expect(new Set(names.map(({ given }) => given)).size).toBeGreaterThan(4_000);
  });

  it('are typed in pinyin as their owners say them', () => {
    expect(pinyinOf({ surname: '张', given: '伟' })).toBe('zhangwei');
    expect(initialsOf({ surname: '欧阳', given: '娜' })).toBe('oyn');
    expect(pinyinOf({ surname: '单', given: '明' })).toBe('shanming');
    expect(names.map(pinyinOf).filter((text) => !/^[a-z]+$/.test(text))).toStrictEqual([]);
  });
});

describe('generated people', () => {
  const draw = new Draw(5);
  const people = Array.from({ length: 40_000 }, (_, index) => drawPerson(draw, index + 1));

  it('share no document and no phone', () => {
    expect(new Set(people.map(({ identityCard }) => identityCard)).size).toBe(people.length);
    expect(new Set(people.map(({ phone }) => phone)).size).toBe(people.length);
    expect(people.every(({ phone }) => /^1\d{10}$/.test(phone))).toBe(true);
  });

  it('have identity cards with their birth date and sex and a right check character', () => {
    for (const { identityCard, birthDate, sex } of people.slice(0, 2_000)) {
      expect(identityCard.slice(6, 14)).toBe(birthDate.replaceAll('-', ''));
      expect(Number(identityCard[16]) % 2).toBe(sex === 'male' ? 1 : 0);
      // GB 11643: each digit times 2 to the power of its place from the right, from 0, is 1 modulo 11 in sum.
      const sum = [...identityCard].reduce((total, digit, place) => total + (digit === 'X' ? 10 : Number(digit)) * 2 ** (17 - place), 0);
      expect(sum % 11).toBe(1);
    }
  });
});

describe('searches', () => {
  const clients = drawClients(9, 1_000);

  it('are for clients that the feed takes and that are there, each kind as often', () => {
    for (const record of clientRecords(clients, 'core')) expect(CoreBankingLine.safeParse(record).error).toBeUndefined();
    const searches = searchesFor(clients, 1, 60);
    const counts = Map.groupBy(searches, ({ kind }) => kind);
    expect([...counts].map(([kind, { length }]) => [kind, length])).toStrictEqual(
      ['name of three', 'name of two', 'pinyin', 'initials and branch', 'document', 'phone'].map((kind) => [kind, 10]),
    );
    const named = new Set(clients.map(({ name }) => fullName(name)));
    for (const { path } of [...(counts.get('name of three') ?? []), ...(counts.get('name of two') ?? [])])
      expect(named).toContain(new URL(path, 'http://localhost').searchParams.get('q'));
    expect(searchesFor(clients, 1, 60)).toStrictEqual(searches);
  });
});

describe('draws', () => {
  it('take different items, all where fewer are there', () => {
    const draw = new Draw(1);
    expect(new Set(draw.some([1, 2, 3, 4, 5], 3)).size).toBe(3);
    expect(draw.some([1, 2], 5).toSorted()).toStrictEqual([1, 2]);
  });

  it('fall by weight', () => {
    const draw = new Draw(2);
    const weighted = new Weighted([
      ['often', 9],
      ['never', 0],
      ['seldom', 1],
    ]);
    const drawn = Array.from({ length: 2_000 }, () => weighted.draw(draw));
    expect(drawn.filter((item) => item === 'often').length / drawn.length).toBeCloseTo(0.9, 1);
    expect(drawn).not.toContain('never');
  });
});
