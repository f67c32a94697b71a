// npm run chaos -- [--seed N] [--rounds N] [SCENARIO …]
// Faults by chance, one scenario after another, each ended by a look at the whole (tests/support/whole.ts). A scenario is a test file of
// this folder by its name; all where none is named. The seed is told at the start and at a failure, and gives the same faults again.
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const root = join(import.meta.dirname, '../..');
const ROUNDS = 20;
const MOST_SEED = 2 ** 31;
/** Each test bounds itself by its rounds; this is for what hangs beside them. */
const MOST_HOURS = 6;

const scenarios = readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => name.slice(0, -'.test.ts'.length));

process.exitCode = await main();

async function main(): Promise<number> {
  const asked = parsed();
  if (asked === undefined) {
    process.stderr.write(
      `npm run chaos -- [--seed N] [--rounds N] [SCENARIO …]: whole numbers from 1 on, and scenarios of ${scenarios.join(', ')}.\n`,
    );
    return 1;
  }
  const { seed, rounds, names } = asked;
  process.stdout.write(`seed ${seed}, ${rounds} rounds of ${names.join(', ')}\n`);
  const files = names.map((name) => `tests/fault/${name}.test.ts`);
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const child = spawn(process.execPath, [vitest, 'run', '--project', 'whole', '--no-file-parallelism', ...files], {
    cwd: root,
    env: { ...process.env, CHAOS_SEED: String(seed), CHAOS_ROUNDS: String(rounds) },
    stdio: 'inherit',
  });
  const hung = setTimeout(() => child.kill('SIGTERM'), MOST_HOURS * 3_600_000);
  // A signal is passed on, so that nothing is left behind; Ctrl-C reaches both by itself.
  const stop = (): void => void child.kill('SIGTERM');
  process.once('SIGTERM', stop).on('SIGINT', () => {});
  const code = await new Promise<number>((resolve) => child.once('close', (ended) => resolve(ended ?? 1)));
  clearTimeout(hung);
  process.stdout.write(
    code === 0
      ? `${names.length} scenarios survived, seed ${seed}\n`
      : `FAILED with seed ${seed}: npm run chaos -- --seed ${seed} --rounds ${rounds} ${names.join(' ')}\n`,
  );
  return code;
}

function parsed(): { readonly seed: number; readonly rounds: number; readonly names: readonly string[] } | undefined {
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options: { seed: { type: 'string' }, rounds: { type: 'string' } } });
    const seed = Number(values.seed ?? randomInt(1, MOST_SEED));
    const rounds = Number(values.rounds ?? ROUNDS);
    const areNumbers = [seed, rounds].every((number) => Number.isSafeInteger(number) && number >= 1);
    if (!areNumbers || seed >= MOST_SEED || positionals.some((name) => !scenarios.includes(name))) return undefined;
    return { seed, rounds, names: positionals.length > 0 ? positionals : scenarios };
  } catch {
    return undefined;
  }
}
