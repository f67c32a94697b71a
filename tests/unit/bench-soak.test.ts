// The verdicts of the long run, on samples of our own making: what rises is found whatever peaks stand in it, and what only swings is not.
import { describe, expect, it } from 'vitest';
import type { Sample, TableSample } from '../../bench/soak/samples.ts';
import { growthOf, judgeProcesses, judgeTables } from '../../bench/soak/verdicts.ts';

const MIB = 2 ** 20;
const SECOND = 1_000;

function sample(seconds: number, values: Partial<Sample> = {}): Sample {
  return {
    atMs: seconds * SECOND,
    segment: 0,
    rssBytes: 300 * MIB,
    heapBytes: 100 * MIB,
    handles: 50,
    connections: { shiji: 10 },
    lagEvents: 0,
    lagMs: 0,
    loopP99Ms: 1,
    tables: [],
    ...values,
  };
}

/** Ten minutes of them. */
const over = (make: (seconds: number) => Partial<Sample>): Sample[] => Array.from({ length: 61 }, (_, index) => sample(index * 10, make(index * 10)));
const outcomes = (samples: readonly Sample[]) =>
  Object.fromEntries(judgeProcesses(samples, ['x']).map(({ what, outcome }) => [what.replace(', x', ''), outcome]));
const tables = (make: (seconds: number) => Partial<TableSample>) =>
  Object.fromEntries(
    judgeTables(over((seconds) => ({ tables: [{ table: 'read.t', live: 10_000, dead: 0, bytes: 5 * MIB, autovacuums: 0, ...make(seconds) }] }))).map(
      ({ what, outcome }) => [what, outcome],
    ),
  );
/** Up and down each minute, as a heap between collections. */
const saw = (seconds: number, height: number): number => ((seconds % 60) / 60) * height;

describe('a line through samples', () => {
  it('rises as they do, and no peak tilts it', () => {
    const points = Array.from({ length: 20 }, (_, index) => ({ atMs: index, value: index * 2 + (index === 17 ? 10_000 : 0) }));
    expect(growthOf(points)).toBe(38);
    expect(growthOf([{ atMs: 5, value: 3 }])).toBe(0);
  });
});

describe('a server process of the long run', () => {
  it('passes where its figures swing and stay', () => {
    const swinging = over((seconds) => ({ rssBytes: 300 * MIB + saw(seconds, 60 * MIB), handles: 50 + (seconds % 3), lagMs: saw(seconds, 400) }));
    expect(outcomes(swinging)).toEqual({ memory: 'pass', heap: 'pass', handles: 'pass', connections: 'pass', lag: 'pass', 'lag in events': 'pass' });
  });

  it('may take its memory in the first fifth', () => {
    expect(outcomes(over((seconds) => ({ rssBytes: Math.min(300, 100 + 2 * seconds) * MIB }))).memory).toBe('pass');
  });

  it('fails by each figure that goes on rising', () => {
    const rising = over((seconds) => ({
      rssBytes: (300 + seconds / 5) * MIB + saw(seconds, 60 * MIB),
      heapBytes: (100 + seconds / 5) * MIB + saw(seconds, 40 * MIB),
      handles: 50 + Math.floor(seconds / 30),
      connections: { shiji: 10 + Math.floor(seconds / 50) },
      lagMs: seconds,
      lagEvents: seconds * 2,
    }));
    expect(outcomes(rising)).toEqual({ memory: 'FAIL', heap: 'FAIL', handles: 'FAIL', connections: 'FAIL', lag: 'FAIL', 'lag in events': 'FAIL' });
  });

  it('is not judged by what was not seen, and that is said', () => {
    const few = over(() => ({ handles: undefined })).slice(0, 4);
    expect(outcomes(few)).toEqual({
      memory: 'not run',
      heap: 'not run',
      handles: 'not run',
      connections: 'not run',
      lag: 'not run',
      'lag in events': 'not run',
    });
  });
});

describe('a table of the long run', () => {
  it('passes where vacuum keeps up and its size follows its rows', () => {
    const growing = tables((seconds) => ({ live: 10_000 + seconds * 20, dead: saw(seconds, 1_500), bytes: (10_000 + seconds * 20) * 500 }));
    expect(growing).toEqual({ 'dead rows, read.t': 'pass', 'bytes a row, read.t': 'pass', 'size, 0 tables of ≤ 256 KiB': 'pass' });
  });

  it('fails where its dead rows, or its bytes a row, go on rising', () => {
    expect(tables((seconds) => ({ dead: seconds * 20 }))).toMatchObject({ 'dead rows, read.t': 'FAIL' });
    expect(tables((seconds) => ({ bytes: (5 + seconds / 300) * MIB }))).toMatchObject({ 'bytes a row, read.t': 'FAIL' });
  });

  it('with few rows fails where its size goes on rising', () => {
    expect(tables((seconds) => ({ live: 8, bytes: MIB + seconds * 10_000 }))).toMatchObject({ 'size, read.t': 'FAIL' });
    expect(tables((seconds) => ({ live: 8, bytes: MIB + saw(seconds, 200_000) }))).toMatchObject({ 'size, read.t': 'pass' });
  });

  it('with few rows and ever more of them may grow as they do', () => {
    const rows = (seconds: number): number => 200 + seconds * 2;
    expect(tables((seconds) => ({ live: rows(seconds), bytes: rows(seconds) * 2_000 }))).toMatchObject({ 'bytes a row, read.t': 'pass' });
    expect(tables((seconds) => ({ live: rows(seconds), bytes: rows(seconds) * (2_000 + 3 * seconds) }))).toMatchObject({
      'bytes a row, read.t': 'FAIL',
    });
  });
});
