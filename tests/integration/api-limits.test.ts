import { type AddressInfo, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestApi, MemoryReadRecords, type TestApi } from '../support/api-server.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let api: TestApi;
let port = 0;
beforeAll(async () => {
  database = await createTestDatabase();
  api = await createTestApi(database, { limits: { bodyMs: 400, headersMs: 400 } });
  await api.app.listen({ host: '127.0.0.1', port: 0 });
  port = (api.app.server.address() as AddressInfo).port;
});
afterAll(async () => {
  await api.close();
  await database.drop();
});

const note = { about: 'weather', text: 'rain' };
const post = (payload: string | object, headers: Record<string, string> = {}, url = '/v1/notes') =>
  api.app.inject({ method: 'POST', url, headers: { ...api.as('agent'), 'content-type': 'application/json', ...headers }, payload });

/** What the server answers to these bytes until it ends the connection, or `ms` have passed. */
async function raw(text: string, { ms = 3_000, at = port } = {}): Promise<{ text: string; closedAfterMs: number | undefined }> {
  const started = performance.now();
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect(at, '127.0.0.1', () => socket.write(text));
    const timer = setTimeout(() => {
      socket.destroy();
      resolve({ text: answer, closedAfterMs: undefined });
    }, ms);
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(timer);
      resolve({ text: answer, closedAfterMs: performance.now() - started });
    });
  });
}

describe('a command', () => {
  it('is done once under one key, and the first answer comes again byte for byte', async () => {
    const key = { 'idempotency-key': 'key-1' };
    const first = await post(note, key);
    const again = await post(note, key);
    expect(first.statusCode).toBe(201);
    expect(again.statusCode).toBe(201);
    expect(again.body).toBe(first.body);
    expect(again.headers.etag).toBe(first.headers.etag);
    expect(again.headers.location).toBe(first.headers.location);
    const { id } = first.json<{ id: string }>();
    expect(first.headers.location).toBe(`/v1/notes/${id}`);
    expect(first.headers).toMatchObject({ etag: '"0"', 'cache-control': 'no-store', 'shiji-position': expect.stringMatching(/^[A-Za-z0-9_-]{22}$/) });
    expect((await post({ ...note, text: 'snow' }, key)).json()).toMatchObject({ status: 422, type: '/problems/KeyReused' });
    const others = await Promise.all(Array.from({ length: 20 }, () => post(note, { 'idempotency-key': 'key-2' })));
    expect(new Set(others.map(({ body }) => body)).size).toBe(1);
  });

  it('is refused with what is right where a header is not', async () => {
    const strike = async (headers: Record<string, string>) => {
      const { id } = (await post(note)).json<{ id: string }>();
      return post({}, headers, `/v1/notes/${id}/strike`);
    };
    for (const key of ['', 'a b', 'ä', 'x'.repeat(129)])
      expect((await post(note, { 'idempotency-key': key })).json()).toMatchObject({ errors: [{ pointer: 'Idempotency-Key' }] });
    for (const match of ['*', 'W/"0"', '"0", "1"', '0', '"x"', '"00"'])
      expect((await strike({ 'if-match': match })).json(), match).toMatchObject({ status: 400, errors: [{ pointer: 'If-Match' }] });
    expect((await post(note, { 'if-match': '"0"' })).json()).toMatchObject({
      errors: [{ pointer: 'If-Match', detail: expect.stringContaining('leave it out') }],
    });
    expect((await post(note, { 'shiji-purpose': 'x'.repeat(201) })).json()).toMatchObject({ errors: [{ pointer: 'Shiji-Purpose' }] });
    const moved = await strike({ 'if-match': '"7"' });
    expect(moved.statusCode).toBe(412);
    expect(moved.headers.etag).toBe('"0"');
    expect((await strike({ 'if-match': '"0"' })).json()).toMatchObject({ revision: 1 });
  });

  it('is refused by its own code, and what is not there is 404 by the one text', async () => {
    const { id } = (await post(note)).json<{ id: string }>();
    const struck = await post({}, {}, `/v1/notes/${id}/strike`);
    expect(struck.statusCode).toBe(200);
    expect(struck.headers.location).toBeUndefined();
    expect((await post({}, {}, `/v1/notes/${id}/strike`)).json()).toMatchObject({
      type: '/problems/NoteStruckAlready',
      title: 'Note struck already',
      status: 409,
      detail: 'The note was struck already.',
    });
    const none = await post({}, { 'x-request-id': 'same' }, '/v1/notes/01990f7c-5f00-7aaa-8bbb-0123456789ab/strike');
    const path = await post({}, { 'x-request-id': 'same' }, '/v1/nothing');
    expect(none.statusCode).toBe(404);
    expect(none.body).toBe(path.body);
  });

  it('takes an empty body where it needs none, and names what is missing where it does', async () => {
    const { id } = (await post(note)).json<{ id: string }>();
    expect((await api.app.inject({ method: 'POST', url: `/v1/notes/${id}/strike`, headers: api.as('agent') })).statusCode).toBe(200);
    expect((await post('')).json()).toMatchObject({ errors: [{ pointer: '/about' }, { pointer: '/text', detail: 'missing: must be a string' }] });
  });
});

