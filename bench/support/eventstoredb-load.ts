// The baseline of `commands-eventstoredb`, a process of its own: the node client's own single appends, so many in flight, each to a new
// stream, of the very event that the product appends.
import { randomUUID } from 'node:crypto';
import { EventStoreDBClient, jsonEvent, NO_STREAM } from '@eventstore/db-client';
import { serve } from './child.ts';
import type { LoadResult } from './http-load.ts';
import { latencyOf } from './measurement.ts';

export interface EventStoreDbLoad {
  readonly url: string;
  readonly type: string;
  readonly data: Record<string, unknown>;
  readonly metadata: Record<string, unknown>;
  readonly inFlight: number;
  readonly seconds: number;
}

let client: EventStoreDBClient | undefined;

if (import.meta.main) serve(load);

async function load({ url, type, data, metadata, inFlight, seconds }: EventStoreDbLoad): Promise<LoadResult> {
  client ??= EventStoreDBClient.connectionString(url);
  const own = client;
  const latencies: number[] = [];
  const startMs = performance.now();
  const endMs = startMs + seconds * 1_000;
  let lastMs = startMs;
  const appendOn = async (): Promise<void> => {
    for (let sentMs = startMs; sentMs < endMs; ) {
      await own.appendToStream(`${APART}-${randomUUID()}`, jsonEvent({ id: randomUUID(), type, data, metadata }), { expectedRevision: NO_STREAM });
      lastMs = performance.now();
      latencies.push(lastMs - sentMs);
      sentMs = lastMs;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, appendOn));
  return {
    requests: latencies.length,
    perSecond: (latencies.length * 1_000) / (lastMs - startMs),
    latency: latencyOf(Float64Array.from(latencies)),
  };
}

/** Of a category that no read model reads. */
const APART = 'append';
