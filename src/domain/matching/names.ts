// How two names compare: in Chinese characters, in Latin letters in any order, or one by its pinyin with the other.
import { isNickname } from './nicknames.ts';
import type { ComparableName } from './party.ts';
import { alike, slips } from './text.ts';
import { nameWeights as weights } from './weights.ts';

export interface NameEvidence {
  readonly bits: number;
  /** Null where nothing can be said of it. */
  readonly words: string;
  /** The surname is the same, the given name another: siblings, or a parent and a child. */
  readonly isOtherGiven: boolean;
}

/** The pair of names that fits best; undefined where one has none. */
export function compareNames(
  ones: readonly ComparableName[],
  others: readonly ComparableName[],
  kind: 'person' | 'organisation',
): NameEvidence | undefined {
  let best: NameEvidence | undefined;
  for (const one of ones)
    for (const other of others) {
      const evidence = kind === 'organisation' ? compareFirms(one.whole, other.whole) : comparePersons(one, other);
      if (evidence && (best === undefined || evidence.bits > best.bits)) best = evidence;
    }
  return best;
}

function comparePersons(one: ComparableName, other: ComparableName): NameEvidence | undefined {
  if (one.chinese && other.chinese) return compareChinese(one, other);
  const isReading = one.chinese !== undefined || other.chinese !== undefined;
  let best: NameEvidence | undefined;
  for (const mine of one.latin)
    for (const theirs of other.latin) {
      const evidence = compareLatin(mine, theirs, isReading);
      if (best === undefined || evidence.bits > best.bits) best = evidence;
    }
  if (best === undefined || !isReading) return best;
  return {
    ...best,
    bits: best.bits > 0 ? best.bits * weights.readingShare : best.bits,
    words: best.bits > 0 ? 'the name by its pinyin' : best.words,
  };
}

function compareChinese(one: ComparableName, other: ComparableName): NameEvidence {
  const [mine, theirs] = [one.chinese, other.chinese] as [{ surname: string; given: string }, { surname: string; given: string }];
  const isSurname = mine.surname === theirs.surname;
  if (isSurname && mine.given === theirs.given)
    return said(weights.surname + weights.givenCharacter * Math.min(2, [...mine.given].length), 'the same name');
  const sounds = new Set(one.latin.map((words) => words.join(' ')));
  if (other.latin.some((words) => sounds.has(words.join(' ')))) return said(weights.sameSound, 'a name that sounds the same');
  if (!isSurname) return said(mine.given === theirs.given && [...mine.given].length > 1 ? weights.other / 2 : weights.other, 'another name');
  const [short, long] = [[...mine.given], [...theirs.given]].sort((first, second) => first.length - second.length) as [string[], string[]];
  const shared = short.filter((character) => long.includes(character)).length;
  const isNear = long.length > 1 && shared > 0;
  return { bits: isNear ? weights.oneCharacter : weights.otherGiven, words: 'the same surname, another given name', isOtherGiven: true };
}

/** Word by word, whatever the order; two words of one may be one of the other. */
function compareLatin(one: readonly string[], other: readonly string[], isReading: boolean): NameEvidence {
  let best = pairUp(one, other, isReading);
  if (one.length !== other.length) {
    const [long, short] = one.length > other.length ? [one, other] : [other, one];
    for (let at = 1; at < long.length; at += 1) {
      const joined = [...long.slice(0, at - 1), `${long[at - 1]}${long[at]}`, ...long.slice(at + 1)];
      const evidence = pairUp(joined, short, isReading);
      if (evidence.bits > best.bits) best = evidence;
    }
  }
  return best;
}

interface Fit {
  readonly mine: number;
  readonly theirs: number;
  readonly bits: number;
  readonly how: 'same' | 'nickname' | 'slip' | 'like' | 'initial';
}

function pairUp(one: readonly string[], other: readonly string[], isReading: boolean): NameEvidence {
  const fits: Fit[] = [];
  for (const [mine, word] of one.entries())
    for (const [theirs, candidate] of other.entries()) {
      const fit = fitOf(word, candidate, isReading);
      if (fit) fits.push({ mine, theirs, ...fit });
    }
  fits.sort((first, second) => second.bits - first.bits);
  const [usedMine, usedTheirs] = [new Set<number>(), new Set<number>()];
  const taken = fits.filter(({ mine, theirs }) => {
    if (usedMine.has(mine) || usedTheirs.has(theirs)) return false;
    usedMine.add(mine);
    usedTheirs.add(theirs);
    return true;
  });
  const conflicts = Math.min(one.length - taken.length, other.length - taken.length);
  const extra = Math.abs(one.length - other.length);
  const bits = taken.reduce((sum, fit) => sum + fit.bits, 0) + conflicts * weights.latinOther + extra * weights.latinExtra;
  if (conflicts > 0) return { bits, words: taken.length > 0 ? 'one name the same, another not' : 'another name', isOtherGiven: taken.length > 0 };
  return said(bits, inWords(taken, one.length !== other.length));
}

function fitOf(one: string, other: string, isReading: boolean): Pick<Fit, 'bits' | 'how'> | undefined {
  if (one === other) return one.length === 1 ? { bits: weights.latinInitial, how: 'initial' } : { bits: weights.latinWord, how: 'same' };
  if (one.length === 1 || other.length === 1) return one[0] === other[0] ? { bits: weights.latinInitial, how: 'initial' } : undefined;
  if (isNickname(one, other)) return { bits: weights.latinNickname, how: 'nickname' };
  const length = Math.min(one.length, other.length);
  const count = slips(one, other, 2);
  // Another syllable is another name.
  if (isReading) return count === 1 && length >= 5 ? { bits: weights.latinSlip, how: 'slip' } : undefined;
  if ((count === 1 && length >= 3) || (count === 2 && length >= 6)) return { bits: weights.latinSlip, how: 'slip' };
  const likeness = alike(one, other);
  if (likeness >= 0.92) return { bits: weights.latinSlip, how: 'slip' };
  return likeness >= 0.84 ? { bits: weights.latinLike, how: 'like' } : undefined;
}

function inWords(taken: readonly Fit[], isShorter: boolean): string {
  const has = (how: Fit['how']): boolean => taken.some((fit) => fit.how === how);
  if (has('nickname')) return 'a short form of the name';
  if (has('initial')) return 'the name by its initials';
  if (has('slip') || has('like')) return 'nearly the same name';
  if (isShorter) return 'a part of the name';
  return taken.some(({ mine, theirs }) => mine !== theirs) ? 'the same name in another order' : 'the same name';
}

function compareFirms(one: string, other: string): NameEvidence {
  if (one === other) return said(weights.firm, 'the same firm’s name, legal form aside');
  if (Math.min(one.length, other.length) >= 4 && slips(one, other, 2) <= (one.length >= 8 ? 2 : 1))
    return said(weights.firmSlip, 'nearly the same firm’s name');
  const [short, long] = one.length < other.length ? [one, other] : [other, one];
  if ([...short].length >= 4 && long.includes(short)) return said(weights.firmPart, 'a part of the firm’s name');
  return said(weights.firmOther, 'another firm’s name');
}

function said(bits: number, words: string): NameEvidence {
  return { bits, words, isOtherGiven: false };
}
