// Approvals: one row each, with what would change still sealed. A worker (processes/approvals.ts) takes from here what is due to expire,
// and what was granted and not done.
import type { approvalEvents } from '../../domain/approval/events.ts';
import type { RecordedOf } from '../../domain/kernel/event.ts';
import { Erased, type Personal, Sealed } from '../../domain/kernel/personal.ts';
import type { Projection } from '../engine/projection.ts';

export type ApprovalRow = {
  readonly id: string;
  /** `waiting`, `granted`, `carried-out`, `failed`, `rejected`, `withdrawn`, `expired` */
  readonly state: string;
  readonly command: string;
  /** The stream that it would change; null where it would begin one. */
  readonly target: string | null;
  readonly base: number;
  readonly customer_id: string | null;
  readonly maker: string;
  readonly maker_role: string;
  /** Whom its maker acted for. */
  readonly maker_for: string | null;
  readonly approvers: readonly string[];
  readonly policy_version: number;
  readonly requested_at: string;
  /** Halfway to its expiry: from then on it is overdue. */
  readonly due_at: string;
  readonly expires_at: string;
  readonly decided_by: string | null;
  readonly decided_role: string | null;
  readonly decided_at: string | null;
  readonly failure: string | null;
  /** Where the change stands once it is carried out. */
  readonly done_stream: string | null;
  readonly done_revision: number | null;
  /** JSON of `ApprovalDetails`. */
  readonly details: string;
  /** Of the last event that touched the row. */
  readonly position: number;
  readonly revision: number;
};

/** Personal values as lines of `Sealed`, null where there is none or it was erased. */
export interface ApprovalDetails {
  readonly reason: string | null;
  /** Why it was rejected. */
  readonly rejection: string | null;
  readonly diff: readonly ApprovalLine[];
}
export interface ApprovalLine {
  readonly field: string;
  readonly mask: string;
  readonly before: string | null;
  readonly after: string | null;
}

export const approvals: Projection<ApprovalRow> = {
  name: 'approvals',
  version: 1,
  categories: ['approval'],
  table: {
    name: 'approvals',
    key: 'id',
    columns: {
      id: { type: 'text' },
      state: { type: 'text' },
      command: { type: 'text' },
      target: { type: 'text', nullable: true },
      base: { type: 'integer' },
      customer_id: { type: 'text', nullable: true },
      maker: { type: 'text' },
      maker_role: { type: 'text' },
      maker_for: { type: 'text', nullable: true },
      approvers: { type: 'text[]' },
      policy_version: { type: 'integer' },
      requested_at: { type: 'timestamptz' },
      due_at: { type: 'timestamptz' },
      expires_at: { type: 'timestamptz' },
      decided_by: { type: 'text', nullable: true },
      decided_role: { type: 'text', nullable: true },
      decided_at: { type: 'timestamptz', nullable: true },
      failure: { type: 'text', nullable: true },
      done_stream: { type: 'text', nullable: true },
      done_revision: { type: 'integer', nullable: true },
      details: { type: 'text' },
      position: { type: 'bigint' },
      revision: { type: 'integer' },
    },
    indexes: [
      '(requested_at, id)',
      '(maker, requested_at, id)',
      '(customer_id)',
      "(expires_at, id) where state = 'waiting'",
      "(decided_at, id) where state = 'granted'",
    ],
  },
  creates: new Set(['ApprovalRequested']),
  keys: (recorded) => [(recorded as RecordedOf<typeof approvalEvents>).data.approvalId],
  apply: (row, recorded) => {
    const event = recorded as RecordedOf<typeof approvalEvents>;
    const { position, revision } = event;
    if (event.type === 'ApprovalRequested') return { ...requested(event), position, revision };
    if (!row) throw new Error(`${event.type} of an approval that is not there`);
    return { ...row, ...changed(row, event), position, revision };
  },
};

type Event = RecordedOf<typeof approvalEvents>;

function requested({ data, recordedAt }: Extract<Event, { type: 'ApprovalRequested' }>): Omit<ApprovalRow, 'position' | 'revision'> {
  const { approvalId, command, target, base, customer, maker, approvers, policy, expiresAt, reason, diff } = data;
  const details: ApprovalDetails = {
    reason: lineOf(reason),
    rejection: null,
    diff: diff.map(({ field, mask, before, after }) => ({ field, mask, before: lineOf(before), after: lineOf(after) })),
  };
  return {
    id: approvalId,
    state: 'waiting',
    command: command.name,
    target: target ?? null,
    base,
    customer_id: customer ?? null,
    maker: maker.subject,
    maker_role: maker.role,
    maker_for: maker.onBehalfOf ?? null,
    approvers,
    policy_version: policy.version,
    requested_at: recordedAt,
    due_at: new Date((Date.parse(recordedAt) + Date.parse(expiresAt)) / 2).toISOString(),
    expires_at: expiresAt,
    decided_by: null,
    decided_role: null,
    decided_at: null,
    failure: null,
    done_stream: null,
    done_revision: null,
    details: JSON.stringify(details),
  };
}

function changed(row: ApprovalRow, event: Exclude<Event, { type: 'ApprovalRequested' }>): Partial<ApprovalRow> {
  const { subject, role } = event.actor;
  const decided = { decided_by: subject, decided_role: role, decided_at: event.recordedAt };
  switch (event.type) {
    case 'ApprovalGranted':
      return { state: 'granted', ...decided };
    case 'ApprovalRejected': {
      const details: ApprovalDetails = { ...(JSON.parse(row.details) as ApprovalDetails), rejection: lineOf(event.data.reason) };
      return { state: 'rejected', ...decided, details: JSON.stringify(details) };
    }
    case 'ApprovalWithdrawn':
      return { state: 'withdrawn', ...decided };
    case 'ApprovalExpired':
      return { state: 'expired' };
    case 'ApprovalCarriedOut':
      return { state: 'carried-out', done_stream: event.data.stream, done_revision: event.data.revision };
    case 'ApprovalFailed':
      return { state: 'failed', failure: event.data.why };
  }
}

function lineOf(value: Personal | undefined): string | null {
  if (value === undefined || value instanceof Erased) return null;
  if (value instanceof Sealed) return value.toString();
  throw new TypeError('a personal value reached a read model unsealed');
}
