// A generated person's name, identity card and phone, by number: no two have the same document or phone.
import { type ChineseName, drawName } from './chinese-names.ts';
import type { Draw } from './draw.ts';

export interface Person {
  readonly name: ChineseName;
  /** `YYYY-MM-DD` */
  readonly birthDate: string;
  readonly sex: 'female' | 'male';
  /** 18 characters with a right check character (GB 11643). */
  readonly identityCard: string;
  /** Eleven digits. */
  readonly phone: string;
}

const AREAS = ['110101', '110105', '310104', '310115', '320102', '330106', '420106', '440103', '440305', '500103', '510104', '610102'];
/** Births from 1950 on: about fifty years. */
const BIRTH_DAYS = 18_000;
const FIRST_BIRTH = Temporal.PlainDate.from('1950-01-01');
// Each shares no divisor with what it is taken modulo of, so that consecutive numbers are scattered and none comes twice.
const BIRTH_STEP = 7_919;
const PHONE_STEP = 48_271_001;
const PHONES = 1_000_000_000;

/** @param number from 0 to below eight million */
export function drawPerson(draw: Draw, number: number): Person {
  const birthDate = FIRST_BIRTH.add({ days: (number * BIRTH_STEP) % BIRTH_DAYS }).toString();
  const sex = draw.of(['female', 'male'] as const);
  // Odd for men.
  const serial = 100 + 2 * Math.floor(number / BIRTH_DAYS) + (sex === 'male' ? 1 : 0);
  const seventeen = draw.of(AREAS) + birthDate.replaceAll('-', '') + String(serial);
  return {
    name: drawName(draw),
    birthDate,
    sex,
    identityCard: seventeen + checkCharacterOf(seventeen),
    phone: `13${String((number * PHONE_STEP) % PHONES).padStart(9, '0')}`,
  };
}

const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

function checkCharacterOf(seventeen: string): string {
  const sum = WEIGHTS.reduce((total, weight, place) => total + weight * Number(seventeen[place]), 0);
  return '10X98765432'[sum % 11] as string;
}
