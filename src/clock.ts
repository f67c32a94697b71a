// The one clock that timers, deadlines and `recordedAt` read. It only moves forward: where the system's clock is set back, it stands
// until that has caught up. By hand (SHIJI_CLOCK=manual) it stands where it was put until it is moved.

export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Not before this instant from now on: what was recorded last, or where it is moved to by hand. */
  notBefore(epochMs: number): void;
  readonly manual: boolean;
}

export function systemClock(): Clock {
  let floorMs = 0;
  return {
    manual: false,
    now: () => {
      const systemMs = Date.now();
      if (systemMs > floorMs) floorMs = systemMs;
      return floorMs;
    },
    notBefore: (epochMs) => {
      floorMs = Math.max(floorMs, epochMs);
    },
  };
}

export function manualClock(startMs: number): Clock {
  let nowMs = startMs;
  return {
    manual: true,
    now: () => nowMs,
    notBefore: (epochMs) => {
      nowMs = Math.max(nowMs, epochMs);
    },
  };
}
