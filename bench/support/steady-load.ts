// Tickets opened at even times until told to stop, a process of its own: whatever is done to servers meanwhile, the next command is sent
// when it is due, and its time runs from then on.
import { Agent, request } from 'node:http';
import { serve } from './child.ts';
import { type Latency, latencyOf } from './measurement.ts';

export type SteadyLoad =
  | { readonly url: string; readonly token: string; readonly body: object; readonly perSecond: number }
  /** Ends it. */
  | { readonly stop: true };

export interface SteadyLoadResult {
  readonly requests: number;
  readonly latency: Latency;
}

const TICK_MS = 5;
const agent = new Agent({ keepAlive: true });
const latencies: number[] = [];
const open = new Set<Promise<void>>();
let timer: NodeJS.Timeout | undefined;
let failure: Error | undefined;

if (import.meta.main) serve(answer);

/** The first answer comes at once, the one to `stop` when all that was sent is answered. */
async function answer(asked: SteadyLoad): Promise<SteadyLoadResult | undefined> {
  if (!('stop' in asked)) {
    start(asked);
    return undefined;
  }
  clearInterval(timer);
  await Promise.all(open);
  if (failure) throw failure;
  return { requests: latencies.length, latency: latencyOf(Float64Array.from(latencies)) };
}

function start({ url, token, body, perSecond }: Exclude<SteadyLoad, { readonly stop: true }>): void {
  const text = JSON.stringify(body);
  const startMs = performance.now();
  let sent = 0;
  timer = setInterval(() => {
    for (let dueMs = startMs + (sent * 1_000) / perSecond; dueMs <= performance.now(); dueMs += 1_000 / perSecond) {
      track(send(url, token, text), dueMs);
      sent += 1;
    }
  }, TICK_MS);
}

function track(answered: Promise<void>, dueMs: number): void {
  const done = answered.then(
    () => {
      latencies.push(performance.now() - dueMs);
    },
    (error: Error) => {
      failure ??= error;
    },
  );
  open.add(done);
  void done.then(() => open.delete(done));
}

function send(url: string, token: string, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        method: 'POST',
        agent,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
      },
      (response) => {
        response.resume();
        response.on('end', () => (response.statusCode === 201 ? resolve() : reject(new Error(`POST ${url}: ${response.statusCode}`))));
        response.on('error', reject);
      },
    );
    sent.on('error', reject);
    sent.end(text);
  });
}
