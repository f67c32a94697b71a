// How old a customer is, as far as the bank knows: from a birth date, or from an identity card, whose 7th to 14th digits are one (GB 11643).
import type { AgeKnown } from './vocabulary.ts';

/** 个人信息保护法 art. 31: below it a guardian consents. Years. */
export const AGE_OF_CONSENT = 14;

/** `YYYY-MM-DD` of what is a birth date or an identity card's number; undefined where it is none. */
export function birthDateIn(text: string): string | undefined {
  const digits = /^\d{17}[\dX]$/.test(text) ? text.slice(6, 14).replace(/^(\d{4})(\d\d)(\d\d)$/, '$1-$2-$3') : text;
  if (!/^\d{4}-\d\d-\d\d$/.test(digits)) return undefined;
  try {
    return Temporal.PlainDate.from(digits, { overflow: 'reject' }).toString();
  } catch {
    return undefined;
  }
}

/** @param today `YYYY-MM-DD` on the bank's clock */
export function ageKnown(birthDate: string | undefined, today: string): AgeKnown {
  if (birthDate === undefined || birthDate > today) return 'unknown';
  return Temporal.PlainDate.from(birthDate).add({ years: AGE_OF_CONSENT }).toString() > today ? 'under-14' : 'of-age';
}
