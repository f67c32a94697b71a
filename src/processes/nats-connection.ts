// The connection to NATS, once: what was connected and is lost is made anew by whoever uses it, who then looks again where the stream is.
import { type ConnectionOptions, connect, type NatsConnection, wsconnect } from '@nats-io/transport-node';

/** For connecting, for an answer to a request, and twice this for noticing that a server has gone silent. */
export const ANSWER_MS = 5_000;

/**
 * Connects to one server of a cluster.
 * @param url as NATS_URL has it: URLs, or hosts of one, with commas between
 */
export function connectNats(url: string): Promise<NatsConnection> {
  const options = optionsOf(url);
  return url.startsWith('ws') ? wsconnect(options) : connect(options);
}

/** Exported for tests. */
export function optionsOf(url: string): ConnectionOptions {
  const scheme = url.slice(0, url.indexOf('://'));
  const hosts = url.split(',').map((part) => part.trim().replace(/^[a-z]+:\/\//, ''));
  // The client takes no credentials from a URL, and takes a password's digits for the port.
  const credentials = hosts.map((host) => host.slice(0, Math.max(0, host.lastIndexOf('@')))).find((text) => text !== '');
  const servers = hosts.map((host) => host.slice(host.lastIndexOf('@') + 1)).map((host) => (scheme.startsWith('ws') ? `${scheme}://${host}` : host));
  return {
    servers,
    name: 'shiji',
    reconnect: false,
    timeout: ANSWER_MS,
    pingInterval: ANSWER_MS,
    maxPingOut: 2,
    // A stack a message is half the cost of sending it.
    noAsyncTraces: true,
    ...(scheme === 'tls' ? { tls: {} } : {}),
    ...authOf(credentials),
  };
}

function authOf(credentials: string | undefined): Pick<ConnectionOptions, 'user' | 'pass' | 'token'> {
  if (credentials === undefined) return {};
  const colon = credentials.indexOf(':');
  if (colon === -1) return { token: decodeURIComponent(credentials) };
  return { user: decodeURIComponent(credentials.slice(0, colon)), pass: decodeURIComponent(credentials.slice(colon + 1)) };
}
