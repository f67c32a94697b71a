// An entry of the vocabulary of tags: defined, redefined, retired.
import type { Decider, Rejection } from '../kernel/decider.ts';
import type { TagEntry, TagFact } from './events.ts';

export interface TagEntryState {
  /** Undefined where the tag is none of the vocabulary. */
  readonly entry: TagEntry | undefined;
}

export type TagEntryCommand = { readonly tag: string } & ({ readonly do: 'define'; readonly entry: TagEntry } | { readonly do: 'retire' });
export type TagEntryRejection = 'TagNotFound';

export const tagEntry: Decider<TagEntryCommand, TagEntryState, TagFact, TagEntryRejection> = {
  initialState: { entry: undefined },
  evolve: (_, fact) => ({ entry: fact.type === 'TagDefined' ? fact.data.entry : undefined }),
  decide,
};

function decide(command: TagEntryCommand, { entry }: TagEntryState): readonly TagFact[] | Rejection<TagEntryRejection> {
  const { tag } = command;
  if (command.do === 'retire') {
    if (entry === undefined) return { rejected: 'TagNotFound', detail: 'There is no such tag in the vocabulary.' };
    return [{ type: 'TagRetired', data: { tag } }];
  }
  const isSame = entry !== undefined && JSON.stringify(sorted(entry)) === JSON.stringify(sorted(command.entry));
  return isSame ? [] : [{ type: 'TagDefined', data: { tag, entry: command.entry } }];
}

function sorted(entry: TagEntry): [string, unknown][] {
  return Object.entries(entry)
    .filter(([, value]) => value !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1));
}
