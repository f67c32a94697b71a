// Commands on approvals and on the policy that says what waits for one. Who asks is four-eyes.ts, whenever a policy names a command; deciding
// has routes of its own (api/approval-routes.ts), since what was granted is carried out at once. The rules are in domain/approval/.
import { z } from 'zod';
import { type ApprovalCommand, type ApprovalState, approval, approvalVisibleTo, type Proposal } from '../domain/approval/approval.ts';
import { ApprovalId, ApprovalRule, ApproverRole } from '../domain/approval/events.ts';
import { approvalPolicy, PUBLISHING, type PublishPolicy } from '../domain/approval/policy.ts';
import type { Actor } from '../domain/kernel/event.ts';
import { Role } from '../domain/kernel/roles.ts';
import { type AnyCommand, defineCommand } from './command.ts';

const params = z.strictObject({ approvalId: ApprovalId });
const nothing = z.strictObject({});
const Reason = z.string().trim().min(1).max(500);

const onApproval = {
  category: 'approval',
  decider: approval,
  params,
  target: ({ approvalId }: { readonly approvalId: string }): string => approvalId,
  visibleTo: (state: ApprovalState, actor: Actor): boolean => approvalVisibleTo(state, actor),
  rejections: { ApprovalNotFound: 404, OwnProposal: 403, NotAnApprover: 403, NotTheMaker: 403, ApprovalOver: 409 },
} as const;

/** The proposal is no part of what is said: a retry says the same body, however things stand by then. */
const requestParams = z.strictObject({ approvalId: ApprovalId, proposal: z.custom<Proposal>() });

export const requestApproval = defineCommand({
  ...onApproval,
  name: 'RequestApproval',
  summary: 'Ask for a second pair of eyes',
  roles: Role.options,
  params: requestParams,
  assumesNew: true,
  body: z.unknown(),
  keepsBody: false,
  command: ({ params: { approvalId, proposal } }): ApprovalCommand => ({ do: 'request', approvalId, proposal }),
});

export const grantApproval = defineCommand({
  ...onApproval,
  name: 'GrantApproval',
  summary: 'Approve a change: it is carried out as its maker’s',
  roles: ApproverRole.options,
  body: nothing,
  command: (_, { id, actor, now }): ApprovalCommand => ({ do: 'grant', approvalId: id, by: actor, now }),
});

export const rejectApproval = defineCommand({
  ...onApproval,
  name: 'RejectApproval',
  summary: 'Reject a change, with a reason: it is kept',
  roles: ApproverRole.options,
  body: z.strictObject({ reason: Reason }),
  command: ({ body }, { id, actor, now }): ApprovalCommand => ({ do: 'reject', approvalId: id, by: actor, now, ...body }),
});

export const withdrawApproval = defineCommand({
  ...onApproval,
  name: 'WithdrawApproval',
  summary: 'Take back a change that one asked for',
  roles: Role.options.filter((role) => role !== 'integration' && role !== 'administrator' && role !== 'aml'),
  body: nothing,
  command: (_, { id, actor, now }): ApprovalCommand => ({ do: 'withdraw', approvalId: id, by: actor, now }),
});

const bySystem = { ...onApproval, roles: ['system'] } as const;

export const expireApproval = defineCommand({
  ...bySystem,
  name: 'ExpireApproval',
  summary: 'End an approval that nobody decided in time',
  body: nothing,
  command: (_, { id, now }): ApprovalCommand => ({ do: 'expire', approvalId: id, now }),
});

export const recordCarriedOut = defineCommand({
  ...bySystem,
  name: 'RecordCarriedOut',
  summary: 'Record where a granted change stands',
  body: z.strictObject({ stream: z.string(), revision: z.int() }),
  command: ({ body }, { id }): ApprovalCommand => ({ do: 'record-carried-out', approvalId: id, ...body }),
});

