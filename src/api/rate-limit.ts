// Requests a subject and minute: a token bucket each, so that a burst is served and a stream held to its rate. Of our own, because
// it is one map look-up; the plugin (@fastify/rate-limit) keys by address, sets three headers and has a store with callbacks.
import { Problem } from './problems.ts';

interface Bucket {
  /** Requests that may still be made now, a fraction while filling. */
  left: number;
  filledAtMs: number;
}

/** Subjects remembered at once; whoever has been silent longest is forgotten, with a full bucket by then. */
const MAX_SUBJECTS = 20_000;
/** A bucket holds what this time brings. */
const BURST_SECONDS = 5;

export class RateLimit {
  readonly #perMs: number;
  readonly #burst: number;
  readonly #buckets = new Map<string, Bucket>();
  readonly #nowMs: () => number;

  constructor(perMinute: number, nowMs: () => number = () => performance.now()) {
    this.#perMs = perMinute / 60_000;
    this.#burst = Math.max(1, (perMinute / 60) * BURST_SECONDS);
    this.#nowMs = nowMs;
  }

  /** Takes one request of the subject's; gives the problem where there is none left. */
  take(subject: string): Problem | undefined {
    const now = this.#nowMs();
    let bucket = this.#buckets.get(subject);
    if (bucket === undefined) {
      if (this.#buckets.size >= MAX_SUBJECTS) this.#forgetHalf();
      bucket = { left: this.#burst, filledAtMs: now };
      this.#buckets.set(subject, bucket);
    }
    bucket.left = Math.min(this.#burst, bucket.left + (now - bucket.filledAtMs) * this.#perMs);
    bucket.filledAtMs = now;
    if (bucket.left >= 1) {
      bucket.left -= 1;
      return undefined;
    }
    const seconds = Math.max(1, Math.ceil((1 - bucket.left) / this.#perMs / 1_000));
    return new Problem('TooManyRequests', undefined, { headers: { 'retry-after': String(seconds) } });
  }

  #forgetHalf(): void {
    const bySilence = [...this.#buckets].sort(([, one], [, other]) => one.filledAtMs - other.filledAtMs);
    for (const [subject] of bySilence.slice(0, MAX_SUBJECTS / 2)) this.#buckets.delete(subject);
  }
}
