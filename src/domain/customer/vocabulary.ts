// The words for parties and customers.
import { z } from 'zod';

export const PartyKind = z.enum(['person', 'organisation']);
export type PartyKind = z.output<typeof PartyKind>;

/** A prospect is a party that the bank has no relationship with yet; only customers are counted and rated. */
export const Standing = z.enum(['prospect', 'customer']);
export type Standing = z.output<typeof Standing>;

export const DocumentType = z.enum(['identity-card', 'passport', 'residence-permit', 'military-id', 'business-licence', 'other']);
export type DocumentType = z.output<typeof DocumentType>;

export const ContactKind = z.enum(['phone', 'e-mail', 'address', 'wechat']);
export type ContactKind = z.output<typeof ContactKind>;

export const Sex = z.enum(['female', 'male']);
export type Sex = z.output<typeof Sex>;

/** ISO 3166-1 alpha-2. */
export const Country = z.string().regex(/^[A-Z]{2}$/, 'two capital letters by ISO 3166-1, such as CN');

/** A branch by the bank's own code. */
export const BranchCode = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/, 'a branch code: letters, digits and ._-, at most 32');
