// Finds an EventStoreDB for a test run, and says which it was: the address in EVENTSTOREDB_URL, else a program on the path, else Docker,
// else our stand-in, which answers as a real node did (shared with the suites in tests/contract/).
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../src/postgres/embedded.ts';
import { onPath } from './program.ts';

export interface EventStoreDb {
  readonly url: string;
  readonly kind: 'address' | 'program' | 'Docker' | 'stand-in';
  /** Kills the node and starts it again on the same data; absent where it is not ours to restart. */
  readonly restart?: () => Promise<void>;
  stop(): Promise<void>;
}

const STAND_IN = fileURLToPath(new URL('./eventstoredb-stand-in/server.ts', import.meta.url));
const IMAGE = process.env.EVENTSTOREDB_IMAGE ?? 'eventstore/eventstore:23.10.6-bookworm-slim';

export async function startEventStoreDb(): Promise<EventStoreDb> {
  const node = await find();
  process.stdout.write(`EventStoreDB in this run: ${node.kind} at ${node.url}\n`);
  return node;
}

async function find(): Promise<EventStoreDb> {
  const address = process.env.EVENTSTOREDB_URL;
  if (address) return { url: address, kind: 'address', stop: async () => {} };
  const program = ['eventstored', 'EventStore.ClusterNode'].map(onPath).find((path) => path !== undefined);
  if (program) return await startProgram(program);
  return (await startContainer()) ?? (await startStandIn());
}

/** Keeps a process running under one command; `ready` resolves when it serves. */
class Runner {
  readonly #start: () => ChildProcess;
  readonly #ready: (child: ChildProcess) => Promise<void>;
  #child: ChildProcess | undefined;
  readonly #onExit = (): void => void this.#child?.kill('SIGKILL');

  constructor(start: () => ChildProcess, ready: (child: ChildProcess) => Promise<void>) {
    this.#start = start;
    this.#ready = ready;
  }

  async start(): Promise<void> {
    this.#child = this.#start();
    process.once('exit', this.#onExit);
    await this.#ready(this.#child);
  }

  /** As a power cut would, but for what the system has still to write. */
  async kill(): Promise<void> {
    process.off('exit', this.#onExit);
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
}

async function startProgram(path: string): Promise<EventStoreDb> {
  const [port, replicationPort, folder] = [await freePort(), await freePort(), mkdtempSync(join(tmpdir(), 'shiji-eventstoredb-'))];
  const options = [
    '--insecure',
    '--mem-db=false',
    `--db=${join(folder, 'db')}`,
    `--log=${join(folder, 'log')}`,
    '--node-ip=127.0.0.1',
    `--node-port=${port}`,
    '--replication-ip=127.0.0.1',
    `--replication-port=${replicationPort}`,
    '--enable-atom-pub-over-http=false',
    '--run-projections=None',
  ];
  const runner = new Runner(
    () => spawn(path, options, { stdio: 'ignore', env: { ...process.env, EVENTSTORE_TELEMETRY_OPTOUT: 'true' } }),
    async (child) => {
      for (;;) {
        if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${path} ended with ${child.exitCode ?? child.signalCode}`);
        const info = await fetch(`http://127.0.0.1:${port}/info`, { signal: AbortSignal.timeout(1_000) }).then(
          (answer) => answer.json() as Promise<{ state?: string }>,
          () => undefined,
        );
        if (info?.state === 'leader') return;
        await sleep(100);
      }
    },
  );
  await runner.start();
  return {
    url: `esdb://127.0.0.1:${port}?tls=false`,
    kind: 'program',
    restart: async () => {
      await runner.kill();
      await runner.start();
    },
    stop: async () => {
      await runner.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Undefined where no Docker engine answers or the image can't be had. */
async function startContainer(): Promise<EventStoreDb | undefined> {
  if (!process.env.DOCKER_HOST && !existsSync('/var/run/docker.sock')) return undefined;
  try {
    const { GenericContainer, Wait } = await import('testcontainers');
    const port = await freePort();
    const container = await new GenericContainer(IMAGE)
      .withExposedPorts({ container: 2113, host: port })
      .withCommand(['--insecure', '--mem-db=false', '--enable-atom-pub-over-http=false', '--run-projections=None'])
      .withEnvironment({ EVENTSTORE_TELEMETRY_OPTOUT: 'true' })
      .withWaitStrategy(Wait.forHttp('/health/live', 2113).forStatusCode(204))
      .start();
    return {
      url: `esdb://127.0.0.1:${port}?tls=false`,
      kind: 'Docker',
      restart: async () => {
        await container.restart({ timeout: 0 });
      },
      stop: async () => {
        await container.stop();
      },
    };
  } catch (error) {
    process.stdout.write(`no EventStoreDB from Docker: ${error instanceof Error ? error.message : String(error)}\n`);
    return undefined;
  }
}

export async function startStandIn(): Promise<EventStoreDb> {
  const [port, folder] = [await freePort(), mkdtempSync(join(tmpdir(), 'shiji-stand-in-'))];
  const runner = new Runner(
    // It ends with its standard input, so that it never outlives the test run.
    () => spawn(process.execPath, [STAND_IN, `${port}`, folder], { stdio: ['pipe', 'pipe', 'inherit'] }),
    async (child) => {
      const exited = once(child, 'exit').then(([code]) => {
        throw new Error(`the stand-in ended with ${String(code)}`);
      });
      if (child.stdout) await Promise.race([once(child.stdout, 'data'), exited]);
      exited.catch(() => {});
    },
  );
  await runner.start();
  return {
    url: `esdb://127.0.0.1:${port}?tls=false`,
    kind: 'stand-in',
    restart: async () => {
      await runner.kill();
      await runner.start();
    },
    stop: async () => {
      await runner.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
