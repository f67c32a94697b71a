// Whoever is measured takes turns with what it is measured against, so that a change of the machine's mood meets all.
import { setTimeout as sleep } from 'node:timers/promises';
import type { CpuUse } from './cpu.ts';
import type { LoadResult } from './http-load.ts';
import { type Latency, type Measurement, median, medianLatency, shown, shownLatency } from './measurement.ts';

export interface Subject {
  readonly name: string;
  readonly cpu: CpuUse;
  readonly run: (seconds: number) => Promise<LoadResult>;
  /** Until what a turn left behind is done: else it would be in the next one's time. */
  readonly finish?: () => Promise<void>;
}

/** Medians over the rounds. */
export interface Figures {
  readonly name: string;
  readonly cpu: CpuUse;
  /** Of all rounds. */
  readonly requests: number;
  readonly perSecond: number;
  readonly latency: Latency;
}

export interface Times {
  readonly rounds: number;
  readonly warmUpSeconds: number;
  readonly roundSeconds: number;
  /** Writing out what the last turn left behind is not the next one's business. */
  readonly settleMs: number;
}

export function timesOf(quick: boolean): Times {
  return quick ? { rounds: 2, warmUpSeconds: 1, roundSeconds: 1, settleMs: 200 } : { rounds: 3, warmUpSeconds: 5, roundSeconds: 9, settleMs: 1_000 };
}

/** For the notes. */
export function toldTimes({ rounds, roundSeconds }: Times): string {
  return `${rounds} rounds of ${roundSeconds} s each in turn, medians`;
}

export async function takeTurns(subjects: readonly Subject[], times: Times, say: (progress: string) => void): Promise<Figures[]> {
  const results = new Map<Subject, LoadResult[]>(subjects.map((subject) => [subject, []]));
  for (let round = 1; round <= times.rounds; round += 1) {
    for (const [subject, own] of results) {
      await sleep(times.settleMs);
      subject.cpu.start();
      const result = await subject.run(times.roundSeconds);
      subject.cpu.stop();
      own.push(result);
      say(`round ${round}: ${subject.name} ${shown(result.perSecond)}/s, p99 ${shown(result.latency.p99Ms)} ms`);
      await subject.finish?.();
    }
  }
  return [...results].map(([{ name, cpu }, own]) => ({ name, cpu, ...mediansOf(own) }));
}

export function mediansOf(results: readonly LoadResult[]): Pick<Figures, 'requests' | 'perSecond' | 'latency'> {
  return {
    requests: results.reduce((sum, { requests }) => sum + requests, 0),
    perSecond: median(results.map(({ perSecond }) => perSecond)),
    latency: medianLatency(results.map(({ latency }) => latency)),
  };
}

/** The fastest of several ways to do the same. */
export function fastestOf(figures: readonly Figures[]): Figures {
  const [best] = figures.toSorted((one, other) => other.perSecond - one.perSecond);
  if (!best) throw new Error('a subject is missing');
  return best;
}

/** What a line of the table says of requests a second. */
export function against(
  baseline: Figures,
  { perSecond, latency }: Figures,
): Required<Pick<Measurement, 'value' | 'unit' | 'baseline' | 'ratio' | 'latency' | 'baselineLatency'>> {
  return {
    value: perSecond,
    unit: 'requests/s',
    baseline: baseline.perSecond,
    ratio: perSecond / baseline.perSecond,
    latency,
    baselineLatency: baseline.latency,
  };
}

/** `bare route, pool of 16 9,345/s (5.7/8.5/17.9 ms)`. */
export function toldFigures({ name, perSecond, latency }: Figures): string {
  return `${name} ${shown(perSecond)}/s (${shownLatency(latency)})`;
}
