// Blocking keys: two records of one party share one at least, nearly always, and few others do. So whoever is like a new customer is
// looked for among those that share a key, never among all. Each value gives keys of its own; what is kept of them is keyed tokens.
import { addressWords } from './address.ts';
import { chineseNameOf } from './chinese-name.ts';
import { firmCore } from './firm-name.ts';
import { wholeNames } from './nicknames.ts';
import { birthDateOnCard, latinWords, type PartyName } from './party.ts';
import { soundOf } from './text.ts';

/**
 * At most so many are looked at of those that share a name key, or another one: whoever shares a name with more is told apart by what else
 * they share, and that has keys of its own.
 */
export const MOST_OF_A_KEY = { name: 60, other: 200 } as const;

/**
 * By two words of the name in either order: as they are written, as they sound and as they end, of a Chinese name its readings as they are,
 * since syllables that sound alike are other names. Of a firm by the beginning of what its legal form leaves; of one word, by it.
 */
export function nameKeys({ text, readings }: PartyName): readonly string[] {
  const isChinese = chineseNameOf(text) !== undefined;
  const keys = (isChinese ? readings : [text]).flatMap((form) => {
    const words = latinWords(form)
      .filter((word) => word.length > 1)
      .slice(0, 5);
    return words.flatMap((one, index) =>
      words.slice(index + 1).flatMap((other) => [
        [one, other].sort().join(' '),
        // A slip at the beginning changes the sound, one at the end the ending.
        ...(isChinese ? [] : [...soundPairs(one, other), [one.slice(-3), other.slice(-3)].sort().join('~')]),
      ]),
    );
  });
  const core = firmCore(text);
  return [...new Set([...keys, `firm ${[...core].slice(0, FIRM_KEY).join('')}`])];
}

function soundPairs(one: string, other: string): readonly string[] {
  const [mine, theirs] = [wholeNames(one).map(soundOf), wholeNames(other).map(soundOf)];
  return mine.flatMap((sound) => theirs.map((second) => [sound, second].sort().join('+')));
}

const FIRM_KEY = 8;

/** Of a date, or of an identity card, which holds one. Day and month changed about are one key. */
export function birthKeys(text: string): readonly string[] {
  const date = /^\d{4}-/.test(text) ? text : birthDateOnCard(text);
  if (date === undefined || !/^\d{4}-\d\d-\d\d$/.test(date)) return [];
  const [year, month = '', day = ''] = date.split('-');
  return [[year, ...[month, day].sort()].join('-')];
}

/** A number with the beginning of a word beside it: the house in its street. */
export function addressKeys(address: string): readonly string[] {
  const words = addressWords(address);
  const numbers = words.filter(({ word }) => /^\d/.test(word)).map(({ word }) => word);
  const names = words.filter(({ word, weight }) => !/^\d/.test(word) && (weight >= 1 || /\p{Script=Han}/u.test(word))).map(({ word }) => word);
  const name = names[0];
  return name === undefined ? [] : numbers.slice(0, 3).map((number) => `${number} ${[...name].slice(0, 4).join('')}`);
}
