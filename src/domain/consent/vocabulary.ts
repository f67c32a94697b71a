// The words of the consent ledger. Articles are of 个人信息保护法 (2021-11-01) where no other law is named.
import { z } from 'zod';

/** What personal data is used for. Each is asked for by itself (art. 14: a change of purpose needs a new consent). */
export const ConsentPurpose = z.enum([
  'service',
  'marketing',
  'personalised-marketing',
  'profiling',
  'sensitive-data',
  'provision',
  'cross-border',
  'credit-query',
]);
export type ConsentPurpose = z.output<typeof ConsentPurpose>;

/** By which way the bank would speak to them. A refusal of `marketing` by `call` is do-not-call. */
export const ConsentChannel = z.enum(['call', 'sms', 'e-mail', 'wechat', 'app', 'letter', 'visit']);
export type ConsentChannel = z.output<typeof ConsentChannel>;

/** The seven of art. 13: only the first is given, refused and withdrawn. */
export const LegalBasis = z.enum(['consent', 'contract', 'statutory-duty', 'emergency', 'public-interest', 'made-public', 'other-law']);
export type LegalBasis = z.output<typeof LegalBasis>;

/** What was known of their age when they were asked (arts. 28 and 31: under 14 a guardian consents). */
export const AgeKnown = z.enum(['under-14', 'of-age', 'unknown']);
export type AgeKnown = z.output<typeof AgeKnown>;

/** Who consents for a child. */
export const GuardianRelation = z.enum(['mother', 'father', 'grandparent', 'sibling', 'other']);
export type GuardianRelation = z.output<typeof GuardianRelation>;

/** Purposes that need a separate consent: sensitive data (art. 29), provision to others (art. 23), abroad (art. 39), 征信业管理条例 art. 18. */
export const separatelyAsked: readonly ConsentPurpose[] = ['sensitive-data', 'provision', 'cross-border', 'credit-query'];

/** Purposes that rest on consent alone (art. 24; 消费者权益保护法 art. 29). */
export const consentAlone: readonly ConsentPurpose[] = ['marketing', 'personalised-marketing', ...separatelyAsked];

/** What a word is about; null is every channel, or every contact point. */
export interface ConsentScope {
  readonly purpose: ConsentPurpose;
  readonly channel: ConsentChannel | null;
  /** One of the customer's own contacts. */
  readonly contactId: string | null;
}

/** Equal for equal scopes. */
export function scopeKey({ purpose, channel, contactId }: ConsentScope): string {
  return `${purpose}/${channel ?? '*'}/${contactId ?? '*'}`;
}

/** `marketing by call to contact 2`, for sentences. */
export function scopeInWords({ purpose, channel, contactId }: ConsentScope): string {
  return `${purpose}${channel === null ? '' : ` by ${channel}`}${contactId === null ? '' : ` to contact ${contactId}`}`;
}
