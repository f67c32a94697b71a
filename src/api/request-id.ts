// Ids of requests: a UUID's shape, so that they fit where ids go, drawn by counting, which costs a twentieth of a random one.
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { shortToken } from './request.ts';

/** For Fastify's genReqId: the caller's `X-Request-Id` where it is a short token, else a fresh one, unique over restarts and processes. */
export function requestIds(): (request: Pick<IncomingMessage, 'headers'>) => string {
  const prefix = processPrefix();
  const low = Array.from({ length: 4096 }, (_, index) => index.toString(16).padStart(3, '0'));
  let count = 0;
  let high = prefix + '0'.repeat(9);
  return (request) => {
    const given = request.headers['x-request-id'];
    if (given !== undefined) {
      const token = shortToken(given);
      if (token !== undefined) return token;
    }
    const lowest = count & 4095;
    if (lowest === 0) high = prefix + (count / 4096).toString(16).padStart(9, '0');
    count += 1;
    return high + low[lowest];
  };
}

/** All but the last group, as a UUIDv8 has it. */
function processPrefix(): string {
  const hex = randomBytes(10).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(12, 15)}-9${hex.slice(15, 18)}-`;
}
