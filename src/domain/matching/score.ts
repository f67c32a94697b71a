// Whether two parties may be one: the evidence of each field in bits, summed to odds, as a score from 0 to 1 with reasons in words that
// hold nothing personal. A field that one of them lacks says nothing.
import { addressLikeness } from './address.ts';
import { compareNames } from './names.ts';
import type { Comparable } from './party.ts';
import { slips } from './text.ts';
import {
  addressWeights,
  contactWeights,
  dateWeights,
  documentWeights,
  GENERATION_YEARS,
  keptForGood,
  PRIOR,
  TWINS,
  WHOLE_ADDRESS,
} from './weights.ts';

export type MatchField = 'name' | 'birthDate' | 'phone' | 'e-mail' | 'address' | 'document';

export interface MatchReason {
  readonly field: MatchField;
  readonly speaks: 'for' | 'against';
  readonly words: string;
}

export interface Match {
  /** From 0 to 1: how likely it is that they are one. */
  readonly score: number;
  /** What speaks for it first, the strongest first. */
  readonly reasons: readonly MatchReason[];
}

/** From here on two parties are taken to be alike: whoever enters one is warned, and the pair is looked at. A mere same name is below. */
export const SIMILAR_FROM = 0.5;

interface Evidence {
  readonly field: MatchField;
  readonly bits: number;
  readonly words: string;
}

export function match(one: Comparable, other: Comparable): Match {
  if (one.kind !== other.kind) return { score: 0, reasons: [{ field: 'name', speaks: 'against', words: 'a person and a firm' }] };
  const name = compareNames(one.names, other.names, one.kind);
  const birth = best(one.birthDates, other.birthDates, compareDates);
  const phone = best(one.phones, other.phones, comparePhones);
  const eMail = best(one.eMails, other.eMails, compareEMails);
  const address = best(one.addresses, other.addresses, compareAddresses);
  const document = compareDocuments(one, other);
  const evidence: Evidence[] = [
    ...(name ? [{ field: 'name' as const, bits: name.bits, words: name.words }] : []),
    ...[birth, phone, eMail, address, document].filter((one) => one !== undefined),
  ];
  const isHome = (address?.bits ?? 0) > 0 || (phone?.bits ?? 0) > 0;
  if (name?.isOtherGiven && (birth?.bits ?? 0) >= dateWeights.same && isHome && (document?.bits ?? 0) <= 0)
    evidence.push({ field: 'name', bits: TWINS, words: 'as twins have it: born on one day, at one home, another given name' });
  const bits = evidence.reduce((sum, each) => sum + each.bits, PRIOR);
  const reasons = evidence
    .filter((each) => each.bits !== 0)
    .sort((first, second) => second.bits - first.bits)
    .map(({ field, bits: worth, words }): MatchReason => ({ field, speaks: worth > 0 ? 'for' : 'against', words }));
  return { score: 1 / (1 + 2 ** -bits), reasons };
}

/** The best of all pairs of values; undefined where one of the two has none. */
function best<Value>(ones: readonly Value[], others: readonly Value[], compare: (one: Value, other: Value) => Evidence | undefined) {
  let found: Evidence | undefined;
  for (const one of ones)
    for (const other of others) {
      const evidence = compare(one, other);
      if (evidence && (found === undefined || evidence.bits > found.bits)) found = evidence;
    }
  return found;
}

function compareDates(one: string, other: string): Evidence {
  const said = (bits: number, words: string): Evidence => ({ field: 'birthDate', bits, words });
  const years = Math.abs(Number(one.slice(0, 4)) - Number(other.slice(0, 4)));
  if (one.length < 10 || other.length < 10) {
    if (years === 0) return said(dateWeights.sameYear, 'the same year of birth');
    return years === 1 ? said(dateWeights.nearYear, 'nearly the same year of birth') : said(dateWeights.other, 'another year of birth');
  }
  if (one === other) return said(dateWeights.same, 'the same birth date');
  if (years === 0 && one.slice(5, 7) === other.slice(8, 10) && one.slice(8, 10) === other.slice(5, 7))
    return said(dateWeights.swapped, 'the birth date with day and month changed about');
  const count = slips(one.replaceAll('-', ''), other.replaceAll('-', ''), 2);
  if (count === 1) return said(dateWeights.slip, 'the birth date but for a slip');
  if (count === 2) return said(dateWeights.twoSlips, 'nearly the same birth date');
  if (!isDay(one) || !isDay(other)) return said(dateWeights.noDate, 'another birth date, of which one is none');
  if (years === 0) return said(dateWeights.sameYearOtherDay, 'another birth date of the same year');
  return years >= GENERATION_YEARS ? said(dateWeights.generation, 'birth dates a generation apart') : said(dateWeights.other, 'another birth date');
}

/** Roughly on a calendar. */
function isDay(date: string): boolean {
  return /^(?:18|19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/.test(date);
}

function comparePhones(one: string, other: string): Evidence {
  const said = (bits: number, words: string): Evidence => ({ field: 'phone', bits, words });
  if (one === other || (Math.min(one.length, other.length) >= 7 && (one.endsWith(other) || other.endsWith(one))))
    return said(contactWeights.phone, 'the same phone');
  if (Math.min(one.length, other.length) >= 9 && slips(one, other, 1) === 1) return said(contactWeights.phoneSlip, 'the phone but for a slip');
  return said(contactWeights.otherPhone, 'another phone');
}

function compareEMails(one: string, other: string): Evidence {
  const said = (bits: number, words: string): Evidence => ({ field: 'e-mail', bits, words });
  if (one === other) return said(contactWeights.eMail, 'the same e-mail address');
  const [mine = '', theirs = ''] = [one.split('@')[0], other.split('@')[0]];
  if (mine === theirs && mine.length >= 5) return said(contactWeights.sameMailbox, 'the same name before the @');
  return said(contactWeights.otherEMail, 'another e-mail address');
}

function compareAddresses(one: Comparable['addresses'][number], other: Comparable['addresses'][number]): Evidence {
  const { share, weight } = addressLikeness(one, other);
  const [from, plain] = addressWeights.find(([least]) => share >= least) ?? [0, 0];
  const bits = plain > 0 && weight >= WHOLE_ADDRESS.fromWeight ? plain + WHOLE_ADDRESS.bits : plain;
  return { field: 'address', bits, words: from >= 0.95 ? 'the same address' : bits > 0 ? 'much of the address' : 'another address' };
}

const MANY = 3;

/** The same number whatever it is called; another one only tells where such numbers are kept for good. */
function compareDocuments(one: Comparable, other: Comparable): Evidence | undefined {
  return best(one.documents, other.documents, (mine, theirs) => {
    const said = (bits: number, words: string): Evidence => ({ field: 'document', bits, words });
    if (mine.number === theirs.number) return said(documentWeights.same, 'the same document');
    if (mine.type !== theirs.type) return undefined;
    const count = Math.min(mine.number.length, theirs.number.length) < 6 ? MANY : slips(mine.number, theirs.number, 2);
    if (count === 1) return said(documentWeights.slip, 'the document but for a slip');
    // Identity cards of those born on one day in one place differ in as little.
    if (count === 2 && mine.type !== 'identity-card') return said(documentWeights.twoSlips, 'nearly the same document');
    return keptForGood.has(mine.type)
      ? said(documentWeights.otherForGood, 'another document of a kind that one keeps')
      : said(documentWeights.otherRenewed, 'another document of a kind that is renewed');
  });
}
