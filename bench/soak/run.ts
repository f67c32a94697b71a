// npm run soak [-- --minutes 30 --customers 5000 --seed N --rate N]: a bank's day at half of what this machine bears, the server restarted on
// the way by SIGTERM and by kill -9. What must stay flat is sampled and judged at the end: a verdict a line, exit code 1 where one fails.
// All of it in a temporary folder on this machine's loopback, taken away again.
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Draw } from '../support/draw.ts';
import { describeLoad, describeMachine, describeVersions, warnings } from '../support/machine.ts';
import { shown } from '../support/measurement.ts';
import { Scope } from '../support/scope.ts';
import { bringSoakBank } from './bank.ts';
import { SoakClient } from './client.ts';
import { CommandsOfTheDay } from './commands.ts';
import { BankDay } from './day.ts';
import { FeedOfTheDay } from './feed.ts';
import { Load } from './load.ts';
import { ReadsOfTheDay } from './reads.ts';
import { latencyTable, sampleLine, tableTable, verdictTable } from './report.ts';
import { type Sample, takeSample } from './samples.ts';
import { type Outage, SoakServer } from './server.ts';
import { judgeCount, judgeProcesses, judgeTables, type Verdict } from './verdicts.ts';
import { judgeWhole } from './whole.ts';

interface Arguments {
  readonly minutes: number;
  readonly customers: number;
  readonly seed: number;
  /** A second; measured where absent. */
  readonly rate: number | undefined;
}

const restarts = ['SIGTERM', 'SIGKILL'] as const;
const stretches = ['from the start', 'after SIGTERM', 'after kill -9'];
const WORKERS = 16;
/** Of what the machine bears. */
const HEADROOM = 0.5;

const scope = new Scope();
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop(signal));
process.exitCode = await main();

async function main(): Promise<number> {
  const given = parsed(process.argv.slice(2));
  if (typeof given === 'string') {
    process.stderr.write(`${given}\n`);
    return 1;
  }
  try {
    const verdicts = await soak(given);
    const failed = verdicts.filter(({ outcome }) => outcome === 'FAIL').length;
    say(`\n${verdictTable(verdicts)}\n`);
    const notRun = verdicts.filter(({ outcome }) => outcome === 'not run').length;
    say(`${failed === 0 ? 'passed' : `${failed} failed`}, ${notRun} not run; ${given.minutes} minutes, seed ${given.seed}`);
    return failed === 0 ? 0 : 1;
  } catch (error) {
    if (!stopping.signal.aborted) process.stderr.write(`the long run broke off: ${explained(error)}\n`);
    return 1;
  } finally {
    stopping.abort();
    await scope.end();
  }
}

async function soak({ minutes, customers, seed, rate }: Arguments): Promise<readonly Verdict[]> {
  say(`machine   ${describeMachine()}`);
  say(`versions  ${describeVersions()}`);
  say(`load      ${describeLoad()} before the start`);
  for (const warning of warnings()) say(`warning   ${warning}`);
  say(`seed      ${seed}`);
  const server = await SoakServer.start(scope);
  const client = new SoakClient(server.url);
  scope.onEnd(() => client.close());
  const bench = { quick: false, scope, say: tell };
  const bank = await bringSoakBank(bench, { url: server.url, pid: server.pid, readyMs: 0, stop: async () => {} }, customers, seed);
  const commands = await CommandsOfTheDay.begin(bank, new Draw(seed + 1), client);
  const feed = new FeedOfTheDay(bank.spec, new Draw(seed + 2), bank.balances);
  const day = new BankDay(new Draw(seed + 3), new ReadsOfTheDay(bank, new Draw(seed + 4), commands), commands, feed);
  const load = new Load(server, client, day);

  const perSecond = rate ?? (await measuredRate(load, minutes));
  for (const line of new Set(load.unexpected)) say(`while measuring, at all that goes: ${line}`);
  load.unexpected.length = 0;
  load.latencies.clear();
  const startedMs = performance.now();
  const doneBefore = load.done;
  const untilMs = startedMs + minutes * 60_000;
  const running = load.run(perSecond, untilMs, stopping.signal);
  running.catch(() => {});
  const samples: Sample[] = [];
  const watching = watch(server, client, load, samples, startedMs, untilMs);
  await Promise.all([running, watching, restarting(server, startedMs, minutes)]);
  if (stopping.signal.aborted) throw new Error('stopped');

  const awayMs = server.outages.reduce((sum, { fromMs, untilMs: to }) => sum + to - fromMs, 0);
  const achieved = ((load.done - doneBefore) * 1_000) / (performance.now() - startedMs - awayMs);
  say(`\n${latencyTable(load.latencies)}\n\n${tableTable(samples)}\n`);
  for (const outage of server.outages) say(describeOutage(outage));
  for (const line of new Set(load.unexpected.slice(0, 20))) say(`unexpected: ${line}`);
  for (const line of server.errors.slice(0, 5)) say(`logged: ${line.slice(0, 500)}`);
  const connections = Object.entries(samples.at(-1)?.connections ?? {}).map(([name, count]) => `${name} ${count}`);
  say(`connections at the end: ${connections.join(', ')}`);
  say(`${(load.done - doneBefore).toLocaleString('en-US')} answers, ${load.disturbed} asked again over restarts, ${feed.lines} lines of the feed`);
  return [
    judgeCount('unexpected answers', load.unexpected.length),
    pace(achieved, perSecond, load.dropped),
    ...server.outages.filter(({ signal }) => signal === 'SIGTERM').map(({ exit }) => judgeCount('exit code after SIGTERM', Number(exit))),
    ...judgeProcesses(samples, stretches.slice(0, server.outages.length + 1)),
    ...judgeTables(samples),
    ...(await judgeWhole(scope, server.dataDir, commands.acknowledged)),
  ];
}

