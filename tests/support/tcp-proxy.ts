// A TCP proxy on loopback that can break a link: cut (both ends are told at once), frozen (nobody is told, nothing passes any more),
// half-open (what is asked arrives, no answer comes back), slow, sliced into small pieces, or reset around one message of our choice.
import { once } from 'node:events';
import { type AddressInfo, createServer, connect as open, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Toxics {
  /** Each way. */
  readonly latencyMs?: number;
  /** Up to so much more, drawn for each piece; order is kept. */
  readonly jitterMs?: number;
  /** Nothing longer passes at once. */
  readonly sliceBytes?: number;
}

/** Where a link breaks around a message to the server: none of it arrives, a half does, or all of it and the answer is lost. */
export type Loss = 'before' | 'half' | 'after';

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  /** Its next answer is lost with the link. */
  isLosing: boolean;
}

export class TcpProxy {
  readonly #target: { readonly host: string; readonly port: number };
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #state: 'open' | 'cut' | 'frozen' | 'half-open' = 'open';
  #toxics: Toxics | undefined;
  #losing: { readonly marker: string; readonly loss: Loss; readonly onLost: () => void } | undefined;
  /** How often somebody connected, also in vain. */
  connections = 0;

  private constructor(target: { host: string; port: number }) {
    this.#target = target;
    // Half-open stays half-open: an end is passed on by hand.
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#join(client));
  }

  static async open(target: { host: string; port: number }): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Resets every connection, and each that is tried from now on. */
  cut(): void {
    this.#state = 'cut';
    for (const pair of this.#pairs) reset(pair);
  }

  /** Connections stay, and new ones are taken, but no byte passes in either direction. */
  freeze(): void {
    this.#state = 'frozen';
    for (const pair of this.#pairs) this.#hold(pair);
  }

  /** What is asked arrives and is done; no answer comes back. */
  halfOpen(): void {
    this.#state = 'half-open';
    for (const pair of this.#pairs) this.#hold(pair);
  }

  /** From now on, on every connection. */
  poison(toxics: Toxics): void {
    this.#toxics = toxics;
  }

  /** Breaks the connection of the next message to the server that holds the marker; resolves when that was done. */
  loseNext(marker: string, loss: Loss): Promise<void> {
    return new Promise((resolve) => {
      this.#losing = { marker, loss, onLost: resolve };
    });
  }

  /** As if nothing had been: what was frozen flows on, what was cut stays lost. */
  heal(): void {
    this.#state = 'open';
    this.#toxics = undefined;
    this.#losing = undefined;
    for (const { client, server } of this.#pairs) for (const socket of [client, server]) socket.resume();
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(client: Socket): void {
    this.connections += 1;
    if (this.#state === 'cut') {
      client.resetAndDestroy();
      return;
    }
    const server = open({ ...this.#target, allowHalfOpen: true });
    const pair: Pair = { client, server, isLosing: false };
    this.#pairs.add(pair);
    this.#pass(client, server, pair, (bytes) => this.#isLost(bytes, pair));
    this.#pass(server, client, pair, () => {
      if (pair.isLosing) reset(pair);
      return pair.isLosing;
    });
    this.#hold(pair);
  }

  /** True where none of it is to pass, as its connection is gone. */
  #isLost(bytes: Buffer, pair: Pair): boolean {
    const losing = this.#losing;
    if (!losing || !bytes.includes(losing.marker)) return false;
    this.#losing = undefined;
    losing.onLost();
    if (losing.loss === 'after') {
      pair.isLosing = true;
      return false;
    }
    if (losing.loss === 'half') pair.server.write(bytes.subarray(0, Math.ceil(bytes.length / 2)));
    // Told once the half is out.
    setImmediate(() => reset(pair));
    return true;
  }

  #hold({ client, server }: Pair): void {
    if (this.#state === 'frozen') client.pause();
    if (this.#state === 'frozen' || this.#state === 'half-open') server.pause();
  }

  #pass(from: Socket, to: Socket, pair: Pair, isLost: (bytes: Buffer) => boolean): void {
    /** What a poisoned link has taken and not passed on. */
    let late = Promise.resolve();
    let pieces = 0;
    let dueMs = 0;
    const afterwards = (work: () => void): void => {
      if (pieces === 0) work();
      else late = late.then(work);
    };
    const write = (bytes: Buffer): void => {
      if (to.destroyed || to.write(bytes)) return;
      from.pause();
      to.once('drain', () => {
        from.resume();
        this.#hold(pair);
      });
    };
    from.setNoDelay(true);
    from.on('data', (bytes: Buffer) => {
      if (isLost(bytes)) return;
      if (!this.#toxics && pieces === 0) {
        write(bytes);
        return;
      }
      const { latencyMs = 0, jitterMs = 0, sliceBytes = bytes.length } = this.#toxics ?? {};
      for (let at = 0; at < bytes.length; at += sliceBytes) {
        pieces += 1;
        dueMs = Math.max(dueMs, performance.now() + latencyMs + Math.random() * jitterMs);
        const [piece, pieceDueMs] = [bytes.subarray(at, at + sliceBytes), dueMs];
        late = late.then(async () => {
          const restMs = pieceDueMs - performance.now();
          // A turn between pieces, so that they leave one by one.
          if (restMs > 0 || sliceBytes < bytes.length) await sleep(Math.max(0, restMs));
          pieces -= 1;
          write(piece);
        });
      }
    });
    from.on('end', () => afterwards(() => to.end()));
    from.on('error', () => to.resetAndDestroy());
    from.on('close', () => {
      afterwards(() => to.destroySoon());
      this.#pairs.delete(pair);
    });
  }
}

function reset({ client, server }: Pair): void {
  for (const socket of [client, server]) socket.resetAndDestroy();
}
