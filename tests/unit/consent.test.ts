// Consents by their rules: who must consent, what stands, what is not asked again, and whom a campaign leaves out.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { enrolment } from '../../src/domain/campaign/enrolment.ts';
import { ageKnown, birthDateIn } from '../../src/domain/consent/age.ts';
import { askingOf } from '../../src/domain/consent/asking.ts';
import { type ConsentFact, consentEvents } from '../../src/domain/consent/events.ts';
import { consentLedger, type LedgerCommand } from '../../src/domain/consent/ledger.ts';
import { type MarketingPolicy, marketingPolicy, marketingRefusal } from '../../src/domain/consent/marketing.ts';
import { ConsentChannel, ConsentPurpose, type ConsentScope, LegalBasis } from '../../src/domain/consent/vocabulary.ts';
import { given, stateAfter } from '../support/given.ts';

const customerId = '018f3e6a-7c4e-8abc-9def-0123456789c1';
const subject = `customer-${customerId}`;
const today = '2026-03-03';
type Give = Extract<LedgerCommand, { do: 'give' }>;
const give = (over: Partial<Give> = {}): Give => ({
  do: 'give',
  customerId,
  purpose: 'marketing',
  textVersion: 'v1',
  hasContact: true,
  basis: 'consent',
  separate: false,
  birthDate: '1990-01-01',
  today,
  ...over,
});
const withdraw = (consentId: string, reason?: string): LedgerCommand => ({ do: 'withdraw', customerId, consentId, reason });
type Data<Type extends ConsentFact['type']> = Extract<ConsentFact, { type: Type }>['data'];
const gave = (over: Partial<Data<'ConsentGiven'>> = {}): ConsentFact => ({
  type: 'ConsentGiven',
  data: { customerId, consentId: '1', purpose: 'marketing', textVersion: 'v1', basis: 'consent', separate: false, age: 'of-age', ...over },
  subject,
});
const refused = (over: Partial<Data<'ConsentRefused'>> = {}): ConsentFact => ({
  type: 'ConsentRefused',
  data: { customerId, consentId: '1', purpose: 'marketing', textVersion: 'v1', ...over },
  subject,
});
const withdrew = (over: Partial<Data<'ConsentWithdrawn'>> = {}): ConsentFact => ({
  type: 'ConsentWithdrawn',
  data: { customerId, consentId: '1', purpose: 'marketing', ...over },
  subject,
});

describe('a consent', () => {
  it('is given for a purpose, a channel and a contact, under a text, with its proof and its last day', () => {
    given(consentLedger)
      .when(give({ channel: 'sms', contactId: '2', evidence: 'call 77', expiresOn: '2027-03-03' }))
      .emits(gave({ channel: 'sms', contactId: '2', evidence: 'call 77', expiresOn: '2027-03-03' }));
  });
  it('counts on within the customer’s', () => {
    given(consentLedger, gave(), withdrew())
      .when(give({ purpose: 'service' }))
      .emits(gave({ consentId: '2', purpose: 'service' }));
  });
  it('of whom the birth date is unknown is taken, and says so', () => {
    given(consentLedger)
      .when(give({ birthDate: undefined }))
      .emits(gave({ age: 'unknown' }));
  });
  it('of a child needs a guardian until the 14th birthday', () => {
    given(consentLedger)
      .when(give({ birthDate: '2012-03-04' }))
      .isRefused('GuardianNeeded');
    given(consentLedger)
      .when(give({ birthDate: '2012-03-03' }))
      .emits(gave());
    const guardian = { name: '王芳', relation: 'mother' } as const;
    given(consentLedger)
      .when(give({ birthDate: '2012-03-04', guardian }))
      .emits(gave({ age: 'under-14', guardian }));
  });
  it('to sensitive data, provision or abroad is asked for by itself', () => {
    for (const purpose of ['sensitive-data', 'provision', 'cross-border', 'credit-query'] as const) {
      given(consentLedger).when(give({ purpose })).isRefused('SeparateConsentNeeded');
      given(consentLedger)
        .when(give({ purpose, separate: true }))
        .emits(gave({ purpose, separate: true }));
    }
  });
  it('is what marketing rests on, and nothing else', () => {
    given(consentLedger)
      .when(give({ basis: 'contract' }))
      .isRefused('ConsentAlone');
    given(consentLedger)
      .when(give({ basis: 'contract', purpose: 'service' }))
      .emits(gave({ basis: 'contract', purpose: 'service' }));
  });
  it('is not given to a contact that is none of theirs, nor until a day that is over', () => {
    given(consentLedger)
      .when(give({ hasContact: false }))
      .isRefused('ContactUnknown');
    given(consentLedger)
      .when(give({ expiresOn: '2026-03-02' }))
      .isRefused('ConsentInThePast');
    given(consentLedger)
      .when(give({ expiresOn: today }))
      .emits(gave({ expiresOn: today }));
  });
  it('is withdrawn once, by any of those that stand on its scope', () => {
    given(consentLedger, gave())
      .when(withdraw('1', 'too many calls'))
      .emits(withdrew({ reason: 'too many calls' }));
    given(consentLedger, gave(), gave({ consentId: '2' }))
      .when(withdraw('1'))
      .emits(withdrew());
    given(consentLedger, gave(), withdrew()).when(withdraw('1')).emits();
    given(consentLedger, refused()).when(withdraw('1')).emits();
    given(consentLedger).when(withdraw('1')).isRefused('ConsentNotFound');
  });
  it('is not what a contract rests on, so that is not withdrawn', () => {
    given(consentLedger, gave({ basis: 'contract', purpose: 'service' }))
      .when(withdraw('1'))
      .isRefused('NotByConsent');
  });
});

