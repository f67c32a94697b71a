// What staff may enter for a customer: one spelling for each thing, and each check that fails named without repeating what was entered.
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { addContact, registerCustomer, tagCustomer } from '../../src/commands/customer.ts';
import { Contact, ReportedContact } from '../../src/domain/customer/contacts.ts';
import { documentClaims, IdentityDocument, ReportedDocument } from '../../src/domain/customer/documents.ts';
import { comparableName, PersonOrFirmName } from '../../src/domain/customer/names.ts';
import { Tag } from '../../src/domain/customer/tags.ts';

const wrongIn = (schema: z.ZodType, value: unknown): readonly (readonly [string, string])[] =>
  schema.safeParse(value).error?.issues.map(({ path, message }) => [path.join('/'), message] as const) ?? [];
const card = (number: string, over: object = {}) => ({ type: 'identity-card', number, ...over });

describe('an identity card', () => {
  it.each(['11010519491231002X', '440524188001010014', ' 110105 1949-1231 002x '])('with a check character that fits is taken: %s', (number) => {
    expect(wrongIn(IdentityDocument, card(number))).toStrictEqual([]);
  });
  it('is spelt one way, and claimed so', () => {
    const parsed = IdentityDocument.parse(card('１１０１０５ 1949-1231–002x'));
    expect(parsed.number).toBe('11010519491231002X');
    expect(documentClaims([parsed, { ...parsed, country: 'CN' }])).toStrictEqual([
      { kind: 'document', value: 'identity-card|CN|11010519491231002X' },
      { kind: 'document', value: 'identity-card|CN|11010519491231002X' },
    ]);
  });
  it.each([
    ['a check character that does not fit', '110105194912310021', 'its last character does not fit the others'],
    ['two digits exchanged', '11015019491231002X', 'its last character does not fit the others'],
    ['no date of birth', '110105194913310028', 'no date of birth'],
    ['a 29 February that never was', '11010519490229002X', 'no date of birth'],
    ['no province', '080105194912310029', 'no province'],
    ['15 digits', '110105491231002', '18 characters'],
    ['a letter inside', '1101051949123X0021', '18 characters'],
    ['nothing', ' - ', 'empty'],
  ])('with %s is refused at its number', (_what, number, said) => {
    const [[path, message] = ['', '']] = wrongIn(IdentityDocument, card(number));
    expect(path).toBe('number');
    expect(message).toContain(said);
    expect(message).not.toContain(number.trim() === '-' ? '--' : number);
  });
  it('of another country is not checked by China’s rule', () => {
    expect(wrongIn(IdentityDocument, card('A123456789', { country: 'TW' }))).toStrictEqual([]);
  });
  it('told by a core system is spelt our way and never refused for its check character', () => {
    expect(ReportedDocument.parse(card('110105 19491231 0021')).number).toBe('110105194912310021');
    // Left empty there, it makes no two customers one.
    expect(documentClaims([ReportedDocument.parse(card(' - ')), ReportedDocument.parse({ type: 'passport', number: 'e1' })])).toStrictEqual([
      { kind: 'document', value: 'passport|CN|E1' },
    ]);
  });
});

describe('a business licence', () => {
  it.each(['91350200776049653A', '91350500798359476R', '91440101MA5CJQ4N59', '9135021359498494XQ', '91350100M000100Y43'])('%s is taken', (number) => {
    expect(wrongIn(IdentityDocument, { type: 'business-licence', number })).toStrictEqual([]);
  });
  it.each([
    ['91350200776049653B', 'does not fit'],
    ['91350200776049653', '18 characters'],
    ['9135020077604965IA', 'without I, O, S, V and Z'],
  ])('%s is refused', (number, said) => {
    expect(wrongIn(IdentityDocument, { type: 'business-licence', number })).toStrictEqual([['number', expect.stringContaining(said)]]);
  });
});

describe('a way to reach someone', () => {
  it.each([
    ['138 0013-8000', '+8613800138000'],
    ['＋86（138）00138000', '+8613800138000'],
    ['0086 13800138000', '+8613800138000'],
    ['010-6655 4433', '+861066554433'],
    ['+420 601 123 456', '+420601123456'],
  ])('the phone %s is %s', (value, kept) => {
    expect(Contact.parse({ kind: 'phone', value })).toStrictEqual({ kind: 'phone', value: kept });
  });
  it.each(['call me', '1380013800O', '12345', '+86', '', '+123456789012345678'])('the phone “%s” is refused at its value', (value) => {
    expect(wrongIn(Contact, { kind: 'phone', value })).toMatchObject([['value', expect.any(String)]]);
    expect(wrongIn(addContact.body, { kind: 'phone', value })).toMatchObject([['value', expect.any(String)]]);
  });
  it('an e-mail address is one, an address is one line', () => {
    expect(wrongIn(Contact, { kind: 'e-mail', value: ' wang@example.com ' })).toStrictEqual([]);
    expect(wrongIn(Contact, { kind: 'e-mail', value: 'wang@' })).toHaveLength(1);
    expect(wrongIn(Contact, { kind: 'address', value: '北京市朝阳区\n1号' })).toHaveLength(1);
  });
  it('told by a core system is kept as it came where it does not fit', () => {
    expect(ReportedContact.parse({ kind: 'phone', value: ' 13800138000 ' })).toStrictEqual({ kind: 'phone', value: '+8613800138000' });
    expect(ReportedContact.parse({ kind: 'phone', value: 'ask at desk' })).toStrictEqual({ kind: 'phone', value: 'ask at desk' });
  });
});

describe('a name', () => {
  it('is trimmed and composed, and counts as many characters as a reader sees', () => {
    expect(PersonOrFirmName.parse('  Jose\u0301 ')).toBe('José');
    expect(wrongIn(PersonOrFirmName, '👨‍👩‍👧‍👦'.repeat(100))).toStrictEqual([]);
    expect(wrongIn(PersonOrFirmName, '王'.repeat(101))).toHaveLength(1);
  });
  it.each([
    ['', 'empty'],
    [' \t ', 'empty'],
    ['王\n小明', 'control character'],
    ['王\u0007', 'control character'],
  ])('%j is refused with what would be right', (name, said) => {
    expect(wrongIn(PersonOrFirmName, name)).toStrictEqual([['', expect.stringContaining(said)]]);
  });
  it('is asked for where it is missing', () => {
    expect(wrongIn(registerCustomer.body, { kind: 'person' })).toMatchObject([['name', expect.stringContaining('missing')]]);
  });
  it('is the same in another width, case or spacing, and another where a character is', () => {
    expect(comparableName('ＬＩ　Wei')).toBe(comparableName('li wei'));
    expect(comparableName('买买提·艾力')).toBe(comparableName('买买提艾力'));
    expect(comparableName('王小明')).not.toBe(comparableName('王晓明'));
  });
});

describe('a tag', () => {
  it('has one spelling', () => {
    expect(Tag.parse('  ＶＩＰ   Gold ')).toBe('vip gold');
    expect(tagCustomer.body.parse({ tag: '高 净值' })).toStrictEqual({ tag: '高 净值' });
  });
  it.each(['', '   ', 'x'.repeat(65), 'a\u0007b'])('%j is refused', (tag) => {
    expect(wrongIn(Tag, tag)).toHaveLength(1);
  });
});
