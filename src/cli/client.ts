// What command-line clients share: which server, as whom, and requests that outlast its restart.
import { setTimeout as sleep } from 'node:timers/promises';
import { mintToken } from '../api/auth.ts';
import type { Config } from '../config.ts';
import { readJwtSecret, runningServer } from '../data-folder.ts';
import type { Role } from '../domain/kernel/roles.ts';
import { StartError } from '../start-error.ts';

export interface Client {
  readonly url: string;
  /** Sends a request; while the server is away or overloaded, the same again, for up to two minutes. */
  send(path: string, init?: { method?: string; body?: Uint8Array | string; headers?: Record<string, string> }): Promise<Response>;
}

/** How long a server may be away before a client gives up. */
const PATIENCE_MS = 120_000;

export async function connect(config: Config, role: Role, subject: string): Promise<Client> {
  const server = config.client.url ?? runningServer(config.dataDir)?.url;
  if (!server) throw new StartError(`No server runs on ${config.dataDir}: start one with npm start, or name one by SHIJI_URL.`);
  const token = config.client.token ?? (await mint(config, role, subject));
  return {
    url: server,
    send: async (path, init = {}) => {
      const started = performance.now();
      for (let attempt = 0; ; attempt += 1) {
        const patient = performance.now() - started < PATIENCE_MS;
        try {
          const response = await fetch(new URL(path, server), {
            ...init,
            headers: { authorization: `Bearer ${token}`, ...init.headers },
          } as RequestInit);
          if (![429, 502, 503].includes(response.status) || !patient) return response;
          await response.arrayBuffer();
        } catch (error) {
          if (!patient)
            throw new StartError(`The server at ${server} does not answer: start it and run this again, it goes on where it was.`, { cause: error });
        }
        await sleep(Math.min(3_000, 200 * 2 ** Math.min(attempt, 5)));
      }
    },
  };
}

async function mint(config: Config, role: Role, subject: string): Promise<string> {
  if (config.jwt.jwksUrl !== undefined) throw new StartError('Tokens come from your issuer: set SHIJI_TOKEN.');
  const secret = config.jwt.secret ?? readJwtSecret(config.dataDir);
  return mintToken({ secret, issuer: config.jwt.issuer, audience: config.jwt.audience, subject, role, expiresIn: '12h' });
}
