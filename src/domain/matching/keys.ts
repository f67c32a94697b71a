// Blocking keys: two records of one party share one at least, nearly always, and few others do. So whoever is like a new customer is
// looked for among those that share a key, never among all. Each value gives keys of its own; what is kept of them is keyed tokens.
import { addressWords } from './address.ts';
import { chineseNameOf } from './chinese-name.ts';
import { firmCore } from './firm-name.ts';
import { wholeNames } from './nicknames.ts';
import { birthDateOnCard, latinWords, type PartyName } from './party.ts';
import { soundOf } from './text.ts';

/** By how two words of the name sound, and by how they end, in either order; of a firm by the beginning of what its legal form leaves; of one word, by it. */
export function nameKeys({ text, readings }: PartyName): readonly string[] {
  const forms = chineseNameOf(text) === undefined ? [text] : readings;
  const keys = forms.flatMap((form) => {
    const words = latinWords(form).filter((word) => word.length > 1);
    // A slip at the beginning changes the sound, one at the end the ending.
    const marks = words.slice(0, 5).map((word) => [...new Set([...wholeNames(word).map(soundOf), word.slice(-3)])]);
    return marks.flatMap((mine, index) =>
      marks.slice(index + 1).flatMap((theirs) => mine.flatMap((one) => theirs.map((other) => [one, other].sort().join(' ')))),
    );
  });
  const core = firmCore(text);
  return [...new Set([...keys, `firm ${[...core].slice(0, FIRM_KEY).join('')}`])];
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