async function measuredRate(load: Load, minutes: number): Promise<number> {
  const seconds = minutes < 5 ? 6 : 15;
  tell('warming up');
  await load.measure(WORKERS, seconds / 2);
  const most = await load.measure(WORKERS, seconds);
  const perSecond = Math.max(1, Math.floor(most * HEADROOM));
  say(`rate      ${perSecond}/s, half of the ${shown(most)}/s that ${WORKERS} clients got without pause`);
  return perSecond;
}

async function watch(server: SoakServer, client: SoakClient, load: Load, samples: Sample[], startedMs: number, untilMs: number): Promise<void> {
  const everyMs = Math.min(10_000, Math.max(1_000, (untilMs - startedMs) / 60));
  let [before, beforeMs] = [load.done, performance.now()];
  while (performance.now() + everyMs < untilMs && !stopping.signal.aborted) {
    await sleep(everyMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    if (server.isAway() || stopping.signal.aborted) continue;
    const beganMs = performance.now();
    try {
      const sample = await takeSample(server, client);
      samples.push(sample);
      const nowMs = performance.now();
      tell(sampleLine(sample, (nowMs - startedMs) / 1_000, ((load.done - before) * 1_000) / (nowMs - beforeMs), load.inFlight));
      [before, beforeMs] = [load.done, nowMs];
    } catch (error) {
      if (!server.explains(beganMs, undefined)) load.unexpected.push(`a sample: ${explained(error)}`);
    }
  }
}

/** At even parts of the time. */
async function restarting(server: SoakServer, startedMs: number, minutes: number): Promise<void> {
  for (const [index, signal] of restarts.entries()) {
    const atMs = startedMs + (minutes * 60_000 * (index + 1)) / (restarts.length + 1);
    await sleep(Math.max(0, atMs - performance.now()), undefined, { signal: stopping.signal }).catch(() => undefined);
    if (stopping.signal.aborted) return;
    tell(describeOutage(await server.restart(signal)));
  }
}

function describeOutage({ signal, fromMs, endedMs, untilMs, exit }: Outage): string {
  const ended = signal === 'SIGTERM' ? `ended after ${shown((endedMs - fromMs) / 1_000)} s with ${exit}, ` : '';
  return `${signal}: ${ended}ready again ${shown((untilMs - fromMs) / 1_000)} s after the signal`;
}

function pace(achieved: number, asked: number, dropped: number): Verdict {
  const isKept = achieved >= asked * 0.95 && dropped === 0;
  return { what: 'pace', figure: `${shown(achieved)}/s, ${dropped} not sent`, bound: `≥ 95 % of ${asked}/s`, outcome: isKept ? 'pass' : 'FAIL' };
}

/** Ctrl-C: everything that was started ends, every folder goes. */
async function stop(signal: NodeJS.Signals): Promise<void> {
  if (stopping.signal.aborted) return;
  process.stderr.write(`${signal}: stopping what was started and removing its folder\n`);
  stopping.abort();
  await scope.end();
  process.exit(signal === 'SIGINT' ? 130 : 143);
}

function parsed(args: readonly string[]): Arguments | string {
  const usage = 'npm run soak [-- --minutes 30] [--customers 5000] [--seed N] [--rate REQUESTS_A_SECOND]';
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        minutes: { type: 'string', default: '30' },
        customers: { type: 'string', default: '5000' },
        seed: { type: 'string', default: String(randomInt(1, 2 ** 31)) },
        rate: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    const minutes = Number(values.minutes);
    const [customers, seed] = [Number(values.customers), Number(values.seed)];
    const rate = values.rate === undefined ? undefined : Number(values.rate);
    const isGood = minutes >= 1 && [customers, seed, rate ?? 1].every((number) => Number.isSafeInteger(number) && number > 0);
    return values.help || !isGood ? usage : { minutes, customers, seed, rate };
  } catch (error) {
    return `${explained(error)}\n${usage}`;
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

function explained(error: unknown): string {
  const messages: string[] = [];
  for (let inner = error; inner instanceof Error; inner = inner.cause) messages.push(inner.message);
  return messages.join(': ') || String(error);
}
