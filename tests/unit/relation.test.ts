// Relations by their rules: what is recorded of whom, what may follow, and what is told where it does not fit.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RelationFact, type RelationTypeFact, relationEvents } from '../../src/domain/relationship/events.ts';
import { type ConfirmOwners, ownerConfirmation } from '../../src/domain/relationship/owner-confirmation.ts';
import { ownerThresholdOn } from '../../src/domain/relationship/owner-threshold.ts';
import { type RelationCommand, relation } from '../../src/domain/relationship/relation.ts';
import { builtInTypes, definitionInUse, relationType } from '../../src/domain/relationship/relation-type.ts';
import { Percent } from '../../src/domain/relationship/vocabulary.ts';
import { given, stateAfter } from '../support/given.ts';

const relationId = '018f3e6a-7c4e-8abc-9def-0123456789a1';
const wang = '018f3e6a-7c4e-8abc-9def-0123456789c1';
const firm = '018f3e6a-7c4e-8abc-9def-0123456789c2';
const li = '018f3e6a-7c4e-8abc-9def-0123456789c3';
const share = { percent: '30', basis: 'equity' } as const;
const subject = `customer-${wang}`;
const reason = 'a typing error';

type Record = Extract<RelationCommand, { do: 'record' }>;
const record = (over: Partial<Record> = {}): Record => ({
  do: 'record',
  relationId,
  type: 'shareholder',
  definition: builtInTypes.shareholder ?? { inverse: '', share: false },
  typeVersion: 0,
  party: { id: wang, kind: 'person' },
  of: { id: firm, kind: 'organisation' },
  from: '2020-01-01',
  share,
  source: { kind: 'registry' },
  ...over,
});
const recorded: RelationFact = {
  type: 'RelationRecorded',
  data: {
    relationId,
    type: 'shareholder',
    inverse: 'held-firm',
    typeVersion: 0,
    party: wang,
    of: firm,
    partyKind: 'person',
    ofKind: 'organisation',
    from: '2020-01-01',
    share,
    source: { kind: 'registry' },
  },
  subject,
};
const ended: RelationFact = { type: 'RelationEnded', data: { relationId, until: '2024-01-01', reason }, subject };
const voided: RelationFact = { type: 'RelationVoided', data: { relationId, reason }, subject };

