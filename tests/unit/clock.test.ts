// The bank's clock, moved by hand. The clock itself is src/clock.ts.
import { describe, it } from 'vitest';
import { moveClock } from '../../src/commands/clock.ts';
import { bankClock } from '../../src/domain/clock/clock.ts';
import { given } from '../support/given.ts';

const now = '2026-03-03T09:00:00.000Z';
const asked = (to: string) =>
  moveClock.command(
    { params: {}, body: { to } },
    { now, actor: { subject: 'root', role: 'administrator' }, id: 'bank', zone: 'Asia/Shanghai', referred: [] },
  );

describe('moving the clock', () => {
  it('records from where to where', () => {
    given(bankClock)
      .when({ to: '2027-03-03T09:00:00.000Z', now })
      .emits({ type: 'ClockMoved', data: { from: now, to: '2027-03-03T09:00:00.000Z' } });
  });
  it('emits nothing where it stands there already', () => {
    given(bankClock).when({ to: now, now }).emits();
  });
  it('refuses to go back, were it by a millisecond', () => {
    given(bankClock)
      .when({ to: '2026-03-03T08:59:59.999Z', now })
      .isRefused('ClockOnlyForward', `The clock stands at ${now} and only moves forward.`);
  });
  it('takes an instant with any offset for the same instant in UTC', () => {
    given(bankClock).when(asked('2026-03-03T17:00:00+08:00')).emits();
    given(bankClock)
      .when(asked('2026-03-03T10:00:00+00:00'))
      .emits({ type: 'ClockMoved', data: { from: now, to: '2026-03-03T10:00:00.000Z' } });
  });
});
