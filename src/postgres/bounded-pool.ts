// A pool that has whoever serves a request wait for a connection only so long, and everyone else as long as ever. Waiting is counted
// in looks, a tenth of a second apart, so that a moment in which our own event loop stood still is not taken for a wait.
import { AsyncLocalStorage } from 'node:async_hooks';
import pg from 'pg';

type Give = (error: Error | undefined, client: pg.PoolClient | undefined, release: (broken?: Error | boolean) => void) => void;

interface Waiter {
  looks: number;
  readonly give: Give;
}

const LOOK_MS = 100;
/** Answered well within a second, and longer than any burst of fast queries takes to pass. */
const MOST_LOOKS = 7;
/** One of the messages that sqlstate.ts knows. */
const EXHAUSTED = 'timeout exceeded when trying to connect: every connection is taken';

const requests = new AsyncLocalStorage<true>();

/** What `run` begins serves a request: it is refused rather than kept waiting where every connection stays taken. */
export function servingRequest(run: () => void): void {
  requests.run(true, run);
}

export class BoundedPool extends pg.Pool {
  /** In order of arrival. */
  readonly #waiters = new Set<Waiter>();
  readonly #timer: NodeJS.Timeout;
  #established = 0;

  constructor(options: pg.PoolConfig) {
    super(options);
    this.on('connect', () => (this.#established += 1));
    this.on('remove', (client) => {
      this.#established -= 1;
      // On its way out it may still hear that its server ends, and nobody listens any more.
      client.on('error', () => {});
    });
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
  }

  override connect(): Promise<pg.PoolClient>;
  override connect(give: Give): void;
  // biome-ignore lint/suspicious/noConfusingVoidType: as the class that it extends says
  override connect(give?: Give): Promise<pg.PoolClient> | void {
    if (requests.getStore() === undefined) return give ? super.connect(give) : super.connect();
    if (give) this.#connect(give);
    else
      return new Promise((resolve, reject) => {
        this.#connect((error, client) => (client ? resolve(client) : reject(error)));
      });
  }

  override end(): Promise<void>;
  override end(callback: () => void): void;
  override end(callback?: () => void): Promise<void> | void {
    clearInterval(this.#timer);
    return callback ? super.end(callback) : super.end();
  }

  #connect(give: Give): void {
    const waiter = { looks: 0, give };
    this.#waiters.add(waiter);
    super.connect((error, client, release) => {
      if (this.#waiters.delete(waiter)) give(error, client, release);
      // Refused meanwhile: the next one has it.
      else if (client) release();
    });
  }

  #look(): void {
    // While one is being made there will be room.
    if (this.#established < (this.options.max ?? 0)) return;
    for (const waiter of this.#waiters) {
      waiter.looks += 1;
      if (waiter.looks <= MOST_LOOKS) continue;
      this.#waiters.delete(waiter);
      waiter.give(new Error(EXHAUSTED), undefined, () => {});
    }
  }
}
