// A balancer as small as one can be: requests go round the processes whose /health/ready says 200, which is asked all the time. Only a
// request whose connection was refused, so that none of it was sent, goes to the next; whatever else goes wrong is the caller's to see.
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const PROBE_MS = 100;

interface Backend {
  readonly url: URL;
  isReady: boolean;
}

export class Balancer {
  readonly #backends = new Map<string, Backend>();
  readonly #server: Server;
  readonly #probing: NodeJS.Timeout;
  #turn = 0;
  /** Connections that were refused, and tried elsewhere. */
  refused = 0;

  private constructor() {
    this.#server = createServer((incoming, answer) => this.#take(incoming, answer));
    this.#probing = setInterval(() => {
      for (const backend of this.#backends.values()) void this.#probe(backend);
    }, PROBE_MS);
  }

  static async open(urls: readonly string[]): Promise<Balancer> {
    const balancer = new Balancer();
    balancer.#server.listen(0, '127.0.0.1');
    await once(balancer.#server, 'listening');
    await Promise.all(urls.map((url) => balancer.add(url)));
    return balancer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async add(url: string): Promise<void> {
    const backend = { url: new URL(url), isReady: false };
    this.#backends.set(url, backend);
    await this.#probe(backend);
  }

  remove(url: string): void {
    this.#backends.delete(url);
  }

  isReady(url: string): boolean {
    return this.#backends.get(url)?.isReady === true;
  }

  async close(): Promise<void> {
    clearInterval(this.#probing);
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #probe(backend: Backend): Promise<void> {
    backend.isReady = await fetch(new URL('/health/ready', backend.url), { signal: AbortSignal.timeout(1_000) }).then(
      ({ ok }) => ok,
      () => false,
    );
  }

  #take(incoming: IncomingMessage, answer: ServerResponse): void {
    const body: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => body.push(chunk));
    incoming.on('end', () => this.#pass(incoming, Buffer.concat(body), answer, new Set()));
  }

  #pass(incoming: IncomingMessage, body: Buffer, answer: ServerResponse, tried: Set<Backend>): void {
    const ready = [...this.#backends.values()].filter((backend) => backend.isReady && !tried.has(backend));
    this.#turn += 1;
    const backend = ready[this.#turn % ready.length];
    if (!backend) {
      answer.writeHead(502).end('no process is ready');
      return;
    }
    tried.add(backend);
    const outgoing = request(new URL(incoming.url ?? '/', backend.url), { method: incoming.method, headers: incoming.headers }, (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
      response.on('error', () => answer.destroy());
    });
    outgoing.on('error', (error: Error & { code?: string; syscall?: string }) => {
      if (error.code === 'ECONNREFUSED' && error.syscall === 'connect') {
        this.refused += 1;
        backend.isReady = false;
        this.#pass(incoming, body, answer, tried);
      } else if (answer.headersSent) answer.destroy();
      else answer.writeHead(502).end(`${error.code}: ${error.message}`);
    });
    outgoing.end(body);
  }
}
