// What remains of a personal value for those who do the bank's work with it and need not know it: enough to tell that it is the right
// one, too little to use it. A value too short for its mask is hidden whole.

/** What kind of value it is; `hidden` leaves nothing of it, `none` is of nothing personal. */
export type MaskKind = 'none' | 'name' | 'phone' | 'document' | 'e-mail' | 'address' | 'number' | 'wechat' | 'birth-date' | 'hidden';

/** Operations and the call centre see masked values; whoever else sees a customer sees them plain. */
export function isMasked(role: string): boolean {
  return role === 'operations' || role === 'agent';
}

/** The value as it is shown masked; null where nothing of it is. */
export function masked(kind: MaskKind, value: string): string | null {
  const text = value.trim();
  switch (kind) {
    case 'name':
      return [...text].length > 1 ? `${first(text)}*` : '*';
    case 'phone':
      return maskedPhone(text);
    case 'document':
      return text.length >= 11 ? `${text.slice(0, 3)}${'*'.repeat(text.length - 7)}${text.slice(-4)}` : lastFour(text);
    case 'e-mail': {
      const at = text.lastIndexOf('@');
      return at > 0 ? `${first(text)}***${text.slice(at)}` : '***';
    }
    case 'address':
      return `${districtOf(text)}***`;
    case 'number':
      return text.length >= 14 ? `${text.slice(0, 6)}${'*'.repeat(text.length - 10)}${text.slice(-4)}` : lastFour(text);
    case 'wechat':
      return `${first(text)}***`;
    case 'birth-date':
      return /^\d{4}-/.test(text) ? `${text.slice(0, 4)}-**-**` : null;
    case 'none':
      return value;
    case 'hidden':
      return null;
  }
}

/** The mask of a contact by its kind. */
export function contactMask(kind: string): MaskKind {
  return kind === 'phone' || kind === 'e-mail' || kind === 'address' || kind === 'wechat' ? kind : 'hidden';
}

/** One character as a reader sees it, not half of one. */
function first(text: string): string {
  return [...text][0] ?? '';
}

/** China's numbers keep their operator's three digits behind the country's code. */
function maskedPhone(text: string): string {
  const country = /^\+86(?=1\d{10}$)/.exec(text)?.[0] ?? '';
  const number = text.slice(country.length);
  return number.length >= 11 ? `${country}${number.slice(0, 3)}****${number.slice(-4)}` : lastFour(number);
}

function lastFour(text: string): string {
  return text.length >= 8 ? `****${text.slice(-4)}` : '****';
}

/** A Chinese address up to its district or city, another's first part. */
function districtOf(address: string): string {
  const district = /^.{0,40}?(?:区|县|旗)/u.exec(address)?.[0] ?? /^.{0,20}?市/u.exec(address)?.[0];
  if (district !== undefined) return district;
  const comma = address.indexOf(',');
  return comma > 0
    ? address
        .slice(0, comma)
        .replace(/\d+[A-Za-z]?/g, '')
        .trim()
    : '';
}
