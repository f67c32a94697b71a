// The customer list's table: one row a party, what lists and searches look at as columns, the rest in `profile`.
import type { Personal } from '../../domain/kernel/personal.ts';
import type { Table } from '../engine/projection.ts';

/** Instants are RFC 3339 UTC with milliseconds. */
export type CustomerRow = {
  readonly id: string;
  /** `person`, `organisation` */
  readonly kind: string;
  /** `prospect` until a source of holdings reports them as its customer. */
  readonly standing: string;
  /** The name that counts (`Profile` keeps those that lost); null where nobody gave one. */
  readonly name: Personal | null;
  /** Search tokens of every name: words, Chinese characters and pairs, pinyin and initials. */
  readonly names: readonly Personal[] | readonly string[];
  /** Exact tokens of document numbers, and of phone numbers. */
  readonly documents: readonly Personal[] | readonly string[];
  readonly phones: readonly Personal[] | readonly string[];
  /** Normalised, sorted. */
  readonly tags: readonly string[];
  readonly manager: string | null;
  readonly branch: string | null;
  /** The ids that they have in holdings (`reference`): own id first where a source reported under it, then those linked. */
  readonly refs: readonly string[];
  /** Possible pairs: ids of other customers, sorted. */
  readonly pairs: readonly string[];
  /** No name, so entry is not complete. */
  readonly incomplete: boolean;
  /** When they came to be known: the earliest start of what was told of them. */
  readonly since: string;
  /** The day of it on the clock of who told: `YYYY-MM-DD`. */
  readonly since_on: string;
  /** JSON of `Profile`. */
  readonly profile: string;
  /** Of the last event that touched the row. */
  readonly position: number;
  /** Of the customer's stream. */
  readonly revision: number;
};

/**
 * Everything else, as JSON; a personal value stands as the line of `Sealed` (`Sealed.parse` reads it), null where it was erased.
 * `from` is `own` for what the bank's staff entered, or the source system's name.
 */
export interface Profile {
  /** As staff entered it, and corrected the name; `kind` is null where they only did the latter. */
  readonly own: { readonly kind: string | null; readonly name: string | null; readonly at: string } | null;
  /** The branch that staff gave them; counts where no report names one. */
  readonly ownBranch: string | null;
  /** The newest report of each `reference`, newest first. */
  readonly reports: readonly ProfileReport[];
  /** Those reported, the newest report's first, then those that staff entered; contacts likewise. */
  readonly documents: readonly ProfileDocument[];
  readonly contacts: readonly ProfileContact[];
  readonly preferences: { readonly channel: string | null; readonly language: string | null } | null;
  /** How many documents staff ever entered; absent where none. */
  readonly documentsMade?: number;
}
export interface ProfileReport {
  readonly reference: string;
  readonly system: string;
  readonly id: string;
  /** `occurredAt` of the report, and its start. */
  readonly at: string;
  readonly startsAt: string;
  readonly name: string | null;
  readonly birthDate: string | null;
  readonly sex: string | null;
  readonly documents: readonly ProfileDocument[];
  readonly contacts: readonly ProfileContact[];
  readonly branch: string | null;
  readonly kind: string;
}
export interface ProfileDocument {
  /** Of those that staff entered: only these are maintained one by one. */
  readonly documentId?: string;
  readonly type: string;
  readonly number: string | null;
  readonly country: string | null;
  readonly expiresOn: string | null;
  readonly from: string;
}
export interface ProfileContact {
  /** Null for a source's: only own contacts are maintained one by one. */
  readonly contactId: string | null;
  readonly kind: string;
  readonly value: string | null;
  readonly verified: boolean;
  readonly from: string;
}

export const customersTable: Table = {
  name: 'customers',
  key: 'id',
  columns: {
    id: { type: 'text' },
    kind: { type: 'text' },
    standing: { type: 'text' },
    name: { type: 'sealed', nullable: true },
    names: { type: 'tokens', tokens: 'names' },
    documents: { type: 'tokens', tokens: 'exact' },
    phones: { type: 'tokens', tokens: 'exact' },
    tags: { type: 'text[]' },
    manager: { type: 'text', nullable: true },
    branch: { type: 'text', nullable: true },
    refs: { type: 'text[]' },
    pairs: { type: 'text[]' },
    incomplete: { type: 'boolean' },
    since: { type: 'timestamptz' },
    since_on: { type: 'date' },
    profile: { type: 'text' },
    position: { type: 'bigint' },
    revision: { type: 'integer' },
  },
  // Without a list of pending entries: every view of a customer and every search would read it through.
  indexes: [
    '(since, id)',
    '(manager, id)',
    '(branch, id)',
    'using gin (names) with (fastupdate = off)',
    'using gin (documents) with (fastupdate = off)',
    'using gin (phones) with (fastupdate = off)',
    'using gin (tags) with (fastupdate = off)',
    'using gin (refs) with (fastupdate = off)',
  ],
};
