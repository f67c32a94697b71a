// How an approval is shown: what would change stands masked for everyone but who may decide on it while it waits.
import { z } from 'zod';
import { mayDecide } from '../domain/approval/approval.ts';
import { ApproverRole } from '../domain/approval/events.ts';
import type { MaskKind } from '../domain/customer/masks.ts';
import type { Actor } from '../domain/kernel/event.ts';
import type { Opener } from '../journal/sealing.ts';
import type { ApprovalDetails, ApprovalRow } from '../projections/approvals/approvals.ts';
import { OpenedValues, Showing } from '../views/shown.ts';
import { PersonalValue } from './customer-view.ts';

export const ApprovalStatus = z.enum(['waiting', 'granted', 'carried-out', 'failed', 'rejected', 'withdrawn', 'expired']);
const Person = z.strictObject({ subject: z.string(), role: z.string(), onBehalfOf: z.string().optional() });

export const CarriedOutAt = z.strictObject({ stream: z.string(), revision: z.int() });
export const ApprovalItem = z.strictObject({
  id: z.string(),
  revision: z.int(),
  state: ApprovalStatus,
  command: z.string(),
  customer: z.string().nullable(),
  target: z.string().nullable().meta({ description: 'The stream that it would change; null where it would begin one' }),
  base: z.int().meta({ description: 'Where that stream stood: once it has moved, nothing is carried out' }),
  by: Person,
  requestedAt: z.string(),
  reason: PersonalValue,
  policy: z.int().meta({ description: 'Version of the policy that required it; 0 is built in' }),
  approvers: z.array(ApproverRole),
  dueAt: z.string().meta({ description: 'Halfway to its expiry: from then on it is overdue' }),
  expiresAt: z.string(),
  decided: z.strictObject({ subject: z.string(), role: z.string(), at: z.string() }).nullable(),
  rejection: PersonalValue,
  failure: z.string().nullable().meta({ description: '`base-moved`, `right-gone`, `command-changed`, `erased`, or why the command was refused' }),
  carriedOut: CarriedOutAt.nullable(),
  diff: z.array(z.strictObject({ field: z.string(), before: PersonalValue, after: PersonalValue })),
  mayDecide: z.boolean().meta({ description: 'Whether it is you who may approve or reject it, now' }),
  masked: z.array(z.string()).meta({ description: 'Fields that are shown masked, or not at all' }),
});
export type ApprovalItem = z.output<typeof ApprovalItem>;

export interface Viewer {
  readonly actor: Actor;
  /** RFC 3339 UTC. */
  readonly now: string;
  /** In a list nothing is plain: that would show many for one decision. */
  readonly inList: boolean;
}

export async function approvalsShown(rows: readonly ApprovalRow[], opener: Pick<Opener, 'openMany'>, viewer: Viewer) {
  const details = rows.map((row) => JSON.parse(row.details) as ApprovalDetails);
  const opened = await OpenedValues.of(opener, details.flatMap(linesOf));
  const plain = new Set<string>();
  const items = rows.map((row, index): ApprovalItem => {
    const may = decidable(row, viewer);
    const showing = new Showing(opened, may && !viewer.inList ? 'system' : 'operations');
    const item = shown(row, details[index] as ApprovalDetails, showing, viewer.actor);
    for (const field of showing.plain) plain.add(field);
    return { ...item, mayDecide: may, masked: showing.masked };
  });
  return { items, plain: [...plain].sort() };
}

function shown(
  row: ApprovalRow,
  { reason, rejection, diff }: ApprovalDetails,
  showing: Showing,
  actor: Actor,
): Omit<ApprovalItem, 'mayDecide' | 'masked'> {
  const { decided_by, decided_role, decided_at, done_stream, done_revision, maker_for } = row;
  return {
    id: row.id,
    revision: row.revision,
    state: ApprovalStatus.parse(row.state),
    command: row.command,
    customer: row.customer_id,
    target: row.target,
    base: row.base,
    by: { subject: row.maker, role: row.maker_role, ...(maker_for === null ? {} : { onBehalfOf: maker_for }) },
    requestedAt: row.requested_at,
    reason: showing.text('reason', 'hidden', reason),
    policy: row.policy_version,
    approvers: row.approvers.map((role) => ApproverRole.parse(role)),
    dueAt: row.due_at,
    expiresAt: row.expires_at,
    decided: decided_by === null ? null : { subject: decided_by, role: decided_role ?? '', at: decided_at ?? '' },
    rejection: showing.text('rejection', 'hidden', rejection),
    failure: failureFor(row.failure, actor),
    carriedOut: done_stream === null ? null : { stream: done_stream, revision: done_revision ?? 0 },
    diff: diff.map(({ field, mask: kind, before, after }) => {
      const mask = kind === 'none' || !isOutOfSight(row, actor) ? (kind as MaskKind) : 'hidden';
      return { field, before: showing.text(field, mask, before), after: showing.text(field, mask, after) };
    }),
  };
}

/** A change that waits, beside what stands: which fields, and not what they would be. */
export function pendingShown({ id, command, details, maker, expires_at }: ApprovalRow) {
  const { diff } = JSON.parse(details) as ApprovalDetails;
  return { approval: id, command, fields: diff.map(({ field }) => field), by: maker, expiresAt: expires_at };
}

/** That a document is another customer's is told to a relationship manager by the one declared way alone, which counts (known-to-bank.ts). */
export function failureFor(failure: string | null, { role }: Pick<Actor, 'role'>): string | null {
  return failure === 'ClaimTaken' && role === 'rm' ? 'refused' : failure;
}

/** Who sees one customer at a time sees nothing more of one who has left, not even masked. */
function isOutOfSight({ customer_id }: ApprovalRow, { role, sight }: Actor): boolean {
  return customer_id !== null && (role === 'teller' || role === 'agent') && sight !== customer_id;
}

function decidable({ state, maker, maker_role: role, maker_for, approvers, expires_at }: ApprovalRow, { actor, now }: Viewer): boolean {
  if (state !== 'waiting' || now >= expires_at) return false;
  const by = { subject: maker, role, ...(maker_for === null ? {} : { onBehalfOf: maker_for }) };
  return mayDecide({ maker: by, approvers: approvers.map((one) => ApproverRole.parse(one)) }, actor);
}

function linesOf({ reason, rejection, diff }: ApprovalDetails): (string | null)[] {
  return [reason, rejection, ...diff.flatMap(({ before, after }) => [before, after])];
}
