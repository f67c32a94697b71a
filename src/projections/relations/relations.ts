// Relations between parties: one row each, which keeps what was known of it from which position on. Which version counts for a question
// is views/relation-graph.ts.
import type { RecordedOf } from '../../domain/kernel/event.ts';
import { Erased, type Personal, Sealed } from '../../domain/kernel/personal.ts';
import type { relationEvents } from '../../domain/relationship/events.ts';
import type { Projection } from '../engine/projection.ts';
import { type RelationRow, type RelationVersion, relationsTable } from './row.ts';

type RelationEvent = RecordedOf<typeof relationEvents>;

export const relations: Projection<RelationRow> = {
  name: 'relations',
  version: 1,
  categories: ['relation'],
  table: relationsTable,
  creates: new Set(['RelationRecorded']),
  keys: (event) => [(event as RelationEvent).data.relationId],
  apply: (row, recorded) => {
    const event = recorded as RelationEvent;
    const { position, revision } = event;
    if (event.type === 'RelationRecorded') {
      const { relationId, type, inverse, party, of, partyKind, ofKind } = event.data;
      const first = versionOf(undefined, event);
      return {
        ...{ id: relationId, type, inverse, party_id: party, of_id: of, party_kind: partyKind, of_kind: ofKind },
        first_position: position,
        versions: JSON.stringify([first]),
        position,
        revision,
      };
    }
    // As of a day before it was recorded there is no row for what was done with it later.
    if (!row) return undefined;
    const versions = versionsOf(row);
    return { ...row, versions: JSON.stringify([...versions, versionOf(versions.at(-1), event)]), position, revision };
  },
};

export function versionsOf({ versions }: Pick<RelationRow, 'versions'>): readonly RelationVersion[] {
  return JSON.parse(versions) as RelationVersion[];
}

const blank = { from: null, until: null, share: null, source: { kind: 'staff', reference: null }, verified: null, void: false } as const;

/** The version after an event. */
export function versionOf(before: RelationVersion | undefined, event: RelationEvent): RelationVersion {
  const { position, revision, recordedAt } = event;
  const known = { ...blank, ...before, position, revision, recordedAt };
  switch (event.type) {
    case 'RelationRecorded': {
      const { from = null, until = null, share = null, source } = event.data;
      return { ...known, from, until, share, source: { kind: source.kind, reference: lineOf(source.reference) } };
    }
    case 'RelationVerified': {
      const { method, evidence } = event.data;
      return { ...known, verified: { at: event.occurredAt, by: event.actor.subject, method, evidence: lineOf(evidence) } };
    }
    case 'RelationCorrected': {
      const { from, until, share } = event.data;
      return { ...known, from, until, share, verified: null };
    }
    case 'RelationEnded':
      return { ...known, until: event.data.until };
    case 'RelationVoided':
      return { ...known, void: true };
  }
}

function lineOf(value: Personal | undefined): string | null {
  if (value === undefined || value instanceof Erased) return null;
  if (value instanceof Sealed) return value.toString();
  throw new TypeError('a personal value reached a read model unsealed');
}
