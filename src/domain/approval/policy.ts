// Which commands wait for a second pair of eyes, as versioned data. Version 0 is built in: name and documents of a customer who is there.
// Publishing a policy waits by a rule that no policy can take away.
import type { Decider, Rejection } from '../kernel/decider.ts';
import type { ApprovalRule, PolicyFact } from './events.ts';

export interface PolicyState {
  readonly version: number;
  readonly rules: readonly ApprovalRule[];
  /** Commands that any version ever named: what was proposed under an older one is still known again. */
  readonly everNamed: ReadonlySet<string>;
}

export const PUBLISHING = 'PublishApprovalPolicy';
const HOURS = 72;

const waits = (command: string): ApprovalRule => ({ command, approvers: ['operations', 'risk'], expiresAfterHours: HOURS });
const builtIn: readonly ApprovalRule[] = ['CorrectName', 'AddDocument', 'WithdrawDocument'].map(waits);
const ofPolicies: ApprovalRule = waits(PUBLISHING);

export interface PublishPolicy {
  readonly rules: readonly ApprovalRule[];
}

export const approvalPolicy: Decider<PublishPolicy, PolicyState, PolicyFact, 'PolicyUnchanged'> = {
  initialState: { version: 0, rules: builtIn, everNamed: new Set([PUBLISHING, ...builtIn.map(({ command }) => command)]) },
  evolve: ({ everNamed }, { data: { version, rules } }) => ({
    version,
    rules,
    everNamed: new Set([...everNamed, ...rules.map(({ command }) => command)]),
  }),
  decide: ({ rules }, { version, rules: before }): readonly PolicyFact[] | Rejection<'PolicyUnchanged'> => {
    if (JSON.stringify(rules) === JSON.stringify(before))
      return { rejected: 'PolicyUnchanged', detail: 'These are the rules that hold already.', pointer: '/rules' };
    return [{ type: 'ApprovalPolicyPublished', data: { version: version + 1, rules: [...rules] } }];
  },
};

/** The first rule that a command with this body falls under; undefined where it is done at once. */
export function ruleFor({ rules }: Pick<PolicyState, 'rules'>, command: string, body: unknown): ApprovalRule | undefined {
  if (command === PUBLISHING) return ofPolicies;
  const said = (body ?? {}) as Readonly<Record<string, unknown>>;
  return rules.find((rule) => {
    if (rule.command !== command) return false;
    const { fields, is = {} } = rule.when ?? {};
    if (fields !== undefined && !fields.some((field) => said[field] !== undefined)) return false;
    return Object.entries(is).every(([field, values]) => values.some((value) => value === said[field]));
  });
}
