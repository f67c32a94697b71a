// What can have happened to a change that waits for a second pair of eyes, and to the policy that says which do: the stored format, for
// decades. Stream `approval-<id>`, sealed with the key of the customer it is about, or with its own.
import { z } from 'zod';
import { defineEvent, type FactOf } from '../kernel/event.ts';
import { personal } from '../kernel/personal.ts';

export const ApprovalId = z.uuid();
const CustomerId = z.uuid();
/** Proposals hold identity data of whom they are about, and stand as long as it does. */
const identity = { retention: 'identity' } as const;

/** Who may approve: a role at head office, for the whole bank. */
export const ApproverRole = z.enum(['operations', 'risk']);
export type ApproverRole = z.output<typeof ApproverRole>;

/** Asked for by `maker`, whose right it is and under whom it is carried out. */
export const ApprovalRequested = defineEvent(
  'ApprovalRequested',
  z.strictObject({
    approvalId: ApprovalId,
    command: z.strictObject({ name: z.string(), version: z.int() }),
    /** The stream that it would change; absent where it would begin one. */
    target: z.string().optional(),
    /** Where that stream stood: -1 where it was not there. Once it has moved nothing is carried out any more. */
    base: z.int(),
    /** Of the command's address. */
    params: z.record(z.string(), z.string()),
    /** The command's body as JSON. */
    body: personal(z.string()),
    /** What would change, in words of the command; `mask` says how a value is shown to whom may not see it. */
    diff: z.array(
      z.strictObject({
        field: z.string(),
        mask: z.enum(['none', 'name', 'phone', 'document', 'e-mail', 'address', 'number', 'wechat', 'birth-date', 'hidden']),
        before: personal(z.string()).optional(),
        after: personal(z.string()).optional(),
      }),
    ),
    /** With the reach that they had, as the token and the sight said. */
    maker: z.strictObject({
      subject: z.string(),
      role: z.string(),
      onBehalfOf: z.string().optional(),
      scope: z.string().optional(),
      sight: z.string().optional(),
    }),
    reason: personal(z.string()).optional(),
    /** The customer it is about. */
    customer: CustomerId.optional(),
    /** Version 0 is the one that the program brings. */
    policy: z.strictObject({ id: z.literal('approval'), version: z.int() }),
    approvers: z.array(ApproverRole),
    /** RFC 3339 UTC. */
    expiresAt: z.string(),
  }),
  identity,
);

const Named = z.strictObject({ approvalId: ApprovalId });
export const ApprovalGranted = defineEvent('ApprovalGranted', Named, identity);
export const ApprovalRejected = defineEvent('ApprovalRejected', z.strictObject({ approvalId: ApprovalId, reason: personal(z.string()) }), identity);
/** By its maker. */
export const ApprovalWithdrawn = defineEvent('ApprovalWithdrawn', Named, identity);
/** At `expiresAt`, by the program. */
export const ApprovalExpired = defineEvent('ApprovalExpired', Named, identity);
/** The command stands on `stream` at `revision`. */
export const ApprovalCarriedOut = defineEvent(
  'ApprovalCarriedOut',
  z.strictObject({ approvalId: ApprovalId, stream: z.string(), revision: z.int() }),
  identity,
);
/** `why`: `base-moved`, `right-gone` (its maker may not see it any more), `command-changed`, `erased`, or the code of the command's refusal. */
export const ApprovalFailed = defineEvent('ApprovalFailed', z.strictObject({ approvalId: ApprovalId, why: z.string() }), identity);

export const ApprovalRule = z.strictObject({
  /** The command's name. */
  command: z.string(),
  /** Every condition must hold; without any, the command always waits. */
  when: z
    .strictObject({
      /** The body says one of these. */
      fields: z.array(z.string()).optional(),
      /** Each of these of the body has one of the values. */
      is: z.record(z.string(), z.array(z.union([z.string(), z.boolean(), z.number()]))).optional(),
    })
    .optional(),
  approvers: z.array(ApproverRole),
  expiresAfterHours: z.int(),
});
export type ApprovalRule = z.output<typeof ApprovalRule>;

/** Stream `policy-approval`: from now on these rules and no others, but that a policy itself always waits. */
export const ApprovalPolicyPublished = defineEvent('ApprovalPolicyPublished', z.strictObject({ version: z.int(), rules: z.array(ApprovalRule) }));

export const approvalEvents = [
  ApprovalRequested,
  ApprovalGranted,
  ApprovalRejected,
  ApprovalWithdrawn,
  ApprovalExpired,
  ApprovalCarriedOut,
  ApprovalFailed,
] as const;
export const policyEvents = [ApprovalPolicyPublished] as const;

export type ApprovalFact = FactOf<typeof approvalEvents>;
export type PolicyFact = FactOf<typeof policyEvents>;
