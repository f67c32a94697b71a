// A light, steady load of commands on customers and tickets, its steps going round the processes it is given: what one wrote is changed
// at the next, by the ETag of the one before. An answer that is no success, or none at all, is remembered and asked for again under
// its key, as a client does.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, Caller } from './client.ts';

export interface LoadOptions {
  /** Of two subjects: an agent for tickets, operations for customers. */
  readonly agents: () => readonly Caller[];
  readonly operators: () => readonly Caller[];
  /** Loops side by side. */
  readonly clients?: number;
  /** Between two steps of a loop. */
  readonly pauseMs?: number;
  /** How long a step may find no success. */
  readonly giveUpMs?: number;
  /** Whether each step is read back with Shiji-After at the next process. */
  readonly readsBack?: boolean;
}

interface Written {
  readonly stream: string;
  readonly revision: number;
}

interface Step {
  readonly callers: () => readonly Caller[];
  readonly path: string;
  readonly body: unknown;
  readonly etag?: string | undefined;
  readonly stream?: string;
}

const GIVE_UP_MS = 30_000;

export class SteadyLoad {
  /** Every command that was answered with success. */
  readonly acknowledged: Written[] = [];
  /** What was answered otherwise, or not at all. */
  readonly failures: string[] = [];
  /** Reads that came too early by their own position: 503 is no lie, anything older would be. */
  readonly stale: string[] = [];
  reads = 0;
  slowestMs = 0;
  readonly #options: LoadOptions;
  readonly #stopping = new AbortController();
  readonly #running: Promise<unknown>;
  #turn = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#running = Promise.all(Array.from({ length: options.clients ?? 4 }, (_, client) => this.#loop(client)));
    // Told by stop.
    this.#running.catch(() => {});
  }

  /** Ends after the steps in hand. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #loop(client: number): Promise<void> {
    const { agents, operators } = this.#options;
    for (let round = 0; !this.#stopping.signal.aborted; round += 1) {
      if ((round + client) % 2 === 0) {
        const registered = await this.#step({
          callers: operators,
          path: '/v1/customers',
          body: { kind: 'person', name: `客户 ${client}-${round}`, contacts: [{ kind: 'phone', value: '13800138000' }], branch: '3100' },
        });
        await this.#follow(registered, 'customer', [
          ['tags', { tag: 'VIP' }],
          ['tags', { tag: `round ${round}` }],
          ['assign', { manager: 'an' }],
        ]);
      } else {
        const opened = await this.#step({
          callers: agents,
          path: '/v1/tickets',
          body: { type: 'inquiry', priority: 'normal', channel: 'wechat', summary: `Where is my card ${client}-${round}` },
        });
        await this.#follow(opened, 'ticket', [
          ['assign', { to: 'alice' }],
          ['start', {}],
          ['resolve', { resolution: 'Sent' }],
        ]);
      }
    }
  }

  /** The same thing at the next processes, each time by the ETag that the one before gave. */
  async #follow(created: Answer<{ id: string }>, kind: 'customer' | 'ticket', steps: readonly (readonly [string, unknown])[]): Promise<void> {
    const { id } = created.body;
    let etag = created.headers.get('etag') ?? undefined;
    for (const [step, body] of steps) {
      if (this.#stopping.signal.aborted) return;
      const callers = kind === 'ticket' ? this.#options.agents : this.#options.operators;
      const answer = await this.#step({ callers, path: `/v1/${kind}s/${id}/${step}`, body, etag, stream: `${kind}-${id}` });
      etag = answer.headers.get('etag') ?? undefined;
    }
  }

  async #step({ callers, path, body, etag, stream }: Step): Promise<Answer<{ id: string }>> {
    const key = randomUUID();
    const headers = { 'idempotency-key': key, ...(etag === undefined ? {} : { 'if-match': etag }) };
    const answer = await this.#until(`POST ${path}`, () => this.#next(callers()).post<{ id: string; revision: number }>(path, body, headers));
    const written = stream ?? `${path === '/v1/tickets' ? 'ticket' : 'customer'}-${answer.body.id}`;
    const { revision } = answer.body as unknown as { revision: number };
    this.acknowledged.push({ stream: written, revision });
    if (this.#options.readsBack) await this.#readBack(callers, written, revision, answer.headers.get('shiji-position') ?? '');
    await sleep(this.#options.pauseMs ?? 40, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
    return answer;
  }

  async #readBack(callers: () => readonly Caller[], stream: string, revision: number, position: string): Promise<void> {
    const [kind = '', ...id] = stream.split('-');
    const path = `/v1/${kind}s/${id.join('-')}`;
    const answer = await this.#until(`GET ${path}`, () => this.#next(callers()).get<{ revision: number }>(path, { 'shiji-after': position }));
    this.reads += 1;
    const etag = Number(/\d+/.exec(answer.headers.get('etag') ?? '')?.[0] ?? -1);
    if (etag < revision) this.stale.push(`GET ${path} is at ${answer.headers.get('etag')} after revision ${revision}`);
  }

  /** The first success; what came before it is remembered. */
  async #until<Body>(what: string, ask: () => Promise<Answer<Body>>): Promise<Answer<Body>> {
    const startedMs = performance.now();
    const { giveUpMs = GIVE_UP_MS } = this.#options;
    for (;;) {
      const askedMs = performance.now();
      try {
        const answer = await ask();
        if (answer.status < 300) {
          this.slowestMs = Math.max(this.slowestMs, performance.now() - askedMs);
          return answer;
        }
        this.failures.push(`${what}: ${answer.status} ${JSON.stringify(answer.body)}`);
      } catch (error) {
        const { cause, message } = error as Error;
        this.failures.push(`${what}: ${message} ${(cause as { code?: string } | undefined)?.code ?? ''}`);
      }
      if (performance.now() - startedMs > giveUpMs) throw new Error(`${what} found no success within ${giveUpMs} ms: ${this.failures.at(-1)}`);
      await sleep(100);
    }
  }

  #next(callers: readonly Caller[]): Caller {
    this.#turn += 1;
    return callers[this.#turn % callers.length] as Caller;
  }
}
