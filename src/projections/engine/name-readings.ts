// A name with its readings in Latin letters, as matching wants them: the surname's, then the given name's as one word. Read as a name
// (单 is shan) and as plain text (dan).
import { pinyin } from 'pinyin-pro';
import { chineseNameOf } from '../../domain/matching/chinese-name.ts';
import type { PartyName } from '../../domain/matching/party.ts';

export function withReadings(text: string): PartyName {
  const name = chineseNameOf(text);
  if (name === undefined) return { text, readings: [] };
  const whole = name.surname + name.given;
  const surnameLength = [...name.surname].length;
  const readings = (['head', 'off'] as const).map((surname) => {
    const syllables = pinyin(whole, { surname, toneType: 'none', type: 'array', v: true });
    return [syllables.slice(0, surnameLength).join(''), syllables.slice(surnameLength).join('')].filter((word) => word !== '').join(' ');
  });
  return { text, readings: [...new Set(readings)] };
}
