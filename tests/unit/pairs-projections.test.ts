// The folds of who may be the same: by which keys someone is found, and how a pair stands whatever found it first.
import { describe, expect, it } from 'vitest';
import type { Fact } from '../../src/domain/kernel/event.ts';
import { Erased, Sealed } from '../../src/domain/kernel/personal.ts';
import { type PairCommand, pair, pairOf } from '../../src/domain/matching/pair.ts';
import { type MatchKeysRow, matchKeys } from '../../src/projections/match-keys/match-keys.ts';
import { type PairRow, pairs } from '../../src/projections/pairs/pairs.ts';
import { given } from '../support/given.ts';
import { ordersOf } from '../support/orders.ts';
import { recorded } from '../support/recorded.ts';

const one = '018f3e6a-7c4e-8abc-9def-0123456789a1';
const other = '018f3e6a-7c4e-8abc-9def-0123456789b2';
const id = pairOf(other, one);
const sealed = (text: string): Sealed => new Sealed(`customer-${one}`, 'e', text, '1.1.AAAA.BBBB');
const fields = (cells: readonly unknown[] | undefined): readonly string[] => (cells ?? []).map((cell) => (cell as Sealed).field).toSorted();

describe('the keys of a customer', () => {
  const registered: Fact = {
    type: 'CustomerRegistered',
    data: {
      ...{ customerId: one, kind: 'person', name: sealed('张伟'), documents: [{ type: 'identity-card', number: sealed('110') }] },
      contacts: [
        { contactId: '1', kind: 'e-mail', value: sealed('mail') },
        { contactId: '2', kind: 'phone', value: sealed('138') },
      ],
    },
    occurredAt: '2026-03-03T12:00:00.000Z',
  };
  const reported = (date: string, name: string): Fact => ({
    type: 'CustomerReported',
    data: {
      ...{
        customerId: one,
        reference: other,
        source: { system: 'core', id: '7' },
        kind: 'person',
        name: sealed(name),
        birthDate: sealed(`${name} born`),
      },
      contacts: [{ kind: 'address', value: sealed(`${name} home`) }],
    },
    occurredAt: `${date}[Asia/Shanghai]`,
  });
  const row = (...facts: readonly Fact[]): MatchKeysRow | undefined =>
    facts.reduce<MatchKeysRow | undefined>((before, fact, index) => {
      const event = recorded(`customer-${one}`, fact, { revision: index, position: index + 1 });
      return matchKeys.keys(event).length === 0 ? before : matchKeys.apply(before, event, one);
    }, undefined);

  it('are of all that is told of them, a birth date from the identity card as well', () => {
    const { names, births, e_mails, places } = row(registered, reported('2026-01-02', 'Zhang Wei')) as MatchKeysRow;
    expect([fields(names), fields(births), fields(e_mails), fields(places)]).toStrictEqual([
      ['Zhang Wei', '张伟'],
      ['110', 'Zhang Wei born'],
      ['mail'],
      ['Zhang Wei home'],
    ]);
  });
  it('are of the newest report, in whatever order reports come', () => {
    for (const order of ordersOf([reported('2026-01-02', 'Old'), reported('2026-02-02', 'New'), reported('2026-01-20', 'Middle')])) {
      const after = row(registered, ...order) as MatchKeysRow;
      expect([fields(after.names), fields(after.places)]).toStrictEqual([['New', '张伟'], ['New home']]);
    }
  });
  it('leave out a contact that is not used any more, and what was erased', () => {
    const removed: Fact = { type: 'ContactRemoved', data: { customerId: one, contactId: '1' } };
    expect(fields(row(registered, removed)?.e_mails)).toStrictEqual([]);
    const erased = { ...registered, data: { customerId: one, kind: 'person', name: new Erased() } };
    expect(fields(row(erased)?.names)).toStrictEqual([]);
  });
  it('are none of whom nobody registered yet, as of a day before', () => {
    expect(
      row({ type: 'ContactAdded', data: { customerId: one, contactId: '1', kind: 'e-mail', value: sealed('mail'), verified: false } }),
    ).toBeUndefined();
  });
});

describe('a pair', () => {
  const reasons = [{ field: 'phone', speaks: 'for', words: 'the same phone' }] as const;
  const find: PairCommand = { do: 'find', pair: id, entered: one, score: 0.9, reasons: [...reasons], weights: 1 };
  const found = {
    type: 'SimilarityFound' as const,
    data: { pair: id, entered: one, score: 0.9, reasons: [...reasons], weights: 1 },
    subject: `customer-${one}`,
  };
  const decide = (decision: 'same' | 'different' | 'later', isMarked = false): PairCommand => ({
    ...{ do: 'decide', pair: id, decision, reason: 'looked at' },
    isMarked,
  });
  const decided = (decision: 'same' | 'different' | 'later') => ({
    type: 'PairDecided' as const,
    data: { pair: id, decision, reason: 'looked at' },
    subject: `customer-${one}`,
  });

  it('is found once, and not again where it was found different', () => {
    given(pair).when(find).emits(found);
    given(pair, found).when(find).emits();
    given(pair, decided('different')).when(find).emits();
  });
  it('is decided where it was found, or has a common document; again where somebody thinks better of it', () => {
    given(pair).when(decide('same')).isRefused('PairNotFound');
    given(pair).when(decide('same', true)).emits(decided('same'));
    given(pair, found).when(decide('different')).emits(decided('different'));
    given(pair, found, decided('different')).when(decide('different')).emits();
    given(pair, found, decided('different')).when(decide('same')).emits(decided('same'));
    given(pair, found, decided('later')).when(decide('later')).emits(decided('later'));
  });

  const byDocument: Fact = { type: 'PossiblePairFound', data: { customerId: other, other: one, because: 'same-document-other-name' } };
  const fold = (...facts: readonly Fact[]): PairRow | undefined =>
    facts.reduce<PairRow | undefined>((before, fact, index) => {
      const stream = fact.type === 'PossiblePairFound' ? `pair-${other}` : `match-${id}`;
      const event = recorded(stream, fact, { revision: index, position: index + 1 });
      expect(pairs.keys(event)).toStrictEqual([id]);
      return pairs.apply(before, event, id);
    }, undefined);

  it('is one row, by likeness and by document, whichever comes first', () => {
    for (const order of ordersOf([found, byDocument]))
      expect(fold(...order)).toMatchObject({ one, other, because: 'same-document-other-name', score: 1_000, status: 'open' });
    expect(JSON.parse(fold(found, byDocument)?.reasons ?? '')).toHaveLength(2);
  });
  it('that was found different stays so, though a document is common', () => {
    const reason = sealed('reason');
    const different: Fact = { type: 'PairDecided', data: { pair: id, decision: 'different', reason } };
    expect(fold(found, different, byDocument)).toMatchObject({ status: 'different', decision_reason: reason, because: 'same-document-other-name' });
  });
});
