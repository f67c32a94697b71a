// What the commands of tests/unit/deciders.test.ts are drawn from: pools so small that a command soon meets its own past.
import fc from 'fast-check';
import type { Decider } from '../../src/domain/kernel/decider.ts';
import type { Fact } from '../../src/domain/kernel/event.ts';

export type AnyDecider = Decider<unknown, unknown, Fact, string>;
export type Arbitrary = fc.Arbitrary<unknown>;
export type Shape = Readonly<Record<string, Arbitrary>>;
/** By the name that the test is reported under. */
export type Aggregates = Readonly<Record<string, readonly [AnyDecider, Arbitrary]>>;

/** The aggregate's own. */
export const id = '0190a0b0-0000-7000-8000-000000000001';
export const other = fc.constantFrom('0190a0b0-0000-7000-8000-00000000000a', '0190a0b0-0000-7000-8000-00000000000b');
export const words = fc.constantFrom('VIP', 'salary', '养老');
export const staff = fc.constantFrom('alice', 'bob');
export const instant = fc.constantFrom(
  '2026-01-30T08:00:00.000Z',
  '2026-02-16T01:30:00.000Z',
  '2026-03-01T16:00:00.000Z',
  '2026-10-02T04:00:00.000Z',
);
export const day = fc.constantFrom('2026-01-01', '2026-02-01', '2026-03-01');
export const sourceTime = fc.constantFrom('2019-02-28[Asia/Shanghai]', '2020-01-01[Europe/Prague]', '2020-01-01T09:00:00+08:00');
export const source = fc.record({ system: fc.constant('core'), id: fc.constantFrom('1', '2') });
export const partyKind = fc.constantFrom('person', 'organisation');

export const maybe = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(one, { nil: undefined });
/** For what a command hands on whole: as it was read from JSON, what is absent is not there at all. */
export const record = (needed: Shape, optional: Shape = {}): fc.Arbitrary<Readonly<Record<string, unknown>>> =>
  fc.record({ ...needed, ...optional }, { requiredKeys: Object.keys(needed), noNullPrototype: true });
export const oneOf = (...shapes: Shape[]): Arbitrary => fc.oneof(...shapes.map((shape) => fc.record(shape)));
/** Commands whose `about` is of members that belong together. */
export const oneOfAbout = (...shapes: (Shape & { readonly about: fc.Arbitrary<object> })[]): Arbitrary =>
  fc.oneof(...shapes.map((shape) => fc.record(shape).map(({ about, ...rest }) => ({ ...rest, ...(about as object) }))));
export const does = (...names: string[]): fc.Arbitrary<string> => fc.constantFrom(...names);
