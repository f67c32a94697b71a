// The table that the bench ends with, each row's notes below it.
import { type Measurement, shown, shownLatency } from './measurement.ts';

const HEAD = ['name', 'value', 'unit', 'baseline', 'ratio', 'target', '', 'p50/p95/p99', 'of the baseline'];
const RIGHT = new Set([1, 3, 4]);

export function tableOf(measured: readonly { readonly name: string; readonly measurement: Measurement }[]): string {
  const rows = [HEAD, ...measured.map(({ name, measurement }) => cellsOf(name, measurement))];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((cells) => (cells[column] ?? '').length)));
  const lines = rows.map((cells) =>
    cells
      .map((cell, column) => (RIGHT.has(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
  const notes = measured.flatMap(({ name, measurement }) => ['', name, ...measurement.notes.map((note) => `  ${note}`)]);
  return [...lines, ...notes].join('\n');
}

function cellsOf(name: string, { value, unit, baseline, ratio, target, pass, latency, baselineLatency }: Measurement): string[] {
  return [
    name,
    shown(value),
    unit,
    baseline === undefined ? '–' : shown(baseline),
    ratio === undefined ? '–' : `${ratio.toFixed(2)}×`,
    target,
    pass ? 'pass' : 'MISS',
    latency ? shownLatency(latency) : '–',
    baselineLatency ? shownLatency(baselineLatency) : '–',
  ];
}
