// The golden journal through every projection: what any program ever wrote is still read, folded without a fault, and gives the same rows.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventDefinitions } from '../../src/domain/events.ts';
import { Sealed } from '../../src/domain/kernel/personal.ts';
import { EventCodec } from '../../src/journal/codec.ts';
import type { StoredEvent } from '../../src/journal/journal.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { projections } from '../../src/projections/all.ts';
import { ProjectionEngine } from '../../src/projections/engine/engine.ts';
import { createSearchTokens } from '../../src/projections/engine/search-tokens.ts';
import { tableSql } from '../../src/projections/engine/table-sql.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { MemoryJournal } from '../support/memory-journal.ts';
import { GOLDEN_JOURNAL_ID, goldenOpener, readGolden } from './journal.ts';

const ROWS_FILE = join(import.meta.dirname, 'rows.json');

interface GoldenTable {
  readonly version: number;
  readonly rows: readonly Record<string, string | null>[];
}

const codec = new EventCodec(GOLDEN_JOURNAL_ID, eventDefinitions);
const schemaOf = ({ metadata }: StoredEvent): number => (JSON.parse(metadata) as { schema: number }).schema;

const otherRows = (name: string): string =>
  `${name} gives other rows: raise its version, so that what stands is built anew (a version that was never released: remove rows.json first)`;

export function describeGoldenJournal(): void {
  describe('the golden journal', () => {
    it('holds every version of every event type that may stand in a journal', () => {
      const there = new Set(readGolden().map((event) => `${event.type}, schema ${schemaOf(event)}`));
      const missing = eventDefinitions
        .flatMap(({ type, schema }) => Array.from({ length: schema }, (_, index) => `${type}, schema ${index + 1}`))
        .filter((version) => !there.has(version));
      expect(missing, 'add a fact of each to the end of tests/golden/facts.ts and run: node tests/golden/write.ts').toEqual([]);
    });

    it('is read by this program, every personal value opens, and each event is what its schema says today', async () => {
      const definitions = new Map(eventDefinitions.map((definition) => [definition.type, definition]));
      for (const stored of readGolden()) {
        const event = codec.decode(stored);
        if ('unknown' in event) throw new Error(`${stored.type} at position ${stored.position} is unknown`);
        const data = await opened(event.data);
        const parsed = definitions.get(stored.type)?.data.safeParse(data);
        expect(parsed?.error, `${stored.type} at position ${stored.position}`).toBeUndefined();
      }
    });

    describe('replayed', () => {
      let database: TestDatabase;
      let pool: Pool;
      let engine: ProjectionEngine;
      const faults: unknown[] = [];

      beforeAll(async () => {
        database = await createTestDatabase();
        pool = createPool({ url: database.url, max: 16, applicationName: 'golden', role: 'shiji_app' });
        let nowMs = 0;
        const journal = new MemoryJournal({ now: () => nowMs });
        for (const { stream, revision, recordedAtMs, ...event } of readGolden()) {
          // The operators' orders of the time are no orders of today.
          const name = stream.startsWith('projection-') ? `golden-${stream}` : stream;
          nowMs = recordedAtMs;
          await journal.append(name, revision === 0 ? 'no-stream' : revision - 1, [event]);
        }
        const searchTokens = createSearchTokens(Buffer.alloc(32, 7));
        const fault = (fields: object, message: string): void => void faults.push({ message, ...fields });
        engine = new ProjectionEngine({
          journal,
          codec,
          pool,
          projections,
          personals: { openMany: (values) => goldenOpener.openMany(values), tokens: searchTokens.tokens },
          now: Date.now,
          log: { info: () => {}, warn: fault, error: fault },
        });
        await engine.start();
        const names = projections.map(({ name }) => name);
        expect(await engine.progress.waitUntil(names, (await journal.head()).position, 20_000)).toBe(true);
      });
      afterAll(async () => {
        await engine.stop();
        await pool.end();
        await database.drop();
      });

      it('parks nothing', async () => {
        expect((await pool.query('select projection, key, position, error from engine.parked')).rows).toEqual([]);
        expect(faults).toEqual([]);
      });

      it('gives the rows that it always gave, or another version of the projection', async () => {
        const tables: Record<string, GoldenTable> = {};
        for (const projection of projections) {
          const { columns, scan } = tableSql('read', projection);
          const texts = { getTypeParser: () => (text: string) => text };
          const { rows } = await pool.query<(string | null)[]>({ text: scan, rowMode: 'array', types: texts });
          tables[projection.name] = {
            version: projection.version,
            rows: rows.map(([, ...cells]) => Object.fromEntries(columns.map(({ name }, index) => [name, cells[index] ?? null]))),
          };
        }
        const before = existsSync(ROWS_FILE) ? (JSON.parse(readFileSync(ROWS_FILE, 'utf8')) as Record<string, GoldenTable>) : {};
        for (const [name, { version, rows }] of Object.entries(before))
          if (tables[name]?.version === version) {
            // New events of the golden journal may add to what stands.
            const stood = new Set(rows.map((row) => JSON.stringify(row)));
            const stand = new Set(tables[name].rows.map((row) => JSON.stringify(row)));
            expect([...stood.difference(stand)], otherRows(name)).toEqual([]);
          }
        // Then `vitest -u` accepts them, to be read in review.
        await expect(`${JSON.stringify(tables, null, 2)}\n`).toMatchFileSnapshot(ROWS_FILE);
      });
    });
  });
}

async function opened(data: unknown): Promise<unknown> {
  if (data instanceof Sealed) return goldenOpener.open(data);
  if (Array.isArray(data)) return Promise.all(data.map(opened));
  if (typeof data !== 'object' || data === null) return data;
  return Object.fromEntries(await Promise.all(Object.entries(data).map(async ([name, item]) => [name, await opened(item)])));
}
