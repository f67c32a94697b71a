// Segments by their rules: what a condition may be, in versions, whose it is, and each node in words at its place.
import { describe, expect, it } from 'vitest';
import { Condition, inWords, nodesOf } from '../../src/domain/segment/condition.ts';
import { type SegmentCommand, segment, segmentChangedBy, segmentVisibleTo } from '../../src/domain/segment/segment.ts';
import { given } from '../support/given.ts';

const segmentId = '018f3e6a-7c4e-8abc-9def-0123456789d1';
const vip: Condition = { is: 'tag', tag: 'vip' };
const by = { subject: 'li', role: 'rm' };
const define: Extract<SegmentCommand, { do: 'define' | 'redefine' }> = { do: 'define', segmentId, name: 'Rich', condition: vip, by, dimensions: [] };
const defined = { type: 'SegmentDefined', data: { segmentId, version: 1, name: 'Rich', condition: vip, definedBy: by } } as const;

describe('a segment', () => {
  it('is defined in versions, and stays whose it was', () => {
    given(segment).when(define).emits(defined);
    given(segment, defined).when(define).emits();
    given(segment, defined)
      .when({ ...define, do: 'redefine', name: 'Richer', by: { subject: 'ops', role: 'operations' } })
      .emits({ type: 'SegmentDefined', data: { ...defined.data, version: 2, name: 'Richer' } });
    given(segment, defined)
      .when({ ...define, do: 'redefine' })
      .emits();
  });
  it('is retired, and then is there no more', () => {
    const retired = { type: 'SegmentRetired', data: { segmentId } } as const;
    given(segment, defined).when({ do: 'retire', segmentId }).emits(retired);
    given(segment, defined, retired).when({ do: 'retire', segmentId }).emits();
    given(segment, defined, retired)
      .when({ ...define, do: 'redefine', name: 'x' })
      .isRefused('SegmentNotFound');
    given(segment).when({ do: 'retire', segmentId }).isRefused('SegmentNotFound');
  });
  it('names dimensions that there are, and bounds that leave something', () => {
    const condition: Condition = { is: 'all', of: [vip, { is: 'not', of: { is: 'classification', dimension: 'mood', in: ['good'] } }] };
    given(segment)
      .when({ ...define, condition })
      .isRefused('DimensionUnknown');
    expect(segment.decide({ ...define, condition }, segment.initialState)).toMatchObject({ pointer: '/condition/of/1/of/dimension' });
    given(segment)
      .when({ ...define, condition, dimensions: ['mood'] })
      .emits({ ...defined, data: { ...defined.data, condition } });
    given(segment)
      .when({ ...define, condition: { is: 'balance', currency: 'CNY', atLeast: 5, below: 5 } })
      .isRefused('BoundsReversed');
  });
  it('has a size that can be told at once', () => {
    const many: Condition = { is: 'any', of: Array.from({ length: 20 }, () => ({ is: 'any' as const, of: [vip, vip, vip] })) };
    given(segment)
      .when({ ...define, condition: many })
      .isRefused('SegmentTooLarge');
  });
  it('is an own one of a relationship manager, or the bank’s', () => {
    const rm = (subject: string) => ({ role: 'rm', subject });
    const ops = { role: 'operations', subject: 'ops' };
    expect([rm('li'), rm('zhao'), ops].map((actor) => [segmentVisibleTo(by, actor), segmentChangedBy(by, actor)])).toStrictEqual([
      [true, true],
      [false, false],
      [true, false],
    ]);
    expect([segmentVisibleTo(ops, rm('li')), segmentChangedBy(ops, rm('li'))]).toStrictEqual([true, false]);
  });
});

describe('a condition', () => {
  it('is told node by node, each at its place', () => {
    const condition: Condition = {
      is: 'all',
      of: [
        { is: 'branch', in: ['3100', '3200'] },
        { is: 'not', of: { is: 'any', of: [vip, { is: 'balance', currency: 'CNY', atLeast: 100 }] } },
        { is: 'holds', thing: 'account', product: 'gold' },
        { is: 'classification', dimension: 'value-tier', in: ['wealth', 'diamond', 'private'] },
        { is: 'ticket', type: 'complaint', waiting: true },
      ],
    };
    expect(nodesOf(condition).map(({ path, node }) => `${path} ${inWords(node)}`)).toStrictEqual([
      ' all of these',
      '/of/0 in branch 3100 or 3200',
      '/of/1 not this',
      '/of/1/of any of these',
      '/of/1/of/of/0 tagged vip',
      '/of/1/of/of/1 a balance in CNY of at least 100, in minor units',
      '/of/2 holds an account gold',
      '/of/3 wealth, diamond or private by value-tier',
      '/of/4 has a ticket of type complaint that waits',
    ]);
  });
  it('is what it says by its `is`, three groups deep', () => {
    const deep = (levels: number): unknown => (levels === 0 ? vip : { is: 'not', of: deep(levels - 1) });
    expect(Condition.safeParse(deep(3)).success).toBe(true);
    expect(Condition.safeParse(deep(4)).success).toBe(false);
    expect(Condition.safeParse({ is: 'star-sign', value: 'leo' }).success).toBe(false);
    expect(Condition.safeParse({ is: 'all', of: [] }).success).toBe(false);
    expect(Condition.safeParse({ is: 'tag', tag: 'vip', value: 'more' }).success).toBe(false);
  });
});
