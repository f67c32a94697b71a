// Writers that load a journal, in this process or as a process of their own:
//   node tests/support/journal-writer.ts '{"module":"…/eventstoredb-journal.ts","open":"openEventStoreDbJournal","options":{…},"load":{…}}'

import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Journal } from '../../src/journal/journal.ts';

/** How another process opens the same store: an exported function of a module, which takes these options and a clock. */
export interface StoreAddress {
  /** Absolute path of the module. */
  readonly module: string;
  /** Name of the exported `(options & { now: () => number }) => Promise<Journal>`. */
  readonly open: string;
  readonly options: Readonly<Record<string, unknown>>;
}

export interface Load {
  /** All streams written are of this category. */
  readonly category: string;
  readonly writers: number;
  /** Appends of each writer, one after the other, over four streams of its own; one to three events each. */
  readonly appends: number;
}

/** How many events one writer of a load writes. */
export const eventsOf = ({ writers, appends }: Load): number =>
  writers * Array.from({ length: appends }, (_, turn) => 1 + (turn % 3)).reduce((sum, n) => sum + n, 0);

async function write(journal: Journal, { category, appends }: Load): Promise<void> {
  const streams = Array.from({ length: 4 }, () => ({ name: `${category}-${randomUUID()}`, revision: -1 }));
  for (let turn = 0; turn < appends; turn += 1) {
    const stream = streams[turn % streams.length];
    if (!stream) continue;
    const events = Array.from({ length: 1 + (turn % 3) }, () => ({ id: randomUUID(), type: 'Written', data: `{"turn":${turn}}`, metadata: '{}' }));
    const result = await journal.append(stream.name, stream.revision < 0 ? 'no-stream' : stream.revision, events);
    if (!result.appended) throw new Error(`${stream.name} has one writer, and yet met revision ${result.revision}`);
    stream.revision = result.revision;
  }
}

export async function writeLoad(journal: Journal, load: Load): Promise<void> {
  await Promise.all(Array.from({ length: load.writers }, () => write(journal, load)));
}

/** The same by an operating system process of its own. */
export async function writeLoadElsewhere(address: StoreAddress, load: Load): Promise<void> {
  const child = fork(fileURLToPath(import.meta.url), [JSON.stringify({ ...address, load })], {
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`the writing process ended with ${code}`);
}

if (import.meta.main) {
  const { module, open, options, load } = JSON.parse(process.argv[2] ?? '') as StoreAddress & { load: Load };
  const exported = (await import(pathToFileURL(module).href)) as Record<string, (options: object) => Promise<Journal>>;
  const journal = await exported[open]?.({ ...options, now: Date.now });
  if (!journal) throw new Error(`${module} exports no ${open}`);
  await writeLoad(journal, load);
  await journal.close();
  process.disconnect?.();
}
