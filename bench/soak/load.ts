// The bank's day at an even rate, whatever the answers do: a request is sent when it is due and its latency counts from then, so that no
// stall hides. While the server is away nothing is due; what was in flight is asked again under its key, as a client does.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answered, SoakClient } from './client.ts';
import type { BankDay, Step } from './day.ts';
import type { SoakServer } from './server.ts';

const TICK_MS = 5;
const RETRY_MS = 200;
const TRIES = 4;
/** More than that many at once: the machine does not bear the rate, and more would only queue. */
const MOST_IN_FLIGHT = 1_000;

export class Load {
  /** Milliseconds by kind; what met a restart apart. */
  readonly latencies = new Map<string, number[]>();
  /** Answers that nothing explains. */
  readonly unexpected: string[] = [];
  /** How often a request had to be asked again because of a restart. */
  disturbed = 0;
  done = 0;
  /** Not sent, since too many were in flight. */
  dropped = 0;
  readonly #server: SoakServer;
  readonly #client: SoakClient;
  readonly #day: BankDay;
  readonly #inFlight = new Set<Promise<void>>();

  constructor(server: SoakServer, client: SoakClient, day: BankDay) {
    this.#server = server;
    this.#client = client;
    this.#day = day;
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** As many as go, so many at a time; how many a second that is. */
  async measure(workers: number, seconds: number): Promise<number> {
    const startedMs = performance.now();
    const before = this.done;
    const work = async (): Promise<void> => {
      while (performance.now() - startedMs < seconds * 1_000) await this.#carry(this.#day.next(), performance.now());
    };
    await Promise.all(Array.from({ length: workers }, work));
    return ((this.done - before) * 1_000) / (performance.now() - startedMs);
  }

  /** At an even rate until then or until it is stopped; what is in flight is waited for. */
  async run(perSecond: number, untilMs: number, signal: AbortSignal): Promise<void> {
    let fromMs = performance.now();
    let sent = 0;
    while (performance.now() < untilMs && !signal.aborted) {
      if (this.#server.isAway()) {
        await Promise.race([this.#server.whenUp(), sleep(Math.max(0, untilMs - performance.now()), undefined, { signal }).catch(() => undefined)]);
        fromMs = performance.now();
        sent = 0;
        continue;
      }
      for (let dueMs = fromMs + (sent * 1_000) / perSecond; dueMs <= performance.now(); dueMs = fromMs + (sent * 1_000) / perSecond) {
        sent += 1;
        if (this.#inFlight.size >= MOST_IN_FLIGHT) this.dropped += 1;
        else this.#send(dueMs);
      }
      await sleep(TICK_MS);
    }
    // What waits for a server that does not come back is nobody's any more.
    if (!signal.aborted) await Promise.all(this.#inFlight);
  }

  #send(dueMs: number): void {
    const carried = this.#carry(this.#day.next(), dueMs).finally(() => this.#inFlight.delete(carried));
    this.#inFlight.add(carried);
  }

  async #carry(step: Step, dueMs: number): Promise<void> {
    let met = false;
    for (let tries = 1; ; ) {
      await this.#server.whenUp();
      const beganMs = performance.now();
      const failed = await this.#try(step);
      if (failed === undefined) {
        this.done += 1;
        if (!met) this.#record(step.kind, performance.now() - dueMs);
        return;
      }
      met = true;
      if (this.#server.explains(beganMs, failed.status)) this.disturbed += 1;
      else {
        this.unexpected.push(`${step.method} ${step.path}: ${failed.what}`);
        tries += 1;
      }
      if (tries > TRIES) {
        step.undone?.();
        return;
      }
      await sleep(RETRY_MS);
    }
  }

  async #try(step: Step): Promise<{ readonly status?: number; readonly what: string } | undefined> {
    let answer: Answered;
    try {
      answer = await this.#client.send(step);
    } catch (error) {
      const { message, code } = error as Error & { code?: string };
      return { what: `${message} ${code ?? ''}` };
    }
    if (answer.status === 412 && step.moved) {
      step.moved(answer);
      return undefined;
    }
    if (answer.status >= 300) return { status: answer.status, what: `${answer.status} ${answer.text.slice(0, 300)}` };
    const wrong = step.done?.(answer);
    return wrong === undefined ? undefined : { status: answer.status, what: `${wrong}: ${answer.text.slice(0, 300)}` };
  }

  #record(kind: string, tookMs: number): void {
    const known = this.latencies.get(kind);
    if (known) known.push(tookMs);
    else this.latencies.set(kind, [tookMs]);
  }
}
