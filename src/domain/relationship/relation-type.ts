// Types of relations: those that are built in, and those that operations define and retire. A definition in use is never changed under
// the relations that were recorded by it: each keeps how it reads.
import type { Decider, Rejection } from '../kernel/decider.ts';
import type { RelationTypeFact } from './events.ts';

type PartyKind = 'person' | 'organisation';

export interface RelationTypeDefinition {
  /** How the other end reads; the type itself where both read alike. */
  readonly inverse: string;
  /** Whether it carries a share, which is then needed. */
  readonly share: boolean;
  /** What either end must be; anything where absent. */
  readonly party?: PartyKind;
  readonly of?: PartyKind;
}

const person = { party: 'person', of: 'person' } as const;
const office = { share: false, party: 'person', of: 'organisation' } as const;

/** "`party` is <type> of `of`", and "`of` is <inverse> of `party`". */
export const builtInTypes: Readonly<Record<string, RelationTypeDefinition>> = {
  spouse: { inverse: 'spouse', share: false, ...person },
  parent: { inverse: 'child', share: false, ...person },
  sibling: { inverse: 'sibling', share: false, ...person },
  guardian: { inverse: 'ward', share: false, of: 'person' },
  'legal-representative': { inverse: 'represented-firm', ...office },
  shareholder: { inverse: 'held-firm', share: true, of: 'organisation' },
  'actual-controller': { inverse: 'controlled-firm', share: false, of: 'organisation' },
  director: { inverse: 'directed-firm', ...office },
  /** 负责日常经营管理的人员 */
  'senior-manager': { inverse: 'managed-firm', ...office },
  guarantor: { inverse: 'guaranteed', share: false },
  supplier: { inverse: 'buyer', share: false },
  employer: { inverse: 'employee', share: false, of: 'person' },
  'same-address': { inverse: 'same-address', share: false },
};

export interface RelationTypeState {
  /** Operations' own; absent for one that is built in or not there. */
  readonly own?: RelationTypeDefinition;
  /** 0 before any definition of operations. */
  readonly version: number;
  readonly retired: boolean;
}

export type RelationTypeCommand =
  | ({ readonly do: 'define'; readonly type: string } & RelationTypeDefinition)
  | { readonly do: 'retire'; readonly type: string; readonly reason: string };

export type RelationTypeRejection = 'RelationTypeNotFound' | 'RelationTypeBuiltIn';

export const relationType: Decider<RelationTypeCommand, RelationTypeState, RelationTypeFact, RelationTypeRejection> = {
  initialState: { version: 0, retired: false },
  evolve,
  decide,
};

/** The definition by which relations are recorded now; undefined where there is none or it is retired. */
export function definitionInUse(type: string, { own, retired }: RelationTypeState): RelationTypeDefinition | undefined {
  return retired ? undefined : (builtInType(type) ?? own);
}

function decide(command: RelationTypeCommand, state: RelationTypeState): readonly RelationTypeFact[] | Rejection<RelationTypeRejection> {
  const { type } = command;
  const known = builtInType(type) ?? state.own;
  if (command.do === 'retire') {
    if (known === undefined) return { rejected: 'RelationTypeNotFound', detail: 'There is no such type of relation.' };
    if (state.retired) return [];
    return [{ type: 'RelationTypeRetired', data: { type, version: state.version, reason: command.reason } }];
  }
  const { do: _, type: _type, ...definition } = command;
  const same = known !== undefined && isSame(known, definition);
  if (same && !state.retired) return [];
  if (builtInType(type) !== undefined && !same)
    return {
      rejected: 'RelationTypeBuiltIn',
      detail:
        'A type that is built in keeps its meaning, as beneficial owners are found by it: it can be retired; define another under a name of its own.',
    };
  return [{ type: 'RelationTypeDefined', data: { type, version: state.version + 1, ...withoutAbsent(definition) } }];
}

function evolve(state: RelationTypeState, fact: RelationTypeFact): RelationTypeState {
  if (fact.type === 'RelationTypeRetired') return { ...state, retired: true };
  const { type: _, version, ...definition } = fact.data;
  return { own: withoutAbsent(definition), version, retired: false };
}

/** By its name alone, whatever else objects have by that name. */
export function builtInType(type: string): RelationTypeDefinition | undefined {
  return Object.hasOwn(builtInTypes, type) ? builtInTypes[type] : undefined;
}

function isSame(one: RelationTypeDefinition, other: RelationTypeDefinition): boolean {
  return one.inverse === other.inverse && one.share === other.share && one.party === other.party && one.of === other.of;
}

function withoutAbsent({
  inverse,
  share,
  party,
  of,
}: {
  inverse: string;
  share: boolean;
  party?: PartyKind | undefined;
  of?: PartyKind | undefined;
}) {
  return { inverse, share, ...(party === undefined ? {} : { party }), ...(of === undefined ? {} : { of }) };
}
