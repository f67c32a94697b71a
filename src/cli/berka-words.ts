// How the PKDD'99 files write codes, days and money, in our words. An unknown code is a sentence that says which there are.

export const systemName = 'berka';
/** Status of loans and standing orders stand as of the day the data was taken. */
export const DATA_TAKEN_ON = '1998-12-31';

/** What a row says in one column. */
export interface Cell {
  readonly column: string;
  readonly text: string;
}

export const products = new Map([
  ['POPLATEK MESICNE', 'monthly statement'],
  ['POPLATEK TYDNE', 'weekly statement'],
  ['POPLATEK PO OBRATU', 'statement after each transaction'],
]);
export const roles = new Map([
  ['OWNER', 'owner'],
  ['DISPONENT', 'mandate'],
] as const);
export const loanStatuses = new Map([
  ['A', 'finished'],
  ['B', 'finished-unpaid'],
  ['C', 'running'],
  ['D', 'in-debt'],
] as const);
export const directions = new Map([
  ['PRIJEM', 'credit'],
  ['VYDAJ', 'debit'],
  ['VYBER', 'debit'],
] as const);
/** By what means; which way it went is the direction's. */
export const operations = new Map([
  ['VKLAD', 'cash'],
  ['VYBER', 'cash'],
  ['PREVOD Z UCTU', 'transfer'],
  ['PREVOD NA UCET', 'transfer'],
  ['VYBER KARTOU', 'card'],
]);
export const categories = new Map([
  ['UROK', 'interest'],
  ['SLUZBY', 'fee'],
  ['SANKC. UROK', 'penalty-interest'],
  ['SIPO', 'household'],
  ['UVER', 'loan-payment'],
  ['POJISTNE', 'insurance'],
  ['DUCHOD', 'pension'],
  ['LEASING', 'leasing'],
]);

/** @throws Error at a code that the map lacks */
export function wordOf<Word>(words: ReadonlyMap<string, Word>, { column, text }: Cell): Word {
  const word = words.get(text);
  if (word === undefined) throw new Error(`${column} is "${text}", expected one of ${[...words.keys()].join(', ')}`);
  return word;
}

/** @throws Error at a code that the map lacks; nothing where there is none */
export function optionalWordOf<Word>(words: ReadonlyMap<string, Word>, cell: Cell): Word | undefined {
  return cell.text === '' ? undefined : wordOf(words, cell);
}

/** `930705` → `1993-07-05`; a time of midnight behind it says nothing. @throws Error */
export function dateOf({ column, text }: Cell): string {
  const [, year, month, day] = /^(\d\d)(\d\d)(\d\d)(?: 00:00:00)?$/.exec(text) ?? [];
  const date = `19${year}-${month}-${day}`;
  if (day === undefined || !isDate(date)) throw new Error(`${column} is "${text}", expected a day as YYMMDD`);
  return date;
}

/** A day as the feed has it: a date keeps its source's zone. */
export function timeOf(date: string): string {
  return `${date}[Europe/Prague]`;
}

/** Who was born when: the month of women is told 50 higher. @throws Error */
export function birthOf({ column, text }: Cell): { readonly birthDate: string; readonly sex: 'female' | 'male' } {
  const [, year, month, day] = /^(\d\d)(\d\d)(\d\d)$/.exec(text) ?? [];
  const female = Number(month) > 50;
  const birthDate = `19${year}-${String(Number(month) - (female ? 50 : 0)).padStart(2, '0')}-${day}`;
  if (day === undefined || !isDate(birthDate)) throw new Error(`${column} is "${text}", expected YYMMDD, the month 50 higher for women`);
  return { birthDate, sex: female ? 'female' : 'male' };
}

/** `96396` and `8033.00` in haléře, digit by digit: no binary fraction comes near money. @throws Error */
export function minorUnitsOf({ column, text }: Cell): number {
  const [, sign, whole, fraction = ''] = /^(-?)(\d{1,13})(?:\.(\d{1,2}))?$/.exec(text) ?? [];
  if (whole === undefined) throw new Error(`${column} is "${text}", expected an amount such as 8033.00`);
  const amount = Number(whole + fraction.padEnd(2, '0'));
  return sign === '-' && amount !== 0 ? -amount : amount;
}

function isDate(text: string): boolean {
  try {
    return Temporal.PlainDate.from(text, { overflow: 'reject' }).toString() === text;
  } catch {
    return false;
  }
}
