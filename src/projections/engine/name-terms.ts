// The terms by which a name is found: its words without diacritics; of a Chinese name each character, each pair of neighbours, and its
// pinyin by syllables, joined and by initials, read as a name (单 is shan) and as plain text (dan). `v` stands for ü.
import { pinyin } from 'pinyin-pro';

const HAN = /\p{Script=Han}+/gu;
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]+/gu;
const WORDS = /[\p{L}\p{N}\p{M}]+/gu;
// Between the parts of one name, as in 阿卜杜拉·买买提.
const JOINTS = /(?<=\p{Script=Han})[\s·•‧・.]+(?=\p{Script=Han})/gu;
const MARKS = /\p{M}+/gu;
const PINYIN_U = /(?<=[ln])ü/g;
// Letters that no normal form takes apart.
const LETTERS: Readonly<Record<string, string>> = { ß: 'ss', ø: 'o', ł: 'l', đ: 'd', ð: 'd', þ: 'th', æ: 'ae', œ: 'oe', ı: 'i' };
const UNCOMPOSED = /[ßøłđðþæœı]/g;
const LONGEST_WORD = 64;
// Of a person's name every stretch of syllables may be looked for as one word; of a longer one, a firm's, shorter stretches.
const LONGEST_PERSON = 8;
const LONGEST_STRETCH = 4;

/** What a kept name is found by. */
export function nameTerms(name: string): readonly string[] {
  const normal = lowered(name).replace(JOINTS, '');
  const found: string[] = [];
  for (const run of normal.match(UNSPACED) ?? []) found.push(...run, ...pairs(run));
  for (const run of normal.match(HAN) ?? []) found.push(...pinyinTerms(run));
  for (const word of spacedWords(normal)) found.push(folded(word), folded(word.replace(PINYIN_U, 'v')));
  return found.map(cut);
}

/** What a name must all have to match: pairs of characters, or the one there is; words, syllables, joined syllables or initials. */
export function nameQueryTerms(text: string): readonly string[] {
  const normal = lowered(text);
  const found: string[] = [];
  for (const run of normal.match(UNSPACED) ?? []) found.push(...([...run].length === 1 ? [run] : pairs(run)));
  for (const word of spacedWords(normal)) found.push(folded(word.replace(PINYIN_U, 'v')));
  return found.map(cut);
}

function lowered(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}

function spacedWords(normal: string): readonly string[] {
  return normal.replace(UNSPACED, ' ').match(WORDS) ?? [];
}

function folded(word: string): string {
  return word
    .normalize('NFD')
    .replace(MARKS, '')
    .replace(UNCOMPOSED, (letter) => LETTERS[letter] ?? letter);
}

function pairs(run: string): string[] {
  const characters = [...run];
  return characters.slice(1).map((character, index) => `${characters[index]}${character}`);
}

function pinyinTerms(run: string): string[] {
  const asName = pinyin(run, { surname: 'head', toneType: 'none', type: 'array', v: true });
  const asText = pinyin(run, { toneType: 'none', type: 'array', v: true });
  const readings = asName.join(' ') === asText.join(' ') ? [asName] : [asName, asText];
  return readings.flatMap((syllables) => {
    const joined = stretches(syllables).map((stretch) => stretch.join(''));
    const passport = joined.filter((term) => term.includes('v')).map((term) => term.replaceAll('v', 'yu'));
    return [...joined, ...passport, syllables.map(([initial]) => initial).join('')];
  });
}

/** The whole, each syllable, and what lies between. */
function stretches(syllables: readonly string[]): readonly (readonly string[])[] {
  const longest = syllables.length <= LONGEST_PERSON ? syllables.length : LONGEST_STRETCH;
  const found = [syllables];
  for (let length = 1; length <= longest; length += 1)
    for (let from = 0; from + length <= syllables.length; from += 1) found.push(syllables.slice(from, from + length));
  return found;
}

function cut(term: string): string {
  return term.slice(0, LONGEST_WORD);
}
