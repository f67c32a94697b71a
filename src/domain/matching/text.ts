// How alike two short texts are: slips of the keyboard counted, and letters that are there in another order.

/** Slips from one to the other: a character too many, too few, another one, or two neighbours changed about; more than `most` is told as `most + 1`. */
export function slips(one: string, other: string, most = 2): number {
  if (one === other) return 0;
  if (Math.abs(one.length - other.length) > most) return most + 1;
  let before: number[] = [];
  let above = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let row = 1; row <= one.length; row += 1) {
    const line = [row];
    let least = row;
    for (let column = 1; column <= other.length; column += 1) {
      const isSame = one[row - 1] === other[column - 1];
      let cost = Math.min((above[column] ?? 0) + 1, (line[column - 1] ?? 0) + 1, (above[column - 1] ?? 0) + (isSame ? 0 : 1));
      if (row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1])
        cost = Math.min(cost, (before[column - 2] ?? 0) + 1);
      line.push(cost);
      if (cost < least) least = cost;
    }
    if (least > most) return most + 1;
    before = above;
    above = line;
  }
  return Math.min(above[other.length] ?? 0, most + 1);
}

/** Jaro and Winkler's measure: 1 for equal texts, 0 for those that share no letter nearby; a common beginning counts more. */
export function alike(one: string, other: string): number {
  if (one === other) return 1;
  const reach = Math.max(0, Math.floor(Math.max(one.length, other.length) / 2) - 1);
  const taken = new Set<number>();
  const common: string[] = [];
  for (let index = 0; index < one.length; index += 1) {
    for (let at = Math.max(0, index - reach); at <= Math.min(other.length - 1, index + reach); at += 1) {
      if (taken.has(at) || other[at] !== one[index]) continue;
      taken.add(at);
      common.push(one[index] as string);
      break;
    }
  }
  if (common.length === 0) return 0;
  const inOther = [...taken].sort((first, second) => first - second).map((at) => other[at]);
  const moved = common.filter((letter, index) => letter !== inOther[index]).length / 2;
  const jaro = (common.length / one.length + common.length / other.length + (common.length - moved) / common.length) / 3;
  let prefix = 0;
  while (prefix < 4 && prefix < one.length && one[prefix] === other[prefix]) prefix += 1;
  return jaro + prefix * 0.1 * (1 - jaro);
}

const MARKS = /\p{M}+/gu;
const LETTERS: Readonly<Record<string, string>> = { ß: 'ss', ø: 'o', ł: 'l', đ: 'd', ð: 'd', þ: 'th', æ: 'ae', œ: 'oe', ı: 'i' };
const UNCOMPOSED = /[ßøłđðþæœı]/g;

/** Lower case, without width and diacritics. */
export function folded(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .normalize('NFD')
    .replace(MARKS, '')
    .replace(UNCOMPOSED, (letter) => LETTERS[letter] ?? letter)
    .normalize('NFC');
}

/** How a Latin word sounds, roughly (Soundex: the first letter and three digits). */
export function soundOf(word: string): string {
  let sound = word.charAt(0);
  let last = CODES[sound] ?? '';
  for (const letter of word.slice(1)) {
    const code = CODES[letter];
    if (code === undefined) {
      // h and w stand between letters of one sound without parting them.
      if (letter !== 'h' && letter !== 'w') last = '';
      continue;
    }
    if (code !== last) sound += code;
    last = code;
    if (sound.length === 4) break;
  }
  return sound.padEnd(4, '0');
}

const CODES: Readonly<Record<string, string>> = Object.fromEntries(
  ['bfpv', 'cgjkqsxz', 'dt', 'l', 'mn', 'r'].flatMap((letters, index) => [...letters].map((letter) => [letter, String(index + 1)])),
);
