// A client of GETs, a process of its own, a few at a time and each measured: latencies of all, of each kind of request, and the slowest.
import { Agent, get } from 'node:http';
import { serve } from './child.ts';
import { type Latency, latencyOf } from './measurement.ts';

export interface GetLoad {
  readonly url: string;
  readonly token: string;
  /** Each once, in this order. */
  readonly requests: readonly GetRequest[];
  /** How many at a time. */
  readonly workers: number;
}

export interface GetRequest {
  /** Below `url`, with its query. */
  readonly path: string;
  readonly kind: string;
  /** What the answer must hold, or it is none. */
  readonly holding?: string;
}

export interface GetLoadResult {
  readonly latency: Latency;
  readonly byKind: Readonly<Record<string, Latency>>;
  readonly slowestMs: number;
  /** Characters of all answers. */
  readonly characters: number;
}

const agent = new Agent({ keepAlive: true });

if (import.meta.main) serve(load);

async function load({ url, token, requests, workers }: GetLoad): Promise<GetLoadResult> {
  const times = new Map<string, number[]>();
  const authorization = `Bearer ${token}`;
  let characters = 0;
  let next = 0;
  const work = async (): Promise<void> => {
    for (let one = requests[next++]; one !== undefined; one = requests[next++]) {
      const startedMs = performance.now();
      const text = await fetchText(`${url}${one.path}`, authorization);
      const tookMs = performance.now() - startedMs;
      if (one.holding !== undefined && !text.includes(one.holding))
        throw new Error(`GET ${one.path}: ${one.holding} is not in ${text.slice(0, 500)}`);
      characters += text.length;
      const known = times.get(one.kind);
      if (known) known.push(tookMs);
      else times.set(one.kind, [tookMs]);
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  const all = Float64Array.from([...times.values()].flat());
  return {
    latency: latencyOf(all),
    byKind: Object.fromEntries([...times].map(([kind, ms]) => [kind, latencyOf(Float64Array.from(ms))])),
    slowestMs: all.reduce((slowest, ms) => Math.max(slowest, ms), 0),
    characters,
  };
}

function fetchText(url: string, authorization: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { agent, headers: { authorization } }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        text += piece;
      });
      response.on('end', () =>
        response.statusCode === 200 ? resolve(text) : reject(new Error(`GET ${url}: ${response.statusCode} ${text.slice(0, 500)}`)),
      );
      response.on('error', reject);
    }).on('error', reject);
  });
}
