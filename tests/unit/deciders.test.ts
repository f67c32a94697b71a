// What holds for every aggregate, whatever it is asked in whatever order: the same command on the same past gives the same events, nothing
// handed in is changed, and the past folded in one go, also as it is read back, is the state that decisions were made on.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allCommands } from '../../src/commands/all.ts';
import { isRejection } from '../../src/domain/kernel/decider.ts';
import type { Fact } from '../../src/domain/kernel/event.ts';
import { aggregates } from '../support/decider-commands.ts';

/** Deep, but for what methods make of a class (calendars) and for maps and sets, which are compared instead. */
function frozen<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const inner of Object.values(value)) frozen(inner);
  return value;
}

const copied = <Value>(value: Value): Value => (typeof value === 'object' && value !== null ? structuredClone(value) : value);

describe.each(Object.entries(aggregates))('%s', (_, [{ initialState, evolve, decide }, command]) => {
  const fold = (facts: readonly Fact[]): unknown => facts.reduce(evolve, initialState);

  it('decides the same on the same past, changes nothing that it is given, and is the fold of its events', () => {
    let emitted = 0;
    fc.assert(
      fc.property(fc.array(command, { maxLength: 25, size: 'max' }), (commands) => {
        const facts: Fact[] = [];
        let state = initialState;
        for (const one of commands) {
          const before = copied(state);
          const decision = decide(frozen(one), frozen(state));
          expect(decide(one, before)).toStrictEqual(decision);
          expect(decide(one, fold(facts))).toStrictEqual(decision);
          expect(state).toStrictEqual(before);
          if (isRejection(decision)) continue;
          for (const fact of decision as readonly Fact[]) {
            facts.push(fact);
            state = evolve(frozen(state), frozen(fact));
          }
          emitted += decision.length;
        }
        expect(fold(facts)).toStrictEqual(state);
        expect(fold(JSON.parse(JSON.stringify(facts)) as Fact[])).toStrictEqual(state);
      }),
      { numRuns: 200 },
    );
    // Refusing everything would hold as well.
    expect(emitted).toBeGreaterThan(20);
  });
});

it('leaves out no aggregate that a command is on', () => {
  const known = new Set(Object.values(aggregates).map(([{ initialState, evolve }]) => `${JSON.stringify(initialState)} ${evolve}`));
  const missing = allCommands(['tickets'])
    .filter(({ decider: { initialState, evolve } }) => !known.has(`${JSON.stringify(initialState)} ${evolve}`))
    .map(({ name }) => name);
  expect(missing).toStrictEqual([]);
});
