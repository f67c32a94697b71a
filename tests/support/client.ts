// A caller of a running server: tokens, requests, and waiting for what they lead to.
import { setTimeout as sleep } from 'node:timers/promises';
import { mintToken } from '../../src/api/auth.ts';
import { readJwtSecret } from '../../src/data-folder.ts';
import type { Role } from '../../src/domain/kernel/roles.ts';

export interface Answer<Body = Record<string, unknown>> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

export interface Caller {
  get<Body = Record<string, unknown>>(path: string, headers?: Record<string, string>): Promise<Answer<Body>>;
  /** A string is sent as it is. */
  post<Body = Record<string, unknown>>(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer<Body>>;
}

export function tokenOf(secret: string, role: Role, subject: string): string {
  return mintToken({ secret, issuer: 'shiji', audience: 'shiji', subject, role, expiresIn: '1h' });
}

/** By the secret in a data folder, or the one given. */
export function callerOf(
  url: string,
  secretOrFolder: { readonly secret: string } | { readonly dataDir: string },
  role: Role,
  subject: string,
): Caller {
  const secret = 'secret' in secretOrFolder ? secretOrFolder.secret : readJwtSecret(secretOrFolder.dataDir);
  const authorization = `Bearer ${tokenOf(secret, role, subject)}`;
  const send = async <Body>(path: string, init: RequestInit): Promise<Answer<Body>> => {
    const response = await fetch(new URL(path, url), { ...init, headers: { authorization, ...(init.headers as Record<string, string>) } });
    const text = await response.text();
    const json = /json/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, body: (json ? JSON.parse(text) : text) as Body };
  };
  return {
    get: (path, headers = {}) => send(path, { headers }),
    post: (path, body, headers = {}) =>
      send(path, {
        method: 'POST',
        body: typeof body === 'string' ? body : JSON.stringify(body),
        headers: { 'content-type': 'application/json', ...headers },
      }),
  };
}

/** Asks again until the answer is there. */
export async function until<T>(ask: () => Promise<T | undefined | false>, withinMs = 20_000): Promise<T> {
  const end = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > end) throw new Error(`not so within ${withinMs} ms`);
    await sleep(50);
  }
}
