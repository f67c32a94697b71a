// Tests of a decider read as the rule: given what happened, when this is asked, it emits these events or refuses with this code.
import { expect } from 'vitest';
import type { Decider } from '../../src/domain/kernel/decider.ts';

interface Decided<Fact, Code extends string> {
  /** Whole and in order; none means that what was asked is so already. */
  readonly emits: (...facts: readonly Fact[]) => void;
  readonly isRefused: (code: Code, detail?: string) => void;
}

interface Given<Command, Fact, Code extends string> {
  readonly when: (command: Command) => Decided<Fact, Code>;
}

export function given<Command, State, Fact, Code extends string>(
  decider: Decider<Command, State, Fact, Code>,
  ...past: readonly NoInfer<Fact>[]
): Given<Command, Fact, Code> {
  const state = stateAfter(decider, past);
  return {
    when: (command) => {
      const decision = decider.decide(command, state);
      return {
        emits: (...facts) => expect(decision).toStrictEqual(facts),
        isRefused: (code, detail) => {
          expect(decision).toMatchObject({ rejected: code, detail: detail ?? expect.stringMatching(/\.$/) });
        },
      };
    },
  };
}

export function stateAfter<Command, State, Fact, Code extends string>(
  decider: Decider<Command, State, Fact, Code>,
  past: readonly NoInfer<Fact>[],
): State {
  return past.reduce(decider.evolve, decider.initialState);
}
