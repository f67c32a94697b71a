// The load generator, a process of its own: autocannon keeps so many connections busy with one POST, without pipelining.
import autocannon from 'autocannon';
import { serve } from './child.ts';
import { type Latency, latencyOf } from './measurement.ts';

export interface HttpLoad {
  readonly url: string;
  readonly token: string;
  readonly body: object;
  readonly connections: number;
  /** How long; or how many requests. */
  readonly seconds?: number;
  readonly requests?: number;
}

export interface HttpLoadResult {
  readonly requests: number;
  /** Answers in the 200s a second. */
  readonly perSecond: number;
  readonly latency: Latency;
}

if (import.meta.main) serve(load);

async function load({ url, token, body, connections, seconds, requests }: HttpLoad): Promise<HttpLoadResult> {
  // Its own histogram knows whole milliseconds only.
  const latencies: number[] = [];
  const startedMs = performance.now();
  let lastMs = startedMs;
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const running = autocannon(
      {
        url,
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
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
  if (failed > 0 || latencies.length === 0) throw new Error(`${url}: ${failed} of ${latencies.length + failed} requests failed`);
  return {
    requests: latencies.length,
    perSecond: (latencies.length * 1_000) / (lastMs - startedMs),
    latency: latencyOf(Float64Array.from(latencies)),
  };
}
