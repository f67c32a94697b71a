// The table that the bench ends with, each row's notes below it.
import { type Measurement, shown, shownLatency } from './measurement.ts';
import type { Outcome } from './row.ts';

const HEAD = ['name', 'value', 'unit', 'baseline', 'ratio', 'target', '', 'p50/p95/p99', 'of the baseline'];
const QUICK = 'quick: sizes and times too small for figures to publish';
const RIGHT = new Set([1, 3, 4]);

export interface Measured {
  readonly name: string;
  readonly outcome: Outcome;
}

export function tableOf(measured: readonly Measured[], quick: boolean): string {
  const lines = measured.flatMap(({ name, outcome }) => linesOf(outcome).map((line, index) => cellsOf(index === 0 ? name : `… ${line.about}`, line)));
  const cells = [HEAD, ...lines];
  const widths = HEAD.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  const table = cells.map((row) =>
    row
      .map((cell, column) => (RIGHT.has(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
  const notRun = measured.flatMap(({ name, outcome }) => ('notRun' in outcome ? [`${name.padEnd(widths[0] ?? 0)}  not run: ${outcome.notRun}`] : []));
  const notes = measured.flatMap(({ name, outcome }) => {
    const own = linesOf(outcome).flatMap((line) => line.notes);
    return own.length === 0 ? [] : ['', name, ...own.map((note) => `  ${note}`)];
  });
  return [...(quick ? [QUICK] : []), ...table, ...notRun, ...notes].join('\n');
}

export function linesOf(outcome: Outcome): readonly Measurement[] {
  if ('notRun' in outcome) return [];
  return Array.isArray(outcome) ? outcome : [outcome as Measurement];
}

function cellsOf(name: string, { value, unit, baseline, ratio, target, pass, latency, baselineLatency }: Measurement): string[] {
  return [
    name,
    shown(value),
    unit,
    baseline === undefined ? '–' : shown(baseline),
    ratio === undefined ? '–' : `${ratio.toFixed(2)}×`,
    target,
    pass === undefined ? '' : pass ? 'pass' : 'MISS',
    latency ? shownLatency(latency) : '–',
    baselineLatency ? shownLatency(baselineLatency) : '–',
  ];
}
