// A segment's life: defined, defined anew, retired. The dimensions that it names come in with the command.
import type { Decider, Rejection } from '../kernel/decider.ts';
import { type Condition, dimensionsIn, MOST_NODES, nodesOf } from './condition.ts';
import type { SegmentFact } from './events.ts';

export interface SegmentState {
  /** 0 before it is. */
  readonly version: number;
  readonly name?: string;
  readonly condition?: Condition;
  readonly owner?: { readonly subject: string; readonly role: string };
  readonly retired: boolean;
}

interface Definition {
  readonly name: string;
  readonly condition: Condition;
  readonly by: { readonly subject: string; readonly role: string };
  /** Of those that it names, those that there are and that the definer may read. */
  readonly dimensions: readonly string[];
}

export type SegmentCommand = { readonly segmentId: string } & (({ readonly do: 'define' | 'redefine' } & Definition) | { readonly do: 'retire' });

export type SegmentRejection = 'SegmentNotFound' | 'SegmentTooLarge' | 'DimensionUnknown' | 'BoundsReversed';

export const segment: Decider<SegmentCommand, SegmentState, SegmentFact, SegmentRejection> = {
  initialState: { version: 0, retired: false },
  evolve,
  decide,
};

function decide(command: SegmentCommand, state: SegmentState): readonly SegmentFact[] | Rejection<SegmentRejection> {
  const { segmentId } = command;
  // The stream of a new one is named by the command, so a segment that is there already was defined by it.
  if (command.do === 'define' && state.version > 0) return [];
  if (command.do !== 'define' && (state.version === 0 || (command.do === 'redefine' && state.retired)))
    return { rejected: 'SegmentNotFound', detail: 'There is no such segment.' };
  if (command.do === 'retire') return state.retired ? [] : [{ type: 'SegmentRetired', data: { segmentId } }];
  const { name, condition, by } = command;
  const wrong = wrongIn(command);
  if (wrong) return wrong;
  if (state.name === name && JSON.stringify(state.condition) === JSON.stringify(condition)) return [];
  const definedBy = state.owner ?? { subject: by.subject, role: by.role };
  return [{ type: 'SegmentDefined', data: { segmentId, version: state.version + 1, name, condition, definedBy } }];
}

function wrongIn({ condition, dimensions }: Definition): Rejection<SegmentRejection> | undefined {
  const nodes = nodesOf(condition);
  if (nodes.length > MOST_NODES)
    return { rejected: 'SegmentTooLarge', detail: `It has ${nodes.length} conditions and groups: at most ${MOST_NODES}.`, pointer: '/condition' };
  if (dimensionsIn(condition).some((code) => !dimensions.includes(code))) {
    const found = nodes.find(({ node }) => node.is === 'classification' && !dimensions.includes(node.dimension));
    const detail = 'There is no such dimension that your role may read: those there are stand under /v1/dimensions.';
    return { rejected: 'DimensionUnknown', detail, pointer: `/condition${found?.path ?? ''}/dimension` };
  }
  const reversed = nodes.find(
    ({ node }) => node.is === 'balance' && node.atLeast !== undefined && node.below !== undefined && node.below <= node.atLeast,
  );
  if (reversed) return { rejected: 'BoundsReversed', detail: '`below` is more than `atLeast`.', pointer: `/condition${reversed.path}/below` };
  return undefined;
}

function evolve(state: SegmentState, fact: SegmentFact): SegmentState {
  if (fact.type === 'SegmentRetired') return { ...state, retired: true };
  const { version, name, condition, definedBy } = fact.data;
  return { ...state, version, name, condition, owner: definedBy };
}

/** The bank's own for whoever may ask; a relationship manager's for that one alone among them. */
export function segmentVisibleTo(owner: SegmentState['owner'], { role, subject }: { readonly role: string; readonly subject: string }): boolean {
  return role !== 'rm' || owner === undefined || owner.role !== 'rm' || owner.subject === subject;
}

/** Who may change it: a relationship manager own ones; the rest those of the bank. */
export function segmentChangedBy(owner: SegmentState['owner'], { role, subject }: { readonly role: string; readonly subject: string }): boolean {
  return owner === undefined || (role === 'rm' ? owner.role === 'rm' && owner.subject === subject : owner.role !== 'rm');
}
