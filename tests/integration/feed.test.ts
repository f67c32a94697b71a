// A feed from its bytes to the journal and the run's row: what is taken, what is told again, and what a broken store leaves behind.
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CommandHandler } from '../../src/commands/handler.ts';
import { eventDefinitions } from '../../src/domain/events.ts';
import type { Actor } from '../../src/domain/kernel/event.ts';
import { type FeedKind, runFeed } from '../../src/feeds/feed.ts';
import { linesOf } from '../../src/feeds/lines.ts';
import { type FeedRun, FeedRuns } from '../../src/feeds/runs.ts';
import { type LineResult, Spool, Spools } from '../../src/feeds/spool.ts';
import { ticketsFeed } from '../../src/feeds/tickets.ts';
import { EventCodec } from '../../src/journal/codec.ts';
import { type Journal, JournalUnavailable } from '../../src/journal/journal.ts';
import { Keyring, type MasterKey } from '../../src/journal/keyring.ts';
import { Opener } from '../../src/journal/sealing.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { MemoryJournal } from '../support/memory-journal.ts';

const feeder: Actor = { subject: 'complaints-import', role: 'integration' };
const kind = ticketsFeed as unknown as FeedKind;
const now = (): number => Date.UTC(2026, 2, 3, 12);
const master: MasterKey = { version: 1, key: randomBytes(32) };

