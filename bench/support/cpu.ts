// Who used the processors while a figure was measured: the profile in one line, and whether others had a part in it. Linux only;
// elsewhere nothing is said.
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { shown } from './measurement.ts';

/** Of every Linux that Node runs on, as programs see it. */
const TICKS_A_SECOND = 100;

/** Named processes: each one's pid, or a Postgres' first process, whose sessions count with it. */
export type Watched = Readonly<Record<string, { readonly pid: number } | { readonly postmaster: number }>>;

/** Adds up what each used between `start` and `stop`, over all rounds. */
export class CpuUse {
  readonly #watched: Watched;
  readonly #used = new Map<string, number>();
  #wallMs = 0;
  #startedMs = 0;
  #before = new Map<string, number>();

  constructor(watched: Watched) {
    this.#watched = watched;
  }

  start(): void {
    this.#startedMs = performance.now();
    this.#before = this.#now();
  }

  stop(): void {
    this.#wallMs += performance.now() - this.#startedMs;
    for (const [name, seconds] of this.#now()) this.#used.set(name, (this.#used.get(name) ?? 0) + seconds - (this.#before.get(name) ?? 0));
  }

  /** Cores that nobody named here kept busy: above a tenth or so the figure is not to be believed. */
  get others(): number {
    const named = [...this.#used].filter(([name]) => name !== ALL).reduce((sum, [, seconds]) => sum + seconds, 0);
    return this.#wallMs === 0 ? 0 : Math.max(0, (((this.#used.get(ALL) ?? 0) - named) * 1_000) / this.#wallMs);
  }

  /** `server 0.95, Postgres 0.44, others 0.02 of 2 cores`. */
  toString(): string {
    if (this.#used.size === 0 || this.#wallMs === 0) return 'not known on this system';
    const shares = [...this.#used].filter(([name]) => name !== ALL).map(([name, seconds]) => `${name} ${shown((seconds * 1_000) / this.#wallMs)}`);
    return `${shares.join(', ')}, others ${shown(this.others)} of ${availableParallelism()} cores`;
  }

  #now(): Map<string, number> {
    if (process.platform !== 'linux') return new Map();
    const named = Object.entries(this.#watched).map(([name, who]): [string, number] => [
      name,
      'pid' in who ? secondsOf(who.pid) : secondsOfPostgres(who.postmaster),
    ]);
    return new Map([...named, [ALL, secondsOfMachine()]]);
  }
}

const ALL = '(all)';

/** Everything but idling, waiting for a disk and what a hypervisor took. */
function secondsOfMachine(): number {
  const [user = 0, nice = 0, system = 0, , , interrupts = 0, softInterrupts = 0] = (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '')
    .split(/ +/)
    .slice(1)
    .map(Number);
  return (user + nice + system + interrupts + softInterrupts) / TICKS_A_SECOND;
}

interface Stat {
  readonly parent: number;
  readonly seconds: number;
  /** Of children that ended. */
  readonly endedSeconds: number;
}

function secondsOf(pid: number): number {
  return statOf(pid)?.seconds ?? 0;
}

function secondsOfPostgres(postmaster: number): number {
  const own = statOf(postmaster);
  let seconds = own ? own.seconds + own.endedSeconds : 0;
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = statOf(Number(name));
    if (stat?.parent === postmaster) seconds += stat.seconds;
  }
  return seconds;
}

function statOf(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // After the name in brackets, which may hold anything: state, parent, …; times are fields 14 to 17 of the line.
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(11, 15);
    return { parent: fields[1] ?? 0, seconds: (user + system) / TICKS_A_SECOND, endedSeconds: (endedUser + endedSystem) / TICKS_A_SECOND };
  } catch {
    return undefined;
  }
}