export const recordFailure = defineCommand({
  ...bySystem,
  name: 'RecordApprovalFailure',
  summary: 'Record why a granted change could not be carried out',
  body: z.strictObject({ why: z.string() }),
  command: ({ body }, { id }): ApprovalCommand => ({ do: 'record-failure', approvalId: id, ...body }),
});

/** A command that a policy may name, with the fields of its body. */
export interface Proposable {
  readonly name: string;
  readonly fields: readonly string[];
}

/** Of these none waits: a decision is no change, and what a customer takes back counts at once (个人信息保护法 art. 15). */
const NEVER_WAIT: readonly string[] = ['approval', 'consent'];

/** Whether a policy may name it: it is a route's own, and one of the bank's business. */
export function isProposable({ route, category, roles }: AnyCommand): boolean {
  return (
    route !== undefined &&
    !NEVER_WAIT.includes(category) &&
    roles.some((role) => role !== 'administrator' && role !== 'integration' && role !== 'system')
  );
}

export function approvalCommands(commands: readonly AnyCommand[]): readonly AnyCommand[] {
  const proposable = commands.filter(isProposable).map(({ name, body }) => ({ name, fields: fieldsOf(body) }));
  return [
    requestApproval,
    grantApproval,
    rejectApproval,
    withdrawApproval,
    expireApproval,
    recordCarriedOut,
    recordFailure,
    publishApprovalPolicy(proposable),
  ];
}

const MAX_RULES = 100;
const MAX_HOURS = 24 * 90;
const NO_CONDITION = 'empty, so that the rule would never hold: name at least one, or leave it out';

function publishApprovalPolicy(proposable: readonly Proposable[]): AnyCommand {
  const shape = ApprovalRule.shape;
  const Rule = z
    .strictObject({
      command: z.enum(proposable.map(({ name }) => name)),
      when: shape.when,
      approvers: z.array(ApproverRole).min(1).max(ApproverRole.options.length),
      expiresAfterHours: z.int().min(1).max(MAX_HOURS),
    })
    .superRefine(({ command, when }, context) => {
      const fields = proposable.find(({ name }) => name === command)?.fields ?? [];
      const detail = `${command} has no such field: it has ${fields.join(', ') || 'none'}`;
      // Nothing is ever one of none, so such a rule would let everything by.
      if (when?.fields?.length === 0) context.addIssue({ code: 'custom', path: ['when', 'fields'], message: NO_CONDITION });
      for (const [field, values] of Object.entries(when?.is ?? {}))
        if (values.length === 0) context.addIssue({ code: 'custom', path: ['when', 'is', field], message: NO_CONDITION });
      for (const [index, field] of (when?.fields ?? []).entries())
        if (!fields.includes(field)) context.addIssue({ code: 'custom', path: ['when', 'fields', index], message: detail });
      for (const field of Object.keys(when?.is ?? {}))
        if (!fields.includes(field)) context.addIssue({ code: 'custom', path: ['when', 'is', field], message: detail });
    });
  return defineCommand({
    name: PUBLISHING,
    summary: 'Say which commands wait for approval: a version that itself waits for another’s approval',
    route: 'POST /v1/approval-policies',
    roles: ApproverRole.options,
    category: 'policy',
    params: nothing,
    target: () => 'approval',
    body: z.strictObject({ rules: z.array(Rule).max(MAX_RULES), reason: Reason }),
    decider: approvalPolicy,
    rejections: { PolicyUnchanged: 409 },
    diff: ({ body }, { rules }) => [{ field: 'rules', mask: 'none', before: JSON.stringify(rules), after: JSON.stringify(body.rules) }],
    command: ({ body }): PublishPolicy => ({ rules: body.rules }),
  });
}

/** Names of a body's own fields, whatever is done with it afterwards. */
function fieldsOf(body: z.ZodType): readonly string[] {
  if (body instanceof z.ZodPipe) return fieldsOf(body.in as z.ZodType);
  return body instanceof z.ZodObject ? Object.keys(body.shape) : [];
}
