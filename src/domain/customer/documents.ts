// Identity documents: their numbers' one spelling, and the checks that the standards allow. Staff's entries must pass them; a feed's
// are kept as they come, because what a core system holds is a fact.
import { z } from 'zod';
import { Country, DocumentType } from './vocabulary.ts';

const MAX_NUMBER = 64;

/** Width, case, spaces, dashes and what nobody sees don't count. */
export function documentNumberOf(text: string): string {
  return text
    .normalize('NFKC')
    .toUpperCase()
    .replace(/[\s\p{Pd}\p{Cf}]+/gu, '');
}

const shape = { type: DocumentType, country: Country.optional(), expiresOn: z.iso.date().optional() };

export const documentShape = { ...shape, number: z.string().max(200).transform(documentNumberOf) };

/** As staff enter it: checked. */
export const IdentityDocument = z.strictObject(documentShape).superRefine(checkDocument);
export type IdentityDocument = z.output<typeof IdentityDocument>;

/** An issue at `number` where it is none. */
export function checkDocument({ type, number, country = 'CN' }: ClaimedDocument, context: z.RefinementCtx): void {
  const wrong = wrongIn(type, country, number);
  if (wrong !== undefined) context.addIssue({ code: 'custom', path: ['number'], message: wrong });
}

/** As a core system has it: its spelling is ours, nothing is refused for its check character. */
export const ReportedDocument = z.strictObject({ ...shape, number: z.string().min(1).max(200).transform(documentNumberOf) });

/** The documents of one customer as staff enter them, each once. */
export const IdentityDocuments = z.array(IdentityDocument).superRefine((documents, context) => {
  const seen = new Set<string>();
  for (const [index, { value }] of documentClaims(documents).entries()) {
    if (seen.has(value)) context.addIssue({ code: 'custom', path: [index, 'number'], message: 'there already: give each document once' });
    seen.add(value);
  }
});

interface DocumentClaim {
  readonly kind: 'document';
  readonly value: string;
}

/** What makes a document the same. */
export interface ClaimedDocument {
  readonly type: DocumentType;
  readonly number: string;
  readonly country?: string | undefined;
}

/** The claims that go with documents, in their order: one customer a document. What a core system left empty claims nothing. */
export function documentClaims(documents: readonly ClaimedDocument[] | undefined): readonly DocumentClaim[] {
  return (documents ?? []).flatMap(({ type, number, country = 'CN' }) =>
    number === '' ? [] : [{ kind: 'document' as const, value: `${type}|${country}|${number}` }],
  );
}

/** What is wrong with a number and what would be right, without the number; undefined where nothing is. */
function wrongIn(type: DocumentType, country: string, number: string): string | undefined {
  if (!/[\p{L}\p{N}]/u.test(number)) return 'empty: give the number as the document has it';
  if (/\p{Cc}/u.test(number)) return 'holds a control character: give the number as the document has it';
  if ([...number].length > MAX_NUMBER) return `longer than ${MAX_NUMBER} characters: give the number alone`;
  if (country !== 'CN') return undefined;
  if (type === 'identity-card') return wrongInIdentityCard(number);
  if (type === 'business-licence') return wrongInCreditCode(number);
  return undefined;
}

// Old codes live on, so only the province is looked at; 9 is a foreigner's permanent residence card.
const PROVINCE = /^(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|9\d)/;
const CARD_WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

/** GB 11643-1999. */
function wrongInIdentityCard(number: string): string | undefined {
  if (!/^\d{17}[\dX]$/.test(number)) return 'an identity card has 18 characters: 17 digits, and a digit or X at the end';
  if (!PROVINCE.test(number)) return 'its first two digits are no province: look at the card again';
  if (!isDate(number.slice(6, 14))) return 'its 7th to 14th digits are no date of birth: look at the card again';
  const sum = CARD_WEIGHTS.reduce((total, weight, index) => total + weight * Number(number[index]), 0);
  if ('10X98765432'[sum % 11] !== number[17]) return 'its last character does not fit the others (GB 11643): look at the card again';
  return undefined;
}

const CREDIT_ALPHABET = '0123456789ABCDEFGHJKLMNPQRTUWXY';
const CREDIT_WEIGHTS = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];

/** 统一社会信用代码, GB 32100-2015. */
function wrongInCreditCode(number: string): string | undefined {
  if (!/^[0-9A-HJ-NPQRTUWXY]{18}$/.test(number))
    return 'a unified social credit code has 18 characters: digits and capital letters without I, O, S, V and Z';
  const sum = CREDIT_WEIGHTS.reduce((total, weight, index) => total + weight * CREDIT_ALPHABET.indexOf(number.charAt(index)), 0);
  if (CREDIT_ALPHABET[(31 - (sum % 31)) % 31] !== number[17])
    return 'its last character does not fit the others (GB 32100): look at the licence again';
  return undefined;
}

function isDate(digits: string): boolean {
  return z.iso.date().safeParse(`${digits.slice(0, 4)}-${digits.slice(4, 6)}-${digits.slice(6)}`).success;
}
