// What a row of the bench gives, and the sums behind it: medians of rounds, exact percentiles of latencies.

export interface Latency {
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

/** One published figure, beside what it is measured against in the same run. */
export interface Measurement {
  /** On each line of a row but the first: what it is. */
  readonly about?: string;
  readonly value: number;
  readonly unit: string;
  /** In the same unit; absent where the target is a bound by itself. */
  readonly baseline?: number;
  /** The figure that the target speaks of, where it is a ratio. */
  readonly ratio?: number;
  /** `–` on a line that is there for comparison. */
  readonly target: string;
  /** Absent there. */
  readonly pass?: boolean;
  readonly latency?: Latency;
  readonly baselineLatency?: Latency;
  /** What a reader must know beside the figure: how it was run, what else was seen. */
  readonly notes: readonly string[];
}

export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('a median of no values');
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] as number;
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] as number;
  return (lower + upper) / 2;
}

/** Exact, by nearest rank: every latency of a round is kept. */
export function latencyOf(milliseconds: Float64Array): Latency {
  if (milliseconds.length === 0) throw new RangeError('percentiles of no latencies');
  const sorted = milliseconds.slice().sort();
  const at = (percent: number): number => sorted[Math.ceil((sorted.length * percent) / 100) - 1] as number;
  return { p50Ms: at(50), p95Ms: at(95), p99Ms: at(99) };
}

/** Each percentile's own median over the rounds: one round with a hiccup does not decide. */
export function medianLatency(rounds: readonly Latency[]): Latency {
  return {
    p50Ms: median(rounds.map(({ p50Ms }) => p50Ms)),
    p95Ms: median(rounds.map(({ p95Ms }) => p95Ms)),
    p99Ms: median(rounds.map(({ p99Ms }) => p99Ms)),
  };
}

/** `12,345`, `812`, `8.4`, `0.43`: three digits that matter, and never a decimal that doesn't. */
export function shown(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** `8.4/10.9/13.2 ms`: the 50th, 95th and 99th percentile. */
export function shownLatency({ p50Ms, p95Ms, p99Ms }: Latency): string {
  return `${[p50Ms, p95Ms, p99Ms].map(shown).join('/')} ms`;
}
