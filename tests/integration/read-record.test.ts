import { gunzipSync } from 'node:zlib';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readRoute } from '../../src/api/read-route.ts';
import { createTestApi, MemoryReadRecords, type TestApi } from '../support/api-server.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let api: TestApi;
let owner: pg.Client;
beforeAll(async () => {
  database = await createTestDatabase();
  owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
  await owner.query('create table public.numbers (id int primary key, note text); grant select on public.numbers to shiji_app');
  await owner.query(
    `insert into public.numbers select n, case when n % 3 = 0 then null when n % 7 = 0 then '=1+1' else 'n' || n % 4 end from generate_series(1, 120) n`,
  );
  await owner.query(`insert into public.numbers values (999, 'hidden')`);
  api = await createTestApi(database);
});
afterAll(async () => {
  await owner.end();
  await api.close();
  await database.drop();
});

const get = (url: string, headers: Record<string, string>) => api.app.inject({ method: 'GET', url, headers });
const reads = async () => (await owner.query('select * from access.reads order by id')).rows as Record<string, unknown>[];
let before = 0;
beforeEach(async () => {
  before = (await reads()).length;
});
const newReads = async () => (await reads()).slice(before);

interface Page {
  readonly items: { readonly id: number; readonly note: string | null }[];
  readonly next: string | null;
  readonly total?: number;
}

