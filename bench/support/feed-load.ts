// The client of `import`, a process of its own: brings files of lines over the feed route, one request after the other as
// `npm run import` does, and wants every line taken.
import { createReadStream } from 'node:fs';
import { request } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { serve } from './child.ts';

export interface FeedLoad {
  /** Of the feed: `…/v1/feeds/core-banking`. */
  readonly url: string;
  /** Of an `integration`. */
  readonly token: string;
  /** NDJSON in gzip, each a request. */
  readonly paths: readonly string[];
}

export interface FeedLoadResult {
  /** Lines that became events. */
  readonly created: number;
  /** From the first request's start to the last one's answer. */
  readonly seconds: number;
}

interface RunAnswer {
  readonly status: string;
  readonly created: number;
  readonly repeated: number;
  readonly rejected: number;
  readonly results: string;
}

if (import.meta.main) serve(load);

async function load({ url, token, paths }: FeedLoad): Promise<FeedLoadResult> {
  const startedMs = performance.now();
  let created = 0;
  for (const path of paths) {
    const run = await bring(url, token, path);
    if (run.rejected > 0 || run.repeated > 0)
      throw new Error(`${path}: ${run.rejected} lines rejected, ${run.repeated} known before: ${await whyNot(url, token, run)}`);
    created += run.created;
  }
  return { created, seconds: (performance.now() - startedMs) / 1_000 };
}

async function bring(url: string, token: string, path: string): Promise<RunAnswer> {
  const answered = Promise.withResolvers<{ readonly status: number; readonly text: string }>();
  const sent = request(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson', 'content-encoding': 'gzip' },
  });
  sent.on('error', answered.reject);
  sent.on('response', (response) => {
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (piece: string) => {
      text += piece;
    });
    response.on('end', () => answered.resolve({ status: response.statusCode ?? 0, text }));
    response.on('error', answered.reject);
  });
  // A server that refuses answers before the body is through: then its answer says more than the broken pipe.
  const [{ status, text }] = await Promise.all([answered.promise, pipeline(createReadStream(path), sent).catch(() => undefined)]);
  if (status !== 200) throw new Error(`POST ${url}: ${status} ${text}`);
  const run = JSON.parse(text) as RunAnswer;
  if (run.status !== 'finished') throw new Error(`POST ${url}: the feed is ${run.status}`);
  return run;
}

/** The first lines that were not taken, as the server says it. */
async function whyNot(url: string, token: string, { results, rejected }: RunAnswer): Promise<string> {
  const answer = await fetch(new URL(`${results}?outcome=${rejected > 0 ? 'rejected' : 'repeated'}`, url), {
    headers: { authorization: `Bearer ${token}` },
  });
  return (await answer.text()).split('\n').slice(0, 3).join(' ');
}
