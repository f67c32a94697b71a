// The words for what customers hold.
import { z } from 'zod';

/** Who stands to an account how. A mandate lets act on it and owns nothing; it is never read as kinship. */
export const OwnershipRole = z.enum(['owner', 'joint-owner', 'mandate']);
export type OwnershipRole = z.output<typeof OwnershipRole>;

export const AccountStatus = z.enum(['open', 'dormant', 'frozen', 'closed']);
export const LoanStatus = z.enum(['running', 'in-debt', 'finished', 'finished-unpaid']);
export const CardStatus = z.enum(['active', 'blocked', 'expired', 'cancelled']);
export const OrderStatus = z.enum(['active', 'suspended', 'ended']);

/** In the account holder's sight: money in is a credit. */
export const Direction = z.enum(['credit', 'debit']);
export type Direction = z.output<typeof Direction>;

/** ISO 4217. */
export const Currency = z.string().regex(/^[A-Z]{3}$/, 'three capital letters by ISO 4217, such as CNY');

/** Minor units of the currency (fen, haléř), whole. */
export const Amount = z.int();
export const PositiveAmount = z.int().nonnegative();
