// The API on a journal in memory: every route there is, and two commands and a read of its own, so that what holds for routes can be
// tried before and beside those of the contexts.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { Kysely, PostgresDialect } from 'kysely';
import type { Pool } from 'pg';
import { z } from 'zod';
import { mintToken, type TokenRequest } from '../../src/api/auth.ts';
import { pageParameters } from '../../src/api/page.ts';
import type { Read, ReadRecords } from '../../src/api/read-record.ts';
import { pageAnswer, readRoute } from '../../src/api/read-route.ts';
import { contextRoutes } from '../../src/api/routes.ts';
import { type ApiRoutes, buildServer, type ServerParts } from '../../src/api/server.ts';
import { PostgresClaims } from '../../src/claims/postgres-claims.ts';
import { systemClock } from '../../src/clock.ts';
import { allCommands } from '../../src/commands/all.ts';
import { type AnyCommand, defineCommand } from '../../src/commands/command.ts';
import { FourEyes } from '../../src/commands/four-eyes.ts';
import { CommandHandler } from '../../src/commands/handler.ts';
import { eventDefinitions } from '../../src/domain/events.ts';
import type { Decider } from '../../src/domain/kernel/decider.ts';
import { defineEvent, type FactOf } from '../../src/domain/kernel/event.ts';
import { personal } from '../../src/domain/kernel/personal.ts';
import type { Role } from '../../src/domain/kernel/roles.ts';
import { Spools } from '../../src/feeds/spool.ts';
import { EventCodec } from '../../src/journal/codec.ts';
import { Keyring } from '../../src/journal/keyring.ts';
import { Opener } from '../../src/journal/sealing.ts';
import { createLogger } from '../../src/logging.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { projections } from '../../src/projections/all.ts';
import { ProjectionEngine } from '../../src/projections/engine/engine.ts';
import { Progress } from '../../src/projections/engine/progress.ts';
import { createSearchTokens } from '../../src/projections/engine/search-tokens.ts';
import type { TestDatabase } from './database.ts';
import { MemoryJournal } from './memory-journal.ts';

export const TEST_SECRET = 'a secret of the tests, 32 bytes or more';
export const TEST_ISSUER = { issuer: 'shiji', audience: 'shiji' };

/** A note: written, then struck; its text is personal. */
export const noteEvents = [
  defineEvent('NoteWritten', z.strictObject({ about: z.string(), text: personal(z.string()) })),
  defineEvent('NoteStruck', z.strictObject({})),
] as const;
type NoteFact = FactOf<typeof noteEvents>;
type Note = 'none' | 'written' | 'struck';

type NoteCommand = { readonly write: { readonly about: string; readonly text: string } } | { readonly strike: true };

const note: Decider<NoteCommand, Note, NoteFact, 'NoteNotFound' | 'NoteStruckAlready'> = {
  initialState: 'none',
  evolve: (_state, fact) => (fact.type === 'NoteWritten' ? 'written' : 'struck'),
  decide: (command, state) => {
    if ('write' in command) return [{ type: 'NoteWritten', data: command.write }];
    if (state === 'none') return { rejected: 'NoteNotFound', detail: 'There is no such note.' };
    if (state === 'struck') return { rejected: 'NoteStruckAlready', detail: 'The note was struck already.' };
    return [{ type: 'NoteStruck', data: {} }];
  },
};

export const writeNote = defineCommand({
  name: 'WriteNote',
  summary: 'Write a note',
  route: 'POST /v1/notes',
  roles: ['agent', 'operations'],
  params: z.strictObject({}),
  body: z.strictObject({
    about: z.enum(['weather', 'money']),
    text: z.string().trim().min(1).max(500),
    priority: z.int().min(1).max(9).optional(),
    tags: z
      .array(z.strictObject({ name: z.string().max(20) }))
      .max(5)
      .optional(),
  }),
  category: 'note',
  decider: note,
  rejections: { NoteNotFound: 404, NoteStruckAlready: 409 },
  command: ({ body: { about, text } }) => ({ write: { about, text } }),
});

export const strikeNote = defineCommand({
  name: 'StrikeNote',
  summary: 'Strike a note',
  route: 'POST /v1/notes/{noteId}/strike',
  roles: ['agent'],
  params: z.strictObject({ noteId: z.uuid() }),
  body: z.strictObject({}),
  category: 'note',
  target: ({ noteId }) => noteId,
  decider: note,
  rejections: { NoteNotFound: 404, NoteStruckAlready: 409 },
  command: () => ({ strike: true as const }),
});

export const noteCommands: readonly AnyCommand[] = [writeNote, strikeNote];

interface Numbers {
  readonly numbers: { readonly id: number; readonly note: string | null };
}

