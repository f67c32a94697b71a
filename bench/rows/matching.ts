// `matching`: how well records of one person are found, and others left apart: precision, recall and F1 over pairs on a labelled set, with
// the score, the threshold and the blocking keys of the product. SHIJI_MATCHING=FILE measures a CSV file's instead.
import { addressKeys, birthKeys, MOST_OF_A_KEY, nameKeys } from '../../src/domain/matching/keys.ts';
import { birthDatesOf, type Comparable, comparable, digitsOf, type Party, plainNumber } from '../../src/domain/matching/party.ts';
import { match, SIMILAR_FROM } from '../../src/domain/matching/score.ts';
import { Draw } from '../support/draw.ts';
import { FILE_NOTE, labelledFile } from '../support/labelled-file.ts';
import { type Labelled, labelledPeople } from '../support/labelled-people.ts';
import { type Measurement, shown } from '../support/measurement.ts';
import type { Bench } from '../support/row.ts';

const SEED = 20260303;
const F1_AT_LEAST = 0.95;

export async function matching({ quick, say }: Pick<Bench, 'quick' | 'say'>): Promise<Measurement> {
  const file = process.env.SHIJI_MATCHING;
  const people = file === undefined ? labelledPeople(new Draw(SEED), quick ? 2_000 : 20_000) : await labelledFile(file);
  say(`${people.length.toLocaleString('en-US')} records`);
  const { found, true: truth, right, looked, blocked, ms } = measured(people);
  const precision = found === 0 ? 0 : right / found;
  const recall = truth === 0 ? 0 : right / truth;
  const f1 = precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall);
  const count = (value: number): string => value.toLocaleString('en-US');
  return {
    value: f1,
    unit: 'F1',
    target: `F1 ≥ ${F1_AT_LEAST}`,
    pass: f1 >= F1_AT_LEAST,
    notes: [
      `precision ${precision.toFixed(4)}, recall ${recall.toFixed(4)} over pairs, a pair being found from a score of ${SIMILAR_FROM} on`,
      `${count(people.length)} records of ${count(new Set(people.map(({ label }) => label)).size)} people with ${count(truth)} true pairs, ${file === undefined ? `generated (seed ${SEED}): slips, pinyin, short forms, parts changed about, moved, missing; twins, fathers and sons and namesakes beside` : `of ${file}`}`,
      `${count(looked)} pairs looked at, ${shown(looked / people.length)} a record, in ${shown(ms / 1_000)} s; of the true ones ${((100 * blocked) / Math.max(1, truth)).toFixed(2)} % share a blocking key`,
      `SHIJI_MATCHING=FILE measures a CSV file (.gz too): ${FILE_NOTE}`,
    ],
  };
}

interface Counts {
  readonly found: number;
  readonly true: number;
  readonly right: number;
  readonly looked: number;
  /** True pairs among those looked at. */
  readonly blocked: number;
  readonly ms: number;
}

export function measured(people: readonly Labelled[], onWrong?: (one: Labelled, other: Labelled, score: number) => void): Counts {
  const startedMs = performance.now();
  const byKey = new Map<string, number[]>();
  const ready: Comparable[] = people.map(({ party }) => comparable(party));
  const counts = { found: 0, right: 0, looked: 0, blocked: 0 };
  for (const [index, { party, label }] of people.entries()) {
    const candidates = new Set<number>();
    for (const key of keysOf(party)) {
      const sharing = byKey.get(key) ?? [];
      for (const other of sharing.slice(key.startsWith('name ') ? -MOST_OF_A_KEY.name : -MOST_OF_A_KEY.other)) candidates.add(other);
      sharing.push(index);
      byKey.set(key, sharing);
    }
    for (const other of candidates) {
      const isTrue = people[other]?.label === label;
      const { score } = match(ready[index] as Comparable, ready[other] as Comparable);
      const isFound = score >= SIMILAR_FROM;
      counts.looked += 1;
      if (isTrue) counts.blocked += 1;
      if (isFound) counts.found += 1;
      if (isFound && isTrue) counts.right += 1;
      if (isFound !== isTrue) onWrong?.(people[other] as Labelled, people[index] as Labelled, score);
    }
  }
  const sizes = Map.groupBy(people, ({ label }) => label);
  const truth = [...sizes.values()].reduce((sum, { length }) => sum + (length * (length - 1)) / 2, 0);
  return { ...counts, true: truth, ms: performance.now() - startedMs };
}

/** As the read model keeps them, here as text. */
function keysOf({ names, birthDates, phones, eMails, addresses, documents }: Party): readonly string[] {
  return [
    ...names.flatMap(nameKeys).map((key) => `name ${key}`),
    ...birthDatesOf({ birthDates, documents })
      .flatMap(birthKeys)
      .map((key) => `birth ${key}`),
    ...phones.map((phone) => `phone ${digitsOf(phone)}`),
    ...eMails.map((address) => `e-mail ${address.toLowerCase()}`),
    ...addresses.flatMap(addressKeys).map((key) => `address ${key}`),
    ...documents.map(({ number }) => `document ${plainNumber(number)}`),
  ];
}
