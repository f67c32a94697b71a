// What a row of the bench is given, and what it gives.
import type { Measurement } from './measurement.ts';
import type { Scope } from './scope.ts';

export interface Bench {
  /** Sizes and times that let the whole bench end within some six minutes. */
  readonly quick: boolean;
  /** Ends with the row. */
  readonly scope: Scope;
  /** Tells on stderr how far it is. */
  readonly say: (progress: string) => void;
}

export interface Row {
  readonly name: string;
  /** For `--help`. */
  readonly about: string;
  /** Of the whole row; past it the row could not run. */
  readonly withinMs: number;
  readonly run: (bench: Bench) => Promise<Measurement>;
}
