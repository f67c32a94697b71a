// What keeps a program of ours from starting, told to the operator: one sentence that says what to do, printed without a stack trace.
// Bugs and broken infrastructure are other errors.

export class StartError extends Error {
  override readonly name: string = 'StartError';
}
