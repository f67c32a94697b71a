// Search over personal text without keeping it: each word, and each pair of neighbouring Chinese, Japanese or Korean characters,
// becomes a number under a secret key (HMAC-SHA-256 cut to 63 bits, so that it fits a bigint). Equal words give equal numbers.
import { createHmac } from 'node:crypto';

export interface SearchTokens {
  /** The tokens of a text that is kept, as decimal strings, each once. */
  readonly tokens: (text: string) => readonly string[];
  /** The tokens that a row must all have to match: the same words, in any order. Empty where the text has no word. */
  readonly queryTokens: (text: string) => readonly string[];
}

const WORDS = /[\p{L}\p{N}\p{M}]+/gu;
// Written without spaces between words.
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]+|[^\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]+/gu;
const IS_UNSPACED = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;
const PLAIN = /^[\x20-\x7e\s]*$/;
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
  const tokens = (text: string): readonly string[] => [...new Set(terms(text))].map(tokenOf);
  return { tokens, queryTokens: tokens };
}

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
