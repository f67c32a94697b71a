// Search over personal text without keeping it: each word, and each pair of neighbouring Chinese, Japanese or Korean characters,
// becomes a number under a secret key (HMAC-SHA-256 cut to 63 bits, so that it fits a bigint). Equal words give equal numbers. Names
// (name-terms.ts) and exact values have numbers of their own, so that one never tells of another.
import { createHmac } from 'node:crypto';
import { addressKeys, birthKeys, nameKeys } from '../../domain/matching/keys.ts';
import { withReadings } from './name-readings.ts';
import { nameQueryTerms, nameTerms } from './name-terms.ts';
import type { TokenKind } from './projection.ts';

export interface SearchTokens {
  /** The tokens of a text that is kept, as decimal strings, each once; of words where no kind is given. */
  readonly tokens: (text: string, kind?: TokenKind) => readonly string[];
  /** The tokens that a row must all have to match: the same words, in any order. Empty where the text has no word. */
  readonly queryTokens: (text: string, kind?: TokenKind) => readonly string[];
}

const WORDS = /[\p{L}\p{N}\p{M}]+/gu;
// Written without spaces between words.
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]+|[^\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]+/gu;
const IS_UNSPACED = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;
const PLAIN = /^[\x20-\x7e\s]*$/;
const LEFT_ASIDE = /[\s().\p{Pd}]/gu;
const LONGEST_WORD = 64;
const REMEMBERED = 200_000;
const MASK_63 = (1n << 63n) - 1n;

/** @param key at least 32 bytes; another key gives other tokens, so a changed key is a rebuild */
export function createSearchTokens(key: Uint8Array): SearchTokens {
  if (key.length < 32) throw new RangeError('the key of the search tokens has at least 32 bytes');
  let remembered = new Map<string, string>();
  const tokenOf = (term: string): string => {
    let token = remembered.get(term);
    if (token === undefined) {
      token = (createHmac('sha256', key).update(term).digest().readBigUInt64BE(0) & MASK_63).toString();
      // Starting over is cheaper than an order of use, and common words are back at once.
      if (remembered.size >= REMEMBERED) remembered = new Map();
      remembered.set(term, token);
    }
    return token;
  };
  const tokensOf = (found: readonly string[]): readonly string[] => [...new Set(found)].map(tokenOf);
  return {
    tokens: (text, kind = 'words') => tokensOf(keptTerms[kind](text)),
    queryTokens: (text, kind = 'words') => tokensOf(queryTerms[kind](text)),
  };
}

// No word has a line feed, so the domains can't meet.
function named(found: readonly string[]): readonly string[] {
  return found.map((term) => `name\n${term}`);
}

/** The whole value, however it is spaced and cased: `(010) 6611-0000` and `01066110000` are one. */
function exact(text: string): readonly string[] {
  const value = text.normalize('NFKC').toUpperCase().replace(LEFT_ASIDE, '');
  return value === '' ? [] : [`exact\n${value}`];
}

const keptTerms: Readonly<Record<TokenKind, (text: string) => readonly string[]>> = {
  words: terms,
  names: (text) => named(nameTerms(text)),
  exact,
  'like-names': (text) => nameKeys(withReadings(text)).map((key) => `like-name\n${key}`),
  births: (text) => birthKeys(text).map((key) => `birth\n${key}`),
  places: (text) => addressKeys(text).map((key) => `place\n${key}`),
};
const queryTerms: typeof keptTerms = { ...keptTerms, names: (text) => named(nameQueryTerms(text)) };

/** Words in lower case, and pairs of neighbouring characters where a script has no spaces; a lone character stands for itself. */
export function terms(text: string): readonly string[] {
  const found: string[] = [];
  const plain = PLAIN.test(text);
  const normal = plain ? text.toLowerCase() : text.normalize('NFKC').toLowerCase();
  for (const word of normal.match(WORDS) ?? []) {
    if (plain) {
      found.push(word.slice(0, LONGEST_WORD));
      continue;
    }
    for (const part of word.match(UNSPACED) ?? []) {
      if (!IS_UNSPACED.test(part)) {
        found.push(part.slice(0, LONGEST_WORD));
        continue;
      }
      const characters = [...part];
      if (characters.length === 1) found.push(part);
      for (let index = 1; index < characters.length; index += 1) found.push(`${characters[index - 1]}${characters[index]}`);
    }
  }
  return found;
}
