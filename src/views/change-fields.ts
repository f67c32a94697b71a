// What a change of a history shows of before and after, still sealed.
import type { MaskKind } from '../domain/customer/masks.ts';

/** A value on its way out: sealed lines with how they are masked, and plain values. */
export type Field = { readonly line: string | null; readonly mask: MaskKind } | { readonly plain: unknown };
export type Fields = ReadonlyMap<string, readonly Field[] | Field>;

export const noFields: Fields = new Map();
