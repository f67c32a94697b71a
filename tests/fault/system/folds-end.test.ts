// A fold that never returns would stop its process's one thread, and the next process's after it: nothing outside could park it. So none
// may have a loop but over what it was given: an event, a row, a table of constants.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, it } from 'vitest';

const readModels = join(import.meta.dirname, '../../../src/projections');
const OPEN_LOOP = /\bwhile\s*\(|\bdo\s*\{|\bfor\s*\([^;)]*;\s*;/;

it('F15 a fold that loops: no read model has a loop that counts on a condition to end', () => {
  const files = readdirSync(readModels, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !relative(readModels, path).startsWith('engine'));
  // A rule that reads nothing would hold for ever.
  expect(files.length).toBeGreaterThan(15);
  const found = files.flatMap((path) =>
    readFileSync(path, 'utf8')
      .split('\n')
      .flatMap((line, index) => (OPEN_LOOP.test(line) ? [`${relative(readModels, path)}:${index + 1}: ${line.trim()}`] : [])),
  );
  expect(found).toStrictEqual([]);
});
