// One customer's consents. Per scope (purpose × channel × contact point) the last word stands: given → withdrawn, refused → given, and so
// on; a consent with a last day is over after it. What stands is asked for by marketing.ts and asking.ts.
import type { Decider, Rejection } from '../kernel/decider.ts';
import { ageKnown } from './age.ts';
import type { ConsentFact } from './events.ts';
import {
  type ConsentChannel,
  type ConsentPurpose,
  type ConsentScope,
  consentAlone,
  type GuardianRelation,
  type LegalBasis,
  scopeKey,
  separatelyAsked,
} from './vocabulary.ts';

/** The last word on a scope. */
export interface Standing extends ConsentScope {
  readonly consentId: string;
  readonly status: 'given' | 'refused' | 'withdrawn';
  /** Null of what is refused. */
  readonly basis: LegalBasis | null;
  /** `YYYY-MM-DD`, the last day; null without end. */
  readonly expiresOn: string | null;
}

export interface LedgerState {
  /** By `scopeKey`. */
  readonly standing: ReadonlyMap<string, Standing>;
  /** Which scope each consent is about, and on which basis. */
  readonly entries: ReadonlyMap<string, { readonly scope: ConsentScope; readonly basis: LegalBasis | null }>;
}

interface Said {
  readonly customerId: string;
  readonly purpose: ConsentPurpose;
  readonly channel?: ConsentChannel | undefined;
  readonly contactId?: string | undefined;
  readonly textVersion: string;
  readonly evidence?: string | undefined;
  /** Whether the customer has that contact; true where none is named. */
  readonly hasContact: boolean;
}

export type LedgerCommand =
  | (Said & {
      readonly do: 'give';
      readonly basis: LegalBasis;
      readonly separate: boolean;
      readonly guardian?: { readonly name: string; readonly relation: GuardianRelation } | undefined;
      readonly expiresOn?: string | undefined;
      /** `YYYY-MM-DD`, as far as it is known. */
      readonly birthDate: string | undefined;
      /** `YYYY-MM-DD` on the bank's clock. */
      readonly today: string;
    })
  | (Said & { readonly do: 'refuse'; readonly reason?: string | undefined })
  | { readonly do: 'withdraw'; readonly customerId: string; readonly consentId: string; readonly reason?: string | undefined };

export type LedgerRejection =
  | 'ContactUnknown'
  | 'GuardianNeeded'
  | 'SeparateConsentNeeded'
  | 'ConsentAlone'
  | 'ConsentInThePast'
  | 'ConsentNotFound'
  | 'NotByConsent';

export const consentLedger: Decider<LedgerCommand, LedgerState, ConsentFact, LedgerRejection> = {
  initialState: { standing: new Map(), entries: new Map() },
  evolve,
  decide,
};

function decide(command: LedgerCommand, state: LedgerState): readonly ConsentFact[] | Rejection<LedgerRejection> {
  if (command.do === 'withdraw') return withdraw(command, state);
  const { customerId, purpose, channel, contactId, textVersion, evidence } = command;
  if (!command.hasContact)
    return { rejected: 'ContactUnknown', detail: 'The customer has no such contact: read the customer, the ids stand there.', pointer: '/contactId' };
  const consentId = String(state.entries.size + 1);
  const named = { customerId, consentId, ...optional({ purpose, channel, contactId, textVersion, evidence }) };
  const subject = `customer-${customerId}`;
  if (command.do === 'refuse') return [{ type: 'ConsentRefused', data: { ...named, ...optional({ reason: command.reason }) }, subject }];
  const { basis, separate, guardian, expiresOn, birthDate, today } = command;
  const age = ageKnown(birthDate, today);
  const wrong = wrongIn(command, age === 'under-14');
  if (wrong) return wrong;
  return [{ type: 'ConsentGiven', data: { ...named, basis, separate, age, ...optional({ guardian, expiresOn }) }, subject }];
}

function wrongIn(
  { purpose, basis, separate, guardian, expiresOn, today }: Extract<LedgerCommand, { do: 'give' }>,
  isChild: boolean,
): Rejection<LedgerRejection> | undefined {
  if (basis !== 'consent' && consentAlone.includes(purpose))
    return { rejected: 'ConsentAlone', detail: `The purpose ${purpose} rests on consent alone: leave \`basis\` out.`, pointer: '/basis' };
  if (separatelyAsked.includes(purpose) && !separate)
    return {
      rejected: 'SeparateConsentNeeded',
      detail: `The purpose ${purpose} needs a consent that was asked for by itself: ask so, and say \`separate: true\`.`,
      pointer: '/separate',
    };
  if (isChild && basis === 'consent' && guardian === undefined)
    return {
      rejected: 'GuardianNeeded',
      detail: 'The customer is under 14: a parent or other guardian consents, name them in `guardian`.',
      pointer: '/guardian',
    };
  if (expiresOn !== undefined && expiresOn < today)
    return { rejected: 'ConsentInThePast', detail: `The last day is over: give ${today} or a later one.`, pointer: '/expiresOn' };
  return undefined;
}

function withdraw({ customerId, consentId, reason }: Extract<LedgerCommand, { do: 'withdraw' }>, { entries, standing }: LedgerState) {
  const entry = entries.get(consentId);
  if (!entry) return { rejected: 'ConsentNotFound', detail: 'The customer gave no such consent.' } as const;
  const { scope, basis } = entry;
  if (basis !== null && basis !== 'consent')
    return {
      rejected: 'NotByConsent',
      detail: `This use rests on ${basis}, not on consent, so there is nothing to withdraw (个人信息保护法 art. 13).`,
    } as const;
  // Whichever of several on one scope is named: the customer no longer wants it.
  if (standing.get(scopeKey(scope))?.status !== 'given') return [];
  const { purpose, channel, contactId } = scope;
  const about = optional({ purpose, channel: channel ?? undefined, contactId: contactId ?? undefined, reason });
  return [{ type: 'ConsentWithdrawn' as const, data: { customerId, consentId, ...about }, subject: `customer-${customerId}` }];
}

function evolve({ standing, entries }: LedgerState, { type, data }: ConsentFact): LedgerState {
  const scope: ConsentScope = { purpose: data.purpose, channel: data.channel ?? null, contactId: data.contactId ?? null };
  const isGiven = type === 'ConsentGiven';
  const word: Standing = {
    ...scope,
    consentId: data.consentId,
    status: isGiven ? 'given' : type === 'ConsentRefused' ? 'refused' : 'withdrawn',
    basis: isGiven ? data.basis : null,
    expiresOn: (isGiven ? data.expiresOn : undefined) ?? null,
  };
  return {
    standing: new Map([...standing, [scopeKey(scope), word]]),
    entries: type === 'ConsentWithdrawn' ? entries : new Map([...entries, [data.consentId, { scope, basis: word.basis }]]),
  };
}

/** Without what is absent, so that a fact just decided equals the one read back. */
function optional<Data extends object>(
  data: Data,
): { [Name in keyof Data as undefined extends Data[Name] ? never : Name]: Data[Name] } & {
  [Name in keyof Data as undefined extends Data[Name] ? Name : never]?: Exclude<Data[Name], undefined>;
} {
  return Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined)) as never;
}