describe('the birth date', () => {
  it('is in an identity card', () => expect(birthDateIn('11010519491231002X')).toBe('1949-12-31'));
  it.each(['', '1949', '110105194902310021', '1949-02-31', 'E12345678'])('is not in %j', (text) => expect(birthDateIn(text)).toBeUndefined());
  it('that lies ahead tells nothing', () => expect(ageKnown('2027-01-01', today)).toBe('unknown'));
  it('on 29 February counts from the last day of February', () => {
    expect(ageKnown('2012-02-29', '2026-02-27')).toBe('under-14');
    expect(ageKnown('2012-02-29', '2026-02-28')).toBe('of-age');
  });
});

describe('asking', () => {
  const scope = (purpose: ConsentPurpose, over: Partial<ConsentScope> = {}): ConsentScope => ({ purpose, channel: null, contactId: null, ...over });
  const mayAsk = (facts: readonly ConsentFact[], about: ConsentScope, on = today) => askingOf(stateAfter(consentLedger, facts), about, on).mayAsk;
  it('is open where nobody asked, and not where it stands', () => {
    expect(mayAsk([], scope('marketing'))).toBe(true);
    expect(mayAsk([gave()], scope('marketing'))).toBe(false);
  });
  it('does not go on after a refusal or a withdrawal, nor by a narrower way', () => {
    for (const facts of [[refused()], [gave(), withdrew()]]) {
      expect(mayAsk(facts, scope('marketing'))).toBe(false);
      expect(mayAsk(facts, scope('marketing', { channel: 'sms' }))).toBe(false);
      expect(mayAsk(facts, scope('marketing', { channel: 'sms', contactId: '2' }))).toBe(false);
      expect(mayAsk(facts, scope('profiling'))).toBe(true);
    }
    expect(mayAsk([refused({ channel: 'call' })], scope('marketing', { channel: 'sms' }))).toBe(true);
  });
  it('is open again from the day after the last', () => {
    expect(mayAsk([gave({ expiresOn: today })], scope('marketing'))).toBe(false);
    expect(mayAsk([gave({ expiresOn: today })], scope('marketing'), '2026-03-04')).toBe(true);
  });
});