describe('a read of personal data', () => {
  it('is recorded with who, on whose behalf, what, which fields and why', async () => {
    const answer = await get('/v1/numbers/1', {
      authorization: `Bearer ${api.token('agent', { subject: 'alice', onBehalfOf: 'branch-7' })}`,
      'shiji-purpose': 'complaint 12',
      'x-request-id': 'r-1',
      'x-correlation-id': 'c-1',
    });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(await newReads()).toMatchObject([
      {
        subject: 'alice',
        role: 'agent',
        on_behalf_of: 'branch-7',
        method: 'GET',
        route: '/v1/numbers/{id}',
        ids: ['number-1'],
        fields: ['note'],
        purpose: 'complaint 12',
        outcome: 'shown',
        request_id: 'r-1',
        correlation_id: 'c-1',
        filter: [],
        filter_hash: null,
      },
    ]);
  });

  it('of a list is recorded with every id in it, its filter by name and hash, never in clear', async () => {
    const answer = await get('/v1/numbers?note=n1&limit=3', api.as('agent'));
    const ids = answer.json<Page>().items.map(({ id }) => `number-${id}`);
    const [read] = await newReads();
    expect(read).toMatchObject({ ids, filter: expect.arrayContaining(['note']) });
    expect(JSON.stringify({ ...read, ids: [] })).not.toContain('n1');
    await get('/v1/numbers?note=n1&limit=3', api.as('agent', 'bob'));
    await get('/v1/numbers?note=n2&limit=3', api.as('agent', 'bob'));
    const hashes = (await newReads()).map(({ filter_hash }) => filter_hash);
    expect(hashes[1]).toBe(hashes[0]);
    expect(hashes[2]).not.toBe(hashes[0]);
  });

  it('that is denied answers as if there were nothing, and is recorded', async () => {
    const hidden = await get('/v1/numbers/999', { ...api.as('agent'), 'x-request-id': 'same' });
    const absent = await get('/v1/numbers/1000', { ...api.as('agent'), 'x-request-id': 'same' });
    expect(hidden.statusCode).toBe(404);
    expect(hidden.body).toBe(absent.body);
    expect(await newReads()).toMatchObject([
      { outcome: 'denied', ids: ['number-999'], fields: [] },
      { outcome: 'denied', ids: ['number-1000'], fields: [] },
    ]);
  });

  it('is never answered from a cache: no 304, also with the very same ETag', async () => {
    const first = await get('/v1/numbers/1', api.as('agent'));
    expect(first.headers.etag).toBe('"3"');
    const again = await get('/v1/numbers/1', { ...api.as('agent'), 'if-none-match': '"3"' });
    expect(again.statusCode).toBe(200);
    expect(again.headers['cache-control']).toBe('no-store');
    expect(await newReads()).toHaveLength(2);
  });

  it('does not leave where it can not be recorded: 503 and not a byte of it (F20)', async () => {
    const records = new MemoryReadRecords();
    const broken = await createTestApi(database, { readRecords: records });
    records.broken = true;
    for (const url of ['/v1/numbers', '/v1/numbers/1', '/v1/events']) {
      const role = url === '/v1/events' ? 'auditor' : 'agent';
      const answer = await broken.app.inject({ method: 'GET', url, headers: broken.as(role) });
      expect(answer.statusCode).toBe(503);
      expect(answer.headers['retry-after']).toBe('1');
      expect(answer.json()).toMatchObject({ type: '/problems/ReadRecordUnavailable' });
    }
    expect((await broken.app.inject({ method: 'GET', url: '/v1/numbers', headers: { ...broken.as('agent'), accept: 'text/csv' } })).statusCode).toBe(
      503,
    );
    await broken.close();
  });

  it('that its route forgot to record is not shown: 500, and a line for whoever must mend it', async () => {
    const forgetful = await createTestApi(database, {
      routes: [
        (app, parts) =>
          readRoute(app, parts, {
            name: 'GetForgotten',
            summary: 'Forgotten',
            route: 'GET /v1/forgotten',
            roles: ['agent'],
            answer: z.object({ name: z.string() }),
            personal: true,
            read: async () => ({ name: 'Mr Li' }),
          }),
      ],
    });
    const answer = await forgetful.app.inject({ method: 'GET', url: '/v1/forgotten', headers: forgetful.as('agent') });
    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toContain('Mr Li');
    expect(forgetful.lines.join('')).toContain('GetForgotten shows personal data and did not record it');
    await forgetful.close();
  });

  it('shows no property that its answer does not declare', async () => {
    const leaky = await createTestApi(database, {
      routes: [
        (app, parts) =>
          readRoute(app, parts, {
            name: 'GetLeak',
            summary: 'Leak',
            route: 'GET /v1/leak',
            roles: ['agent'],
            answer: z.object({ id: z.string(), inner: z.array(z.object({ id: z.string() })) }),
            personal: false,
            read: async () => ({ id: '1', phone: '13800138000', inner: [{ id: '2', phone: '13800138000' }] }),
          }),
      ],
    });
    const answer = await leaky.app.inject({ method: 'GET', url: '/v1/leak', headers: leaky.as('agent') });
    expect(answer.json()).toStrictEqual({ id: '1', inner: [{ id: '2' }] });
    const again = await leaky.app.inject({
      method: 'GET',
      url: '/v1/leak',
      headers: { ...leaky.as('agent'), 'if-none-match': String(answer.headers.etag) },
    });
    expect([again.statusCode, again.body]).toStrictEqual([304, '']);
    await leaky.close();
  });

  it('shares its commit with others that come at the same time', async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, (_, index) => get(`/v1/numbers/${index + 1}`, api.as('agent', `reader-${index}`))));
    expect(new Set(answers.map(({ statusCode }) => statusCode))).toStrictEqual(new Set([200]));
    const written = await newReads();
    expect(new Set(written.map(({ subject }) => subject)).size).toBe(100);
    const { rows } = await owner.query<{ batches: number }>('select count(distinct xmin::text)::int as batches from access.reads where id > $1', [
      before,
    ]);
    expect(rows[0]?.batches).toBeLessThan(30);
  });
});