describe('an answer', () => {
  it('carries the security headers and the request’s id, whatever it is', async () => {
    const answers = [
      await post(note),
      await post('{'),
      await post(note, { authorization: 'x' }),
      await api.app.inject({ method: 'GET', url: '/nothing' }),
    ];
    for (const { headers } of answers)
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
        'x-request-id': expect.any(String),
      });
    expect((await post(note, { 'x-request-id': 'mine-1' })).headers['x-request-id']).toBe('mine-1');
    const forged = await post('{', { 'x-request-id': 'a b<script>' });
    expect(forged.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(forged.json<{ instance: string }>().instance).toBe(forged.headers['x-request-id']);
  });

  it('to HEAD is as to GET without its body, to OPTIONS the methods, to a wrong method 405', async () => {
    const get = await api.app.inject({ method: 'GET', url: '/health/live' });
    const head = await api.app.inject({ method: 'HEAD', url: '/health/live' });
    expect(head.statusCode).toBe(200);
    expect(head.body).toBe('');
    expect(head.headers['content-length']).toBe(get.headers['content-length']);
    expect((await api.app.inject({ method: 'HEAD', url: '/v1/events' })).statusCode).toBe(401);
    const options = await api.app.inject({ method: 'OPTIONS', url: '/v1/notes' });
    expect([options.statusCode, options.headers.allow, options.headers['access-control-allow-origin']]).toStrictEqual([
      204,
      'POST, OPTIONS',
      undefined,
    ]);
    for (const method of ['PUT', 'PATCH', 'DELETE', 'GET'] as const) {
      const answer = await api.app.inject({ method, url: '/v1/notes', headers: api.as('agent') });
      expect([answer.statusCode, answer.headers.allow]).toStrictEqual([405, 'POST, OPTIONS']);
    }
    expect((await api.app.inject({ method: 'OPTIONS', url: '/nothing' })).statusCode).toBe(404);
    expect((await raw('BREW /v1/notes HTTP/1.1\r\nHost: x\r\n\r\n')).text).toMatch(/^HTTP\/1.1 400 /);
    expect((await raw('TRACE /v1/notes HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).text).toMatch(/^HTTP\/1.1 405 /);
  });

  it('that fails inside tells its request id and nothing else (F112), and the log has no personal data (F104)', async () => {
    const broken = await createTestApi(database, {
      handler: {
        execute: () =>
          Promise.reject(new TypeError('boom in /srv/secret.ts', { cause: Object.assign(new Error('insert'), { detail: 'Mr Li, 13800138000' }) })),
      },
    });
    const answer = await broken.app.inject({
      method: 'POST',
      url: '/v1/notes',
      headers: { ...broken.as('agent'), 'x-request-id': 'r-9' },
      payload: { about: 'money', text: 'canary-13800138000\r\n\u001b[31m' },
    });
    expect(answer.statusCode).toBe(500);
    expect(answer.json()).toStrictEqual({
      type: '/problems/InternalError',
      title: 'Something went wrong on our side',
      status: 500,
      detail: 'The error is logged under the request id in `instance`.',
      instance: 'r-9',
    });
    await broken.app.inject({ method: 'POST', url: '/v1/notes', headers: broken.as('agent'), payload: { about: 'canary-13800138000', text: 1 } });
    const log = broken.lines.join('');
    expect(log).toContain('"reqId":"r-9"');
    expect(log).toContain('boom in /srv/secret.ts');
    expect(log).not.toMatch(/canary|13800138000/);
    await broken.close();
  });
});

describe('a request that is too much', () => {
  it('is refused where its body is over 1 MiB, by its length or by what comes', async () => {
    const large = await post(JSON.stringify({ ...note, text: 'x'.repeat(1_100_000) }));
    expect(large.json()).toMatchObject({ status: 413, type: '/problems/PayloadTooLarge' });
    const auth = api.as('agent').authorization;
    const chunked = await raw(
      `POST /v1/notes HTTP/1.1\r\nHost: x\r\nAuthorization: ${auth}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${`10000\r\n${'x'.repeat(65_536)}\r\n`.repeat(20)}0\r\n\r\n`,
    );
    expect(chunked.text).toMatch(/^HTTP\/1.1 413 /);
    expect(chunked.closedAfterMs).toBeDefined();
  });

  it('is refused where its body is not JSON, or JSON that two parsers read differently (F97 F98 F99)', async () => {
    for (const body of [
      '{',
      `${'['.repeat(40)}${']'.repeat(40)}`,
      '{"__proto__":{}}',
      '{"text":"a","text":"b"}',
      '{"priority":9007199254740993}',
      '{"text":"\\u0000"}',
    ])
      expect((await post(body)).json(), body).toMatchObject({ status: 400, type: '/problems/MalformedRequest' });
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonx', 'nonsense'])
      expect((await post('{}', { 'content-type': type })).json(), type).toMatchObject({ status: 415, type: '/problems/UnsupportedMediaType' });
    expect((await post(JSON.stringify(note), { 'content-type': 'application/json; charset=utf-8' })).statusCode).toBe(201);
    // One line of JSON bombs: quick to refuse.
    const started = performance.now();
    await post('['.repeat(1_000_000));
    expect(performance.now() - started).toBeLessThan(500);
  });

  it('is refused where its headers or its path are too large or broken (F106)', async () => {
    expect((await raw(`GET /health/live HTTP/1.1\r\nHost: x\r\nX-Big: ${'x'.repeat(20_000)}\r\n\r\n`)).text).toMatch(
      /^HTTP\/1.1 431 [\s\S]*HeadersTooLarge/,
    );
    expect((await raw(`GET /health/live HTTP/1.1\r\nHost: x\r\n${'X-Many: 1\r\n'.repeat(3_000)}\r\n`)).text).toMatch(/^HTTP\/1.1 431 /);
    expect((await raw(`GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`)).text).toMatch(/^HTTP\/1.1 431 /);
    expect((await api.app.inject({ method: 'GET', url: '/v1/events/%', headers: api.as('auditor') })).statusCode).toBe(400);
    expect((await api.app.inject({ method: 'GET', url: `/v1/streams/note-${'x'.repeat(300)}`, headers: api.as('auditor') })).statusCode).toBeLessThan(
      500,
    );
    const filters = Array.from({ length: 1_000 }, (_, index) => `f${index}=1`).join('&');
    const many = await api.app.inject({ method: 'GET', url: `/v1/events?${filters}`, headers: api.as('auditor') });
    expect(many.statusCode).toBe(400);
    expect(many.json<{ errors: unknown[] }>().errors).toHaveLength(51);
  });

  it('is refused where two readers could see two requests in it, and the connection ends (F107)', async () => {
    const smuggled = 'GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n';
    const attempts = [
      `POST /v1/notes HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
      `POST /v1/notes HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n${smuggled}`,
      `POST /v1/notes HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde`,
      `POST /v1/notes HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n`,
      `GET /health/live HTTP/1.1\r\nHost: x\r\n folded: 1\r\n\r\n`,
      'GET /health/live HTTP/1.1\n\n',
      'GET /health/live HTTP/1.1\r\n\r\n',
    ];
    for (const attempt of attempts) {
      const answer = await raw(attempt);
      expect(answer.text, attempt).toMatch(/^HTTP\/1.1 400 /);
      expect(answer.text.match(/HTTP\/1.1/g), attempt).toHaveLength(1);
      expect(answer.closedAfterMs, attempt).toBeDefined();
    }
  });

  it('is cut off where it drips in, headers or body, and others are served meanwhile (F105)', async () => {
    const auth = api.as('agent').authorization;
    const drip = async (start: string): Promise<number> => {
      const started = performance.now();
      return new Promise((resolve) => {
        const socket = connect(port, '127.0.0.1', () => socket.write(start));
        socket.resume();
        const timer = setInterval(() => socket.write('x'), 50);
        socket.on('error', () => {});
        socket.on('close', () => {
          clearInterval(timer);
          resolve(performance.now() - started);
        });
      });
    };
    const slow = Promise.all([
      drip('GET /health/live HTTP/1.1\r\nHost: x\r\nX-Slow: '),
      drip(`POST /v1/notes HTTP/1.1\r\nHost: x\r\nAuthorization: ${auth}\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{"text":"`),
    ]);
    await sleep(100);
    expect((await fetch(`http://127.0.0.1:${port}/health/ready`)).status).toBe(200);
    for (const ms of await slow) expect(ms).toBeLessThan(4_000);
  });
});

describe('the metrics', () => {
  it('count what was asked, name no id, and are for this machine or an operator', async () => {
    const { id } = (await post(note)).json<{ id: string }>();
    await post({}, {}, `/v1/notes/${id}/strike`);
    const local = await fetch(`http://127.0.0.1:${port}/metrics`);
    const text = await local.text();
    expect(text).toMatch(/shiji_http_requests_total\{method="POST",route="\/v1\/notes\/\{noteId\}\/strike",status="2xx"\} [1-9]/);
    expect(text).toMatch(/shiji_http_request_seconds_bucket\{method="POST",route="\/v1\/notes",le="0.001"\} \d/);
    expect(text).toMatch(/shiji_http_request_seconds_count\{method="POST",route="\/v1\/notes"\} \d/);
    expect(text).not.toContain(id);
    const proxied = (headers: Record<string, string>) =>
      fetch(`http://127.0.0.1:${port}/metrics`, { headers: { 'x-forwarded-for': '127.0.0.1', ...headers } });
    expect((await proxied({})).status).toBe(401);
    expect((await proxied(api.as('agent'))).status).toBe(403);
    expect((await proxied(api.as('operations'))).status).toBe(200);
  });
});

describe('a server that stops', () => {
  it('is not ready at once, answers what is under way and ends each connection with its answer', async () => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const other = await createTestApi(database, {
      handler: {
        execute: async () => {
          await held;
          return { kind: 'accepted', id: 'note-1', commandId: 'c', created: true, repeated: false, events: 1, revision: 0, position: 1 };
        },
      },
    });
    await other.app.listen({ host: '127.0.0.1', port: 0 });
    const at = (other.app.server.address() as AddressInfo).port;
    const ready = () => fetch(`http://127.0.0.1:${at}/health/ready`);
    expect((await ready()).status).toBe(200);
    const running = fetch(`http://127.0.0.1:${at}/v1/notes`, {
      method: 'POST',
      headers: { ...other.as('agent'), 'content-type': 'application/json' },
      body: JSON.stringify(note),
    });
    await sleep(100);
    await other.app.drain();
    const refused = await ready();
    expect([refused.status, refused.headers.get('retry-after'), refused.headers.get('connection')]).toStrictEqual([503, '1', 'close']);
    const closed = other.close();
    release();
    const answer = await running;
    expect([answer.status, answer.headers.get('connection')]).toStrictEqual([201, 'close']);
    await closed;
  });

  it('takes requests until the balancer that polls it knows and has acted upon it (E30)', async () => {
    const other = await createTestApi(database);
    await other.app.listen({ host: '127.0.0.1', port: 0 });
    const url = `http://127.0.0.1:${(other.app.server.address() as AddressInfo).port}`;
    const ready = async () => (await fetch(`${url}/health/ready`)).status;
    expect([await ready(), await ready()]).toStrictEqual([200, 200]);
    let isDrained = false;
    const drained = other.app.drain().then(() => {
      isDrained = true;
    });
    await sleep(300);
    expect([isDrained, (await fetch(`${url}/health/live`)).status]).toStrictEqual([false, 200]);
    expect(await ready()).toBe(503);
    await drained;
    await other.close();
  });

  it('is not ready while its database does not answer, and lives', async () => {
    const lonely = await createTestApi(undefined, { readRecords: new MemoryReadRecords() });
    expect((await lonely.app.inject({ method: 'GET', url: '/health/live' })).json()).toStrictEqual({ status: 'live' });
    expect((await lonely.app.inject({ method: 'GET', url: '/health/ready' })).json()).toMatchObject({ status: 503, type: '/problems/NotReady' });
    const answer = await lonely.app.inject({ method: 'POST', url: '/v1/notes', headers: lonely.as('agent'), payload: note });
    expect([answer.statusCode, answer.headers['retry-after']]).toStrictEqual([503, '1']);
    await lonely.close();
  });
});
