// Names of people and firms: as they are entered, and as two of them are compared.
import { z } from 'zod';

const LONGEST = 100;
const graphemes = new Intl.Segmenter('zh', { granularity: 'grapheme' });

/** How many characters a reader sees: a family of emoji or a letter with its accents is one. */
export function graphemesIn(text: string): number {
  let count = 0;
  for (const _ of graphemes.segment(text)) count += 1;
  return count;
}

/** Control characters, and those that let a text read otherwise than it is kept: line ends, turns of direction (Unicode TR 36). */
export const UNREADABLE = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;
/** Something that a reader sees, be it a smiling face. */
export const VISIBLE = /[\p{L}\p{N}\p{S}\p{P}]/u;

/** Trimmed and composed (NFC), 1 to 100 visible characters without control characters. */
export const PersonOrFirmName = z
  .string({ error: (issue) => (issue.input === undefined ? 'missing: give the name as the document has it' : undefined) })
  .max(2_000, 'a name of at most 100 characters')
  .transform((text) => text.normalize('NFC').trim())
  .superRefine((name, context) => {
    const wrong = !VISIBLE.test(name)
      ? 'empty: give the name as the document has it, such as 王小明'
      : UNREADABLE.test(name)
        ? 'holds a control character, such as a line break or a tab: give the name on one line'
        : graphemesIn(name) > LONGEST
          ? `longer than ${LONGEST} characters: give the name without titles or remarks`
          : undefined;
    if (wrong !== undefined) context.addIssue({ code: 'custom', message: wrong });
  });

/** Equal for two spellings of one name: width, case, spaces and the dots between names in Chinese don't count. */
export function comparableName(name: string): string {
  return name
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\s\p{P}\p{S}]+/gu, '');
}
