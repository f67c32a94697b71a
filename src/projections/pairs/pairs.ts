// Pairs of customers that may be one: one row each, whether found by likeness or by document, with what a person decided.
import type { PossiblePairFound } from '../../domain/customer/events.ts';
import type { RecordedOf } from '../../domain/kernel/event.ts';
import type { Personal } from '../../domain/kernel/personal.ts';
import type { matchingEvents } from '../../domain/matching/events.ts';
import { pairOf } from '../../domain/matching/pair.ts';
import type { Projection } from '../engine/projection.ts';

type PairEvent = RecordedOf<typeof matchingEvents> | RecordedOf<readonly [typeof PossiblePairFound]>;

export type PairRow = {
  /** Both ids, the lesser first, with a dot between. */
  readonly id: string;
  readonly one: string;
  readonly other: string;
  /** `similar`, or by document as `PossiblePairFound` has it. */
  readonly because: string;
  /** In thousandths; a common document counts as the whole. */
  readonly score: number;
  /** JSON of what speaks for it and against. */
  readonly reasons: string;
  readonly found_at: string;
  readonly denied_by: string | null;
  readonly denied_reason: Personal | null;
  /** `open`, `later`, `same`, `different` */
  readonly status: string;
  readonly decided_at: string | null;
  readonly decided_by: string | null;
  readonly decision_reason: Personal | null;
  readonly position: number;
  /** Of the stream of decisions; -1 where there is none yet. */
  readonly revision: number;
};

export const pairs: Projection<PairRow> = {
  name: 'pairs',
  version: 1,
  categories: ['match', 'pair'],
  table: {
    name: 'pairs',
    key: 'id',
    columns: {
      id: { type: 'text' },
      one: { type: 'text' },
      other: { type: 'text' },
      because: { type: 'text' },
      score: { type: 'integer' },
      reasons: { type: 'text' },
      found_at: { type: 'timestamptz' },
      denied_by: { type: 'text', nullable: true },
      denied_reason: { type: 'sealed', nullable: true },
      status: { type: 'text' },
      decided_at: { type: 'timestamptz', nullable: true },
      decided_by: { type: 'text', nullable: true },
      decision_reason: { type: 'sealed', nullable: true },
      position: { type: 'bigint' },
      revision: { type: 'integer' },
    },
    indexes: ['(status, score, id)'],
  },
  // Either way of finding may come first.
  creates: new Set(),
  keys: (recorded) => {
    const event = recorded as PairEvent;
    return [event.type === 'PossiblePairFound' ? pairOf(event.data.customerId, event.data.other) : event.data.pair];
  },
  apply: (row, recorded, id) => {
    const event = recorded as PairEvent;
    switch (event.type) {
      case 'PossiblePairFound':
        return { ...(row ?? blank(id, event)), ...byDocument(row, event.data.because), position: event.position };
      case 'SimilarityFound': {
        const { score, reasons, denied } = event.data;
        const known = row ?? { ...blank(id, event), score: Math.round(score * 1_000), reasons: JSON.stringify(reasons) };
        return { ...known, ...deniedBy(denied), position: event.position, revision: event.revision };
      }
      case 'PairDecided': {
        const { decision, reason } = event.data;
        const decided = { status: decision, decided_at: event.recordedAt, decided_by: event.actor.subject, decision_reason: reason };
        return row && { ...row, ...decided, position: event.position, revision: event.revision };
      }
    }
  },
};

function blank(id: string, { recordedAt }: PairEvent): PairRow {
  return {
    id,
    one: id.slice(0, 36),
    other: id.slice(37),
    because: 'similar',
    score: 0,
    reasons: '[]',
    found_at: recordedAt,
    denied_by: null,
    denied_reason: null,
    status: 'open',
    decided_at: null,
    decided_by: null,
    decision_reason: null,
    position: 0,
    revision: -1,
  };
}

/** A document says more than a likeness does, and what is said of either side is said once. */
function byDocument(row: PairRow | undefined, because: string): Pick<PairRow, 'because' | 'score' | 'reasons'> {
  const reason = { field: 'document', speaks: 'for', words: 'the same document' };
  const before = JSON.parse(row?.reasons ?? '[]') as { words: string }[];
  const reasons = [reason, ...before.filter(({ words }) => words !== reason.words)];
  return { because, score: 1_000, reasons: JSON.stringify(reasons) };
}

function deniedBy(denied: { readonly by: string; readonly reason: Personal } | undefined): Partial<PairRow> {
  return denied === undefined ? {} : { denied_by: denied.by, denied_reason: denied.reason };
}
