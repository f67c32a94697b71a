// A thing that a core system reports whole, again and again: account, ownership, loan, card, standing order. Every report stands, whenever
// it comes; which one counts on which day is for whoever reads them (by `occurredAt`, then position).
import type { Decider } from '../kernel/decider.ts';
import type { Fact } from '../kernel/event.ts';
import type { HoldingFact } from './events.ts';

export type ReportedType = Exclude<HoldingFact['type'], 'TransactionPosted' | 'TransactionVoided'>;
type DataOf<Type extends ReportedType> = Extract<HoldingFact, { type: Type }>['data'];

export interface Report<Type extends ReportedType> {
  /** From when on it is so, as the source says it (`SourceTime`). */
  readonly at: string;
  readonly data: DataOf<Type>;
}

/** The state is only whether anything was reported yet: a report replaces, so none is refused for another. */
export function reportedThing<Type extends ReportedType>(type: Type): Decider<Report<Type>, boolean, Fact<Type, DataOf<Type>>, never> {
  return {
    initialState: false,
    evolve: () => true,
    decide: ({ at, data }) => [{ type, data, occurredAt: at, subject: accountSubject(data.accountId) }],
  };
}

/** Whose key seals what is said of an account: its own, so that erasing one owner does not blind the other. */
export function accountSubject(accountId: string): string {
  return `account-${accountId}`;
}
