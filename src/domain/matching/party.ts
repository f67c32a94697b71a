// What is known of someone who may be here already, made ready to be compared: each value in its comparable form, once.

import { addressWords, type WeighedWord } from './address.ts';
import { type ChineseName, chineseNameOf } from './chinese-name.ts';
import { firmCore } from './firm-name.ts';
import { folded } from './text.ts';

export interface PartyName {
  readonly text: string;
  /** Of a Chinese name: its readings in Latin letters, the surname's first and the given name's as one word: `zhang xiaoming`. */
  readonly readings: readonly string[];
}

export interface PartyDocument {
  /** As in the bank's words: `identity-card`, `passport` … */
  readonly type: string;
  readonly number: string;
}

/** As it is known; what is not is left empty and counts for nothing. */
export interface Party {
  readonly kind: 'person' | 'organisation';
  readonly names: readonly PartyName[];
  /** `YYYY-MM-DD`, or `YYYY` where only the year is known. */
  readonly birthDates: readonly string[];
  readonly phones: readonly string[];
  readonly eMails: readonly string[];
  readonly addresses: readonly string[];
  readonly documents: readonly PartyDocument[];
}

export interface ComparableName {
  /** Of a firm: without its legal form. */
  readonly whole: string;
  readonly chinese: ChineseName | undefined;
  /** Words in Latin letters: its own, or its readings'. */
  readonly latin: readonly (readonly string[])[];
}

export interface Comparable {
  readonly kind: Party['kind'];
  readonly names: readonly ComparableName[];
  readonly birthDates: readonly string[];
  readonly phones: readonly string[];
  readonly eMails: readonly string[];
  readonly addresses: readonly (readonly WeighedWord[])[];
  readonly documents: readonly PartyDocument[];
}

export function comparable(party: Party): Comparable {
  return {
    kind: party.kind,
    names: party.names.map((name) => nameOf(name, party.kind)).filter(({ whole }) => whole !== ''),
    birthDates: birthDatesOf(party),
    phones: party.phones.map(digitsOf).filter((phone) => phone.length >= 5),
    eMails: party.eMails.map((address) => folded(address).trim()).filter((address) => address !== ''),
    addresses: party.addresses.map(addressWords).filter((words) => words.length > 0),
    documents: party.documents.map(({ type, number }) => ({ type, number: plainNumber(number) })).filter(({ number }) => number !== ''),
  };
}

/** Those that are told, or else what an identity card holds (GB 11643: its 7th to 14th digits). */
export function birthDatesOf({ birthDates, documents }: Pick<Party, 'birthDates' | 'documents'>): readonly string[] {
  const told = birthDates.filter((date) => /^\d{4}/.test(date));
  if (told.length > 0) return told;
  return documents.flatMap(({ type, number }) => (type === 'identity-card' ? (birthDateOnCard(plainNumber(number)) ?? []) : []));
}

/** `YYYY-MM-DD` on an identity card by its number; undefined where that is none. */
export function birthDateOnCard(number: string): string | undefined {
  return /^\d{6}(\d{4})(\d\d)(\d\d)\d{3}[\dX]$/.exec(number)?.slice(1, 4).join('-');
}

const TITLES = new Set(['mr', 'mrs', 'ms', 'miss', 'dr', 'prof', 'sir', 'jr', 'sr', 'ing', 'mgr']);

/** Words of a name in Latin letters, without titles: `o'brien` is one word, `smith-jones` are two. */
export function latinWords(text: string): readonly string[] {
  const words =
    folded(text)
      .replace(/['’`]/g, '')
      .match(/[a-z]+/g) ?? [];
  const named = words.filter((word) => !TITLES.has(word));
  return named.length > 0 ? named : words;
}

function nameOf({ text, readings }: PartyName, kind: Party['kind']): ComparableName {
  if (kind === 'organisation') return { whole: firmCore(text), chinese: undefined, latin: [] };
  const chinese = chineseNameOf(text);
  const latin = chinese === undefined ? [latinWords(text)] : readings.map(latinWords);
  return { whole: folded(text).replace(/[\s\p{P}\p{S}]+/gu, ''), chinese, latin: latin.filter((words) => words.length > 0) };
}

/** A number's last eleven digits: with or without the country's code it is one. */
export function digitsOf(phone: string): string {
  return phone.normalize('NFKC').replace(/\D+/g, '').slice(-11);
}

export function plainNumber(number: string): string {
  return number
    .normalize('NFKC')
    .toUpperCase()
    .replace(/[^\p{L}\p{N}]+/gu, '');
}
