// What the long run prints at its end: latencies by kind, the server by stretch, the tables, and a verdict a line.
import { latencyOf, shown } from '../support/measurement.ts';
import type { Sample } from './samples.ts';
import { deadShare, serverConnections, type Verdict } from './verdicts.ts';

const MIB = 2 ** 20;

export function latencyTable(latencies: ReadonlyMap<string, readonly number[]>): string {
  const rows = [...latencies]
    .sort(([, one], [, other]) => other.length - one.length)
    .map(([kind, ms]) => {
      const { p50Ms, p95Ms, p99Ms } = latencyOf(Float64Array.from(ms));
      const most = ms.reduce((slowest, one) => Math.max(slowest, one), 0);
      return [kind, ms.length.toLocaleString('en-US'), ...[p50Ms, p95Ms, p99Ms, most].map(shown)];
    });
  return aligned([['latency in ms', 'answers', 'p50', 'p95', 'p99', 'most'], ...rows]);
}

export function tableTable(samples: readonly Sample[]): string {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last) return '';
  const rows = last.tables.flatMap(({ table, live, dead, bytes, autovacuums }) => {
    const before = first.tables.find((one) => one.table === table);
    if (live + dead === 0 && bytes < 100_000) return [];
    const most = Math.max(...samples.flatMap(({ tables }) => tables.filter((one) => one.table === table).map(deadShare)));
    const size = [before?.bytes ?? 0, bytes].map((one) => shown(one / MIB));
    const vacuums = autovacuums - (before?.autovacuums ?? 0);
    return [[table, live.toLocaleString('en-US'), dead.toLocaleString('en-US'), `${(most * 100).toFixed(1)} %`, ...size, String(vacuums)]];
  });
  return aligned([['table', 'rows', 'dead', 'most dead', 'MiB at first', 'at last', 'autovacuums'], ...rows]);
}

export function verdictTable(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(({ outcome, what, figure, bound }) => [outcome, what, figure, bound]);
  return aligned([['', 'what', 'figure', 'bound'], ...rows], 0);
}

/** One line while it runs. */
export function sampleLine(sample: Sample, seconds: number, perSecond: number, inFlight: number): string {
  const { rssBytes, heapBytes, handles, connections, lagEvents, lagMs, loopP99Ms } = sample;
  return [
    `${String(Math.round(seconds)).padStart(5)} s`,
    `${shown(perSecond)}/s, ${inFlight} in flight`,
    `RSS ${Math.round(rssBytes / MIB)} MiB, heap ${Math.round(heapBytes / MIB)} MiB`,
    `${handles ?? '–'} handles, ${serverConnections(connections)} connections`,
    `lag ${lagEvents} events, ${Math.round(lagMs)} ms`,
    `event loop p99 ${shown(loopP99Ms)} ms`,
  ].join('; ');
}

/** Columns of figures stand to the right: all from that one on, none for 0. */
function aligned(rows: readonly (readonly string[])[], figuresFrom = 1): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((cells) => (cells[column] ?? '').length)));
  return rows
    .map((cells) =>
      cells
        .map((cell, column) => (figuresFrom > 0 && column >= figuresFrom ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
