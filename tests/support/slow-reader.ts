// Callers that read a long answer a byte at a time, or not at all: the rest waits in the server, or in the system's buffers.
import { connect, type Socket } from 'node:net';

const STATUS_END = 'HTTP/1.1 200'.length;

export class SlowReader {
  readonly #socket: Socket;
  /** Bytes read so far, and what they say: the first line has the status. */
  read = 0;
  #text = '';
  /** Cut off by the server. */
  ended = false;
  readonly #timer: NodeJS.Timeout;

  constructor(url: string, path: string, headers: Readonly<Record<string, string>>, { bytesASecond = 1 } = {}) {
    const { hostname, port } = new URL(url);
    const one = Buffer.alloc(1);
    this.#socket = connect({
      host: hostname,
      port: Number(port),
      // One byte is asked of the system at a time, so that nothing is read ahead.
      onread: {
        buffer: one,
        callback: () => {
          this.read += 1;
          if (this.#text.length < STATUS_END) this.#text += one.toString('latin1');
          // The status at once, the rest slowly.
          return this.#text.length < STATUS_END;
        },
      },
    });
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => (this.ended = true));
    const lines = Object.entries({ host: `${hostname}:${port}`, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
    this.#socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
    this.#timer = setInterval(() => this.#socket.resume(), 1_000 / bytesASecond);
  }

  /** Undefined before it is there. */
  get status(): number | undefined {
    return this.#text.length < STATUS_END ? undefined : Number(this.#text.slice(-3));
  }

  close(): void {
    clearInterval(this.#timer);
    this.#socket.destroy();
  }
}
