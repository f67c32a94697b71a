// The server under the long run: started on one port as npm start runs it, ended by SIGTERM or kill -9 on the way and started again. Says
// when it is there, and which failures of a request its being away explains.
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../src/postgres/embedded.ts';
import { type ServerProcess, spawnServer } from '../../tests/support/server.ts';
import { jwtSecret, masterKey } from '../support/product.ts';
import type { Scope } from '../support/scope.ts';

const START_MS = 60_000;
const STOP_MS = 60_000;
/** A killed process' leases are free after 6 s, so that read models may stand still for up to 10 s: until then a 503 says no lie. */
const LEASES_MS = 12_000;

/** From the signal until it was ready again. */
export interface Outage {
  readonly signal: 'SIGTERM' | 'SIGKILL';
  readonly fromMs: number;
  untilMs: number;
  /** Of SIGTERM: from the signal to the exit. */
  endedMs: number;
  exit: number | NodeJS.Signals;
}

export class SoakServer {
  readonly dataDir: string;
  readonly url: string;
  readonly outages: Outage[] = [];
  readonly #port: number;
  #process: ServerProcess | undefined;
  #up = Promise.withResolvers<void>();

  private constructor(dataDir: string, port: number) {
    this.dataDir = dataDir;
    this.#port = port;
    this.url = `http://127.0.0.1:${port}`;
  }

  static async start(scope: Scope): Promise<SoakServer> {
    const server = new SoakServer(scope.folder(), await freePort());
    scope.onEnd(() => server.#end());
    await server.#start();
    return server;
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  /** What it logged at level `error` and above since its last start. */
  get errors(): readonly string[] {
    const lines = this.#process?.stderr().split('\n') ?? [];
    return lines.filter((line) => /"level":(50|60|"error"|"fatal")/.test(line));
  }

  /** Resolves at once but while it is away. */
  whenUp(): Promise<void> {
    return this.#up.promise;
  }

  isAway(): boolean {
    const last = this.outages.at(-1);
    return last !== undefined && last.untilMs === Number.POSITIVE_INFINITY;
  }

  /** Ends it and starts it again on the same folder and port. */
  async restart(signal: Outage['signal']): Promise<Outage> {
    const ending = this.#process;
    if (!ending) throw new Error('the server does not run');
    const outage: Outage = { signal, fromMs: performance.now(), untilMs: Number.POSITIVE_INFINITY, endedMs: 0, exit: 0 };
    this.#up = Promise.withResolvers();
    this.outages.push(outage);
    ending.kill(signal);
    const late = setTimeout(() => ending.kill('SIGKILL'), STOP_MS);
    outage.exit = await ending.ended;
    clearTimeout(late);
    outage.endedMs = performance.now();
    await this.#start();
    outage.untilMs = performance.now();
    return outage;
  }

  /** Whether a request that began then and failed now met a restart: any failure while it was away, a 503 until its leases are free. */
  explains(beganMs: number, status: number | undefined): boolean {
    return this.outages.some(({ fromMs, untilMs }) => {
      const overMs = status === 503 ? untilMs + LEASES_MS : untilMs;
      return beganMs < overMs && performance.now() >= fromMs;
    });
  }

  async #start(): Promise<void> {
    const server = spawnServer({
      dataDir: this.dataDir,
      // One subject sends everything here.
      env: { PORT: String(this.#port), JWT_SECRET: jwtSecret, SHIJI_MASTER_KEY: masterKey, RATE_LIMIT_PER_MINUTE: '0' },
    });
    this.#process = server;
    const late = setTimeout(() => server.kill('SIGKILL'), START_MS);
    await server.ready;
    while (!(await this.#isReady())) await sleep(20);
    clearTimeout(late);
    this.#up.resolve();
  }

  async #isReady(): Promise<boolean> {
    const answer = await fetch(`${this.url}/health/ready`);
    await answer.arrayBuffer();
    return answer.status === 200;
  }

  async #end(): Promise<void> {
    const server = this.#process;
    if (!server) return;
    server.kill('SIGTERM');
    const late = setTimeout(() => server.kill('SIGKILL'), 30_000);
    await server.ended;
    clearTimeout(late);
  }
}
