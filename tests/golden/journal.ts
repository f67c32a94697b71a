// The golden journal as bytes, and the keys under which its personal fields were sealed: fixed for good, and nobody's.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StoredEvent } from '../../src/journal/journal.ts';
import type { DataKey, Keyring } from '../../src/journal/keyring.ts';
import { Opener } from '../../src/journal/sealing.ts';

export const GOLDEN_FILE = join(import.meta.dirname, 'journal.ndjson');
export const GOLDEN_JOURNAL_ID = '60de0000-0000-4000-8000-000000000001';

export function readGolden(): readonly StoredEvent[] {
  if (!existsSync(GOLDEN_FILE)) return [];
  return readFileSync(GOLDEN_FILE, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as StoredEvent);
}

/** The key's own id says which it is, so that no list has to be kept. */
export function goldenKey(subject: string, retention: string): DataKey {
  return keyOf(createHash('sha256').update(`${subject} ${retention}`).digest().readUInt32BE(0));
}

function keyOf(id: number): DataKey {
  return { id, version: 1, key: createHash('sha256').update(`golden ${id}`).digest() };
}

export const goldenOpener = new Opener(GOLDEN_JOURNAL_ID, {
  forOpening: async (ids: readonly number[]) => new Map(ids.map((id) => [id, keyOf(id)])),
} as unknown as Keyring);
