// Who may be the same, by the rules: what speaks for it and against, in words, and that a mere same name is not enough.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { measured } from '../../bench/rows/matching.ts';
import { Draw } from '../../bench/support/draw.ts';
import { labelledFile } from '../../bench/support/labelled-file.ts';
import { labelledPeople } from '../../bench/support/labelled-people.ts';
import { firmCore } from '../../src/domain/matching/firm-name.ts';
import { addressKeys, birthKeys, nameKeys } from '../../src/domain/matching/keys.ts';
import { comparable, type Party } from '../../src/domain/matching/party.ts';
import { match, SIMILAR_FROM } from '../../src/domain/matching/score.ts';
import { alike, slips, soundOf } from '../../src/domain/matching/text.ts';
import { withReadings } from '../../src/projections/engine/name-readings.ts';

const nobody: Party = { kind: 'person', names: [], birthDates: [], phones: [], eMails: [], addresses: [], documents: [] };
const person = (name: string, more: Partial<Party> = {}): Party => ({ ...nobody, names: [withReadings(name)], ...more });
const firm = (name: string, more: Partial<Party> = {}): Party => ({ ...person(name, more), kind: 'organisation' });
const between = (one: Party, other: Party) => match(comparable(one), comparable(other));
const isSimilar = (one: Party, other: Party): boolean => between(one, other).score >= SIMILAR_FROM;
const wordsFor = (one: Party, other: Party): readonly string[] =>
  between(one, other)
    .reasons.filter(({ speaks }) => speaks === 'for')
    .map(({ words }) => words);

const phone = { phones: ['+8613800138000'] };
const born = { birthDates: ['1990-03-04'] };
const home = { addresses: ['上海市黄浦区南京路12号3室'] };

describe('a mere same name', () => {
  it.each(['张伟', '王小明', 'Anna Dvořák', 'John Smith'])('%s is not enough', (name) => {
    const { score } = between(person(name), person(name));
    expect(score).toBeLessThan(SIMILAR_FROM);
    expect(score).toBeGreaterThan(0.01);
  });
  it.each([
    ['the same phone', phone],
    ['the same birth date', born],
    ['the same address', home],
    ['the same e-mail address', { eMails: ['wxm@example.com'] }],
    ['the same document', { documents: [{ type: 'passport', number: 'E12345678' }] }],
  ])('with %s is', (words, more) => {
    for (const name of ['张伟', '王小明', 'Anna Dvořák']) {
      expect(isSimilar(person(name, more), person(name, more)), name).toBe(true);
      expect(wordsFor(person(name, more), person(name, more))).toStrictEqual(expect.arrayContaining([words, 'the same name']));
    }
  });
  it('of a firm is not enough, nor is it a person’s', () => {
    expect(isSimilar(firm('华远科技有限公司'), firm('华远科技股份有限公司'))).toBe(false);
    expect(isSimilar(firm('华远科技有限公司', phone), firm('华远科技股份有限公司', phone))).toBe(true);
    expect(between(firm('张伟', phone), person('张伟', phone)).score).toBe(0);
  });
});

describe('a name', () => {
  it.each([
    ['单雄信', 'Shan Xiongxin', 'the name by its pinyin'],
    ['王小明', 'Xiaoming Wang', 'the name by its pinyin'],
    ['欧阳娜娜', 'Ouyang Nana', 'the name by its pinyin'],
    ['张伟', '章伟', 'a name that sounds the same'],
    ['Robert Brown', 'Brown Bob', 'a short form of the name'],
    ['Anna Dvořák', 'DVORAK Anna', 'the same name in another order'],
    ['Katherine Miller', 'Katherin Miler', 'nearly the same name'],
    ['John Ronald Tolkien', 'J R Tolkien', 'the name by its initials'],
    ['Maria Garcia Lopez', 'Maria Garcia', 'a part of the name'],
    ['Xiao Ming Wang', 'Xiaoming Wang', 'the same name'],
  ])('%s is met as %s', (one, other, words) => {
    expect(wordsFor(person(one, phone), person(other, phone))).toContain(words);
    expect(isSimilar(person(one, { ...phone, ...born }), person(other, { ...phone, ...born }))).toBe(true);
  });
  it.each([
    ['华远科技(上海)有限公司', '华远科技'],
    ['Acme S.r.o.', 'acme'],
    ['ACME GmbH & Co. KG', 'acme'],
    ['The Widget Company Ltd', 'widget'],
    ['Limited', 'limited'],
  ])('of a firm, %s, is %s without its legal form', (name, core) => expect(firmCore(name)).toBe(core));
});

describe('those easily taken for one', () => {
  it('are not: twins, by another given name', () => {
    const both = { ...phone, ...born, ...home };
    expect(isSimilar(person('王小明', both), person('王小红', both))).toBe(false);
    expect(isSimilar(person('Emma Novak', both), person('Julia Novak', both))).toBe(false);
    expect(between(person('王小明', both), person('王小红', both)).reasons.at(-1)?.words).toContain('twins');
  });
  it('are not: a father and a son of one name, by their birth dates', () => {
    const son = { ...phone, ...home, birthDates: ['2016-07-01'] };
    expect(isSimilar(person('James Reid', { ...phone, ...home, ...born }), person('James Reid', son))).toBe(false);
  });
  it('are not: namesakes with identity cards of their own', () => {
    const card = (number: string) => ({ ...home, documents: [{ type: 'identity-card', number }] });
    expect(isSimilar(person('张伟', card('11010519491231002X')), person('张伟', card('310104197501012212')))).toBe(false);
  });
  it('are one after all by a document under another name', () => {
    const documents = [{ type: 'identity-card', number: '11010519491231002X' }];
    expect(isSimilar(person('Anna Dvořák', { documents, ...phone }), person('Anna Kowalska', { documents, ...phone }))).toBe(true);
  });
});

