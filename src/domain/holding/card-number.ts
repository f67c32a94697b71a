// How much of a card's number may be kept: the first six and the last four digits (PCI DSS 3.4).
const DIGITS = /^\d{12,19}$/;
const MASKED = /^\d{6}[*xX•.]{1,9}\d{4}$/;

/** A whole number is reduced, one that is masked already is kept; both in one form, `622202******1234`. Anything else stays as it is. */
export function maskedCardNumber(text: string): string {
  const bare = text.replace(/[\s-]/g, '');
  return DIGITS.test(bare) || MASKED.test(bare) ? bare.slice(0, 6) + '*'.repeat(bare.length - 10) + bare.slice(-4) : text;
}

/** Whether nothing more of it stands there than may be kept. */
export function isMaskedCardNumber(text: string): boolean {
  return /^\d{6}\*{1,9}\d{4}$/.test(text);
}
