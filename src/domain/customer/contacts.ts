// Ways to reach someone: each kind's one spelling. Staff's entries are checked; a feed's are kept as they come where they don't fit.
import { z } from 'zod';
import { ContactKind } from './vocabulary.ts';

const MAX_ADDRESS = 500;
const MAX_WECHAT = 64;
const EMail = z.email();

type Checked = { readonly value: string } | { readonly wrong: string };

export const contactShape = { kind: ContactKind, value: z.string().max(1_000) };

/** As staff enter it: checked and spelt one way. */
export const Contact = z.strictObject(contactShape).transform((contact, context) => ({ ...contact, value: checkedValue(contact, context) }));

/** As a core system has it. */
export const ReportedContact = z.strictObject(contactShape).transform(({ kind, value }) => {
  const checked = check(kind, value);
  return { kind, value: 'value' in checked ? checked.value : value.trim() };
});

/** The value's one spelling; an issue at `value` where it is none. */
export function checkedValue({ kind, value }: { readonly kind: ContactKind; readonly value: string }, context: z.RefinementCtx): string {
  const checked = check(kind, value);
  if ('value' in checked) return checked.value;
  context.addIssue({ code: 'custom', path: ['value'], message: checked.wrong });
  return z.NEVER;
}

function check(kind: ContactKind, text: string): Checked {
  const value = text.normalize('NFC').trim();
  if (value === '') return { wrong: 'empty: give the number or address' };
  if (/\p{Cc}/u.test(value)) return { wrong: 'holds a control character, such as a line break: give it on one line' };
  switch (kind) {
    case 'phone':
      return checkPhone(value);
    case 'e-mail':
      return EMail.safeParse(value).success ? { value } : { wrong: 'no e-mail address: it looks like name@example.com' };
    case 'address':
      return within(value, MAX_ADDRESS);
    case 'wechat':
      return within(value, MAX_WECHAT);
  }
}

function within(value: string, most: number): Checked {
  return [...value].length <= most ? { value } : { wrong: `longer than ${most} characters` };
}

/** E.164. A number without a country's code is one of China's. */
function checkPhone(text: string): Checked {
  const digits = text.normalize('NFKC').replace(/[\s\p{Pd}().·/]+/gu, '');
  if (!/^\+?\d+$/.test(digits)) return { wrong: 'a phone number has digits only, with + before a country’s code, such as +8613800138000' };
  if (/^1[3-9]\d{9}$/.test(digits)) return { value: `+86${digits}` };
  // A fixed line: 0, the area's code and the number.
  if (/^0[1-9]\d{8,10}$/.test(digits)) return { value: `+86${digits.slice(1)}` };
  const full = digits.startsWith('00') ? `+${digits.slice(2)}` : digits;
  if (/^\+[1-9]\d{6,14}$/.test(full)) return { value: full };
  return { wrong: 'no phone number: give a mobile’s 11 digits, a fixed line with its area’s code, or + with the country’s code' };
}