describe('the record of reads', () => {
  it('can not be changed, by the app’s role or by its owner', async () => {
    await get('/v1/numbers/1', api.as('agent'));
    for (const sql of ['update access.reads set subject = $$x$$', 'delete from access.reads', 'truncate access.reads']) {
      await expect(owner.query(sql)).rejects.toThrow('the record of reads is append-only');
      await expect(api.pool.query(sql)).rejects.toMatchObject({ code: expect.stringMatching(/^(42501|23001)$/) });
    }
  });

  it('is shown to auditors, by subject, by id and by time, and showing it is recorded once', async () => {
    await get('/v1/numbers/5', api.as('agent', 'carol'));
    await get('/v1/numbers/6', api.as('agent', 'carol'));
    const bySubject = await get('/v1/accesses?subject=carol&count=true', api.as('auditor'));
    expect(bySubject.json()).toMatchObject({ total: 2, next: null, items: [{ ids: ['number-6'] }, { ids: ['number-5'] }] });
    const byId = await get('/v1/accesses?id=number-5&subject=carol', api.as('auditor'));
    expect(byId.json<{ items: unknown[] }>().items).toHaveLength(1);
    const from = new Date(Date.now() + 60_000).toISOString();
    expect((await get(`/v1/accesses?from=${from}`, api.as('auditor'))).json<{ items: unknown[] }>().items).toHaveLength(0);
    const own = (await newReads()).filter(({ role }) => role === 'auditor');
    expect(own).toHaveLength(3);
    expect(own[0]).toMatchObject({ route: '/v1/accesses', ids: expect.arrayContaining([expect.stringMatching(/^access-/)]) });
    expect((await get('/v1/accesses', api.as('agent'))).statusCode).toBe(403);
  });

  it('does not show what the role aml read', async () => {
    await owner.query(
      `insert into access.reads (read_at, subject, role, method, route, ids, fields, outcome, request_id, correlation_id, filter)
       values (now(), 'mallory', 'aml', 'GET', '/x', '{customer-1}', '{}', 'shown', 'r', 'c', '{}')`,
    );
    expect((await get('/v1/accesses?id=customer-1&count=true', api.as('auditor'))).json()).toMatchObject({ items: [], total: 0 });
  });
});

