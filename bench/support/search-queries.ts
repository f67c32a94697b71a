// What people type to find a customer, from those that there are: names whole and short, pinyin, initials within a branch, a document,
// a phone. Each kind as often as another.
import { fullName, initialsOf, pinyinOf } from './chinese-names.ts';
import { Draw } from './draw.ts';
import type { GetRequest } from './get-load.ts';
import { drawPerson, type Person } from './identity.ts';

export interface Client extends Person {
  readonly branch: string;
}

const BRANCHES = 77;
/** Of a list that is not empty. */
const SOMEBODY = '"items":[{';
const SOURCE_DAY = '2026-01-05[Asia/Shanghai]';

export function drawClients(seed: number, count: number): Client[] {
  const draw = new Draw(seed);
  return Array.from({ length: count }, (_, index) => ({ ...drawPerson(draw, index + 1), branch: String((index % BRANCHES) + 1) }));
}

/** As a core system tells of them. */
export function* clientRecords(clients: readonly Client[], system: string): Generator<object> {
  for (const [index, { name, birthDate, sex, identityCard, phone, branch }] of clients.entries())
    yield {
      kind: 'customer',
      source: { system, id: String(index + 1) },
      at: SOURCE_DAY,
      type: 'person',
      name: fullName(name),
      birthDate,
      sex,
      documents: [{ type: 'identity-card', number: identityCard }],
      contacts: [{ kind: 'phone', value: phone }],
      branch,
    };
}

const kinds: readonly { readonly kind: string; readonly queryOf: (client: Client) => Record<string, string> | undefined }[] = [
  { kind: 'name of three', queryOf: ({ name }) => (fullName(name).length > 2 ? { q: fullName(name) } : undefined) },
  { kind: 'name of two', queryOf: ({ name }) => (fullName(name).length === 2 ? { q: fullName(name) } : undefined) },
  { kind: 'pinyin', queryOf: ({ name }) => ({ q: pinyinOf(name) }) },
  { kind: 'initials and branch', queryOf: ({ name, branch }) => ({ q: initialsOf(name), branch }) },
  { kind: 'document', queryOf: ({ identityCard }) => ({ document: identityCard }) },
  { kind: 'phone', queryOf: ({ phone }) => ({ phone }) },
];

/** So many searches, each for somebody who is there. */
export function searchesFor(clients: readonly Client[], seed: number, count: number): GetRequest[] {
  const draw = new Draw(seed);
  return Array.from({ length: count }, (_, index) => {
    const { kind, queryOf } = kinds[index % kinds.length] as (typeof kinds)[number];
    for (;;) {
      const query = queryOf(draw.of(clients));
      if (query !== undefined) return { kind, path: `/v1/customers?${new URLSearchParams(query).toString()}`, holding: SOMEBODY };
    }
  });
}