/** A list of what a test put into `public.numbers`. */
export function numberRoutes(pool: Pool): ApiRoutes {
  const db = new Kysely<Numbers>({ dialect: new PostgresDialect({ pool }) });
  return (app, api) => {
    readRoute(app, api, {
      name: 'ListNumbers',
      summary: 'Numbers',
      route: 'GET /v1/numbers',
      roles: ['agent', 'operations'],
      query: z.strictObject({ note: z.string().max(50).optional(), order: z.enum(['asc', 'desc']).default('asc'), ...pageParameters }),
      answer: pageAnswer(z.object({ id: z.int(), note: z.string().nullable() })),
      personal: true,
      projections: ['numbers'],
      csv: [
        { header: 'id', value: ({ id }) => id },
        { header: 'note', value: ({ note: text }) => text },
      ],
      read: async ({ query, page, record }) => {
        let numbers = db.selectFrom('numbers').select(['id', 'note']);
        if (query.note !== undefined) numbers = numbers.where('note', '=', query.note);
        const found = await page({
          query: numbers,
          sort: [
            { column: 'note', direction: query.order, nullable: true },
            { column: 'id', direction: 'asc' },
          ],
        });
        await record({ ids: found.items.map(({ id }) => `number-${id}`), fields: ['note'] });
        return found;
      },
    });
    readRoute(app, api, {
      name: 'GetNumber',
      summary: 'One number',
      route: 'GET /v1/numbers/{id}',
      roles: ['agent'],
      params: z.strictObject({ id: z.coerce.number().int().min(0).max(1_000_000) }),
      answer: z.object({ id: z.int(), note: z.string().nullable() }),
      personal: true,
      read: async ({ params, record, denied, etag }) => {
        const row = await db.selectFrom('numbers').select(['id', 'note']).where('id', '=', params.id).executeTakeFirst();
        if (row === undefined || row.note === 'hidden') throw await denied([`number-${params.id}`]);
        await record({ ids: [`number-${row.id}`], fields: ['note'] });
        etag(3);
        return row;
      },
    });
  };
}

/** Reads kept in memory, and refused while `broken`. */
export class MemoryReadRecords implements ReadRecords {
  readonly reads: Read[] = [];
  broken = false;
  async write(read: Read): Promise<void> {
    if (this.broken) throw new Error('the disk is full');
    this.reads.push(read);
  }
}

export interface TestApi {
  readonly app: FastifyInstance;
  readonly journal: MemoryJournal;
  readonly pool: Pool;
  readonly lines: string[];
  token(role: Role, options?: Partial<TokenRequest>): string;
  /** An `Authorization` header. */
  as(role: Role, subject?: string): { authorization: string };
  close(): Promise<void>;
}

export interface TestApiOptions extends Partial<ServerParts> {
  /** With the commands, routes and read models of the contexts as well. */
  readonly contexts?: true;
  /** Epoch milliseconds; the system's clock where absent. */
  readonly clockMs?: () => number;
}

/** `database` undefined: no database answers, as when it is down. */
export async function createTestApi(database: TestDatabase | undefined, { contexts, clockMs, ...overrides }: TestApiOptions = {}): Promise<TestApi> {
  const lines: string[] = [];
  const log = createLogger({ level: 'info', destination: { write: (line: string) => void lines.push(line) } });
  const clock = systemClock();
  const now = clockMs ?? (() => clock.now());
  const journal = new MemoryJournal({ now });
  const pool = createPool({ url: database?.url ?? 'postgres://nobody@127.0.0.1:1/none', max: 4, applicationName: 'shiji-test', role: 'shiji_app' });
  const codec = new EventCodec('journal of the tests', [...noteEvents, ...eventDefinitions]);
  const keyring = new Keyring(pool, [{ version: 1, key: Buffer.alloc(32, 1) }]);
  const opener = new Opener('journal of the tests', keyring);
  const claims = new PostgresClaims(pool, Buffer.alloc(32, 5));
  const handler = new CommandHandler({ journal, codec, keyring, opener, now, claims });
  const commands = [...noteCommands, ...(contexts ? allCommands(projections.map(({ name }) => name)) : [])];
  const fourEyes = new FourEyes({ handler, journal, codec, opener, now, commands });
  const folder = mkdtempSync(join(tmpdir(), 'shiji-test-api-'));
  const searchTokens = createSearchTokens(Buffer.alloc(32, 4));
  let engine: ProjectionEngine | undefined;
  let progress: ServerParts['progress'] = {
    waitUntil: async (_projections: readonly string[], position: number) => position < 1_000_000,
    describeProjections: async () => [],
    lag: async () => [],
  };
  if (contexts && database !== undefined) {
    const real = new Progress({ pool, journal, now });
    const personals = { openMany: (values: Parameters<Opener['openMany']>[0]) => opener.openMany(values), tokens: searchTokens.tokens };
    engine = new ProjectionEngine({ pool, journal, codec, opener, searchTokens, now, progress: real, projections, personals, log } as never);
    await engine.start();
    await real.waitUntil(
      projections.map(({ name }) => name),
      0,
      15_000,
    );
    // The read model of the tests' own list is always there.
    progress = {
      waitUntil: (names, position, ms) =>
        real.waitUntil(
          names.filter((name) => name !== 'numbers'),
          position,
          ms,
        ),
      describeProjections: () => real.describeProjections(),
      lag: () => real.lag(),
    };
  }
  const app = await buildServer({
    log,
    auth: { algorithm: 'HS256', secret: TEST_SECRET, ...TEST_ISSUER },
    secret: Buffer.alloc(32, 2),
    now,
    commands,
    handler: fourEyes,
    journal,
    codec,
    opener,
    progress,
    pool,
    searchTokens,
    rateLimitPerMinute: 0,
    routes: [
      numberRoutes(pool),
      ...(contexts
        ? contextRoutes({
            pool,
            clock,
            zone: 'Asia/Shanghai',
            handler: fourEyes,
            fourEyes,
            searchTokens,
            spools: new Spools(join(folder, 'feeds')),
            customers: { claims, journal, codec, opener },
          })
        : []),
    ],
    ...overrides,
  });
  const token = (role: Role, options: Partial<TokenRequest> = {}): string =>
    mintToken({ secret: TEST_SECRET, ...TEST_ISSUER, role, subject: `${role}-1`, expiresIn: '1h', ...options });
  return {
    app,
    journal,
    pool,
    lines,
    token,
    as: (role, subject = `${role}-1`) => ({ authorization: `Bearer ${token(role, { subject })}` }),
    close: async () => {
      await app.close();
      await engine?.stop();
      await pool.end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
