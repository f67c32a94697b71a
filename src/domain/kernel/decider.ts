// The Decider: how an aggregate is written down. Pure; time, ids and reference data come in with the command.

/** A refusal is an expected answer, so it is returned, never thrown. */
export interface Rejection<Code extends string = string> {
  readonly rejected: Code;
  /** One sentence for the caller: what was wrong and what would be right. No personal data. */
  readonly detail: string;
  /** JSON Pointer into the command's body, where one field is to blame. */
  readonly pointer?: string;
}

export interface Decider<Command, State, Fact, Code extends string> {
  readonly initialState: State;
  readonly evolve: (state: State, fact: Fact) => State;
  /** No event means that what was asked is so already. */
  readonly decide: (command: Command, state: State) => readonly Fact[] | Rejection<Code>;
}

export function isRejection(decision: object): decision is Rejection {
  return 'rejected' in decision;
}
