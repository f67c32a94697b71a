// How those who may be the same are told: masked for everyone, with a score and the reasons in words.
import { z } from 'zod';
import { countingOf, profileOf } from '../projections/customers/profile.ts';
import type { LikelySame } from '../views/likely-same.ts';
import { Showing } from '../views/shown.ts';
import { PersonalValue } from './customer-view.ts';

export const Reason = z.strictObject({
  field: z.string(),
  speaks: z.enum(['for', 'against']),
  words: z.string(),
});

export const SimilarHit = z.strictObject({
  id: z.string(),
  kind: z.string(),
  name: PersonalValue,
  birthDate: PersonalValue,
  phones: z.array(PersonalValue),
  documents: z.array(z.strictObject({ type: z.string(), number: PersonalValue })),
  branch: z.string().nullable(),
  score: z.number().meta({ description: 'From 0 to 1: how likely it is that they are one' }),
  reasons: z.array(Reason),
});
export type SimilarHit = z.output<typeof SimilarHit>;

/** Whoever asks sees what operations would. */
const MASKED_FOR = 'operations';
export const MOST_HITS = 20;

export function hitOf({ id, kind, branch, profile, score, reasons, opened }: LikelySame): SimilarHit {
  const showing = new Showing(opened, MASKED_FOR);
  const known = profileOf(profile);
  const { name, birthDate } = countingOf(known);
  return {
    ...{ id, kind, branch },
    name: showing.text('name', 'name', name),
    birthDate: showing.text('birthDate', 'birth-date', birthDate),
    phones: known.contacts.filter((contact) => contact.kind === 'phone').map(({ value }) => showing.text('contacts', 'phone', value)),
    documents: known.documents.map(({ type, number }) => ({ type, number: showing.text('documents', 'document', number) })),
    score: Math.round(score * 1_000) / 1_000,
    reasons: [...reasons],
  };
}