describe('a relation', () => {
  it('is recorded with its dates, its share and who says so', () => given(relation).when(record()).emits(recorded));
  it('is recorded once', () => given(relation, recorded).when(record()).emits());

  it('is of nobody to themselves', () => {
    const command = record({ type: 'guarantor', definition: { inverse: 'guaranteed', share: false }, of: { id: wang, kind: 'person' } });
    given(relation).when(command).isRefused('RelationToItself');
    expect(relation.decide(command, relation.initialState)).toMatchObject({ pointer: '/other' });
  });

  it('is between what its type is between', () => {
    given(relation)
      .when(record({ of: { id: li, kind: 'person' } }))
      .isRefused('RelationKindWrong', 'Whoever is held-firm must be an organisation: look at the type, and at which way it reads.');
    given(relation)
      .when(record({ type: 'spouse', definition: builtInTypes.spouse as never, share: undefined }))
      .isRefused('RelationKindWrong', 'Whoever is spouse must be a person: look at the type, and at which way it reads.');
  });

  it('has a share where its type carries one, and only there', () => {
    given(relation)
      .when(record({ share: undefined }))
      .isRefused('RelationShareWrong');
    given(relation)
      .when(record({ type: 'director', definition: builtInTypes.director as never }))
      .isRefused('RelationShareWrong', 'This type carries no share: leave it out.');
  });

  it('ends after it begins', () => {
    given(relation)
      .when(record({ until: '2020-01-01' }))
      .isRefused('RelationDatesWrong');
    given(relation, recorded).when({ do: 'end', relationId, until: '2019-12-31', reason }).isRefused('RelationDatesWrong');
    given(relation, recorded).when({ do: 'end', relationId, until: '2024-01-01', reason }).emits(ended);
  });

  it('ends once; another day is a correction', () => {
    given(relation, recorded, ended).when({ do: 'end', relationId, until: '2024-01-01', reason }).emits();
    given(relation, recorded, ended).when({ do: 'end', relationId, until: '2025-01-01', reason }).isRefused('RelationEndedAlready');
    given(relation, recorded, ended)
      .when({ do: 'correct', relationId, until: null, reason })
      .emits({ type: 'RelationCorrected', data: { relationId, from: '2020-01-01', until: null, share, reason }, subject });
  });

  it('is verified anew after a correction', () => {
    const verified: RelationFact = {
      type: 'RelationVerified',
      data: { relationId, method: 'company-documents', evidence: 'articles p. 3' },
      subject,
    };
    given(relation, recorded).when({ do: 'verify', relationId, method: 'company-documents', evidence: 'articles p. 3' }).emits(verified);
    const corrected: RelationFact = {
      type: 'RelationCorrected',
      data: { relationId, from: '2020-01-01', until: null, share: { percent: '31', basis: 'equity' }, reason },
      subject,
    };
    given(relation, recorded, verified)
      .when({ do: 'correct', relationId, share: { percent: '31', basis: 'equity' }, reason })
      .emits(corrected);
    expect(stateAfter(relation, [recorded, verified]).verified).toEqual({ method: 'company-documents' });
    expect(stateAfter(relation, [recorded, verified, corrected]).verified).toBeNull();
  });

  it('that is corrected to what it is stays', () => given(relation, recorded).when({ do: 'correct', relationId, share, reason }).emits());
  it('without a share gets none by a correction', () => {
    const director: RelationFact = { ...recorded, data: { ...recorded.data, type: 'director', share: undefined } } as RelationFact;
    given(relation, director).when({ do: 'correct', relationId, share, reason }).isRefused('RelationShareWrong');
  });

  it('that is void is over for good', () => {
    given(relation, recorded).when({ do: 'void', relationId, reason }).emits(voided);
    given(relation, recorded, voided).when({ do: 'void', relationId, reason }).emits();
    given(relation, recorded, voided).when({ do: 'end', relationId, until: '2024-01-01', reason }).isRefused('RelationVoid');
    given(relation).when({ do: 'void', relationId, reason }).isRefused('RelationNotFound');
  });

  it('keeps its promises over random commands', () => {
    const day = fc.constantFrom('2019-06-01', '2020-01-01', '2024-01-01');
    const command: fc.Arbitrary<RelationCommand> = fc.oneof(
      fc.record({ from: fc.option(day, { nil: undefined }), until: fc.option(day, { nil: undefined }) }).map((over) => record(over)),
      fc.record({
        do: fc.constant('verify' as const),
        relationId: fc.constant(relationId),
        method: fc.constant('registry' as const),
        evidence: fc.constant('x'),
      }),
      fc.record({
        do: fc.constant('correct' as const),
        relationId: fc.constant(relationId),
        from: fc.option(day),
        until: fc.option(day),
        reason: fc.constant(reason),
      }),
      fc.record({ do: fc.constant('end' as const), relationId: fc.constant(relationId), until: day, reason: fc.constant(reason) }),
      fc.record({ do: fc.constant('void' as const), relationId: fc.constant(relationId), reason: fc.constant(reason) }),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 12 }), (commands) => {
        let state = relation.initialState;
        for (const one of commands) {
          const decision = relation.decide(one, state);
          expect(relation.decide(one, state)).toStrictEqual(decision);
          if ('rejected' in decision) continue;
          for (const fact of decision) {
            const definition = relationEvents.find(({ type }) => type === fact.type);
            expect(definition?.data.safeParse(fact.data).error).toBeUndefined();
            state = relation.evolve(state, fact);
          }
          expect(state.from === null || state.until === null || state.from < state.until).toBe(true);
          // What is so already is not said again; a second look at it is.
          if (one.do !== 'verify') expect(relation.decide(one, state)).toEqual([]);
        }
      }),
    );
  });
});

describe('a share', () => {
  it.each([
    ['33.50', '33.5'],
    ['100.000', '100'],
    ['0.000001', '0.000001'],
    ['30', '30'],
  ])('%s is kept as %s', (text, kept) => {
    expect(Percent.parse(text)).toBe(kept);
  });
  it.each(['0', '0.0', '100.1', '101', '-1', '5e1', '05', '.5', '1.0000001', ' 5', '５'])('%j is none', (text) => {
    expect(Percent.safeParse(text).success).toBe(false);
  });
});

