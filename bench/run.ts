// npm run bench [-- ROW …] [--quick] [--json FILE]: the published figures, each beside its baseline in the same run. Everything is
// started in temporary folders on this machine's loopback, and taken away again. A miss is reported, not an error; exit code 1 is for a
// row that could not run.
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { commands } from './rows/commands.ts';
import { commands2 } from './rows/commands-2.ts';
import { commandsEmmett } from './rows/commands-emmett.ts';
import { commandsEventStoreDb } from './rows/commands-eventstoredb.ts';
import { failover } from './rows/failover.ts';
import { growth } from './rows/growth.ts';
import { importRow } from './rows/import.ts';
import { matching } from './rows/matching.ts';
import { ready } from './rows/ready.ts';
import { rebuild } from './rows/rebuild.ts';
import { rssImport } from './rows/rss-import.ts';
import { rssRest } from './rows/rss-rest.ts';
import { search } from './rows/search.ts';
import { view360 } from './rows/view-360.ts';
import { view360AsOf } from './rows/view-360-as-of.ts';
import { visible } from './rows/visible.ts';
import { describeLoad, describeMachine, describeVersions, warnings } from './support/machine.ts';
import type { Outcome, Row } from './support/row.ts';
import { Scope } from './support/scope.ts';
import { Shared } from './support/shared.ts';
import { linesOf, type Measured, tableOf } from './support/table.ts';

const MINUTE_MS = 60_000;

const rows: readonly Row[] = [
  { name: 'commands', about: 'POST /v1/tickets against a bare INSERT route', withinMs: 10 * MINUTE_MS, group: 'commands', run: commands },
  {
    name: 'commands-emmett',
    about: "the same against Emmett's CommandHandler on Postgres",
    withinMs: 10 * MINUTE_MS,
    group: 'commands',
    run: commandsEmmett,
  },
  { name: 'commands-2', about: 'two API processes on one database against one', withinMs: 10 * MINUTE_MS, group: 'commands', run: commands2 },
  { name: 'failover', about: 'the projector killed until another commits', withinMs: 10 * MINUTE_MS, group: 'commands', run: failover },
  {
    name: 'commands-eventstoredb',
    about: "the same on EVENTSTOREDB_URL against its client's own appends",
    withinMs: 15 * MINUTE_MS,
    run: commandsEventStoreDb,
  },
  { name: 'rebuild', about: 'all read models from the journal against COPY of their rows', withinMs: 15 * MINUTE_MS, run: rebuild },
  { name: 'import', about: 'a bank brought over its feed against COPY of its rows', withinMs: 60 * MINUTE_MS, run: importRow },
  { name: 'rss-import', about: 'most memory of the server during that import', withinMs: 40 * MINUTE_MS, run: rssImport },
  { name: 'view-360', about: 'the whole view of a customer against a bare SELECT route', withinMs: 20 * MINUTE_MS, group: 'views', run: view360 },
  { name: 'view-360-as-of', about: 'the view as of a past day against the view now', withinMs: 30 * MINUTE_MS, group: 'views', run: view360AsOf },
  { name: 'search', about: 'finding one of 100,000 customers against 10,000', withinMs: 40 * MINUTE_MS, run: search },
  { name: 'growth', about: 'commands and views on 100 k and 1 M events against 10 k', withinMs: 30 * MINUTE_MS, run: growth },
  { name: 'matching', about: 'precision, recall and F1 of matching on a labelled set', withinMs: 10 * MINUTE_MS, run: matching },
  { name: 'visible', about: 'a GET with Shiji-After against the same GET without', withinMs: 5 * MINUTE_MS, run: visible },
  { name: 'rss-rest', about: 'memory of the server at rest after a second start', withinMs: 3 * MINUTE_MS, group: 'second start', run: rssRest },
  { name: 'ready', about: 'a second start until ready', withinMs: 5 * MINUTE_MS, group: 'second start', run: ready },
];

interface Arguments {
  readonly chosen: readonly Row[];
  readonly quick: boolean;
  readonly json: string | undefined;
}

let scope: Scope | undefined;
let shared = new Shared();
let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop(signal));
process.exitCode = await main();

