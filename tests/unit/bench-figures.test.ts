// The sums behind the published figures, and that what the bench generates is a journal's worth of whole lives.
import { describe, expect, it } from 'vitest';
import { latencyOf, median, medianLatency, shown } from '../../bench/support/measurement.ts';
import { ticketLives } from '../../bench/support/ticket-lives.ts';

describe('figures of the bench', () => {
  it('takes percentiles by nearest rank', () => {
    const latencies = Float64Array.from({ length: 200 }, (_, index) => 200 - index);
    expect(latencyOf(latencies)).toStrictEqual({ p50Ms: 100, p95Ms: 190, p99Ms: 198 });
    expect(latencyOf(Float64Array.of(7))).toStrictEqual({ p50Ms: 7, p95Ms: 7, p99Ms: 7 });
    expect(() => latencyOf(new Float64Array())).toThrow(RangeError);
  });

  it('takes medians of rounds, of each percentile by itself', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(() => median([])).toThrow(RangeError);
    const rounds = [1, 9, 5].map((p99Ms) => ({ p50Ms: 10 - p99Ms, p95Ms: 1, p99Ms }));
    expect(medianLatency(rounds)).toStrictEqual({ p50Ms: 5, p95Ms: 1, p99Ms: 5 });
  });

  it('shows the digits that matter', () => {
    expect([12_345.6, 812.3, 84.25, 8.444, 0.4321].map(shown)).toStrictEqual(['12,346', '812', '84.3', '8.44', '0.43']);
  });
});

describe('generated lives of tickets', () => {
  const options = { seed: 7, events: 30_000, fromMs: Date.parse('2026-03-02T00:00:00Z') };

  it('come in order of time, interleaved, each from its opening on', () => {
    const revisions = new Map<string, number>();
    let events = 0;
    let lastMs = 0;
    let steps = 0;
    let interleaved = 0;
    let lastStream = '';
    for (const { stream, revision, atMs, facts } of ticketLives(options)) {
      expect(atMs).toBeGreaterThanOrEqual(lastMs);
      expect(revision).toBe(revisions.get(stream) ?? -1);
      revisions.set(stream, revision + facts.length);
      if (stream !== lastStream) interleaved += 1;
      lastStream = stream;
      steps += 1;
      lastMs = atMs;
      events += facts.length;
    }
    expect(events).toBeGreaterThanOrEqual(options.events);
    expect(interleaved).toBeGreaterThan(steps * 0.9);
    // Opened, assigned, started, resolved, closed, and perhaps a deadline passed.
    expect([...revisions.values()].filter((revision) => revision >= 4).length).toBeGreaterThan(100);
  });

  it('are the same for the same seed', () => {
    const first = JSON.stringify([...ticketLives(options)].map(({ commandId, facts }) => [commandId, facts]));
    expect(JSON.stringify([...ticketLives(options)].map(({ commandId, facts }) => [commandId, facts]))).toBe(first);
    expect(JSON.stringify([...ticketLives({ ...options, seed: 8 })].map(({ commandId, facts }) => [commandId, facts]))).not.toBe(first);
  });
});
