// A tag's one spelling: what staff type differently on each desk is still one tag.
import { z } from 'zod';
import { graphemesIn } from './names.ts';

const LONGEST = 64;

/** Width and case don't count, nor how many spaces. */
export function tagOf(text: string): string {
  return text.normalize('NFKC').trim().replace(/\s+/gu, ' ').toLowerCase();
}

/** Normalised, 1 to 64 characters. */
export const Tag = z
  .string()
  .max(1_000, `a tag of at most ${LONGEST} characters`)
  .transform(tagOf)
  .superRefine((tag, context) => {
    if (tag === '') context.addIssue({ code: 'custom', message: 'empty: a tag is a word or a few, such as vip' });
    else if (/\p{Cc}/u.test(tag)) context.addIssue({ code: 'custom', message: 'holds a control character: a tag is a word or a few, such as vip' });
    else if (graphemesIn(tag) > LONGEST) context.addIssue({ code: 'custom', message: `longer than ${LONGEST} characters` });
  });
