// Relations and confirmed owners in a customer's history, each told from this side. Who the other party is stands in the relation, not
// here: it may be one that the reader does not see.
import type { Pool } from 'pg';
import type { RecordedEvent, RecordedOf } from '../domain/kernel/event.ts';
import { Sealed } from '../domain/kernel/personal.ts';
import type { ownerEvents, relationEvents } from '../domain/relationship/events.ts';
import { LIVE_SCHEMA } from '../projections/engine/engine.ts';
import type { Progress } from '../projections/engine/progress.ts';
import { groups } from '../projections/groups/groups.ts';
import { relations, versionsOf } from '../projections/relations/relations.ts';
import type { RelationRow } from '../projections/relations/row.ts';
import { type Field, type Fields, noFields } from './change-fields.ts';
import { SETTLE_MS, ViewNotSettled } from './live.ts';

type RelationEvent = RecordedOf<typeof relationEvents>;
type OwnersEvent = RecordedOf<typeof ownerEvents>;

/** The read models that name those streams. */
export const relationStreamProjections: readonly string[] = [relations.name, groups.name];

export const relationCategories: readonly string[] = ['relation', 'owners'];

const streams = {
  name: 'views/relation-streams',
  text: `select 'relation-' || id as stream from ${LIVE_SCHEMA}.relations where (party_id = $1 or of_id = $1) and first_position <= $2
          union all select 'group-' || id from ${LIVE_SCHEMA}.groups where members @> array[$1::text] and first_position <= $2`,
};

/** The streams of a customer's relations, groups and confirmed owners, once the read models that name them are there. @throws ViewNotSettled */
export async function relationStreamsOf(
  { pool, progress }: { readonly pool: Pool; readonly progress: Pick<Progress, 'waitUntil'> },
  customerId: string,
  known: number,
): Promise<string[]> {
  if (!(await progress.waitUntil(relationStreamProjections, known, SETTLE_MS)))
    throw new ViewNotSettled('the relations are behind what is asked for');
  const { rows } = await pool.query<{ stream: string }>({ ...streams, values: [customerId, known] });
  return [`owners-${customerId}`, ...rows.map(({ stream }) => stream)];
}

export interface RelationChange {
  readonly what: string;
  /** A sealed line. */
  readonly reason: string | null;
  readonly before: Fields;
  readonly after: Fields;
}

/** Tells one event after another; each relation is folded on the way. */
export class RelationTeller {
  readonly #customerId: string;
  readonly #rows = new Map<string, RelationRow>();

  constructor(customerId: string) {
    this.#customerId = customerId;
  }

  tell(recorded: RecordedEvent): RelationChange | undefined {
    if (recorded.type === 'BeneficialOwnersConfirmed') return confirmed(recorded as OwnersEvent);
    const event = recorded as RelationEvent;
    const { relationId } = event.data;
    const before = this.#rows.get(relationId);
    const after = relations.apply(before, event, relationId);
    if (after === undefined) return undefined;
    this.#rows.set(relationId, after);
    const reason = 'reason' in event.data ? lineOf(event.data.reason) : null;
    return { what: wordsOf(event, after, after.party_id === this.#customerId), reason, before: fieldsOf(before), after: fieldsOf(after) };
  }
}

function confirmed({ data }: OwnersEvent): RelationChange {
  const { owners, methods, evidence, from, reviewDueOn } = data;
  const after = new Map<string, Field>([
    ['owners', { plain: owners.map(({ basis, percent = null }) => ({ basis, percent })) }],
    ['methods', { plain: methods }],
    ['from', { plain: from }],
    ['reviewDueOn', { plain: reviewDueOn }],
    ['evidence', { line: lineOf(evidence), mask: 'hidden' }],
  ]);
  return { what: `Beneficial owners confirmed: ${owners.length}`, reason: null, before: noFields, after };
}

function fieldsOf(row: RelationRow | undefined): Fields {
  const version = row && versionsOf(row).at(-1);
  if (!version) return noFields;
  return new Map<string, Field>([
    ['from', { plain: version.from }],
    ['until', { plain: version.until }],
    ['share', { plain: version.share }],
    ['source', { plain: version.source.kind }],
    ['reference', { line: version.source.reference, mask: 'hidden' }],
    ['verified', { plain: version.verified?.method ?? null }],
    ['evidence', { line: version.verified?.evidence ?? null, mask: 'hidden' }],
    ['void', { plain: version.void }],
  ]);
}

function wordsOf({ type, data }: RelationEvent, row: Pick<RelationRow, 'type' | 'inverse'>, isParty: boolean): string {
  // As it reads from this side: what they are to the other.
  const relation = `${isParty ? row.type : row.inverse} of another`;
  switch (type) {
    case 'RelationRecorded':
      return `Recorded as ${relation}`;
    case 'RelationVerified':
      return `Verified as ${relation}, by ${data.method}`;
    case 'RelationCorrected':
      return `Corrected as ${relation}`;
    case 'RelationEnded':
      return `No longer ${relation} from ${data.until} on`;
    case 'RelationVoided':
      return `Never was ${relation}`;
  }
}

function lineOf(value: unknown): string | null {
  return value instanceof Sealed ? value.toString() : null;
}
