// `rebuild`: all read models from the journal, against COPY of the very rows that came out. Both make the table with its primary key,
// copy, build the other indexes after it, and analyze; the copy's text lies ready in a file.
import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { migrate } from '../../src/postgres/migrate.ts';
import { APP_ROLE } from '../../src/postgres/pool.ts';
import { projections } from '../../src/projections/all.ts';
import { tableSql } from '../../src/projections/engine/table-sql.ts';
import { startChild } from '../support/child.ts';
import { CpuUse } from '../support/cpu.ts';
import { type BenchDatabase, startDatabase, withClient } from '../support/database.ts';
import { fillJournal } from '../support/journal-fill.ts';
import { type Measurement, median, shown } from '../support/measurement.ts';
import { masterKey } from '../support/product.ts';
import type { Rebuild, Rebuilt } from '../support/rebuilder.ts';
import type { Bench } from '../support/row.ts';

const SEED = 20260401;
const TIMES_AT_MOST = 3;
const EVENTS_A_SECOND_AT_LEAST = 150_000;
const BASELINE_SCHEMA = 'baseline';

export async function rebuild({ scope, quick, say }: Bench): Promise<readonly Measurement[]> {
  const rounds = quick ? 2 : 3;
  const size = quick ? 50_000 : 1_000_000;
  const database = await startDatabase(scope);
  const key = Buffer.from(masterKey, 'base64');
  await migrate({ url: database.url });
  const events = await fillJournal({
    url: database.url,
    masterKey: key,
    seed: SEED,
    events: size,
    onProgress: (written) => say(`${written.toLocaleString('en-US')} events written`),
  });
  const folder = scope.folder();

  const builds: number[] = [];
  const copies: number[] = [];
  const cpu: string[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    await forget(database);
    const rebuilder = startChild<Rebuild, Rebuilt>(scope, 'rebuilder.ts');
    const use = new CpuUse({ rebuild: rebuilder, Postgres: database });
    use.start();
    const { seconds } = await rebuilder.ask({ url: database.url, masterKey: key });
    use.stop();
    await rebuilder.end();
    cpu.push(use.toString());
    builds.push(seconds);
    if (round === 1) await keepRows(database, folder);
    await withClient(database.url, (client) => client.query('checkpoint'));
    const copySeconds = await copyRows(database, folder);
    copies.push(copySeconds);
    say(`round ${round}: rebuilt in ${shown(seconds)} s, ${shown(events / seconds)} events/s; copied in ${shown(copySeconds)} s`);
  }

  const value = median(builds);
  const baseline = median(copies);
  const rows = await countRows(database);
  const perSecond = events / value;
  return [
    {
      value,
      unit: 's',
      baseline,
      ratio: value / baseline,
      target: `≤ ${TIMES_AT_MOST}× its time`,
      pass: value / baseline <= TIMES_AT_MOST,
      notes: [
        `${events.toLocaleString('en-US')} events of ${rows.streams.toLocaleString('en-US')} tickets into ${rows.text}; medians of ${rounds} rounds in turn, each rebuild a fresh process`,
        'both: table with its primary key, COPY, other indexes after it, analyze; the baseline copies a ready text from a file, all tables at once',
        `processors of the last rebuild, start of the process included: ${cpu.at(-1)}`,
      ],
    },
    {
      about: 'its rate',
      value: perSecond,
      unit: 'events/s',
      target: `≥ ${EVENTS_A_SECOND_AT_LEAST.toLocaleString('en-US')}/s on 2 cores`,
      pass: perSecond >= EVENTS_A_SECOND_AT_LEAST,
      notes: [],
    },
  ];
}

/** As if no projection had ever run. */
async function forget({ url }: BenchDatabase): Promise<void> {
  await withClient(url, async (client) => {
    await client.query('drop schema if exists read cascade');
    await client.query(`create schema read authorization ${APP_ROLE}`);
    for (const book of ['checkpoints', 'receipts', 'audits', 'chunk_starts', 'parked', 'leases']) await client.query(`delete from engine.${book}`);
    await client.query('checkpoint');
  });
}

const fileOf = (folder: string, table: string): string => join(folder, `${table}.copy`);

async function keepRows({ url }: BenchDatabase, folder: string): Promise<void> {
  for (const projection of projections) {
    const { qualified, columns } = tableSql('read', projection);
    const names = columns.map(({ name }) => `"${name}"`).join(', ');
    await withClient(url, (client) =>
      pipeline(client.query(copyTo(`copy ${qualified} (${names}) to stdout`)), createWriteStream(fileOf(folder, projection.table.name))),
    );
  }
}

/** Seconds from the first table's making to the last one's statistics. */
async function copyRows({ url }: BenchDatabase, folder: string): Promise<number> {
  await withClient(url, async (client) => {
    await client.query(`drop schema if exists ${BASELINE_SCHEMA} cascade`);
    await client.query(`create schema ${BASELINE_SCHEMA}`);
  });
  const startedMs = performance.now();
  await Promise.all(
    projections.map((projection) =>
      withClient(url, async (client) => {
        const sql = tableSql(BASELINE_SCHEMA, projection);
        await client.query('begin');
        await client.query(sql.create);
        await pipeline(createReadStream(fileOf(folder, projection.table.name), { highWaterMark: 256 * 1_024 }), client.query(copyFrom(sql.copy)));
        for (const index of sql.indexes) await client.query(index);
        await client.query(`analyze ${sql.qualified}`);
        await client.query('commit');
      }),
    ),
  );
  const seconds = (performance.now() - startedMs) / 1_000;
  await withClient(url, (client) => client.query(`drop schema ${BASELINE_SCHEMA} cascade`));
  return seconds;
}

async function countRows({ url }: BenchDatabase): Promise<{ streams: number; text: string }> {
  return withClient(url, async (client) => {
    const count = async (table: string): Promise<number> =>
      Number((await client.query<{ count: string }>(`select count(*) as count from ${table}`)).rows[0]?.count);
    const counts: string[] = [];
    for (const projection of projections)
      counts.push(`${(await count(tableSql('read', projection).qualified)).toLocaleString('en-US')} rows of ${projection.name}`);
    return { streams: await count('journal.streams'), text: counts.join(' and ') };
  });
}
