// What a row of the bench is given, and what it gives.
import type { Measurement } from './measurement.ts';
import type { Scope } from './scope.ts';
import type { Shared } from './shared.ts';

export interface Bench {
  /** Sizes and times that let the whole bench end within three minutes. */
  readonly quick: boolean;
  /** Ends with the row. */
  readonly scope: Scope;
  /** Tells on stderr how far it is. */
  readonly say: (progress: string) => void;
}

export interface GroupBench extends Bench {
  /** Ends with the last of the rows of its group that follow each other. */
  readonly shared: Shared;
}

/** What this machine or this setting can not measure, and why. */
export interface NotRun {
  readonly notRun: string;
}

/** One line of the table, or several: then each after the first says what it is. */
export type Outcome = Measurement | readonly Measurement[] | NotRun;

export interface Row {
  readonly name: string;
  /** For `--help`. */
  readonly about: string;
  /** Of the whole row; past it the row could not run. */
  readonly withinMs: number;
  /** Rows of one group that follow each other use the same servers. */
  readonly group?: string;
  readonly run: (bench: GroupBench) => Promise<Outcome>;
}
