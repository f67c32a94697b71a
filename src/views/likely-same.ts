// Who here may be the same as someone who is described: those that share a blocking key, from the read models' indexes, scored on what is
// known of them. Whose customers count is part of each look-up, so that who may not be seen can't push out who may.
import type { Pool } from 'pg';
import type { Actor } from '../domain/kernel/event.ts';
import { MOST_OF_A_KEY } from '../domain/matching/keys.ts';
import { comparable, type Party, type PartyName } from '../domain/matching/party.ts';
import { type Match, match } from '../domain/matching/score.ts';
import type { Opener } from '../journal/sealing.ts';
import { profileOf } from '../projections/customers/profile.ts';
import { LIVE_SCHEMA } from '../projections/engine/engine.ts';
import { withReadings } from '../projections/engine/name-readings.ts';
import type { SearchTokens } from '../projections/engine/search-tokens.ts';
import { namesEntered } from '../projections/match-keys/match-keys.ts';
import { sealedOfProfile } from './customer-shown.ts';
import { OpenedValues } from './shown.ts';

/** As someone is described, in the words of a customer's entry. */
export interface Described {
  readonly kind: Party['kind'];
  readonly name?: string | undefined;
  readonly birthDate?: string | undefined;
  readonly documents?: readonly { readonly type: string; readonly number: string }[] | undefined;
  readonly contacts?: readonly { readonly kind: string; readonly value: string }[] | undefined;
}

/** Whose customers are looked among: all, a manager's, a branch's; or all but those. */
export interface Among {
  readonly column?: 'manager' | 'branch';
  readonly value?: string;
  readonly but?: true;
}

export interface LikelySame extends Match {
  readonly id: string;
  readonly kind: string;
  readonly manager: string | null;
  readonly branch: string | null;
  readonly profile: string;
  readonly opened: OpenedValues;
}

type Candidate = Pick<LikelySame, 'id' | 'kind' | 'manager' | 'branch' | 'profile'> & { readonly told: string | null };

export interface LikelySameParts {
  readonly pool: Pool;
  readonly opener: Pick<Opener, 'openMany'>;
  readonly searchTokens: Pick<SearchTokens, 'tokens'>;
}

/** Candidates that are scored: those that share most keys. */
const MOST = 60;

/** By likeness, the most alike first. @param from the least score that counts */
export async function likelySame(parts: LikelySameParts, described: Described, among: Among, from: number): Promise<readonly LikelySame[]> {
  const { pool, opener, searchTokens } = parts;
  const party = partyDescribed(described);
  const tokens = (values: readonly string[], kind: Parameters<SearchTokens['tokens']>[1]) => [
    ...new Set(values.flatMap((value) => searchTokens.tokens(value, kind))),
  ];
  const keys = [
    tokens(
      party.documents.map(({ number }) => number),
      'exact',
    ),
    tokens(party.phones, 'exact'),
    tokens(
      party.names.map(({ text }) => text),
      'like-names',
    ),
    tokens([...party.birthDates, ...party.documents.filter(({ type }) => type === 'identity-card').map(({ number }) => number)], 'births'),
    tokens(party.eMails, 'exact'),
    tokens(party.addresses, 'places'),
  ];
  if (keys.every((each) => each.length === 0)) return [];
  const { rows } = await pool.query<Candidate>({
    name: `views/likely-same/${among.column ?? 'all'}${among.but ? '/but' : ''}`,
    text: candidatesText(among),
    values: [described.kind, ...keys.map((each) => `{${each.join(',')}}`), ...(among.column === undefined ? [] : [among.value])],
  });
  const opened = await OpenedValues.of(
    opener,
    rows.flatMap(({ profile, told }) => [...sealedOfProfile(profile), ...namesEntered(told)]),
  );
  const asked = comparable(party);
  return rows
    .map(({ told, ...row }) => ({ ...row, ...match(asked, comparable(partyOf(row.profile, told, described.kind, opened))), opened }))
    .filter(({ score }) => score >= from)
    .sort((one, other) => other.score - one.score || (one.id < other.id ? -1 : 1));
}

/** Whom an actor may be told of when someone is looked up: a relationship manager own customers, the rest whom their work reaches. */
export function amongFor({ role, subject, scope = 'bank' }: Actor): Among {
  if (role === 'rm') return { column: 'manager', value: subject };
  // Teller and agent look for whoever is in front of them, masked: that may be anyone's customer.
  if (role === 'operations' && scope !== 'bank') return { column: 'branch', value: scope.slice('branch:'.length) };
  return {};
}

const arms = [
  ['customers', 'documents'],
  ['customers', 'phones'],
  ['match_keys', 'names'],
  ['match_keys', 'births'],
  ['match_keys', 'e_mails'],
  ['match_keys', 'places'],
] as const;

function candidatesText({ column, but }: Among): string {
  const seen = column === undefined ? 'true' : but ? `c.${column} is distinct from $8` : `c.${column} = $8`;
  const hits = arms.map(([table, keys], index) => {
    const from = table === 'customers' ? `${LIVE_SCHEMA}.customers c` : `${LIVE_SCHEMA}.${table} k join ${LIVE_SCHEMA}.customers c on c.id = k.id`;
    const shared = `${table === 'customers' ? 'c' : 'k'}.${keys} && $${index + 2}::bigint[]`;
    return `(select c.id from ${from} where ${shared} and c.kind = $1 and ${seen} limit ${keys === 'names' ? MOST_OF_A_KEY.name : MOST_OF_A_KEY.other})`;
  });
  return `with hit as (${hits.join(' union all ')}),
    likeliest as (select id from hit group by id order by count(*) desc, id limit ${MOST})
    select c.id, c.kind, c.manager, c.branch, c.profile, k.told
      from ${LIVE_SCHEMA}.customers c join likeliest using (id) left join ${LIVE_SCHEMA}.match_keys k using (id)`;
}

function partyDescribed({ kind, name, birthDate, documents = [], contacts = [] }: Described): Party {
  const of = (wanted: string): string[] => contacts.filter((contact) => contact.kind === wanted).map(({ value }) => value);
  return {
    kind,
    names: name === undefined ? [] : [withReadings(name)],
    birthDates: birthDate === undefined ? [] : [birthDate],
    phones: of('phone'),
    eMails: of('e-mail'),
    addresses: of('address'),
    documents,
  };
}

/** Everything that was said of a customer, what lost included and corrected names: they may be known elsewhere by that. */
function partyOf(text: string, told: string | null, kind: Party['kind'], opened: OpenedValues): Party {
  const { own, reports, documents, contacts } = profileOf(text);
  const texts = (lines: readonly (string | null)[]): string[] =>
    lines.map((line) => opened.text(line)).filter((value): value is string => typeof value === 'string');
  const of = (wanted: string): string[] => texts(contacts.filter((contact) => contact.kind === wanted).map(({ value }) => value));
  const names: readonly PartyName[] = [...new Set(texts([own?.name ?? null, ...namesEntered(told), ...reports.map(({ name }) => name)]))].map(
    withReadings,
  );
  return {
    kind,
    names,
    birthDates: texts(reports.map(({ birthDate }) => birthDate)),
    phones: of('phone'),
    eMails: of('e-mail'),
    addresses: of('address'),
    documents: documents.flatMap(({ type, number }) => texts([number]).map((plain) => ({ type, number: plain }))),
  };
}
