// Words that have no place in the source, each with what is right instead.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');

interface Ban {
  readonly word: RegExp;
  readonly under: string;
  readonly instead: string;
}

const bans: readonly Ban[] = [
  { word: /\bDate\.now\(/, under: 'src/domain', instead: 'time comes in with the command' },
  { word: /\bnew Date\(\)/, under: 'src/domain', instead: 'time comes in with the command' },
  { word: /\bTemporal\.Now\b/, under: 'src/domain', instead: 'time comes in with the command' },
  { word: /\bMath\.random\(/, under: 'src/domain', instead: 'ids come in with the command' },
  { word: /\bprocess\./, under: 'src/domain', instead: 'the domain knows no process: settings come in with the command' },
  { word: /\b(?:TODO|FIXME)\b/, under: 'src', instead: 'do it, or write an issue' },
  { word: /\bconsole\./, under: 'src', instead: 'logging.ts, or process.stdout in a command-line tool' },
];

const sources = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.(?:ts|sql)$/.test(entry.name))
  .map((entry) => join(entry.parentPath, entry.name));

it.each(bans)('$word has no place in $under: $instead', ({ word, under }) => {
  const files = sources.filter((path) => relative(root, path).startsWith(`${under}/`));
  // A rule that reads nothing would hold for ever.
  expect(files.length).toBeGreaterThan(5);
  const found = files.flatMap((path) =>
    readFileSync(path, 'utf8')
      .split('\n')
      .flatMap((line, index) => (word.test(line) ? [`${relative(root, path)}:${index + 1}: ${line.trim()}`] : [])),
  );
  expect(found).toStrictEqual([]);
});
