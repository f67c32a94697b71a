// One HTTP client for the whole long run: connections kept, each answer read to its end, nothing waited for without a bound.
import { Agent, request } from 'node:http';
import type { Role } from '../../src/domain/kernel/roles.ts';
import { tokenOf } from '../support/product.ts';

export interface Asked {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly role: Role;
  /** JSON; a string goes as lines of a feed. */
  readonly body?: object | string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

const ANSWER_WITHIN_MS = 40_000;
const MOST_SOCKETS = 256;

export class SoakClient {
  readonly #url: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: MOST_SOCKETS });
  readonly #authorizations = new Map<Role, string>();

  constructor(url: string) {
    this.#url = url;
  }

  /** Open ones, busy or not: the server's descriptors for them are ours, not its own. */
  get sockets(): number {
    const { sockets, freeSockets } = this.#agent;
    return [...Object.values(sockets), ...Object.values(freeSockets)].flatMap((list) => list ?? []).filter(({ connecting }) => !connecting).length;
  }

  send({ method, path, role, body, headers = {} }: Asked): Promise<Answered> {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const type = typeof body === 'string' ? 'application/x-ndjson' : 'application/json';
    return new Promise((resolve, reject) => {
      const sent = request(
        `${this.#url}${path}`,
        {
          method,
          agent: this.#agent,
          headers: {
            authorization: this.#authorizationOf(role),
            ...(text === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(text) }),
            ...headers,
          },
        },
        (response) => {
          let answer = '';
          response.setEncoding('utf8');
          response.on('data', (piece: string) => {
            answer += piece;
          });
          response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text: answer }));
          response.on('error', reject);
        },
      );
      sent.setTimeout(ANSWER_WITHIN_MS, () => sent.destroy(new Error(`no answer within ${ANSWER_WITHIN_MS} ms`)));
      sent.on('error', reject);
      sent.end(text);
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  #authorizationOf(role: Role): string {
    let authorization = this.#authorizations.get(role);
    if (authorization === undefined) {
      authorization = `Bearer ${tokenOf(role)}`;
      this.#authorizations.set(role, authorization);
    }
    return authorization;
  }
}
