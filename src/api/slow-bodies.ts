// Cuts requests whose body drips in (evidence.md 105). Node's requestTimeout is one for the whole server and must leave a feed its
// time; so every few seconds the requests that are not all here yet are looked at, which costs a served one a single store.
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

const SWEEP_MS = 5_000;
const current = Symbol('the request whose body is awaited');

interface TrackedSocket extends Socket {
  [current]?: IncomingMessage;
}

export class SlowBodies {
  readonly #limitMs: number;
  readonly #sockets = new Set<TrackedSocket>();
  readonly #firstSeenMs = new WeakMap<IncomingMessage, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(server: Server, limitMs: number) {
    this.#limitMs = limitMs;
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    this.#timer = setInterval(() => this.#sweep(), Math.min(SWEEP_MS, limitMs / 2)).unref();
  }

  await(request: IncomingMessage): void {
    (request.socket as TrackedSocket)[current] = request;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #sweep(): void {
    const now = performance.now();
    for (const socket of this.#sockets) {
      const request = socket[current];
      if (request === undefined || request.complete) continue;
      const since = this.#firstSeenMs.get(request) ?? now;
      this.#firstSeenMs.set(request, since);
      if (now - since >= this.#limitMs) socket.destroy();
    }
  }
}
