// Relations as they stood at one moment of both times: which of a row's versions was known by then, and whether its period holds on the
// day that is asked about. Everything that walks from party to party loads its edges here, a whole level at once.
import type { Pool } from 'pg';
import { knownAtMs } from '../domain/kernel/as-of.ts';
import { customers } from '../projections/customers/customers.ts';
import { textArrayLiteral } from '../projections/engine/columns.ts';
import { LIVE_SCHEMA } from '../projections/engine/engine.ts';
import { versionsOf } from '../projections/relations/relations.ts';
import type { RelationRow, RelationVersion } from '../projections/relations/row.ts';
import { foldRows } from './fold-rows.ts';
import { SETTLE_MS, ViewNotSettled } from './live.ts';
import { eventsOf, type PastParts, type TwoTimes } from './past.ts';
import { dayOf } from './window.ts';

/** The read models that relations, owners and groups are answered from. */
export const relationProjections = ['relations', 'owner_confirmations', 'groups', 'customers'] as const;

export interface Moment {
  /** The journal's position up to which everything is known, and nothing after it. */
  readonly known: number;
  /** `YYYY-MM-DD`: the day in the world. */
  readonly day: string;
  /** Whether the bank's knowledge is of an earlier time. */
  readonly isPast: boolean;
}

export interface RelationEdge {
  readonly id: string;
  readonly type: string;
  readonly inverse: string;
  readonly party: string;
  readonly of: string;
  readonly partyKind: string;
  readonly ofKind: string;
  readonly version: RelationVersion;
}

const R = `${LIVE_SCHEMA}.`;
const checkpoint = {
  name: 'views/relations/checkpoint',
  text: `select coalesce(min(position), 0) as position from engine.checkpoints where projection = any('{${relationProjections.join(',')}}')`,
};
const columns = 'id, type, inverse, party_id, of_id, party_kind, of_kind, versions';
// Two look-ups by index, where an `or` before a limit would be a walk along the primary key.
const around = {
  name: 'views/relations/around',
  text: `select ${columns} from (
           select * from ${R}relations where of_id = any($1::text[])
           union all
           select * from ${R}relations where $5 and party_id = any($1::text[]) and of_id <> all($1::text[])) r
          where first_position <= $2 and ($3::text[] is null or type = any($3::text[])) order by id limit $4`,
};
const oneRow = { name: 'views/relations/one', text: `select ${columns} from ${R}relations where id = $1` };
const MOST_ROWS = 20_000;

/** @throws ViewNotSettled where the read models are behind what is asked for, RangeError where a time is none */
export async function momentOf(
  { pool, progress, journal, zone, now }: Pick<PastParts, 'pool' | 'progress' | 'journal' | 'zone' | 'now'>,
  { asOf, knownAt }: TwoTimes,
): Promise<Moment> {
  const [{ rows }, wanted] = await Promise.all([
    pool.query<{ position: number }>(checkpoint),
    knownAt === undefined ? undefined : journal.positionAt(knownAtMs(knownAt, zone)),
  ]);
  const position = rows[0]?.position ?? 0;
  const known = wanted ?? position;
  if (known > position && !(await progress.waitUntil(relationProjections, known, SETTLE_MS)))
    throw new ViewNotSettled('the relations are behind what is asked for');
  return { known, day: dayOf(asOf ?? now(), zone).toString(), isPast: knownAt !== undefined };
}

export interface Around {
  /** By id. */
  readonly edges: readonly RelationEdge[];
  /** There were more than can be looked at. */
  readonly cut: boolean;
}

export class RelationGraph {
  readonly #pool: Pool;
  readonly #moment: Moment;

  constructor(pool: Pool, moment: Moment) {
    this.#pool = pool;
    this.#moment = moment;
  }

  /**
   * The relations of some parties that hold on the day.
   * @param only `into`: those in which one of them is `of`; `all` also those that don't hold then
   */
  async around(
    ids: readonly string[],
    { types, only }: { readonly types?: readonly string[] | undefined; readonly only?: 'into' | 'all' } = {},
  ): Promise<Around> {
    const { known, day } = this.#moment;
    const wanted = types === undefined ? null : textArrayLiteral(types);
    const { rows } = await this.#pool.query<RelationRow>({
      ...around,
      values: [textArrayLiteral(ids), known, wanted, MOST_ROWS + 1, only !== 'into'],
    });
    const edges = rows.slice(0, MOST_ROWS).flatMap((row) => {
      const edge = edgeAt(row, known);
      return edge === undefined || edge.version.void || (only !== 'all' && !holdsOn(edge.version, day)) ? [] : [edge];
    });
    return { edges, cut: rows.length > MOST_ROWS };
  }

  /** One relation with all that was known of it by then; whether it holds is not asked. Undefined where it was not known. */
  async one(id: string): Promise<{ readonly edge: RelationEdge; readonly versions: readonly RelationVersion[] } | undefined> {
    const { rows } = await this.#pool.query<RelationRow>({ ...oneRow, values: [id] });
    const [row] = rows;
    const edge = row && edgeAt(row, this.#moment.known);
    return edge && { edge, versions: versionsOf(row).filter(({ position }) => position <= this.#moment.known) };
  }
}

function edgeAt(row: RelationRow, known: number): RelationEdge | undefined {
  const version = versionsOf(row).findLast(({ position }) => position <= known);
  if (version === undefined) return undefined;
  const { id, type, inverse, party_id: party, of_id: of, party_kind: partyKind, of_kind: ofKind } = row;
  return { id, type, inverse, party, of, partyKind, ofKind, version };
}

/** Half open: on `until` it does not hold any more. A date that nobody knows is no bound. */
export function holdsOn({ from, until }: Pick<RelationVersion, 'from' | 'until'>, day: string): boolean {
  return (from === null || from <= day) && (until === null || day < until);
}

const namesNow = { name: 'views/relations/names', text: `select id, kind, name from ${R}customers where id = any($1::text[])` };

export interface PartyName {
  readonly id: string;
  readonly kind: string;
  /** A sealed line. */
  readonly name: string | null;
}

/** What some parties are called, as far as it was known at the moment; who was not known then is not in it. @throws UnknownPast */
export async function partiesAt(
  parts: Pick<PastParts, 'pool' | 'journal' | 'codec'>,
  ids: readonly string[],
  { known, isPast }: Moment,
): Promise<ReadonlyMap<string, PartyName>> {
  if (ids.length === 0) return new Map();
  if (!isPast) {
    const { rows } = await parts.pool.query<PartyName>({ ...namesNow, values: [textArrayLiteral(ids)] });
    return new Map(rows.map((row) => [row.id, row]));
  }
  const events = await eventsOf(
    parts,
    ids.map((id) => `customer-${id}`),
    known,
  );
  return new Map([...foldRows(customers, events)].map(([id, { kind, name }]) => [id, { id, kind, name: name === null ? null : String(name) }]));
}
