// A tag's one spelling: what staff type differently on each desk is still one tag.
import { z } from 'zod';
import { graphemesIn, UNREADABLE, VISIBLE } from './names.ts';

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
    if (!VISIBLE.test(tag)) context.addIssue({ code: 'custom', message: 'empty: a tag is a word or a few, such as vip' });
    else if (UNREADABLE.test(tag)) context.addIssue({ code: 'custom', message: 'holds a control character: a tag is a word or a few, such as vip' });
    // As a part of an address it would be taken for a step through it, and never be found.
    else if (/^\.{1,2}$/.test(tag)) context.addIssue({ code: 'custom', message: 'dots alone: a tag is a word or a few, such as vip' });
    else if (graphemesIn(tag) > LONGEST) context.addIssue({ code: 'custom', message: `longer than ${LONGEST} characters` });
  });
