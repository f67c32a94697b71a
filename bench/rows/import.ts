// `import`: a million transactions and whom they belong to, over the product's own feed until every read model shows them, against COPY
// of the very rows that came out, events, keys and read models, into fresh tables with the same indexes.
import { copyRows, keepRows, storedBytes } from '../support/copy-baseline.ts';
import { runImport } from '../support/import-run.ts';
import { type Measurement, median, shown } from '../support/measurement.ts';
import { settled } from '../support/projected.ts';
import type { Bench } from '../support/row.ts';

const TIMES_AT_MOST = 3;

export async function importRow(bench: Bench): Promise<Measurement> {
  const { scope, quick, say } = bench;
  const rounds = quick ? 1 : 3;
  const run = await runImport(bench);
  const { databaseUrl, events, seconds } = run;
  // The auditor's work would be in the copy's time.
  await settled(run.product);
  const bytes = await storedBytes(databaseUrl);
  const kept = await keepRows(databaseUrl, scope.folder());
  const copies: number[] = [];
  for (let copy = 1; copy <= rounds; copy += 1) {
    const copySeconds = await copyRows(databaseUrl, kept);
    copies.push(copySeconds);
    say(`copy ${copy}: ${shown(copySeconds)} s`);
  }

  const baseline = median(copies);
  const rowCounts = Object.entries(kept.counts)
    .filter(([, count]) => count > 0)
    .map(([table, count]) => `${table} ${count.toLocaleString('en-US')}`);
  return {
    value: seconds,
    unit: 's',
    baseline,
    ratio: seconds / baseline,
    target: `≤ ${TIMES_AT_MOST}× its time`,
    pass: seconds / baseline <= TIMES_AT_MOST,
    notes: [
      `${shown(events / seconds)} events/s: ${events.toLocaleString('en-US')} events (${run.transactions.toLocaleString('en-US')} transactions) of ${run.about}, in ${run.requests} requests one after the other, gzip`,
      `${shown(bytes.journal / events)} bytes/event in the journal (events, guard rows, keys, their indexes), ${shown(bytes.readModels / events)} in the read models`,
      `all appended after ${shown(run.appendSeconds)} s, all shown ${shown(seconds - run.appendSeconds)} s later; one import, one process as npm start runs it`,
      `the copy, median of ${rounds} after it on the same Postgres: table with its primary key, COPY from a ready file, other indexes after it, analyze, all tables at once: ${rowCounts.join(', ')}`,
      `processors: ${run.processors}; peak memory of the server ${shown(run.peakBytes / 1e6)} MB`,
    ],
  };
}
