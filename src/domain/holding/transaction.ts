// A transaction's life: posted once, and perhaps void, which means that it never was. The two may come in either order.
import type { Decider } from '../kernel/decider.ts';
import type { HoldingFact } from './events.ts';
import { accountSubject } from './reported.ts';

type TransactionFact = Extract<HoldingFact, { type: 'TransactionPosted' | 'TransactionVoided' }>;
type Posted = Extract<TransactionFact, { type: 'TransactionPosted' }>['data'];
type Voided = Extract<TransactionFact, { type: 'TransactionVoided' }>['data'];

export type TransactionCommand =
  | { readonly do: 'post'; readonly at: string; readonly data: Omit<Posted, 'voided'> }
  | { readonly do: 'void'; readonly data: Omit<Voided, 'accountId'> };

export interface TransactionState {
  /** Of the transaction that was posted, and when it was; absent before. */
  readonly posted?: { readonly accountId: string; readonly occurredAt: string };
  readonly voided: boolean;
}

/** The time of a void that comes before its transaction: before everything, so that whichever day is asked about, it counts. */
export const BEFORE_EVERYTHING = '1900-01-02T00:00:00Z';

export const transaction: Decider<TransactionCommand, TransactionState, TransactionFact, never> = {
  initialState: { voided: false },
  evolve: (state, fact) =>
    fact.type === 'TransactionVoided'
      ? { ...state, voided: true }
      : { ...state, posted: { accountId: fact.data.accountId, occurredAt: fact.occurredAt ?? BEFORE_EVERYTHING } },
  decide,
};

function decide(command: TransactionCommand, state: TransactionState): readonly TransactionFact[] {
  const { posted, voided } = state;
  if (command.do === 'post') {
    if (posted) return [];
    const data = voided ? { ...command.data, voided: true as const } : command.data;
    return [{ type: 'TransactionPosted', data, occurredAt: command.at, subject: accountSubject(data.accountId) }];
  }
  if (voided) return [];
  // Whose account it is on is not known before it is posted: its own key then seals the reason.
  if (!posted) return [{ type: 'TransactionVoided', data: command.data, occurredAt: BEFORE_EVERYTHING }];
  const { accountId, occurredAt } = posted;
  return [{ type: 'TransactionVoided', data: { ...command.data, accountId }, occurredAt, subject: accountSubject(accountId) }];
}
