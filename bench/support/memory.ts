// The most memory that a process has had resident, as the kernel counts it; elsewhere than on Linux by looking ten times a second.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const LOOK_MS = 100;

export interface PeakMemory {
  /** Bytes up to now, and the end of the looking. */
  stop(): number;
}

/** Of a process's whole life on Linux, from now on elsewhere. */
export function watchPeakMemory(pid: number): PeakMemory {
  if (process.platform === 'linux') return { stop: () => kernelPeakOf(pid) };
  let peak = 0;
  const look = (): void => {
    peak = Math.max(peak, Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) * 1_024);
  };
  const timer = setInterval(look, LOOK_MS);
  return {
    stop: () => {
      clearInterval(timer);
      look();
      return peak;
    },
  };
}

function kernelPeakOf(pid: number): number {
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kibibytes === undefined) throw new Error(`no peak is known of process ${pid}`);
  return Number(kibibytes) * 1_024;
}
