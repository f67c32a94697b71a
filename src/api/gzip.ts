// Compression of larger answers, where the caller takes gzip. Only read routes use it: a command's answer is one packet as it is.
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream';
import { promisify } from 'node:util';
import { createGzip, gzip as gzipCallback } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';

const gzip = promisify(gzipCallback);
/** Under one packet nothing is saved. */
const WORTH_CHARS = 1_400;

function takesGzip(request: FastifyRequest): boolean {
  const accepted = request.headers['accept-encoding'];
  return typeof accepted === 'string' && /(^|,)\s*(gzip|\*)\s*(;\s*q=(0\.0*[1-9]|1|0?\.[1-9])|,|$)/.test(accepted);
}

/** Sends a text, compressed where that is worth it. */
export async function sendText(request: FastifyRequest, reply: FastifyReply, text: string, type: string): Promise<FastifyReply> {
  reply.header('content-type', type);
  addVary(reply, 'accept-encoding');
  if (text.length < WORTH_CHARS || !takesGzip(request)) return reply.send(text);
  const compressed = await gzip(text, { level: 5 });
  return reply.header('content-encoding', 'gzip').send(compressed);
}

/** Sends a stream, compressed where the caller takes it. */
export function sendStream(request: FastifyRequest, reply: FastifyReply, stream: Readable, type: string): FastifyReply {
  reply.header('content-type', type);
  addVary(reply, 'accept-encoding');
  if (!takesGzip(request)) return reply.send(stream);
  const compressed = createGzip({ level: 5 });
  // An error in either ends the other; the one who reads hears of it.
  pipeline(stream, compressed, () => {});
  return reply.header('content-encoding', 'gzip').send(compressed);
}

export function addVary(reply: FastifyReply, name: string): void {
  const vary = reply.getHeader('vary');
  if (vary === undefined) reply.header('vary', name);
  else if (!String(vary).includes(name)) reply.header('vary', `${String(vary)}, ${name}`);
}
