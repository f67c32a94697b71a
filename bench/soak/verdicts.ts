// What is judged: whether a figure stays flat once warmed up, by a line fitted through its samples. Memory, descriptors, connections and lag
// begin anew with each server process, so each stretch between restarts has a line of its own; tables live through them.
import { median } from '../support/measurement.ts';
import type { Sample, TableSample } from './samples.ts';

export interface Verdict {
  readonly what: string;
  readonly figure: string;
  readonly bound: string;
  readonly outcome: 'pass' | 'FAIL' | 'not run';
}

export interface Point {
  readonly atMs: number;
  readonly value: number;
}

const MIB = 2 ** 20;
/** The first part of a stretch: code is compiled, caches fill, pools open. */
const WARM_UP = 0.2;
const FEWEST = 5;
const MANY_ROWS = 2_000;
const SMALL_BYTES = 256 * 1_024;
/** Of five minutes without their first fifth, a little less. */
const TABLES_MS = 3.5 * 60_000;
/** The heap finds its size in the first minutes of a process: a shorter stretch says nothing of a leak. */
const MEMORY_MS = 4 * 60_000;

interface Bound {
  readonly what: string;
  readonly value: (sample: Sample) => number | undefined;
  /** By how much the line may rise over the judged time. */
  readonly most: (median: number) => number;
  readonly shown: (value: number) => string;
}

const perProcess: readonly Bound[] = [
  {
    what: 'memory',
    value: ({ rssBytes }) => rssBytes,
    // Caches that are bounded fill for some minutes (states of 20,000 events, names looked for): a leak goes on beyond them.
    most: (middle) => Math.max(64 * MIB, middle * 0.15),
    shown: mib,
  },
  { what: 'heap', value: ({ heapBytes }) => heapBytes, most: () => 48 * MIB, shown: mib },
  { what: 'handles', value: ({ handles }) => handles, most: () => 8, shown: whole },
  { what: 'connections', value: ({ connections }) => serverConnections(connections), most: () => 6, shown: whole },
  { what: 'lag', value: ({ lagMs }) => lagMs, most: () => 250, shown: (ms) => `${Math.round(ms)} ms` },
  { what: 'lag in events', value: ({ lagEvents }) => lagEvents, most: () => 500, shown: whole },
];

/** @param names of the stretches, in their order */
export function judgeProcesses(samples: readonly Sample[], names: readonly string[]): Verdict[] {
  return names.flatMap((name, segment) => {
    const own = warm(samples.filter((sample) => sample.segment === segment));
    const lastsMs = (own.at(-1)?.atMs ?? 0) - (own[0]?.atMs ?? 0);
    return perProcess.map(({ what, value, most, shown }): Verdict => {
      if ((what === 'memory' || what === 'heap') && lastsMs < MEMORY_MS)
        return { what: `${what}, ${name}`, figure: 'not run: too short', bound: 'at least 15 minutes in all', outcome: 'not run' };
      const points = own.flatMap((sample) => {
        const seen = value(sample);
        return seen === undefined ? [] : [{ atMs: sample.atMs, value: seen }];
      });
      return judged(`${what}, ${name}`, points, most, shown);
    });
  });
}

/**
 * Of each table with many rows the share of dead ones and the bytes a row; of those with few, which are written all over between two
 * vacuums, the bytes a row where it grows, else the size. Autovacuum looks once a minute, so that a shorter run says nothing.
 */
