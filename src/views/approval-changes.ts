// What a customer's history tells of changes that waited for a second pair of eyes: who asked, what would have changed, what became of it.
import type { approvalEvents } from '../domain/approval/events.ts';
import type { RecordedOf } from '../domain/kernel/event.ts';
import { Sealed } from '../domain/kernel/personal.ts';
import type { Field, Fields } from './change-fields.ts';

export type ApprovalEvent = RecordedOf<typeof approvalEvents>;

/** Of a change that is asked for what it would change; what becomes of it changes nothing by itself. */
export function approvalFields({ type, data }: ApprovalEvent): { readonly before: Fields; readonly after: Fields } {
  if (type !== 'ApprovalRequested') return { before: new Map(), after: new Map() };
  const side = (which: 'before' | 'after'): Fields =>
    new Map(
      data.diff.map((line): [string, Field] => {
        const value = line[which];
        return [line.field, { line: value instanceof Sealed ? value.toString() : null, mask: line.mask }];
      }),
    );
  return { before: side('before'), after: side('after') };
}

/** With nothing personal in it. */
export function wordsOfApproval({ type, data }: ApprovalEvent): string {
  switch (type) {
    case 'ApprovalRequested':
      return `Asked for another’s approval: ${data.command.name}, by version ${data.policy.version} of the policy`;
    case 'ApprovalGranted':
      return 'A change approved';
    case 'ApprovalRejected':
      return 'A change rejected';
    case 'ApprovalWithdrawn':
      return 'A change withdrawn by who asked for it';
    case 'ApprovalExpired':
      return 'A change that nobody approved in time';
    case 'ApprovalCarriedOut':
      return 'An approved change carried out';
    case 'ApprovalFailed':
      // That a document is another customer's is told in one way alone (api/known-to-bank.ts).
      return `An approved change not carried out: ${data.why === 'ClaimTaken' ? 'refused' : data.why}`;
  }
}
