// npm run bench [-- ROW …] [--quick] [--json FILE]: the published figures, each beside its baseline in the same run. Everything is
// started in temporary folders on this machine's loopback, and taken away again. A miss is reported, not an error; exit code 1 is for a
// row that could not run.
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { commands } from './rows/commands.ts';
import { importRow } from './rows/import.ts';
import { ready } from './rows/ready.ts';
import { rebuild } from './rows/rebuild.ts';
import { rssImport } from './rows/rss-import.ts';
import { rssRest } from './rows/rss-rest.ts';
import { search } from './rows/search.ts';
import { view360 } from './rows/view-360.ts';
import { view360AsOf } from './rows/view-360-as-of.ts';
import { visible } from './rows/visible.ts';
import { describeLoad, describeMachine, describeVersions, warnings } from './support/machine.ts';
import type { Measurement } from './support/measurement.ts';
import type { Row } from './support/row.ts';
import { Scope } from './support/scope.ts';
import { tableOf } from './support/table.ts';

const MINUTE_MS = 60_000;

const rows: readonly Row[] = [
  { name: 'commands', about: 'POST /v1/tickets against a bare INSERT route', withinMs: 10 * MINUTE_MS, run: commands },
  { name: 'rebuild', about: 'all read models from the journal against COPY of their rows', withinMs: 15 * MINUTE_MS, run: rebuild },
  { name: 'import', about: 'a bank brought over its feed against COPY of its rows', withinMs: 60 * MINUTE_MS, run: importRow },
  { name: 'rss-import', about: 'most memory of the server during that import', withinMs: 40 * MINUTE_MS, run: rssImport },
  { name: 'view-360', about: 'the whole view of a customer against a bare SELECT route', withinMs: 20 * MINUTE_MS, run: view360 },
  { name: 'view-360-as-of', about: 'the view as of a past day against the view now', withinMs: 30 * MINUTE_MS, run: view360AsOf },
  { name: 'search', about: 'finding one of 100,000 customers against 10,000', withinMs: 40 * MINUTE_MS, run: search },
  { name: 'visible', about: 'a GET with Shiji-After against the same GET without', withinMs: 5 * MINUTE_MS, run: visible },
  { name: 'rss-rest', about: 'memory of the server at rest after a second start', withinMs: 3 * MINUTE_MS, run: rssRest },
  { name: 'ready', about: 'a second start until ready', withinMs: 5 * MINUTE_MS, run: ready },
];

interface Arguments {
  readonly chosen: readonly Row[];
  readonly quick: boolean;
  readonly json: string | undefined;
}

let scope: Scope | undefined;
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
  const measured: { readonly name: string; readonly measurement: Measurement }[] = [];
  let failures = 0;
  for (const row of given.chosen) {
    const measurement = await measure(row, given.quick);
    if (measurement) measured.push({ name: row.name, measurement });
    else failures += 1;
  }
  say(`\n${tableOf(measured)}`);
  if (given.json !== undefined) writeFileSync(given.json, `${JSON.stringify(measured.map(asJson), undefined, 2)}\n`);
  return failures > 0 ? 1 : 0;
}

/** Undefined where the row could not run, and stderr says why. */
async function measure(row: Row, quick: boolean): Promise<Measurement | undefined> {
  const own = new Scope();
  scope = own;
  const progress = (text: string): boolean => process.stderr.write(`${row.name}: ${text}\n`);
  try {
    const late = sleep(row.withinMs, undefined, { ref: false }).then(() => {
      throw new Error(`not done within ${row.withinMs / MINUTE_MS} minutes`);
    });
    return await Promise.race([row.run({ quick, scope: own, say: progress }), late]);
  } catch (error) {
    if (!stopping) process.stderr.write(`${row.name} could not run: ${explained(error)}\n`);
    return undefined;
  } finally {
    await own.end();
  }
}

/** Ctrl-C: everything that was started ends, every folder goes. */
async function stop(signal: NodeJS.Signals): Promise<void> {
  if (stopping) return;
  stopping = true;
  process.stderr.write(`${signal}: stopping what was started and removing its folders\n`);
  await scope?.end();
  process.exit(signal === 'SIGINT' ? 130 : 143);
}

function parsed(args: readonly string[]): Arguments | string {
  const usage = `npm run bench [-- ROW …] [--quick] [--json FILE], with the rows\n${rows.map(({ name, about }) => `  ${name.padEnd(16)}${about}`).join('\n')}`;
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

function asJson({ name, measurement }: { readonly name: string; readonly measurement: Measurement }): object {
  const { value, unit, baseline = null, ratio = null, target, pass } = measurement;
  return { name, value, unit, baseline, ratio, target, pass };
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function explained(error: unknown): string {
  const messages: string[] = [];
  for (let inner = error; inner instanceof Error; inner = inner.cause) messages.push(inner.message);
  return messages.join(': ') || String(error);
}