describe('a list', () => {
  const walk = async (query: string): Promise<Page['items']> => {
    const items: Page['items'] = [];
    let cursor: string | null = null;
    do {
      const answer: Page = (await get(`/v1/numbers?${query}${cursor === null ? '' : `&cursor=${cursor}`}`, api.as('agent'))).json<Page>();
      items.push(...answer.items);
      cursor = answer.next;
    } while (cursor !== null);
    return items;
  };

  it.each(['asc', 'desc'])('is walked page by page without a gap or a repeat, nulls included, %s', async (order) => {
    const all = await walk(`order=${order}&limit=500`);
    expect(all).toHaveLength(121);
    for (const limit of [1, 7, 120, 121]) expect(await walk(`order=${order}&limit=${limit}`)).toStrictEqual(all);
    const notes = all.map(({ note }) => note);
    const nulls = order === 'asc' ? notes.slice(-40) : notes.slice(0, 40);
    expect(new Set(nulls)).toStrictEqual(new Set([null]));
  });

  it('keeps its place while rows come and go', async () => {
    const first = (await get('/v1/numbers?limit=50', api.as('agent'))).json<Page>();
    await owner.query(`insert into public.numbers values (2000, 'a first one')`);
    await owner.query('delete from public.numbers where id = $1', [first.items.at(-1)?.id]);
    const second = (await get(`/v1/numbers?limit=500&cursor=${first.next}`, api.as('agent'))).json<Page>();
    expect(first.items.length + second.items.length).toBe(121);
    await owner.query('delete from public.numbers where id = 2000');
    await owner.query('insert into public.numbers values ($1, $2)', [first.items.at(-1)?.id, first.items.at(-1)?.note]);
  });

  it('tells its total where that is asked for, whatever the page', async () => {
    const answer = (await get('/v1/numbers?count=true&limit=2', api.as('agent'))).json<Page>();
    expect(answer.total).toBe(121);
    expect((await get(`/v1/numbers?count=true&limit=2&cursor=${answer.next}`, api.as('agent'))).json<Page>().total).toBe(121);
    expect((await get('/v1/numbers?limit=2', api.as('agent'))).json<Page>().total).toBeUndefined();
  });

  it('does not go on with the cursor of another subject, role, filter or order (F80)', async () => {
    const { next } = (await get('/v1/numbers?limit=2', api.as('agent', 'alice'))).json<Page>();
    const go = async (query: string, headers: Record<string, string>) =>
      (await get(`/v1/numbers?limit=2&cursor=${next}${query}`, headers)).json<{ type?: string }>().type;
    expect(await go('', api.as('agent', 'alice'))).toBeUndefined();
    expect(await go('&limit=5'.replace('limit', 'count').replace('5', 'true'), api.as('agent', 'alice'))).toBeUndefined();
    expect(await go('', api.as('agent', 'bob'))).toBe('/problems/InvalidCursor');
    expect(await go('', api.as('operations', 'alice'))).toBe('/problems/InvalidCursor');
    expect(await go('&note=n1', api.as('agent', 'alice'))).toBe('/problems/InvalidCursor');
    expect(await go('&order=desc', api.as('agent', 'alice'))).toBe('/problems/InvalidCursor');
  });

  it('refuses a limit out of bounds and says which are right', async () => {
    for (const limit of ['0', '501', '-1', '1.5', 'x', '']) expect((await get(`/v1/numbers?limit=${limit}`, api.as('agent'))).statusCode).toBe(400);
    expect((await get('/v1/numbers?limit=501', api.as('agent'))).json()).toMatchObject({
      errors: [{ pointer: 'limit', detail: 'must be at most 500' }],
    });
  });

  it('comes as a table, all pages in one, each recorded, and no cell is a formula (F101)', async () => {
    const answer = await get('/v1/numbers', { ...api.as('agent'), accept: 'text/csv' });
    expect(answer.headers['content-type']).toBe('text/csv; charset=utf-8; header=present');
    const lines = answer.body.trimEnd().split('\r\n');
    expect(lines).toHaveLength(122);
    expect(answer.body).toContain("7,'=1+1\r\n");
    const [read] = await newReads();
    expect(read?.ids).toHaveLength(121);
    const compressed = await get('/v1/numbers', { ...api.as('agent'), accept: 'text/csv', 'accept-encoding': 'gzip' });
    expect(compressed.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(compressed.rawPayload).toString()).toBe(answer.body);
    expect((await get('/v1/numbers/1', { ...api.as('agent'), accept: 'text/csv' })).statusCode).toBe(406);
  });

  it('is compressed where it is large and the caller takes it', async () => {
    const small = await get('/v1/numbers?limit=2', { ...api.as('agent'), 'accept-encoding': 'gzip' });
    expect(small.headers['content-encoding']).toBeUndefined();
    const large = await get('/v1/numbers?limit=500', { ...api.as('agent'), 'accept-encoding': 'br, gzip;q=0.8' });
    expect(large.headers['content-encoding']).toBe('gzip');
    expect(JSON.parse(gunzipSync(large.rawPayload).toString()).items).toHaveLength(121);
    expect((await get('/v1/numbers?limit=500', { ...api.as('agent'), 'accept-encoding': 'gzip;q=0' })).headers['content-encoding']).toBeUndefined();
  });
});

describe('a read after a command', () => {
  it('waits for the command’s position, and says 503 past the bound', async () => {
    const written = await api.app.inject({
      method: 'POST',
      url: '/v1/notes',
      headers: api.as('agent', 'alice'),
      payload: { about: 'money', text: 'x' },
    });
    const position = String(written.headers['shiji-position']);
    expect((await get('/v1/numbers', { ...api.as('agent', 'alice'), 'shiji-after': position })).statusCode).toBe(200);
    expect((await get('/v1/numbers', { ...api.as('agent', 'bob'), 'shiji-after': position })).json()).toMatchObject({
      status: 400,
      type: '/problems/InvalidPosition',
    });
    expect((await get('/v1/numbers', { ...api.as('agent', 'alice'), 'shiji-after': 'p1' })).statusCode).toBe(400);
    const late = await api.app.inject({ method: 'GET', url: '/v1/projections', headers: { ...api.as('auditor'), 'shiji-after': 'p99999999' } });
    // It reads no read model, so it waits for none.
    expect(late.statusCode).toBe(200);
  });
});

