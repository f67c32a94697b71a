// Finds a NATS server with JetStream for a test run, and says which it was: the address in NATS_URL, else nats-server on the path, else
// Docker. Where there is none the tests fail, and say what to install. And reads it as a consumer does.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AckPolicy, DeliverPolicy, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect as connectNats } from '@nats-io/transport-node';
import { freePort } from '../../src/postgres/embedded.ts';
import { onPath } from './program.ts';

export interface NatsServer {
  readonly url: string;
  readonly kind: 'address' | 'program' | 'Docker';
  /** Kills the server, its store stays; absent where it is not ours to stop. */
  readonly halt?: () => Promise<void>;
  /** Starts it again on its store. */
  readonly resume?: () => Promise<void>;
  /** Has it hang, and go on; absent where it is no process of ours. */
  readonly freeze?: () => void;
  readonly thaw?: () => void;
  stop(): Promise<void>;
}

const IMAGE = process.env.NATS_IMAGE ?? 'nats:2.12-alpine';
const READY_MS = 15_000;

export async function startNats(): Promise<NatsServer> {
  const server = await find();
  process.stdout.write(`NATS in this run: ${server.kind} at ${server.url}\n`);
  return server;
}

async function find(): Promise<NatsServer> {
  const address = process.env.NATS_URL;
  if (address) return { url: address, kind: 'address', stop: async () => {} };
  const program = onPath('nats-server');
  if (program) return await startProgram(program);
  const container = await startContainer();
  if (container) return container;
  throw new Error('no NATS server for the tests: apt-get install nats-server, or start Docker, or set NATS_URL to one with JetStream');
}

async function startProgram(path: string): Promise<NatsServer> {
  const [port, folder] = [await freePort(), mkdtempSync(join(tmpdir(), 'shiji-nats-'))];
  let child: ChildProcess | undefined;
  const onExit = (): void => void child?.kill('SIGKILL');
  process.once('exit', onExit);
  const resume = async (): Promise<void> => {
    child = spawn(path, ['--jetstream', '--addr', '127.0.0.1', '--port', `${port}`, '--store_dir', folder], { stdio: 'ignore' });
    await ready(port, child);
  };
  const halt = async (): Promise<void> => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  await resume();
  return {
    url: `nats://127.0.0.1:${port}`,
    kind: 'program',
    halt,
    resume,
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    stop: async () => {
      await halt();
      process.off('exit', onExit);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Undefined where no Docker engine answers or the image can't be had. */
async function startContainer(): Promise<NatsServer | undefined> {
  if (!process.env.DOCKER_HOST && !existsSync('/var/run/docker.sock')) return undefined;
  try {
    const { GenericContainer, Wait } = await import('testcontainers');
    const port = await freePort();
    const container = await new GenericContainer(IMAGE)
      .withExposedPorts({ container: 4222, host: port })
      .withCommand(['--jetstream', '--store_dir', '/data'])
      .withWaitStrategy(Wait.forLogMessage(/Server is ready/))
      .start();
    return {
      url: `nats://127.0.0.1:${port}`,
      kind: 'Docker',
      halt: async () => {
        await container.stop({ remove: false, timeout: 0 });
      },
      resume: async () => {
        await container.restart({ timeout: 0 });
        await ready(port);
      },
      stop: async () => {
        await container.stop();
      },
    };
  } catch (error) {
    process.stdout.write(`no NATS from Docker: ${error instanceof Error ? error.message : String(error)}\n`);
    return undefined;
  }
}

/** When it greets whoever connects. */
async function ready(port: number, child?: ChildProcess): Promise<void> {
  for (const startedMs = performance.now(); performance.now() - startedMs < READY_MS; ) {
    if (child && (child.exitCode !== null || child.signalCode !== null))
      throw new Error(`nats-server ended with ${child.exitCode ?? child.signalCode}`);
    const socket = connect(port, '127.0.0.1');
    const greeted = await Promise.race([once(socket, 'data').then(String), sleep(1_000)]).catch(() => undefined);
    socket.destroy();
    if (greeted?.startsWith('INFO')) return;
    await sleep(50);
  }
  throw new Error(`nats-server did not answer within ${READY_MS} ms`);
}

export interface ReadMessage {
  readonly sequence: number;
  readonly subject: string;
  readonly text: string;
  readonly header: (name: string) => string;
}

/** As a consumer reads: by a durable one, acknowledging each, from where it left off to the stream's end. */
export async function consume(url: string, stream: string, durable: string): Promise<readonly ReadMessage[]> {
  const connection = await connectNats({ servers: url.replace('nats://', '') });
  try {
    const manager = await jetstreamManager(connection);
    await manager.consumers.add(stream, { durable_name: durable, ack_policy: AckPolicy.Explicit, deliver_policy: DeliverPolicy.All });
    const consumer = await jetstream(connection).consumers.get(stream, durable);
    const messages: ReadMessage[] = [];
    while ((await consumer.info()).num_pending > 0)
      for await (const message of await consumer.fetch({ max_messages: 500, expires: 1_000 })) {
        const header = (name: string): string => message.headers?.get(name) ?? '';
        messages.push({ sequence: message.seq, subject: message.subject, text: message.string(), header });
        message.ack();
      }
    await connection.flush();
    return messages;
  } finally {
    await connection.close();
  }
}

/** Does something by the stream's own administration. */
export async function administer<T>(url: string, work: (manager: JetStreamManager) => Promise<T>): Promise<T> {
  const connection = await connectNats({ servers: url.replace('nats://', '') });
  try {
    return await work(await jetstreamManager(connection));
  } finally {
    await connection.close();
  }
}