async function main(): Promise<number> {
  const given = parsed(process.argv.slice(2));
  if (typeof given === 'string') {
    process.stderr.write(`${given}\n`);
    return 1;
  }
  say(`machine   ${describeMachine()}`);
  say(`versions  ${describeVersions()}`);
  say(`load      ${describeLoad()} before the start`);
  for (const warning of warnings()) say(`warning   ${warning}`);
  const measured: Measured[] = [];
  let failures = 0;
  for (const [index, row] of given.chosen.entries()) {
    const outcome = await measure(row, given.quick);
    if (outcome) measured.push({ name: row.name, outcome });
    else failures += 1;
    if (stopping) return 1;
    const next = given.chosen[index + 1];
    // After a failure nobody knows in what state it is.
    if (!outcome || row.group === undefined || next?.group !== row.group) await endShared();
  }
  say(`\n${tableOf(measured, given.quick)}`);
  if (given.json !== undefined) writeFileSync(given.json, `${JSON.stringify(measured.flatMap(asJson), undefined, 2)}\n`);
  return failures > 0 ? 1 : 0;
}

/** Undefined where the row could not run, and stderr says why. */
async function measure(row: Row, quick: boolean): Promise<Outcome | undefined> {
  const own = new Scope();
  scope = own;
  const startedMs = performance.now();
  const progress = (text: string): boolean => process.stderr.write(`${row.name}: ${text}\n`);
  try {
    const late = sleep(row.withinMs, undefined, { ref: false }).then(() => {
      throw new Error(`not done within ${row.withinMs / MINUTE_MS} minutes`);
    });
    const outcome = await Promise.race([row.run({ quick, scope: own, shared, say: progress }), late]);
    if ('notRun' in outcome) progress(`not run: ${outcome.notRun}`);
    return outcome;
  } catch (error) {
    if (!stopping) process.stderr.write(`${row.name} could not run: ${explained(error)}\n`);
    return undefined;
  } finally {
    await own.end();
    progress(`${Math.round((performance.now() - startedMs) / 1_000)} s in all`);
  }
}

async function endShared(): Promise<void> {
  const ending = shared;
  shared = new Shared();
  await ending.scope.end();
}

/** Ctrl-C: everything that was started ends, every folder goes. */
async function stop(signal: NodeJS.Signals): Promise<void> {
  if (stopping) return;
  stopping = true;
  process.stderr.write(`${signal}: stopping what was started and removing its folders\n`);
  // The row that fails by it may put another in its place meanwhile.
  const group = shared;
  await scope?.end();
  await group.scope.end();
  process.exit(signal === 'SIGINT' ? 130 : 143);
}

function parsed(args: readonly string[]): Arguments | string {
  const usage = `npm run bench [-- ROW …] [--quick] [--json FILE], with the rows\n${rows.map(({ name, about }) => `  ${name.padEnd(23)}${about}`).join('\n')}`;
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { quick: { type: 'boolean', default: false }, json: { type: 'string' }, help: { type: 'boolean', default: false } },
    });
    if (values.help) return usage;
    const unknown = positionals.find((name) => !rows.some((row) => row.name === name));
    if (unknown !== undefined) return `${unknown} is no row: ${usage}`;
    const chosen = positionals.length === 0 ? rows : rows.filter(({ name }) => positionals.includes(name));
    return { chosen, quick: values.quick, json: values.json };
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n${usage}`;
  }
}

function asJson({ name, outcome }: Measured): object[] {
  if ('notRun' in outcome) return [{ name, notRun: outcome.notRun }];
  return linesOf(outcome).map(({ about = null, value, unit, baseline = null, ratio = null, target, pass = null, latency, baselineLatency }) => ({
    name,
    about,
    value,
    unit,
    baseline,
    ratio,
    target,
    pass,
    latency: latency ?? null,
    baselineLatency: baselineLatency ?? null,
  }));
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function explained(error: unknown): string {
  const messages: string[] = [];
  for (let inner = error; inner instanceof Error; inner = inner.cause) messages.push(inner.message);
  return messages.join(': ') || String(error);
}