describe('marketing', () => {
  const refusal = (facts: readonly ConsentFact[], policy?: MarketingPolicy) => marketingRefusal(stateAfter(consentLedger, facts), today, policy);
  it('is open to whom nobody asked, by the default', () => expect(refusal([])).toBeUndefined());
  it('is closed by a refusal, a withdrawal, an opt-out of personalised marketing and do-not-call', () => {
    expect(refusal([refused()])).toBe('The customer refused marketing, consent 1.');
    expect(refusal([gave(), withdrew()])).toBe('The customer withdrew marketing, consent 1.');
    expect(refusal([refused({ purpose: 'personalised-marketing' })])).toBe('The customer refused personalised-marketing, consent 1.');
    expect(refusal([refused({ channel: 'call' })])).toBe('The customer refused marketing by call (do not call), consent 1.');
  });
  it('is closed by do-not-call also where marketing in general is consented to later', () => {
    expect(refusal([refused({ channel: 'call' }), gave({ consentId: '2' })])).toContain('do not call');
  });
  it('is open again by a consent to what was refused', () => expect(refusal([refused(), gave({ consentId: '2' })])).toBeUndefined());
  it('is not closed by one contact alone', () => expect(refusal([refused({ channel: 'call', contactId: '2' })])).toBeUndefined());
  it('needs a consent that is not over where the policy says so', () => {
    const strict: MarketingPolicy = { ...marketingPolicy, withoutConsent: 'refused' };
    expect(refusal([], strict)).toBe('The customer gave no consent to marketing.');
    expect(refusal([gave({ expiresOn: '2026-03-02' })], strict)).toBe('The customer’s consent to marketing ended on 2026-03-02.');
    expect(refusal([gave()], strict)).toBeUndefined();
  });
  it('that is refused keeps out of a campaign, and says why', () => {
    const command = { do: 'enrol', enrolmentId: 'e', campaignId: 'c', customerId, campaignStatus: 'running' } as const;
    given(enrolment)
      .when({ ...command, marketingRefusal: 'The customer refused marketing, consent 1.' })
      .isRefused('MarketingRefused', 'The customer refused marketing, consent 1.');
    given(enrolment, { type: 'CampaignEnrolled', data: { enrolmentId: 'e', campaignId: 'c', customerId } })
      .when({ ...command, marketingRefusal: 'The customer refused marketing, consent 1.' })
      .emits();
  });
});

describe('whatever is asked of a ledger', () => {
  const option = <Value>(arbitrary: fc.Arbitrary<Value>) => fc.option(arbitrary, { nil: undefined });
  const about = {
    purpose: fc.constantFrom(...ConsentPurpose.options),
    channel: option(fc.constantFrom(...ConsentChannel.options)),
    contactId: option(fc.constantFrom('1', '2')),
    hasContact: fc.boolean(),
  };
  const command: fc.Arbitrary<LedgerCommand> = fc.oneof(
    fc
      .record({
        ...about,
        basis: fc.constantFrom(...LegalBasis.options),
        separate: fc.boolean(),
        expiresOn: option(fc.constantFrom('2026-03-02', '2027-01-01')),
        birthDate: option(fc.constantFrom('1990-01-01', '2020-01-01')),
        guardian: option(fc.constant({ name: '王芳', relation: 'mother' as const })),
      })
      .map((over) => give(over)),
    fc.record(about).map((over): LedgerCommand => ({ do: 'refuse', customerId, textVersion: 'v1', ...over })),
    fc.constantFrom('1', '2', '3').map((consentId) => withdraw(consentId)),
  );

  it('is decided alike twice, gives facts that their schemas take, and names each consent once', () => {
    const schemas = new Map(consentEvents.map(({ type, data }) => [type, data]));
    fc.assert(
      fc.property(fc.array(command, { maxLength: 12 }), (commands) => {
        let state = consentLedger.initialState;
        const named = new Set<string>();
        for (const one of commands) {
          const decision = consentLedger.decide(one, state);
          expect(consentLedger.decide(one, state)).toStrictEqual(decision);
          if ('rejected' in decision) continue;
          for (const fact of decision) {
            expect(schemas.get(fact.type)?.safeParse(fact.data).error).toBeUndefined();
            if (fact.type !== 'ConsentWithdrawn') expect(named.has(fact.data.consentId)).toBe(false);
            named.add(fact.data.consentId);
            state = consentLedger.evolve(state, fact);
          }
          // What was taken back is taken back.
          if (one.do === 'withdraw') expect(consentLedger.decide(one, state)).toStrictEqual([]);
        }
      }),
    );
  });
});
