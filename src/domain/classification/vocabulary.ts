// The words for classification: codes of dimensions and their values, who may give a value, and the dimensions that rules name.
import { z } from 'zod';

/** Small letters, digits and -: `value-tier`. Part of a stream's name. */
export const DimensionCode = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,39}$/, 'a dimension’s code: small letters, digits and -, a letter first, at most 40');

/** `diamond`, `C3`. */
export const ValueCode = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,39}$/, 'a value’s code: letters, digits and -, at most 40');

/** Who may give a value of a dimension by hand. */
export const Assigner = z.enum(['rm', 'teller', 'agent', 'risk', 'operations']);
export type Assigner = z.output<typeof Assigner>;

/** Who may read a customer's value of a dimension. */
export const ClassReader = z.enum(['rm', 'teller', 'agent', 'risk', 'operations', 'auditor']);
export type ClassReader = z.output<typeof ClassReader>;

/** Why a day came: the first rating that a new customer must have, or the review of one that stands. */
export const DueKind = z.enum(['first-rating', 'review']);
export type DueKind = z.output<typeof DueKind>;

export const AML_GRADE = 'aml-grade';
export const INVESTOR_TOLERANCE = 'investor-tolerance';
export const VALUE_TIER = 'value-tier';
/** Months below the tier, not enough of them to lose it (关注客户). */
export const TIER_WATCH = 'tier-watch';
export const WATCHED = 'watched';
