// What each agreement and disagreement is worth, in bits: how many times likelier (as a power of two) it is among two records of one party
// than among two of different ones (Fellegi and Sunter 1969). Data, set on generated records (bench/rows/matching.ts), with a version that
// is kept with each pair found; a decision of staff does not change them.

export const weightsVersion = 1;

/** How rare it is that two records that share a blocking key are of one party. */
export const PRIOR = -10;

export const nameWeights = {
  /** Each word in Latin letters, of a person. */
  latinWord: 4.7,
  latinNickname: 3.5,
  latinSlip: 3.4,
  latinLike: 1.4,
  latinInitial: 0.8,
  latinOther: -5.5,
  latinExtra: -0.4,
  /** Chinese: for the surname, and each character of the given name. */
  surname: 3,
  givenCharacter: 2.5,
  /** Other characters that sound the same: a slip of the input method. */
  sameSound: 5.5,
  /** A Chinese name against its pinyin tells less than the letters of a Latin one. */
  readingShare: 0.6,
  /** One character of a longer given name is another: a slip, or a sibling. */
  oneCharacter: -1,
  otherGiven: -6,
  other: -8,
  firm: 8.5,
  firmSlip: 6,
  firmPart: 2,
  firmOther: -8,
} as const;

export const dateWeights = {
  same: 7.5,
  swapped: 5.5,
  slip: 4,
  twoSlips: 1,
  /** One of them is on no calendar, so it is a slip itself. */
  noDate: -2,
  sameYear: 2.5,
  nearYear: 0,
  sameYearOtherDay: -3,
  other: -5,
  generation: -15,
} as const;
/** Dates that many years apart are a parent's and a child's rather than a slip. */
export const GENERATION_YEARS = 15;

export const contactWeights = { phone: 6.5, phoneSlip: 3, otherPhone: -1, eMail: 8, sameMailbox: 3, otherEMail: -0.5 } as const;

/** By how alike two addresses are, from the most on. */
export const addressWeights: readonly (readonly [from: number, bits: number])[] = [
  [0.95, 6],
  [0.75, 4.7],
  [0.5, 2],
  [0.3, -0.5],
  [0, -2.5],
];

/** On top, where the two share so much that it is a house in a street and not a town alone. */
export const WHOLE_ADDRESS = { fromWeight: 3.4, bits: 1 } as const;

export const documentWeights = { same: 12, slip: 5, twoSlips: 2, otherForGood: -7, otherRenewed: -1 } as const;
/** Numbers that a person keeps for life, or a firm for as long as it is one; passports and permits are renewed under others. */
export const keptForGood: ReadonlySet<string> = new Set(['identity-card', 'business-licence', 'social-security']);

/** Same day of birth, same surname and home, another given name: twins. */
export const TWINS = -14;
