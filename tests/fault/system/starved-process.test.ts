// Our process without descriptors, without memory, and with an event loop that stands still for five seconds: nobody is told a lie, it
// lives again or is started again, and nothing is left half done.
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../support/client.ts';
import { Cluster, isFull, type Member } from '../../support/cluster.ts';
import { canRun, withoutProgram } from '../../support/not-run.ts';
import { SteadyLoad } from '../../support/steady-load.ts';
import { expectWhole } from '../../support/whole.ts';

const preload = fileURLToPath(new URL('../../support/afflictions.ts', import.meta.url));
const UNDER_LOAD_MS = isFull ? 30_000 : 1_500;
const SPARE_DESCRIPTORS = 12;
const SOCKETS = 100;

describe('F27', () => {
  let cluster: Cluster;
  let member: Member;

  beforeAll(async () => {
    cluster = await Cluster.open();
    member = await start();
  }, 60_000);
  afterAll(async () => {
    await cluster?.close();
  }, 60_000);

  const start = (): Promise<Member> => cluster.start('all', { NODE_OPTIONS: `--import=${preload}` });
  const load = (): SteadyLoad =>
    new SteadyLoad({ agents: () => [member.as('agent', 'alice')], operators: () => [member.as('operations', 'olga')], pauseMs: 10, clients: 4 });
  const isAlive = (): Promise<boolean> =>
    fetch(new URL('/health/live', member.url)).then(
      ({ status }) => status === 200,
      () => false,
    );

  it('event loop: stands still for five seconds and goes on; requests wait or are told to come again', async () => {
    const commands = load();
    await until(async () => commands.acknowledged.length > 10);
    member.server.kill('SIGUSR2');
    await sleep(100);
    const startedMs = performance.now();
    await until(isAlive);
    process.stdout.write(`F27 event loop: alive again after ${Math.round(performance.now() - startedMs)} ms\n`);
    expect(performance.now() - startedMs).toBeGreaterThan(3_000);
    const sinceThen = commands.acknowledged.length;
    await until(async () => commands.acknowledged.length > sinceThen + 20);
    await commands.stop();
    expect(commands.failures.filter((failure) => !failure.includes(': 503 '))).toStrictEqual([]);
    await expectWhole(cluster, commands.acknowledged);
  }, 90_000);

  it('descriptors: without any to spare it refuses and lives, and has them back when callers go', async () => {
    if (!canRun('F27 descriptors', withoutProgram('prlimit'))) return;
    const descriptors = (): number => readdirSync(`/proc/${member.server.pid}/fd`).length;
    const prlimit = (...args: string[]): string => execFileSync('prlimit', ['--pid', `${member.server.pid}`, ...args]).toString();
    const [soft, hard] = prlimit('--nofile', '--noheadings', '--output=SOFT,HARD').trim().split(/\s+/);
    const commands = load();
    await until(async () => commands.acknowledged.length > 10);
    const most = descriptors() + SPARE_DESCRIPTORS;
    prlimit(`--nofile=${most}:${hard}`);
    const { port } = new URL(member.url);
    const sockets: Socket[] = Array.from({ length: SOCKETS }, () =>
      connect(Number(port), '127.0.0.1')
        .on('error', () => {})
        .resume(),
    );
    await sleep(UNDER_LOAD_MS);
    expect(descriptors()).toBeLessThan(most + 10);
    expect(sockets.filter(({ closed }) => closed).length).toBeGreaterThan(SOCKETS / 2);
    for (const socket of sockets) socket.destroy();
    await until(isAlive);
    const sinceThen = commands.acknowledged.length;
    await until(async () => commands.acknowledged.length > sinceThen + 20);
    prlimit(`--nofile=${soft}:${hard}`);
    await commands.stop();
    expect(commands.failures.filter((failure) => !/: 503 |fetch failed/.test(failure))).toStrictEqual([]);
    expect(cluster.messagesOf(member)).not.toContain('a bug ends the process');
    await expectWhole(cluster, commands.acknowledged);
  }, 90_000);

  it('memory: used up it ends the process at once, and the next one goes on from what was acknowledged', async () => {
    const commands = load();
    await until(async () => commands.acknowledged.length > 10);
    await sleep(UNDER_LOAD_MS);
    member.server.kill('SIGWINCH');
    expect(await member.server.ended).toBe('SIGABRT');
    member = await start();
    const sinceThen = commands.acknowledged.length;
    await until(async () => commands.acknowledged.length > sinceThen + 20, 30_000);
    await commands.stop();
    await expectWhole(cluster, commands.acknowledged);
  }, 90_000);
});
