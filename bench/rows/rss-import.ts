// `rss-import`: the most memory that the server's own process has resident while it takes in a million transactions. Where `import` ran
// before in the same run, the figure is that import's.
import { lastImport, runImport } from '../support/import-run.ts';
import { type Measurement, shown } from '../support/measurement.ts';
import type { Bench } from '../support/row.ts';

const AT_MOST_MB = 512;

export async function rssImport(bench: Bench): Promise<Measurement> {
  const { peakBytes, lines, requests, seconds } = lastImport(bench.quick) ?? (await runImport(bench));
  const value = peakBytes / 1e6;
  return {
    value,
    unit: 'MB',
    target: `≤ ${AT_MOST_MB} MB`,
    pass: value <= AT_MOST_MB,
    notes: [
      `peak resident set of the node process from its start to the import's end, ${lines.toLocaleString('en-US')} lines in ${requests} requests, ${shown(seconds)} s; Postgres' own processes not counted`,
    ],
  };
}