describe('the journal, as auditors read it', () => {
  it('shows events whole, with personal values opened, and records whose', async () => {
    const { id } = (
      await api.app.inject({ method: 'POST', url: '/v1/notes', headers: api.as('agent'), payload: { about: 'weather', text: '下雨了' } })
    ).json<{ id: string }>();
    await api.app.inject({ method: 'POST', url: `/v1/notes/${id}/strike`, headers: api.as('agent'), payload: {} });
    const answer = await get(`/v1/streams/note-${id}`, api.as('auditor'));
    expect(answer.json()).toMatchObject({
      next: null,
      items: [
        {
          type: 'NoteWritten',
          revision: 0,
          data: { about: 'weather', text: '下雨了' },
          actor: { subject: 'agent-1', role: 'agent' },
          channel: 'rest',
        },
        { type: 'NoteStruck', revision: 1, data: {} },
      ],
    });
    expect(await newReads()).toMatchObject([{ ids: [`note-${id}`], fields: ['NoteWritten.text'] }]);
    const page = (await get(`/v1/streams/note-${id}?limit=1`, api.as('auditor'))).json<{ next: string; items: { revision: number }[] }>();
    expect(page).toMatchObject({ next: '0', items: [{ revision: 0 }] });
    expect((await get(`/v1/streams/note-${id}?limit=1&after=${page.next}`, api.as('auditor'))).json()).toMatchObject({
      next: null,
      items: [{ revision: 1 }],
    });
  });

  it('shows an erased value as erased', async () => {
    const { id } = (
      await api.app.inject({ method: 'POST', url: '/v1/notes', headers: api.as('agent'), payload: { about: 'weather', text: 'secret' } })
    ).json<{ id: string }>();
    await owner.query('update keys.data_keys set wrapped = null, destroyed_at = now() where subject = $1', [`note-${id}`]);
    const other = await createTestApi(database, { journal: api.journal });
    const answer = await other.app.inject({ method: 'GET', url: `/v1/streams/note-${id}`, headers: other.as('auditor') });
    expect(answer.json()).toMatchObject({ items: [{ data: { about: 'weather', text: { erased: true } } }] });
    await other.close();
  });

  it('is walked by type and category from any position, and never shows the category aml', async () => {
    await api.journal.append('aml-1', 'no-stream', [{ id: crypto.randomUUID(), type: 'NoteStruck', data: '{}', metadata: '{"schema":1}' }]);
    const seen: { type: string; stream: string; position: number }[] = [];
    let after = '0';
    for (;;) {
      const page = (await get(`/v1/events?limit=2&after=${after}`, api.as('auditor'))).json<{ items: typeof seen; next: string | null }>();
      seen.push(...page.items);
      if (page.next === null) break;
      after = page.next;
    }
    const head = (await api.journal.head()).position;
    expect(seen).toHaveLength(head - 1);
    expect(seen.some(({ stream }) => stream.startsWith('aml'))).toBe(false);
    expect((await get('/v1/events?category=aml', api.as('auditor'))).json()).toMatchObject({ items: [] });
    const hidden = await get('/v1/streams/aml-1', { ...api.as('auditor'), 'x-request-id': 'same' });
    expect(hidden.statusCode).toBe(404);
    expect(hidden.body).toBe((await get('/v1/streams/note-none', { ...api.as('auditor'), 'x-request-id': 'same' })).body);
    const struck = (await get('/v1/events?type=NoteStruck&category=note', api.as('auditor'))).json<{ items: typeof seen }>().items;
    expect(struck.length).toBeGreaterThan(0);
    expect(new Set(struck.map(({ type }) => type))).toStrictEqual(new Set(['NoteStruck']));
  });
});
