// The words for how parties stand to one another.
import { z } from 'zod';

/** `shareholder`, `same-address`: a type of relation, or how its other end reads. */
export const RelationTypeName = z
  .string()
  .regex(/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/, 'small letters and digits, words joined by -, a letter first, such as trade-partner')
  .max(50);

/** What the share is of: the capital, the profits, or the votes. */
export const ShareBasis = z.enum(['equity', 'income', 'voting']);
export type ShareBasis = z.output<typeof ShareBasis>;

/** Who says so. */
export const RelationSource = z.enum(['customer', 'document', 'registry', 'public-record', 'other-bank', 'staff']);

/** How it was checked. */
export const ProofMethod = z.enum([
  'registry',
  'company-documents',
  'identity-documents',
  'site-visit',
  'customer-statement',
  'public-record',
  'third-party',
]);
export type ProofMethod = z.output<typeof ProofMethod>;

export const OwnerBasis = z.enum(['equity', 'income', 'voting', 'control', 'manager']);
export type OwnerBasis = z.output<typeof OwnerBasis>;

const PERCENT = /^(?:100(?:\.0{1,6})?|[1-9]?\d(?:\.\d{1,6})?)$/;

/** More than 0, at most 100, with up to six decimals; kept as exact decimal text without zeros at its end. */
export const Percent = z
  .string()
  .refine(
    (text) => PERCENT.test(text) && /[1-9]/.test(text),
    'a percentage as text, more than 0 and at most 100, with up to six decimals, such as "33.5"',
  )
  .transform((text) => (text.includes('.') ? text.replace(/\.?0+$/, '') : text));