describe('a type of relation', () => {
  const definition = { inverse: 'mentee', share: false, party: 'person', of: 'person' } as const;
  const define = { do: 'define', type: 'mentor', ...definition } as const;
  const defined: RelationTypeFact = { type: 'RelationTypeDefined', data: { type: 'mentor', version: 1, ...definition } };
  const retired: RelationTypeFact = { type: 'RelationTypeRetired', data: { type: 'mentor', version: 1, reason } };

  it('is defined, changed and retired, each version by itself', () => {
    given(relationType).when(define).emits(defined);
    given(relationType, defined).when(define).emits();
    given(relationType, defined)
      .when({ ...define, inverse: 'pupil' })
      .emits({ type: 'RelationTypeDefined', data: { type: 'mentor', version: 2, ...definition, inverse: 'pupil' } });
    given(relationType, defined).when({ do: 'retire', type: 'mentor', reason }).emits(retired);
    given(relationType, defined, retired).when({ do: 'retire', type: 'mentor', reason }).emits();
    given(relationType).when({ do: 'retire', type: 'mentor', reason }).isRefused('RelationTypeNotFound');
  });
  it('is in use until it is retired, and again when it is defined again', () => {
    expect(definitionInUse('mentor', relationType.initialState)).toBeUndefined();
    expect(definitionInUse('mentor', stateAfter(relationType, [defined]))).toEqual(definition);
    expect(definitionInUse('mentor', stateAfter(relationType, [defined, retired]))).toBeUndefined();
    given(relationType, defined, retired)
      .when(define)
      .emits({ type: 'RelationTypeDefined', data: { ...defined.data, version: 2 } } as RelationTypeFact);
  });
  it('that is built in keeps its meaning, and can be retired', () => {
    const spouse = { do: 'define', type: 'spouse', inverse: 'spouse', share: false, party: 'person', of: 'person' } as const;
    given(relationType)
      .when({ ...spouse, share: true })
      .isRefused('RelationTypeBuiltIn');
    given(relationType).when(spouse).emits();
    const gone: RelationTypeFact = { type: 'RelationTypeRetired', data: { type: 'spouse', version: 0, reason } };
    given(relationType).when({ do: 'retire', type: 'spouse', reason }).emits(gone);
    expect(definitionInUse('spouse', stateAfter(relationType, [gone]))).toBeUndefined();
    expect(definitionInUse('constructor', relationType.initialState)).toBeUndefined();
  });
});

describe('confirmed owners', () => {
  const confirm = (over: Partial<ConfirmOwners> = {}): ConfirmOwners => ({
    customerId: firm,
    customerKind: 'organisation',
    owners: [{ party: wang, kind: 'person', basis: 'equity', percent: '60' }],
    methods: ['registry', 'company-documents'],
    evidence: 'articles of 2020',
    reviewDueOn: '2027-03-01',
    today: '2026-03-01',
    ...over,
  });
  it('stand from the day they are said to, or today', () => {
    const data = {
      customerId: firm,
      from: '2026-03-01',
      owners: [{ party: wang, basis: 'equity' as const, percent: '60' }],
      methods: ['registry' as const, 'company-documents' as const],
      evidence: 'articles of 2020',
      reviewDueOn: '2027-03-01',
    };
    given(ownerConfirmation)
      .when(confirm())
      .emits({ type: 'BeneficialOwnersConfirmed', data, subject: `customer-${firm}` });
    given(ownerConfirmation)
      .when(confirm({ from: '2025-01-01' }))
      .emits({ type: 'BeneficialOwnersConfirmed', data: { ...data, from: '2025-01-01' }, subject: `customer-${firm}` });
  });
  it.each<[string, Partial<ConfirmOwners>, 'OwnersOfAPerson' | 'OwnerNotAPerson' | 'OwnerTwice' | 'OwnersDateWrong']>([
    ['of a person', { customerKind: 'person' }, 'OwnersOfAPerson'],
    ['who are firms', { owners: [{ party: li, kind: 'organisation', basis: 'equity' }] }, 'OwnerNotAPerson'],
    ['named twice', { owners: [1, 2].map(() => ({ party: li, kind: 'person', basis: 'equity' })) as never }, 'OwnerTwice'],
    ['from tomorrow on', { from: '2026-03-02' }, 'OwnersDateWrong'],
    ['to be reviewed today', { reviewDueOn: '2026-03-01' }, 'OwnersDateWrong'],
  ])('%s are none', (_name, over, code) => given(ownerConfirmation).when(confirm(over)).isRefused(code));
});

describe('the threshold', () => {
  it('is the one of its day', () => {
    expect(ownerThresholdOn('2026-01-19').law).toContain('235');
    expect(ownerThresholdOn('2026-01-20').law).toContain('12');
    expect(ownerThresholdOn('1990-01-01').percent).toBe('25');
  });
});