let database: TestDatabase;
let pool: pg.Pool;
let runs: FeedRuns;
let folder: string;
let spools: Spools;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool({ url: database.url, max: 6, applicationName: 'feed-test', role: 'shiji_app' });
  runs = new FeedRuns(pool);
  folder = mkdtempSync(join(tmpdir(), 'shiji-feed-'));
  spools = new Spools(folder);
});
afterAll(async () => {
  await pool.end();
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

const entry = (id: string | number, over: object = {}) => ({
  source: { system: 'cfpb', id: String(id) },
  type: 'complaint',
  priority: 'normal',
  channel: 'web',
  summary: `Card ${id}`,
  receivedAt: '2026-03-02[America/New_York]',
  closed: true,
  ...over,
});
const entries = (count: number) => Array.from({ length: count }, (_, index) => entry(index + 1));

/** A bank of its own: a journal and whoever writes to it. */
function newBank(journal: Journal = new MemoryJournal({ now })) {
  const parts = async () => {
    const id = await journal.identity();
    const keyring = new Keyring(pool, [master]);
    return {
      id,
      handler: new CommandHandler({ journal, codec: new EventCodec(id, eventDefinitions), keyring, opener: new Opener(id, keyring), now }),
      keyring,
    };
  };
  return {
    journal,
    types: async () => (await journal.readAll({ after: 0, limit: 100_000 })).events.map(({ type }) => type),
    feed: async (
      lines: readonly (object | string)[],
      { id = randomUUID(), actor = feeder, spool = spools.open(id) } = {},
    ): Promise<{ run: FeedRun; results: LineResult[]; id: string }> => {
      const body = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
      async function* bytes(): AsyncGenerator<Uint8Array> {
        yield Buffer.from(body);
      }
      const { handler } = await parts();
      const run = await runFeed(
        { handler, runs, now },
        { id, kind, lines: linesOf(bytes()), actor, correlationId: 'feed', purpose: 'migration', spool },
      );
      return { run, id, results: resultsOf(id) };
    },
    destroy: async (ticket: string) => (await parts()).keyring.destroy(`ticket-${ticket}`, 'service', new Date(now()).toISOString()),
  };
}

/** As spooled, in the order of the lines. */
function resultsOf(id: string): LineResult[] {
  const text = readFileSync(join(folder, `${id}.ndjson`), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LineResult)
    .sort((a, b) => a.line - b.line);
}
const outcomes = (results: readonly LineResult[]): string[] => results.map(({ line, outcome }) => `${line} ${outcome}`);

describe('a feed', () => {
  it('makes each line a ticket, and tells its number and id', async () => {
    const bank = newBank();
    const { run, results, id } = await bank.feed(entries(3));
    expect(run).toStrictEqual({
      id,
      kind: 'tickets',
      subject: feeder.subject,
      status: 'finished',
      lines: 3,
      created: 3,
      repeated: 0,
      rejected: 0,
      position: 3,
      detail: null,
      started_at: '2026-03-03T12:00:00.000Z',
      updated_at: '2026-03-03T12:00:00.000Z',
    });
    expect(await runs.find(id)).toStrictEqual(run);
    expect(outcomes(results)).toStrictEqual(['1 created', '2 created', '3 created']);
    const { events } = await bank.journal.readAll({ after: 0, limit: 10 });
    expect(events.map(({ stream }) => stream.slice('ticket-'.length)).toSorted()).toStrictEqual(results.map((result) => result.id).toSorted());
    expect(JSON.parse(events[0]?.metadata ?? '')).toMatchObject({
      channel: 'feed:cfpb',
      purpose: 'migration',
      actor: feeder,
      occurredAt: '2026-03-02[America/New_York]',
      $correlationId: 'feed',
    });
  });

  it('sent again changes nothing, whoever brings it, and says the same ids', async () => {
    const bank = newBank();
    const first = await bank.feed(entries(20));
    for (const actor of [feeder, { subject: 'another-import', role: 'integration' }]) {
      const again = await bank.feed([...entries(20), entry(21, { source: { system: 'cfpb', id: `${actor.subject}` } })], { actor });
      expect(again.run).toMatchObject({ status: 'finished', lines: 21, created: 1, repeated: 20, rejected: 0 });
      expect(again.run.position).toBeGreaterThanOrEqual(first.run.position);
      expect(again.results.slice(0, 20).map(({ id }) => id)).toStrictEqual(first.results.map(({ id }) => id));
    }
    expect(await bank.types()).toHaveLength(22);
  });

  it('takes a line twice in one body for one ticket', async () => {
    const bank = newBank();
    const { run } = await bank.feed([...entries(5), ...entries(5)]);
    expect(run).toMatchObject({ lines: 10, created: 5, repeated: 5, rejected: 0 });
    expect(await bank.types()).toHaveLength(5);
  });

  it('takes the same id of another source for another ticket', async () => {
    const bank = newBank();
    const { run } = await bank.feed([entry(1), entry(1, { source: { system: 'crm-old', id: '1' } })]);
    expect(run).toMatchObject({ created: 2, repeated: 0 });
  });

  it('refuses a record that was told before and differently, and says so of its id', async () => {
    const bank = newBank();
    await bank.feed(entries(3));
    const { run, results } = await bank.feed([entry(1), entry(2, { summary: 'Another' }), entry(3)]);
    expect(run).toMatchObject({ status: 'finished', created: 0, repeated: 2, rejected: 1 });
    expect(results[1]).toStrictEqual({
      line: 2,
      outcome: 'rejected',
      errors: [{ pointer: '/source/id', detail: 'cfpb 2 was told before, and differently' }],
    });
    expect(await bank.types()).toHaveLength(3);
  });

  it('is never stopped by a bad line, and tells each by its number, its field and why', async () => {
    const bank = newBank();
    const { run, results } = await bank.feed([
      entry(1),
      '{"source": ',
      entry(2, { priority: 'soon', surprise: 1 }),
      '',
      entry(3, { source: { system: 'CFPB', id: '' } }),
      '[]',
      'null',
      entry(4, { receivedAt: '1850-01-01[America/New_York]', closed: false }),
      '{"a":"\\u0000"}',
      JSON.stringify(entry(5, { product: 'NUL' })).replace('NUL', '\\u0000'),
      JSON.stringify(entry(6, { details: { half: 'HALF' } })).replace('HALF', '\\uD800'),
      JSON.stringify(entry(7, { product: 'horse' })).replace('horse', '\\uD83D\\uDC0E'),
      'x'.repeat(1_048_577),
      entry(8, { details: Object.fromEntries(Array.from({ length: 480 }, (_, n) => [`k${n}`, 'x'.repeat(2_000)])) }),
      entry(9),
    ]);
    expect(outcomes(results)).toStrictEqual([
      '1 created',
      '2 rejected',
      '3 rejected',
      '5 rejected',
      '6 rejected',
      '7 rejected',
      '8 rejected',
      '9 rejected',
      '10 rejected',
      '11 rejected',
      '12 created',
      '13 rejected',
      '14 rejected',
      '15 created',
    ]);
    expect(run).toMatchObject({ status: 'finished', lines: 14, created: 3, repeated: 0, rejected: 11 });
    const reasons = Object.fromEntries(results.map(({ line, errors }) => [line, errors?.map(({ pointer, detail }) => `${pointer} ${detail}`)]));
    expect(reasons[2]).toStrictEqual([' the line is not JSON']);
    expect(reasons[3]).toStrictEqual([expect.stringContaining('/priority '), '/surprise unknown: a line of this kind has no such field']);
    expect(reasons[5]).toStrictEqual([expect.stringContaining('/source/system '), expect.stringContaining('/source/id ')]);
    expect(reasons[8]).toStrictEqual([expect.stringContaining('/receivedAt an RFC 3339 instant such as')]);
    for (const line of [9, 10, 11]) expect(reasons[line]).toStrictEqual([' the line has a NUL character or half a surrogate pair in a string']);
    expect(reasons[13]).toStrictEqual([' the line is longer than 1048576 bytes']);
    expect(reasons[14]).toStrictEqual([expect.stringMatching(/^ an append of \d+ bytes is over the limit of 1000000 bytes$/)]);
    expect(await bank.types()).toHaveLength(3);
  });

  it('is not stopped by a line that nests deeper than a stack goes', async () => {
    const bank = newBank();
    const deep = `${'['.repeat(200_000)}"\\u0000"${']'.repeat(200_000)}`;
    const { results } = await bank.feed([entry(1), `{"summary":${deep}}`, entry(2)]);
    expect(outcomes(results)).toStrictEqual(['1 created', '2 rejected', '3 created']);
  });

  it('rejects what is in the future, by its field', async () => {
    const { results } = await newBank().feed([entry(1, { receivedAt: '2198-12-31T00:00:00Z', closed: false })]);
    expect(results).toMatchObject([{ outcome: 'rejected', errors: [{ pointer: '/receivedAt', detail: expect.stringContaining('in the future') }] }]);
  });

  it('rejects an instant that has the form of one and is none, and keeps it out of the journal', async () => {
    const bank = newBank();
    const none = ['2026-02-30T25:61:61.000Z', '2026-02-30T00:00:00.000Z', '2026-01-01T24:00:00.000Z', '2026-01-01T24:00:00Z'];
    const { results } = await bank.feed(none.map((receivedAt, index) => entry(index, { receivedAt, closed: false })));
    expect(outcomes(results)).toStrictEqual(none.map((_, index) => `${index + 1} rejected`));
    expect(await bank.types()).toHaveLength(0);
  });

  it('repeats nothing of what a line said in its results', async () => {
    const bank = newBank();
    const { id } = await bank.feed([
      entry(1, { summary: 'canary-summary', details: { state: 'canary-details' } }),
      '{"canary":"broken',
      entry(2, { priority: 'canary-priority', summary: 'canary-other' }),
    ]);
    expect(readFileSync(join(folder, `${id}.ndjson`), 'utf8')).not.toContain('canary');
  });

  it('of thousands of lines counts them all', async () => {
    const bank = newBank();
    const { run, results } = await bank.feed(entries(3_000));
    expect(run).toMatchObject({ lines: 3_000, created: 3_000, position: 3_000 });
    expect(new Set(results.map(({ id }) => id)).size).toBe(3_000);
    expect(results.map(({ line }) => line)).toStrictEqual(Array.from({ length: 3_000 }, (_, index) => index + 1));
  });

  it('takes a ticket that was erased since for one that was told before', async () => {
    const bank = newBank();
    const [one, two, three] = ['gone', 'there', 'new'].map((id) => entry(`${id}-${randomUUID()}`)) as [object, object, object];
    const { results } = await bank.feed([one, two]);
    await bank.destroy(results[0]?.id ?? '');
    const again = await bank.feed([one, two, three]);
    expect(outcomes(again.results)).toStrictEqual(['1 repeated', '2 repeated', '3 created']);
  });
});

describe('a feed that breaks', () => {
  it('is marked failed with what it did, and sent again brings what was missing', async () => {
    const memory: Journal = new MemoryJournal({ now });
    let left = 700;
    const journal = new Proxy(memory, {
      get: (target, name) => {
        if (name === 'append')
          return async (...args: Parameters<Journal['append']>) => {
            left -= 1;
            if (left < 0) throw new JournalUnavailable('the store has gone');
            return target.append(...args);
          };
        const own: unknown = Reflect.get(target, name);
        return typeof own === 'function' ? own.bind(target) : own;
      },
    });
    const bank = newBank(journal);
    const id = randomUUID();
    await expect(bank.feed(entries(2_000), { id })).rejects.toThrow(new JournalUnavailable('the store has gone'));
    expect(await runs.find(id)).toMatchObject({ status: 'failed', created: 700, rejected: 0, detail: 'JournalUnavailable' });
    expect(resultsOf(id)).toHaveLength(700);
    expect(await bank.types()).toHaveLength(700);
    left = Number.POSITIVE_INFINITY;
    const again = await bank.feed(entries(2_000));
    expect(again.run).toMatchObject({ status: 'finished', lines: 2_000, created: 1_300, repeated: 700, rejected: 0 });
    expect(await bank.types()).toHaveLength(2_000);
  });

  it('is marked failed where its body breaks off, and what came before is kept', async () => {
    const bank = newBank();
    const id = randomUUID();
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(`${JSON.stringify(entry(1))}\n${JSON.stringify(entry(2))}`);
      throw new Error('the connection was cut');
    }
    const identity = await bank.journal.identity();
    const keyring = new Keyring(pool, [master]);
    const handler = new CommandHandler({
      journal: bank.journal,
      codec: new EventCodec(identity, eventDefinitions),
      keyring,
      opener: new Opener(identity, keyring),
      now,
    });
    const running = runFeed(
      { handler, runs, now },
      { id, kind, lines: linesOf(broken()), actor: feeder, correlationId: 'feed', spool: spools.open(id) },
    );
    await expect(running).rejects.toThrow('the connection was cut');
    // The second line was not whole.
    expect(await runs.find(id)).toMatchObject({ status: 'failed', lines: 1, created: 1 });
  });

  it('is marked failed where its results can’t be kept', async () => {
    const bank = newBank();
    const id = randomUUID();
    const spool = new Spool(join(folder, 'no-such-folder', 'x.ndjson'));
    await expect(bank.feed(entries(2), { id, spool })).rejects.toThrow('the results of the feed could not be spooled');
    expect(await runs.find(id)).toMatchObject({ status: 'failed' });
  });

  it('that a dead process left running ends as failed', async () => {
    const bank = newBank();
    const { run } = await bank.feed(entries(1));
    const dead = { ...run, id: randomUUID(), status: 'running' as const };
    await runs.save(dead);
    expect(await runs.find(dead.id)).toStrictEqual(dead);
    await runs.failAbandoned('2026-03-04T00:00:00.000Z');
    expect(await runs.find(dead.id)).toMatchObject({ status: 'failed', detail: 'the server stopped', updated_at: '2026-03-04T00:00:00.000Z' });
    expect(await runs.find(run.id)).toStrictEqual(run);
  });
});

describe('the runs', () => {
  it('of one who brings feeds are told the newest first, and nobody else’s', async () => {
    const actor = { subject: `import-${randomUUID()}`, role: 'integration' };
    const bank = newBank();
    const brought = [await bank.feed(entries(1), { actor }), await bank.feed(entries(1), { actor })].map(({ run }) => run);
    const older = { ...(brought[0] as FeedRun), id: randomUUID(), started_at: '2026-03-01T00:00:00.000Z' };
    await runs.save(older);
    await bank.feed(entries(1));
    const newest = await runs.newestOf(actor.subject);
    expect(newest.map(({ id }) => id)).toStrictEqual([...brought.map(({ id }) => id).toSorted(), older.id]);
  });
});

describe('the results on disk', () => {
  it('can be read while they are there, and are nobody else’s', async () => {
    const { id } = await newBank().feed(entries(2));
    const stream = await spools.read(id);
    const chunks: Buffer[] = [];
    for await (const chunk of stream ?? []) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).toString().split('\n')).toHaveLength(3);
    await spools.remove(id);
    expect(await spools.read(id)).toBeUndefined();
    expect(await spools.read(randomUUID())).toBeUndefined();
  });
});
