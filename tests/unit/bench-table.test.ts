// What the bench says of its rows: what was missed, what was not run and why, and that quick figures are not for publishing; and that
// rows share what they started.
import { describe, expect, it } from 'vitest';
import type { CpuUse } from '../../bench/support/cpu.ts';
import type { LoadResult } from '../../bench/support/http-load.ts';
import { describeVersions } from '../../bench/support/machine.ts';
import type { Measurement } from '../../bench/support/measurement.ts';
import { Shared } from '../../bench/support/shared.ts';
import { tableOf } from '../../bench/support/table.ts';
import { against, fastestOf, takeTurns } from '../../bench/support/turns.ts';

const latency = { p50Ms: 1, p95Ms: 2, p99Ms: 3.5 };
const met: Measurement = { value: 1_600, unit: 'requests/s', baseline: 1_000, ratio: 1.6, target: '≥ 1.6×', pass: true, latency, notes: ['a note'] };

describe('the table of the bench', () => {
  it('has the value beside its baseline, the percentiles, whether it was met, and the notes below', () => {
    const lines = tableOf([{ name: 'commands', outcome: { ...met, baselineLatency: latency } }], false).split('\n');
    expect(lines[1]?.split(/ {2,}/)).toStrictEqual([
      'commands',
      '1,600',
      'requests/s',
      '1,000',
      '1.60×',
      '≥ 1.6×',
      'pass',
      '1.00/2.00/3.50 ms',
      '1.00/2.00/3.50 ms',
    ]);
    expect(lines.slice(2)).toStrictEqual(['', 'commands', '  a note']);
  });

  it('names a miss, and passes no judgement on a line that is there for comparison', () => {
    const { pass: _, ...compared } = met;
    const table = tableOf(
      [
        {
          name: 'commands',
          outcome: [
            { ...met, pass: false },
            { ...compared, about: 'one process', target: '–' },
          ],
        },
      ],
      false,
    );
    expect(table).toMatch(/^commands .* MISS /m);
    expect(table).toMatch(/^… one process .* – +1\.00/m);
    expect(table).not.toContain('pass');
  });

  it('says loudly what was not run, and why', () => {
    expect(tableOf([{ name: 'commands-eventstoredb', outcome: { notRun: 'EVENTSTOREDB_URL is not set' } }], false)).toMatch(
      /^commands-eventstoredb +not run: EVENTSTOREDB_URL is not set$/m,
    );
  });

  it('says of quick figures alone that they are not to be published', () => {
    const rows = [{ name: 'commands', outcome: met }];
    expect(tableOf(rows, true)).toMatch(/^quick: .*too small for figures to publish\n/);
    expect(tableOf(rows, false)).not.toContain('publish');
  });

  it('stands under versions and the commit', () => {
    expect(describeVersions()).toMatch(
      /^node \d+\.\d+\.\d+, Postgres \d+\.\d+\.\d+ \(embedded\), commit ([0-9a-f]{12}( and changes on top)?|unknown)$/,
    );
  });
});

describe('subjects that take turns', () => {
  const cpu = { start: () => {}, stop: () => {} } as unknown as CpuUse;
  const times = { rounds: 3, warmUpSeconds: 0, roundSeconds: 1, settleMs: 0 };
  const roundsOf = (figures: readonly number[], called: string[], name: string) => {
    let round = 0;
    return (): Promise<LoadResult> => {
      called.push(name);
      const perSecond = figures[round++] as number;
      return Promise.resolve({ requests: perSecond, perSecond, latency: { p50Ms: perSecond, p95Ms: perSecond, p99Ms: perSecond } });
    };
  };

  it('come one after the other in each round, what one left behind is done first, and medians count', async () => {
    const called: string[] = [];
    const finish = (): Promise<void> => {
      called.push('finished');
      return Promise.resolve();
    };
    const figures = await takeTurns(
      [
        { name: 'ours', cpu, run: roundsOf([90, 300, 100], called, 'ours'), finish },
        { name: 'baseline', cpu, run: roundsOf([50, 40, 1], called, 'baseline') },
        { name: 'other baseline', cpu, run: roundsOf([30, 80, 31], called, 'other baseline') },
      ],
      times,
      () => {},
    );
    expect(called).toStrictEqual(Array.from({ length: 3 }, () => ['ours', 'finished', 'baseline', 'other baseline']).flat());
    const [ours, ...baselines] = figures;
    expect(ours).toMatchObject({ requests: 490, perSecond: 100, latency: { p99Ms: 100 } });
    const best = fastestOf(baselines);
    expect(best).toMatchObject({ name: 'baseline', perSecond: 40 });
    expect(ours && against(best, ours)).toMatchObject({ value: 100, baseline: 40, ratio: 2.5 });
  });
});

describe('what rows share', () => {
  it('is started once, tried again where it failed, and ended with its scope', async () => {
    const shared = new Shared();
    let started = 0;
    let ended = 0;
    const start = (): Promise<number> =>
      shared.once('server', (scope) => {
        started += 1;
        if (started === 1) return Promise.reject(new Error('no port is free'));
        scope.onEnd(() => {
          ended += 1;
        });
        return Promise.resolve(started);
      });
    await expect(start()).rejects.toThrow('no port is free');
    expect(await Promise.all([start(), start()])).toStrictEqual([2, 2]);
    await shared.scope.end();
    expect([started, ended]).toStrictEqual([2, 1]);
  });
});
