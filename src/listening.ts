// Taking an HTTP port and giving it back without cutting a request off. What is served there is the API's business.
import type { Server } from 'node:http';
import { createServer } from 'node:net';
import type { Logger } from './logging.ts';
import { codeOf } from './postgres/sqlstate.ts';
import { StartError } from './start-error.ts';

/** A Fastify instance that does not listen yet. */
export interface Http {
  readonly server: Server;
  listen(options: { host: string; port: number }): Promise<string>;
  close(): Promise<unknown>;
  /** Says that it is about to stop, and resolves when whoever sends it requests knows. */
  drain?(): Promise<void>;
}

export interface Address {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
}

/** How long requests in flight may take after the stop signal. */
export const DRAIN_MS = 10_000;

/**
 * Gives the address as a client on this machine writes it.
 * @throws StartError where it can't be had
 */
export async function listen(http: Http, config: Address): Promise<string> {
  try {
    await http.listen({ host: config.host, port: config.port });
  } catch (error) {
    throw explainListening(error, config);
  }
  const address = http.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : config.port;
  return `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`;
}

/** @throws StartError */
export async function assertPortIsFree(config: Address): Promise<void> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', (error) => reject(explainListening(error, config)));
    probe.listen({ host: config.host, port: config.port }, () => probe.close(() => resolve()));
  });
}

function explainListening(error: unknown, { host, port }: Address): Error {
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return new StartError(
        `Port ${port} on ${host} is taken by another program: stop that one, or choose another port, as in PORT=${port + 1 > 65535 ? 8080 : port + 1} npm start.`,
      );
    case 'EACCES':
      return new StartError(`Port ${port} on ${host} is not for this user: choose one from 1024 on, as in PORT=8080 npm start.`);
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new StartError(`HOST=${host} is no address of this machine: leave it out for 127.0.0.1, or give 0.0.0.0 for all of them.`);
    default:
      return new Error(`listening on ${host}:${port} failed`, { cause: error });
  }
}

/** Once a balancer knows, no connection is accepted any more, requests in flight are answered; what takes longer than `limitMs` is cut off. */
export async function drain(http: Http, { log, limitMs = DRAIN_MS }: { log: Logger; limitMs?: number }): Promise<void> {
  const { server } = http;
  // A connection that waits to be accepted when the listener closes is reset.
  await http.drain?.();
  // A connection that had a request in flight when closing began is idle after its answer, and would be waited for.
  const sweep = setInterval(() => server.closeIdleConnections(), 50);
  const cut = setTimeout(() => {
    log.warn({ afterMs: limitMs }, 'requests in flight were cut off');
    server.closeAllConnections();
  }, limitMs);
  try {
    await http.close();
  } finally {
    clearInterval(sweep);
    clearTimeout(cut);
  }
}
