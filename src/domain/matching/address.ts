// Addresses as words with a weight: numbers and names of streets and places tell, what every address has does not. Chinese ones go by
// their numbers and by pairs of neighbouring characters.
import { folded, slips } from './text.ts';

export interface WeighedWord {
  readonly word: string;
  readonly weight: number;
}

/** What stands in many addresses, in short and in full. */
const COMMON = new Set(
  `street st road rd avenue ave av place pl crescent cres cr court ct drive dr close cl circuit cct lane ln way terrace tce tc parade pde
   boulevard blvd highway hwy square sq grove gr unit flat apt apartment no number the po box floor level suite room north south east west n s e w`.split(
    /\s+/,
  ),
);
const HAN = /\p{Script=Han}+/gu;
const WORDS = /[\p{L}\p{N}]+/gu;
const NUMBER_WEIGHT = 1.2;
const PAIR_WEIGHT = 0.4;
const SHORT_WEIGHT = 0.4;

export function addressWords(text: string): readonly WeighedWord[] {
  const plain = folded(text);
  const found = new Map<string, number>();
  for (const run of plain.match(HAN) ?? []) {
    const characters = [...run];
    for (let index = 1; index < characters.length; index += 1) found.set(`${characters[index - 1]}${characters[index]}`, PAIR_WEIGHT);
  }
  for (const word of plain.replace(HAN, ' ').match(WORDS) ?? [])
    if (!COMMON.has(word)) found.set(word, /^\d/.test(word) ? NUMBER_WEIGHT : word.length <= 3 ? SHORT_WEIGHT : 1);
  return [...found].map(([word, weight]) => ({ word, weight }));
}

export interface AddressLikeness {
  /** From 0 to 1: the weight of what both have, a slip of the keyboard forgiven. */
  readonly share: number;
  /** That weight itself. */
  readonly weight: number;
}

export function addressLikeness(one: readonly WeighedWord[], other: readonly WeighedWord[]): AddressLikeness {
  const left = [...other];
  let shared = 0;
  for (const { word, weight } of one) {
    let at = left.findIndex((candidate) => candidate.word === word);
    let share = 1;
    if (at < 0) {
      at = left.findIndex((candidate) => isSlip(candidate.word, word));
      share = SLIP_SHARE;
    }
    if (at < 0) continue;
    shared += ((weight + (left[at]?.weight ?? 0)) / 2) * share;
    left.splice(at, 1);
  }
  const [mine, theirs] = [weightOf(one), weightOf(other)];
  const whole = (2 * shared) / (mine + theirs);
  // One of the two may say less: a street without its town.
  const lesser = shared / Math.min(mine, theirs);
  const share = Math.min(1, (whole + Math.max(whole, Math.min(one.length, other.length) >= 3 ? lesser : 0)) / 2);
  return { share, weight: shared };
}

const SLIP_SHARE = 0.8;

function isSlip(one: string, other: string): boolean {
  const length = Math.min(one.length, other.length);
  if (/^\d/.test(one) !== /^\d/.test(other)) return false;
  if (/^\d/.test(one)) return Math.max(one.length, other.length) >= 4 && length >= 3 && slips(one, other, 1) <= 1;
  return length >= 4 && slips(one, other, 2) <= (length >= 7 ? 2 : 1);
}

function weightOf(words: readonly WeighedWord[]): number {
  return words.reduce((sum, { weight }) => sum + weight, 0);
}
