// The load generator, a process of its own: autocannon keeps so many connections busy without pipelining, with one POST or with GETs
// of many paths, each connection in an order of its own.
import autocannon from 'autocannon';
import { serve } from './child.ts';
import { Draw } from './draw.ts';
import { type Latency, latencyOf } from './measurement.ts';

export interface HttpLoad {
  /** Of several each gets as many connections as another. */
  readonly url: string | readonly string[];
  readonly token: string;
  /** Of a POST; absent for a GET. */
  readonly body?: object;
  /** What to GET below `url`; `url` itself where absent. */
  readonly paths?: readonly string[];
  readonly connections: number;
  /** How long; or how many requests. */
  readonly seconds?: number;
  readonly requests?: number;
}

/** What any load generator of the bench gives. */
export interface LoadResult {
  readonly requests: number;
  /** Answers in the 200s a second. */
  readonly perSecond: number;
  readonly latency: Latency;
}

/** Of `paths`, for each connection: more only take memory. */
const PATHS_A_CONNECTION = 500;

if (import.meta.main) serve(load);

async function load({ url, token, body, paths, connections, seconds, requests }: HttpLoad): Promise<LoadResult> {
  // Its own histogram knows whole milliseconds only.
  const latencies: number[] = [];
  const startedMs = performance.now();
  let lastMs = startedMs;
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const running = autocannon(
      {
        // Of several a connection has one, in turn: its types know of one alone.
        url: [url].flat() as unknown as string,
        headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? { method: 'GET' } : { method: 'POST', body: JSON.stringify(body) }),
        ...(paths === undefined ? {} : { setupClient: ownOrder(paths) }),
        connections,
        pipelining: 1,
        timeout: 30,
        ...(requests === undefined ? { duration: seconds ?? 1 } : { amount: requests }),
      },
      (error: unknown, done) => (error ? reject(error as Error) : resolve(done)),
    );
    running.on('response', (_client, status, _bytes, tookMs) => {
      if (status < 200 || status > 299) return;
      latencies.push(tookMs);
      lastMs = performance.now();
    });
  });
  const failed = result.non2xx + result.errors + result.timeouts;
  if (failed > 0 || latencies.length === 0) throw new Error(`${String(url)}: ${failed} of ${latencies.length + failed} requests failed`);
  return {
    requests: latencies.length,
    perSecond: (latencies.length * 1_000) / (lastMs - startedMs),
    latency: latencyOf(Float64Array.from(latencies)),
  };
}

/** Gives each connection its own draw of the paths, so that no two ask for the same in step. */
function ownOrder(paths: readonly string[]): (client: autocannon.Client) => void {
  let seed = 0;
  return (client) => {
    seed += 1;
    client.setRequests(new Draw(seed).some(paths, PATHS_A_CONNECTION).map((path) => ({ method: 'GET', path })));
  };
}