describe('reasons', () => {
  it('say what differs as well, what speaks for it first, and nothing of the values', () => {
    const { reasons } = between(person('王小明', { ...phone, ...born }), person('王小明', { phones: ['13911112222'], birthDates: ['1990-04-03'] }));
    expect(reasons).toStrictEqual([
      { field: 'name', speaks: 'for', words: 'the same name' },
      { field: 'birthDate', speaks: 'for', words: 'the birth date with day and month changed about' },
      { field: 'phone', speaks: 'against', words: 'another phone' },
    ]);
  });
  it('take the birth date from an identity card where none is told', () => {
    const one = person('王小明', { documents: [{ type: 'identity-card', number: '11010519491231002X' }] });
    expect(wordsFor(one, person('王小明', { birthDates: ['1949-12-31'] }))).toContain('the same birth date');
  });
  it('are the same whichever of the two comes first', () => {
    const people = labelledPeople(new Draw(4), 60).map(({ party }) => comparable(party));
    for (const one of people) for (const other of people) expect(match(one, other).score).toBeCloseTo(match(other, one).score, 9);
  });
});

describe('blocking keys', () => {
  const share = (one: readonly string[], other: readonly string[]): boolean => one.some((key) => other.includes(key));
  it('are shared by a name and its pinyin, its short form, another order and a slip', () => {
    for (const [one, other] of [
      ['单雄信', 'Xiongxin Shan'],
      ['Robert Brown', 'Brown Bob'],
      ['Katherine Miller', 'Katherin Miler'],
      ['张伟', '章伟'],
    ] as const)
      expect(share(nameKeys(withReadings(one)), nameKeys(withReadings(other))), `${one} ${other}`).toBe(true);
    expect(share(nameKeys(withReadings('张伟')), nameKeys(withReadings('李娜')))).toBe(false);
  });
  it('are shared by a date and its mistaken twin, and by two spellings of an address', () => {
    expect(birthKeys('1990-04-03')).toStrictEqual(birthKeys('1990-03-04'));
    expect(birthKeys('1990')).toStrictEqual([]);
    expect(share(addressKeys('12 Church St, Ashford'), addressKeys('12 CHURCH STREET'))).toBe(true);
  });
});

describe('texts', () => {
  it('differ by slips', () => {
    expect([slips('anna', 'anna'), slips('anna', 'ana'), slips('anna', 'nana'), slips('anna', 'ivan'), slips('a', 'abcdef')]).toStrictEqual([
      0, 1, 1, 3, 3,
    ]);
    expect(alike('martha', 'marhta')).toBeCloseTo(0.961, 3);
    expect([soundOf('robert'), soundOf('rupert'), soundOf('ashcraft'), soundOf('li')]).toStrictEqual(['r163', 'r163', 'a261', 'l000']);
  });
});

it('finds nearly all of a labelled set and little else, without looking at all pairs', () => {
  const people = labelledPeople(new Draw(99), 800);
  const { found, right, true: truth, looked } = measured(people);
  const [precision, recall] = [right / found, right / truth];
  expect(truth).toBeGreaterThan(500);
  expect((2 * precision * recall) / (precision + recall)).toBeGreaterThan(0.96);
  expect(looked).toBeLessThan((people.length * people.length) / 100);
});

it('reads a labelled file by the names that its columns have', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'shiji-matching-'));
  const read = async (...lines: readonly string[]) => {
    writeFileSync(join(folder, 'people.csv'), lines.join('\n'));
    return labelledFile(join(folder, 'people.csv'));
  };
  try {
    const [febrl, copy] = await read(
      'rec_id, given_name, surname, street_number, address_1, suburb, postcode, date_of_birth, soc_sec_id',
      'rec-12-org, anna, novak, 8, mill street, ashford, 2640, 19620411, 7408990',
      'rec-12-dup-0, , novak, 8, mill st, ashford, 2640, , ',
    );
    expect([febrl?.label, copy?.label]).toStrictEqual(['12', '12']);
    expect(febrl?.party).toMatchObject({
      names: [{ text: 'anna novak' }],
      birthDates: ['1962-04-11'],
      addresses: ['8 mill street ashford 2640'],
      documents: [{ type: 'social-security', number: '7408990' }],
    });
    expect(copy?.party).toMatchObject({ names: [{ text: 'novak' }], birthDates: [], documents: [] });
    const [other] = await read('unique_id,first_name,surname,dob,city,email,cluster', '0,Robert,Alan,04/11/1962,nan,rob@example.com,77');
    expect(other).toMatchObject({
      label: '77',
      party: { names: [{ text: 'Robert Alan' }], birthDates: ['1962-04-11'], addresses: [], eMails: ['rob@example.com'] },
    });
    await expect(read('given_name', 'anna')).rejects.toThrow('record 1 has no label');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
