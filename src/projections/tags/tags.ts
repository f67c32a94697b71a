// The vocabulary of tags: one row an entry; a tag that is retired has none. How many customers have each is queries.ts.
import type { RecordedOf } from '../../domain/kernel/event.ts';
import type { tagEvents } from '../../domain/tagging/events.ts';
import type { Projection } from '../engine/projection.ts';

export type TagRow = {
  readonly id: string;
  readonly tag: string;
  readonly colour: string | null;
  /** `group` is a word of SQL. */
  readonly tag_group: string | null;
  readonly owner: string | null;
  readonly description: string | null;
  readonly expires_on: string | null;
  readonly defined_by: string;
  readonly defined_at: string;
  readonly position: number;
  readonly revision: number;
};

export const tags: Projection<TagRow> = {
  name: 'tags',
  version: 1,
  categories: ['tag'],
  table: {
    name: 'tags',
    key: 'id',
    columns: {
      id: { type: 'text' },
      tag: { type: 'text' },
      colour: { type: 'text', nullable: true },
      tag_group: { type: 'text', nullable: true },
      owner: { type: 'text', nullable: true },
      description: { type: 'text', nullable: true },
      expires_on: { type: 'date', nullable: true },
      defined_by: { type: 'text' },
      defined_at: { type: 'timestamptz' },
      position: { type: 'bigint' },
      revision: { type: 'integer' },
    },
    indexes: [],
  },
  creates: new Set(),
  keys: ({ stream }) => [stream.slice(stream.indexOf('-') + 1)],
  apply: (_row, recorded, key) => {
    const { type, data, actor, occurredAt, position, revision } = recorded as RecordedOf<typeof tagEvents>;
    if (type === 'TagRetired') return undefined;
    const { colour, group, owner, description, expiresOn } = data.entry;
    return {
      id: key,
      tag: data.tag,
      colour: colour ?? null,
      tag_group: group ?? null,
      owner: owner ?? null,
      description: description ?? null,
      expires_on: expiresOn ?? null,
      defined_by: actor.subject,
      defined_at: occurredAt,
      position,
      revision,
    };
  },
};