export function judgeTables(samples: readonly Sample[]): Verdict[] {
  const own = warm(samples);
  const [first, last] = [own[0], own.at(-1)];
  if (!first || !last || last.atMs - first.atMs < TABLES_MS)
    return [{ what: 'tables', figure: 'not run: too short', bound: 'at least 5 minutes', outcome: 'not run' }];
  const pointsOf = (table: string, value: (one: TableSample) => number): Point[] =>
    own.flatMap(({ atMs, tables }) => tables.filter((one) => one.table === table).map((one) => ({ atMs, value: value(one) })));
  const bytesOf = (one: TableSample): number => one.bytes;
  const isSmall = ({ table }: TableSample): boolean => pointsOf(table, bytesOf).every(({ value }) => value <= SMALL_BYTES);
  const small = last.tables.filter(isSmall);
  const large = last.tables.filter((one) => !isSmall(one));
  const together = own.map(({ atMs, tables }) => ({
    atMs,
    value: tables.filter(({ table }) => small.some((one) => one.table === table)).reduce((sum, { bytes }) => sum + bytes, 0),
  }));
  return [
    ...large.flatMap(({ table, live }): Verdict[] => {
      const isMany = live >= MANY_ROWS;
      const before = pointsOf(table, (one) => one.live)[0]?.value ?? 0;
      if (!isMany && live <= 1.5 * before)
        return [judged(`size, ${table}`, pointsOf(table, bytesOf), (middle) => Math.max(MIB / 2, middle / 4), kib)];
      const bytesARow = pointsOf(table, (one) => one.bytes / Math.max(1, one.live));
      return [
        ...(isMany ? [judged(`dead rows, ${table}`, pointsOf(table, deadShare), () => 0.15, percent)] : []),
        judged(`bytes a row, ${table}`, bytesARow, (middle) => middle * 0.15, whole),
      ];
    }),
    judged(`size, ${small.length} tables of ≤ ${SMALL_BYTES / 1_024} KiB`, together, () => MIB / 2, kib),
  ];
}

export function judgeCount(what: string, count: number, most = 0): Verdict {
  return { what, figure: whole(count), bound: most === 0 ? 'none' : `≤ ${whole(most)}`, outcome: count <= most ? 'pass' : 'FAIL' };
}

function judged(what: string, points: readonly Point[], most: Bound['most'], shown: Bound['shown']): Verdict {
  if (points.length < FEWEST) return { what, figure: `not run: ${points.length} samples`, bound: `at least ${FEWEST} samples`, outcome: 'not run' };
  const values = points.map(({ value }) => value);
  const middle = median(values);
  const growth = growthOf(points);
  const bound = most(middle);
  return {
    what,
    figure: `${shown(middle)} (${shown(Math.min(...values))} to ${shown(Math.max(...values))}), ${growth < 0 ? '−' : '+'}${shown(Math.abs(growth))}`,
    bound: `rises ≤ ${shown(bound)}`,
    outcome: growth <= bound ? 'pass' : 'FAIL',
  };
}

/** By how much the fitted line rises over the points' time: the median of the slopes of all pairs (Theil–Sen), so that peaks do not tilt it. */
export function growthOf(points: readonly Point[]): number {
  const slopes: number[] = [];
  for (const [index, one] of points.entries())
    for (const other of points.slice(index + 1)) if (other.atMs > one.atMs) slopes.push((other.value - one.value) / (other.atMs - one.atMs));
  const [first, last] = [points[0], points.at(-1)];
  return slopes.length === 0 || !first || !last ? 0 : median(slopes) * (last.atMs - first.atMs);
}

/** Without the first fifth of the time. */
function warm(samples: readonly Sample[]): readonly Sample[] {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last) return [];
  const fromMs = first.atMs + (last.atMs - first.atMs) * WARM_UP;
  return samples.filter(({ atMs }) => atMs >= fromMs);
}

export function serverConnections(connections: Sample['connections']): number {
  return Object.values(connections).reduce((sum, count) => sum + count, 0);
}

export function deadShare({ live, dead }: TableSample): number {
  return live + dead === 0 ? 0 : dead / (live + dead);
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function mib(bytes: number): string {
  return `${Math.round(bytes / MIB)} MiB`;
}

function kib(bytes: number): string {
  return `${Math.round(bytes / 1_024).toLocaleString('en-US')} KiB`;
}
