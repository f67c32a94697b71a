// Whether a customer may be approached to sell something, by what they said. Which refusals count, and whether a consent is needed at all,
// is a policy: data with a version, not code.
import type { LedgerState, Standing } from './ledger.ts';
import { type ConsentChannel, type ConsentPurpose, scopeInWords, scopeKey } from './vocabulary.ts';

export interface MarketingPolicy {
  readonly id: string;
  readonly version: number;
  /** A refusal or withdrawal of any of these, at every contact point, keeps a customer out. Null is every channel. */
  readonly refusals: readonly { readonly purpose: ConsentPurpose; readonly channel: ConsentChannel | null }[];
  /** What holds where they gave no consent, or it is over. */
  readonly withoutConsent: 'allowed' | 'refused';
}

/**
 * Only refusals block. 消费者权益保护法 art. 29 and 广告法 art. 43 forbid it after a refusal, 个人信息保护法 art. 24 where personalised
 * marketing was refused, and do-not-call is permanent. A campaign does not say by which channel it speaks, so do-not-call keeps out of all.
 */
export const marketingPolicy: MarketingPolicy = {
  id: 'refusals-block',
  version: 1,
  refusals: [
    { purpose: 'marketing', channel: null },
    { purpose: 'personalised-marketing', channel: null },
    { purpose: 'marketing', channel: 'call' },
  ],
  withoutConsent: 'allowed',
};

/** Why not, in a sentence; undefined where they may be approached. @param today `YYYY-MM-DD` on the bank's clock */
export function marketingRefusal(
  { standing }: Pick<LedgerState, 'standing'>,
  today: string,
  policy: MarketingPolicy = marketingPolicy,
): string | undefined {
  for (const refusal of policy.refusals) {
    const word = standing.get(scopeKey({ ...refusal, contactId: null }));
    if (word && word.status !== 'given') return `The customer ${word.status === 'refused' ? 'refused' : 'withdrew'} ${inWords(word)}.`;
  }
  if (policy.withoutConsent === 'allowed') return undefined;
  const consent = standing.get(scopeKey({ purpose: 'marketing', channel: null, contactId: null }));
  if (consent === undefined) return 'The customer gave no consent to marketing.';
  return isOver(consent, today) ? `The customer’s consent to marketing ended on ${consent.expiresOn}.` : undefined;
}

/** Whether a consent's last day is over. */
export function isOver({ expiresOn }: Pick<Standing, 'expiresOn'>, today: string): boolean {
  return expiresOn !== null && expiresOn < today;
}

function inWords(word: Standing): string {
  return `${scopeInWords(word)}${word.purpose === 'marketing' && word.channel === 'call' ? ' (do not call)' : ''}, consent ${word.consentId}`;
}
